//! UTF-16, which NTLM writes names and passwords in (MS-NLMP section 2.2).

use stunnel::text::first_char;
use stunnel::Text;

/// Appends UTF-8 as UTF-16, low byte first. False for what is no UTF-8; what came before
/// the fault is kept.
pub fn add_utf16<const N: usize>(to: &mut Text<N>, mut bytes: &[u8], capitals: bool) -> bool {
    while !bytes.is_empty() {
        let (c, rest) = match first_char(bytes) {
            Some(first) => first,
            None => return false,
        };
        bytes = rest;
        let n = if capitals { capital(c as u32) } else { c as u32 };
        // One unit of two bytes, or two (RFC 2781 section 2.1), the first in the lower bits.
        let over = n.wrapping_sub(0x1_0000);
        let (units, len) = if n > 0xffff { (0xdc00_d800 | over >> 10 | (over & 0x3ff) << 16, 4) } else { (n, 2) };
        to.add(units.to_le_bytes().get(..len).unwrap_or(&[]));
    }
    true
}

/// Letters of the alphabets that user names are written in, and how far below them their
/// capitals are. The tables of Unicode would be larger than all the rest of the guest.
struct Letters {
    first: u32,
    last: u32,
    below: i32,
    /// Whether each second one is a capital itself.
    pairs: bool,
}

const fn letters(first: u32, last: u32, below: i32) -> Letters {
    Letters { first, last, below, pairs: false }
}

const fn pairs(first: u32, last: u32) -> Letters {
    Letters { first, last, below: 1, pairs: true }
}

const LETTERS: &[Letters] = &[
    letters(0x61, 0x7a, 0x20),   // ASCII
    letters(0xe0, 0xf6, 0x20),   // Latin-1,
    letters(0xf8, 0xfe, 0x20),   // without the division sign
    letters(0xff, 0xff, -0x79),  // y with diaeresis
    pairs(0x101, 0x12f),         // Latin Extended-A, without those
    pairs(0x133, 0x137),         // that have no capital of their own
    pairs(0x13a, 0x148),
    pairs(0x14b, 0x177),
    pairs(0x17a, 0x17e),
    letters(0x3ac, 0x3ac, 0x26), // Greek with tonos
    letters(0x3ad, 0x3af, 0x25),
    letters(0x3b1, 0x3c1, 0x20), // Greek
    letters(0x3c2, 0x3c2, 0x1f), // final sigma
    letters(0x3c3, 0x3cb, 0x20),
    letters(0x3cc, 0x3cc, 0x40),
    letters(0x3cd, 0x3ce, 0x3f),
    letters(0x430, 0x44f, 0x20), // Cyrillic
    letters(0x450, 0x45f, 0x50),
];

/// The capital of a letter; any other character as it is.
fn capital(c: u32) -> u32 {
    for l in LETTERS {
        if c >= l.first && c <= l.last && !(l.pairs && (c - l.first) & 1 == 1) {
            return (c as i32 - l.below) as u32;
        }
    }
    c
}
