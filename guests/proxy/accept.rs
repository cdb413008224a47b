//! A header that whoever connects sends first.

use stunnel::accept::TLS_HANDSHAKE;
use stunnel::host::{annotate, Info};
use stunnel::ip::Network;
use stunnel::text::{chomp, Parts};
use stunnel::{Class, Code, Outcome, Part, Refusal, Text, ACCEPTED};
use crate::addresses::{endpoint, Addresses};
use crate::version2::{self, HEAD_LENGTH, HEADER_MAX, SIGNATURE};
use crate::{options, version1, Session};
use Part::{Quote, Say};

/// Reads a header. None is one that names nobody: the connection's own ends count.
#[inline(never)]
pub fn read(s: &mut Session) -> Outcome<Option<Addresses>> {
    trust(&mut s.from)?;
    let addresses = match ACCEPTED.peek_byte().map_err(failed)? {
        Some(b'P') => read_version1(),
        Some(b) if Some(&b) == SIGNATURE.first() => read_version2(&mut s.header),
        Some(TLS_HANDSHAKE) => return Err(peer("sender began with TLS, without the PROXY header")),
        Some(b) => {
            let first = [b];
            let parts = [Say("sender began with "), Quote(&first), Say(", which begins no PROXY header")];
            return Err(Refusal::new(Class::Peer, &parts));
        }
        None => return Err(failed(Code::EOF)),
    }?;
    match &addresses {
        Some(Addresses::Inet { source, .. }) => {
            let mut text = Text::<64>::new();
            source.write(&mut text);
            annotate("source", text.bytes());
        }
        Some(Addresses::Unix(paths)) => {
            // The first of two paths, up to its zero byte.
            let path = paths.get(..paths.len() / 2).unwrap_or(&[]);
            annotate("source", Parts::of(path, 0).next().unwrap_or(&[]));
        }
        _ => {}
    }
    Ok(addresses)
}

/// Refuses everybody whom option from does not name: who sends a header says where a
/// connection comes from, and everyone behind believes it.
fn trust(room: &mut [u8; options::FROM_MAX]) -> Outcome {
    let from = options::from(room)?;
    let peer = endpoint(Info::PeerAddr);
    let mut trusted = Parts::of(from, b'\n').filter(|line| match (&peer, Network::parse(line)) {
        (Some(peer), Some(network)) => network.contains(&peer.ip),
        (None, None) => *line == options::UNIX,
        _ => false,
    });
    if trusted.next().is_some() {
        return Ok(());
    }
    let mut text = Text::<64>::new();
    match peer {
        Some(peer) => peer.write(&mut text),
        None => {
            text.add(options::UNIX);
        }
    }
    let parts = [Say("sender "), Quote(text.bytes()), Say(" is none that guestOption from trusts")];
    Err(Refusal::new(Class::Policy, &parts))
}

fn read_version1() -> Outcome<Option<Addresses>> {
    let mut line = [0; version1::LINE_MAX];
    let n = match ACCEPTED.read_line(&mut line) {
        Ok(n) => n,
        Err(Code::TOO_LONG) => return Err(peer("sender's PROXY header is longer than 107 bytes")),
        Err(code) => return Err(failed(code)),
    };
    let line = line.get(..n).unwrap_or(&[]);
    if !line.starts_with(b"PROXY") {
        // Of another protocol, and perhaps a password: it is not quoted.
        return Err(peer("sender's first line is no PROXY header"));
    }
    version1::parse(line).map_err(|_| {
        Refusal::new(Class::Peer, &[Say("sender's PROXY header is malformed: "), Quote(chomp(line))])
    })
}

fn read_version2(room: &mut [u8; HEADER_MAX]) -> Outcome<Option<Addresses>> {
    let (head, body) = room.split_at_mut(HEAD_LENGTH);
    ACCEPTED.read_full(head).map_err(failed)?;
    let length = version2::body_length(head).map_err(peer)?;
    if length > 0 {
        let body = body.get_mut(..length).ok_or_else(|| peer("sender's PROXY header is longer than 4096 bytes"))?;
        ACCEPTED.read_full(body).map_err(failed)?;
    }
    version2::parse(room.get_mut(..HEAD_LENGTH + length).unwrap_or(&mut [])).map_err(peer)
}

fn failed(code: Code) -> Refusal {
    Refusal::of(&["reading the PROXY header"], code)
}

fn peer(why: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(why)])
}
