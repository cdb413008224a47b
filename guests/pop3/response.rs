//! What a POP3 server says (RFC 1939 section 3): a line that begins with +OK or -ERR,
//! and behind that of CAPA a list (RFC 2449 section 5).

use stunnel::text::{is_among, is_word, split_word};
use stunnel::{line, Class, Outcome, Part, Refusal, Text, OUTGOING};
use Part::{Quote, Say};

/// Longest line in bytes; RFC 2449 section 4 allows 512.
pub const LINE_MAX: usize = 1024;

/// Longest list of capabilities in bytes, and its most lines: a server must not hold a
/// negotiation with line after line. Real ones stay under 20 lines.
pub const LIST_MAX: usize = 4096;
const LINES_MAX: u32 = 100;

/// Capabilities that are no truth before TLS: ways to log in, TLS that is the guest's
/// own matter, and modes that the server would have to be told of (RFC 6856).
static LATER: [&str; 5] = ["SASL", "USER", "STLS", "UTF8", "LANG"];

/// What the server's list is called in refusals.
const CAPA: &str = "answer to CAPA";

/// The last line of the server, and its capabilities, a line each, once they are known.
pub struct Server {
    buf: [u8; LINE_MAX],
    len: usize,
    list: Text<LIST_MAX>,
    known: bool,
}

impl Server {
    pub const fn new() -> Self {
        Server { buf: [0; LINE_MAX], len: 0, list: Text::new(), known: false }
    }

    /// The last line that was read.
    pub fn line(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// Reads a line that begins with +OK or -ERR, and tells whether it was +OK.
    pub fn read(&mut self, what: &str) -> Outcome<bool> {
        self.len = line::of_server(what, &mut self.buf)?.len();
        let word = split_word(self.line()).0;
        if is_word(word, "+OK") {
            return Ok(true);
        }
        if is_word(word, "-ERR") {
            return Ok(false);
        }
        Err(line::unlike(what, " is no POP3 response: ", Some(self.line())))
    }

    /// Upgrades the connection (RFC 2595 section 4).
    pub fn start_tls(&mut self) -> Outcome {
        send(b"STLS\r\n", "STLS")?;
        if !self.read("answer to STLS")? {
            return Err(Refusal::new(Class::Peer, &[Say("server refused STLS: "), Quote(self.line())]));
        }
        OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
    }

    /// The capabilities that hold before TLS. The server is asked for them once; an old
    /// one that does not know the question has none.
    pub fn capabilities(&mut self) -> Outcome<&[u8]> {
        if !self.known {
            send(b"CAPA\r\n", "CAPA")?;
            if self.read(CAPA)? {
                self.read_list()?;
            }
            self.known = true;
        }
        Ok(self.list.bytes())
    }

    /// Reads the lines up to the one with a dot alone.
    fn read_list(&mut self) -> Outcome {
        for _ in 0..LINES_MAX {
            let line = line::of_server(CAPA, &mut self.buf)?;
            if line == b"." {
                return Ok(());
            }
            let word = split_word(line).0;
            if !is_among(word, &LATER) {
                self.list.add(line).add(b"\r\n");
            }
            if self.list.is_over() {
                return Err(line::unlike(CAPA, " is longer than 4096 bytes", None));
            }
        }
        Err(line::unlike(CAPA, " has more than 100 lines", None))
    }

    /// Says that there is no server yet to ask for capabilities.
    pub fn assume_none(&mut self) {
        self.known = true;
    }
}

fn send(command: &[u8], what: &str) -> Outcome {
    OUTGOING.write(command).map_err(|code| Refusal::of(&["sending ", what], code))
}
