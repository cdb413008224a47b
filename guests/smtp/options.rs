//! The options of the smtp guest, and what is wrong with them.

use stunnel::host::{secret, warn};
use stunnel::option::{bad, is_client, is_set, unreadable, value, VALUE_MAX};
use stunnel::text::{has_control, split_word};
use stunnel::{accept, Class, Code, Outcome, Part, Refusal};
use crate::dialect;
use Part::Say;

/// How the client side logs in (stunnel's protocolAuthentication).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }
}

/// Checks everything before the first connection, so that a wrong option is
/// told when the configuration is loaded.
pub fn check() -> Outcome {
    let mut buf = [0; VALUE_MAX];
    if is_client() {
        mechanism()?;
        hello_name(&mut buf)?;
        if value("protocolUsername", "protocolusername", &mut buf)?.is_some() {
            // The password can be missing but not be read at this time.
            if let Err(Code::NONE) = secret("protocolpassword", &mut buf) {
                return Err(no_password());
            }
        }
    } else if accept::by_name() {
        hello_name(&mut buf)?;
    } else if is_set("protocolusername") || is_set("protocolhost") {
        warn(dialect::IDLE);
    }
    accept::check()
}

/// The name for EHLO, or to greet with: protocolHost, as stunnel does, else localhost.
pub fn hello_name(buf: &mut [u8; VALUE_MAX]) -> Outcome<&[u8]> {
    match value("protocolHost", "protocolhost", buf)? {
        None => Ok(b"localhost"),
        Some(name) => {
            let (word, rest) = split_word(name);
            if word.is_empty() || !rest.is_empty() || has_control(name) {
                return Err(bad("protocolHost", name, " is no host name"));
            }
            Ok(name)
        }
    }
}

/// The login mechanism: PLAIN unless it is said. Basic is the option's default
/// in stunnel, made for another protocol, and means PLAIN here.
pub fn mechanism() -> Outcome<Mechanism> {
    let mut buf = [0; VALUE_MAX];
    match value("protocolAuthentication", "protocolauthentication", &mut buf)? {
        None => Ok(Mechanism::Plain),
        Some(name) if name.eq_ignore_ascii_case(b"plain") => Ok(Mechanism::Plain),
        Some(name) if name.eq_ignore_ascii_case(b"basic") => Ok(Mechanism::Plain),
        Some(name) if name.eq_ignore_ascii_case(b"login") => Ok(Mechanism::Login),
        Some(name) => Err(bad("protocolAuthentication", name, " is neither plain nor login")),
    }
}

/// User name and password, if the service logs in.
pub fn credentials<'a>(
    user: &'a mut [u8; VALUE_MAX],
    password: &'a mut [u8; VALUE_MAX],
) -> Outcome<Option<(&'a [u8], &'a [u8])>> {
    let user = value("protocolUsername", "protocolusername", user)?;
    let password = match secret("protocolpassword", password) {
        Ok(password) => Some(password),
        Err(Code::NONE) => None,
        Err(code) => return Err(unreadable("protocolPassword", code)),
    };
    match (user, password) {
        (Some(user), Some(password)) => Ok(Some((user, password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(no_password()),
        (None, Some(_)) => {
            Err(Refusal::new(Class::Config, &[Say("protocolPassword needs protocolUsername")]))
        }
    }
}

fn no_password() -> Refusal {
    Refusal::new(Class::Config, &[Say("protocolUsername needs protocolPassword")])
}
