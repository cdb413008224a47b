//! Server mode: the accepted side is a client that asks for TLS, the outgoing side a
//! server that has none.

use crate::greeting::{PROTOCOL_41, SSL};
use crate::packet::Packet;
use crate::{error, greeting, login, refused};
use stunnel::{host, Code, Outcome, Refusal, ACCEPTED, OUTGOING};

/// Runs the conversation up to the end of the login.
pub fn negotiate(packet: &mut Packet) -> Outcome {
    host::connect().map_err(|code| {
        error::tell(0, error::UNKNOWN, "the database server cannot be reached");
        Refusal::of(&["connecting to the server"], code)
    })?;
    greeting::read(packet)?;
    if let Some(byte) = greeting::capabilities(packet) {
        *byte |= SSL;
    }
    packet.send(ACCEPTED, 0)?;
    ssl_request(packet)?;
    start_tls()?;
    packet.read(ACCEPTED, 2)?;
    match login::capabilities(packet) {
        // The server must not wait for TLS.
        Some(byte) if *byte & (PROTOCOL_41 | SSL) == PROTOCOL_41 | SSL => *byte &= !SSL,
        _ => {
            error::tell(3, error::HANDSHAKE, "Bad handshake");
            return Err(refused("client sent no login inside TLS"));
        }
    }
    packet.send(OUTGOING, 1)?;
    login::pass(packet, 3, 2)
}

/// Reads SSLRequest, which is the beginning of a login and nothing else.
fn ssl_request(packet: &mut Packet) -> Outcome {
    packet.read(ACCEPTED, 1)?;
    let len = packet.payload().len();
    match login::capabilities(packet) {
        Some(byte) if *byte & (PROTOCOL_41 | SSL) == PROTOCOL_41 | SSL && len == login::FIXED => Ok(()),
        Some(byte) if *byte & (PROTOCOL_41 | SSL) == PROTOCOL_41 => {
            error::tell(2, error::NO_TLS, "TLS is required: connect with --ssl");
            Err(refused("client began a login without TLS"))
        }
        _ => {
            error::tell(2, error::HANDSHAKE, "Bad handshake");
            Err(refused("client sent neither SSLRequest nor a login of protocol 4.1"))
        }
    }
}

/// Starts TLS. Plaintext behind SSLRequest would be taken for a login that TLS protected
/// (CVE-2011-0411 of another protocol).
fn start_tls() -> Outcome {
    ACCEPTED.starttls().map_err(|code| {
        if code == Code::INJECT {
            return refused("client sent plaintext between SSLRequest and TLS");
        }
        Refusal::of(&["starting TLS with the client"], code)
    })
}
