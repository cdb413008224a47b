//! Client mode: the accepted side is a local client without TLS, the outgoing side a
//! server that asks for it.

use crate::packet::{self, Head};
use stunnel::{host, Class, Code, Outcome, Part, Refusal, OUTGOING};
use Part::Say;

/// A session request without names: its answer is all that matters.
const REQUEST: &[u8; 4] = &[packet::REQUEST, 0, 0, 0];

/// Runs the conversation up to the relay. The local client's request waits; if there is
/// no TLS its answer is a refusal.
pub fn negotiate() -> Outcome {
    start_tls().map_err(|refusal| {
        let _ = packet::refuse(packet::UNSPECIFIED); // the client may be gone
        refusal
    })
}

fn start_tls() -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the server"], code))?;
    OUTGOING.write(REQUEST).map_err(|code| Refusal::of(&["sending the session request"], code))?;
    let head = Head::read(OUTGOING).map_err(from_server)?;
    match (head.kind, head.len) {
        (packet::REFUSED, 1) => {}
        (packet::ACCEPTED, _) => return Err(refused("server accepted the session without TLS")),
        _ => return Err(refused("the server's answer is none to a session request")),
    }
    let mut code = [0];
    OUTGOING.read_full(&mut code).map_err(from_server)?;
    if code != [packet::TLS_WANTED] {
        return Err(Refusal::new(
            Class::Peer,
            &[Say("server refused the session without asking for TLS: "), Say(words(code[0]))],
        ));
    }
    OUTGOING.starttls().map_err(|code| {
        if code == Code::INJECT {
            return refused("server sent plaintext behind its wish for TLS");
        }
        Refusal::of(&["starting TLS with the server"], code)
    })
}

/// The error codes of RFC 1002 section 4.3.4.
fn words(code: u8) -> &'static str {
    match code {
        0x80 => "not listening on called name",
        packet::NOT_LISTENING => "not listening for calling name",
        0x82 => "called name not present",
        0x83 => "insufficient resources",
        packet::UNSPECIFIED => "unspecified error",
        _ => "an error code that RFC 1002 does not have",
    }
}

fn refused(words: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(words)])
}

fn from_server(code: Code) -> Refusal {
    Refusal::of(&["reading the answer to the session request"], code)
}
