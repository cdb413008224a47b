//! IP addresses and networks.

use crate::line::cut_last;
use stunnel::ip::Ip;
use stunnel::text::{decimal, find, Parts};

/// An address; an IPv4 one, also in its mapped form (RFC 4291 section 2.5.5.2), has the
/// bytes of the mapped form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address([u8; 16]);

const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Address {
    pub fn parse(text: &[u8]) -> Option<Address> {
        Ip::parse(text).map(|ip| match ip {
            Ip::V6(bytes) => Address(bytes),
            Ip::V4(v4) => {
                let mut bytes = [0; 16];
                bytes[..12].copy_from_slice(&MAPPED);
                bytes[12..].copy_from_slice(&v4);
                Address(bytes)
            }
        })
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
            Some(at) => decimal(text.get(at + 1..).unwrap_or(&[])).filter(|&n| n <= most).ok_or(NO_NETWORK)?,
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
