//! The guest of `protocol = smtp`: STARTTLS (RFC 3207) for a mail server that
//! has none (server mode) and for a mail client that has none (client mode).

#![no_std]
#![no_main]

mod client;
mod dialect;
mod options;
mod server;
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
