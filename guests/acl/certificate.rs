//! What a certificate says, as the host prints it.

use crate::address::{Address, Network, NO_NETWORK};
use crate::pattern::{matches, Kind};
use stunnel::text::{equal, find, Parts, Text};

/// Whether an attribute of a printed name, such as OU, has a value that matches.
pub fn attribute(name: &[u8], key: &[u8], pattern: &[u8]) -> bool {
    let mut rest = name;
    while let Some((k, value, after)) = next(rest) {
        if equal(k, key) && holds(value, pattern) {
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
    let quoted = matches!(rest, [b'"', ..]);
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

/// The kinds of alternative names, and how the texts of each are compared; those of none are
/// addresses.
static KINDS: [(&[u8], Option<Kind>); 4] =
    [(b"DNS", Some(Kind::Host)), (b"URI", Some(Kind::Uri)), (b"email", Some(Kind::Text)), (b"IP", None)];

const NO_KIND: &str = "begins with none of DNS:, URI:, email: and IP:";

/// Whether one of a certificate's alternative names, a line each, is what is wanted.
#[inline(never)]
pub fn is_among(want: &[u8], names: &[u8]) -> Result<bool, &'static str> {
    let (kind, pattern) = split(want).ok_or(NO_KIND)?;
    let like = KINDS.iter().find(|(known, _)| equal(known, kind)).ok_or(NO_KIND)?.1;
    let network = Network::parse(pattern);
    match like {
        None if network.is_err() => return Err(NO_NETWORK),
        Some(_) if pattern.is_empty() => return Err(NO_KIND),
        _ => {}
    }
    Ok(Parts::of(names, b'\n').filter_map(split).any(|(k, name)| {
        equal(k, kind)
            && match (like, &network) {
                (Some(kind), _) => matches(pattern, name, kind),
                (None, Ok(network)) => Address::parse(name).map_or(false, |a| network.contains(&a)),
                _ => false,
            }
    }))
}

/// The kind of an alternative name, and the name.
#[inline(never)]
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = find(text, b':')?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}

const HASH_LEN: usize = 64;

/// Whether a hash, in lower case, is the wanted one. That may begin with "sha256:" and have
/// colons between its digits.
#[inline(never)]
pub fn same_hash(want: &[u8], hash: &[u8]) -> Result<bool, &'static str> {
    let mut digits = Text::<HASH_LEN>::new();
    let mut stray = false;
    for &b in want.strip_prefix(b"sha256:").unwrap_or(want) {
        if b != b':' {
            stray |= !b.is_ascii_hexdigit();
            digits.add(&[b.to_ascii_lowercase()]);
        }
    }
    if stray || digits.is_over() || digits.bytes().len() < HASH_LEN {
        return Err("is not the 64 hex digits of a SHA-256");
    }
    Ok(equal(digits.bytes(), hash))
}
