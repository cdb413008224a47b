//! The client's commands before TLS (RFC 1939 sections 4 and 7, RFC 2449, RFC 2595).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line};
use stunnel::text::split_word;
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes; RFC 2449 section 4 allows 255.
pub const COMMAND_MAX: usize = 1024;

/// What a command asks for.
pub enum Command {
    Noop,
    Refused(&'static [u8]),
    Capa,
    Quit,
    Stls,
}
use Command::Refused;

/// Commands that wait until TLS is up: those that say who the client is, and those for
/// after that.
const LATER: [&str; 14] = [
    "USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "RETR", "DELE", "RSET", "TOP", "UIDL", "LAST", "UTF8", "LANG",
];

/// Reads a command and settles its answer.
pub fn next(s: &mut Session) -> Outcome<Command> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Refused(b"-ERR Line too long\r\n")),
        Line::Control => return Ok(Refused(b"-ERR Control character in command\r\n")),
    };
    let (verb, argument) = split_word(line);
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    Ok(if LATER.iter().any(|name| is(name)) {
        Refused(b"-ERR Must issue a STLS command first\r\n")
    } else if !(is("CAPA") || is("NOOP") || is("QUIT") || is("STLS")) {
        Refused(b"-ERR Unknown command\r\n")
    } else if !argument.is_empty() {
        Refused(b"-ERR Command takes no argument\r\n")
    } else if is("CAPA") {
        Command::Capa
    } else if is("NOOP") {
        Command::Noop
    } else if is("QUIT") {
        Command::Quit
    } else {
        Command::Stls
    })
}
