//! What the server wants for a login, of which a client without TLS cannot use a part.
//!
//! A server with TLS offers SCRAM-SHA-256-PLUS, which binds the login to the TLS
//! connection. libpq takes that on a connection without TLS for an attack and ends it,
//! so that the local client must not see it. What is lost is that the server can tell
//! this service from one in the middle: checkHost and verifyChain have to.

use crate::error::{self, tell};
use stunnel::text::Parts;
use stunnel::{host, Class, Outcome, Part, Refusal, Text, ACCEPTED, OUTGOING};
use Part::Say;

/// Length of a message's type and length, and of these with the kind of authentication.
const HEAD: usize = 5;
const SASL_HEAD: usize = 9;

/// Longest message that is looked at. PostgreSQL's are under 100 bytes.
const MESSAGE_MAX: usize = 2048;

/// Looks at the next message's first bytes: all nine where they matter, which are of
/// messages that are as long.
pub fn peek(head: &mut [u8; SASL_HEAD]) -> Outcome<usize> {
    let mut seen = |n: usize| match head.get_mut(..n) {
        Some(room) => OUTGOING
            .peek(room)
            .map_err(from_server)
            .map(|n| (n, room.first() == Some(&b'R') || room.first() == Some(&b'v'))),
        None => Ok((0, false)),
    };
    match seen(HEAD)? {
        (HEAD, true) => seen(SASL_HEAD).map(|(n, _)| n),
        (n, _) => Ok(n),
    }
}

/// Passes on a message of the server.
pub fn pass(room: &mut [u8]) -> Outcome {
    let message = read(room)?;
    send(message)
}

/// Passes on AuthenticationSASL, whose text is the names of mechanisms, each ended by a
/// zero byte and all by another, without those that bind the login to TLS. If it has no
/// others it stays as it is, and the client's words for that are better than any here.
pub fn offer(room: &mut [u8]) -> Outcome {
    let message = read(room)?;
    let (head, names) = match message.get(SASL_HEAD..) {
        Some(names) => (message.get(..SASL_HEAD).unwrap_or(&[]), names),
        None => return send(message),
    };
    let mut kept = Text::<MESSAGE_MAX>::new();
    for name in Parts::of(names, 0).filter(|name| !name.is_empty() && !name.ends_with(b"-PLUS")) {
        kept.add(name).add(b"\0");
    }
    if kept.bytes().is_empty() {
        return send(message);
    }
    kept.add(b"\0");
    let len = (head.len() + kept.bytes().len()) as u32 - 1;
    let mut changed = Text::<MESSAGE_MAX>::new();
    changed.add(b"R").add(&len.to_be_bytes()).add(head.get(HEAD..).unwrap_or(&[])).add(kept.bytes());
    if changed.bytes().len() < message.len() {
        host::log(7, "SCRAM-SHA-256-PLUS left out of what the server offers");
    }
    send(changed.bytes())
}

/// Reads a message whole.
fn read(room: &mut [u8]) -> Outcome<&[u8]> {
    let mut head = [0; HEAD];
    OUTGOING.read_full(&mut head).map_err(from_server)?;
    let [_, a, b, c, d] = head;
    // The length counts itself and not the type.
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    let message = match room.get_mut(..len.saturating_add(1)) {
        Some(message) if len >= HEAD && len < MESSAGE_MAX => message,
        _ => {
            tell(error::VIOLATION, "invalid message of the database server");
            return Err(Refusal::new(
                Class::Peer,
                &[Say("server sent a message of a wrong length at the login")],
            ));
        }
    };
    for (to, from) in message.iter_mut().zip(head) {
        *to = from;
    }
    if let Some(body) = message.get_mut(HEAD..) {
        OUTGOING.read_full(body).map_err(from_server)?;
    }
    Ok(message)
}

fn send(message: &[u8]) -> Outcome {
    ACCEPTED.write(message).map_err(|code| Refusal::of(&["forwarding the server's message"], code))
}

fn from_server(code: stunnel::Code) -> Refusal {
    tell(error::NO_CONNECTION, "the database server ended the connection");
    Refusal::of(&["reading the server's message"], code)
}
