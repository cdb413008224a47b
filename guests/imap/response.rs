//! What an IMAP server says (RFC 3501 section 2.2.2): untagged lines, and the one that
//! ends a command by its tag.

use crate::capability;
use stunnel::text::{is_word, look_up, split_word};
use stunnel::{line, Class, Outcome, Part, Refusal, Text, OUTGOING};
use Part::{Quote, Say};

/// Longest line in bytes. CAPABILITY is the longest that servers send before login,
/// with less than 1000.
pub const LINE_MAX: usize = 4096;

/// Most untagged lines before the answer to a command: a server must not hold a
/// negotiation with line after line.
const UNTAGGED_MAX: u32 = 20;

/// The last line of the server, and its capabilities once it told them.
pub struct Server {
    buf: [u8; LINE_MAX],
    len: usize,
    pub capability: Text<LINE_MAX>,
}

/// What an untagged line says of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ok,
    Preauth,
    Bye,
    Other,
}

static KINDS: [(&str, Kind); 3] = [("OK", Kind::Ok), ("PREAUTH", Kind::Preauth), ("BYE", Kind::Bye)];

/// Sorts an untagged line.
pub fn kind(line: &[u8]) -> Kind {
    let (star, rest) = split_word(line);
    if star != b"*" {
        return Kind::Other;
    }
    *look_up(split_word(rest).0, &KINDS).unwrap_or(&Kind::Other)
}

impl Server {
    pub const fn new() -> Self {
        Server { buf: [0; LINE_MAX], len: 0, capability: Text::new() }
    }

    /// The last line that was read.
    pub fn line(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// Reads a line. No answer before login has a literal: one would hide from us what
    /// is a line to the client.
    pub fn read(&mut self, what: &str) -> Outcome {
        self.len = 0;
        let line = line::of_server(what, &mut self.buf)?;
        if line::literal(line).is_some() {
            return Err(line::unlike(what, " has a literal: ", Some(line)));
        }
        self.len = line.len();
        Ok(())
    }

    /// Adds the text of the last line, a greeting, with the capabilities that are true
    /// before TLS, and keeps those that it tells.
    pub fn add_greeting<const N: usize>(&mut self, out: &mut Text<N>) {
        let text = split_word(split_word(self.buf.get(..self.len).unwrap_or(&[])).1).1;
        match capability::code(text) {
            Some((list, rest)) => {
                self.capability.add(list);
                out.add(b"[CAPABILITY ");
                capability::add_clear(out, list);
                out.add(b"] ").add(rest);
            }
            None => {
                out.add(text);
            }
        }
    }

    /// Sends a command under the tag `stunnel` and reads to its answer, which has to be
    /// OK. What the server tells of its capabilities is kept. What names the answer in a
    /// refusal.
    pub fn ask(&mut self, line: &[u8], command: &str, what: &str) -> Outcome {
        OUTGOING.write(line).map_err(|code| Refusal::of(&["sending ", command], code))?;
        for _ in 0..UNTAGGED_MAX {
            self.read(what)?;
            let (tag, rest) = split_word(self.buf.get(..self.len).unwrap_or(&[]));
            let (word, list) = split_word(rest);
            if is_word(tag, "stunnel") && is_word(word, "OK") {
                return Ok(());
            }
            if tag == b"*" && is_word(word, capability::NAME) {
                self.capability.clear();
                self.capability.add(list);
            } else if tag != b"*" || is_word(word, "BYE") {
                let parts = [Say("server refused "), Say(command), Say(": "), Quote(self.line())];
                return Err(Refusal::new(Class::Peer, &parts));
            }
        }
        Err(line::unlike(what, " has more than 20 lines", None))
    }
}
