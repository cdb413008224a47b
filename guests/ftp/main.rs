//! The guest of `protocol = ftp`: AUTH TLS (RFC 4217) on the control connection, for an
//! FTP server that has none (server mode) and for an FTP client that has none (client
//! mode). Data connections do not pass through the service and stay in the clear, which
//! the side that speaks TLS is told by the protection level C.

#![no_std]
#![no_main]

mod client;
mod inside;
mod server;
mod session;

use stunnel::{accept, option, status};
use session::Session;

stunnel::manifest!("manifest.txt");

static mut SESSION: Session = Session::new();

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
    option::warn_idle(option::idle!("ftp"));
    status(accept::want_one_server().and_then(|()| accept::check()))
}
