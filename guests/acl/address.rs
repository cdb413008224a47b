//! IP addresses and networks.

use crate::line::{cut_last, find, Parts};

/// An address; an IPv4 one, also in its mapped form (RFC 4291 section 2.5.5.2), has the
/// bytes of the mapped form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address([u8; 16]);

const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Address {
    pub fn parse(text: &[u8]) -> Option<Address> {
        if find(text, b':').is_some() {
            return parse6(text).map(Address);
        }
        let v4 = parse4(text)?;
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&MAPPED);
        bytes[12..].copy_from_slice(&v4);
        Some(Address(bytes))
    }

    /// The address of `host:port` without brackets, as info tells it. A zone says where
    /// the host heard it, and does not count.
    pub fn of_peer(text: &[u8]) -> Option<Address> {
        let (host, _) = cut_last(text, b':')?;
        Address::parse(Parts::of(host, b'%').next()?)
    }

    fn is_v4(&self) -> bool {
        self.0.starts_with(&MAPPED)
    }
}

/// A network: an address, and how many of its first bits count.
pub struct Network {
    address: Address,
    bits: u32,
}

/// What is wrong with a network's text.
pub const NO_NETWORK: &str = "is no IP address or network, as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32";
const STRAY_BITS: &str = "has bits beyond its prefix: which network is meant?";

impl Network {
    pub fn parse(text: &[u8]) -> Result<Network, &'static str> {
        let slash = find(text, b'/');
        let host = text.get(..slash.unwrap_or(text.len())).unwrap_or(&[]);
        let address = Address::parse(host).ok_or(NO_NETWORK)?;
        // The prefix of an IPv4 network counts within its own 32 bits, that of the mapped
        // form within all 128.
        let v4 = find(host, b':').is_none();
        let most = if v4 { 32 } else { 128 };
        let bits = match slash {
            None => most,
            Some(at) => number(text.get(at + 1..).unwrap_or(&[]), 10, 3).filter(|&n| n <= most).ok_or(NO_NETWORK)?,
        };
        let bits = if v4 { bits + 96 } else { bits };
        for (i, &b) in address.0.iter().enumerate() {
            if b & !mask(bits, i) != 0 {
                return Err(STRAY_BITS);
            }
        }
        Ok(Network { address, bits })
    }

    /// Whether an address is in the network. No IPv6 network has IPv4 addresses, not even
    /// the one of no bits.
    pub fn contains(&self, a: &Address) -> bool {
        let family = self.address.is_v4() && self.bits >= 96;
        family == a.is_v4()
            && self.address.0.iter().zip(a.0.iter()).enumerate().all(|(i, (x, y))| (x ^ y) & mask(self.bits, i) == 0)
    }
}

/// The mask of a byte under a prefix of so many bits.
fn mask(bits: u32, byte: usize) -> u8 {
    let left = bits.saturating_sub(8 * byte as u32).min(8);
    !(0xffu32 >> left) as u8
}

fn number(text: &[u8], radix: u32, most: usize) -> Option<u32> {
    if text.is_empty() || text.len() > most {
        return None;
    }
    text.iter().try_fold(0, |n, &b| Some(n * radix + (b as char).to_digit(radix)?))
}

fn parse4(text: &[u8]) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    let mut parts = Parts::of(text, b'.');
    for slot in bytes.iter_mut() {
        let part = parts.next()?;
        // 010 is eight to some and ten to others.
        if part.len() > 1 && part.first() == Some(&b'0') {
            return None;
        }
        *slot = number(part, 10, 3).filter(|&n| n <= 255)? as u8;
    }
    match parts.next() {
        None => Some(bytes),
        Some(_) => None,
    }
}

/// RFC 4291 section 2.2: eight groups, of which "::" may leave some out once, and the last
/// two may be an IPv4 address.
fn parse6(text: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let gap = text.windows(2).position(|w| w == b"::");
    let (head, tail) = match gap {
        None => (text, None),
        Some(at) => (text.get(..at)?, Some(text.get(at + 2..)?)),
    };
    let n = groups(head, &mut bytes)?;
    let tail = match tail {
        None => return if n == 16 { Some(bytes) } else { None },
        Some(tail) => tail,
    };
    let mut rest = [0; 16];
    let m = groups(tail, &mut rest)?;
    if n + m > 14 {
        return None; // the gap stands for a group at least
    }
    for (to, from) in bytes.iter_mut().rev().zip(rest.iter().take(m).rev()) {
        *to = *from;
    }
    Some(bytes)
}

/// Reads groups, and gives how many bytes they are.
fn groups(text: &[u8], into: &mut [u8; 16]) -> Option<usize> {
    let mut n = 0;
    if text.is_empty() {
        return Some(0);
    }
    let mut parts = Parts::of(text, b':').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() && find(part, b'.').is_some() {
            into.get_mut(n..n + 4)?.copy_from_slice(&parse4(part)?);
            return Some(n + 4);
        }
        let group = number(part, 16, 4)? as u16;
        into.get_mut(n..n + 2)?.copy_from_slice(&group.to_be_bytes());
        n += 2;
    }
    Some(n)
}
