//! The guest of `protocol = sieve`: STARTTLS of ManageSieve (RFC 5804 section 2.2) for a
//! server that has none (server mode) and for a client that has none (client mode).

#![no_std]
#![no_main]

mod client;
mod command;
mod response;
mod server;

use response::{Server, Verdict};
use stunnel::option::{idle, warn_idle};
use stunnel::{accept, host, status, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use Part::{Quote, Say};

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// What the server said.
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
    warn_idle(idle!("sieve"));
    status(accept::check())
}

impl Session {
    /// Connects to the server, or says goodbye to the client.
    fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Reads the server's greeting, which is its capabilities (RFC 5804 section 1.7). A
    /// goodbye goes to the client as it is.
    fn greeting(&mut self) -> Outcome {
        match self.server.read("greeting").map_err(unavailable)? {
            Verdict::Ok => return Ok(()),
            Verdict::Bye => {
                self.out.clear();
                self.out.add(self.server.last()).add(b"\r\n");
                let _ = ACCEPTED.write(self.out.bytes()); // it may be gone
            }
            Verdict::No => {
                unavailable_now();
            }
        }
        Err(Refusal::new(Class::Peer, &[Say("server greeted with "), Quote(self.server.last())]))
    }
}

/// Tells the client to try again later (RFC 5804 section 1.3).
fn unavailable(refusal: Refusal) -> Refusal {
    unavailable_now();
    refusal
}

fn unavailable_now() {
    let _ = ACCEPTED.write(b"BYE (TRYLATER) \"Server not available\"\r\n"); // it may be gone
}
