//! What is known of the connection so far.

use crate::clock::{self, Now};
use stunnel::host::{self, config, fact, now, Info};
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
    pub fn look(&mut self) -> Outcome {
        self.tls = host::info(Info::TlsVersion, &mut []) != Err(Code::NONE);
        self.target = host::info(Info::Target, &mut []) != Err(Code::NONE);
        self.dialling = matches!(host::info(Info::Stage, &mut [0; 16]), Ok(stage) if stage == b"dial");
        Ok(())
    }

    /// Whether the outgoing connection is made.
    pub fn is_connected(&self) -> bool {
        self.target && !self.dialling
    }

    /// A fact that is known from the start.
    pub fn address(&mut self) -> Outcome<Known> {
        self.fetch(|buf| host::info(Info::PeerAddr, buf), true)
    }

    /// A fact that the handshake gives.
    pub fn tls(&mut self, id: Info) -> Outcome<Known> {
        let known = self.tls;
        self.fetch(|buf| host::info(id, buf), known)
    }

    /// The targets, a line each.
    pub fn target(&mut self) -> Outcome<Known> {
        let known = self.target;
        self.fetch(|buf| host::info(Info::Target, buf), known)
    }

    /// What a protocol's guest found out. It may still do so until all else is known.
    pub fn noted(&mut self, name: &str) -> Outcome<Known> {
        let known = self.tls && self.target;
        self.fetch(|buf| fact(name, buf), known)
    }

    fn fetch(&mut self, get: impl Fn(&mut [u8]) -> Result<&[u8], Code>, last: bool) -> Outcome<Known> {
        match get(&mut self.buf) {
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
    pub fn now(&self) -> Outcome<Now> {
        Ok(Now::of(now(), zone()?))
    }
}

const NO_ZONE: &str = " is no zone: write UTC, +HH:MM or -HH:MM";

/// The zone of the config in minutes east of UTC.
pub fn zone() -> Outcome<i64> {
    let mut buf = [0; stunnel::option::VALUE_MAX];
    let text = match config("option.zone", &mut buf) {
        Ok(text) => text,
        Err(Code::NONE) => return Ok(0),
        Err(code) => return Err(stunnel::option::unreadable("guestOption zone", code)),
    };
    clock::zone(text).ok_or_else(|| stunnel::option::bad("guestOption zone", text, NO_ZONE))
}
