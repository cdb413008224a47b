//! The Basic Encoding Rules as LDAP restricts them (RFC 4511 section 5.1): a tag of one
//! byte, a definite length, contents.

use stunnel::Text;

pub const INTEGER: u8 = 0x02;
pub const OCTETS: u8 = 0x04;
pub const ENUMERATED: u8 = 0x0a;
pub const SEQUENCE: u8 = 0x30;

/// Most bytes of a length behind its first: four say more than any message is long.
pub const LENGTH_MAX: usize = 4;

/// What is left to read of some contents.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next element's tag and contents; nothing if it goes past the end.
    pub fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, len, head) = match *self.0 {
            [tag, first, ..] if first < 0x80 => (tag, first as usize, 2),
            [tag, first, ref rest @ ..] => {
                let bytes = rest.get(..long(first)?)?;
                (tag, length(bytes)?, 2 + bytes.len())
            }
            _ => return None,
        };
        let contents = self.0.get(head..head.checked_add(len)?)?;
        self.0 = self.0.get(head + len..)?;
        Some((tag, contents))
    }

    /// The next element's contents, if it has this tag.
    pub fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        match ahead.next()? {
            (found, contents) if found == tag => {
                self.0 = ahead.0;
                Some(contents)
            }
            _ => None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many bytes of length follow a first one of 0x80 or more; nothing for the
/// indefinite form, which LDAP does not have, and for lengths of gigabytes.
pub fn long(first: u8) -> Option<usize> {
    match (first & 0x7f) as usize {
        n @ 1..=LENGTH_MAX => Some(n),
        _ => None,
    }
}

/// The length in bytes that a first one announced.
pub fn length(bytes: &[u8]) -> Option<usize> {
    let n = bytes.iter().fold(0u32, |n, &b| n << 8 | b as u32);
    if n <= i32::MAX as u32 {
        Some(n as usize)
    } else {
        None
    }
}

/// Appends an element of less than 256 bytes, as all of the guest's own are.
pub fn add<const N: usize>(to: &mut Text<N>, tag: u8, contents: &[u8]) {
    let len = contents.len() as u8;
    if len < 0x80 {
        to.add(&[tag, len]);
    } else {
        to.add(&[tag, 0x81, len]);
    }
    to.add(contents);
}
