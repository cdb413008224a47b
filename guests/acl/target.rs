//! Where a connection is going.

use crate::address::{Address, Network};
use crate::line::cut_last;
use crate::pattern::{matches, Kind};
use stunnel::text::{find, Parts};

/// Longest target in bytes: a name of 253 (RFC 1035 section 2.3.4) or the path of a
/// socket, and a port.
pub const TARGET_MAX: usize = 264;

/// A pattern and its ports: *.example.org:443, 10.0.0.0/8:*, [2001:db8::]/32:1-1023.
pub struct Pattern<'a> {
    host: &'a [u8],
    low: u32,
    high: u32,
}

pub const NO_TARGET: &str = "is no target: HOST-PATTERN:PORT or CIDR:PORT, the port a number, a range or *";

impl<'a> Pattern<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Self, &'static str> {
        let (host, ports) = split(text).ok_or(NO_TARGET)?;
        let mut ends = Parts::of(ports, b'-');
        let (low, high) = match (ends.next(), ends.next(), ends.next()) {
            (Some(all), None, None) if all == b"*" => (0, 65535),
            (Some(one), None, None) => (port(one).ok_or(NO_TARGET)?, port(one).ok_or(NO_TARGET)?),
            (Some(a), Some(b), None) => (port(a).ok_or(NO_TARGET)?, port(b).ok_or(NO_TARGET)?),
            _ => return Err(NO_TARGET),
        };
        if host.is_empty() || low > high {
            return Err(NO_TARGET);
        }
        if find(host, b'/').is_some() || find(host, b':').is_some() {
            let mut room = [0; TARGET_MAX];
            Network::parse(bare(host, &mut room).ok_or(NO_TARGET)?)?;
        }
        Ok(Pattern { host, low, high })
    }

    /// Whether a target as it was asked for matches. A name matches patterns alone: what
    /// it resolves to is for guestDial to look at.
    pub fn matches(&self, target: &[u8]) -> bool {
        let (host, ports) = match split(target) {
            Some(parts) => parts,
            None => return false,
        };
        if port(ports).map_or(true, |n| n < self.low || n > self.high) {
            return false;
        }
        let (mut room, mut room2) = ([0; TARGET_MAX], [0; TARGET_MAX]);
        let (host, wanted) = match (bare(host, &mut room), bare(self.host, &mut room2)) {
            (Some(host), Some(wanted)) => (host, wanted),
            _ => return false,
        };
        // A name with a dot at its end is the same name (RFC 1034 section 3.1).
        let host = host.strip_suffix(b".").unwrap_or(host);
        // A zone must not lead an address past the rule that denies its network.
        let end = find(host, b'%').unwrap_or(host.len());
        if let (Some(address), Ok(network)) = (host.get(..end).and_then(Address::parse), Network::parse(wanted)) {
            return network.contains(&address);
        }
        matches(wanted, host, Kind::Host)
    }
}

/// Whether two targets are the same text but for brackets and letters' case.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let (mut room, mut room2) = ([0; TARGET_MAX], [0; TARGET_MAX]);
    match (bare(trim(a), &mut room), bare(trim(b), &mut room2)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    cut_last(text, b':')
}

fn port(text: &[u8]) -> Option<u32> {
    stunnel::text::decimal(text).filter(|&n| n <= 65535)
}

/// The text without brackets.
fn bare<'a>(text: &[u8], room: &'a mut [u8; TARGET_MAX]) -> Option<&'a [u8]> {
    let mut n = 0;
    for &b in text.iter().filter(|&&b| b != b'[' && b != b']') {
        *room.get_mut(n)? = b;
        n += 1;
    }
    room.get(..n)
}
