//! The guest of `protocol = lmtp`: STARTTLS (RFC 3207) for local delivery (RFC 2033), to
//! a server that has no TLS (server mode) and from a client that has none (client mode).
//! LMTP is SMTP with another greeting verb up to TLS, so the code is the smtp guest's.

#![no_std]
#![no_main]

#[path = "../smtp/client.rs"]
mod client;
mod dialect;
#[path = "../smtp/options.rs"]
mod options;
#[path = "../smtp/server.rs"]
mod server;
#[path = "../smtp/session.rs"]
mod session;

use stunnel::option::is_client;
use session::Session;

stunnel::manifest!("manifest.txt");

static mut SESSION: Session = Session::new();

/// Called once for each connection, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    // Sound: an instance has one thread and its host calls this once.
    let session = unsafe { &mut *core::ptr::addr_of_mut!(SESSION) };
    stunnel::status(if is_client() { client::negotiate(session) } else { server::negotiate(session) })
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    stunnel::status(options::check())
}
