//! Server mode: the accepted side is a POP3 client that asks for TLS, the outgoing side a
//! mail server that has none. Until TLS is up the guest itself answers; the mail server
//! hears of the client through the relay, and before it one question at most, for its
//! capabilities.

use crate::command::{self, Command};
use crate::response::LIST_MAX;
use crate::{unavailable, Session};
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::{Class, Outcome, Part, Refusal};
use Part::Say;

/// Room for a list of capabilities, and the words around it.
pub const OUT_MAX: usize = LIST_MAX + 64;

/// Runs the conversation up to the relay.
pub fn negotiate(s: &mut Session) -> Outcome {
    if accept::by_name() {
        return negotiate_by_name(s);
    }
    s.connect()?;
    if accept::speaks_tls()? {
        return start_tls();
    }
    s.greeting()?;
    s.out.add(s.server.line()).add(b" + stunnel\r\n");
    say(s.out.bytes())?;
    commands(s)
}

/// The same where the name in the client's handshake chooses the server: the guest
/// greets, and the server's greeting, when there is one, has been said.
fn negotiate_by_name(s: &mut Session) -> Outcome {
    if accept::speaks_tls()? {
        start_tls()?;
        return s.connect();
    }
    s.server.assume_none();
    say(b"+OK ready\r\n")?;
    commands(s)?;
    s.connect()?;
    s.greeting()
}

/// Answers commands until STLS, and starts TLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear("STLS")?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        match command::next(s)? {
            Command::Noop => say(b"+OK\r\n")?,
            Command::Capa => tell_capabilities(s)?,
            Command::Refused(answer) => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
                say(answer)?;
            }
            Command::Quit => {
                say(b"+OK Bye\r\n")?;
                return Err(Refusal::new(Class::Peer, &[Say("client quit without STLS")]));
            }
            Command::Stls => {
                say(b"+OK Stunnel starts TLS negotiation\r\n")?;
                return start_tls();
            }
        }
    }
    say(b"-ERR Too many commands without STLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STLS")]))
}

fn tell_capabilities(s: &mut Session) -> Outcome {
    let list = s.server.capabilities().map_err(unavailable)?;
    s.out.clear();
    s.out.add(b"+OK Stunnel capability list follows\r\n").add(list).add(b"STLS\r\n.\r\n");
    say(s.out.bytes())
}

fn start_tls() -> Outcome {
    accept::start_tls("STLS", b"-ERR Data after STLS\r\n")
}
