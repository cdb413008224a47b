//! What a negotiation keeps, and how both modes begin.

use core::ops::RangeInclusive;

use stunnel::reply::{Lines, Reply, Style, REPLY_MAX};
use stunnel::{host, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use crate::{dialect, server};
use Part::{Quote, Say};

/// There is no allocator, so it is one static value.
pub struct Session {
    /// The last reply of the mail server.
    pub reply: Reply<Mail>,
    /// The client's command in server mode.
    pub command: [u8; server::COMMAND_MAX],
    /// The host name that the client was greeted with.
    pub name: Text<{ server::NAME_MAX }>,
    /// What is on its way out; the longest is the greeting with a few words more.
    pub out: Text<{ REPLY_MAX + server::WORDS_MAX }>,
}

/// How mail servers reply. No code begins with 1 (RFC 5321 section 4.2, RFC 2033 section 4).
pub struct Mail;

impl Style for Mail {
    const UNLIKE: &'static str = dialect::UNLIKE;
    const FIRST: RangeInclusive<u8> = b'2'..=b'5';
    const LINES: Lines = Lines::Coded;
}

impl Session {
    pub const fn new() -> Self {
        Session {
            reply: Reply::new(),
            command: [0; server::COMMAND_MAX],
            name: Text::new(),
            out: Text::new(),
        }
    }

    /// Connects to the mail server. A client that gets no mail server is told
    /// so in place of the greeting and tries again later.
    pub fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Reads the mail server's greeting. One that is no welcome ends the connection, and
    /// goes to the client as it is (RFC 5321 section 3.1), unless the guest has greeted.
    pub fn greeting(&mut self, greeted: bool) -> Outcome {
        self.reply.read("greeting").map_err(unavailable)?;
        if self.reply.code() == 220 {
            return Ok(());
        }
        let refusal = Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(self.reply.last())]);
        if greeted {
            return Err(unavailable(refusal));
        }
        let _ = ACCEPTED.write(self.reply.bytes());
        Err(refusal)
    }
}

/// Tells the client, which may be gone, that there is no mail server.
fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(b"421 4.4.1 Mail server not available\r\n");
    refusal
}
