//! The guest of `protocol = smtp`: STARTTLS (RFC 3207) for a mail server that
//! has none (server mode) and for a mail client that has none (client mode).

#![no_std]
#![no_main]

mod client;
mod dialect;
mod options;
mod server;
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
