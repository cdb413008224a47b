//! Replies of a three-digit code and text, as the servers of SMTP, LMTP, NNTP and FTP
//! give them, read from the outgoing side.

use core::marker::PhantomData;
use core::ops::RangeInclusive;

use crate::text::{chomp, has_control, is_word, split_word, Parts};
use crate::{Class, Code, Outcome, Part, Refusal, OUTGOING};
use Part::{Quote, Say};

/// Longest reply in bytes, all its lines together. RFC 5321 section 4.5.3.1.5
/// allows 512 for a line; greetings and EHLO answers in the wild stay under 2000.
pub const REPLY_MAX: usize = 4096;
const TOO_LONG: &str = " is longer than 4096 bytes";

/// Most lines of a reply: a server must not hold a negotiation with line after line.
const LINES_MAX: usize = 100;

/// What a protocol's replies look like. It is a type's, not a value's, so that a `Reply`
/// holds zeros at first and takes no room in the module.
pub trait Style {
    /// What a line that is none of a reply is told to be, as in ` is no SMTP reply: `.
    const UNLIKE: &'static str;
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
    buf: [u8; REPLY_MAX],
    len: usize,
    /// Where its last line begins.
    last: usize,
    code: u32,
}

impl<S: Style> Reply<S> {
    pub const fn new() -> Self {
        Reply { style: PhantomData, buf: [0; REPLY_MAX], len: 0, last: 0, code: 0 }
    }

    /// Reads one reply from the server. What names it in a refusal, as in
    /// `reading the server's greeting: timed out`.
    pub fn read(&mut self, what: &str) -> Outcome {
        self.read_named("the server's ", what)
    }

    /// Sends a command, and wants one code in the answer to it.
    pub fn ask(&mut self, line: &[u8], command: &str, code: u32) -> Outcome {
        OUTGOING.write(line).map_err(|code| Refusal::of(&["sending ", command], code))?;
        self.read_answer(command)?;
        self.want(code, command)
    }

    /// Reads the answer to a command.
    pub fn read_answer(&mut self, command: &str) -> Outcome {
        self.read_named("the server's answer to ", command)
    }

    /// Reads a reply, named in two pieces so that what asks a command has it once.
    #[inline(never)]
    fn read_named(&mut self, whose: &str, what: &str) -> Outcome {
        self.len = 0;
        let mut len = 0;
        for _ in 0..LINES_MAX {
            let free = self.buf.get_mut(len..).unwrap_or(&mut []);
            // Less has no room for a line end.
            let n = match if free.len() < 2 { Err(Code::TOO_LONG) } else { OUTGOING.read_line(free) } {
                Ok(n) => n,
                Err(Code::TOO_LONG) => return Err(unlike(whose, what, TOO_LONG, None)),
                Err(code) => return Err(Refusal::of(&["reading ", whose, what], code)),
            };
            let line = chomp(free.get(..n).unwrap_or(&[]));
            let first = len == 0;
            let last = match parse::<S>(line) {
                Some((code, last)) if first || code == self.code => {
                    self.code = code;
                    last
                }
                _ if !first && S::LINES == Lines::Free && !has_control(line) => false,
                _ => return Err(unlike(whose, what, S::UNLIKE, Some(line))),
            };
            self.last = len;
            len += line.len();
            match self.buf.get_mut(len..) {
                Some([cr, lf, ..]) => (*cr, *lf) = (b'\r', b'\n'),
                _ => return Err(unlike(whose, what, TOO_LONG, None)),
            }
            len += 2;
            if last {
                self.len = len;
                return Ok(());
            }
        }
        Err(unlike(whose, what, " has more than 100 lines", None))
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

    /// The first line without its line end.
    pub fn first(&self) -> &[u8] {
        Parts::of(self.bytes(), b'\r').next().unwrap_or(&[])
    }

    /// Each line without its line end.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        Parts::of(chomp(self.bytes()), b'\n').map(trim_return)
    }

    /// The line that completes the reply, without its CR LF.
    pub fn last(&self) -> &[u8] {
        self.buf.get(self.last..self.len.saturating_sub(2)).unwrap_or(&[])
    }

    /// The parameters of an extension, if this answer to EHLO offers it
    /// (RFC 5321 section 4.1.1.1: keywords stand from the second line on).
    pub fn extension(&self, keyword: &str) -> Option<&[u8]> {
        let mut lines = Parts::of(self.bytes(), b'\r');
        lines.next();
        for line in &mut lines {
            // The line feed of the line before it comes first.
            let (word, parameters) = split_word(line.get(5..).unwrap_or(&[]));
            if is_word(word, keyword) {
                return Some(parameters);
            }
        }
        None
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

/// Refuses a reply for how it is, and for the line that is wrong, if it is one.
#[inline(never)]
fn unlike(whose: &str, what: &str, how: &str, line: Option<&[u8]>) -> Refusal {
    let parts = [Say(whose), Say(what), Say(how), Quote(line.unwrap_or(&[]))];
    let n = if line.is_some() { 4 } else { 3 };
    Refusal::new(Class::Peer, parts.get(..n).unwrap_or(&[]))
}
