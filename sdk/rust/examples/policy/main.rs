//! policy = policy: allows clients whose address guestOption allow names.
#![no_std]
#![no_main]
mod address;

use address::{Address, Prefix};
use stunnel::host::{config, info, Code, Info};
use stunnel::Part::{Quote, Say};
use stunnel::{Class, Outcome, Refusal};

stunnel::manifest!("manifest.txt");

/// Longest list in bytes: some fifty prefixes.
const ALLOW_MAX: usize = 2048;

/// Longest address with its port: IPv6 has 45 bytes, a port 6.
const ADDR_MAX: usize = 64;

/// Called when a client was accepted, after the handshake and before a dial. 0 allows.
#[no_mangle]
pub extern "C" fn decide() -> i32 {
    stunnel::status(run())
}

/// Called once when the configuration is read: a refusal here refuses the configuration.
#[no_mangle]
pub extern "C" fn configure() -> i32 {
    stunnel::status(check())
}

fn run() -> Outcome {
    // The address is known when the client is accepted, and does not change.
    if let Ok(b"handshake" | b"dial") = info(Info::Stage, &mut [0; 16]) {
        return Ok(());
    }
    let mut room = [0; ALLOW_MAX];
    let lines = allowed(&mut room)?;
    let mut room = [0; ADDR_MAX];
    let peer = info(Info::PeerAddr, &mut room).map_err(|code| Refusal::of(&["reading the client's address"], code))?;
    let port = peer.iter().rposition(|&b| b == b':').unwrap_or(0);
    let text = peer.get(..port).unwrap_or(&[]);
    let client = match Address::parse(text) {
        Some(client) => client,
        None => return deny(text, " has no address"),
    };
    if lines.split(|&b| b == b'\n').any(|line| Prefix::parse(line).map_or(false, |p| p.holds(&client))) {
        return Ok(());
    }
    deny(text, " is in no guestOption allow")
}

fn check() -> Outcome {
    let mut room = [0; ALLOW_MAX];
    for line in allowed(&mut room)?.split(|&b| b == b'\n') {
        if Prefix::parse(line).is_none() {
            let parts = [Say("guestOption allow: "), Quote(line), Say(" is no address and no CIDR")];
            return Err(Refusal::new(Class::Config, &parts));
        }
    }
    Ok(())
}

/// The lines of guestOption allow.
fn allowed(room: &mut [u8; ALLOW_MAX]) -> Outcome<&[u8]> {
    config("option.allow", room).map_err(|code| {
        let how = match code {
            Code::NONE => "there is none, so that nobody would be allowed",
            _ => code.words(),
        };
        Refusal::new(Class::Config, &[Say("guestOption allow: "), Say(how)])
    })
}

fn deny(address: &[u8], how: &str) -> Outcome {
    Err(Refusal::new(Class::Policy, &[Say("client "), Quote(address), Say(how)]))
}
