//! The options of the smtp guest, and what is wrong with them.

use stunnel::host::{config, secret, warn};
use stunnel::text::{decimal, has_control, split_word};
use stunnel::{Class, Code, Outcome, Part, Refusal};
use Part::{Quote, Say};

/// Longest user name, password or host name in bytes.
pub const VALUE_MAX: usize = 255;

/// Longest detectTLS in milliseconds: every client that is not TLS waits as
/// long for its greeting.
const DETECT_MAX: u32 = 5000;

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
        if option("protocolUsername", "protocolusername", &mut buf)?.is_some() {
            // The password can be missing but not be read at this time.
            if let Err(Code::NONE) = secret("protocolpassword", &mut buf) {
                return Err(no_password());
            }
        }
        if option("guestOption detectTLS", "option.detectTLS", &mut buf)?.is_some() {
            warn("guestOption detectTLS has no effect in client mode");
        }
        return Ok(());
    }
    detect_tls()?;
    for key in ["protocolusername", "protocolhost"] {
        if config(key, &mut buf) != Err(Code::NONE) {
            warn("protocolHost, protocolUsername and protocolPassword have no effect in smtp's server mode");
            break;
        }
    }
    Ok(())
}

/// Whether the service is a TLS client.
pub fn is_client() -> bool {
    config("client", &mut [0; 4]) == Ok(b"yes")
}

/// The name for EHLO: protocolHost, as stunnel does, else localhost.
pub fn hello_name(buf: &mut [u8; VALUE_MAX]) -> Outcome<&[u8]> {
    match option("protocolHost", "protocolhost", buf)? {
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
    match option("protocolAuthentication", "protocolauthentication", &mut buf)? {
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
    let user = option("protocolUsername", "protocolusername", user)?;
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

/// Milliseconds to wait for a client that speaks TLS at once; 0 is not at all.
pub fn detect_tls() -> Outcome<i32> {
    let mut buf = [0; VALUE_MAX];
    match option("guestOption detectTLS", "option.detectTLS", &mut buf)? {
        None => Ok(0),
        Some(value) => match decimal(value) {
            Some(ms) if ms <= DETECT_MAX => Ok(ms as i32),
            _ => Err(bad("guestOption detectTLS", value, " is not a number of milliseconds up to 5000")),
        },
    }
}

fn option<'a>(name: &str, key: &str, buf: &'a mut [u8]) -> Outcome<Option<&'a [u8]>> {
    match config(key, buf) {
        Ok(value) => Ok(Some(value)),
        Err(Code::NONE) => Ok(None),
        Err(code) => Err(unreadable(name, code)),
    }
}

fn unreadable(name: &str, code: Code) -> Refusal {
    if code == Code::TOO_LONG {
        return Refusal::new(Class::Config, &[Say(name), Say(" is longer than 255 bytes")]);
    }
    Refusal::of(&["reading ", name], code)
}

fn bad(name: &str, value: &[u8], how: &str) -> Refusal {
    Refusal::new(Class::Config, &[Say(name), Say(": "), Quote(value), Say(how)])
}

fn no_password() -> Refusal {
    Refusal::new(Class::Config, &[Say("protocolUsername needs protocolPassword")])
}
