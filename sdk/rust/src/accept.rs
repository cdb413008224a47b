//! The TLS client of a service whose protocol begins in the clear: it asks for TLS by a
//! command, or, if the config waits for that, speaks TLS at once.

use crate::host::{self, Code};
use crate::option::{self, VALUE_MAX};
use crate::refusal::Part::{self, Quote, Say};
use crate::refusal::{Class, Outcome, Refusal};
use crate::text::decimal;
use crate::ACCEPTED;

/// Commands that are not taken before the client is told to go, as a bound for
/// scanners and for clients that cannot do TLS; and commands in all.
pub const REFUSED_MAX: u32 = 10;
pub const COMMANDS_MAX: u32 = 100;

/// The first byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1).
pub const TLS_HANDSHAKE: u8 = 0x16;

/// Longest detectTLS in milliseconds: every client that is not TLS waits as
/// long for its greeting.
const DETECT_MAX: u32 = 5000;

/// Checks guestOption detectTLS when the configuration is loaded.
pub fn check() -> Outcome {
    if !option::is_client() {
        return detect(false).map(drop);
    }
    if option::is_set("option.detectTLS") {
        host::warn("guestOption detectTLS has no effect in client mode");
    }
    Ok(())
}

/// Whether the name that the client asks for in its handshake chooses the server, so
/// that there is none to greet with before TLS.
#[inline(always)]
pub fn by_name() -> bool {
    host::says_yes("sni")
}

/// Refuses a config in which it does, for a protocol whose server greets before TLS and
/// in words that no guest can know.
pub fn want_one_server() -> Outcome {
    if by_name() {
        let why = "the server greets before TLS, so that no service with sni can choose it";
        return Err(Refusal::new(Class::Config, &[Say(why)]));
    }
    Ok(())
}

/// Waits, if the config says so, for a client that speaks TLS at once.
pub fn speaks_tls() -> Outcome<bool> {
    detect(true)
}

/// Reads guestOption detectTLS, milliseconds of which 0 is not at all, and waits as long if
/// there is a client. What is wrong is said in whole sentences, as in [`Command`].
#[inline(never)]
fn detect(wait: bool) -> Outcome<bool> {
    let mut buf = [0; VALUE_MAX];
    let value = match host::config("option.detectTLS", &mut buf) {
        Ok(value) => value,
        Err(Code::NONE) => return Ok(false),
        Err(Code::TOO_LONG) => {
            let parts = [Say("guestOption detectTLS is longer than 255 bytes")];
            return Err(Refusal::new(Class::Config, &parts));
        }
        Err(code) => return Err(Refusal::of(&["reading guestOption detectTLS"], code)),
    };
    let ms = match decimal(value) {
        Some(ms) if ms <= DETECT_MAX => ms as i32,
        _ => {
            let how = " is not a number of milliseconds up to 5000";
            let parts = [Say("guestOption detectTLS: "), Quote(value), Say(how)];
            return Err(Refusal::new(Class::Config, &parts));
        }
    };
    if !wait || ms == 0 {
        return Ok(false);
    }
    match ACCEPTED.readable_within(ms) {
        Ok(true) => begins_tls(),
        Ok(false) => Ok(false),
        Err(code) => Err(reading(code)),
    }
}

/// Whether the first byte to come is one of TLS.
#[inline(never)]
fn begins_tls() -> Outcome<bool> {
    match ACCEPTED.peek_byte() {
        Ok(first) => Ok(first == Some(TLS_HANDSHAKE)),
        Err(code) => Err(reading(code)),
    }
}

/// The command that asks for TLS, as refusals of clients name it. Their sentences are whole,
/// since putting one together takes a module more than its text. `accept::command!` makes one.
pub struct Command {
    pub unasked: [Part<'static>; 1],
    pub early: [Part<'static>; 1],
}

/// `accept::command!("STARTTLS")` is the command of that name.
#[macro_export]
macro_rules! command {
    ($name:literal) => {
        $crate::accept::Command {
            unasked: [$crate::Part::Say(concat!(
                "client spoke TLS without ",
                $name,
                ", which guestOption detectTLS=200 would allow"
            ))],
            early: [$crate::Part::Say(concat!(
                "client sent data after ",
                $name,
                " without waiting for the answer"
            ))],
        }
    };
}
pub use command;

/// Refuses a client that speaks TLS without the command that asks for it: it would wait
/// for a ServerHello, and the guest for a line end.
pub fn want_clear(command: &Command) -> Outcome {
    if begins_tls()? {
        return Err(Refusal::new(Class::Peer, &command.unasked));
    }
    Ok(())
}

/// Starts TLS behind the answer to the command. A client that sent more before it saw
/// that answer hears `early` and is refused: in what follows, plaintext from anyone on
/// the path would be taken for what the client says inside TLS (CVE-2011-0411). The host
/// sees such bytes, and asking it before the answer would cost every honest client a
/// wait, so that the refusal comes behind the answer.
pub fn start_tls(command: &Command, early: &[u8]) -> Outcome {
    ACCEPTED.starttls().map_err(|code| {
        if code == Code::INJECT {
            let _ = ACCEPTED.write(early); // it may be gone, which adds nothing
            return Refusal::new(Class::Peer, &command.early);
        }
        Refusal::of(&["starting TLS with the client"], code)
    })
}

/// Refuses a client that could not be read.
pub fn reading(code: Code) -> Refusal {
    Refusal::of(&["reading the client's command"], code)
}

/// Answers the client.
pub fn say(bytes: &[u8]) -> Outcome {
    ACCEPTED.write(bytes).map_err(|code| Refusal::of(&["answering the client"], code))
}
