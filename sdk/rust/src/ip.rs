//! IP addresses as the host, configs and peers write them.

use crate::text::{decimal, has, Parts, Text};

/// Longest address as text: eight groups of four digits, and the colons between them.
const IP_MAX: usize = 39;

/// An address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ip {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Ip {
    /// Reads an address: four decimal numbers, or RFC 4291 section 2.2. A zone, or a
    /// number with leading zeros, which some would read as octal, is none.
    pub fn parse(text: &[u8]) -> Option<Ip> {
        if has(text, b':') {
            parse_v6(text).map(Ip::V6)
        } else {
            parse_v4(text).map(Ip::V4)
        }
    }

    /// The address in network order, 4 or 16 bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Ip::V4(bytes) => bytes,
            Ip::V6(bytes) => bytes,
        }
    }

    pub fn is_v4(&self) -> bool {
        matches!(self, Ip::V4(_))
    }

    /// Appends the address as RFC 5952 has it.
    pub fn write<const N: usize>(&self, to: &mut Text<N>) {
        // Once for texts of all lengths.
        let mut text = Text::<IP_MAX>::new();
        match self {
            Ip::V4(bytes) => write_v4(bytes, &mut text),
            Ip::V6(bytes) => write_v6(bytes, &mut text),
        }
        to.add(text.bytes());
    }
}

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    pub ip: Ip,
    pub port: u16,
}

impl Endpoint {
    /// Reads `host:port` as the host's `info` gives it, with or without brackets, and
    /// without the zone that a link-local address may have.
    pub fn parse(text: &[u8]) -> Option<Endpoint> {
        let (host, port) = split_port(text)?;
        let end = host.iter().position(|&b| b == b'%').unwrap_or(host.len());
        Some(Endpoint { ip: Ip::parse(host.get(..end)?)?, port })
    }

    /// Appends `host:port`, brackets around IPv6.
    pub fn write<const N: usize>(&self, to: &mut Text<N>) {
        match self.ip {
            Ip::V4(_) => self.ip.write(to),
            Ip::V6(_) => {
                to.add(b"[");
                self.ip.write(to);
                to.add(b"]");
            }
        }
        to.add(b":").add_decimal(self.port as u32);
    }
}

/// Splits `host:port` at the last colon and takes brackets off the host.
pub fn split_port(text: &[u8]) -> Option<(&[u8], u16)> {
    let colon = text.iter().rposition(|&b| b == b':')?;
    let port = decimal(text.get(colon + 1..)?)?;
    let host = match text.get(..colon)? {
        [b'[', inner @ .., b']'] => inner,
        host => host,
    };
    if host.is_empty() || port > u16::MAX as u32 {
        return None;
    }
    Some((host, port as u16))
}

/// The addresses that share a prefix.
#[derive(Clone, Copy)]
pub struct Network {
    ip: Ip,
    bits: u32,
}

impl Network {
    /// Reads `address/bits`, or an address alone. Bits beyond the prefix are a mistake of
    /// whoever wrote it, and no network.
    pub fn parse(text: &[u8]) -> Option<Network> {
        let (ip, bits) = match text.iter().position(|&b| b == b'/') {
            None => (Ip::parse(text)?, None),
            Some(slash) => (Ip::parse(text.get(..slash)?)?, Some(decimal(text.get(slash + 1..)?)?)),
        };
        let all = ip.bytes().len() as u32 * 8;
        let network = Network { ip, bits: bits.unwrap_or(all) };
        let beyond = |(i, b): (usize, &u8)| b & !mask(network.bits, i) != 0;
        if network.bits > all || ip.bytes().iter().enumerate().any(beyond) {
            return None;
        }
        Some(network)
    }

    /// Whether an address of the same family begins with the prefix.
    pub fn contains(&self, ip: &Ip) -> bool {
        let pairs = self.ip.bytes().iter().zip(ip.bytes());
        self.ip.is_v4() == ip.is_v4() && pairs.enumerate().all(|(i, (a, b))| (a ^ b) & mask(self.bits, i) == 0)
    }
}

/// The bits of an address's byte i that are within a prefix.
fn mask(bits: u32, i: usize) -> u8 {
    match bits.saturating_sub(i as u32 * 8) {
        within @ 0..=7 => !(0xff >> within),
        _ => 0xff,
    }
}

fn parse_v4(text: &[u8]) -> Option<[u8; 4]> {
    let mut ip = [0; 4];
    let mut parts = Parts::of(text, b'.');
    for byte in ip.iter_mut() {
        let part = parts.next()?;
        let n = decimal(part)?;
        if n > 255 || (part.len() > 1 && part.first() == Some(&b'0')) {
            return None;
        }
        *byte = n as u8;
    }
    if parts.next().is_some() {
        return None;
    }
    Some(ip)
}

fn parse_v6(text: &[u8]) -> Option<[u8; 16]> {
    let mut ip = Text::<16>::new();
    let mut tail = Text::<16>::new(); // what follows `::`
    let mut gap = false;
    let mut rest = text;
    if let Some(behind) = text.strip_prefix(b"::") {
        gap = true;
        rest = behind;
    }
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b':').unwrap_or(rest.len());
        let group = rest.get(..end)?;
        let to = if gap { &mut tail } else { &mut ip };
        if end == rest.len() && has(group, b'.') {
            to.add(&parse_v4(group)?);
            break;
        }
        to.add(&hexadecimal(group)?.to_be_bytes());
        rest = match rest.get(end + 1..) {
            None => &[],
            Some([]) => return None, // a colon that nothing follows
            Some([b':', ..]) if gap => return None,
            Some([b':', more @ ..]) => {
                gap = true;
                more
            }
            Some(more) => more,
        };
    }
    let given = ip.bytes().len() + tail.bytes().len();
    // `::` stands for one group of zeros at least.
    if ip.is_over() || (gap && given > 14) || (!gap && given != 16) {
        return None;
    }
    ip.add([0; 16].get(given..)?).add(tail.bytes());
    ip.bytes().try_into().ok()
}

/// A group of one to four hexadecimal digits.
fn hexadecimal(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    text.iter().try_fold(0, |n: u16, &b| Some(n << 4 | (b as char).to_digit(16)? as u16))
}

#[inline(never)]
fn write_v4(bytes: &[u8], to: &mut Text<IP_MAX>) {
    for (i, &b) in bytes.iter().enumerate() {
        if i > 0 {
            to.add(b".");
        }
        to.add_decimal(b as u32);
    }
}

#[inline(never)]
fn write_v6(bytes: &[u8; 16], to: &mut Text<IP_MAX>) {
    if let [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4 @ ..] = bytes {
        to.add(b"::ffff:");
        return write_v4(v4, to);
    }
    let group = |i: usize| match bytes.get(2 * i..2 * i + 2) {
        Some([a, b]) => (*a as u32) << 8 | *b as u32,
        _ => 0,
    };
    // The longest run of two zero groups or more, the first of equals.
    let (mut start, mut length) = (8, 1);
    for i in 0..8 {
        let run = (i..8).take_while(|&j| group(j) == 0).count();
        if run > length {
            (start, length) = (i, run);
        }
    }
    let mut i = 0;
    while i < 8 {
        if i == start {
            to.add(b"::");
            i += length;
            continue;
        }
        if i > 0 && i != start + length {
            to.add(b":");
        }
        to.add_hexadecimal(group(i));
        i += 1;
    }
}
