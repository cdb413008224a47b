//! The login: its first packet, and what follows up to the server's verdict.

use crate::error;
use crate::packet::Packet;
use crate::refused;
use stunnel::{host, Outcome, Refusal, ACCEPTED, OUTGOING};

/// Bytes of SSLRequest and of the login up to the user's name: capabilities, longest
/// packet, character set, and 23 bytes of nothing or MariaDB's further capabilities.
pub const FIXED: usize = 32;

/// Packets of a login behind its first. Two for each method that is tried, and there are
/// dialogs of several questions.
const PACKETS_MAX: u32 = 64;

/// The byte of the login's capabilities that holds CLIENT_SSL.
pub fn capabilities(packet: &mut Packet) -> Option<&mut u8> {
    let payload = packet.payload_mut();
    if payload.len() < FIXED {
        return None;
    }
    payload.get_mut(1)
}

/// Passes packets on under the numbers of the other side until the server has said OK or
/// an error. Whose turn it is depends on the method of the login, so that both sides are
/// waited for. Next are the numbers of the packet that comes, on each side.
pub fn pass(packet: &mut Packet, mut accepted: u8, mut outgoing: u8) -> Outcome {
    for _ in 0..PACKETS_MAX {
        let (_, answer) =
            host::wait_both(-1).map_err(|code| Refusal::of(&["waiting for the end of the login"], code))?;
        if answer {
            packet.read(OUTGOING, outgoing).map_err(|refusal| {
                error::tell(accepted, error::UNKNOWN, "the database server did not end the login");
                refusal
            })?;
            packet.send(ACCEPTED, accepted)?;
            if matches!(packet.payload().first(), Some(&error::OK) | Some(&error::ERROR)) {
                return Ok(());
            }
        } else {
            packet.read(ACCEPTED, accepted)?;
            packet.send(OUTGOING, outgoing)?;
        }
        accepted = accepted.wrapping_add(1);
        outgoing = outgoing.wrapping_add(1);
    }
    error::tell(accepted, error::HANDSHAKE, "the login has no end");
    Err(refused("the login has more than 64 packets"))
}
