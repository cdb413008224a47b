//! Server mode: the accepted side is a ManageSieve client that asks for TLS, the outgoing
//! side a server that has none. Until TLS is up the guest itself answers, out of the
//! server's greeting; the server hears the client's first word through the relay.

use crate::command::{self, Verb};
use crate::response::{CLEAR_MAX, RESPONSE_MAX};
use crate::Session;
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::{Class, Outcome, Part, Refusal};
use Part::Say;

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

/// Room for the capabilities.
pub const OUT_MAX: usize = RESPONSE_MAX + CLEAR_MAX;

/// What must be told at least (RFC 5804 section 1.7), while the server is not known.
const UNKNOWN: &[u8] = b"\"IMPLEMENTATION\" \"stunnel\"\r\n\"SIEVE\" \"\"\r\n\"VERSION\" \"1.0\"\r\n";

/// Runs the conversation up to the relay. Behind STARTTLS the client waits for the
/// capabilities, which the server, having heard of no TLS, does not tell again (RFC 5804
/// section 2.2).
pub fn negotiate(s: &mut Session) -> Outcome {
    let by_name = accept::by_name();
    if !by_name {
        s.connect()?;
    }
    let clear = !accept::speaks_tls()?;
    if clear {
        if by_name {
            s.server.assume(UNKNOWN, b"OK\r\n");
        } else {
            s.greeting()?;
        }
        tell_capabilities(s, true)?;
        commands(s)?;
    }
    start_tls()?;
    if by_name {
        s.connect()?;
        if clear {
            s.greeting()?;
        }
    }
    if clear {
        tell_capabilities(s, false)?;
    }
    Ok(())
}

/// Answers commands up to STARTTLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&STARTTLS)?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = command::next(s)?;
        match answer.to {
            Verb::Capability => s.server.add_capabilities(&mut s.out, true),
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
        let why = match answer.to {
            Verb::StartTls => return Ok(()),
            Verb::Logout => "client logged out without STARTTLS",
            Verb::Literal => "client sent a literal before STARTTLS",
            _ => continue,
        };
        return Err(Refusal::new(Class::Peer, &[Say(why)]));
    }
    say(b"BYE \"Too many commands without STARTTLS\"\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

fn tell_capabilities(s: &mut Session, clear: bool) -> Outcome {
    s.out.clear();
    s.server.add_capabilities(&mut s.out, clear);
    say(s.out.bytes())
}

fn start_tls() -> Outcome {
    accept::start_tls(&STARTTLS, b"BYE \"Data after STARTTLS\"\r\n")
}
