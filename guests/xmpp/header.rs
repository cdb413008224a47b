//! The tag that opens a stream (RFC 6120 section 4.7), and what is said of one that is
//! wrong (section 4.9.3).

use stunnel::host::Side;
use stunnel::text::{decimal, equal, Parts};
use stunnel::{Class, Part, Refusal, Text, ACCEPTED};
use crate::xml::{name, Document, Kind, Token};
use Part::{Quote, Say};

pub const STREAMS: &[u8] = b"http://etherx.jabber.org/streams";
pub const TLS: &[u8] = b"urn:ietf:params:xml:ns:xmpp-tls";

/// Longest domain in bytes (RFC 7622 section 3.2).
pub const DOMAIN_MAX: usize = 1023;

/// What a stream is for.
pub struct Header {
    pub to: Text<DOMAIN_MAX>,
    pub from: Text<DOMAIN_MAX>,
    /// Whether it is one between servers.
    pub is_server: bool,
}

impl Header {
    pub const fn new() -> Self {
        Header { to: Text::new(), from: Text::new(), is_server: false }
    }

    /// The namespace of what the stream carries.
    pub fn namespace(&self) -> &'static [u8] {
        if self.is_server {
            b"jabber:server"
        } else {
            b"jabber:client"
        }
    }
}

/// A condition of a stream error, and the sentence for the log.
pub struct Wrong {
    /// Empty where the peer cannot be answered. It is a reference to the name, since a result
    /// of one word is handed on without memory.
    pub condition: &'static &'static str,
    pub refusal: Refusal,
}

impl Wrong {
    /// What is wrong with a side. The client hears of its own faults by their names.
    pub fn of(side: Side, condition: &'static &'static str, refusal: Refusal) -> Wrong {
        Wrong { condition: if side == ACCEPTED { condition } else { FAILED }, refusal }
    }
}

/// What the client hears where the server is at fault.
pub const FAILED: &&str = &"remote-connection-failed";

/// Reads a stream's opening tag.
#[inline(never)]
pub fn read(document: &mut Document, side: Side, header: &mut Header) -> Result<(), Wrong> {
    let condition = loop {
        let token = document.next(side)?;
        if token.kind != Kind::Declaration {
            break open(&token, header);
        }
    };
    let condition = match condition {
        None => return Ok(()),
        Some(condition) => condition,
    };
    let how = [
        Say("the "),
        Say(name(side)),
        Say("'s stream header is wrong, "),
        Say(condition),
        Say(": "),
        Quote(document.shown()),
    ];
    Err(Wrong::of(side, condition, Refusal::new(Class::Peer, &how)))
}

/// What is wrong with a token as a header; None: nothing.
#[inline(never)]
fn open(tag: &Token, header: &mut Header) -> Option<&'static &'static str> {
    if tag.kind != Kind::Start {
        return Some(&"bad-format");
    }
    if !equal(tag.name, b"stream:stream") {
        // Another prefix may be refused (section 4.8.5).
        return Some(if tag.name.ends_with(b"stream") { &"bad-namespace-prefix" } else { &"bad-format" });
    }
    if !tag.attribute(b"xmlns:stream").map_or(false, |space| equal(space, STREAMS)) {
        return Some(&"invalid-namespace");
    }
    match tag.attribute(b"xmlns") {
        Some(space) if equal(space, b"jabber:client") => header.is_server = false,
        Some(space) if equal(space, b"jabber:server") => header.is_server = true,
        _ => return Some(&"invalid-namespace"),
    }
    // Streams before version 1.0 have no features, and so no STARTTLS.
    let major = tag.attribute(b"version").and_then(|v| decimal(Parts::of(v, b'.').next()?));
    if !matches!(major, Some(1..)) {
        return Some(&"unsupported-version");
    }
    if !take(tag, b"to", &mut header.to) || !take(tag, b"from", &mut header.from) {
        return Some(&"improper-addressing");
    }
    None
}

/// Keeps an address, which may be missing.
fn take(tag: &Token, name: &[u8], to: &mut Text<DOMAIN_MAX>) -> bool {
    to.clear();
    match tag.attribute(name) {
        None => true,
        Some(value) if is_address(value) => {
            to.add(value);
            true
        }
        Some(_) => false,
    }
}

/// Whether a value can be put between quotes: more is the server's to judge.
pub fn is_address(value: &[u8]) -> bool {
    let odd = |b: &u8| *b <= b' ' || matches!(b, b'\'' | b'"' | b'<' | b'>' | b'&' | 0x7f);
    !value.is_empty() && value.len() <= DOMAIN_MAX && !value.iter().any(odd)
}
