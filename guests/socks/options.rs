//! The options of the socks guest, and what is wrong with them.

use stunnel::host::{config, secret};
use stunnel::option::{bad, idle, is_client, login, value, warn_half_login, warn_idle};
use stunnel::text::Parts;
use stunnel::{Class, Code, Outcome, Part, Refusal};
use crate::target::{Target, OPTION_MAX};
use crate::Session;
use Part::Say;

/// Longest user name and longest password in bytes (RFC 1929 section 2).
pub const FIELD_MAX: usize = 255;

/// Longest list of users in bytes, all entries of userPassword with their line ends:
/// some two hundred, since each connection compares with all of them.
pub const USERS_MAX: usize = 4096;

/// Checks everything before the first connection, so that a wrong option is told when
/// the configuration is loaded.
pub fn check(s: &mut Session) -> Outcome {
    if is_client() {
        target(&mut s.host, &mut s.target)?;
        if let Some(user) = value("protocolUsername", "protocolusername", &mut s.name)? {
            check_field("protocolUsername", user)?;
        }
        return warn_half_login();
    }
    warn_idle(idle!("socks's server mode"));
    Ok(())
}

/// The target that the SOCKS server is asked for.
pub fn target(buf: &mut [u8; OPTION_MAX], target: &mut Target) -> Outcome {
    match option("protocolHost", "protocolhost", buf)? {
        None => Err(Refusal::new(
            Class::Config,
            &[Say("the SOCKS server has to be told a target: add protocolHost = HOST:PORT "),
              Say("(the original destination of a redirected connection is not supported)")],
        )),
        Some(text) => target.parse(text).ok_or_else(|| bad("protocolHost", text, " is not HOST:PORT")),
    }
}

/// User name and password for the SOCKS server, if the service logs in.
pub fn credentials<'a>(
    user: &'a mut [u8; FIELD_MAX],
    password: &'a mut [u8; FIELD_MAX],
) -> Outcome<Option<(&'a [u8], &'a [u8])>> {
    let login = login(user, password)?;
    if let Some((user, password)) = login {
        check_field("protocolUsername", user)?;
        check_field("protocolPassword", password)?;
    }
    Ok(login)
}

/// The users that the server takes, a line each; None if it takes everybody.
pub fn users(buf: &mut [u8; USERS_MAX]) -> Outcome<Option<&[u8]>> {
    const NAME: &str = "guestOption userPassword";
    let users = match hidden(NAME, "option.userPassword", buf)? {
        None => return Ok(None),
        Some(users) => users,
    };
    // One that nobody could log in by is a mistake, which must not look like a wrong
    // password.
    for line in lines(users) {
        let (name, password) = split_user(line);
        if name.is_empty() || password.is_empty() {
            return Err(wrong(NAME, ": an entry is not NAME:PASSWORD"));
        }
        if name.len() > FIELD_MAX || password.len() > FIELD_MAX {
            return Err(wrong(NAME, ": a name or a password is longer than 255 bytes"));
        }
    }
    Ok(Some(users))
}

/// Whether one of the users has this name and this password. Every entry is compared
/// to the end, so that the time tells nothing of how much was right.
pub fn is_user(users: &[u8], name: &[u8], password: &[u8]) -> bool {
    let mut found = false;
    for line in lines(users) {
        let (its_name, its_password) = split_user(line);
        found |= same(its_name, name) & same(its_password, password);
    }
    found
}

fn same(a: &[u8], b: &[u8]) -> bool {
    let mut differ = a.len() ^ b.len();
    for i in 0..FIELD_MAX {
        differ |= (a.get(i).unwrap_or(&0) ^ b.get(i).unwrap_or(&0)) as usize;
    }
    differ == 0
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    Parts::of(text, b'\n')
}

/// Name and password of an entry; the password may have colons in it.
fn split_user(line: &[u8]) -> (&[u8], &[u8]) {
    let name = Parts::of(line, b':').next().unwrap_or(&[]);
    (name, line.get(name.len() + 1..).unwrap_or(&[]))
}

/// A user name or a password of RFC 1929 has one byte at least.
fn check_field(name: &str, value: &[u8]) -> Outcome {
    if value.is_empty() {
        return Err(wrong(name, " is empty"));
    }
    Ok(())
}

fn option<'a>(name: &str, key: &str, buf: &'a mut [u8]) -> Outcome<Option<&'a [u8]>> {
    given(name, config(key, buf))
}

fn hidden<'a>(name: &str, key: &str, buf: &'a mut [u8]) -> Outcome<Option<&'a [u8]>> {
    given(name, secret(key, buf))
}

fn given<'a>(name: &str, value: stunnel::host::Result<&'a [u8]>) -> Outcome<Option<&'a [u8]>> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Code::NONE) => Ok(None),
        Err(Code::TOO_LONG) => Err(wrong(name, " is too long")),
        Err(code) => Err(Refusal::of(&["reading ", name], code)),
    }
}

fn wrong(name: &str, how: &str) -> Refusal {
    Refusal::new(Class::Config, &[Say(name), Say(how)])
}
