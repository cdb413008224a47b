//! The guest of `protocol = mysql`: TLS for a MySQL or MariaDB server that has none
//! (server mode) and for a client that has none (client mode).
//!
//! The server speaks first, in the clear, and says in its greeting that it can do TLS.
//! The client that wants it sends SSLRequest, which is the beginning of its login, and
//! after the handshake the whole login. Packets are numbered, and SSLRequest counts: on
//! the side with TLS all numbers are higher by one, until the next command begins at 0.
//! So this guest stays inside TLS to the end of the login.

#![no_std]
#![no_main]

mod client;
mod error;
mod greeting;
mod login;
mod packet;
mod server;

use packet::Packet;
use stunnel::{accept, option, status, Class, Part, Refusal};
use Part::Say;

stunnel::manifest!("manifest.txt");

static mut PACKET: Packet = Packet::new();

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client::negotiate(unsafe { packet() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server::negotiate(unsafe { packet() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn packet() -> &'static mut Packet {
    &mut *core::ptr::addr_of_mut!(PACKET)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    option::warn_idle(option::idle!("mysql"));
    status(accept::want_one_server()) // the greeting has a challenge for the login
}

/// A peer said what it should not.
fn refused(words: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(words)])
}
