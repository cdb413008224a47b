//! Client mode: the accepted side is a local IMAP client without TLS, the outgoing side
//! a mail server that offers STARTTLS.

use crate::Session;
use stunnel::accept::say;
use stunnel::{Outcome, Refusal, ACCEPTED, OUTGOING};

/// Runs the conversation up to the relay. The local client is greeted when TLS is up,
/// and by the guest: the server's greeting was anyone's word, and told capabilities that
/// are others inside TLS. Until then goodbye is an answer that it understands.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greeting()?;
    start_tls(s).map_err(|refusal| {
        let _ = ACCEPTED.write(b"* BYE [UNAVAILABLE] No TLS with the mail server\r\n"); // it may be gone
        refusal
    })?;
    say(b"* OK Connected.\r\n")
}

/// Upgrades the server side (RFC 3501 section 6.2.1).
fn start_tls(s: &mut Session) -> Outcome {
    s.server.ask(b"stunnel STARTTLS\r\n", "STARTTLS", "answer to STARTTLS")?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}
