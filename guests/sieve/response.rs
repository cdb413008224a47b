//! What a ManageSieve server says (RFC 5804 section 1.2): lines of capabilities, if they
//! were asked for or TLS has started, and a line that begins with OK, NO or BYE.

use stunnel::text::{is_blank, is_word, look_up, Parts};
use stunnel::{line, Outcome, Text};

/// Longest response in bytes, all its lines together. The extensions of Sieve are the
/// longest line, with less than 1000 in what servers have today.
pub const RESPONSE_MAX: usize = 4096;

/// Most lines of a response: a server must not hold a negotiation with line after line.
const LINES_MAX: u32 = 100;

/// What is true before TLS (RFC 5804 section 1.7: an empty list of mechanisms says that
/// TLS has to come first).
const CLEAR: &[u8] = b"\"SASL\" \"\"\r\n\"STARTTLS\"\r\n";

/// Room for CLEAR in a response.
pub const CLEAR_MAX: usize = CLEAR.len();

/// How a response ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    No,
    Bye,
}

/// The last response, its lines ending in CR LF, and where its last line begins.
pub struct Server {
    buf: [u8; RESPONSE_MAX],
    text: Text<RESPONSE_MAX>,
    last: usize,
}

impl Server {
    pub const fn new() -> Self {
        Server { buf: [0; RESPONSE_MAX], text: Text::new(), last: 0 }
    }

    /// Reads a response. None that is told to a client without a login needs a literal,
    /// in which something that is no line could hide.
    pub fn read(&mut self, what: &str) -> Outcome<Verdict> {
        self.text.clear();
        for _ in 0..LINES_MAX {
            let line = line::of_server(what, &mut self.buf)?;
            let verdict = verdict(line);
            if line::literal(line).is_some() {
                return Err(line::unlike(what, " has a literal: ", Some(line)));
            }
            if verdict.is_none() && name(line).is_none() {
                return Err(line::unlike(what, " is no ManageSieve response: ", Some(line)));
            }
            self.last = self.text.bytes().len();
            self.text.add(line).add(b"\r\n");
            if self.text.is_over() {
                return Err(line::unlike(what, " is longer than 4096 bytes", None));
            }
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
        }
        Err(line::unlike(what, " has more than 100 lines", None))
    }

    /// The line that ends the response.
    pub fn last(&self) -> &[u8] {
        let line = self.text.bytes().get(self.last..).unwrap_or(&[]);
        line.strip_suffix(b"\r\n").unwrap_or(line)
    }

    /// Whether the response has a capability.
    pub fn offers(&self, capability: &str) -> bool {
        self.capabilities().any(|line| is_word(name(line).unwrap_or(&[]), capability))
    }

    /// Adds the capabilities as they are before TLS, or inside it, where STARTTLS is none.
    pub fn add_capabilities<const N: usize>(&self, out: &mut Text<N>, clear: bool) {
        for line in self.capabilities() {
            match name(line) {
                Some(name) if !is_word(name, "STARTTLS") && !(clear && is_word(name, "SASL")) => {
                    out.add(line).add(b"\n");
                }
                _ => {}
            }
        }
        if clear {
            out.add(CLEAR);
        }
        out.add(self.last()).add(b"\r\n");
    }

    /// Takes a response that no server has said.
    pub fn assume(&mut self, capabilities: &[u8], last: &[u8]) {
        self.text.clear();
        self.text.add(capabilities);
        self.last = capabilities.len();
        self.text.add(last);
    }

    /// The lines before the last, each without its line feed, and one that is empty behind
    /// the last line feed.
    fn capabilities(&self) -> Parts {
        Parts::of(self.text.bytes().get(..self.last).unwrap_or(&[]), b'\n')
    }
}

static VERDICTS: [(&str, Verdict); 3] = [("OK", Verdict::Ok), ("NO", Verdict::No), ("BYE", Verdict::Bye)];

/// The verdict of a line; a response code may stand right behind the word.
fn verdict(line: &[u8]) -> Option<Verdict> {
    let end = line.iter().position(|&b| is_blank(b) | (b == b'('));
    look_up(line.get(..end.unwrap_or(line.len()))?, &VERDICTS).copied()
}

/// The name of a capability's line: a quoted string.
fn name(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"\"")?;
    let end = rest.iter().position(|&b| b == b'"')?;
    rest.get(..end)
}
