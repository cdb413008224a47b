//! IP addresses and networks.

use crate::line::cut_last;
use stunnel::ip::Ip;
use stunnel::text::{decimal, find, Parts};

/// An address; an IPv4 one, also in its mapped form (RFC 4291 section 2.5.5.2), has the
/// bytes of the mapped form.
pub struct Address([u8; 16]);

const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Address {
    #[inline(never)]
    pub fn parse(text: &[u8]) -> Option<Address> {
        let mut bytes = [0; 16];
        match Ip::parse(text)? {
            Ip::V6(v6) => bytes = v6,
            Ip::V4(v4) => {
                bytes[..12].copy_from_slice(&MAPPED);
                bytes[12..].copy_from_slice(&v4);
            }
        }
        Some(Address(bytes))
    }

    /// The address of a host. A zone says where it was heard, and does not count.
    pub fn of_host(host: &[u8]) -> Option<Address> {
        Address::parse(Parts::of(host, b'%').next()?)
    }

    /// The address of `host:port` without brackets, as info tells it.
    pub fn of_peer(text: &[u8]) -> Option<Address> {
        Address::of_host(cut_last(text, b':')?.0)
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
    #[inline(never)]
    pub fn parse(text: &[u8]) -> Result<Network, &'static str> {
        let (host, bits) = match find(text, b'/') {
            None => (text, None),
            Some(at) => (text.get(..at).unwrap_or(&[]), Some(text.get(at + 1..).unwrap_or(&[]))),
        };
        let address = Address::parse(host).ok_or(NO_NETWORK)?;
        // The prefix of an IPv4 network counts within its own 32 bits, that of the mapped
        // form within all 128.
        let skipped = if find(host, b':').is_none() { 96 } else { 0 };
        let bits = match bits {
            None => 128,
            Some(digits) => decimal(digits).ok_or(NO_NETWORK)? + skipped,
        };
        if bits > 128 {
            return Err(NO_NETWORK);
        }
        let stray = address.0.iter().enumerate().fold(0, |stray, (i, b)| stray | b & !mask(bits, i));
        if stray != 0 {
            return Err(STRAY_BITS);
        }
        Ok(Network { address, bits })
    }

    /// Whether an address is in the network. No IPv6 network has IPv4 addresses, not even
    /// the one of no bits.
    #[inline(never)]
    pub fn contains(&self, a: &Address) -> bool {
        let pairs = self.address.0.iter().zip(a.0.iter()).enumerate();
        let differ = pairs.fold(0, |differ, (i, (x, y))| differ | (x ^ y) & mask(self.bits, i));
        differ == 0 && (self.bits >= 96 && self.address.is_v4()) == a.is_v4()
    }
}

/// The mask of a byte under a prefix of so many bits.
fn mask(bits: u32, byte: usize) -> u8 {
    let left = bits.saturating_sub(8 * byte as u32).min(8);
    !(0xffu32 >> left) as u8
}
