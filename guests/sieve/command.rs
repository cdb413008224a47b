//! The client's commands before TLS (RFC 5804 section 2).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line};
use stunnel::text::{look_up, split_word};
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes: a quoted string has 1024 at most (RFC 5804 section 4), and
/// no command before TLS has more than two.
pub const COMMAND_MAX: usize = 2304;

/// What a command is answered.
pub struct Answer {
    pub to: Verb,
    /// The answer, or the end of one that more is told in.
    pub text: &'static [u8],
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Capability,
    Noop,
    Logout,
    StartTls,
    Refused,
    /// It goes on with bytes that are no line.
    Literal,
}

const fn answer(to: Verb, text: &'static [u8]) -> Answer {
    Answer { to, text }
}

const fn refused(text: &'static [u8]) -> Answer {
    answer(Verb::Refused, text)
}

/// What commands that wait until TLS is up are answered.
const LATER: Answer = refused(b"NO (ENCRYPT-NEEDED) \"Must issue a STARTTLS command first\"\r\n");

static COMMANDS: [(&str, Answer); 14] = [
    ("CAPABILITY", answer(Verb::Capability, b"")),
    ("NOOP", answer(Verb::Noop, b"\"NOOP completed\"\r\n")),
    ("LOGOUT", answer(Verb::Logout, b"OK \"Logout completed\"\r\n")),
    ("STARTTLS", answer(Verb::StartTls, b"OK \"Begin TLS negotiation now\"\r\n")),
    ("AUTHENTICATE", LATER),
    ("HAVESPACE", LATER),
    ("PUTSCRIPT", LATER),
    ("LISTSCRIPTS", LATER),
    ("SETACTIVE", LATER),
    ("GETSCRIPT", LATER),
    ("DELETESCRIPT", LATER),
    ("RENAMESCRIPT", LATER),
    ("CHECKSCRIPT", LATER),
    ("UNAUTHENTICATE", LATER),
];

/// What any other is answered, and one that is not as it should be.
static UNKNOWN: Answer = refused(b"NO \"Unknown command\"\r\n");
static TOO_LONG: Answer = refused(b"NO \"Line too long\"\r\n");
static CONTROL: Answer = refused(b"NO \"Control character in command\"\r\n");
static NO_STRING: Answer = refused(b"NO \"Argument is no quoted string\"\r\n");
static ARGUMENT: Answer = refused(b"NO \"Command takes no argument\"\r\n");
static LITERAL: Answer = answer(Verb::Literal, b"BYE (ENCRYPT-NEEDED) \"Literals only after STARTTLS\"\r\n");

/// Reads a command and settles its answer, whose beginning, if it has one, is put out.
pub fn next(s: &mut Session) -> Outcome<&'static Answer> {
    s.out.clear();
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    if line::literal(line).is_some() {
        return Ok(&LITERAL);
    }
    let (verb, argument) = split_word(line);
    let answer = look_up(verb, &COMMANDS).unwrap_or(&UNKNOWN);
    match answer.to {
        Verb::Refused => {}
        Verb::Noop => {
            s.out.add(b"OK ");
            if !argument.is_empty() {
                if !is_quoted(argument) {
                    s.out.clear();
                    return Ok(&NO_STRING);
                }
                // The string is repeated (RFC 5804 section 2.13).
                s.out.add(b"(TAG ").add(argument).add(b") ");
            }
        }
        _ if !argument.is_empty() => return Ok(&ARGUMENT),
        _ => {}
    }
    Ok(answer)
}

/// Whether a text is one quoted string (RFC 5804 section 4): it is repeated in an
/// answer, where anything behind its end would be taken for words of the server.
fn is_quoted(text: &[u8]) -> bool {
    let mut inner = match text {
        [b'"', inner @ .., b'"'] => inner,
        _ => return false,
    };
    loop {
        inner = match inner {
            [] => return true,
            [b'\\', b'"' | b'\\', rest @ ..] => rest,
            [b'\\' | b'"', ..] => return false,
            [_, rest @ ..] => rest,
        };
    }
}
