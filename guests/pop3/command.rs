//! The client's commands before TLS (RFC 1939 sections 4 and 7, RFC 2449, RFC 2595).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line};
use stunnel::text::{look_up, split_word};
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes; RFC 2449 section 4 allows 255.
pub const COMMAND_MAX: usize = 1024;

/// What a command is answered.
pub struct Answer {
    pub to: Verb,
    /// The answer, or the end of it behind the server's capabilities.
    pub text: &'static [u8],
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Capa,
    Noop,
    Quit,
    Stls,
    Refused,
}

const fn answer(to: Verb, text: &'static [u8]) -> Answer {
    Answer { to, text }
}

const fn refused(text: &'static [u8]) -> Answer {
    answer(Verb::Refused, text)
}

/// What commands that wait until TLS is up are answered: those that say who the client is,
/// and those for after that.
const LATER: Answer = refused(b"-ERR Must issue a STLS command first\r\n");

static COMMANDS: [(&str, Answer); 18] = [
    ("CAPA", answer(Verb::Capa, b"STLS\r\n.\r\n")),
    ("NOOP", answer(Verb::Noop, b"+OK\r\n")),
    ("QUIT", answer(Verb::Quit, b"+OK Bye\r\n")),
    ("STLS", answer(Verb::Stls, b"+OK Stunnel starts TLS negotiation\r\n")),
    ("USER", LATER),
    ("PASS", LATER),
    ("APOP", LATER),
    ("AUTH", LATER),
    ("STAT", LATER),
    ("LIST", LATER),
    ("RETR", LATER),
    ("DELE", LATER),
    ("RSET", LATER),
    ("TOP", LATER),
    ("UIDL", LATER),
    ("LAST", LATER),
    ("UTF8", LATER),
    ("LANG", LATER),
];

/// What any other is answered, and one that is not as it should be.
static UNKNOWN: Answer = refused(b"-ERR Unknown command\r\n");
static TOO_LONG: Answer = refused(b"-ERR Line too long\r\n");
static CONTROL: Answer = refused(b"-ERR Control character in command\r\n");
static ARGUMENT: Answer = refused(b"-ERR Command takes no argument\r\n");

/// Reads a command and settles its answer.
pub fn next(s: &mut Session) -> Outcome<&'static Answer> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    let (verb, argument) = split_word(line);
    let answer = look_up(verb, &COMMANDS).unwrap_or(&UNKNOWN);
    if answer.to != Verb::Refused && !argument.is_empty() {
        return Ok(&ARGUMENT);
    }
    Ok(answer)
}
