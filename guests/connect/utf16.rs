//! UTF-16, which NTLM writes names and passwords in (MS-NLMP section 2.2).

use stunnel::text::first_char;
use stunnel::Text;

/// Appends UTF-8 as UTF-16, low byte first. False for what is no UTF-8; what came before
/// the fault is kept.
pub fn add_utf16<const N: usize>(to: &mut Text<N>, mut bytes: &[u8], change: fn(char) -> char) -> bool {
    while !bytes.is_empty() {
        let c = match first_char(bytes) {
            Some((c, rest)) => {
                bytes = rest;
                c
            }
            None => return false,
        };
        for unit in change(c).encode_utf16(&mut [0; 2]) {
            to.add(&unit.to_le_bytes());
        }
    }
    true
}

/// The letter as it is.
pub fn same(c: char) -> char {
    c
}

/// The capital of a letter, in the alphabets that user names are written in. The tables of
/// Unicode would be larger than all the rest of the guest.
pub fn capital(c: char) -> char {
    let n = c as u32;
    let upper = match n {
        0x61..=0x7a => n - 0x20,                             // ASCII
        0xf7 => n,                                           // the division sign
        0xe0..=0xfe => n - 0x20,                             // Latin-1
        0xff => 0x178,                                       // y with diaeresis
        0x131 | 0x138 | 0x149 | 0x17f => n,                  // without a capital of their own
        0x101..=0x137 | 0x14b..=0x177 => n - (n & 1),        // Latin Extended-A: pairs,
        0x13a..=0x148 | 0x17a..=0x17e => n - (1 - (n & 1)),  // even or odd letter first
        0x3ac => 0x386,                                      // Greek with tonos
        0x3ad..=0x3af => n - 37,
        0x3cc => 0x38c,
        0x3cd | 0x3ce => n - 63,
        0x3c2 => 0x3a3,                                      // final sigma
        0x3b1..=0x3cb => n - 0x20,                           // Greek
        0x430..=0x44f => n - 0x20,                           // Cyrillic
        0x450..=0x45f => n - 0x50,
        _ => n,
    };
    char::from_u32(upper).unwrap_or(c)
}
