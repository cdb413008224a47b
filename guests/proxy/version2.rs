//! The header of version 2 (proxy-protocol.txt section 2.2), binary.

use stunnel::ip::{Endpoint, Ip};
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

/// The length of what follows the head, or what is wrong with the head.
pub fn body_length(head: &[u8]) -> Result<usize, &'static str> {
    match head.get(SIGNATURE.len()..) {
        Some(&[command, _, high, low]) if head.starts_with(&SIGNATURE) => match command {
            LOCAL | PROXY => Ok((high as usize) << 8 | low as usize),
            _ if command >> 4 != 2 => Err("sender's PROXY header is of an unknown version"),
            _ => Err("sender's PROXY header has an unknown command"),
        },
        _ => Err("sender's first bytes are no PROXY header"),
    }
}

/// Reads a whole header. None is one that names nobody.
#[inline(never)]
pub fn parse(header: &mut [u8]) -> Result<Option<Addresses>, &'static str> {
    let (command, family) = match header.get(SIGNATURE.len()..) {
        Some([command, family, ..]) => (*command, *family),
        _ => return Err("sender's PROXY header is cut"),
    };
    if command == LOCAL {
        return Ok(None); // what else such a header has is to be ignored
    }
    let length = match family {
        UNSPEC => 0,
        TCP4 | UDP4 => 12,
        TCP6 | UDP6 => 36,
        UNIX | UNIX_DATAGRAM => UNIX_LENGTH,
        _ => return Err("sender's PROXY header has an unknown address family"),
    };
    let end = HEAD_LENGTH + length;
    if header.len() < end {
        return Err("sender's PROXY header is too short for its addresses");
    }
    check_fields(header, end)?;
    let body = header.get(HEAD_LENGTH..end).unwrap_or(&[]);
    Ok(match family {
        TCP4 => inet(body, 4, |b| Some(Ip::V4(array(b)?))),
        TCP6 => inet(body, 16, |b| Some(Ip::V6(array(b)?))),
        UNIX => array(body).map(Addresses::Unix),
        _ => None, // a datagram's addresses say nothing about a stream
    })
}

/// Two addresses of a length, and two ports.
fn inet(body: &[u8], length: usize, ip: fn(&[u8]) -> Option<Ip>) -> Option<Addresses> {
    let source = ip(body.get(..length)?)?;
    let destination = ip(body.get(length..2 * length)?)?;
    let [a, b, c, d] = array(body.get(2 * length..)?)?;
    Some(Addresses::Inet {
        source: Endpoint { ip: source, port: u16::from_be_bytes([a, b]) },
        destination: Endpoint { ip: destination, port: u16::from_be_bytes([c, d]) },
    })
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// Walks over the fields behind the addresses, and compares the checksum if there is one
/// (section 2.2.3).
fn check_fields(header: &mut [u8], mut at: usize) -> Result<(), &'static str> {
    const CUT: &str = "sender's PROXY header has a field that is longer than the header";
    while at < header.len() {
        let (kind, length) = match header.get(at..at + FIELD_HEAD) {
            Some([kind, high, low]) => (*kind, (*high as usize) << 8 | *low as usize),
            _ => return Err(CUT),
        };
        at += FIELD_HEAD;
        let field = header.get_mut(at..at + length).ok_or(CUT)?;
        at += length;
        if kind != CRC32C {
            continue;
        }
        let told: [u8; 4] = array(field).ok_or("sender's PROXY header has a checksum of wrong length")?;
        field.fill(0); // as it was when the sum was taken
        if crc32c(header) != u32::from_be_bytes(told) {
            return Err("sender's PROXY header has a wrong checksum");
        }
    }
    Ok(())
}
