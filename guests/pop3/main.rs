//! The guest of `protocol = pop3`: STLS (RFC 2595 section 4) for a mail server that
//! has none (server mode) and for a mail client that has none (client mode).

#![no_std]
#![no_main]

mod client;
mod command;
mod response;
mod server;

use response::Server;
use stunnel::option::{idle, warn_idle};
use stunnel::{accept, host, status, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use Part::{Quote, Say};

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// What the mail server said.
    server: Server,
    /// The client's command in server mode.
    command: [u8; command::COMMAND_MAX],
    /// A response on its way out.
    out: Text<{ server::OUT_MAX }>,
}

static mut SESSION: Session =
    Session { server: Server::new(), command: [0; command::COMMAND_MAX], out: Text::new() };

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client::negotiate(unsafe { session() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server::negotiate(unsafe { session() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn session() -> &'static mut Session {
    &mut *core::ptr::addr_of_mut!(SESSION)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    warn_idle(idle!("pop3"));
    status(accept::check())
}

impl Session {
    /// Connects to the mail server, or tells the client that there is none.
    fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Reads the mail server's greeting (RFC 1939 section 4). A refusal goes to the
    /// client as it is.
    fn greeting(&mut self) -> Outcome {
        let good = self.server.read("greeting").map_err(unavailable)?;
        if good {
            return Ok(());
        }
        let line = self.server.line();
        self.out.clear();
        self.out.add(line).add(b"\r\n");
        let _ = ACCEPTED.write(self.out.bytes()); // it may be gone
        Err(Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(line)]))
    }
}

/// Tells the client, which may be gone, to try again later (RFC 3206 section 4).
fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(b"-ERR [SYS/TEMP] Mail server not available\r\n");
    refusal
}
