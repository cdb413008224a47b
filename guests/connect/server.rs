//! Server mode: the accepted side is a client that asks for a target by CONNECT, before
//! TLS as stunnel's clients do, or inside it. The target is connected before the answer,
//! so that the answer is true.

use crate::options;
use crate::request::answer;
use crate::Session;
use stunnel::host::{self, annotate, digest, random, secret, set_alpn, set_target, warn, Alg};
use stunnel::text::{has, Parts};
use stunnel::{Class, Code, Outcome, Part, Refusal, ACCEPTED};
use Part::{Quote, Say};

/// All the lines of userPassword together, in bytes.
const LOGINS_MAX: usize = 4096;

/// What the client inside TLS may speak.
const ALPN: &str = "http/1.1";

/// The challenge of Basic (RFC 7617 section 2.1).
const CHALLENGE: &str = "Proxy-Authenticate: Basic realm=\"stunnel\"\r\n";

/// Runs the conversation up to TLS with the client, which the host does when it is not
/// done: what the client sent behind its request is the handshake, and is checked as such.
pub fn negotiate(s: &mut Session) -> Outcome {
    if options::inside()? {
        set_alpn(ALPN).map_err(|code| Refusal::of(&["choosing ALPN"], code))?;
        ACCEPTED.starttls().map_err(|code| Refusal::of(&["starting TLS with the client"], code))?;
    }
    s.request.read(&mut s.line)?;
    log_in(s)?;
    annotate("target", s.request.target.bytes());
    connect(s)?;
    ACCEPTED
        .write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .map_err(|code| Refusal::of(&["answering the client"], code))
}

/// Dials the target, and says why it cannot be reached.
fn connect(s: &Session) -> Outcome {
    let target = s.request.target.bytes();
    let code = match set_target(target).and_then(|_| host::connect()) {
        Ok(()) => return Ok(()),
        Err(code) => code,
    };
    let (status, class) = match code {
        Code::INVAL => ("400 Bad Request", Class::Peer),
        Code::DENIED => ("403 Forbidden", Class::Policy),
        Code::HOST => ("404 Not Found", Class::Peer), // as stunnel
        Code::TIMEOUT => ("504 Gateway Timeout", Class::Peer),
        Code::REFUSED | Code::NET | Code::IO => ("502 Bad Gateway", Class::Peer),
        _ => ("500 Internal Server Error", Class::Internal),
    };
    answer(status, "");
    Err(Refusal::new(class, &[Say("connecting to "), Quote(target), Say(": "), Say(code.words())]))
}

/// Asks for one of the service's logins, if it has any.
#[inline(never)]
fn log_in(s: &mut Session) -> Outcome {
    let logins = match secret("option.userPassword", s.line.get_mut(..LOGINS_MAX).unwrap_or(&mut [])) {
        Ok(logins) => logins,
        Err(Code::NONE) => return Ok(()),
        Err(code) => {
            answer("500 Internal Server Error", "");
            if code == Code::TOO_LONG {
                let why = "guestOption userPassword: all values together are longer than 4096 bytes";
                return Err(Refusal::new(Class::Config, &[Say(why)]));
            }
            return Err(Refusal::of(&["reading guestOption userPassword"], code));
        }
    };
    if Parts::of(logins, b'\n').any(|line| !has(line, b':')) {
        // Nobody can log in by it, and configure cannot read it.
        warn("guestOption userPassword: a value is not NAME:PASSWORD");
    }
    let given = match s.request.login() {
        Some(login) => login,
        None => return Err(unauthorized(&[Say("the client does not log in by Basic")])),
    };
    let name = Parts::of(given, b':').next().unwrap_or(&[]);
    if !is_known(given, logins)? {
        return Err(unauthorized(&[Say("the client's login is wrong: user "), Quote(name)]));
    }
    annotate("user", name);
    Ok(())
}

/// Asks the client for a login, and makes the refusal.
fn unauthorized(parts: &[Part]) -> Refusal {
    answer("407 Proxy Authentication Required", CHALLENGE);
    Refusal::new(Class::Policy, parts)
}

/// Whether a login is one of the lines. How long this takes depends on the lines alone:
/// all are compared to the end, and under a key of this moment, so that neither a prefix
/// nor a length shows.
fn is_known(given: &[u8], logins: &[u8]) -> Outcome<bool> {
    let mut key = [0; 32];
    random(&mut key).map_err(unchecked)?;
    let (mut mac, mut other) = ([0; 32], [0; 32]);
    set_mac(&mut mac, &key, given)?;
    let mut known = false;
    for line in Parts::of(logins, b'\n') {
        set_mac(&mut other, &key, line)?;
        let differ = mac.iter().zip(&other).fold(0, |differ, (a, b)| differ | a ^ b);
        // A line without a colon is no login, and no login is empty.
        known |= (differ == 0) & has(line, b':');
    }
    Ok(known)
}

#[inline(never)]
fn set_mac(mac: &mut [u8; 32], key: &[u8; 32], text: &[u8]) -> Outcome {
    match &digest(Alg::Sha256, key, text) {
        Ok(made) => *mac = *made,
        Err(code) => return Err(unchecked(*code)),
    }
    Ok(())
}

fn unchecked(code: Code) -> Refusal {
    Refusal::of(&["checking the client's login"], code)
}
