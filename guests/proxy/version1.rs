//! The header of version 1 (proxy-protocol.txt section 2.1), a line of text.

use stunnel::ip::Ip;
use stunnel::text::{decimal, Parts};
use stunnel::Text;
use crate::addresses::Addresses;
use crate::version2::{TCP4, TCP6};

/// Longest line in bytes, with its CR LF.
pub const LINE_MAX: usize = 107;

/// Reads a line, and sets whom it names, if anybody. None is one that is no header.
#[inline(never)]
pub fn parse(line: &[u8], addresses: &mut Addresses) -> Option<()> {
    let mut words = Parts::of(line.strip_suffix(b"\r\n")?, b' ');
    if words.next()? != b"PROXY" {
        return None;
    }
    addresses.family = match words.next()? {
        b"TCP4" => TCP4,
        b"TCP6" => TCP6,
        b"UNKNOWN" => return Some(()), // whatever follows is to be ignored
        _ => return None,
    };
    for _ in 0..2 {
        let ip = Ip::parse(words.next()?)?;
        if ip.is_v4() != (addresses.family == TCP4) {
            return None;
        }
        addresses.bytes.add(ip.bytes());
    }
    for _ in 0..2 {
        addresses.bytes.add(&port(words.next()?)?.to_be_bytes());
    }
    match words.next() {
        Some(_) => None,
        None => Some(()),
    }
}

/// Writes a line. A Unix socket's addresses have no place in it.
pub fn write<const N: usize>(addresses: &Addresses, out: &mut Text<N>) {
    match (&addresses.end(0), &addresses.end(1)) {
        (Some(source), Some(destination)) => {
            out.add(if source.ip.is_v4() { b"PROXY TCP4 " } else { b"PROXY TCP6 " });
            source.ip.write(out);
            out.add(b" ");
            destination.ip.write(out);
            out.add(b" ").add_decimal(source.port as u32);
            out.add(b" ").add_decimal(destination.port as u32).add(b"\r\n");
        }
        _ => {
            out.add(b"PROXY UNKNOWN\r\n");
        }
    }
}

/// A port without leading zeros.
fn port(text: &[u8]) -> Option<u16> {
    match text {
        [b'0', _, ..] => None,
        _ => decimal(text).filter(|&n| n <= u16::MAX as u32).map(|n| n as u16),
    }
}
