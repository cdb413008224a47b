//! Server mode: the accepted side is a client that asks for TLS, the outgoing side a
//! server that has none. The server hears the client's login through the relay.

use crate::error::{self, tell};
use crate::startup::{from_client, Request, Startup};
use crate::{agreed, start_tls};
use stunnel::accept::TLS_HANDSHAKE;
use stunnel::{host, Class, Outcome, Part, Refusal, ACCEPTED};
use Part::Say;

/// Requests before TLS: libpq asks for GSSAPI encryption once and for TLS once.
const REQUESTS_MAX: u32 = 2;

/// Runs the conversation up to TLS, and connects.
pub fn negotiate(startup: &mut Startup) -> Outcome {
    if ACCEPTED.peek_byte().map_err(from_client)? == Some(TLS_HANDSHAKE) {
        direct()?;
    } else {
        requested(startup)?;
    }
    host::connect().map_err(|code| {
        tell(error::NO_CONNECTION, "the database server cannot be reached");
        Refusal::of(&["connecting to the server"], code)
    })
}

/// TLS at once, which has to name the application protocol (PostgreSQL 17).
fn direct() -> Outcome {
    start_tls(ACCEPTED, "client")?;
    if agreed() {
        return Ok(());
    }
    let reason = "TLS without SSLRequest needs the application protocol \"postgresql\"";
    tell(error::VIOLATION, reason);
    Err(Refusal::new(
        Class::Peer,
        &[Say("client began TLS without SSLRequest and without the application protocol postgresql")],
    ))
}

/// Answers requests until SSLRequest.
fn requested(startup: &mut Startup) -> Outcome {
    for _ in 0..REQUESTS_MAX {
        match startup.read()? {
            Request::Tls => {
                answer(b"S")?;
                return start_tls(ACCEPTED, "client");
            }
            // As a server without GSSAPI answers; the client asks for TLS next.
            Request::GssEncryption => answer(b"N")?,
            Request::Cancel => {
                // The protocol has no answer to it. It carries a key that is worth as
                // much as the login, so that it is for TLS like one.
                return Err(Refusal::new(Class::Peer, &[Say("client sent CancelRequest without TLS")]));
            }
            Request::Login => {
                tell(
                    error::NO_TLS,
                    "this server takes logins inside TLS alone: connect with sslmode=require or better",
                );
                return Err(Refusal::new(Class::Peer, &[Say("client began a login without TLS")]));
            }
        }
    }
    tell(error::VIOLATION, "too many requests without TLS");
    Err(Refusal::new(Class::Peer, &[Say("client sent too many requests without TLS")]))
}

fn answer(byte: &[u8; 1]) -> Outcome {
    ACCEPTED.write(byte).map_err(|code| Refusal::of(&["answering the client"], code))
}
