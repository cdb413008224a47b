//! Server mode: the accepted side is an IMAP client that asks for TLS, the outgoing side
//! a mail server that has none. Until TLS is up the guest itself answers; the mail server
//! hears of the client through the relay, and before it one question at most, for its
//! capabilities.

use crate::capability::{self, CLEAR_MAX};
use crate::command::{self, Command};
use crate::response::LINE_MAX;
use crate::{unavailable, Session};
use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::text::split_word;
use stunnel::{Class, Outcome, Part, Refusal};
use Part::{Quote, Say};

/// Room for a response: a list of capabilities, and the words and the tag around it.
pub const OUT_MAX: usize = LINE_MAX + CLEAR_MAX + command::TAG_MAX + 128;

/// Runs the conversation up to the relay.
pub fn negotiate(s: &mut Session) -> Outcome {
    if accept::by_name() {
        return negotiate_by_name(s);
    }
    s.connect()?;
    if accept::speaks_tls()? {
        return start_tls();
    }
    greet(s)?;
    commands(s)
}

/// The same where the name in the client's handshake chooses the server: the guest
/// greets, and the server's greeting, when there is one, has been said.
fn negotiate_by_name(s: &mut Session) -> Outcome {
    if accept::speaks_tls()? {
        start_tls()?;
        return s.connect();
    }
    s.server.capability.add(b"IMAP4rev1");
    say(b"* OK IMAP4rev1 ready\r\n")?;
    commands(s)?;
    s.connect()?;
    s.greeting()
}

/// Forwards the server's greeting with the capabilities that are true before TLS.
fn greet(s: &mut Session) -> Outcome {
    s.greeting()?;
    let text = split_word(split_word(s.server.line()).1).1;
    s.out.clear();
    s.out.add(b"* OK ");
    match capability::code(text) {
        Some((list, rest)) => {
            s.out.add(b"[CAPABILITY ");
            capability::add_clear(&mut s.out, list);
            s.out.add(b"] ").add(rest);
            s.server.keep_capability();
        }
        None => {
            s.out.add(text);
        }
    }
    s.out.add(b" (stunnel)\r\n");
    say(s.out.bytes())
}

/// Answers commands until STARTTLS, and starts TLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear("STARTTLS")?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        match command::next(s)? {
            Command::Answered(text) => answer(s, b"", text)?,
            Command::Id => answer(s, b"* ID NIL\r\n", "OK ID completed")?,
            Command::Capability => tell_capability(s)?,
            Command::Refused(text) => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
                answer(s, b"", text)?;
            }
            Command::Logout => {
                answer(s, b"* BYE Logging out\r\n", "OK LOGOUT completed")?;
                return Err(Refusal::new(Class::Peer, &[Say("client logged out without STARTTLS")]));
            }
            Command::Literal => {
                say(b"* BYE Literals only after STARTTLS\r\n")?;
                return Err(Refusal::new(Class::Peer, &[Say("client sent a literal before STARTTLS")]));
            }
            Command::StartTls => {
                answer(s, b"", "OK Begin TLS negotiation now")?;
                return start_tls();
            }
        }
    }
    say(b"* BYE Too many commands without STARTTLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

/// Answers the last command, by its tag if it has one.
fn answer(s: &mut Session, untagged: &[u8], text: &str) -> Outcome {
    s.out.clear();
    s.out.add(untagged);
    add_end(s, text);
    say(s.out.bytes())
}

fn add_end(s: &mut Session, text: &str) {
    let tag = match s.command.get(..s.tag) {
        Some(tag) if !tag.is_empty() => tag,
        _ => b"*",
    };
    s.out.add(tag).add(b" ").add(text.as_bytes()).add(b"\r\n");
}

/// Answers CAPABILITY by what the server has, which is asked for once if its greeting
/// did not tell.
fn tell_capability(s: &mut Session) -> Outcome {
    if s.server.capability.bytes().is_empty() {
        s.server.ask("CAPABILITY", "answer to CAPABILITY").map_err(unavailable)?;
        if s.server.capability.bytes().is_empty() {
            let parts = [Say("the server's answer to CAPABILITY has no list: "), Quote(s.server.line())];
            return Err(unavailable(Refusal::new(Class::Peer, &parts)));
        }
    }
    s.out.clear();
    s.out.add(b"* CAPABILITY ");
    capability::add_clear(&mut s.out, s.server.capability.bytes());
    s.out.add(b"\r\n");
    add_end(s, "OK CAPABILITY completed");
    say(s.out.bytes())
}

fn start_tls() -> Outcome {
    accept::start_tls("STARTTLS", b"* BYE Data after STARTTLS\r\n")
}
