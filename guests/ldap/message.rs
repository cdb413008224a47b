//! LDAPMessage (RFC 4511 section 4.1.1): a number, an operation, perhaps controls.

use crate::ber::{self, Reader};
use stunnel::host::Result;
use stunnel::{Code, Side};

/// Longest message in bytes that is read before TLS. A bind with a Kerberos ticket has
/// up to some 2000.
const MESSAGE_MAX: usize = 8192;

/// Tags of the operations (section 4.2 and those behind it).
pub const BIND: u8 = 0x60;
pub const UNBIND: u8 = 0x42;
pub const SEARCH: u8 = 0x63;
pub const MODIFY: u8 = 0x66;
pub const ADD: u8 = 0x68;
pub const DELETE: u8 = 0x4a;
pub const RENAME: u8 = 0x6c;
pub const COMPARE: u8 = 0x6e;
pub const ABANDON: u8 = 0x50;
pub const EXTENDED: u8 = 0x77;
pub const EXTENDED_RESPONSE: u8 = 0x78;

/// The tag of the answer to an operation; nothing if it has none.
pub fn response(operation: u8) -> Option<u8> {
    match operation {
        // The number of an operation's answer follows its own, but for search, whose end
        // it is, and the primitive delete.
        BIND | MODIFY | ADD | RENAME | COMPARE | EXTENDED => Some(operation + 1),
        SEARCH => Some(0x65),
        DELETE => Some(0x6b),
        _ => None,
    }
}

/// Tag of the controls.
const CONTROLS: u8 = 0xa0;

/// Names of extended operations: StartTLS (section 4.14.1) and Notice of Disconnection
/// (section 4.4.1).
pub const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
pub const NOTICE: &[u8] = b"1.3.6.1.4.1.1466.20036";

/// The last message read.
pub struct Message {
    buf: [u8; MESSAGE_MAX],
    len: usize,
}

/// Why there is no message.
pub enum Fault {
    Read(Code),
    Malformed(&'static str),
}

/// A message taken apart.
pub struct Parts<'a> {
    pub id: &'a [u8],
    pub operation: u8,
    pub contents: &'a [u8],
}

impl Message {
    pub const fn new() -> Self {
        Message { buf: [0; MESSAGE_MAX], len: 0 }
    }

    /// Reads one message, and not a byte behind it.
    pub fn read(&mut self, side: Side) -> core::result::Result<Parts, Fault> {
        let len = match read_length(side).map_err(Fault::Read)? {
            Some(len) => len,
            None => return Err(Fault::Malformed("is no LDAP message")),
        };
        self.len = len;
        match self.buf.get_mut(..len) {
            Some(body) if !body.is_empty() => side.read_full(body).map_err(Fault::Read)?,
            Some(_) => {}
            None => return Err(Fault::Malformed("is longer than 8192 bytes")),
        }
        self.parts().ok_or(Fault::Malformed("is no well-formed LDAP message"))
    }

    fn parts(&self) -> Option<Parts> {
        let mut message = Reader(self.buf.get(..self.len)?);
        let id = message.take(ber::INTEGER)?;
        // 0 to 2^31-1.
        if id.is_empty() || id.len() > 4 || id.first()? & 0x80 != 0 {
            return None;
        }
        let (operation, contents) = message.next()?;
        if !message.is_empty() {
            message.take(CONTROLS)?;
        }
        if !message.is_empty() {
            return None;
        }
        Some(Parts { id, operation, contents })
    }
}

impl Parts<'_> {
    /// The message's number.
    pub fn number(&self) -> u32 {
        self.id.iter().fold(0, |n, &b| n << 8 | b as u32)
    }
}

/// Reads a message's tag and length; nothing if they are none.
fn read_length(side: Side) -> Result<Option<usize>> {
    let mut head = [0; 2];
    side.read_full(&mut head)?;
    match head {
        [ber::SEQUENCE, first] if first < 0x80 => Ok(Some(first as usize)),
        [ber::SEQUENCE, first] => {
            let mut bytes = [0; ber::LENGTH_MAX];
            match ber::long(first).and_then(|n| bytes.get_mut(..n)) {
                Some(bytes) => {
                    side.read_full(bytes)?;
                    Ok(ber::length(bytes))
                }
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}
