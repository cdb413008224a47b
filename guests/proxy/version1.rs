//! The header of version 1 (proxy-protocol.txt section 2.1), a line of text.

use stunnel::ip::{Endpoint, Ip};
use stunnel::text::{decimal, Parts};
use stunnel::Text;
use crate::addresses::Addresses;

/// Longest line in bytes, with its CR LF.
pub const LINE_MAX: usize = 107;

/// A line that is no header.
pub struct Malformed;

/// Reads a line. None is one that names nobody.
#[inline(never)]
pub fn parse(line: &[u8]) -> Result<Option<Addresses>, Malformed> {
    let text = match line {
        [text @ .., b'\r', b'\n'] => text,
        _ => return Err(Malformed),
    };
    let mut words = Parts::of(text, b' ');
    if words.next() != Some(b"PROXY") {
        return Err(Malformed);
    }
    let v4 = match words.next() {
        Some(word) if word == b"TCP4" => true,
        Some(word) if word == b"TCP6" => false,
        Some(word) if word == b"UNKNOWN" => return Ok(None), // whatever follows is to be ignored
        _ => return Err(Malformed),
    };
    let mut ip = || words.next().and_then(Ip::parse).filter(|ip| ip.is_v4() == v4).ok_or(Malformed);
    let (source, destination) = (ip()?, ip()?);
    let mut port = || words.next().and_then(port).ok_or(Malformed);
    let (from, to) = (port()?, port()?);
    if words.next().is_some() {
        return Err(Malformed);
    }
    let (source, destination) = (Endpoint { ip: source, port: from }, Endpoint { ip: destination, port: to });
    Ok(Some(Addresses::Inet { source, destination }))
}

/// Writes a line. A Unix socket's addresses have no place in it.
pub fn write<const N: usize>(addresses: &Addresses, out: &mut Text<N>) {
    let (source, destination) = match addresses {
        Addresses::Inet { source, destination } => (source, destination),
        _ => {
            out.add(b"PROXY UNKNOWN\r\n");
            return;
        }
    };
    out.add(if source.ip.is_v4() { b"PROXY TCP4 " } else { b"PROXY TCP6 " });
    source.ip.write(out);
    out.add(b" ");
    destination.ip.write(out);
    out.add(b" ").add_decimal(source.port as u32);
    out.add(b" ").add_decimal(destination.port as u32).add(b"\r\n");
}

/// A port without leading zeros.
fn port(text: &[u8]) -> Option<u16> {
    match text {
        [b'0', _, ..] => None,
        _ => decimal(text).filter(|&n| n <= u16::MAX as u32).map(|n| n as u16),
    }
}
