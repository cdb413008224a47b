//! Server mode: the accepted side is an SMTP client that asks for TLS, the
//! outgoing side a mail server that has none. Until TLS is up the guest itself
//! answers; the mail server hears the client's first word through the relay.

use stunnel::accept::{self, say, COMMANDS_MAX, REFUSED_MAX};
use stunnel::line::{self, Line};
use stunnel::option::VALUE_MAX;
use stunnel::reply::text;
use stunnel::text::{look_up, split_word};
use stunnel::{host, Class, Outcome, Part, Refusal, ACCEPTED};
use crate::session::Session;
use crate::{dialect, options};
use Part::Say;

/// The command that asks for TLS.
static STARTTLS: accept::Command = accept::command!("STARTTLS");

/// Longest command in bytes. RFC 5321 section 4.5.3.1.4 asks for 512; before
/// TLS no command that may be longer is taken.
pub const COMMAND_MAX: usize = 1024;

/// Longest host name in bytes that the guest answers EHLO with (RFC 5321
/// section 4.5.3.1.2). A greeting without a name, or with a longer word, goes on
/// unchanged.
pub const NAME_MAX: usize = 255;

/// Room for what the guest puts into the server's greeting.
pub const WORDS_MAX: usize = 16;

/// Runs the conversation up to TLS. Where the name that the client asks for in TLS chooses
/// the mail server, the guest greets without one, and the server's own greeting is the one
/// too many; but a client that speaks TLS at once has had none.
pub fn negotiate(s: &mut Session) -> Outcome {
    let by_name = accept::by_name();
    if !by_name {
        s.connect()?;
    }
    let clear = !accept::speaks_tls()?;
    if clear {
        if by_name {
            let mut buf = [0; VALUE_MAX];
            s.name.add(options::hello_name(&mut buf)?);
            say_name(s, b"220 ", dialect::WELCOME)?;
        } else {
            greet(s)?;
        }
        commands(s)?;
    }
    start_tls()?;
    if by_name {
        s.connect()?;
        if clear {
            s.greeting(true)?;
        }
    }
    Ok(())
}

/// Forwards the server's greeting with "stunnel for" put behind the host name,
/// and keeps that name for the answer to EHLO.
fn greet(s: &mut Session) -> Outcome {
    s.greeting(false)?;
    let (name, rest) = split_word(text(s.reply.first()));
    if name.is_empty() || name.len() > NAME_MAX {
        s.name.add(b"localhost");
        return say(s.reply.bytes());
    }
    s.name.add(name);
    let (whole, end) = (s.reply.bytes(), 4 + name.len());
    s.out.clear();
    s.out.add(whole.get(..end).unwrap_or(&[]));
    s.out.add(if rest.is_empty() { b" stunnel" } else { b" stunnel for" });
    s.out.add(whole.get(end..).unwrap_or(&[]));
    say(s.out.bytes())
}

/// Says a line that has the host name in it.
#[inline(never)]
fn say_name(s: &mut Session, before: &[u8], behind: &[u8]) -> Outcome {
    s.out.clear();
    s.out.add(before).add(s.name.bytes()).add(behind);
    say(s.out.bytes())
}

/// Answers commands up to STARTTLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear(&STARTTLS)?;
    let mut hello = false;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        let answer = next(s, hello)?;
        match answer.to {
            Verb::Hello | Verb::OldHello => {
                hello = answer.to == Verb::Hello;
                say_name(s, answer.text, if hello { b"\r\n250 STARTTLS\r\n" } else { b"\r\n" })?;
                continue;
            }
            Verb::Refused => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
            }
            _ => {}
        }
        say(answer.text)?;
        match answer.to {
            Verb::StartTls => return Ok(()),
            Verb::Quit => return Err(Refusal::new(Class::Peer, &[Say("client quit without STARTTLS")])),
            _ => {}
        }
    }
    say(b"421 4.7.0 Too many commands without STARTTLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

/// What a command is answered.
struct Answer {
    to: Verb,
    /// The whole answer, or what stands before the host name.
    text: &'static [u8],
}

/// What a command is, as far as its answer goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Hello,
    OldHello,
    StartTls,
    Idle,
    Quit,
    Refused,
}

const fn refused(text: &'static [u8]) -> Answer {
    Answer { to: Verb::Refused, text }
}

const LATER: Answer = refused(b"530 5.7.0 Must issue a STARTTLS command first\r\n");
const IDLE: Answer = Answer { to: Verb::Idle, text: b"250 2.0.0 Ok\r\n" };

/// The commands of RFC 5321 and its extensions.
static VERBS: [(&str, Answer); 21] = [
    (dialect::HELLO, Answer { to: Verb::Hello, text: b"250-" }),
    (dialect::OLD_HELLO, Answer { to: Verb::OldHello, text: b"250 " }),
    ("STARTTLS", Answer { to: Verb::StartTls, text: b"220 Go ahead\r\n" }),
    ("NOOP", IDLE),
    ("RSET", IDLE),
    ("QUIT", Answer { to: Verb::Quit, text: b"221 2.0.0 Bye\r\n" }),
    ("MAIL", LATER),
    ("RCPT", LATER),
    ("DATA", LATER),
    ("BDAT", LATER),
    ("AUTH", LATER),
    ("VRFY", LATER),
    ("EXPN", LATER),
    ("HELP", LATER),
    ("ETRN", LATER),
    ("ATRN", LATER),
    ("TURN", LATER),
    ("SEND", LATER),
    ("SOML", LATER),
    ("SAML", LATER),
    ("BURL", LATER),
];

/// Refusals of commands that are none of these, or not as they should be.
static UNKNOWN: Answer = refused(b"500 5.5.1 Command not recognized\r\n");
static TOO_LONG: Answer = refused(b"500 5.5.2 Line too long\r\n");
static CONTROL: Answer = refused(b"500 5.5.2 Control character in command\r\n");
static NO_NAME: Answer = refused(b"501 5.5.4 Host name missing\r\n");
static ARGUMENT: Answer = refused(b"501 5.5.4 STARTTLS takes no argument\r\n");
static HELLO_FIRST: Answer = refused(dialect::HELLO_FIRST);

/// Reads a command and settles its answer (RFC 5321 section 4.1.1, RFC 3207 section 4).
fn next(s: &mut Session, hello: bool) -> Outcome<&'static Answer> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(&TOO_LONG),
        Line::Control => return Ok(&CONTROL),
    };
    let (verb, argument) = split_word(line);
    let answer = look_up(verb, &VERBS).unwrap_or(&UNKNOWN);
    match answer.to {
        Verb::Hello | Verb::OldHello if argument.is_empty() => return Ok(&NO_NAME),
        Verb::Hello | Verb::OldHello => host::annotate(dialect::HELLO_FACT, argument),
        Verb::StartTls if !argument.is_empty() => return Ok(&ARGUMENT),
        // Only an answer to EHLO offers STARTTLS (RFC 3207 section 2).
        Verb::StartTls if !hello => return Ok(&HELLO_FIRST),
        _ => {}
    }
    Ok(answer)
}

/// Starts TLS (RFC 3207 section 4).
fn start_tls() -> Outcome {
    accept::start_tls(&STARTTLS, b"554 5.5.1 Data after STARTTLS\r\n")
}
