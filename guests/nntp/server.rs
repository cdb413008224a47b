//! Server mode: the accepted side is a news reader that asks for TLS, the outgoing side a
//! news server that has none. Until TLS is up the guest answers; the news server is asked
//! for its capabilities and put into its mode for readers, and hears nothing else.

use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::text::{look_up, split_word};
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use crate::session::{unavailable, Session};
use Part::{Quote, Say};

/// Longest command in bytes (RFC 3977 section 3.1), and longest line of a list of
/// capabilities.
pub const COMMAND_MAX: usize = 512;

/// Longest list of capabilities in bytes, and most lines of one. INN's has 15 lines.
pub const LIST_MAX: usize = 4096;
const LIST_LINES_MAX: u32 = 100;

/// Runs the conversation up to TLS.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    if accept::speaks_tls()? {
        return start_tls();
    }
    s.greet()?;
    accept::want_clear("STARTTLS")?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        match next(s)? {
            Command::Capabilities => {
                capabilities(s)?;
                say(s.list.bytes())?;
            }
            Command::ModeReader => {
                ask(s, b"MODE READER\r\n", "MODE READER", "answer to MODE READER")?;
                say(s.reply.bytes())?;
            }
            Command::Help => say(HELP)?,
            Command::Quit => {
                say(b"205 Bye\r\n")?;
                return Err(Refusal::new(Class::Peer, &[Say("client quit without STARTTLS")]));
            }
            Command::StartTls => {
                say(b"382 Continue with TLS negotiation\r\n")?;
                return start_tls();
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
    say(b"400 Too many commands without STARTTLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

#[derive(Clone, Copy)]
enum Command {
    Capabilities,
    ModeReader,
    Help,
    Quit,
    StartTls,
    Refused(&'static [u8]),
}

/// The answer to HELP (RFC 3977 section 7.2).
const HELP: &[u8] =
    b"100 Before TLS there are\r\n  CAPABILITIES\r\n  HELP\r\n  MODE READER\r\n  QUIT\r\n  STARTTLS\r\n.\r\n";

/// What commands of RFC 3977 and its extensions that wait until TLS is up are answered.
const LATER: Command = Command::Refused(b"483 Must issue a STARTTLS command first\r\n");

static COMMANDS: [(&str, Command); 32] = [
    ("CAPABILITIES", Command::Capabilities),
    ("MODE", Command::ModeReader),
    ("HELP", Command::Help),
    ("QUIT", Command::Quit),
    ("STARTTLS", Command::StartTls),
    ("ARTICLE", LATER),
    ("AUTHINFO", LATER),
    ("BODY", LATER),
    ("CHECK", LATER),
    ("COMPRESS", LATER),
    ("DATE", LATER),
    ("GROUP", LATER),
    ("HDR", LATER),
    ("HEAD", LATER),
    ("IHAVE", LATER),
    ("LAST", LATER),
    ("LIST", LATER),
    ("LISTGROUP", LATER),
    ("NEWGROUPS", LATER),
    ("NEWNEWS", LATER),
    ("NEXT", LATER),
    ("OVER", LATER),
    ("POST", LATER),
    ("SLAVE", LATER),
    ("STAT", LATER),
    ("TAKETHIS", LATER),
    ("XHDR", LATER),
    ("XOVER", LATER),
    ("XPAT", LATER),
    ("XGTITLE", LATER),
    ("XPATH", LATER),
    ("XREPLIC", LATER),
];

/// Reads a command and settles what to do with it.
fn next(s: &mut Session) -> Outcome<Command> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Command::Refused(b"501 Line too long\r\n")),
        Line::Control => return Ok(Command::Refused(b"501 Control character in command\r\n")),
    };
    let (verb, argument) = split_word(line);
    // CAPABILITIES may have an argument, which does not change it (RFC 3977 section 5.2).
    Ok(match look_up(verb, &COMMANDS).unwrap_or(Command::Refused(b"500 Command not recognized\r\n")) {
        Command::ModeReader if !argument.eq_ignore_ascii_case(b"READER") => LATER,
        Command::StartTls if !argument.is_empty() => Command::Refused(b"501 STARTTLS takes no argument\r\n"),
        command => command,
    })
}

/// Takes the server's capabilities, without those that wait for TLS and with STARTTLS. A
/// server older than the command gets the shortest list there is (RFC 3977 section 5.2).
fn capabilities(s: &mut Session) -> Outcome {
    ask(s, b"CAPABILITIES\r\n", "CAPABILITIES", "answer to CAPABILITIES")?;
    s.list.clear();
    s.list.add(b"101 Capability list:\r\n");
    if s.reply.code() != 101 {
        s.list.add(b"VERSION 2\r\nSTARTTLS\r\n.\r\n");
        return Ok(());
    }
    match take_list(s) {
        Ok(()) if !s.list.is_over() => Ok(()),
        Ok(()) => Err(unlike("the server's capabilities are longer than 4096 bytes")),
        Err(refusal) => Err(refusal),
    }
    .map_err(|refusal| {
        unavailable();
        refusal
    })
}

/// Reads the lines of a list up to the dot.
fn take_list(s: &mut Session) -> Outcome {
    for _ in 0..LIST_LINES_MAX {
        let line = match line::read(OUTGOING, &mut s.command) {
            Ok(Line::Text(line)) => line,
            Ok(Line::TooLong) => {
                return Err(unlike("a line of the server's capabilities is longer than 512 bytes"))
            }
            Ok(Line::Control) => return Err(unlike("the server's capabilities hold a control character")),
            Err(code) => return Err(Refusal::of(&["reading the server's capabilities"], code)),
        };
        if line == b"." {
            s.list.add(b"STARTTLS\r\n.\r\n");
            return Ok(());
        }
        let (name, _) = split_word(line);
        let hidden = ["AUTHINFO", "SASL", "STARTTLS"];
        if hidden.iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes())) {
            continue;
        }
        if line.first() == Some(&b'.') {
            let parts = [Say("the server's capabilities hold "), Quote(line)];
            return Err(Refusal::new(Class::Peer, &parts));
        }
        s.list.add(line).add(b"\r\n");
    }
    Err(unlike("the server's capabilities have more than 100 lines"))
}

/// Asks the news server. A 400 is its farewell at any time and the client's too.
fn ask(s: &mut Session, command: &[u8], what: &str, answer: &str) -> Outcome {
    OUTGOING.write(command).map_err(|code| {
        unavailable();
        Refusal::of(&["sending ", what], code)
    })?;
    s.read(answer)?;
    if s.reply.code() == 400 {
        say(s.reply.bytes())?;
        return s.reply.want(200, what);
    }
    Ok(())
}

/// Starts TLS (RFC 4642 section 2.2).
fn start_tls() -> Outcome {
    accept::start_tls("STARTTLS", b"580 Data after STARTTLS\r\n")
}

fn unlike(how: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(how)])
}
