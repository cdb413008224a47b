//! Client mode: the accepted side is a local POP3 client without TLS, the outgoing side
//! a mail server that offers STLS.

use crate::Session;
use stunnel::accept::say;
use stunnel::{Outcome, ACCEPTED};

/// Runs the conversation up to the relay. The local client is greeted when TLS is up, in
/// the server's words, since APOP needs its timestamp (RFC 1939 section 7). Until then a
/// refusal is a greeting too.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greeting()?;
    s.out.clear();
    s.out.add(s.server.line()).add(b"\r\n");
    s.server.start_tls().map_err(|refusal| {
        let _ = ACCEPTED.write(b"-ERR [SYS/TEMP] No TLS with the mail server\r\n"); // it may be gone
        refusal
    })?;
    say(s.out.bytes())
}
