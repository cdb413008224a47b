//! The guest of `protocol = pgsql`: TLS for a PostgreSQL server that has none (server
//! mode) and for a client that has none (client mode), as the chapter "Message Flow" of
//! the frontend/backend protocol 3 has it.

#![no_std]
#![no_main]

mod client;
mod error;
mod mechanisms;
mod options;
mod server;
mod startup;

use startup::Startup;
use stunnel::{host, status, Class, Code, Outcome, Part, Refusal, Side};
use Part::Say;

stunnel::manifest!("manifest.txt");

/// The application protocol of TLS that carries this protocol (PostgreSQL 17).
const ALPN: &str = "postgresql";

static mut STARTUP: Startup = Startup::new();

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client::negotiate(unsafe { startup() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server::negotiate(unsafe { startup() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn startup() -> &'static mut Startup {
    &mut *core::ptr::addr_of_mut!(STARTUP)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(options::check())
}

/// Does the handshake, with the application protocol on offer.
fn start_tls(side: Side, peer: &str) -> Outcome {
    host::set_alpn(ALPN).and_then(|()| side.starttls()).map_err(|code| {
        if code == Code::INJECT {
            // CVE-2021-23214 of the server and CVE-2021-23222 of the client: what is
            // unread now would be taken for words that TLS protected.
            return Refusal::new(
                Class::Peer,
                &[Say(peer), Say(" sent plaintext between SSLRequest and TLS")],
            );
        }
        Refusal::of(&["starting TLS with the ", peer], code)
    })
}

/// Whether the handshake agreed on the application protocol, which TLS without
/// SSLRequest has to: nothing else keeps a client's bytes from being taken by a server
/// of another protocol, and the other way round.
fn agreed() -> bool {
    host::info(host::Info::Alpn, &mut [0; 16]) == Ok(ALPN.as_bytes())
}
