//! Client mode: the accepted side is a local client without TLS, the outgoing side a
//! server that offers it.

use crate::greeting::{PROTOCOL_41, SSL};
use crate::packet::Packet;
use crate::{error, greeting, login, refused};
use stunnel::{host, Code, Outcome, Refusal, Text, ACCEPTED, OUTGOING};

/// Runs the conversation up to the end of the login.
pub fn negotiate(packet: &mut Packet) -> Outcome {
    host::connect().map_err(|code| {
        error::tell(0, error::UNKNOWN, "no connection to the database server");
        Refusal::of(&["connecting to the server"], code)
    })?;
    greeting::read(packet)?;
    match greeting::capabilities(packet) {
        // The local client could take the offer.
        Some(byte) if *byte & SSL != 0 => *byte &= !SSL,
        _ => {
            error::tell(0, error::UNKNOWN, "the database server has no TLS");
            return Err(refused("server does not offer TLS"));
        }
    }
    packet.send(ACCEPTED, 0)?;
    first(packet)?;
    start_tls(packet).map_err(|refusal| {
        error::tell(2, error::UNKNOWN, "no TLS connection to the database server");
        refusal
    })?;
    packet.send(OUTGOING, 2)?;
    login::pass(packet, 2, 3)
}

/// Reads the local client's login, and has it say what one inside TLS says.
fn first(packet: &mut Packet) -> Outcome {
    packet.read(ACCEPTED, 1)?;
    match login::capabilities(packet) {
        Some(byte) if *byte & (PROTOCOL_41 | SSL) == PROTOCOL_41 => {
            *byte |= SSL;
            Ok(())
        }
        Some(byte) if *byte & SSL != 0 => {
            error::tell(2, error::HANDSHAKE, "TLS is not offered here, but behind this connection");
            Err(refused("client sent SSLRequest, which was not offered"))
        }
        _ => {
            error::tell(2, error::HANDSHAKE, "Bad handshake");
            Err(refused("client sent no login of protocol 4.1"))
        }
    }
}

/// Sends SSLRequest, with the beginning of the login and nothing of what TLS shall
/// protect, and starts TLS.
fn start_tls(packet: &Packet) -> Outcome {
    let mut request = Text::<{ login::FIXED + 4 }>::new();
    request.add(&[login::FIXED as u8, 0, 0, 1]).add(packet.payload().get(..login::FIXED).unwrap_or(&[]));
    OUTGOING.write(request.bytes()).map_err(|code| Refusal::of(&["sending SSLRequest"], code))?;
    OUTGOING.starttls().map_err(|code| {
        if code == Code::INJECT {
            return refused("server sent plaintext between its greeting and TLS");
        }
        Refusal::of(&["starting TLS with the server"], code)
    })
}
