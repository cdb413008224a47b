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
use stunnel::{host, status, Class, Code, Outcome, Part, Refusal};
use Part::Say;

stunnel::manifest!("manifest.txt");

static mut PACKET: Packet = Packet::new();

/// Called once for each connection, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    // Sound: an instance has one thread and its host calls this once.
    let packet = unsafe { &mut *core::ptr::addr_of_mut!(PACKET) };
    let is_client = host::config("client", &mut [0; 4]) == Ok(b"yes");
    status(if is_client { client::negotiate(packet) } else { server::negotiate(packet) })
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(check())
}

/// There is nothing to set. That names choose the server cannot be: its greeting, with a
/// challenge for the login, comes before the name.
fn check() -> Outcome {
    if host::config("sni", &mut [0; 4]) == Ok(b"yes") {
        let why = "the server greets before TLS, so that no service with sni can choose it";
        return Err(Refusal::new(Class::Config, &[Say(why)]));
    }
    for key in ["protocolhost", "protocolusername"] {
        if host::config(key, &mut [0; 1]) != Err(Code::NONE) {
            host::warn("protocolHost, protocolUsername and protocolPassword have no effect for mysql");
            break;
        }
    }
    Ok(())
}

/// A peer said what it should not.
fn refused(words: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(words)])
}
