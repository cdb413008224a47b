//! Server mode: the accepted side is an IMAP client that asks for TLS, the outgoing side
//! a mail server that has none. Until TLS is up the guest itself answers; the mail server
//! hears of the client through the relay, and before it one question at most, for its
//! capabilities.

use crate::capability::{self, CLEAR_MAX};
use crate::command::{self, Verb};
use crate::response::LINE_MAX;
use crate::{unavailable, Session};
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::{line, Class, Outcome, Part, Refusal};
use Part::Say;

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

/// Room for a response: a list of capabilities, and the words and the tag around it.
pub const OUT_MAX: usize = LINE_MAX + CLEAR_MAX + command::TAG_MAX + 128;

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
            s.server.capability.add(b"IMAP4rev1");
            say(b"* OK IMAP4rev1 ready\r\n")?;
        } else {
            greet(s)?;
        }
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

/// Forwards the server's greeting with the capabilities that are true before TLS.
fn greet(s: &mut Session) -> Outcome {
    s.greeting()?;
    s.out.clear();
    s.out.add(b"* OK ");
    s.server.add_greeting(&mut s.out);
    s.out.add(b" (stunnel)\r\n");
    say(s.out.bytes())
}

/// Answers commands up to STARTTLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&STARTTLS)?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = command::next(s)?;
        s.out.clear();
        s.out.add(answer.untagged);
        match answer.to {
            Verb::Capability => add_capability(s)?,
            Verb::Refused => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
            }
            _ => {}
        }
        let tag = match s.command.get(..s.tag) {
            Some(tag) if !tag.is_empty() => tag,
            _ => b"*",
        };
        s.out.add(tag).add(b" ").add(answer.text).add(b"\r\n");
        say(s.out.bytes())?;
        let why = match answer.to {
            Verb::StartTls => return Ok(()),
            Verb::Logout => "client logged out without STARTTLS",
            Verb::Literal => "client sent a literal before STARTTLS",
            _ => continue,
        };
        return Err(Refusal::new(Class::Peer, &[Say(why)]));
    }
    say(b"* BYE Too many commands without STARTTLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

/// Adds what the server has, which is asked for once if its greeting did not tell.
fn add_capability(s: &mut Session) -> Outcome {
    if s.server.capability.bytes().is_empty() {
        s.server.ask(b"stunnel CAPABILITY\r\n", "CAPABILITY", "answer to CAPABILITY").map_err(unavailable)?;
        if s.server.capability.bytes().is_empty() {
            let refusal = line::unlike("answer to CAPABILITY", " has no list: ", Some(s.server.line()));
            return Err(unavailable(refusal));
        }
    }
    capability::add_clear(&mut s.out, s.server.capability.bytes());
    s.out.add(b"\r\n");
    Ok(())
}

fn start_tls() -> Outcome {
    accept::start_tls(&STARTTLS, b"* BYE Data after STARTTLS\r\n")
}
