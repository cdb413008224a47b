//! Packets: three bytes of length, low byte first, a number, and a payload.

use crate::error;
use stunnel::{Class, Outcome, Part, Refusal, Side, ACCEPTED, OUTGOING};
use Part::Say;

const HEAD: usize = 4;

/// Longest payload up to the end of the login. A login has some hundred bytes, and some
/// thousand with the attributes of a connector or a Kerberos ticket.
const PAYLOAD_MAX: usize = 16_384;

/// The last packet read.
pub struct Packet {
    buf: [u8; HEAD + PAYLOAD_MAX],
    len: usize,
}

impl Packet {
    pub const fn new() -> Self {
        Packet { buf: [0; HEAD + PAYLOAD_MAX], len: 0 }
    }

    /// Reads one packet, which has to have this number, and not a byte behind it.
    pub fn read(&mut self, side: Side, number: u8) -> Outcome {
        self.len = 0;
        let mut head = [0; HEAD];
        let what =
            if side == ACCEPTED { "reading the client's packet" } else { "reading the server's packet" };
        side.read_full(&mut head).map_err(|code| Refusal::of(&[what], code))?;
        let [a, b, c, found] = head;
        if found != number {
            return Err(ill(side, number, "sent a packet out of order"));
        }
        let len = HEAD + (a as usize | (b as usize) << 8 | (c as usize) << 16);
        match self.buf.get_mut(HEAD..len) {
            Some(payload) if !payload.is_empty() => {
                side.read_full(payload).map_err(|code| Refusal::of(&[what], code))?
            }
            Some(_) => {}
            None => {
                return Err(ill(
                    side,
                    number,
                    "sent a packet of more than 16384 bytes before the end of the login",
                ))
            }
        }
        for (to, from) in self.buf.iter_mut().zip(head) {
            *to = from;
        }
        self.len = len;
        Ok(())
    }

    pub fn payload(&self) -> &[u8] {
        self.buf.get(HEAD..self.len).unwrap_or(&[])
    }

    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.buf.get_mut(HEAD..self.len).unwrap_or(&mut [])
    }

    /// Passes the packet on under a number of the other side.
    pub fn send(&mut self, side: Side, number: u8) -> Outcome {
        let [_, _, _, n, ..] = &mut self.buf;
        *n = number;
        let what = if side == OUTGOING {
            "forwarding the client's packet"
        } else {
            "forwarding the server's packet"
        };
        let packet = self.buf.get(..self.len).unwrap_or(&[]);
        side.write(packet).map_err(|code| Refusal::of(&[what], code))
    }
}

/// Blames a side for a packet in place of the one of this number, and tells a client so.
fn ill(side: Side, number: u8, how: &str) -> Refusal {
    if side == ACCEPTED {
        error::tell(number.wrapping_add(1), error::HANDSHAKE, "packets out of order or too long");
        return Refusal::new(Class::Peer, &[Say("client "), Say(how)]);
    }
    Refusal::new(Class::Peer, &[Say("server "), Say(how)])
}
