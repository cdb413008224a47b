//! Client mode: the accepted side is a local client without TLS, the outgoing side a
//! server that offers it.

use crate::error::{self, tell, Foreign};
use crate::startup::{Request, Startup, SSL_REQUEST};
use crate::{agreed, mechanisms, options, start_tls};
use stunnel::{host, Class, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use Part::{Quote, Say};

/// Requests of the local client before its login: GSSAPI encryption and TLS once each.
const REQUESTS_MAX: u32 = 3;

/// Messages of the server up to its wish for authentication: one at most, that it knows
/// an older protocol (NegotiateProtocolVersion).
const MESSAGES_MAX: u32 = 2;

/// Runs the conversation up to TLS, and through the beginning of the login.
pub fn negotiate(startup: &mut Startup) -> Outcome {
    upgrade().map_err(|refusal| {
        tell(error::NO_CONNECTION, "no TLS connection to the database server");
        refusal
    })?;
    login(startup)
}

/// Connects and starts TLS.
fn upgrade() -> Outcome {
    host::connect().map_err(|code| Refusal::of(&["connecting to the server"], code))?;
    if !options::direct()? {
        request()?;
        return start_tls(OUTGOING, "server");
    }
    start_tls(OUTGOING, "server")?;
    if agreed() {
        return Ok(());
    }
    Err(Refusal::new(Class::Peer, &[Say("server did not agree on the application protocol postgresql, without which guestOption direct=yes does not go on")]))
}

/// Asks for TLS. The answer is one byte, or an ErrorResponse of a server that could not
/// even look at the request.
fn request() -> Outcome {
    OUTGOING.write(SSL_REQUEST).map_err(|code| Refusal::of(&["sending SSLRequest"], code))?;
    let mut answer = [0];
    OUTGOING
        .read_full(&mut answer)
        .map_err(|code| Refusal::of(&["reading the answer to SSLRequest"], code))?;
    let refused = |parts: &[Part]| Err(Refusal::new(Class::Peer, parts));
    match answer {
        [b'S'] => Ok(()),
        [b'N'] => refused(&[Say("server refused SSLRequest: it has no TLS")]),
        [b'E'] => match Foreign::read() {
            Some(response) => refused(&[Say("server refused SSLRequest: "), Quote(response.message())]),
            None => refused(&[Say("server refused SSLRequest with an error that cannot be read")]),
        },
        _ => refused(&[Say("server answered SSLRequest with "), Quote(&answer), Say(", neither S nor N")]),
    }
}

/// Passes the login on as far as the server's wish for authentication.
fn login(startup: &mut Startup) -> Outcome {
    for _ in 0..REQUESTS_MAX {
        match startup.read()? {
            // TLS is on the other side; a client that insists on it here learns that.
            Request::Tls | Request::GssEncryption => {
                ACCEPTED.write(b"N").map_err(|code| Refusal::of(&["answering the client"], code))?
            }
            Request::Cancel => return forward(startup.bytes()),
            Request::Login => {
                forward(startup.bytes())?;
                return authentication(startup.room());
            }
        }
    }
    tell(error::VIOLATION, "too many requests without a login");
    Err(Refusal::new(Class::Peer, &[Say("client sent too many requests without a login")]))
}

/// Looks for AuthenticationSASL. What is not looked at stays for the relay.
fn authentication(room: &mut [u8]) -> Outcome {
    for _ in 0..MESSAGES_MAX {
        let mut head = [0; 9];
        let n = mechanisms::peek(&mut head)?;
        match (n, head) {
            (9, [b'R', _, _, _, _, 0, 0, 0, 10]) => return mechanisms::offer(room),
            (9, [b'v', ..]) => mechanisms::pass(room)?,
            _ => return Ok(()),
        }
    }
    Ok(())
}

fn forward(packet: &[u8]) -> Outcome {
    OUTGOING.write(packet).map_err(|code| Refusal::of(&["forwarding the client's login"], code))
}
