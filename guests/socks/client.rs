//! Client mode: the outgoing side is a SOCKS 5 server inside TLS, which connects to the
//! target of protocolHost. The accepted side hears nothing of it and speaks to that
//! target from its first byte.

use stunnel::ip::Ip;
use stunnel::{host, Class, Outcome, Part, Refusal, OUTGOING};
use crate::options::{self, FIELD_MAX};
use crate::socks5::{self, ADDRESS_V4, ADDRESS_NAME, ADDRESS_V6, NO_METHOD, PASSWORD, VERSION, WITHOUT};
use crate::target::{Host, Target};
use crate::Session;
use Part::{Quote, Say};

/// Longest message: user name and password with a version and two lengths.
pub const MESSAGE_MAX: usize = 3 + 2 * FIELD_MAX;

#[inline(never)]
pub fn negotiate(s: &mut Session) -> Outcome {
    let target = options::target(&mut s.host)?;
    let login = options::credentials(&mut s.name, &mut s.password)?;
    host::connect().map_err(|code| Refusal::of(&["connecting to the SOCKS server"], code))?;
    OUTGOING.starttls().map_err(|code| Refusal::of(&["starting TLS with the SOCKS server"], code))?;

    match (choose(login.is_some())?, login) {
        (PASSWORD, Some((user, password))) => {
            s.out.clear();
            s.out.add(&[socks5::LOGIN_VERSION, user.len() as u8]).add(user);
            s.out.add(&[password.len() as u8]).add(password);
            log_in(s.out.bytes())?;
        }
        _ => {}
    }
    s.out.clear();
    s.out.add(&[VERSION, socks5::CONNECT, 0]);
    match target.host {
        Host::Ip(Ip::V4(ip)) => s.out.add(&[ADDRESS_V4]).add(&ip),
        Host::Ip(Ip::V6(ip)) => s.out.add(&[ADDRESS_V6]).add(&ip),
        Host::Name(name) => s.out.add(&[ADDRESS_NAME, name.len() as u8]).add(name),
    };
    s.out.add(&target.port.to_be_bytes());
    ask(s.out.bytes(), &target)
}

/// Agrees on a method (RFC 1928 section 3). A server that wants no password gets none.
fn choose(has_login: bool) -> Outcome<u8> {
    let offer: &[u8] = if has_login { &[VERSION, 2, WITHOUT, PASSWORD] } else { &[VERSION, 1, WITHOUT] };
    send(offer, "the methods")?;
    let mut answer = [0; 2];
    read(&mut answer, "choice of a method")?;
    match answer {
        [VERSION, WITHOUT] => Ok(WITHOUT),
        [VERSION, PASSWORD] if has_login => Ok(PASSWORD),
        [VERSION, NO_METHOD] if has_login => {
            Err(peer(&[Say("SOCKS server takes neither a password nor clients without one")]))
        }
        [VERSION, NO_METHOD] => {
            Err(peer(&[Say("SOCKS server wants a login: add protocolUsername and protocolPassword")]))
        }
        [VERSION, _] => Err(peer(&[Say("SOCKS server chose a method that was not offered")])),
        _ => Err(peer(&[Say("server does not speak SOCKS 5 but "), Quote(&answer)])),
    }
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
fn ask(request: &[u8], target: &Target) -> Outcome {
    send(request, "the request")?;
    let mut head = [0; 4];
    read(&mut head, "reply")?;
    // The address that follows is where the server connected from, which nobody asks for.
    // A refusal may come without one.
    let length = match head {
        [VERSION, 0, _, ADDRESS_V4] => 4,
        [VERSION, 0, _, ADDRESS_V6] => 16,
        [VERSION, 0, _, ADDRESS_NAME] => {
            let mut length = [0];
            read(&mut length, "reply")?;
            length[0] as usize
        }
        [VERSION, 0, ..] => return Err(peer(&[Say("SOCKS server's reply has an address of unknown type")])),
        [VERSION, code, ..] => {
            let text = target.text();
            let why = socks5::words(code);
            return Err(peer(&[Say("SOCKS server refused "), Quote(text.bytes()), Say(": "), Say(why)]));
        }
        _ => return Err(peer(&[Say("SOCKS server's reply is none: "), Quote(&head)])),
    };
    let mut address = [0; FIELD_MAX + 2];
    read(address.get_mut(..length + 2).unwrap_or(&mut []), "reply")
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
