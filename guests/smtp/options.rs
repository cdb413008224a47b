//! The options of the smtp guest, and what is wrong with them.

use stunnel::host::warn;
use stunnel::option::{bad, is_client, value, warn_half_login, warn_idle, VALUE_MAX};
use stunnel::text::{has_control, is_among, is_word, split_word};
use stunnel::{accept, Outcome};
use crate::dialect;

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
        hello_name(&mut buf)?;
        warn_half_login()?;
        match authentication(&mut buf)? {
            None => {}
            Some(name) if is_among(name, &["plain", "basic", "login"]) => {}
            Some(_) => warn("protocolAuthentication is neither plain nor login: plain is used"),
        }
    } else if accept::by_name() {
        hello_name(&mut buf)?;
    } else {
        warn_idle(dialect::IDLE);
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

/// The login mechanism: PLAIN unless it is LOGIN that is asked for, as with stunnel, whose
/// default, basic, is of another protocol.
pub fn mechanism() -> Outcome<Mechanism> {
    let mut buf = [0; VALUE_MAX];
    Ok(match authentication(&mut buf)? {
        Some(name) if is_word(name, "login") => Mechanism::Login,
        _ => Mechanism::Plain,
    })
}

fn authentication(buf: &mut [u8; VALUE_MAX]) -> Outcome<Option<&[u8]>> {
    value("protocolAuthentication", "protocolauthentication", buf)
}
