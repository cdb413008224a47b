//! Client mode: the outgoing side is a SOCKS 5 server inside TLS, which connects to the
//! target of protocolHost. The accepted side hears nothing of it and speaks to that
//! target from its first byte.

use stunnel::{host, Class, Outcome, Part, Refusal, OUTGOING};
use crate::options::{self, FIELD_MAX};
use crate::socks5::{self, ADDRESS_V4, ADDRESS_NAME, ADDRESS_V6, NO_METHOD, PASSWORD, VERSION, WITHOUT};
use crate::Session;
use Part::{Quote, Say};

/// Longest message: user name and password with a version and two lengths.
pub const MESSAGE_MAX: usize = 3 + 2 * FIELD_MAX;

#[inline(never)]
pub fn negotiate(s: &mut Session) -> Outcome {
    options::target(&mut s.host, &mut s.target)?;
    let has_login = write_login(s)?;
    host::connect().map_err(|code| Refusal::of(&["connecting to the SOCKS server"], code))?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the SOCKS server"], code))?;

    agree(s, has_login)?;
    s.out.clear();
    s.out.add(&[VERSION, socks5::CONNECT, 0, s.target.kind]);
    let host = s.target.host.bytes();
    if s.target.kind == ADDRESS_NAME {
        s.out.add(&[host.len() as u8]);
    }
    s.out.add(host).add(&s.target.port.to_be_bytes());
    ask(s)
}

/// Writes user name and password (RFC 1929 section 2), if the service logs in.
fn write_login(s: &mut Session) -> Outcome<bool> {
    let login = options::credentials(&mut s.name, &mut s.password)?;
    if let Some((user, password)) = login {
        s.out.add(&[socks5::LOGIN_VERSION, user.len() as u8]).add(user);
        s.out.add(&[password.len() as u8]).add(password);
    }
    Ok(login.is_some())
}

/// Agrees on a method (RFC 1928 section 3), and logs in if it is the one with a password: a
/// server that wants none gets none.
fn agree(s: &Session, has_login: bool) -> Outcome {
    let offer: &[u8] = if has_login { &[VERSION, 2, WITHOUT, PASSWORD] } else { &[VERSION, 1, WITHOUT] };
    send(offer, "the methods")?;
    let mut answer = [0; 2];
    read(&mut answer, "choice of a method")?;
    let [version, method] = answer;
    if version != VERSION {
        return Err(peer(&[Say("server does not speak SOCKS 5 but "), Quote(&answer)]));
    }
    if method == WITHOUT {
        return Ok(());
    }
    if method == PASSWORD && has_login {
        return log_in(s.out.bytes());
    }
    let why = match (method, has_login) {
        (NO_METHOD, true) => "SOCKS server takes neither a password nor clients without one",
        (NO_METHOD, false) => "SOCKS server wants a login: add protocolUsername and protocolPassword",
        _ => "SOCKS server chose a method that was not offered",
    };
    Err(peer(&[Say(why)]))
}

/// Logs in (RFC 1929). The version in the answer is not looked at: servers are about that
/// put that of SOCKS there.
fn log_in(message: &[u8]) -> Outcome {
    send(message, "user name and password")?;
    let mut answer = [0; 2];
    read(&mut answer, "answer to the login")?;
    match answer {
        [_, 0] => Ok(()),
        _ => Err(peer(&[Say("SOCKS server refused user name and password")])),
    }
}

/// Asks for the target (RFC 1928 sections 4 to 6).
#[inline(never)]
fn ask(s: &mut Session) -> Outcome {
    send(s.out.bytes(), "the request")?;
    let mut head = [0; 4];
    read(&mut head, "reply")?;
    let [version, code, _, kind] = head;
    if version != VERSION {
        return Err(peer(&[Say("SOCKS server's reply is none: "), Quote(&head)]));
    }
    // A refusal may come without an address.
    if code != 0 {
        s.target.write(&mut s.out);
        let parts = [Say("SOCKS server refused "), Quote(s.out.bytes()), Say(": "), Say(socks5::words(code))];
        return Err(peer(&parts));
    }
    // The address that follows is where the server connected from, which nobody asks for.
    let length = match kind {
        ADDRESS_V4 => 4,
        ADDRESS_V6 => 16,
        ADDRESS_NAME => {
            let mut length = [0];
            read(&mut length, "reply")?;
            length[0] as usize
        }
        _ => return Err(peer(&[Say("SOCKS server's reply has an address of unknown type")])),
    };
    let room = s.host.get_mut(..length + 2); // which nobody reads any more
    read(room.unwrap_or(&mut []), "reply")
}

fn send(bytes: &[u8], what: &str) -> Outcome {
    OUTGOING.write(bytes).map_err(|code| Refusal::of(&["sending the SOCKS server ", what], code))
}

fn read(buf: &mut [u8], what: &str) -> Outcome {
    OUTGOING.read_full(buf).map_err(|code| Refusal::of(&["reading the SOCKS server's ", what], code))
}

fn peer(parts: &[Part]) -> Refusal {
    Refusal::new(Class::Peer, parts)
}
