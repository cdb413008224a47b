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

use session::Session;

stunnel::manifest!("manifest.txt");

static mut SESSION: Session = Session::new();

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    stunnel::status(client::negotiate(unsafe { session() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    stunnel::status(server::negotiate(unsafe { session() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn session() -> &'static mut Session {
    &mut *core::ptr::addr_of_mut!(SESSION)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    stunnel::status(options::check())
}
