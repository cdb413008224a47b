//! Client mode: the accepted side is a local news reader without TLS, the outgoing side
//! a news server that offers STARTTLS.

use stunnel::{Outcome, Refusal, ACCEPTED, OUTGOING};
use crate::session::Session;

/// Runs the conversation up to TLS. The local reader has its greeting then, as with
/// stunnel, and none comes inside TLS (RFC 4642 section 2.2.2). What goes wrong from then
/// on is its answer: 400 ends the connection at any time (RFC 3977 section 3.2.1).
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greet()?;
    start_tls(s).map_err(|refusal| {
        let _ = ACCEPTED.write(b"400 No TLS with the news server\r\n"); // it may be gone
        refusal
    })
}

/// Upgrades the server side. Whether it can is not asked for, as with stunnel: servers
/// older than CAPABILITIES (RFC 3977) have STARTTLS too.
fn start_tls(s: &mut Session) -> Outcome {
    s.reply.ask(b"STARTTLS\r\n", "STARTTLS", 382)?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}
