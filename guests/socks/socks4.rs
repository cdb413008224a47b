//! SOCKS 4 as its server speaks it (the memo of Ying-Da Lee), with the names of 4a: an
//! address of the form 0.0.0.x says that one follows.

use stunnel::{Class, Part, Text};
use crate::server::{self, read, Failure};
use crate::socks5::{Reply, ADDRESS_V4};
use crate::{options, Session};
use Part::Say;

pub const VERSION: u8 = 4;

/// Replies. Of 91 to 93, which differ in what identd said, the first is for all else.
const DONE: u8 = 90;
const REFUSED: u8 = 91;

/// Longest user id in bytes. Nothing is done with it: whoever connects can claim any.
const USER_MAX: usize = 255;

/// Reads a request behind its version, takes its target, and gives its command; those have
/// the numbers of SOCKS 5.
pub fn request(s: &mut Session) -> server::Result<u8> {
    let mut head = [0; 7];
    read(&mut head, "request")?;
    let [command, high, low, ip @ ..] = head;
    if options::users(&mut s.users)?.is_some() {
        let parts = [Say("client speaks SOCKS 4, which has no passwords")];
        return Err(Failure::new(Reply::NotAllowed, Class::Policy, &parts));
    }
    s.target.port = u16::from_be_bytes([high, low]);
    read_text(&mut [0; USER_MAX + 1], "user id")?;
    match ip {
        [0, 0, 0, 1..=255] => {
            let length = read_text(&mut s.host, "host name")?;
            server::take_host(s, length)?;
        }
        _ => {
            s.target.kind = ADDRESS_V4;
            s.target.host.add(&ip);
        }
    }
    Ok(command)
}

/// Reads a text that a zero byte ends, and gives its length.
#[inline(never)]
fn read_text(room: &mut [u8], what: &str) -> server::Result<usize> {
    for (i, byte) in room.iter_mut().enumerate() {
        read(core::slice::from_mut(byte), "request")?;
        if *byte == 0 {
            return Ok(i);
        }
    }
    let parts = [Say("client's "), Say(what), Say(" is too long")];
    Err(Failure::new(Reply::General, Class::Peer, &parts))
}

/// Writes a reply: a code, and where the connection comes from or what a name resolved to.
/// An address that is none of IPv4 is 0.0.0.0.
pub fn reply<const N: usize>(failure: Option<Reply>, bound: &[u8], out: &mut Text<N>) {
    out.add(&[0, if failure.is_some() { REFUSED } else { DONE }]);
    match bound {
        [a, b, c, d, high, low] => out.add(&[*high, *low, *a, *b, *c, *d]),
        _ => out.add(&[0; 6]),
    };
}
