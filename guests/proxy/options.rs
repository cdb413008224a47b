//! The options of the proxy guest, and what is wrong with them.

use stunnel::host::{config, warn};
use stunnel::ip::{Endpoint, Network};
use stunnel::option::{bad, idle, is_client, is_set, warn_idle};
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
    warn_idle(idle!("proxy"));
    let (version, accepts, sends, tls) = (version()?, accepts()?, sends()?, tells_tls()?);
    if !accepts {
        if !sends {
            return Err(wrong("guestOption send=no leaves nothing to do: add accept=yes, or remove protocol = proxy"));
        }
        if is_set("option.from") {
            warn("guestOption from has no effect without accept=yes");
        }
    } else {
        trusts(&None, &mut [0; FROM_MAX])?;
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

// These are no more than a call each, so that they are inlined: a function of its own costs
// the daemon more when it compiles the guest.

#[inline(always)]
pub fn version() -> Outcome<Version> {
    Ok(if choose(&VERSION)? { Version::Two } else { Version::One })
}

#[inline(always)]
pub fn accepts() -> Outcome<bool> {
    choose(&ACCEPT)
}

#[inline(always)]
pub fn sends() -> Outcome<bool> {
    choose(&SEND)
}

#[inline(always)]
pub fn tells_tls() -> Outcome<bool> {
    choose(&TLS)
}

static VERSION: Choice = Choice {
    name: "guestOption version",
    key: "option.version",
    words: ["1", "2"],
    default: false,
    wrong: " is neither 1 nor 2",
};
static ACCEPT: Choice = Choice::no_yes("guestOption accept", "option.accept", false);
static SEND: Choice = Choice::no_yes("guestOption send", "option.send", true);
static TLS: Choice = Choice::no_yes("guestOption tls", "option.tls", false);

/// An option that is one of two words.
struct Choice {
    name: &'static str,
    key: &'static str,
    words: [&'static str; 2],
    /// Whether it is the second one where nothing is said.
    default: bool,
    wrong: &'static str,
}

impl Choice {
    const fn no_yes(name: &'static str, key: &'static str, default: bool) -> Choice {
        Choice { name, key, words: ["no", "yes"], default, wrong: " is neither yes nor no" }
    }
}

/// Whether an option is the second of its words.
#[inline(never)]
fn choose(choice: &Choice) -> Outcome<bool> {
    let mut room = [0; VALUE_MAX];
    let word = match value(choice.name, choice.key, &mut room)? {
        None => return Ok(choice.default),
        Some(word) => word,
    };
    match choice.words.iter().position(|known| word == known.as_bytes()) {
        Some(at) => Ok(at == 1),
        None => Err(bad(choice.name, word, choice.wrong)),
    }
}

/// Whether option from names the sender, who has no address on a Unix socket.
#[inline(never)]
pub fn trusts(sender: &Option<Endpoint>, room: &mut [u8; FROM_MAX]) -> Outcome<bool> {
    const NAME: &str = "guestOption from";
    let from = match value(NAME, "option.from", room)? {
        Some(from) => from,
        None => {
            return Err(wrong(
                "guestOption accept=yes would let everybody forge addresses: add guestOption = from=CIDR of the senders",
            ))
        }
    };
    let mut trusted = false;
    for line in Parts::of(from, b'\n') {
        match &Network::parse(line) {
            Some(network) => trusted |= matches!(sender, Some(sender) if network.contains(&sender.ip)),
            None if line == UNIX => trusted |= sender.is_none(),
            None => return Err(bad(NAME, line, " is no network as 10.0.0.0/8, without bits beyond its prefix, nor unix")),
        }
    }
    Ok(trusted)
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
