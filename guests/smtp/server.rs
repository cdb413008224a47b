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

/// Longest command in bytes. RFC 5321 section 4.5.3.1.4 asks for 512; before
/// TLS no command that may be longer is taken.
pub const COMMAND_MAX: usize = 1024;

/// Longest host name in bytes that the guest answers EHLO with (RFC 5321
/// section 4.5.3.1.2). A greeting without a name, or with a longer word, goes on
/// unchanged.
pub const NAME_MAX: usize = 255;

/// Runs the conversation up to TLS.
#[inline(never)]
pub fn negotiate(s: &mut Session) -> Outcome {
    if accept::by_name() {
        return greet_first(s);
    }
    s.connect()?;
    if accept::speaks_tls()? {
        return start_tls();
    }
    greet(s)?;
    commands(s)
}

/// Greets without a mail server, since the name that the client asks for in TLS chooses
/// it; then the server's own greeting is the one too many.
fn greet_first(s: &mut Session) -> Outcome {
    if accept::speaks_tls()? {
        // This client has had no greeting and gets the server's.
        start_tls()?;
        return s.connect();
    }
    let mut buf = [0; VALUE_MAX];
    s.name.add(options::hello_name(&mut buf)?);
    s.line.clear();
    s.line.add(b"220 ").add(s.name.bytes()).add(dialect::WELCOME);
    say(s.line.bytes())?;
    commands(s)?;
    s.connect()?;
    s.swallow_greeting()
}

/// Forwards the server's greeting with "stunnel for" put behind the host name,
/// and keeps that name for the answer to EHLO.
fn greet(s: &mut Session) -> Outcome {
    s.greeting()?;
    let first = s.reply.lines().next().unwrap_or(&[]);
    let (name, rest) = split_word(text(first));
    if name.is_empty() || name.len() > NAME_MAX {
        s.name.add(b"localhost");
    } else {
        s.name.add(name);
        let at = 4 + name.len();
        let words: &[u8] = if rest.is_empty() { b" stunnel" } else { b" stunnel for" };
        s.reply.insert(at, words);
    }
    say(s.reply.bytes())
}

/// Answers commands until STARTTLS.
fn commands(s: &mut Session) -> Outcome {
    accept::want_clear("STARTTLS")?;
    let mut hello = false;
    let mut refused = 0;
    for _ in 0..COMMANDS_MAX {
        match next(s, hello)? {
            Answer::Ready(answer) => say(answer)?,
            Answer::Hello => {
                hello = true;
                s.line.clear();
                s.line.add(b"250-").add(s.name.bytes()).add(b"\r\n250 STARTTLS\r\n");
                say(s.line.bytes())?;
            }
            Answer::OldHello => {
                hello = false;
                s.line.clear();
                s.line.add(b"250 ").add(s.name.bytes()).add(b"\r\n");
                say(s.line.bytes())?;
            }
            Answer::Refused(answer) => {
                refused += 1;
                if refused == REFUSED_MAX {
                    break;
                }
                say(answer)?;
            }
            Answer::Quit => {
                say(b"221 2.0.0 Bye\r\n")?;
                return Err(Refusal::new(Class::Peer, &[Say("client quit without STARTTLS")]));
            }
            Answer::StartTls => {
                say(b"220 Go ahead\r\n")?;
                return start_tls();
            }
        }
    }
    say(b"421 4.7.0 Too many commands without STARTTLS\r\n")?;
    Err(Refusal::new(Class::Peer, &[Say("client sent too many commands without STARTTLS")]))
}

#[derive(Clone, Copy)]
enum Answer {
    Ready(&'static [u8]),
    Refused(&'static [u8]),
    Hello,
    OldHello,
    StartTls,
    Quit,
}
/// What a command is, as far as its answer goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Hello,
    OldHello,
    StartTls,
    Idle,
    Quit,
    /// It waits until TLS is up.
    Later,
}

/// The commands of RFC 5321 and its extensions.
static VERBS: [(&str, Verb); 21] = [
    (dialect::HELLO, Verb::Hello),
    (dialect::OLD_HELLO, Verb::OldHello),
    ("STARTTLS", Verb::StartTls),
    ("NOOP", Verb::Idle),
    ("RSET", Verb::Idle),
    ("QUIT", Verb::Quit),
    ("MAIL", Verb::Later),
    ("RCPT", Verb::Later),
    ("DATA", Verb::Later),
    ("BDAT", Verb::Later),
    ("AUTH", Verb::Later),
    ("VRFY", Verb::Later),
    ("EXPN", Verb::Later),
    ("HELP", Verb::Later),
    ("ETRN", Verb::Later),
    ("ATRN", Verb::Later),
    ("TURN", Verb::Later),
    ("SEND", Verb::Later),
    ("SOML", Verb::Later),
    ("SAML", Verb::Later),
    ("BURL", Verb::Later),
];

/// Reads a command and settles its answer (RFC 5321 section 4.1.1, RFC 3207 section 4).
fn next(s: &mut Session, hello: bool) -> Outcome<Answer> {
    let line = match line::read(ACCEPTED, &mut s.command).map_err(accept::reading)? {
        Line::Text(line) => line,
        Line::TooLong => return Ok(Answer::Refused(b"500 5.5.2 Line too long\r\n")),
        Line::Control => return Ok(Answer::Refused(b"500 5.5.2 Control character in command\r\n")),
    };
    let (verb, argument) = split_word(line);
    Ok(match look_up(verb, &VERBS) {
        Some(Verb::Hello | Verb::OldHello) if argument.is_empty() => Answer::Refused(b"501 5.5.4 Host name missing\r\n"),
        Some(hello @ (Verb::Hello | Verb::OldHello)) => {
            host::annotate(dialect::HELLO_FACT, argument);
            if hello == Verb::Hello {
                Answer::Hello
            } else {
                Answer::OldHello
            }
        }
        Some(Verb::StartTls) if !argument.is_empty() => Answer::Refused(b"501 5.5.4 STARTTLS takes no argument\r\n"),
        // Only an answer to EHLO offers STARTTLS (RFC 3207 section 2).
        Some(Verb::StartTls) if !hello => Answer::Refused(dialect::HELLO_FIRST),
        Some(Verb::StartTls) => Answer::StartTls,
        Some(Verb::Idle) => Answer::Ready(b"250 2.0.0 Ok\r\n"),
        Some(Verb::Quit) => Answer::Quit,
        Some(Verb::Later) => Answer::Refused(b"530 5.7.0 Must issue a STARTTLS command first\r\n"),
        None => Answer::Refused(b"500 5.5.1 Command not recognized\r\n"),
    })
}

/// Starts TLS (RFC 3207 section 4).
fn start_tls() -> Outcome {
    accept::start_tls("STARTTLS", b"554 5.5.1 Data after STARTTLS\r\n")
}
