//! Server mode: the accepted side is an FTP client that asks for TLS, the outgoing side an
//! FTP server that has none. The guest answers until TLS is up.

use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::text::split_word;
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED};
use crate::inside;
use crate::session::Session;
use Part::Say;

/// Longest command in bytes. RFC 959 has no bound; no command up to a login is as long.
pub const COMMAND_MAX: usize = 512;

/// Runs the conversation up to the relay.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    if accept::speaks_tls()? {
        start_tls()?;
        s.greet()?;
        return inside::negotiate(s);
    }
    s.greet()?;
    accept::want_clear("AUTH TLS")?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        match next(s)? {
            Command::Features => say(FEATURES)?,
            Command::Noop => say(b"200 Ok\r\n")?,
            Command::Quit => {
                say(b"221 Bye\r\n")?;
                return Err(Refusal::new(Class::Peer, &[Say("client quit without AUTH TLS")]));
            }
            Command::AuthTls => {
                say(b"234 Go ahead\r\n")?;
                start_tls()?;
                return inside::negotiate(s);
            }
            Command::Refused(answer) => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
                say(answer)?;
            }
        }
    }
    say(b"421 Too many commands without AUTH TLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without AUTH TLS")]))
}

enum Command {
    Features,
    Noop,
    Quit,
    AuthTls,
    Refused(&'static [u8]),
}

/// The answer to FEAT (RFC 2389 section 3.2, RFC 4217 section 6): what the guest does. The
/// server's own features are had inside TLS.
const FEATURES: &[u8] = b"211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n";

/// Commands of RFC 959 and its extensions that wait until TLS is up.
const LATER: [&str; 45] = [
    "ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CWD", "DELE", "EPRT", "EPSV", "HELP", "HOST", "LANG", "LIST",
    "MDTM", "MKD", "MLSD", "MLST", "MODE", "NLST", "OPTS", "PASS", "PASV", "PORT", "PWD", "REIN", "REST",
    "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE",
    "USER", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD",
];

/// Commands of RFC 2228 that need a security exchange first.
const PROTECTED: [&str; 7] = ["PBSZ", "PROT", "CCC", "ADAT", "MIC", "CONF", "ENC"];

/// Reads a command and settles what to do with it.
fn next(s: &mut Session) -> Outcome<Command> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Command::Refused(b"500 Line too long\r\n")),
        Line::Control => return Ok(Command::Refused(b"500 Control character in command\r\n")),
    };
    let (verb, argument) = split_word(line);
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    let names = |mechanism: &[u8]| argument.eq_ignore_ascii_case(mechanism);
    Ok(if is("AUTH") {
        if names(b"TLS") || names(b"TLS-C") {
            Command::AuthTls
        } else if argument.is_empty() {
            Command::Refused(b"501 Mechanism missing\r\n")
        } else {
            // SSL and TLS-P would promise TLS on data connections too (RFC 4217 section 2).
            Command::Refused(b"504 AUTH TLS only\r\n")
        }
    } else if is("FEAT") {
        Command::Features
    } else if is("NOOP") {
        Command::Noop
    } else if is("QUIT") {
        Command::Quit
    } else if PROTECTED.iter().any(|name| is(name)) {
        Command::Refused(b"503 AUTH TLS first\r\n")
    } else if LATER.iter().any(|name| is(name)) {
        Command::Refused(b"530 Must issue AUTH TLS first\r\n")
    } else {
        Command::Refused(b"500 Command not recognized\r\n")
    })
}

/// Starts TLS (RFC 4217 section 4).
fn start_tls() -> Outcome {
    accept::start_tls("AUTH TLS", b"421 Data after AUTH TLS\r\n")
}
