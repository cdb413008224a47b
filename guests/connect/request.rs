//! The client's request in server mode (RFC 9112): CONNECT and what matters of its headers.

use crate::authority::{is_authority, AUTHORITY_MAX};
use crate::header::{self, is_made_of, Header};
use crate::LINE_MAX;
use stunnel::accept::TLS_HANDSHAKE;
use stunnel::text::{chomp, has, has_control, split_word, Parts};
use stunnel::{Class, Code, Outcome, Part, Refusal, Text, ACCEPTED};
use Part::{Quote, Say};

/// Most lines and most bytes of a request: a client must not hold a negotiation with
/// header after header, and browsers stay under a tenth of both.
const LINES_MAX: u32 = 100;
const HEAD_MAX: usize = 32 << 10;

/// Longest NAME:PASSWORD in bytes.
const LOGIN_MAX: usize = 512;

/// What a request asks for.
pub struct Request {
    pub target: Text<AUTHORITY_MAX>,
    /// The client's NAME:PASSWORD, if it logs in by Basic; else empty.
    login: Text<LOGIN_MAX>,
    lines: u32,
    bytes: usize,
}

impl Request {
    pub const fn new() -> Self {
        Request { target: Text::new(), login: Text::new(), lines: 0, bytes: 0 }
    }

    /// The client's NAME:PASSWORD, if it came whole. A text without a colon is none (RFC
    /// 7617 section 2): a token, say, which must not pass for a name.
    pub fn login(&self) -> Option<&[u8]> {
        Some(self.login.bytes()).filter(|login| has(login, b':') && !self.login.is_over())
    }

    /// Reads a request through its empty line; a client that sends something else is told.
    #[inline(never)]
    pub fn read(&mut self, buf: &mut [u8; LINE_MAX]) -> Outcome {
        // A client that waits for TLS would never send a line end.
        if ACCEPTED.peek_byte().map_err(unread)? == Some(TLS_HANDSHAKE) {
            let why = "the client starts with TLS in place of CONNECT; guestOption = inside=yes has TLS first";
            return Err(refuse("400 Bad Request", &[Say(why)]));
        }
        let mut line = self.read_line(buf)?;
        if line.is_empty() {
            line = self.read_line(buf)?; // one is forgiven (RFC 9112 section 2.2)
        }
        self.request_line(line)?;
        loop {
            let line = self.read_line(buf)?;
            if line.is_empty() {
                return Ok(());
            }
            self.header(line)?;
        }
    }

    /// Takes method, target and version, a blank between two (RFC 9112 section 3). Targets
    /// of other methods and the user information of a URI can be secrets and are not quoted.
    #[inline(never)]
    fn request_line(&mut self, line: &[u8]) -> Outcome {
        let mut words = Parts::of(line, b' ');
        let mut word = || words.next().unwrap_or(&[]);
        let (method, target, version) = (word(), word(), word());
        let (status, why, what) = if words.next().is_some() || !is_token(method) || !is_version(version) {
            let why = "the client's request is not METHOD TARGET HTTP/1.x; it begins with ";
            ("400 Bad Request", why, Quote(split_word(line).0))
        } else if !method.eq_ignore_ascii_case(b"CONNECT") {
            ("405 Method Not Allowed", "the client does not ask for CONNECT but ", Quote(method))
        } else if has(target, b'@') {
            ("400 Bad Request", "the client's target has user information", Say(""))
        } else if !is_authority(target) {
            ("400 Bad Request", "the client's target is not HOST:PORT: ", Quote(target))
        } else {
            self.target.add(target);
            return Ok(());
        };
        Err(refuse(status, &[Say(why), what]))
    }

    /// Takes a header. None is quoted, since it may hold a password.
    #[inline(never)]
    fn header(&mut self, line: &[u8]) -> Outcome {
        let (name, value) = header::split(line);
        if has_control(line) || !is_token(name) {
            return Err(refuse("400 Bad Request", &[Say("the client's request has a malformed header")]));
        }
        match header::known(name) {
            // CONNECT has no content (RFC 9110 section 9.3.6). A reader before this one may
            // see it otherwise, and what it takes for content would be the tunnel's.
            Some(Header::Length) if value == b"0" => {}
            Some(Header::Length | Header::TransferEncoding) => {
                return Err(refuse("400 Bad Request", &[Say("the client's request has content")]))
            }
            Some(Header::Authorization) => {
                let (scheme, token) = split_word(value);
                if scheme.eq_ignore_ascii_case(b"Basic") {
                    self.login.clear(); // the last one counts
                    if !self.login.add_decoded(token) {
                        self.login.clear();
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(never)]
    fn read_line<'a>(&mut self, buf: &'a mut [u8; LINE_MAX]) -> Outcome<&'a [u8]> {
        let n = match ACCEPTED.read_line(buf) {
            Ok(n) => n,
            Err(Code::TOO_LONG) => {
                return Err(refuse(TOO_LARGE, &[Say("the client's request has a line of more than 8192 bytes")]))
            }
            Err(code) => return Err(unread(code)),
        };
        self.lines += 1;
        self.bytes += n;
        if self.lines > LINES_MAX || self.bytes > HEAD_MAX {
            return Err(refuse(TOO_LARGE, &[Say("the client's request has too many lines")]));
        }
        Ok(chomp(buf.get(..n).unwrap_or(&[])))
    }
}

const TOO_LARGE: &str = "431 Request Header Fields Too Large";

/// HTTP/1 of any minor version (RFC 9112 section 2.3).
fn is_version(text: &[u8]) -> bool {
    matches!(text, [version @ .., b'0'..=b'9'] if version == b"HTTP/1.")
}

/// A token (RFC 9110 section 5.6.2): what methods and header names are made of.
fn is_token(text: &[u8]) -> bool {
    is_made_of(text, b'z', b"!#$%&'*+-.^_`|~")
}

/// The request did not come. A client that is slow is told so.
fn unread(code: Code) -> Refusal {
    if code == Code::TIMEOUT {
        answer("408 Request Timeout", "");
    }
    Refusal::of(&["reading the client's request"], code)
}

/// Tells the client, and makes the refusal.
fn refuse(status: &str, parts: &[Part]) -> Refusal {
    answer(status, "");
    Refusal::new(Class::Peer, parts)
}

/// Answers with a status and the end of the connection. That the client may be gone adds
/// nothing to the refusal that follows.
pub fn answer(status: &str, headers: &str) {
    let mut out = Text::<512>::new();
    let len = status.len() + 1;
    out.add(b"HTTP/1.1 ").add(status.as_bytes()).add(b"\r\n").add(headers.as_bytes());
    out.add(b"Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ");
    out.add(&[b'0' + (len / 10 % 10) as u8, b'0' + (len % 10) as u8]).add(b"\r\n\r\n");
    out.add(status.as_bytes()).add(b"\n");
    let _ = ACCEPTED.write(out.bytes());
}
