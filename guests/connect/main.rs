//! The guest of `protocol = connect`: HTTP CONNECT (RFC 9110 section 9.3.6), as a client
//! of a proxy behind which the TLS server is (client mode), and as a proxy whose clients
//! choose the target (server mode).

#![no_std]
#![no_main]

mod authority;
mod client;
mod des;
mod header;
mod ntlm;
mod options;
mod request;
mod response;
mod server;
mod utf16;

use request::Request;
use response::Response;
use stunnel::{status, Text};

stunnel::manifest!("manifest.txt");

/// Longest line in bytes, with its line end: what Apache allows, and enough for the
/// tokens that browsers send.
pub const LINE_MAX: usize = 8192;

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// The last line read, and scratch between two.
    line: [u8; LINE_MAX],
    /// A message on its way out.
    out: Text<{ client::REQUEST_MAX }>,
    /// The last answer of the proxy.
    response: Response,
    /// The client's request in server mode.
    request: Request,
    /// What the client logs in with: NAME:PASSWORD, or the three messages of NTLM.
    messages: Text<{ ntlm::MESSAGES_MAX }>,
}

static mut SESSION: Session = Session {
    line: [0; LINE_MAX],
    out: Text::new(),
    response: Response::new(),
    request: Request::new(),
    messages: Text::new(),
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
