//! Server mode: the accepted side is an SMTP client that asks for TLS, the
//! outgoing side a mail server that has none. Until TLS is up the guest itself
//! answers; the mail server hears the client's first word through the relay.

use stunnel::text::{chomp, has_control, split_word};
use stunnel::{host, Class, Code, Outcome, Part, Refusal, ACCEPTED};
use crate::reply::text;
use crate::{options, Session};
use Part::Say;

/// Longest command in bytes. RFC 5321 section 4.5.3.1.4 asks for 512; before
/// TLS no command that may be longer is taken.
pub const COMMAND_MAX: usize = 1024;

/// Longest host name in bytes that the guest answers EHLO with (RFC 5321
/// section 4.5.3.1.2). A greeting without a name, or with a longer word, goes on
/// unchanged.
pub const NAME_MAX: usize = 255;

/// Commands that are not taken before the client is told to go, as a bound for
/// scanners and for clients that cannot do TLS; and commands in all.
const REFUSED_MAX: u32 = 10;
const COMMANDS_MAX: u32 = 100;

/// The first byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Runs the conversation up to TLS.
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    if client_speaks_tls()? {
        return start_tls();
    }
    greet(s)?;
    commands(s)
}

/// Waits for a client that starts TLS without being asked, as on port 465, if
/// guestOption detectTLS gives a time for it.
fn client_speaks_tls() -> Outcome<bool> {
    let wait = options::detect_tls()?;
    if wait == 0 {
        return Ok(false);
    }
    let first = match ACCEPTED.readable_within(wait) {
        Ok(true) => ACCEPTED.peek_byte(),
        Ok(false) => Ok(None),
        Err(code) => Err(code),
    };
    first.map(|b| b == Some(TLS_HANDSHAKE)).map_err(from_client)
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
    if ACCEPTED.peek_byte().map_err(from_client)? == Some(TLS_HANDSHAKE) {
        // Such a client would wait for a ServerHello and the guest for a line end.
        return Err(Refusal::new(
            Class::Peer,
            &[Say("client spoke TLS without STARTTLS, which guestOption detectTLS=200 would allow")],
        ));
    }
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

enum Answer {
    Ready(&'static [u8]),
    Refused(&'static [u8]),
    Hello,
    OldHello,
    StartTls,
    Quit,
}

/// Commands of RFC 5321 and its extensions that wait until TLS is up.
const LATER: [&str; 15] = [
    "MAIL", "RCPT", "DATA", "BDAT", "AUTH", "VRFY", "EXPN", "HELP", "ETRN", "ATRN", "TURN", "SEND", "SOML",
    "SAML", "BURL",
];

/// Reads a command and settles its answer (RFC 5321 section 4.1.1, RFC 3207 section 4).
fn next(s: &mut Session, hello: bool) -> Outcome<Answer> {
    let n = match ACCEPTED.read_line(&mut s.command) {
        Ok(n) => n,
        Err(Code::TOO_LONG) => {
            discard_line(&mut s.command).map_err(from_client)?;
            return Ok(Answer::Refused(b"500 5.5.2 Line too long\r\n"));
        }
        Err(code) => return Err(from_client(code)),
    };
    let line = chomp(s.command.get(..n).unwrap_or(&[]));
    if has_control(line) {
        return Ok(Answer::Refused(b"500 5.5.2 Control character in command\r\n"));
    }
    let (verb, argument) = split_word(line);
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());

    Ok(if is("EHLO") || is("HELO") {
        if argument.is_empty() {
            return Ok(Answer::Refused(b"501 5.5.4 Host name missing\r\n"));
        }
        host::annotate("ehlo", argument);
        if is("EHLO") {
            Answer::Hello
        } else {
            Answer::OldHello
        }
    } else if is("STARTTLS") {
        if !argument.is_empty() {
            Answer::Refused(b"501 5.5.4 STARTTLS takes no argument\r\n")
        } else if !hello {
            // Only an answer to EHLO offers STARTTLS (RFC 3207 section 2).
            Answer::Refused(b"503 5.5.1 EHLO first\r\n")
        } else {
            Answer::StartTls
        }
    } else if is("NOOP") || is("RSET") {
        Answer::Ready(b"250 2.0.0 Ok\r\n")
    } else if is("QUIT") {
        Answer::Quit
    } else if LATER.iter().any(|name| is(name)) {
        Answer::Refused(b"530 5.7.0 Must issue a STARTTLS command first\r\n")
    } else {
        Answer::Refused(b"500 5.5.1 Command not recognized\r\n")
    })
}

/// Reads on to the end of a line that did not fit. The buffer's length is known
/// to hold no line end, so that nothing behind the line is lost.
fn discard_line(buf: &mut [u8]) -> host::Result<()> {
    loop {
        ACCEPTED.read_full(buf)?;
        match ACCEPTED.read_line(buf) {
            Err(Code::TOO_LONG) => {}
            other => return other.map(drop),
        }
    }
}

/// Starts TLS. A client that sent more before it saw the answer to STARTTLS is
/// refused: in what follows, plaintext from anyone on the path would be taken
/// for what the client says inside TLS (RFC 3207 section 6; CVE-2011-0411). The
/// host sees such bytes, and asking it before the 220 would cost every honest
/// client a wait, so that the refusal comes behind the 220.
fn start_tls() -> Outcome {
    ACCEPTED.starttls().map_err(|code| {
        if code == Code::INJECT {
            let _ = ACCEPTED.write(b"554 5.5.1 Data after STARTTLS\r\n");
            return Refusal::new(
                Class::Peer,
                &[Say("client sent data after STARTTLS without waiting for the answer")],
            );
        }
        Refusal::of(&["starting TLS with the client"], code)
    })
}

fn say(bytes: &[u8]) -> Outcome {
    ACCEPTED.write(bytes).map_err(|code| Refusal::of(&["answering the client"], code))
}

fn from_client(code: Code) -> Refusal {
    Refusal::of(&["reading the client's command"], code)
}
