//! SOCKS 5 as its server speaks it: RFC 1928, with user name and password by RFC 1929.

use stunnel::ip::Ip;
use stunnel::text::has;
use stunnel::{host, Class, Outcome, Part, Refusal, Text};
use crate::options::{self, FIELD_MAX};
use crate::server::{self, read, say, Failure};
use crate::target::{Host, Target};
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
const BIND: u8 = 2;
const ASSOCIATE: u8 = 3;
pub const RESOLVE: u8 = 0xf0;

/// Types of addresses (RFC 1928 section 5).
pub const ADDRESS_V4: u8 = 1;
pub const ADDRESS_NAME: u8 = 3;
pub const ADDRESS_V6: u8 = 4;

/// Replies (RFC 1928 section 6).
const DONE: u8 = 0;
pub const GENERAL: u8 = 1;
pub const NOT_ALLOWED: u8 = 2;
pub const NETWORK: u8 = 3;
pub const HOST: u8 = 4;
pub const REFUSED: u8 = 5;
pub const EXPIRED: u8 = 6;
pub const COMMAND: u8 = 7;
const ADDRESS: u8 = 8;

/// A reply in words.
pub fn words(code: u8) -> &'static str {
    match code {
        GENERAL => "general failure (code 1)",
        NOT_ALLOWED => "not allowed by its rules (code 2)",
        NETWORK => "network unreachable (code 3)",
        HOST => "host unreachable (code 4)",
        REFUSED => "connection refused (code 5)",
        EXPIRED => "timed out (code 6)",
        COMMAND => "command not supported (code 7)",
        ADDRESS => "address type not supported (code 8)",
        _ => "a code that RFC 1928 does not have",
    }
}

/// Serves a client whose first byte was read.
pub fn serve(s: &mut Session) -> Outcome {
    agree(s)?;
    let mut head = [0; 4];
    read(&mut head, "request")?;
    match request(s, head)? {
        Ok(answer) => {
            let ended = head[1] == RESOLVE;
            say(answer.bytes())?;
            if ended {
                return Err(server::resolved());
            }
            Ok(())
        }
        Err(failure) => {
            // The client may be gone; the refusal is what counts.
            let _ = say(reply(failure.code, None, 0).bytes());
            Err(failure.refusal)
        }
    }
}

/// Agrees on a method, and logs the client in where the config asks for it.
fn agree(s: &mut Session) -> Outcome {
    let users = options::users(&mut s.users)?;
    let (mut count, mut room) = ([0], [0; 255]);
    read(&mut count, "methods")?;
    let methods = room.get_mut(..count[0] as usize).unwrap_or(&mut []);
    if !methods.is_empty() {
        read(methods, "methods")?;
    }
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
    let name = field(name)?;
    let password = field(password)?;
    if !options::is_user(users, name, password) {
        let _ = say(&[LOGIN_VERSION, 1]);
        return Err(Refusal::new(Class::Policy, &[Say("wrong password, or no such user: "), Quote(name)]));
    }
    host::annotate("user", name);
    say(&[LOGIN_VERSION, 0])
}

fn field(room: &mut [u8; FIELD_MAX]) -> Outcome<&[u8]> {
    let mut length = [0];
    read(&mut length, "login")?;
    let text = room.get_mut(..length[0] as usize).unwrap_or(&mut []);
    if !text.is_empty() {
        read(text, "login")?;
    }
    Ok(text)
}

/// Reads the rest of a request and does what it asks. The outer outcome is of a client
/// that cannot be answered any more.
#[inline(never)]
fn request(s: &mut Session, head: [u8; 4]) -> Outcome<server::Result<Text<REPLY_MAX>>> {
    let [version, command, _, kind] = head;
    if version != VERSION {
        let parts = [Say("client's request is not of SOCKS 5 but "), Quote(&head)];
        return Ok(Err(Failure { code: GENERAL, refusal: Refusal::new(Class::Peer, &parts) }));
    }
    let text = match kind {
        ADDRESS_V4 => s.host.get_mut(..4),
        ADDRESS_V6 => s.host.get_mut(..16),
        ADDRESS_NAME => {
            let mut length = [0];
            read(&mut length, "request")?;
            s.host.get_mut(..length[0] as usize)
        }
        _ => {
            let parts = [Say("client's request has an address of unknown type")];
            return Ok(Err(Failure { code: ADDRESS, refusal: Refusal::new(Class::Peer, &parts) }));
        }
    };
    let text = text.unwrap_or(&mut []);
    if !text.is_empty() {
        read(text, "request")?;
    }
    let mut port = [0; 2];
    read(&mut port, "request")?;
    Ok(serve_request(command, kind, text, u16::from_be_bytes(port)))
}

fn serve_request(command: u8, kind: u8, text: &[u8], port: u16) -> server::Result<Text<REPLY_MAX>> {
    let host = match (kind, text) {
        (ADDRESS_V4, &[a, b, c, d]) => Host::Ip(Ip::V4([a, b, c, d])),
        (ADDRESS_V6, _) => {
            let mut ip = [0; 16];
            ip.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            Host::Ip(Ip::V6(ip))
        }
        _ => server::host_of(text)?,
    };
    let target = Target { host, port };
    match command {
        CONNECT => {
            let bound = server::connect(&target)?;
            Ok(reply(DONE, bound.map(|b| b.ip), bound.map_or(0, |b| b.port)))
        }
        RESOLVE => Ok(reply(DONE, Some(server::resolve(&target, server::any)?), 0)),
        BIND => Err(server::no_command("BIND")),
        ASSOCIATE => Err(server::no_command("UDP ASSOCIATE")),
        _ => Err(server::no_command("an unknown command")),
    }
}

/// Longest reply: that with an IPv6 address.
const REPLY_MAX: usize = 22;

/// A reply (RFC 1928 section 6); an address that is not known is 0.0.0.0.
fn reply(code: u8, ip: Option<Ip>, port: u16) -> Text<REPLY_MAX> {
    let mut out = Text::new();
    out.add(&[VERSION, code, 0]);
    match ip {
        Some(Ip::V6(bytes)) => out.add(&[ADDRESS_V6]).add(&bytes),
        Some(Ip::V4(bytes)) => out.add(&[ADDRESS_V4]).add(&bytes),
        None => out.add(&[ADDRESS_V4]).add(&[0; 4]),
    };
    out.add(&port.to_be_bytes());
    out
}
