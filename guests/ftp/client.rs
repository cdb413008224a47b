//! Client mode: the accepted side is a local FTP client without TLS, the outgoing side an
//! FTP server that offers AUTH TLS.

use stunnel::{Outcome, Refusal, ACCEPTED, OUTGOING};
use crate::session::Session;

/// Runs the conversation up to the relay. The local client has its greeting then, and
/// none comes inside TLS. What goes wrong from then on is its answer: 421 ends the
/// connection at any time (RFC 959 section 5.4).
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greet()?;
    start_tls(s).map_err(|refusal| apologize(b"421 No TLS with the FTP server\r\n", refusal))?;
    leave_data_clear(s)
        .map_err(|refusal| apologize(b"421 FTP server asks for TLS on data connections\r\n", refusal))
}

/// Upgrades the control connection (RFC 4217 section 4).
fn start_tls(s: &mut Session) -> Outcome {
    s.reply.ask(b"AUTH TLS\r\n", "AUTH TLS", 234)?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}

/// Tells the server that the client's data connections have no TLS (RFC 4217 section 9).
/// That is the level at first, but not of every server; so a server that does not know
/// the commands, or takes them later only, is believed to keep it.
fn leave_data_clear(s: &mut Session) -> Outcome {
    send(b"PBSZ 0\r\n", "PBSZ")?;
    s.reply.read_answer("PBSZ")?;
    send(b"PROT C\r\n", "PROT C")?;
    s.reply.read_answer("PROT C")?;
    match s.reply.code() {
        500 | 502 | 503 | 530 => Ok(()),
        _ => s.reply.want(200, "PROT C"),
    }
}

fn send(command: &[u8], what: &str) -> Outcome {
    OUTGOING.write(command).map_err(|code| Refusal::of(&["sending ", what], code))
}

/// Tells the local client. That it may be gone adds nothing to the refusal.
fn apologize(answer: &[u8], refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(answer);
    refusal
}
