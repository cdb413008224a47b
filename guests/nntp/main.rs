//! The guest of `protocol = nntp`: STARTTLS (RFC 4642) for a news server that has none
//! (server mode) and for a news reader that has none (client mode).

#![no_std]
#![no_main]

mod client;
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
    option::warn_idle(option::idle!("nntp"));
    status(accept::want_one_server().and_then(|()| accept::check()))
}
