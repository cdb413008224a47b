//! A rule's line, its words, and their values.

use stunnel::text::{find, has, is_blank, Text};
use stunnel::{Class, Outcome, Part, Refusal};
use Part::{Quote, Say};

/// A rule as it is in the config, and its number, counted from 1.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub number: u32,
    pub text: &'a [u8],
}

impl Line<'_> {
    /// Refuses the rule for what is wrong with a part of its line. The host finds the line of
    /// the config by the first words.
    #[inline(never)]
    pub fn fault(&self, word: &[u8], how: &str) -> Refusal {
        // Where a word begins in memory tells its column, so that no word carries it along.
        let column = (word.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize) + 1;
        let mut place = Text::<48>::new();
        place.add(b"guestOption rule ").add_decimal(self.number);
        place.add(b": column ").add_decimal(column as u32).add(b": ");
        Refusal::new(Class::Config, &[Say(ascii(place.bytes())), Quote(word), Say(" "), Say(how)])
    }

    /// The words of the rule.
    pub fn words(&self) -> Words {
        Words { line: self, rest: self.text }
    }

    /// The values of a word, which commas separate.
    pub fn values<'b>(&'b self, word: &'b [u8]) -> Values<'b> {
        Values { line: self, rest: Some(word) }
    }
}

/// ASCII as the text that it is; nothing of what is none.
pub fn ascii(bytes: &[u8]) -> &str {
    // Sound: ASCII is UTF-8, and looking for it takes less code than looking for UTF-8.
    if bytes.iter().all(|b| *b < 0x80) {
        unsafe { core::str::from_utf8_unchecked(bytes) }
    } else {
        ""
    }
}

/// The text before the last of a byte, and after it.
pub fn cut_last(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|&b| b == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The words of a rule. One ends at a blank that is not in quotes, single or double.
pub struct Words<'a> {
    pub line: &'a Line<'a>,
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// The next word; an empty one at the end of the rule.
    #[inline(never)]
    pub fn next(&mut self) -> Outcome<&'a [u8]> {
        let word = from(self.rest, self.rest.iter().take_while(|&&b| is_blank(b)).count());
        // The quote that is open, or 0.
        let mut quote = 0;
        let mut end = 0;
        for &b in word {
            if quote == 0 && is_blank(b) {
                break;
            }
            if b == quote {
                quote = 0;
            } else if quote == 0 && is_quote(b) {
                quote = b;
            }
            end += 1;
        }
        if quote != 0 {
            return Err(self.line.fault(word, "has a quote without an end"));
        }
        self.rest = from(word, end);
        Ok(until(word, end))
    }

    /// The next word if it is such a one; else an empty one, and the word stays.
    pub fn next_if(&mut self, is: fn(&[u8]) -> bool) -> Outcome<&'a [u8]> {
        let rest = self.rest;
        let word = self.next()?;
        if is(word) {
            return Ok(word);
        }
        self.rest = rest;
        Ok(&[])
    }
}

/// The values of a word.
pub struct Values<'a> {
    line: &'a Line<'a>,
    rest: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    /// The next value without its quotes; none after the last.
    #[inline(never)]
    pub fn next(&mut self) -> Outcome<Option<&'a [u8]>> {
        let rest = match self.rest {
            Some(rest) => rest,
            None => return Ok(None),
        };
        let quoted = rest.first().map_or(false, |&b| is_quote(b));
        let (inner, end) = match rest {
            [quote, inner @ ..] if quoted => (inner, *quote),
            _ => (rest, b','),
        };
        let len = find(inner, end).unwrap_or(inner.len());
        let value = until(inner, len);
        let wrong = match from(inner, len + quoted as usize) {
            _ if !quoted && (has(value, b'"') | has(value, b'\'')) => {
                "has a quote within; quotes go round a whole value"
            }
            [b, ..] if *b != b',' => "goes on after its quotes",
            _ if value.is_empty() => "lacks a value",
            after => {
                self.rest = after.get(1..);
                return Ok(Some(value));
            }
        };
        Err(self.line.fault(rest, wrong))
    }
}

fn is_quote(b: u8) -> bool {
    b == b'"' || b == b'\''
}

fn from(text: &[u8], n: usize) -> &[u8] {
    text.get(n..).unwrap_or(&[])
}

fn until(text: &[u8], n: usize) -> &[u8] {
    text.get(..n).unwrap_or(&[])
}
