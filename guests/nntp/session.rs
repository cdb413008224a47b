//! What a negotiation keeps, and how both modes begin.

use core::ops::RangeInclusive;

use stunnel::reply::{Lines, Reply, Style};
use stunnel::{host, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use crate::server;
use Part::{Quote, Say};

/// There is no allocator, so it is one static value.
pub struct Session {
    /// The last reply of the news server.
    pub reply: Reply<News>,
    /// The client's command in server mode.
    pub command: [u8; server::COMMAND_MAX],
    /// The server's capabilities on their way to the client.
    pub list: Text<{ server::LIST_MAX }>,
}

/// How news servers reply: in one line (RFC 3977 section 3.2).
pub struct News;

impl Style for News {
    const UNLIKE: &'static str = " is no NNTP reply: ";
    const FIRST: RangeInclusive<u8> = b'1'..=b'5';
    const LINES: Lines = Lines::One;
}

impl Session {
    pub const fn new() -> Self {
        Session { reply: Reply::new(), command: [0; server::COMMAND_MAX], list: Text::new() }
    }

    /// Connects to the news server. A client that gets none is told so in place of
    /// the greeting (RFC 3977 section 5.1).
    pub fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Forwards the news server's greeting, with or without leave to post. One that is
    /// no welcome ends the connection.
    pub fn greet(&mut self) -> Outcome {
        self.reply.read("greeting").map_err(unavailable)?;
        ACCEPTED.write(self.reply.bytes()).map_err(|code| Refusal::of(&["forwarding the greeting"], code))?;
        if matches!(self.reply.code(), 200 | 201) {
            return Ok(());
        }
        Err(Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(self.reply.last())]))
    }
}

/// Tells the client, which may be gone, that there is no news server.
pub fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(b"400 News server not available\r\n");
    refusal
}
