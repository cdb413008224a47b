//! The error packet: 0xff, a code, the marker and text of an SQLSTATE, a message.

use stunnel::{Text, ACCEPTED};

/// First byte of a payload that is an error, or success.
pub const ERROR: u8 = 0xff;
pub const OK: u8 = 0;

/// A code and its SQLSTATE, as the servers' list of messages has them.
pub struct Kind(u16, &'static [u8; 6]);

pub const HANDSHAKE: Kind = Kind(1043, b"#08S01"); // ER_HANDSHAKE_ERROR
pub const UNKNOWN: Kind = Kind(1105, b"#HY000"); // ER_UNKNOWN_ERROR
pub const NO_TLS: Kind = Kind(3159, b"#HY000"); // ER_SECURE_TRANSPORT_REQUIRED

/// Longest message of our own.
const MESSAGE_MAX: usize = 120;

/// Tells the client, which may be gone, in a packet of this number. In place of the
/// greeting there is no SQLSTATE: nobody knows yet whether the client understands one.
pub fn tell(number: u8, kind: Kind, message: &str) {
    let mut payload = Text::<{ MESSAGE_MAX + 9 }>::new();
    payload.add(&[ERROR]).add(&kind.0.to_le_bytes());
    if number > 0 {
        payload.add(kind.1);
    }
    payload.add(message.as_bytes());
    let mut packet = Text::<{ MESSAGE_MAX + 13 }>::new();
    packet.add(&[payload.bytes().len() as u8, 0, 0, number]).add(payload.bytes());
    let _ = ACCEPTED.write(packet.bytes());
}

/// The message of a server's error.
pub fn message(payload: &[u8]) -> &[u8] {
    match payload {
        [ERROR, _, _, b'#', _, _, _, _, _, message @ ..] => message,
        [ERROR, _, _, message @ ..] => message,
        _ => payload,
    }
}
