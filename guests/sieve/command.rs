//! The client's commands before TLS (RFC 5804 section 2).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line};
use stunnel::text::split_word;
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes: a quoted string has 1024 at most (RFC 5804 section 4), and
/// no command before TLS has more than two.
pub const COMMAND_MAX: usize = 2304;

/// What a command asks for.
pub enum Command<'a> {
    Refused(&'static [u8]),
    Capability,
    /// With the string that the answer repeats, in its quotes; empty without one.
    Noop(&'a [u8]),
    Logout,
    StartTls,
    /// It goes on with bytes that are no line.
    Literal,
}
use Command::Refused;

/// Commands that wait until TLS is up.
const LATER: [&str; 10] = [
    "AUTHENTICATE",
    "HAVESPACE",
    "PUTSCRIPT",
    "LISTSCRIPTS",
    "SETACTIVE",
    "GETSCRIPT",
    "DELETESCRIPT",
    "RENAMESCRIPT",
    "CHECKSCRIPT",
    "UNAUTHENTICATE",
];

/// Reads a command and settles its answer.
pub fn next(s: &mut Session) -> Outcome<Command> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Refused(b"NO \"Line too long\"\r\n")),
        Line::Control => return Ok(Refused(b"NO \"Control character in command\"\r\n")),
    };
    if line::literal(line).is_some() {
        return Ok(Command::Literal);
    }
    let (verb, argument) = split_word(line);
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    Ok(if LATER.iter().any(|name| is(name)) {
        Refused(b"NO (ENCRYPT-NEEDED) \"Must issue a STARTTLS command first\"\r\n")
    } else if is("NOOP") && (argument.is_empty() || is_quoted(argument)) {
        Command::Noop(argument)
    } else if is("NOOP") {
        Refused(b"NO \"Argument is no quoted string\"\r\n")
    } else if !(is("CAPABILITY") || is("LOGOUT") || is("STARTTLS")) {
        Refused(b"NO \"Unknown command\"\r\n")
    } else if !argument.is_empty() {
        Refused(b"NO \"Command takes no argument\"\r\n")
    } else if is("CAPABILITY") {
        Command::Capability
    } else if is("LOGOUT") {
        Command::Logout
    } else {
        Command::StartTls
    })
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
