//! A header that whoever connects sends first.

use stunnel::accept::TLS_HANDSHAKE;
use stunnel::host::{annotate, Info};
use stunnel::text::{chomp, Parts};
use stunnel::{Class, Code, Outcome, Part, Refusal, ACCEPTED};
use crate::addresses::{endpoint, Addresses, UNIX_LENGTH};
use crate::version2::{self, SIGNATURE, UNIX};
use crate::{options, version1, Session};
use Part::{Quote, Say};

/// Reads a header. One that names nobody leaves the addresses as they are.
#[inline(never)]
pub fn read(s: &mut Session) -> Outcome {
    trust(s)?;
    match ACCEPTED.peek_byte().map_err(failed)? {
        Some(b'P') => read_version1(&mut s.addresses),
        Some(b) if Some(&b) == SIGNATURE.first() => version2::read(&mut s.header, &mut s.addresses),
        Some(TLS_HANDSHAKE) => Err(peer("sender began with TLS, without the PROXY header")),
        Some(b) => {
            let first = [b];
            let parts = [Say("sender began with "), Quote(&first), Say(", which begins no PROXY header")];
            Err(Refusal::new(Class::Peer, &parts))
        }
        None => Err(failed(Code::EOF)),
    }?;
    if let Some(source) = &s.addresses.end(0) {
        s.out.clear();
        source.write(&mut s.out);
        annotate("source", s.out.bytes());
    }
    if s.addresses.family == UNIX {
        // The first of two paths, up to its zero byte.
        let path = s.addresses.bytes.bytes().get(..UNIX_LENGTH / 2).unwrap_or(&[]);
        annotate("source", Parts::of(path, 0).next().unwrap_or(&[]));
    }
    Ok(())
}

/// Refuses everybody whom option from does not name: who sends a header says where a
/// connection comes from, and everyone behind believes it.
fn trust(s: &mut Session) -> Outcome {
    let peer = endpoint(Info::PeerAddr);
    if options::trusts(&peer, &mut s.from)? {
        return Ok(());
    }
    s.out.clear();
    match &peer {
        Some(peer) => peer.write(&mut s.out),
        None => {
            s.out.add(options::UNIX);
        }
    }
    let parts = [Say("sender "), Quote(s.out.bytes()), Say(" is none that guestOption from trusts")];
    Err(Refusal::new(Class::Policy, &parts))
}

#[inline(never)]
fn read_version1(addresses: &mut Addresses) -> Outcome {
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
    version1::parse(line, addresses).ok_or_else(|| {
        Refusal::new(Class::Peer, &[Say("sender's PROXY header is malformed: "), Quote(chomp(line))])
    })
}

pub fn failed(code: Code) -> Refusal {
    Refusal::of(&["reading the PROXY header"], code)
}

pub fn peer(why: &str) -> Refusal {
    Refusal::new(Class::Peer, &[Say(why)])
}
