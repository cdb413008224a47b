//! Bytes in fixed room, and the little that line protocols ask of them.

/// Up to N bytes. What does not fit is dropped and remembered, so that a
/// message is checked once, when it is complete.
pub struct Text<const N: usize>(Room<[u8; N]>);

/// A text whose length is no part of its type: what is done to texts is in a module once,
/// not for each length.
struct Room<B: ?Sized> {
    len: usize,
    over: bool,
    buf: B,
}

impl<const N: usize> Text<N> {
    pub const fn new() -> Self {
        Text(Room { len: 0, over: false, buf: [0; N] })
    }

    pub fn clear(&mut self) {
        self.0.len = 0;
        self.0.over = false;
    }

    /// Appends what fits.
    #[inline(always)]
    pub fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.room().add(bytes);
        self
    }

    /// Appends bytes in base64 with padding (RFC 4648 section 4).
    #[inline(always)]
    pub fn add_base64(&mut self, bytes: &[u8]) -> &mut Self {
        self.room().add_base64(bytes);
        self
    }

    /// Appends what a base64 text stands for, padded or not. False for what is no base64;
    /// what came before the fault is kept.
    #[inline(always)]
    pub fn add_decoded(&mut self, text: &[u8]) -> bool {
        self.room().add_decoded(text)
    }

    /// Overwrites bytes that are there already.
    #[inline(always)]
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.room().put(at, bytes);
    }

    /// Appends a number in decimal.
    #[inline(always)]
    pub fn add_decimal(&mut self, n: u32) -> &mut Self {
        self.room().add_digits(n, 10);
        self
    }

    /// Appends a number in hexadecimal, lower case.
    #[inline(always)]
    pub fn add_hexadecimal(&mut self, n: u32) -> &mut Self {
        self.room().add_digits(n, 16);
        self
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.buf.get(..self.0.len).unwrap_or(&[])
    }

    /// Whether something did not fit since the last clear.
    pub fn is_over(&self) -> bool {
        self.0.over
    }

    #[inline(always)]
    fn room(&mut self) -> &mut Room<[u8]> {
        &mut self.0
    }
}

impl Room<[u8]> {
    #[inline(never)]
    fn add(&mut self, bytes: &[u8]) {
        let room = self.buf.get_mut(self.len..).unwrap_or(&mut []);
        let n = bytes.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..n), bytes.get(..n)) {
            to.copy_from_slice(from);
        }
        self.len += n;
        self.over |= n < bytes.len();
    }

    #[inline(never)]
    fn add_base64(&mut self, bytes: &[u8]) {
        for group in bytes.chunks(3) {
            self.add(&encode(group));
        }
    }

    #[inline(never)]
    fn add_decoded(&mut self, text: &[u8]) -> bool {
        let end = text.iter().rposition(|&b| b != b'=').map_or(0, |last| last + 1);
        let (digits, padding) = (text.get(..end).unwrap_or(&[]), text.len() - end);
        if digits.len() % 4 == 1 || padding > 2 {
            return false;
        }
        for group in digits.chunks(4) {
            match decode(group) {
                Some(bytes) => self.add(bytes.get(..group.len() - 1).unwrap_or(&[])),
                None => return false,
            };
        }
        true
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.buf.get_mut(at..self.len).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }

    #[inline(never)]
    fn add_digits(&mut self, n: u32, base: u32) {
        if n >= base {
            self.add_digits(n / base, base);
        }
        let digit = char::from_digit(n % base, base).unwrap_or('0');
        self.add(&[digit as u8]);
    }
}

/// One to three bytes in base64.
#[inline(never)]
fn encode(group: &[u8]) -> [u8; 4] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0u32;
    for i in 0..3 {
        bits = bits << 8 | *group.get(i).unwrap_or(&0) as u32;
    }
    let mut digits = [b'='; 4];
    for (i, digit) in digits.iter_mut().enumerate().take(group.len() + 1) {
        *digit = ALPHABET[(bits >> (18 - 6 * i) & 63) as usize];
    }
    digits
}

/// Two to four digits of base64 as three bytes, those that are missing as zero.
#[inline(never)]
fn decode(group: &[u8]) -> Option<[u8; 3]> {
    let mut bits = 0u32;
    for i in 0..4 {
        let six = match group.get(i).copied().unwrap_or(b'A') {
            b @ b'A'..=b'Z' => b - b'A',
            b @ b'a'..=b'z' => b - b'a' + 26,
            b @ b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | six as u32;
    }
    let [_, a, b, c] = bits.to_be_bytes();
    Some([a, b, c])
}

/// The line without its line end, LF or CR LF.
pub fn chomp(line: &[u8]) -> &[u8] {
    match line.split_last() {
        Some((b'\n', text)) => match text {
            [text @ .., b'\r'] => text,
            _ => text,
        },
        _ => line,
    }
}

/// The part before the first blank, and the rest without surrounding blanks.
pub fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&b| is_blank(b)).unwrap_or(line.len());
    (line.get(..end).unwrap_or(&[]), trim(line.get(end..).unwrap_or(&[])))
}

/// Whether a word is one that is known, in letters of either case.
#[inline(never)]
pub fn is_word(word: &[u8], known: &str) -> bool {
    word.len() == known.len() && word.iter().zip(known.as_bytes()).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Whether a word is one of those that are known, in letters of either case.
#[inline(never)]
pub fn is_among(word: &[u8], known: &[&str]) -> bool {
    known.iter().any(|known| is_word(word, known))
}

/// What a table has for a word, in letters of either case.
pub fn look_up<'a, T>(word: &[u8], table: &'a [(&str, T)]) -> Option<&'a T> {
    table.iter().find(|(known, _)| is_word(word, known)).map(|(_, what)| what)
}

/// The bytes without blanks at both ends.
pub fn trim(mut s: &[u8]) -> &[u8] {
    while let [b, rest @ ..] = s {
        if !is_blank(*b) {
            break;
        }
        s = rest;
    }
    while let [rest @ .., b] = s {
        if !is_blank(*b) {
            break;
        }
        s = rest;
    }
    s
}

/// A blank or a tab: one condition, not two to be tried one after the other.
pub fn is_blank(b: u8) -> bool {
    const BLANKS: u64 = 1 << b' ' | 1 << b'\t';
    b < 64 && BLANKS >> b & 1 != 0
}

/// The parts between separators. There is always one, which may be empty. That of the
/// standard library is compiled for each closure that finds separators, and panics.
pub struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Parts<'a> {
    pub fn of(text: &'a [u8], separator: u8) -> Self {
        Parts { rest: Some(text), separator }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match find(rest, self.separator) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at)
            }
            None => self.rest.take(),
        }
    }
}

/// Where a byte is.
pub fn find(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().position(|&b| b == byte)
}

/// Whether a byte is a control character other than a tab: none belongs in a
/// line of text, and a lone CR could pass for a line end further on.
pub fn has_control(s: &[u8]) -> bool {
    s.iter().fold(false, |found, &b| found | (b < b' ') & (b != b'\t') | (b == 0x7f))
}

/// Whether a byte is among others. The standard library looks for one by words of memory,
/// which takes more of a module than it saves in texts as short as these.
pub fn has(s: &[u8], byte: u8) -> bool {
    s.iter().fold(false, |found, &b| found | (b == byte))
}

/// Whether two texts are the same. `==` is compiled anew at each place where one of them has
/// a length that is known, and for each such length.
#[inline(never)]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a == b
}

/// Whether bytes are text in UTF-8.
pub fn is_utf8(mut s: &[u8]) -> bool {
    while !s.is_empty() {
        match first_char(s) {
            Some((_, rest)) => s = rest,
            None => return false,
        }
    }
    true
}

/// The first character of a text in UTF-8 (RFC 3629 section 4), and what follows it; `None`
/// for what is none: the standard library's reader is a third of a small module.
pub fn first_char(s: &[u8]) -> Option<(char, &[u8])> {
    let (&lead, mut rest) = s.split_first()?;
    // How many bytes go on, and the lowest character that needs as many: a longer form of
    // a lower one could slip past whoever looks for the shorter.
    let (more, lowest) = match lead {
        0..=0x7f => (0, 0),
        0xc0..=0xdf => (1, 0x80),
        0xe0..=0xef => (2, 0x800),
        0xf0..=0xf7 => (3, 0x1_0000),
        _ => return None,
    };
    let mut n = if more == 0 { lead as u32 } else { lead as u32 & 0x3f >> more };
    for _ in 0..more {
        let (&b, behind) = rest.split_first()?;
        if b & 0xc0 != 0x80 {
            return None;
        }
        n = n << 6 | b as u32 & 0x3f;
        rest = behind;
    }
    if n < lowest {
        return None;
    }
    Some((char::from_u32(n)?, rest))
}

/// A decimal number of at most six digits.
pub fn decimal(s: &[u8]) -> Option<u32> {
    if s.is_empty() || s.len() > 6 {
        return None;
    }
    let (mut n, mut stray) = (0, false);
    for &b in s {
        stray |= !b.is_ascii_digit();
        n = n * 10 + b.wrapping_sub(b'0') as u32;
    }
    if stray {
        return None;
    }
    Some(n)
}
