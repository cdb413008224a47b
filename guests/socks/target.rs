//! Whom a client asks for.

use stunnel::ip::{split_port, Ip};
use stunnel::text::{has, Parts};
use stunnel::Text;
use crate::socks5::{ADDRESS_NAME, ADDRESS_V4, ADDRESS_V6};

/// Longest name in bytes (RFC 1035 section 2.3.4, as text), and longest part of one.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Longest value of protocolHost: a name, a colon and a port.
pub const OPTION_MAX: usize = NAME_MAX + 6;

/// A host and a port. The host is as a request of SOCKS 5 has it: a type of address, and
/// the bytes of an address or a name.
pub struct Target {
    pub kind: u8,
    pub host: Text<{ NAME_MAX + 1 }>,
    pub port: u16,
}

impl Target {
    pub const fn new() -> Target {
        Target { kind: 0, host: Text::new(), port: 0 }
    }

    /// Takes `host:port`. None for what is none.
    pub fn parse(&mut self, text: &[u8]) -> Option<()> {
        let (host, port) = split_port(text)?;
        if port == 0 {
            return None;
        }
        self.port = port;
        self.parse_host(host)
    }

    /// Takes a name, or an address in the place of one, with brackets or without: what
    /// is an address must never be looked up. None for what is neither.
    #[inline(never)]
    pub fn parse_host(&mut self, text: &[u8]) -> Option<()> {
        let bare = match text {
            [b'[', inner @ .., b']'] if has(inner, b':') => inner,
            _ => text,
        };
        if let Some(ip) = &Ip::parse(bare) {
            self.kind = if ip.is_v4() { ADDRESS_V4 } else { ADDRESS_V6 };
            self.host.add(ip.bytes());
            return Some(());
        }
        if !is_name(text) {
            return None;
        }
        self.kind = ADDRESS_NAME;
        self.host.add(text);
        Some(())
    }

    /// Writes the host as the host program's resolve takes it.
    #[inline(never)]
    pub fn write_host<const N: usize>(&self, to: &mut Text<N>) {
        let bytes = self.host.bytes();
        let ip = match self.kind {
            ADDRESS_V4 => bytes.try_into().ok().map(Ip::V4),
            ADDRESS_V6 => bytes.try_into().ok().map(Ip::V6),
            _ => None,
        };
        match &ip {
            Some(ip) => ip.write(to),
            None => {
                to.add(bytes);
            }
        }
    }

    /// Writes the target as `host:port`, an IPv6 address in brackets.
    #[inline(never)]
    pub fn write<const N: usize>(&self, to: &mut Text<N>) {
        let (open, close) = if self.kind == ADDRESS_V6 { ("[", "]") } else { ("", "") };
        to.clear();
        to.add(open.as_bytes());
        self.write_host(to);
        to.add(close.as_bytes()).add(b":").add_decimal(self.port as u32);
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
