//! ErrorResponse: a type byte, four bytes of length, and fields of a letter and a text
//! that a zero byte ends; another zero byte ends them all.

use stunnel::text::Parts;
use stunnel::{Text, ACCEPTED, OUTGOING};

/// Codes of errors (the manual's appendix A).
pub const NO_CONNECTION: &[u8; 5] = b"08001"; // sqlclient_unable_to_establish_sqlconnection
pub const VIOLATION: &[u8; 5] = b"08P01"; // protocol_violation
pub const NO_TLS: &[u8; 5] = b"28000"; // invalid_authorization_specification, as the server itself says it

/// Longest message of our own with its fields, and longest response that is read from a
/// server, where one before TLS holds a sentence or two.
const OWN_MAX: usize = 256;
const FOREIGN_MAX: usize = 2048;

/// Tells the client why it is sent away. That it may be gone adds nothing to the refusal.
pub fn tell(code: &[u8; 5], message: &str) {
    let mut fields = Text::<OWN_MAX>::new();
    fields.add(b"SFATAL\0VFATAL\0C").add(code).add(b"\0M").add(message.as_bytes()).add(b"\0\0");
    let mut response = Text::<{ OWN_MAX + 5 }>::new();
    let len = fields.bytes().len() as u32 + 4;
    response.add(b"E").add(&len.to_be_bytes()).add(fields.bytes());
    let _ = ACCEPTED.write(response.bytes());
}

/// The message of a server's ErrorResponse, whose type byte was read already.
pub struct Foreign([u8; FOREIGN_MAX], usize);

impl Foreign {
    /// Reads it; nothing if what comes is no such response.
    pub fn read() -> Option<Foreign> {
        let mut len = [0; 4];
        OUTGOING.read_full(&mut len).ok()?;
        let mut response = Foreign([0; FOREIGN_MAX], (u32::from_be_bytes(len) as usize).checked_sub(4)?);
        let fields = response.0.get_mut(..response.1).filter(|fields| !fields.is_empty())?;
        OUTGOING.read_full(fields).ok()?;
        Some(response)
    }

    pub fn message(&self) -> &[u8] {
        let fields = self.0.get(..self.1).unwrap_or(&[]);
        Parts::of(fields, 0).find_map(|field| field.strip_prefix(b"M")).unwrap_or(fields)
    }
}
