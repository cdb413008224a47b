//! The proxy's answers (RFC 9112).

use crate::header::{self, Header};
use crate::ntlm::CHALLENGE_MAX;
use crate::LINE_MAX;
use stunnel::text::{chomp, decimal, has, split_word, trim, Parts};
use stunnel::{Class, Code, Outcome, Part, Refusal, Text, OUTGOING};
use Part::{Quote, Say};

/// Most header lines of an answer, and most bytes, interim answers included: a proxy must
/// not hold a negotiation with line after line.
const HEAD_LINES_MAX: u32 = 100;
const HEAD_MAX: usize = 32 << 10;

/// Most lines of a body in chunks, and most bytes of any: error pages are a few kilobytes.
const BODY_LINES_MAX: u32 = 1000;
const BODY_MAX: usize = 32 << 10;

/// How much of a status line, and of the list of offered schemes, a refusal can quote.
const QUOTE_MAX: usize = 160;

/// The last answer read.
pub struct Response {
    status: u32,
    line: Text<QUOTE_MAX>,
    /// The authentication schemes of a 407.
    offered: Text<QUOTE_MAX>,
    /// NTLM's second message; empty while there is none. An Option would keep the static
    /// value out of the memory that is zero at the start, and so in the module.
    challenge: Text<CHALLENGE_MAX>,
    length: Length,
    chunked: bool,
    close: bool,
    lines_left: u32,
    bytes_left: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Unknown,
    Known(usize),
    Wrong,
}

impl Response {
    pub const fn new() -> Self {
        Response {
            status: 0,
            line: Text::new(),
            offered: Text::new(),
            challenge: Text::new(),
            length: Length::Unknown,
            chunked: false,
            close: false,
            lines_left: 0,
            bytes_left: 0,
        }
    }

    /// Reads an answer up to its empty line. Interim ones (RFC 9110 section 15.2) are
    /// skipped, but for 101: nobody asked for another protocol.
    pub fn read(&mut self, buf: &mut [u8; LINE_MAX]) -> Outcome {
        self.lines_left = HEAD_LINES_MAX;
        self.bytes_left = HEAD_MAX;
        loop {
            self.head(buf)?;
            if self.status / 100 != 1 || self.status == 101 {
                return Ok(());
            }
        }
    }

    pub fn is_success(&self) -> bool {
        self.status / 100 == 2
    }

    pub fn wants_login(&self) -> bool {
        self.status == 407
    }

    pub fn status_line(&self) -> &[u8] {
        self.line.bytes()
    }

    /// The authentication schemes of a 407, a comma and a blank between two.
    pub fn offered(&self) -> &[u8] {
        self.offered.bytes()
    }

    #[inline(always)]
    pub fn offers(&self, scheme: &str) -> bool {
        header::lists(self.offered(), scheme)
    }

    /// NTLM's second message, if it came whole.
    pub fn challenge(&self) -> Option<&[u8]> {
        Some(self.challenge.bytes()).filter(|message| !message.is_empty() && !self.challenge.is_over())
    }

    /// Reads the body, so that the connection can carry a second request. One that ends
    /// with the connection is none to wait for.
    pub fn skip_body(&mut self, buf: &mut [u8; LINE_MAX]) -> Outcome {
        self.lines_left = BODY_LINES_MAX;
        self.bytes_left = BODY_MAX;
        match self.length {
            _ if self.close => Err(unlike("the proxy closes the connection behind its NTLM challenge")),
            _ if self.chunked => self.skip_chunks(buf),
            Length::Known(n) => self.skip(n, buf),
            Length::Unknown => Err(unlike("the body of the proxy's NTLM challenge ends with the connection")),
            Length::Wrong => Err(unlike("the body of the proxy's NTLM challenge has no length that holds")),
        }
    }

    /// Reads chunks, their extensions and the trailers (RFC 9112 section 7.1).
    #[inline(never)]
    fn skip_chunks(&mut self, buf: &mut [u8; LINE_MAX]) -> Outcome {
        loop {
            let n = match chunk_size(self.read_line(buf)?) {
                Some(n) => n,
                None => return Err(unlike("the proxy's answer has a chunk without a size")),
            };
            if n == 0 {
                while !self.read_line(buf)?.is_empty() {}
                return Ok(());
            }
            self.skip(n, buf)?;
            if !self.read_line(buf)?.is_empty() {
                return Err(unlike("the proxy's answer has a chunk that is longer than its size"));
            }
        }
    }

    fn skip(&mut self, mut n: usize, buf: &mut [u8; LINE_MAX]) -> Outcome {
        if n > self.bytes_left {
            return Err(unlike("the body of the proxy's answer is longer than 32768 bytes"));
        }
        self.bytes_left -= n;
        while n > 0 {
            let part = buf.get_mut(..n.min(LINE_MAX)).unwrap_or(&mut []);
            n -= part.len();
            OUTGOING.read_full(part).map_err(|code| Refusal::of(&["reading the proxy's answer"], code))?;
        }
        Ok(())
    }

    /// Reads one status line and its headers.
    #[inline(never)]
    fn head(&mut self, buf: &mut [u8; LINE_MAX]) -> Outcome {
        self.line.clear();
        self.offered.clear();
        self.challenge.clear();
        self.length = Length::Unknown;
        self.chunked = false;
        self.close = false;
        let line = self.read_line(buf)?;
        match status(line) {
            Some(code) => self.status = code,
            None => return Err(Refusal::new(Class::Peer, &[Say("the proxy's answer is not HTTP: "), Quote(line)])),
        }
        self.line.add(line);
        loop {
            let line = self.read_line(buf)?;
            if line.is_empty() {
                return Ok(());
            }
            // What is no header, and lines that go on with one, say nothing here.
            let (name, value) = header::split(line);
            self.header(name, value);
        }
    }

    #[inline(never)]
    fn header(&mut self, name: &[u8], value: &[u8]) {
        match header::known(name) {
            Some(Header::Length) => {
                let length = decimal(value).map_or(Length::Wrong, |n| Length::Known(n as usize));
                // Two that differ are none (RFC 9112 section 6.3).
                self.length = if matches!(self.length, Length::Unknown) || self.length == length { length } else { Length::Wrong };
            }
            Some(Header::TransferEncoding) => {
                let last = Parts::of(value, b',').last().unwrap_or(&[]);
                self.chunked = trim(last).eq_ignore_ascii_case(b"chunked");
                // A coding makes a length void; without chunks the body ends with the connection.
                self.length = Length::Unknown;
            }
            Some(Header::Connection) => self.close |= header::lists(value, "close"),
            Some(Header::Authenticate) => self.schemes(value),
            _ => {}
        }
    }

    /// Takes the challenges of a line (RFC 9110 section 11.6.1). Commas stand between two
    /// challenges and between two parameters; a parameter has an equals sign behind its name.
    #[inline(never)]
    fn schemes(&mut self, mut value: &[u8]) {
        while !value.is_empty() {
            let (element, rest) = split_element(value);
            value = rest;
            let (name, argument) = split_word(trim(element));
            if name.is_empty() || has(name, b'=') || argument.first() == Some(&b'=') {
                continue;
            }
            if !self.offered.bytes().is_empty() {
                self.offered.add(b", ");
            }
            self.offered.add(name);
            if name.eq_ignore_ascii_case(b"NTLM") && !argument.is_empty() {
                self.challenge.clear();
                if !self.challenge.add_decoded(argument) {
                    self.challenge.clear();
                }
            }
        }
    }

    /// Reads a line of the head or of the chunks.
    fn read_line<'a>(&mut self, buf: &'a mut [u8; LINE_MAX]) -> Outcome<&'a [u8]> {
        let n = match OUTGOING.read_line(buf) {
            Ok(n) => n,
            Err(Code::TOO_LONG) => return Err(unlike("the proxy's answer has a line of more than 8192 bytes")),
            Err(code) => return Err(Refusal::of(&["reading the proxy's answer"], code)),
        };
        if self.lines_left == 0 || n > self.bytes_left {
            return Err(unlike("the proxy's answer has too many lines"));
        }
        self.lines_left -= 1;
        self.bytes_left -= n;
        Ok(chomp(buf.get(..n).unwrap_or(&[])))
    }
}

/// The code of a status line (RFC 9112 section 4), of HTTP/1.0 or 1.1.
fn status(line: &[u8]) -> Option<u32> {
    match line.strip_prefix(b"HTTP/1.")? {
        [b'0' | b'1', b' ', rest @ ..] => match split_word(rest) {
            (code @ [b'1'..=b'5', _, _], _) => decimal(code),
            _ => None,
        },
        _ => None,
    }
}

/// The size of a chunk; the extensions behind it mean nothing here.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = trim(Parts::of(line, b';').next().unwrap_or(&[]));
    if digits.is_empty() || digits.len() > 7 {
        return None;
    }
    digits.iter().try_fold(0, |n, &b| Some(n << 4 | (b as char).to_digit(16)? as usize))
}

/// The part before the first comma that is not within quotes, and the part behind it.
fn split_element(value: &[u8]) -> (&[u8], &[u8]) {
    let (mut quoted, mut escaped) = (false, false);
    for (i, &b) in value.iter().enumerate() {
        let counts = !escaped;
        escaped = counts & quoted & (b == b'\\');
        quoted ^= counts & (b == b'"');
        if counts & !quoted & (b == b',') {
            return (value.get(..i).unwrap_or(&[]), value.get(i + 1..).unwrap_or(&[]));
        }
    }
    (value, &[])
}

fn unlike(how: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(how)])
}
