//! Server mode: the accepted side is an FTP client that asks for TLS, the outgoing side an
//! FTP server that has none. The guest answers until TLS is up.

use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::text::{is_among, look_up, split_word};
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED};
use crate::inside;
use crate::session::Session;
use Part::Say;

/// The command that asks for TLS.
static AUTH_TLS: accept::Command = accept::command!("AUTH TLS");

/// Longest command in bytes. RFC 959 has no bound; no command up to a login is as long.
pub const COMMAND_MAX: usize = 512;

/// Runs the conversation up to the relay. A client that speaks TLS at once is greeted
/// inside it.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    let clear = !accept::speaks_tls()?;
    if clear {
        s.greet()?;
        commands(s)?;
    }
    start_tls()?;
    if !clear {
        s.greet()?;
    }
    inside::negotiate(s)
}

/// Answers commands up to AUTH TLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&AUTH_TLS)?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = next(s)?;
        if answer.to == Verb::Refused {
            refused += 1;
            if refused == REFUSED_MAX {
                break;
            }
        }
        say(answer.text)?;
        match answer.to {
            Verb::Auth => return Ok(()),
            Verb::Quit => return Err(Refusal::new(Class::Peer, &[Say("client quit without AUTH TLS")])),
            _ => {}
        }
    }
    say(b"421 Too many commands without AUTH TLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without AUTH TLS")]))
}

/// What a command is answered.
struct Answer {
    to: Verb,
    text: &'static [u8],
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Auth,
    Quit,
    /// It is answered, and that is all.
    Idle,
    Refused,
}

const fn answer(to: Verb, text: &'static [u8]) -> Answer {
    Answer { to, text }
}

const fn refused(text: &'static [u8]) -> Answer {
    answer(Verb::Refused, text)
}

/// The answer to FEAT (RFC 2389 section 3.2, RFC 4217 section 6): what the guest does. The
/// server's own features are had inside TLS.
const FEATURES: &[u8] = b"211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n";

static COMMANDS: [(&str, Answer); 4] = [
    ("AUTH", answer(Verb::Auth, b"234 Go ahead\r\n")),
    ("FEAT", answer(Verb::Idle, FEATURES)),
    ("NOOP", answer(Verb::Idle, b"200 Ok\r\n")),
    ("QUIT", answer(Verb::Quit, b"221 Bye\r\n")),
];

/// Commands of RFC 959 and its extensions that wait until TLS is up.
static LATER: [&str; 45] = [
    "ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CWD", "DELE", "EPRT", "EPSV", "HELP", "HOST", "LANG", "LIST",
    "MDTM", "MKD", "MLSD", "MLST", "MODE", "NLST", "OPTS", "PASS", "PASV", "PORT", "PWD", "REIN", "REST",
    "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE",
    "USER", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD",
];

/// Commands of RFC 2228 that need a security exchange first.
static PROTECTED: [&str; 7] = ["PBSZ", "PROT", "CCC", "ADAT", "MIC", "CONF", "ENC"];

/// What those are answered, any other, and one that is not as it should be.
static TLS_FIRST: Answer = refused(b"530 Must issue AUTH TLS first\r\n");
static AUTH_FIRST: Answer = refused(b"503 AUTH TLS first\r\n");
static UNKNOWN: Answer = refused(b"500 Command not recognized\r\n");
static TOO_LONG: Answer = refused(b"500 Line too long\r\n");
static CONTROL: Answer = refused(b"500 Control character in command\r\n");
static NO_MECHANISM: Answer = refused(b"501 Mechanism missing\r\n");
static TLS_ONLY: Answer = refused(b"504 AUTH TLS only\r\n");

/// Reads a command and settles its answer.
fn next(s: &mut Session) -> Outcome<&'static Answer> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    let (verb, argument) = split_word(line);
    Ok(match look_up(verb, &COMMANDS) {
        Some(answer) if answer.to != Verb::Auth || is_among(argument, &["TLS", "TLS-C"]) => answer,
        Some(_) if argument.is_empty() => &NO_MECHANISM,
        // SSL and TLS-P would promise TLS on data connections too (RFC 4217 section 2).
        Some(_) => &TLS_ONLY,
        None if is_among(verb, &PROTECTED) => &AUTH_FIRST,
        None if is_among(verb, &LATER) => &TLS_FIRST,
        None => &UNKNOWN,
    })
}

/// Starts TLS (RFC 4217 section 4).
fn start_tls() -> Outcome {
    accept::start_tls(&AUTH_TLS, b"421 Data after AUTH TLS\r\n")
}
