//! The config's options as a guest reads them, and what is wrong with them.

use crate::host::{config, Code};
use crate::refusal::Part::{Quote, Say};
use crate::refusal::{Class, Outcome, Refusal};

/// Longest value of an option in bytes: a host name's, which is the longest that
/// most guests have.
pub const VALUE_MAX: usize = 255;

/// Whether the service is a TLS client.
pub fn is_client() -> bool {
    config("client", &mut [0; 4]) == Ok(b"yes")
}

/// Whether an option is set, whatever to.
pub fn is_set(key: &str) -> bool {
    config(key, &mut []) != Err(Code::NONE)
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
