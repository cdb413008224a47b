//! Client mode: the accepted side is a local SMTP client without TLS, the
//! outgoing side a mail server that offers STARTTLS (RFC 3207), and AUTH inside
//! it (RFC 4954) if the service has a user name and a password.

use stunnel::option::{self, VALUE_MAX};
use stunnel::text::{has, is_word, split_word};
use stunnel::{Class, Outcome, Part, Refusal, Text, ACCEPTED, OUTGOING};
use crate::dialect;
use crate::options::{self, Mechanism};
use crate::session::Session;
use Part::{Quote, Say};

/// Longest message of PLAIN: two zero bytes and two values (RFC 4616).
const PLAIN_MAX: usize = 2 * VALUE_MAX + 2;

/// Runs the conversation up to the relay. The local client has its greeting by
/// the time that TLS starts, as with stunnel, and its EHLO waits; whatever goes
/// wrong from then on is its answer, in a code that lets it try again later
/// (RFC 5321 section 3.8: 421 answers any command).
pub fn negotiate(s: &mut Session) -> Outcome {
    s.connect()?;
    s.greeting(false)?;
    ACCEPTED.write(s.reply.bytes()).map_err(|code| Refusal::of(&["forwarding the greeting"], code))?;
    start_tls(s).map_err(|refusal| apologize(b"421 4.7.0 No TLS with the mail server\r\n", refusal))?;
    log_in(s).map_err(|refusal| apologize(b"421 4.7.0 No login at the mail server\r\n", refusal))
}

/// Upgrades the server side (RFC 3207 section 4).
fn start_tls(s: &mut Session) -> Outcome {
    hello(s)?;
    if s.reply.extension("STARTTLS").is_none() {
        return Err(Refusal::new(Class::Peer, &[Say("server does not offer STARTTLS")]));
    }
    s.reply.ask(b"STARTTLS\r\n", "STARTTLS", 220)?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the server"], code))
}

/// Logs in inside TLS. What the server said before TLS counts no more
/// (RFC 3207 section 4.2), so EHLO comes again.
fn log_in(s: &mut Session) -> Outcome {
    let (mut user, mut password) = ([0; VALUE_MAX], [0; VALUE_MAX]);
    let (user, password) = match option::login(&mut user, &mut password)? {
        Some(both) => both,
        None => return Ok(()),
    };
    let mechanism = options::mechanism()?;
    hello(s)?;
    match s.reply.extension("AUTH") {
        None => return Err(Refusal::new(Class::Peer, &[Say("server does not offer AUTH")])),
        Some(offered) if !contains_word(offered, mechanism.name()) => {
            let parts =
                [Say("server does not offer AUTH "), Say(mechanism.name()), Say(" but "), Quote(offered)];
            return Err(Refusal::new(Class::Peer, &parts));
        }
        Some(_) => {}
    }
    match mechanism {
        Mechanism::Plain => auth_plain(s, user, password),
        Mechanism::Login => auth_login(s, user, password),
    }
}

/// One message: no authorization identity, user, password (RFC 4616), as the
/// initial response (RFC 4954 section 4).
fn auth_plain(s: &mut Session, user: &[u8], password: &[u8]) -> Outcome {
    if has(user, 0) || has(password, 0) {
        // A zero byte separates the fields; one within would shift them.
        return Err(Refusal::new(Class::Config, &[Say("user name or password holds a zero byte")]));
    }
    let mut message = Text::<PLAIN_MAX>::new();
    message.add(b"\0").add(user).add(b"\0").add(password);
    send_base64(s, "AUTH PLAIN", b"AUTH PLAIN ", message.bytes(), 235)
}

/// User name and password each on request. No RFC has it; every server does.
fn auth_login(s: &mut Session, user: &[u8], password: &[u8]) -> Outcome {
    s.reply.ask(b"AUTH LOGIN\r\n", "AUTH LOGIN", 334)?;
    send_base64(s, "AUTH LOGIN", b"", user, 334)?;
    send_base64(s, "AUTH LOGIN", b"", password, 235)
}

/// Sends a value in base64, and wants a code.
#[inline(never)]
fn send_base64(s: &mut Session, command: &str, before: &[u8], value: &[u8], code: u32) -> Outcome {
    s.out.clear();
    s.out.add(before).add_base64(value).add(b"\r\n");
    s.reply.ask(s.out.bytes(), command, code)
}

/// Sends EHLO and needs a 250.
fn hello(s: &mut Session) -> Outcome {
    let mut buf = [0; VALUE_MAX];
    let name = options::hello_name(&mut buf)?;
    s.out.clear();
    s.out.add(dialect::HELLO.as_bytes()).add(b" ").add(name).add(b"\r\n");
    s.reply.ask(s.out.bytes(), dialect::HELLO, 250)
}

/// Tells the local client. That it may be gone adds nothing to the refusal.
fn apologize(answer: &[u8], refusal: Refusal) -> Refusal {
    let _ = ACCEPTED.write(answer);
    refusal
}

fn contains_word(mut list: &[u8], word: &str) -> bool {
    while !list.is_empty() {
        let (first, rest) = split_word(list);
        if is_word(first, word) {
            return true;
        }
        list = rest;
    }
    false
}
