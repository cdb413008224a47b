//! Packets of the session service (RFC 1002 section 4.3.1): a type, flags, and two bytes
//! of length, whose seventeenth bit is the last of the flags.

use stunnel::host::Result;
use stunnel::Side;

/// Types of packets.
pub const REQUEST: u8 = 0x81;
pub const ACCEPTED: u8 = 0x82;
pub const REFUSED: u8 = 0x83;

/// Error codes of a refusal: the one that asks for TLS, and of RFC 1002 section 4.3.4
/// "not listening for calling name" and "unspecified error".
pub const TLS_WANTED: u8 = 0x8e;
pub const NOT_LISTENING: u8 = 0x81;
pub const UNSPECIFIED: u8 = 0x8f;

/// A packet's first four bytes.
pub struct Head {
    pub kind: u8,
    pub len: usize,
}

impl Head {
    pub fn read(side: Side) -> Result<Head> {
        let mut head = [0; 4];
        side.read_full(&mut head)?;
        let [kind, flags, a, b] = head;
        let len = (flags as usize & 1) << 16 | (a as usize) << 8 | b as usize;
        Ok(Head { kind, len })
    }
}

/// Refuses a session.
pub fn refuse(code: u8) -> Result<()> {
    stunnel::ACCEPTED.write(&[REFUSED, 0, 0, 1, code])
}
