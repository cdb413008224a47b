//! The options of the proxy guest, and what is wrong with them.

use stunnel::host::{config, warn};
use stunnel::ip::Network;
use stunnel::option::{bad, is_client, is_set, warn_idle};
use stunnel::text::Parts;
use stunnel::{Class, Code, Outcome, Part, Refusal};
use Part::Say;

/// Longest list of senders in bytes, all values of option from with their line ends.
pub const FROM_MAX: usize = 2048;

/// Longest value of the other options; none has more than three letters.
const VALUE_MAX: usize = 32;

/// The value of from that trusts whoever can open the Unix socket that is accepted on.
pub const UNIX: &[u8] = b"unix";

/// Versions of the header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

/// Checks everything before the first connection.
pub fn check() -> Outcome {
    warn_idle("proxy");
    let (version, accepts, sends, tls) = (version()?, accepts()?, sends()?, tells_tls()?);
    if !accepts {
        if !sends {
            return Err(wrong("guestOption send=no leaves nothing to do: add accept=yes, or remove protocol = proxy"));
        }
        if is_set("option.from") {
            warn("guestOption from has no effect without accept=yes");
        }
    } else {
        from(&mut [0; FROM_MAX])?;
    }
    if tls && is_client() {
        return Err(wrong("guestOption tls=yes: in client mode there is no TLS with the client"));
    }
    if tls && !sends {
        return Err(wrong("guestOption tls=yes has nothing to be sent with where send=no"));
    }
    if tls && version == Version::One {
        return Err(wrong("guestOption tls=yes needs version=2"));
    }
    Ok(())
}

pub fn version() -> Outcome<Version> {
    let mut room = [0; VALUE_MAX];
    match value("guestOption version", "option.version", &mut room)? {
        None => Ok(Version::One),
        Some(version) if version == b"1" => Ok(Version::One),
        Some(version) if version == b"2" => Ok(Version::Two),
        Some(other) => Err(bad("guestOption version", other, " is neither 1 nor 2")),
    }
}

pub fn accepts() -> Outcome<bool> {
    switch("guestOption accept", "option.accept", false)
}

pub fn sends() -> Outcome<bool> {
    switch("guestOption send", "option.send", true)
}

pub fn tells_tls() -> Outcome<bool> {
    switch("guestOption tls", "option.tls", false)
}

/// The senders that are trusted, a line each.
pub fn from(room: &mut [u8; FROM_MAX]) -> Outcome<&[u8]> {
    let from = match value("guestOption from", "option.from", room)? {
        Some(from) => from,
        None => {
            return Err(wrong(
                "guestOption accept=yes would let everybody forge addresses: add guestOption = from=CIDR of the senders",
            ))
        }
    };
    let is_bad = |line: &&[u8]| *line != UNIX && Network::parse(line).is_none();
    match Parts::of(from, b'\n').find(is_bad) {
        Some(line) => Err(bad("guestOption from", line, " is no network as 10.0.0.0/8, without bits beyond its prefix, nor unix")),
        None => Ok(from),
    }
}

fn switch(name: &str, key: &str, default: bool) -> Outcome<bool> {
    let mut room = [0; VALUE_MAX];
    match value(name, key, &mut room)? {
        None => Ok(default),
        Some(word) if word == b"yes" => Ok(true),
        Some(word) if word == b"no" => Ok(false),
        Some(other) => Err(bad(name, other, " is neither yes nor no")),
    }
}

fn value<'a>(name: &str, key: &str, room: &'a mut [u8]) -> Outcome<Option<&'a [u8]>> {
    match config(key, room) {
        Ok(value) => Ok(Some(value)),
        Err(Code::NONE) => Ok(None),
        Err(Code::TOO_LONG) => Err(Refusal::new(Class::Config, &[Say(name), Say(" is too long")])),
        Err(code) => Err(Refusal::of(&["reading ", name], code)),
    }
}

fn wrong(how: &str) -> Refusal {
    Refusal::new(Class::Config, &[Say(how)])
}
