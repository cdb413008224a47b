//! The header of version 2 (proxy-protocol.txt section 2.2), binary.

use stunnel::{Outcome, ACCEPTED};
use crate::accept::{failed, peer};
use crate::addresses::{Addresses, UNIX_LENGTH};
use crate::crc32c::crc32c;

/// How a header begins: bytes that no other protocol does.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Length of what every header has: signature, version and command, family, length.
pub const HEAD_LENGTH: usize = 16;

/// Longest header in bytes that is read. Addresses take 216 at most, facts about TLS some
/// hundred, a certificate, which newer HAProxy can send, two thousand.
pub const HEADER_MAX: usize = 4096;

/// Version and command in one byte.
const LOCAL: u8 = 0x20;
pub const PROXY: u8 = 0x21;

/// Address family and transport in one byte.
pub const UNSPEC: u8 = 0x00;
pub const TCP4: u8 = 0x11;
const UDP4: u8 = 0x12;
pub const TCP6: u8 = 0x21;
const UDP6: u8 = 0x22;
pub const UNIX: u8 = 0x31;
const UNIX_DATAGRAM: u8 = 0x32;

/// Length of a field's type and length, and the type of a checksum.
const FIELD_HEAD: usize = 3;
const CRC32C: u8 = 0x03;

/// Reads a header, and sets whom it names, if anybody.
#[inline(never)]
pub fn read(room: &mut [u8; HEADER_MAX], addresses: &mut Addresses) -> Outcome {
    let (head, body) = room.split_at_mut(HEAD_LENGTH);
    ACCEPTED.read_full(head).map_err(failed)?;
    let (command, family, length) = match head {
        [signature @ .., command, family, high, low] if *signature == SIGNATURE => {
            (*command, *family, (*high as usize) << 8 | *low as usize)
        }
        _ => return Err(peer("sender's first bytes are no PROXY header")),
    };
    if command >> 4 != 2 {
        return Err(peer("sender's PROXY header is of an unknown version"));
    }
    if command != LOCAL && command != PROXY {
        return Err(peer("sender's PROXY header has an unknown command"));
    }
    let body = match body.get_mut(..length) {
        Some(body) => body,
        None => return Err(peer("sender's PROXY header is longer than 4096 bytes")),
    };
    if length > 0 {
        ACCEPTED.read_full(body).map_err(failed)?;
    }
    if command == LOCAL {
        return Ok(()); // what else such a header has is to be ignored
    }
    let end = match family {
        UNSPEC => 0,
        TCP4 | UDP4 => 12,
        TCP6 | UDP6 => 36,
        UNIX | UNIX_DATAGRAM => UNIX_LENGTH,
        _ => return Err(peer("sender's PROXY header has an unknown address family")),
    };
    // A datagram's addresses say nothing about a stream.
    if matches!(family, TCP4 | TCP6 | UNIX) {
        addresses.family = family;
        addresses.bytes.add(body.get(..end).unwrap_or(&[]));
    }
    match room.get_mut(..HEAD_LENGTH + length) {
        Some(header) if length >= end => check_fields(header, HEAD_LENGTH + end),
        _ => Err(peer("sender's PROXY header is too short for its addresses")),
    }
}

/// Walks over the fields behind the addresses, and compares the checksum if there is one
/// (section 2.2.3).
#[inline(never)]
fn check_fields(header: &mut [u8], mut at: usize) -> Outcome {
    while at < header.len() {
        let (kind, length) = match header.get(at..at + FIELD_HEAD) {
            Some([kind, high, low]) => (*kind, (*high as usize) << 8 | *low as usize),
            _ => (0, header.len()), // which is longer than what is left
        };
        at += FIELD_HEAD;
        let field = match header.get_mut(at..at + length) {
            Some(field) => field,
            None => return Err(peer("sender's PROXY header has a field that is longer than the header")),
        };
        at += length;
        if kind != CRC32C {
            continue;
        }
        let told = match field {
            [a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => return Err(peer("sender's PROXY header has a checksum of wrong length")),
        };
        field.fill(0); // as it was when the sum was taken
        if crc32c(header) != told {
            return Err(peer("sender's PROXY header has a wrong checksum"));
        }
    }
    Ok(())
}
