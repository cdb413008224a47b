//! The authority form of a request target (RFC 9112 section 3.2.3): host and port.

use crate::header::is_made_of;
use stunnel::text::{decimal, has};

/// Longest authority in bytes: a name has at most 253 (RFC 1035 section 2.3.4).
pub const AUTHORITY_MAX: usize = 260;

/// Whether a text is HOST:PORT or [IPv6]:PORT. Nothing that another reader could take for
/// something else passes: no user information, zone, blank or control byte, and no port
/// that is missing, zero or led by a zero.
pub fn is_authority(text: &[u8]) -> bool {
    let colon = match text.iter().rposition(|&b| b == b':') {
        Some(at) if text.len() <= AUTHORITY_MAX => at,
        _ => return false,
    };
    let (host, port) = (text.get(..colon).unwrap_or(&[]), text.get(colon + 1..).unwrap_or(&[]));
    is_host(host) && is_port(port)
}

fn is_host(host: &[u8]) -> bool {
    match host {
        [b'[', address @ .., b']'] => has(address, b':') && is_made_of(address, b'f', b":."),
        _ => is_made_of(host, b'z', b"-_."),
    }
}

fn is_port(port: &[u8]) -> bool {
    port.first() != Some(&b'0') && matches!(decimal(port), Some(1..=65535))
}
