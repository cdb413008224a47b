//! Where a connection is going.

use crate::address::{Address, Network};
use crate::line::cut_last;
use crate::pattern::{matches, Kind};
use stunnel::text::{decimal, equal, find, has};

/// Longest target in bytes: a name of 253 (RFC 1035 section 2.3.4) or the path of a
/// socket, and a port.
pub const TARGET_MAX: usize = 264;

const NO_TARGET: &str = "is no target: HOST-PATTERN:PORT or CIDR:PORT, the port a number, a range or *";

/// Whether a target, as it was asked for, is like a pattern and its ports: *.example.org:443,
/// 10.0.0.0/8:*, [2001:db8::]/32:1-1023. A name matches patterns alone: what it resolves to is
/// for guestDial to look at.
#[inline(never)]
pub fn is_like(want: &[u8], target: &[u8]) -> Result<bool, &'static str> {
    let (wanted, low, high) = pattern(want).ok_or(NO_TARGET)?;
    let (mut room, mut room2) = ([0; TARGET_MAX], [0; TARGET_MAX]);
    let bare_wanted = bare(wanted, &mut room);
    let network = bare_wanted.ok_or(NO_TARGET).and_then(Network::parse);
    match network {
        Err(how) if has(wanted, b'/') | has(wanted, b':') => return Err(how),
        _ => {}
    }
    let (host, port) = match cut_last(target, b':') {
        Some((host, digits)) => (bare(host, &mut room2), port(digits)),
        None => (None, None),
    };
    let (host, wanted) = match (host, bare_wanted, port) {
        (Some(host), Some(wanted), Some(port)) if low <= port && port <= high => (host, wanted),
        _ => return Ok(false),
    };
    // A name with a dot at its end is the same name (RFC 1034 section 3.1).
    let host = match host {
        [name @ .., b'.'] => name,
        _ => host,
    };
    // A zone must not lead an address past the rule that denies its network.
    Ok(match (network, Address::of_host(host)) {
        (Ok(network), Some(address)) => network.contains(&address),
        _ => matches(wanted, host, Kind::Host),
    })
}

/// The host of a pattern, its lowest and its highest port.
fn pattern(text: &[u8]) -> Option<(&[u8], u32, u32)> {
    let (host, ports) = cut_last(text, b':')?;
    let (low, high) = if equal(ports, b"*") {
        (0, 65535)
    } else {
        let dash = find(ports, b'-');
        let low = port(ports.get(..dash.unwrap_or(ports.len()))?)?;
        (low, dash.map_or(Some(low), |at| port(ports.get(at + 1..)?))?)
    };
    if host.is_empty() || low > high {
        return None;
    }
    Some((host, low, high))
}

/// Whether two targets are the same text but for brackets, letters' case, and a line end of
/// the first.
#[inline(never)]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let a = match a {
        [line @ .., b'\n'] => line,
        _ => a,
    };
    let (mut room, mut room2) = ([0; TARGET_MAX], [0; TARGET_MAX]);
    match (bare(a, &mut room), bare(b, &mut room2)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

#[inline(never)]
fn port(text: &[u8]) -> Option<u32> {
    decimal(text).filter(|&n| n <= 65535)
}

/// The text without brackets; none if it is too long.
#[inline(never)]
fn bare<'a>(text: &[u8], room: &'a mut [u8; TARGET_MAX]) -> Option<&'a [u8]> {
    let mut n = 0;
    for &b in text {
        if b != b'[' && b != b']' {
            *room.get_mut(n)? = b;
            n += 1;
        }
    }
    room.get(..n)
}
