//! Server mode: the accepted side is a POP3 client that asks for TLS, the outgoing side a
//! mail server that has none. Until TLS is up the guest itself answers; the mail server
//! hears of the client through the relay, and before it one question at most, for its
//! capabilities.

use crate::command::{self, Verb};
use crate::response::LIST_MAX;
use crate::{unavailable, Session};
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::{Class, Outcome, Part, Refusal};
use Part::Say;

/// The command that asks for TLS.
static STLS: accept::Command = accept::command!("STLS");

/// Room for a list of capabilities, and the words around it.
pub const OUT_MAX: usize = LIST_MAX + 64;

/// Runs the conversation up to the relay. Where the name in the client's handshake chooses
/// the server, the guest greets, and the server's greeting, when there is one, has been
/// said; but a client that speaks TLS at once has had none.
pub fn negotiate(s: &mut Session) -> Outcome {
    let by_name = accept::by_name();
    if !by_name {
        s.connect()?;
    }
    let clear = !accept::speaks_tls()?;
    if clear {
        if by_name {
            s.server.assume_none();
            s.out.add(b"+OK ready\r\n");
        } else {
            s.greeting()?;
            s.out.add(s.server.line()).add(b" + stunnel\r\n");
        }
        say(s.out.bytes())?;
        commands(s)?;
    }
    start_tls()?;
    if by_name {
        s.connect()?;
        if clear {
            s.greeting()?;
        }
    }
    Ok(())
}

/// Answers commands up to STLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&STLS)?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = command::next(s)?;
        s.out.clear();
        match answer.to {
            Verb::Capa => {
                let list = s.server.capabilities().map_err(unavailable)?;
                s.out.add(b"+OK Stunnel capability list follows\r\n").add(list);
            }
            Verb::Refused => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
            }
            _ => {}
        }
        s.out.add(answer.text);
        say(s.out.bytes())?;
        match answer.to {
            Verb::Stls => return Ok(()),
            Verb::Quit => return Err(Refusal::new(Class::Peer, &[Say("client quit without STLS")])),
            _ => {}
        }
    }
    say(b"-ERR Too many commands without STLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STLS")]))
}

fn start_tls() -> Outcome {
    accept::start_tls(&STLS, b"-ERR Data after STLS\r\n")
}
