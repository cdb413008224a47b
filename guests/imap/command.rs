//! The client's commands before TLS (RFC 3501 section 6.1 and 6.2).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line};
use stunnel::text::{has, split_word};
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes (RFC 2683 section 3.2.1.5 asks servers for 8000).
pub const COMMAND_MAX: usize = 8192;

/// Longest tag in bytes. Clients count in them; this is far above what they reach.
pub const TAG_MAX: usize = 64;

/// What a command asks for.
pub enum Command {
    Answered(&'static str),
    Refused(&'static str),
    Capability,
    Id,
    Logout,
    StartTls,
    /// It goes on with bytes that are no line, without waiting for leave.
    Literal,
}
use Command::{Answered, Refused};

/// Commands that say who the client is.
const LOGIN: [&str; 2] = ["LOGIN", "AUTHENTICATE"];

/// Reads a command, keeps its tag, and settles its answer.
pub fn next(s: &mut Session) -> Outcome<Command> {
    s.tag = 0;
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Refused("BAD Line too long")),
        Line::Control => return Ok(Refused("BAD Control character in command")),
    };
    if matches!(line::literal(line), Some(literal) if !literal.waits) {
        return Ok(Command::Literal);
    }
    let (tag, rest) = split_word(line);
    if !is_tag(tag) {
        return Ok(Refused("BAD Tag missing or invalid"));
    }
    s.tag = tag.len();
    let (verb, argument) = split_word(rest);
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    Ok(if LOGIN.iter().any(|name| is(name)) {
        Refused("NO [PRIVACYREQUIRED] Must issue a STARTTLS command first") // RFC 5530
    } else if is("ID") {
        match (line::literal(line), argument.is_empty()) {
            (None, false) => Command::Id,
            _ => Refused("BAD Invalid argument"),
        }
    } else if !(is("CAPABILITY") || is("NOOP") || is("LOGOUT") || is("STARTTLS")) {
        Refused("BAD Unknown command, or one for after STARTTLS")
    } else if !argument.is_empty() {
        Refused("BAD Command takes no argument")
    } else if is("CAPABILITY") {
        Command::Capability
    } else if is("NOOP") {
        Answered("OK NOOP completed")
    } else if is("LOGOUT") {
        Command::Logout
    } else {
        Command::StartTls
    })
}

/// Whether a word is a tag (RFC 3501 section 9): what would be read as something else
/// in an answer is none.
fn is_tag(word: &[u8]) -> bool {
    let special = |b: &u8| !b.is_ascii_graphic() || has(b"(){%*\"\\+", *b);
    !word.is_empty() && word.len() <= TAG_MAX && !word.iter().any(special)
}
