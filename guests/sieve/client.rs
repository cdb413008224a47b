//! Client mode: the accepted side is a local client without TLS, the outgoing side a
//! server that offers STARTTLS.

use crate::response::Verdict;
use crate::Session;
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use Part::{Quote, Say};

/// Runs the conversation up to the relay. Inside TLS the server tells its capabilities
/// again, by itself (RFC 5804 section 2.2): those are the greeting that the local client
/// gets, through the relay. What the server told before was anyone's word.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greeting()?;
    start_tls(s).map_err(|refusal| {
        let _ = ACCEPTED.write(b"BYE (TRYLATER) \"No TLS with the server\"\r\n"); // it may be gone
        refusal
    })
}

/// Upgrades the server side.
fn start_tls(s: &mut Session) -> Outcome {
    if !s.server.offers("STARTTLS") {
        return Err(Refusal::new(Class::Peer, &[Say("server does not offer STARTTLS")]));
    }
    OUTGOING.write(b"STARTTLS\r\n").map_err(|code| Refusal::of(&["sending STARTTLS"], code))?;
    if s.server.read("answer to STARTTLS")? != Verdict::Ok {
        return Err(Refusal::new(Class::Peer, &[Say("server refused STARTTLS: "), Quote(s.server.last())]));
    }
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}
