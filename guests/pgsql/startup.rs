//! The packets that a client begins with. They have no type byte: four bytes of length,
//! which counts itself, and four that are a protocol version or a request in its place.

use crate::error;
use stunnel::{Class, Code, Outcome, Part, Refusal, ACCEPTED};
use Part::Say;

/// Length of the fields that all have.
const HEAD: usize = 8;

/// Longest packet: the server's MAX_STARTUP_PACKET_LENGTH and the length's four bytes.
const STARTUP_MAX: usize = 10_004;

/// The whole of SSLRequest: 8 bytes long, code 1234.5679.
pub const SSL_REQUEST: &[u8; 8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

/// What a client asks for first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Tls,
    GssEncryption,
    Cancel,
    /// A protocol version, user and database: a login.
    Login,
}

/// The last packet read.
pub struct Startup {
    buf: [u8; STARTUP_MAX],
    len: usize,
}

impl Startup {
    pub const fn new() -> Self {
        Startup { buf: [0; STARTUP_MAX], len: 0 }
    }

    /// Reads one packet from the client, and not a byte behind it.
    pub fn read(&mut self) -> Outcome<Request> {
        let mut head = [0; HEAD];
        ACCEPTED.read_full(&mut head).map_err(from_client)?;
        let [a, b, c, d, code @ ..] = head;
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let request = match u32::from_be_bytes(code) {
            0x04d2_162e => Request::Cancel,
            0x04d2_162f => Request::Tls,
            0x04d2_1630 => Request::GssEncryption,
            _ => Request::Login,
        };
        let fixed = matches!(request, Request::Tls | Request::GssEncryption);
        let rest = match self.buf.get_mut(..len) {
            Some(packet) if len == HEAD || len > HEAD && !fixed => packet,
            _ => {
                let what = if fixed {
                    " in SSLRequest or GSSENCRequest"
                } else {
                    " at the start, in place of 8 to 10004"
                };
                error::tell(error::VIOLATION, "invalid length of startup packet");
                return Err(Refusal::new(Class::Peer, &[Say("client sent a wrong length"), Say(what)]));
            }
        };
        for (to, from) in rest.iter_mut().zip(head) {
            *to = from;
        }
        self.len = len;
        match rest.get_mut(HEAD..) {
            Some(body) if !body.is_empty() => ACCEPTED.read_full(body).map_err(from_client)?,
            _ => {}
        }
        Ok(request)
    }

    /// The packet as it goes on the wire.
    pub fn bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// The room of the packet, once that is sent.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.buf
    }
}

pub fn from_client(code: Code) -> Refusal {
    Refusal::of(&["reading the client's request"], code)
}
