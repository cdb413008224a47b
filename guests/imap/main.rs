//! The guest of `protocol = imap`: STARTTLS (RFC 3501 section 6.2.1) for a mail
//! server that has none (server mode) and for a mail client that has none (client
//! mode).

#![no_std]
#![no_main]

mod capability;
mod client;
mod command;
mod response;
mod server;

use response::{Kind, Server};
use stunnel::option::{idle, warn_idle};
use stunnel::{accept, host, status, Class, Outcome, Part, Refusal, Text, ACCEPTED};
use Part::{Quote, Say};

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// What the mail server said.
    server: Server,
    /// The client's command in server mode, and how much of it is its tag.
    command: [u8; command::COMMAND_MAX],
    tag: usize,
    /// A response on its way out.
    out: Text<{ server::OUT_MAX }>,
}

static mut SESSION: Session =
    Session { server: Server::new(), command: [0; command::COMMAND_MAX], tag: 0, out: Text::new() };

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
    warn_idle(idle!("imap"));
    status(accept::check())
}

impl Session {
    /// Connects to the mail server, or says goodbye to the client.
    fn connect(&self) -> Outcome {
        host::connect().map_err(|code| unavailable(Refusal::of(&["connecting to the server"], code)))
    }

    /// Reads the mail server's greeting (RFC 3501 section 7.1). A goodbye goes to the
    /// client as it is.
    fn greeting(&mut self) -> Outcome {
        self.server.read("greeting").map_err(unavailable)?;
        let line = self.server.line();
        let kind = response::kind(line);
        let why = match kind {
            Kind::Ok => return Ok(()),
            // STARTTLS is for clients that are not logged in; and one that an
            // attacker logs in before TLS would see the attacker's mailbox.
            Kind::Preauth => "server greeted with PREAUTH, which rules STARTTLS out: ",
            Kind::Bye => "server greeted with ",
            Kind::Other => "the server's greeting is no IMAP greeting: ",
        };
        let refusal = Refusal::new(Class::Peer, &[Say(why), Quote(line)]);
        if kind != Kind::Bye {
            return Err(unavailable(refusal));
        }
        self.out.clear();
        self.out.add(line).add(b"\r\n");
        let _ = ACCEPTED.write(self.out.bytes()); // it may be gone
        Err(refusal)
    }
}

/// Tells the client, which may be gone, that there is no mail server (RFC 5530).
fn unavailable(refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(b"* BYE [UNAVAILABLE] Mail server not available\r\n");
    refusal
}
