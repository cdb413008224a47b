//! The guest of `protocol = proxy`: HAProxy's PROXY protocol (its proxy-protocol.txt),
//! which tells a server whom it speaks to, behind whatever stands between.

#![no_std]
#![no_main]

mod accept;
mod addresses;
mod crc32c;
mod options;
mod send;
mod version1;
mod version2;

use stunnel::{host, status, Outcome, Refusal, Text, ACCEPTED, OUTGOING};
use addresses::Addresses;
use version2::UNSPEC;

stunnel::manifest!("manifest.txt");

/// What a negotiation keeps. There is no allocator, so it is one static value.
pub struct Session {
    /// The networks of option from.
    from: [u8; options::FROM_MAX],
    /// A header that was received.
    header: [u8; version2::HEADER_MAX],
    /// Whom the header names that is read, or who is connected.
    addresses: Addresses,
    /// A header on its way out, and scratch before.
    out: Text<{ send::OUT_MAX }>,
}

static mut SESSION: Session = Session {
    from: [0; options::FROM_MAX],
    header: [0; version2::HEADER_MAX],
    addresses: Addresses::new(),
    out: Text::new(),
};

/// Called once for each connection of a client service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_client() -> i32 {
    status(client(unsafe { session() }))
}

/// Called once for each connection of a server service, in an instance of its own.
#[no_mangle]
pub extern "C" fn negotiate_server() -> i32 {
    status(server(unsafe { session() }))
}

/// Sound: an instance has one thread and its host calls one of the two, once.
unsafe fn session() -> &'static mut Session {
    &mut *core::ptr::addr_of_mut!(SESSION)
}

/// Called when the configuration is loaded.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    status(options::check())
}

/// A header stands before everything else: one that client mode sends, before TLS with the
/// server, which is where HAProxy's `bind ... accept-proxy ssl` looks for it.
fn client(s: &mut Session) -> Outcome {
    receive(s)?;
    connect()?;
    send_to_server(s)?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}

/// The backend of server mode has no TLS, and is connected when the client's is up, so that
/// its header can tell of it.
fn server(s: &mut Session) -> Outcome {
    receive(s)?;
    ACCEPTED.starttls().map_err(|code| Refusal::of(&["starting TLS with the client"], code))?;
    connect()?;
    send_to_server(s)
}

/// Finds out whom the header names that is read, before TLS with the client; or who is
/// connected.
#[inline(never)]
fn receive(s: &mut Session) -> Outcome {
    if options::accepts()? {
        accept::read(s)?;
    }
    if s.addresses.family == UNSPEC {
        s.addresses.name_own();
    }
    Ok(())
}

fn connect() -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the server"], code))
}

fn send_to_server(s: &mut Session) -> Outcome {
    if !options::sends()? {
        return Ok(());
    }
    s.out.clear();
    match options::version()? {
        options::Version::One => version1::write(&s.addresses, &mut s.out),
        options::Version::Two => send::version2(&s.addresses, options::tells_tls()?, &mut s.out),
    }
    OUTGOING.write(s.out.bytes()).map_err(|code| Refusal::of(&["sending the PROXY header"], code))
}
