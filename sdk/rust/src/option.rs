//! The config's options as a guest reads them, and what is wrong with them.

use crate::host::{self, config, says_yes, secret, warn, Code};
use crate::refusal::Part::{Quote, Say};
use crate::refusal::{Class, Outcome, Refusal};

/// Longest value of an option in bytes: a host name's, which is the longest that
/// most guests have.
pub const VALUE_MAX: usize = 255;

/// Whether the service is a TLS client.
#[inline(always)]
pub fn is_client() -> bool {
    says_yes("client")
}

/// Whether an option is set, whatever to.
#[inline(always)]
pub fn is_set(key: &str) -> bool {
    host::is_set(key)
}

/// The value of an option, by its key for the host and the name that the config has.
pub fn value<'a>(name: &str, key: &str, buf: &'a mut [u8; VALUE_MAX]) -> Outcome<Option<&'a [u8]>> {
    match config(key, buf) {
        Ok(value) => Ok(Some(value)),
        Err(Code::NONE) => Ok(None),
        Err(code) => Err(unreadable(name, code)),
    }
}

/// Refuses an option that the host could not give.
pub fn unreadable(name: &str, code: Code) -> Refusal {
    if code == Code::TOO_LONG {
        return Refusal::new(Class::Config, &[Say(name), Say(" is longer than 255 bytes")]);
    }
    Refusal::of(&["reading ", name], code)
}

/// Refuses an option's value: `NAME: "VALUE" HOW`.
pub fn bad(name: &str, value: &[u8], how: &str) -> Refusal {
    Refusal::new(Class::Config, &[Say(name), Say(": "), Quote(value), Say(how)])
}

/// User name and password, if the service has both.
pub fn login<'a>(
    user: &'a mut [u8; VALUE_MAX],
    password: &'a mut [u8; VALUE_MAX],
) -> Outcome<Option<(&'a [u8], &'a [u8])>> {
    let password = match secret("protocolpassword", password) {
        Ok(password) => password,
        Err(Code::NONE) => return Ok(None),
        Err(code) => return Err(unreadable("protocolPassword", code)),
    };
    Ok(value("protocolUsername", "protocolusername", user)?.map(|user| (user, password)))
}

/// Warns, when the configuration is loaded, of one without the other. It is no more than a
/// warning since stunnel, too, goes on without a login.
pub fn warn_half_login() -> Outcome {
    let mut buf = [0; VALUE_MAX];
    let user = value("protocolUsername", "protocolusername", &mut buf)?.is_some();
    if user != is_set("secret.protocolpassword") {
        warn("protocolUsername and protocolPassword have an effect together: there is no login");
    }
    Ok(())
}

/// Stunnel's options of a login.
static LOGIN: [&str; 3] = ["protocolhost", "protocolusername", "secret.protocolpassword"];

/// Warns that they have no effect, in a sentence that [`idle`] makes. Configs that ran with
/// stunnel have them, since it says nothing.
pub fn warn_idle(sentence: &str) {
    if LOGIN.iter().any(|key| is_set(key)) {
        warn(sentence);
    }
}

/// The sentence for `warn_idle`, with a place as in `imap` and in `smtp's server mode`.
#[macro_export]
macro_rules! idle {
    ($place:literal) => {
        concat!("protocolHost, protocolUsername and protocolPassword have no effect in ", $place)
    };
}
pub use idle;
