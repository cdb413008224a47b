//! What a negotiation keeps, and how both modes begin.

use core::ops::RangeInclusive;

use stunnel::reply::{Lines, Reply, Style};
use stunnel::{host, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use crate::server;
use Part::{Quote, Say};

/// There is no allocator, so it is one static value.
pub struct Session {
    /// The last reply of the FTP server.
    pub reply: Reply<Ftp>,
    /// The client's command in server mode.
    pub command: [u8; server::COMMAND_MAX],
    /// A command on its way to the server.
    pub line: Text<{ server::COMMAND_MAX }>,
}

/// How FTP servers reply (RFC 959 section 4.2).
pub struct Ftp;

impl Style for Ftp {
    const UNLIKE: &'static str = " is no FTP reply: ";
    const FIRST: RangeInclusive<u8> = b'1'..=b'5';
    const LINES: Lines = Lines::Free;
}

impl Session {
    pub const fn new() -> Self {
        Session { reply: Reply::new(), command: [0; server::COMMAND_MAX], line: Text::new() }
    }

    /// Connects to the FTP server. A client that gets none is told so in place of the
    /// greeting.
    pub fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Forwards the FTP server's greeting, and one 120 before it, which asks to wait
    /// (RFC 959 section 5.4). One that is no welcome ends the connection.
    pub fn greet(&mut self) -> Outcome {
        self.forward_greeting()?;
        if self.reply.code() == 120 {
            self.forward_greeting()?;
        }
        if self.reply.code() == 220 {
            return Ok(());
        }
        Err(Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(self.reply.last())]))
    }

    fn forward_greeting(&mut self) -> Outcome {
        self.reply.read("greeting").map_err(unavailable)?;
        ACCEPTED.write(self.reply.bytes()).map_err(|code| Refusal::of(&["forwarding the greeting"], code))
    }
}

/// Tells the client, which may be gone, that there is no FTP server.
pub fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(b"421 FTP server not available\r\n");
    refusal
}
