//! What a certificate says, as the host prints it.

use crate::address::{Address, Network, NO_NETWORK};
use crate::pattern::{matches, Kind};
use stunnel::text::{find, Parts};

/// Whether an attribute of a printed name, such as OU, has a value that matches.
pub fn attribute(name: &[u8], key: &[u8], pattern: &[u8]) -> bool {
    let mut rest = name;
    while let Some((k, value, after)) = next(rest) {
        if k == key && holds(value, pattern) {
            return true;
        }
        rest = after;
    }
    false
}

/// Takes KEY=VALUE off a printed name. The value is quoted if it has a comma in it, and
/// a backslash or a double quote of it stands behind a backslash, so that a common name
/// of "x, OU=admin" is none of OU.
fn next(name: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let equals = find(name, b'=')?;
    let (key, rest) = (name.get(..equals)?, name.get(equals + 1..)?);
    let quoted = rest.first() == Some(&b'"');
    let start = quoted as usize;
    let mut end = start;
    while let Some(&b) = rest.get(end) {
        match b {
            b'\\' => end += 1,
            b'"' if quoted => break,
            b',' if !quoted => break,
            _ => {}
        }
        end += 1;
    }
    let value = rest.get(start..end.min(rest.len()))?;
    let mut after = rest.get(end + start..).unwrap_or(&[]);
    while let [b',' | b' ', more @ ..] = after {
        after = more;
    }
    Some((key, value, after))
}

/// Longest value of an attribute that is compared; X.520 has 64 for names.
const VALUE_MAX: usize = 256;

fn holds(value: &[u8], pattern: &[u8]) -> bool {
    let mut plain = [0; VALUE_MAX];
    let mut n = 0;
    let mut bytes = value.iter();
    while let Some(&b) = bytes.next() {
        let b = if b == b'\\' { bytes.next().copied().unwrap_or(b) } else { b };
        match plain.get_mut(n) {
            Some(slot) => *slot = b,
            None => return false,
        }
        n += 1;
    }
    matches(pattern, plain.get(..n).unwrap_or(&[]), Kind::Text)
}

/// A pattern of an alternative name.
pub struct Alternative<'a> {
    kind: &'a [u8],
    pattern: &'a [u8],
}

const NO_KIND: &str = "begins with none of DNS:, URI:, email: and IP:";

impl<'a> Alternative<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Self, &'static str> {
        let a = Alternative::split(text).ok_or(NO_KIND)?;
        if a.kind == b"IP" {
            return Network::parse(a.pattern).map(|_| a).map_err(|_| NO_NETWORK);
        }
        let kinds: [&[u8]; 3] = [b"DNS", b"URI", b"email"];
        if a.pattern.is_empty() || !kinds.contains(&a.kind) {
            return Err(NO_KIND);
        }
        Ok(a)
    }

    fn split(text: &'a [u8]) -> Option<Self> {
        let colon = find(text, b':')?;
        Some(Alternative { kind: text.get(..colon)?, pattern: text.get(colon + 1..)? })
    }

    /// Whether one of the names, a line each, matches.
    pub fn is_among(&self, names: &[u8]) -> bool {
        Parts::of(names, b'\n').filter_map(Alternative::split).any(|n| n.kind == self.kind && self.matches(n.pattern))
    }

    fn matches(&self, name: &[u8]) -> bool {
        if self.kind == b"IP" {
            return match (Network::parse(self.pattern), Address::parse(name)) {
                (Ok(network), Some(address)) => network.contains(&address),
                _ => false,
            };
        }
        let kind = match self.kind {
            kind if kind == b"DNS" => Kind::Host,
            kind if kind == b"URI" => Kind::Uri,
            _ => Kind::Text,
        };
        matches(self.pattern, name, kind)
    }
}

/// The 64 digits of a SHA-256, which may begin with "sha256:" and have colons between.
pub fn is_hash(text: &[u8]) -> bool {
    digits(text, &mut [0; HASH_LEN])
}

pub fn same_hash(text: &[u8], hash: &[u8]) -> bool {
    let mut wanted = [0; HASH_LEN];
    digits(text, &mut wanted) && wanted == hash
}

const HASH_LEN: usize = 64;

/// Takes the digits of a hash, in lower case; false if they are not just as many.
fn digits(text: &[u8], to: &mut [u8; HASH_LEN]) -> bool {
    let mut n = 0;
    for &b in text.strip_prefix(b"sha256:").unwrap_or(text) {
        if b == b':' {
            continue;
        }
        match to.get_mut(n) {
            Some(slot) if b.is_ascii_hexdigit() => *slot = b.to_ascii_lowercase(),
            _ => return false,
        }
        n += 1;
    }
    n == HASH_LEN
}
