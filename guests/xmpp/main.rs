//! The guest of `protocol = xmpp`: STARTTLS (RFC 6120 section 5) for an XMPP server that
//! has none (server mode) and for an XMPP client that has none (client mode); the streams
//! between servers begin in the same way.

#![no_std]
#![no_main]

mod answer;
mod client;
mod header;
mod server;
mod xml;

use stunnel::option::{self, is_client};
use stunnel::{accept, status, Outcome, Text};
use header::Header;
use xml::Document;

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    client: Document,
    server: Document,
    /// The header of the accepted side's stream.
    header: Header,
    /// What goes out.
    line: Text<{ answer::LINE_MAX }>,
}

static mut SESSION: Session =
    Session { client: Document::new(), server: Document::new(), header: Header::new(), line: Text::new() };

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
    status(check())
}

fn check() -> Outcome {
    if is_client() {
        let mut buf = [0; option::VALUE_MAX];
        client::domain(&mut buf)?;
    } else {
        option::warn_idle(option::idle!("xmpp's server mode"));
    }
    accept::check()
}
