//! Replies of a three-digit code and text, as the servers of SMTP, LMTP, NNTP and FTP
//! give them, read from the outgoing side.

use core::marker::PhantomData;
use core::ops::RangeInclusive;

use crate::text::{chomp, has_control, split_word, Parts};
use crate::{Class, Code, Outcome, Part, Refusal, OUTGOING};
use Part::{Quote, Say};

/// Longest reply in bytes, all its lines together. RFC 5321 section 4.5.3.1.5
/// allows 512 for a line; greetings and EHLO answers in the wild stay under 2000.
const REPLY_MAX: usize = 4096;

/// Most lines of a reply: a server must not hold a negotiation with line after line.
const LINES_MAX: usize = 100;

/// Room for what `insert` adds to a reply of full length.
const INSERT_MAX: usize = 16;

/// What a protocol's replies look like. It is a type's, not a value's, so that a `Reply`
/// holds zeros at first and takes no room in the module.
pub trait Style {
    /// The protocol in refusals, as in `is no SMTP reply`.
    const NAME: &'static str;
    /// The first digits of its codes.
    const FIRST: RangeInclusive<u8>;
    const LINES: Lines;
}

/// How a reply goes on behind a line with a hyphen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// It does not: a reply is one line (RFC 3977 section 3.2).
    One,
    /// Each line has the code (RFC 5321 section 4.2.1).
    Coded,
    /// Up to the line that has the code and a blank, lines are free (RFC 959 section 4.2).
    Free,
}

/// The last reply read. Its lines end in CR LF, whatever the server sent.
pub struct Reply<S> {
    style: PhantomData<S>,
    buf: [u8; REPLY_MAX + INSERT_MAX],
    len: usize,
    code: u32,
}

impl<S: Style> Reply<S> {
    pub const fn new() -> Self {
        Reply { style: PhantomData, buf: [0; REPLY_MAX + INSERT_MAX], len: 0, code: 0 }
    }

    /// Reads one reply from the server. What names it in a refusal, as in
    /// `reading the server's greeting: timed out`.
    pub fn read(&mut self, what: &str) -> Outcome {
        self.len = 0;
        for _ in 0..LINES_MAX {
            if self.read_line(what)? {
                return Ok(());
            }
        }
        Err(unlike(what, " has more than 100 lines"))
    }

    /// Reads a line, and tells whether it was the reply's last.
    fn read_line(&mut self, what: &str) -> Outcome<bool> {
        let free = self.buf.get_mut(self.len..REPLY_MAX).unwrap_or(&mut []);
        if free.len() < 2 {
            return Err(unlike(what, " is longer than 4096 bytes"));
        }
        let n = match OUTGOING.read_line(free) {
            Ok(n) => n,
            Err(Code::TOO_LONG) => return Err(unlike(what, " is longer than 4096 bytes")),
            Err(code) => return Err(Refusal::of(&["reading the server's ", what], code)),
        };
        let line = chomp(free.get(..n).unwrap_or(&[]));
        let first = self.len == 0;
        let (code, last) = match parse::<S>(line) {
            Some((code, last)) if first || code == self.code => (code, last),
            _ if !first && S::LINES == Lines::Free && !has_control(line) => (self.code, false),
            _ => {
                return Err(Refusal::new(
                    Class::Peer,
                    &[
                        Say("the server's "),
                        Say(what),
                        Say(" is no "),
                        Say(S::NAME),
                        Say(" reply: "),
                        Quote(line),
                    ],
                ))
            }
        };
        self.code = code;
        self.len += line.len();
        match self.buf.get_mut(self.len..REPLY_MAX) {
            Some([cr, lf, ..]) => (*cr, *lf) = (b'\r', b'\n'),
            _ => return Err(unlike(what, " is longer than 4096 bytes")),
        }
        self.len += 2;
        Ok(last)
    }

    /// Asks for one code. Any other is `server refused WHAT: "454 4.7.0 not now"`.
    pub fn want(&self, code: u32, what: &str) -> Outcome {
        if self.code == code {
            return Ok(());
        }
        Err(Refusal::new(Class::Peer, &[Say("server refused "), Say(what), Say(": "), Quote(self.last())]))
    }

    pub fn code(&self) -> u32 {
        self.code
    }

    /// The whole reply as it goes on the wire.
    pub fn bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// Each line without its line end.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        Parts::of(chomp(self.bytes()), b'\n').map(trim_return)
    }

    /// The line that completes the reply.
    pub fn last(&self) -> &[u8] {
        let whole = chomp(self.bytes());
        let before = whole.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        whole.get(before..).unwrap_or(&[])
    }

    /// The parameters of an extension, if this answer to EHLO offers it
    /// (RFC 5321 section 4.1.1.1: keywords stand from the second line on).
    pub fn extension(&self, keyword: &str) -> Option<&[u8]> {
        self.lines().skip(1).find_map(|line| {
            let (word, parameters) = split_word(text(line));
            if word.eq_ignore_ascii_case(keyword.as_bytes()) {
                Some(parameters)
            } else {
                None
            }
        })
    }

    /// Puts a few bytes, at most INSERT_MAX, into the reply.
    pub fn insert(&mut self, at: usize, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(tail) = self.buf.get_mut(at..end) {
            if let Some(kept) = tail.len().checked_sub(bytes.len()) {
                tail.copy_within(..kept, bytes.len());
                tail.iter_mut().zip(bytes).for_each(|(place, b)| *place = *b);
                self.len = end;
            }
        }
    }
}

fn trim_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The text of a reply line: what follows the code and one more byte.
pub fn text(line: &[u8]) -> &[u8] {
    line.get(4..).unwrap_or(&[])
}

/// The code of a reply line, and whether it is the last.
fn parse<S: Style>(line: &[u8]) -> Option<(u32, bool)> {
    if has_control(line) {
        return None;
    }
    match line {
        [a, b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] if S::FIRST.contains(a) => {
            let code = (a - b'0') as u32 * 100 + (b - b'0') as u32 * 10 + (c - b'0') as u32;
            match rest {
                [] | [b' ', ..] => Some((code, true)),
                [b'-', ..] if S::LINES != Lines::One => Some((code, false)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn unlike(what: &str, how: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say("the server's "), Say(what), Say(how)])
}
