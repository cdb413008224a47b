//! SOCKS 5 as its server speaks it: RFC 1928, with user name and password by RFC 1929.

use stunnel::text::has;
use stunnel::{host, Class, Outcome, Part, Refusal, Text};
use crate::options::{self, FIELD_MAX};
use crate::server::{self, read, say, Failure};
use crate::Session;
use Part::{Quote, Say};

pub const VERSION: u8 = 5;

/// Methods (RFC 1928 section 3).
pub const WITHOUT: u8 = 0;
pub const PASSWORD: u8 = 2;
pub const NO_METHOD: u8 = 0xff;

/// The version of the login (RFC 1929 section 2).
pub const LOGIN_VERSION: u8 = 1;

/// Commands (RFC 1928 section 4), and Tor's, which asks for a name's address.
pub const CONNECT: u8 = 1;
pub const BIND: u8 = 2;
pub const ASSOCIATE: u8 = 3;
pub const RESOLVE: u8 = 0xf0;

/// Types of addresses (RFC 1928 section 5).
pub const ADDRESS_V4: u8 = 1;
pub const ADDRESS_NAME: u8 = 3;
pub const ADDRESS_V6: u8 = 4;

/// Longest address and port.
pub const BOUND_MAX: usize = 18;

/// Replies but for success (RFC 1928 section 6).
#[derive(Clone, Copy)]
pub enum Reply {
    General = 1,
    NotAllowed = 2,
    Network = 3,
    Host = 4,
    Refused = 5,
    Expired = 6,
    Command = 7,
    Address = 8,
}

/// A reply in words.
pub fn words(code: u8) -> &'static str {
    match code {
        1 => "general failure (code 1)",
        2 => "not allowed by its rules (code 2)",
        3 => "network unreachable (code 3)",
        4 => "host unreachable (code 4)",
        5 => "connection refused (code 5)",
        6 => "timed out (code 6)",
        7 => "command not supported (code 7)",
        8 => "address type not supported (code 8)",
        _ => "a code that RFC 1928 does not have",
    }
}

/// Agrees on a method, and logs the client in where the config asks for it.
fn agree(s: &mut Session) -> Outcome {
    let users = options::users(&mut s.users)?;
    let methods = counted(&mut s.name, "methods")?;
    let wanted = if users.is_some() { PASSWORD } else { WITHOUT };
    if !has(methods, wanted) {
        let _ = say(&[VERSION, NO_METHOD]);
        let why = if users.is_some() {
            "client offers no user name and password"
        } else {
            "client offers no method without a login"
        };
        return Err(Refusal::new(Class::Policy, &[Say(why)]));
    }
    say(&[VERSION, wanted])?;
    match users {
        Some(users) => log_in(users, &mut s.name, &mut s.password),
        None => Ok(()),
    }
}

/// Takes user name and password (RFC 1929 section 2).
fn log_in(users: &[u8], name: &mut [u8; FIELD_MAX], password: &mut [u8; FIELD_MAX]) -> Outcome {
    let mut version = [0];
    read(&mut version, "login")?;
    if version != [LOGIN_VERSION] {
        let _ = say(&[LOGIN_VERSION, 1]);
        return Err(Refusal::new(Class::Peer, &[Say("client's login is not of RFC 1929")]));
    }
    let name = counted(name, "login")?;
    let password = counted(password, "login")?;
    if !options::is_user(users, name, password) {
        let _ = say(&[LOGIN_VERSION, 1]);
        return Err(Refusal::new(Class::Policy, &[Say("wrong password, or no such user: "), Quote(name)]));
    }
    host::annotate("user", name);
    say(&[LOGIN_VERSION, 0])
}

/// Reads a byte, and a text of as many.
#[inline(never)]
fn counted<'a>(room: &'a mut [u8], what: &str) -> Outcome<&'a [u8]> {
    let mut length = [0];
    read(&mut length, what)?;
    let text = room.get_mut(..length[0] as usize).unwrap_or(&mut []);
    if !text.is_empty() {
        read(text, what)?;
    }
    Ok(text)
}

/// Agrees on a method, reads a request, takes its target, and gives its command.
pub fn request(s: &mut Session) -> server::Result<u8> {
    agree(s)?;
    let mut head = [0; 4];
    read(&mut head, "request")?;
    let [version, command, _, kind] = head;
    if version != VERSION {
        let parts = [Say("client's request is not of SOCKS 5 but "), Quote(&head)];
        return Err(Failure::new(Reply::General, Class::Peer, &parts));
    }
    let length = match kind {
        ADDRESS_V4 => read_address(s, 4)?,
        ADDRESS_V6 => read_address(s, 16)?,
        ADDRESS_NAME => counted(&mut s.host, "request")?.len(),
        _ => {
            let parts = [Say("client's request has an address of unknown type")];
            return Err(Failure::new(Reply::Address, Class::Peer, &parts));
        }
    };
    let mut port = [0; 2];
    read(&mut port, "request")?;
    s.target.port = u16::from_be_bytes(port);
    if kind == ADDRESS_NAME {
        server::take_host(s, length)?;
    } else {
        s.target.kind = kind;
        s.target.host.add(s.host.get(..length).unwrap_or(&[]));
    }
    Ok(command)
}

fn read_address(s: &mut Session, length: usize) -> Outcome<usize> {
    read(s.host.get_mut(..length).unwrap_or(&mut []), "request")?;
    Ok(length)
}

/// Writes a reply (RFC 1928 section 6); an address that is not known is 0.0.0.0.
pub fn reply<const N: usize>(failure: Option<Reply>, bound: &[u8], out: &mut Text<N>) {
    let code = failure.map_or(0, |reply| reply as u8);
    let kind = if bound.len() > 6 { ADDRESS_V6 } else { ADDRESS_V4 };
    out.add(&[VERSION, code, 0, kind]).add(if bound.is_empty() { &[0; 6] } else { bound });
}
