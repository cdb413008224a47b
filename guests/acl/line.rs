//! A rule's words and values, with the place of each.

use stunnel::text::{find, is_blank, Text};
use stunnel::{Class, Part, Refusal};
use Part::{Quote, Say};

/// What is wrong with a rule.
pub struct Fault<'a> {
    pub word: Word<'a>,
    pub how: &'static str,
}

impl Fault<'_> {
    /// Tells it of the rule of that number, counted from 1. The host finds the line of the
    /// config by the first words.
    pub fn refuse(&self, number: usize) -> Refusal {
        let (mut n, mut column) = (Text::<8>::new(), Text::<8>::new());
        Refusal::new(
            Class::Config,
            &[
                Say("guestOption rule "),
                Say(decimal(number, &mut n)),
                Say(": column "),
                Say(decimal(self.word.column, &mut column)),
                Say(": "),
                Quote(self.word.text),
                Say(" "),
                Say(self.how),
            ],
        )
    }
}

/// A number in digits.
pub fn decimal<const N: usize>(mut n: usize, room: &mut Text<N>) -> &str {
    let mut digits = [0; 20];
    let mut first = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
        first -= 1;
        if n == 0 {
            break;
        }
    }
    room.clear();
    room.add(digits.get(first..).unwrap_or(&[]));
    ascii(room.bytes()).unwrap_or("")
}

/// ASCII as the text that it is.
pub fn ascii(bytes: &[u8]) -> Option<&str> {
    // Sound: ASCII is UTF-8, and looking for it takes less code than looking for UTF-8.
    if bytes.iter().all(|b| *b < 0x80) {
        Some(unsafe { core::str::from_utf8_unchecked(bytes) })
    } else {
        None
    }
}

/// The text before the last of a byte, and after it.
pub fn cut_last(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|&b| b == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// A word, and where it begins, counted from 1.
#[derive(Clone, Copy)]
pub struct Word<'a> {
    pub text: &'a [u8],
    pub column: usize,
}

impl<'a> Word<'a> {
    pub fn fault(self, how: &'static str) -> Fault<'a> {
        Fault { word: self, how }
    }

    /// The values of a word, which commas separate.
    pub fn values(self) -> Values<'a> {
        Values { rest: Some(self) }
    }

    /// The word from a byte on.
    fn from(self, n: usize) -> Word<'a> {
        Word { text: self.text.get(n..).unwrap_or(&[]), column: self.column + n }
    }

    fn until(self, n: usize) -> Word<'a> {
        Word { text: self.text.get(..n).unwrap_or(&[]), column: self.column }
    }
}

/// The words of a rule. One ends at a blank that is not in quotes, single or double.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    rest: Word<'a>,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a [u8]) -> Self {
        Words { rest: Word { text, column: 1 } }
    }

    /// The next word; an empty one at the end of the rule.
    pub fn next(&mut self) -> Result<Word<'a>, Fault<'a>> {
        let blanks = self.rest.text.iter().take_while(|&&b| is_blank(b)).count();
        let word = self.rest.from(blanks);
        let mut quote = None;
        let mut end = 0;
        for &b in word.text {
            match quote {
                None if is_blank(b) => break,
                None if b == b'"' || b == b'\'' => quote = Some(b),
                Some(q) if b == q => quote = None,
                _ => {}
            }
            end += 1;
        }
        if quote.is_some() {
            return Err(word.fault("has a quote without an end"));
        }
        self.rest = word.from(end);
        Ok(word.until(end))
    }
}

/// The values of a word.
pub struct Values<'a> {
    rest: Option<Word<'a>>,
}

impl<'a> Values<'a> {
    /// The next value without its quotes; none after the last.
    #[inline(never)]
    pub fn next(&mut self) -> Result<Option<Word<'a>>, Fault<'a>> {
        let rest = match self.rest {
            Some(rest) => rest,
            None => return Ok(None),
        };
        let quote = rest.text.first().copied().filter(|&b| b == b'"' || b == b'\'');
        let (value, after) = match quote {
            Some(q) => {
                let inner = rest.from(1);
                let end = find(inner.text, q).unwrap_or(inner.text.len());
                (inner.until(end), inner.from(end + 1))
            }
            None => {
                let end = find(rest.text, b',').unwrap_or(rest.text.len());
                (rest.until(end), rest.from(end))
            }
        };
        let plain = quote.is_none() && (find(value.text, b'"').is_some() || find(value.text, b'\'').is_some());
        self.rest = match after.text {
            _ if plain => return Err(rest.fault("has a quote within; quotes go round a whole value")),
            [] => None,
            [b',', ..] => Some(after.from(1)),
            _ => return Err(rest.fault("goes on after its quotes")),
        };
        if value.text.is_empty() {
            return Err(rest.fault("lacks a value"));
        }
        Ok(Some(value))
    }
}
