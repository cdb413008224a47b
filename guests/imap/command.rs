//! The client's commands before TLS (RFC 3501 section 6.1 and 6.2).

use crate::Session;
use stunnel::accept;
use stunnel::line::{self, Line, Literal};
use stunnel::text::{has, look_up, split_word};
use stunnel::{Outcome, ACCEPTED};

/// Longest command in bytes (RFC 2683 section 3.2.1.5 asks servers for 8000).
pub const COMMAND_MAX: usize = 8192;

/// Longest tag in bytes. Clients count in them; this is far above what they reach.
pub const TAG_MAX: usize = 64;

/// What a command is answered.
pub struct Answer {
    pub to: Verb,
    /// Lines before the one with the tag.
    pub untagged: &'static [u8],
    /// What stands behind the tag.
    pub text: &'static [u8],
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Capability,
    Id,
    Logout,
    Noop,
    StartTls,
    Refused,
    /// It goes on with bytes that are no line, without waiting for leave.
    Literal,
}

const fn answer(to: Verb, untagged: &'static [u8], text: &'static [u8]) -> Answer {
    Answer { to, untagged, text }
}

const fn refused(text: &'static [u8]) -> Answer {
    answer(Verb::Refused, b"", text)
}

/// What commands that say who the client is are answered (RFC 5530).
const LATER: Answer = refused(b"NO [PRIVACYREQUIRED] Must issue a STARTTLS command first");

static COMMANDS: [(&str, Answer); 7] = [
    ("CAPABILITY", answer(Verb::Capability, b"* CAPABILITY ", b"OK CAPABILITY completed")),
    ("ID", answer(Verb::Id, b"* ID NIL\r\n", b"OK ID completed")),
    ("LOGOUT", answer(Verb::Logout, b"* BYE Logging out\r\n", b"OK LOGOUT completed")),
    ("NOOP", answer(Verb::Noop, b"", b"OK NOOP completed")),
    ("STARTTLS", answer(Verb::StartTls, b"", b"OK Begin TLS negotiation now")),
    ("AUTHENTICATE", LATER),
    ("LOGIN", LATER),
];

/// What any other is answered, and one that is not as it should be.
static UNKNOWN: Answer = refused(b"BAD Unknown command, or one for after STARTTLS");
static TOO_LONG: Answer = refused(b"BAD Line too long");
static CONTROL: Answer = refused(b"BAD Control character in command");
static NO_TAG: Answer = refused(b"BAD Tag missing or invalid");
static NO_ID: Answer = refused(b"BAD Invalid argument");
static ARGUMENT: Answer = refused(b"BAD Command takes no argument");
static LITERAL: Answer = answer(Verb::Literal, b"", b"BYE Literals only after STARTTLS");

/// Reads a command, keeps its tag, and settles its answer.
pub fn next(s: &mut Session) -> Outcome<&'static Answer> {
    s.tag = 0;
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    let literal = line::literal(line);
    if literal == Some(Literal::GoesOn) {
        return Ok(&LITERAL);
    }
    let (tag, rest) = split_word(line);
    if !is_tag(tag) {
        return Ok(&NO_TAG);
    }
    s.tag = tag.len();
    let (verb, argument) = split_word(rest);
    let answer = look_up(verb, &COMMANDS).unwrap_or(&UNKNOWN);
    Ok(match answer.to {
        Verb::Refused => answer,
        Verb::Id if literal.is_some() || argument.is_empty() => &NO_ID,
        Verb::Id => answer,
        _ if !argument.is_empty() => &ARGUMENT,
        _ => answer,
    })
}

/// Whether a word is a tag (RFC 3501 section 9): what would be read as something else
/// in an answer is none.
fn is_tag(word: &[u8]) -> bool {
    let special = |b: &u8| !b.is_ascii_graphic() || has(b"(){%*\"\\+", *b);
    !word.is_empty() && word.len() <= TAG_MAX && !word.iter().any(special)
}
