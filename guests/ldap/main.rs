//! The guest of `protocol = ldap`: StartTLS (RFC 4511 section 4.14) for a directory
//! server that has none (server mode) and for a client that has none (client mode).

#![no_std]
#![no_main]

mod ber;
mod client;
mod message;
mod result;
mod server;

use message::Message;
use stunnel::{host, status, Code, Outcome};

stunnel::manifest!("manifest.txt");

static mut MESSAGE: Message = Message::new();

/// Called once for each connection, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    // Sound: an instance has one thread and its host calls this once.
    let message = unsafe { &mut *core::ptr::addr_of_mut!(MESSAGE) };
    let is_client = host::config("client", &mut [0; 4]) == Ok(b"yes");
    status(if is_client { client::negotiate(message) } else { server::negotiate(message) })
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(check())
}

/// There is nothing to set, so that nothing can be wrong.
fn check() -> Outcome {
    for key in ["protocolhost", "protocolusername"] {
        if host::config(key, &mut [0; 1]) != Err(Code::NONE) {
            host::warn("protocolHost, protocolUsername and protocolPassword have no effect for ldap");
            break;
        }
    }
    Ok(())
}
