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
use stunnel::{option, status};

stunnel::manifest!("manifest.txt");

static mut MESSAGE: Message = Message::new();

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client::negotiate(unsafe { message() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server::negotiate(unsafe { message() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn message() -> &'static mut Message {
    &mut *core::ptr::addr_of_mut!(MESSAGE)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    option::warn_idle(option::idle!("ldap"));
    0
}
