//! Server mode: the accepted side is a client that asks for TLS, the outgoing side a
//! directory server that has none and that hears the client's first word through the
//! relay.

use crate::ber::Reader;
use crate::message::*;
use crate::result::{self, notice};
use stunnel::accept::TLS_HANDSHAKE;
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED};
use Part::Say;

/// Requests that are not taken before the client is sent away, as a bound for scanners
/// and for clients that cannot do TLS; and requests in all, Abandon among them.
const REFUSED_MAX: u32 = 10;
const REQUESTS_MAX: u32 = 100;

/// Tag of an extended request's name.
const REQUEST_NAME: u8 = 0x80;

/// Runs the conversation up to TLS, and connects.
pub fn negotiate(message: &mut Message) -> Outcome {
    let first = ACCEPTED.peek_byte().map_err(from_client)?;
    if first == Some(TLS_HANDSHAKE) {
        start_tls()?; // ldaps: no LDAP message begins so
    } else {
        requests(message)?;
    }
    host::connect().map_err(|code| {
        result::apologize(message, "the directory server cannot be reached");
        Refusal::of(&["connecting to the server"], code)
    })
}

/// Answers requests until StartTLS.
fn requests(message: &mut Message) -> Outcome {
    let mut refused = 0;
    for _ in 0..REQUESTS_MAX {
        let parts = message.read(ACCEPTED).map_err(|fault| match fault {
            Fault::Read(code) => from_client(code),
            Fault::Malformed(how) => {
                notice(result::PROTOCOL_ERROR, "request cannot be read");
                Refusal::new(Class::Peer, &[Say("the client's request "), Say(how)])
            }
        })?;
        let operation = match parts.operation {
            _ if parts.number() == 0 => {
                // The number of what a server says unasked.
                notice(result::PROTOCOL_ERROR, "message number 0");
                return Err(Refusal::new(Class::Peer, &[Say("client sent a request with number 0")]));
            }
            UNBIND => {
                return Err(Refusal::new(Class::Peer, &[Say("client unbound without StartTLS")]));
            }
            ABANDON => continue,
            other => match response(other) {
                Some(operation) => operation,
                None => {
                    notice(result::PROTOCOL_ERROR, "unknown operation");
                    return Err(Refusal::new(Class::Peer, &[Say("client sent an unknown operation")]));
                }
            },
        };
        let (code, why) = match name(parts.contents) {
            Some((name, is_all)) if parts.operation == EXTENDED && name == START_TLS => {
                if is_all {
                    answer(parts.id, operation, result::SUCCESS, "", START_TLS)?;
                    return start_tls();
                }
                (result::PROTOCOL_ERROR, "StartTLS takes no value")
            }
            _ => (result::CONFIDENTIALITY_REQUIRED, "TLS is required: StartTLS first"),
        };
        refused += 1;
        if refused == REFUSED_MAX {
            break;
        }
        answer(parts.id, operation, code, why, b"")?;
    }
    notice(result::CONFIDENTIALITY_REQUIRED, "too many requests without StartTLS");
    Err(Refusal::new(Class::Peer, &[Say("client sent too many requests without StartTLS")]))
}

/// An extended request's name, and whether there is no value.
fn name(contents: &[u8]) -> Option<(&[u8], bool)> {
    let mut request = Reader(contents);
    let name = request.take(REQUEST_NAME)?;
    Some((name, request.is_empty()))
}

/// Starts TLS. A client that sent more before it saw the answer to StartTLS, which RFC
/// 4511 section 4.14.1 forbids it, is refused: what follows would be plaintext from
/// anyone on the path (CVE-2011-0411).
fn start_tls() -> Outcome {
    ACCEPTED.starttls().map_err(|code| {
        if code == Code::INJECT {
            notice(result::PROTOCOL_ERROR, "request behind StartTLS");
            let what = "client sent data after StartTLS without waiting for the answer";
            return Refusal::new(Class::Peer, &[Say(what)]);
        }
        Refusal::of(&["starting TLS with the client"], code)
    })
}

fn answer(id: &[u8], operation: u8, code: u8, diagnostic: &str, name: &[u8]) -> Outcome {
    result::send(id, operation, code, diagnostic, name)
        .map_err(|code| Refusal::of(&["answering the client"], code))
}

fn from_client(code: Code) -> Refusal {
    Refusal::of(&["reading the client's request"], code)
}
