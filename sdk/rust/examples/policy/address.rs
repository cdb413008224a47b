//! Addresses and prefixes as text: 192.0.2.7, 2001:db8::1, 192.0.2.0/24. An address of
//! IPv4 is kept as ::ffff:192.0.2.7 (RFC 4291 section 2.5.5.2), so that a client is the
//! same on a socket of either family.

use stunnel::text::decimal;

pub struct Address(u128);

pub struct Prefix {
    address: Address,
    bits: u32,
}

impl Address {
    pub fn parse(text: &[u8]) -> Option<Address> {
        match parse_v4(text) {
            Some(v4) => Some(Address(0xffff << 32 | v4 as u128)),
            None => parse_v6(text).map(Address),
        }
    }
}

impl Prefix {
    /// Reads an address, with / and a length or without.
    pub fn parse(text: &[u8]) -> Option<Prefix> {
        let (head, length) = match text.iter().position(|&b| b == b'/') {
            Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
            None => (text, None),
        };
        let width = if parse_v4(head).is_some() { 32 } else { 128 };
        let bits = match length {
            Some(digits) => decimal(digits)?,
            None => width,
        };
        if bits > width {
            return None;
        }
        Some(Prefix { address: Address::parse(head)?, bits: bits + 128 - width })
    }

    pub fn holds(&self, a: &Address) -> bool {
        (self.address.0 ^ a.0).checked_shr(128 - self.bits).unwrap_or(0) == 0
    }
}

/// Four decimal numbers. One with a zero in front is refused: some read it as octal.
fn parse_v4(text: &[u8]) -> Option<u32> {
    let mut all = 0;
    let mut count = 0;
    for part in text.split(|&b| b == b'.') {
        let n = decimal(part)?;
        if n > 255 || (part.len() > 1 && part.first() == Some(&b'0')) {
            return None;
        }
        count += 1;
        if count > 4 {
            return None;
        }
        all = all << 8 | n;
    }
    if count == 4 {
        Some(all)
    } else {
        None
    }
}

/// Groups, "::" once, and an address of IPv4 in place of the last two.
fn parse_v6(text: &[u8]) -> Option<u128> {
    let (head, tail) = match text.windows(2).position(|two| two == b"::") {
        Some(at) => (text.get(..at)?, Some(text.get(at + 2..)?)),
        None => (text, None),
    };
    let (front, size) = groups(head)?;
    match tail {
        None if size == 8 => Some(front),
        None => None,
        Some(tail) => {
            let (back, behind) = groups(tail)?;
            if size + behind >= 8 {
                return None;
            }
            Some(front.checked_shl(16 * (8 - size)).unwrap_or(0) | back)
        }
    }
}

/// Groups without a gap, and how many there are.
fn groups(text: &[u8]) -> Option<(u128, u32)> {
    let mut all = 0u128;
    let mut size = 0;
    if text.is_empty() {
        return Some((0, 0));
    }
    let mut parts = text.split(|&b| b == b':').peekable();
    while let Some(part) = parts.next() {
        match parse_v4(part) {
            Some(v4) if parts.peek().is_none() => {
                all = all << 32 | v4 as u128;
                size += 2;
            }
            _ => {
                all = all << 16 | group(part)? as u128;
                size += 1;
            }
        }
        if size > 8 {
            return None;
        }
    }
    Some((all, size))
}

/// One to four hexadecimal digits.
fn group(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    let mut n = 0;
    for &b in text {
        n = n << 4 | (b as char).to_digit(16)?;
    }
    Some(n)
}
