//! The guest of `protocol = socks`: a SOCKS server inside TLS (server mode) and a
//! client of one, inside TLS as well (client mode).

#![no_std]
#![no_main]

mod client;
mod options;
mod server;
mod socks4;
mod socks5;
mod target;

use stunnel::{status, Text};
use target::Target;
use options::{FIELD_MAX, USERS_MAX};

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// The entries of userPassword.
    users: [u8; USERS_MAX],
    /// A user name and a password, the client's or ours.
    name: [u8; FIELD_MAX],
    password: [u8; FIELD_MAX],
    /// The host that is asked for, as it came or as the config has it.
    host: [u8; target::OPTION_MAX],
    target: Target,
    /// What a client of the server is told: an address and a port, or nothing.
    bound: Text<{ socks5::BOUND_MAX }>,
    /// A message on its way out, and scratch before.
    out: Text<{ client::MESSAGE_MAX }>,
}

static mut SESSION: Session = Session {
    users: [0; USERS_MAX],
    name: [0; FIELD_MAX],
    password: [0; FIELD_MAX],
    host: [0; target::OPTION_MAX],
    target: Target::new(),
    bound: Text::new(),
    out: Text::new(),
};

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

/// Sound: an instance has one thread and its host calls one of the three, once.
unsafe fn session() -> &'static mut Session {
    &mut *core::ptr::addr_of_mut!(SESSION)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(options::check(unsafe { session() }))
}
