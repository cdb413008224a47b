//! SOCKS 4 as its server speaks it (the memo of Ying-Da Lee), with the names of 4a: an
//! address of the form 0.0.0.x says that one follows.

use stunnel::ip::{Endpoint, Ip};
use stunnel::{Class, Outcome, Part, Refusal};
use crate::server::{self, read, say, Failure};
use crate::target::{Host, Target};
use crate::{options, socks5, Session};
use Part::Say;

pub const VERSION: u8 = 4;

/// Commands; that of Tor has the number that it has in SOCKS 5.
const CONNECT: u8 = 1;
const BIND: u8 = 2;

/// Replies. Of 91 to 93, which differ in what identd said, the first is for all else.
const DONE: u8 = 90;
const REFUSED: u8 = 91;

/// Longest user id in bytes. Nothing is done with it: whoever connects can claim any.
const USER_MAX: usize = 255;

/// Serves a client whose first byte was read.
pub fn serve(s: &mut Session) -> Outcome {
    let mut head = [0; 7];
    read(&mut head, "request")?;
    let [command, rest @ ..] = head;
    match request(s, command, rest)? {
        Ok(bound) => {
            say(&reply(DONE, bound))?;
            if command == socks5::RESOLVE {
                return Err(server::resolved());
            }
            Ok(())
        }
        Err(failure) => {
            // The client may be gone; the refusal is what counts.
            let _ = say(&reply(REFUSED, None));
            Err(failure.refusal)
        }
    }
}

/// Reads the rest of a request and does what it asks. The outer outcome is of a client
/// that cannot be answered any more.
#[inline(never)]
fn request(s: &mut Session, command: u8, rest: [u8; 6]) -> Outcome<server::Result<Option<Endpoint>>> {
    let [high, low, ip @ ..] = rest;
    if options::users(&mut s.users)?.is_some() {
        let parts = [Say("client speaks SOCKS 4, which has no passwords")];
        return Ok(Err(Failure { code: socks5::NOT_ALLOWED, refusal: Refusal::new(Class::Policy, &parts) }));
    }
    if read_text(&mut [0; USER_MAX + 1])?.is_none() {
        return Ok(Err(too_long("user id")));
    }
    let host = match ip {
        [0, 0, 0, 1..=255] => match read_text(&mut s.host)? {
            None => return Ok(Err(too_long("host name"))),
            Some(name) => match server::host_of(name) {
                Ok(host) => host,
                Err(failure) => return Ok(Err(failure)),
            },
        },
        _ => Host::Ip(Ip::V4(ip)),
    };
    let target = Target { host, port: u16::from_be_bytes([high, low]) };
    Ok(match command {
        CONNECT => server::connect(&target),
        socks5::RESOLVE => server::resolve(&target, server::is_v4).map(|ip| Some(Endpoint { ip, port: 0 })),
        BIND => Err(server::no_command("BIND")),
        _ => Err(server::no_command("an unknown command")),
    })
}

/// Reads a text that a zero byte ends; None if it does not fit.
fn read_text(room: &mut [u8]) -> Outcome<Option<&[u8]>> {
    for i in 0..room.len() {
        let next = room.get_mut(i..i + 1).unwrap_or(&mut []);
        read(next, "request")?;
        if next == [0] {
            return Ok(room.get(..i));
        }
    }
    Ok(None)
}

fn too_long(what: &str) -> Failure {
    let parts = [Say("client's "), Say(what), Say(" is too long")];
    Failure { code: socks5::GENERAL, refusal: Refusal::new(Class::Peer, &parts) }
}

/// A reply: a code, and where the connection comes from or what a name resolved to.
fn reply(code: u8, bound: Option<Endpoint>) -> [u8; 8] {
    match bound {
        Some(Endpoint { ip: Ip::V4([a, b, c, d]), port }) => {
            let [high, low] = port.to_be_bytes();
            [0, code, high, low, a, b, c, d]
        }
        _ => [0, code, 0, 0, 0, 0, 0, 0],
    }
}
