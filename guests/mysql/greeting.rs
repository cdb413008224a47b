//! The server's greeting, version 10 of the handshake: 10, a version that a zero byte
//! ends, a thread's number, 8 bytes of challenge, a zero byte, capabilities.

use crate::error;
use crate::packet::Packet;
use crate::refused;
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use Part::{Quote, Say};

/// The one version of the handshake that there is; 9 ended with MySQL 3.21.
const VERSION: u8 = 10;

/// What the client hears in place of a greeting that is none.
const UNREADABLE: &str = "the database server's greeting cannot be read";

/// Capabilities in the second byte of their number: CLIENT_PROTOCOL_41, without which
/// there are neither TLS nor the packets of this guest, and CLIENT_SSL.
pub const PROTOCOL_41: u8 = 0x02;
pub const SSL: u8 = 0x08;

/// Bytes from the version's end to that one.
const CAPABILITIES_AT: usize = 4 + 8 + 1 + 1;

/// Reads the greeting. A server that has an error in its place is passed on.
pub fn read(packet: &mut Packet) -> Outcome {
    packet.read(OUTGOING, 0).map_err(|refusal| {
        error::tell(0, error::UNKNOWN, UNREADABLE);
        refusal
    })?;
    if packet.payload().first() == Some(&error::ERROR) {
        let _ = packet.send(ACCEPTED, 0);
        let message = error::message(packet.payload());
        return Err(Refusal::new(Class::Peer, &[Say("server greeted with the error "), Quote(message)]));
    }
    match capabilities(packet) {
        Some(byte) if *byte & PROTOCOL_41 != 0 => Ok(()),
        _ => {
            error::tell(0, error::UNKNOWN, UNREADABLE);
            Err(refused("the server's greeting is none of version 10 and protocol 4.1"))
        }
    }
}

/// The byte of the capabilities that matters here.
pub fn capabilities(packet: &mut Packet) -> Option<&mut u8> {
    match packet.payload_mut() {
        [VERSION, rest @ ..] => {
            let end = rest.iter().position(|&b| b == 0)?;
            rest.get_mut(end + 1 + CAPABILITIES_AT)
        }
        _ => None,
    }
}
