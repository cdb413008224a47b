//! Hosts that can be asked for.

use stunnel::ip::{split_port, Ip};
use stunnel::text::{has, Parts};
use stunnel::Text;

/// Longest name in bytes (RFC 1035 section 2.3.4, as text), and longest part of one.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Longest value of protocolHost: a name, a colon and a port.
pub const OPTION_MAX: usize = NAME_MAX + 6;

/// Room for a host and a port as text.
pub type TargetText = Text<{ OPTION_MAX + 2 }>;

/// A host: an address, or a name that is none.
#[derive(Clone, Copy)]
pub enum Host<'a> {
    Ip(Ip),
    Name(&'a [u8]),
}

impl<'a> Host<'a> {
    /// Reads a name, or an address in the place of one, with brackets or without: what
    /// is an address must never be looked up.
    pub fn parse(text: &'a [u8]) -> Option<Host<'a>> {
        let bare = match text {
            [b'[', inner @ .., b']'] if has(inner, b':') => inner,
            _ => text,
        };
        match Ip::parse(bare) {
            Some(ip) => Some(Host::Ip(ip)),
            None if is_name(text) => Some(Host::Name(text)),
            None => None,
        }
    }

    /// Appends the host as the host program's resolve takes it.
    pub fn write<const N: usize>(&self, to: &mut Text<N>) {
        match self {
            Host::Ip(ip) => ip.write(to),
            Host::Name(name) => {
                to.add(name);
            }
        }
    }
}

/// A host and a port.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub host: Host<'a>,
    pub port: u16,
}

impl<'a> Target<'a> {
    /// Reads `host:port`.
    pub fn parse(text: &'a [u8]) -> Option<Target<'a>> {
        let (host, port) = split_port(text)?;
        if port == 0 {
            return None;
        }
        Some(Target { host: Host::parse(host)?, port })
    }

    /// The target as `host:port`, an IPv6 address in brackets.
    pub fn text(&self) -> TargetText {
        let mut text = TargetText::new();
        match self.host {
            Host::Ip(Ip::V6(_)) => {
                text.add(b"[");
                self.host.write(&mut text);
                text.add(b"]");
            }
            _ => self.host.write(&mut text),
        }
        text.add(b":").add_decimal(self.port as u32);
        text
    }
}

/// Whether a text has the form of a host name: labels of letters, digits, hyphens and
/// underscores. A byte outside of these could mean one thing to a log or a policy and
/// another to the resolver.
fn is_name(text: &[u8]) -> bool {
    let name = match text {
        [name @ .., b'.'] => name, // absolute
        _ => text,
    };
    let is_label = |label: &[u8]| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && label.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= NAME_MAX && Parts::of(name, b'.').all(is_label)
}
