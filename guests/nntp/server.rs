//! Server mode: the accepted side is a news reader that asks for TLS, the outgoing side a
//! news server that has none. Until TLS is up the guest answers; the news server is asked
//! for its capabilities and put into its mode for readers, and hears nothing else.

use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::text::{is_among, is_word, look_up, split_word};
use stunnel::{Class, Outcome, Part, Refusal, ACCEPTED, OUTGOING};
use crate::session::{unavailable, Session};
use Part::{Quote, Say};

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

/// Longest command in bytes (RFC 3977 section 3.1), and longest line of a list of
/// capabilities.
pub const COMMAND_MAX: usize = 512;

/// Longest list of capabilities in bytes, and most lines of one. INN's has 15 lines.
pub const LIST_MAX: usize = 4096;
const LIST_LINES_MAX: u32 = 100;

/// Runs the conversation up to TLS.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    if !accept::speaks_tls()? {
        s.greet()?;
        commands(s)?;
    }
    accept::start_tls(&STARTTLS, b"580 Data after STARTTLS\r\n")
}

/// Answers commands up to STARTTLS (RFC 4642 section 2.2).
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&STARTTLS)?;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = next(s)?;
        let text = match answer.to {
            Verb::Capabilities => {
                capabilities(s)?;
                s.list.bytes()
            }
            Verb::ModeReader => {
                ask(s, b"MODE READER\r\n", "MODE READER")?;
                s.reply.bytes()
            }
            Verb::Refused => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
                answer.text
            }
            _ => answer.text,
        };
        say(text)?;
        match answer.to {
            Verb::StartTls => return Ok(()),
            Verb::Quit => return Err(unlike("client quit without STARTTLS")),
            _ => {}
        }
    }
    say(b"400 Too many commands without STARTTLS\r\n")?;
    Err(unlike("client sent too many commands without STARTTLS"))
}

/// What a command is answered.
struct Answer {
    to: Verb,
    /// The answer, if the news server is not asked for it.
    text: &'static [u8],
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Capabilities,
    ModeReader,
    Help,
    Quit,
    StartTls,
    Refused,
}

const fn answer(to: Verb, text: &'static [u8]) -> Answer {
    Answer { to, text }
}

const fn refused(text: &'static [u8]) -> Answer {
    answer(Verb::Refused, text)
}

/// The answer to HELP (RFC 3977 section 7.2).
const HELP: &[u8] =
    b"100 Before TLS there are\r\n  CAPABILITIES\r\n  HELP\r\n  MODE READER\r\n  QUIT\r\n  STARTTLS\r\n.\r\n";

/// What commands of RFC 3977 and its extensions that wait until TLS is up are answered.
const LATER: Answer = refused(b"483 Must issue a STARTTLS command first\r\n");

static COMMANDS: [(&str, Answer); 32] = [
    ("CAPABILITIES", answer(Verb::Capabilities, b"")),
    ("MODE", answer(Verb::ModeReader, b"")),
    ("HELP", answer(Verb::Help, HELP)),
    ("QUIT", answer(Verb::Quit, b"205 Bye\r\n")),
    ("STARTTLS", answer(Verb::StartTls, b"382 Continue with TLS negotiation\r\n")),
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

/// What any other is answered, and one that is not as it should be.
static UNKNOWN: Answer = refused(b"500 Command not recognized\r\n");
static NO_READER: Answer = LATER;
static TOO_LONG: Answer = refused(b"501 Line too long\r\n");
static CONTROL: Answer = refused(b"501 Control character in command\r\n");
static ARGUMENT: Answer = refused(b"501 STARTTLS takes no argument\r\n");

/// Reads a command and settles its answer.
fn next(s: &mut Session) -> Outcome<&'static Answer> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    let (verb, argument) = split_word(line);
    // CAPABILITIES may have an argument, which does not change it (RFC 3977 section 5.2).
    let answer = look_up(verb, &COMMANDS).unwrap_or(&UNKNOWN);
    Ok(match answer.to {
        Verb::ModeReader if !is_word(argument, "READER") => &NO_READER,
        Verb::StartTls if !argument.is_empty() => &ARGUMENT,
        _ => answer,
    })
}

/// Takes the server's capabilities, without those that wait for TLS and with STARTTLS. A
/// server older than the command gets the shortest list there is (RFC 3977 section 5.2).
fn capabilities(s: &mut Session) -> Outcome {
    ask(s, b"CAPABILITIES\r\n", "CAPABILITIES")?;
    s.list.clear();
    s.list.add(b"101 Capability list:\r\n");
    if s.reply.code() != 101 {
        s.list.add(b"VERSION 2\r\nSTARTTLS\r\n.\r\n");
        return Ok(());
    }
    take_list(s).map_err(unavailable)
}

/// Capabilities that wait for TLS.
static HIDDEN: [&str; 3] = ["AUTHINFO", "SASL", "STARTTLS"];

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
            if s.list.is_over() {
                return Err(unlike("the server's capabilities are longer than 4096 bytes"));
            }
            return Ok(());
        }
        if is_among(split_word(line).0, &HIDDEN) {
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
fn ask(s: &mut Session, line: &[u8], command: &str) -> Outcome {
    OUTGOING.write(line).map_err(|code| unavailable(Refusal::of(&["sending ", command], code)))?;
    s.reply.read_answer(command).map_err(unavailable)?;
    if s.reply.code() == 400 {
        say(s.reply.bytes())?;
        return s.reply.want(200, command);
    }
    Ok(())
}

/// Refuses what a peer does, by one sentence.
fn unlike(why: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(why)])
}
