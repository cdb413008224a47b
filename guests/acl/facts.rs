//! What is known of the connection so far.

use crate::clock::{self, Now};
use stunnel::host::{self, Info};
use stunnel::option::{bad, value, VALUE_MAX};
use stunnel::text::equal;
use stunnel::{Class, Code, Outcome, Part, Refusal};
use Part::Say;

/// Longest fact in bytes. Certificates for hundreds of names have some thousands of
/// bytes of them; what is longer is refused, not cut.
const FACT_MAX: usize = 16 << 10;

pub enum Known<'a> {
    /// A later stage will tell.
    NotYet,
    /// There is none.
    Nothing,
    Is(&'a [u8]),
}

/// The facts, each fetched when a rule asks for it.
pub struct Facts {
    tls: bool,
    target: bool,
    dialling: bool,
    buf: [u8; FACT_MAX],
}

impl Facts {
    pub const fn new() -> Self {
        Facts { tls: false, target: false, dialling: false, buf: [0; FACT_MAX] }
    }

    /// Finds out how far the connection is. In server mode the handshake often comes
    /// before the dial, and with a protocol like smtp after it.
    pub fn look(&mut self) {
        self.tls = host::info(Info::TlsVersion, &mut []) != Err(Code::NONE);
        self.target = host::info(Info::Target, &mut []) != Err(Code::NONE);
        self.dialling = matches!(host::info(Info::Stage, &mut [0; 16]), Ok(stage) if equal(stage, b"dial"));
    }

    /// Whether the outgoing connection is made.
    pub fn is_connected(&self) -> bool {
        self.target && !self.dialling
    }

    /// What the host tells.
    #[inline(never)]
    pub fn told(&mut self, id: Info) -> Outcome<Known> {
        let last = match id {
            Info::PeerAddr => true,
            Info::Target => self.target,
            _ => self.tls,
        };
        known(host::info(id, &mut self.buf), last)
    }

    /// What a protocol's guest found out. It may still do so until all else is known.
    pub fn noted(&mut self, name: &str) -> Outcome<Known> {
        let last = self.tls && self.target;
        known(host::fact(name, &mut self.buf), last)
    }
}

/// What an answer tells, if a later stage can tell more or if this is the last that will.
#[inline(never)]
fn known(fact: host::Result<&[u8]>, last: bool) -> Outcome<Known> {
    match fact {
        Ok(value) => Ok(Known::Is(value)),
        Err(Code::NONE) if last => Ok(Known::Nothing),
        Err(Code::NONE) => Ok(Known::NotYet),
        Err(Code::TOO_LONG) => {
            Err(Refusal::new(Class::Policy, &[Say("a fact of the connection is longer than 16384 bytes")]))
        }
        Err(code) => Err(Refusal::of(&["asking for a fact of the connection"], code)),
    }
}

/// The time, in the zone that the config names.
pub fn now() -> Outcome<Now> {
    Ok(Now::of(host::now(), zone()?))
}

const NO_ZONE: &str = " is no zone: write UTC, +HH:MM or -HH:MM";

/// The zone of the config in minutes east of UTC.
#[inline(never)]
pub fn zone() -> Outcome<i32> {
    let mut buf = [0; VALUE_MAX];
    match value("guestOption zone", "option.zone", &mut buf)? {
        None => Ok(0),
        Some(text) => clock::zone(text).ok_or_else(|| bad("guestOption zone", text, NO_ZONE)),
    }
}
