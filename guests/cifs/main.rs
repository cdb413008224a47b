//! The guest of `protocol = cifs`: TLS below the NetBIOS session service (RFC 1002
//! section 4.3), for a file server that has none (server mode) and for a client that has
//! none (client mode). The client begins with a session request as ever; a server that
//! wants TLS refuses it with an error code that the RFC does not have, and the client
//! goes on with a handshake on the same connection. Only stunnel and its kind do so.

#![no_std]
#![no_main]

mod client;
mod packet;
mod server;

use stunnel::{option, status};

stunnel::manifest!("manifest.txt");

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client::negotiate())
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server::negotiate())
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    option::warn_idle(option::idle!("cifs"));
    0
}
