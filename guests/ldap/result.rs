//! LDAPResult (RFC 4511 section 4.1.9), which every answer is made of.

use crate::ber::{self, Reader};
use crate::message::{response, Message, EXTENDED_RESPONSE, NOTICE};
use stunnel::host::Result;
use stunnel::{Text, ACCEPTED};

/// Result codes (RFC 4511 section 4.1.9 and appendix A).
pub const SUCCESS: u8 = 0;
pub const PROTOCOL_ERROR: u8 = 2;
pub const CONFIDENTIALITY_REQUIRED: u8 = 13;
pub const UNAVAILABLE: u8 = 52;

/// Room for an answer: a sentence and a name.
const ANSWER_MAX: usize = 192;

/// Tag of responseName, and of the referral that may stand before it.
const NAME: u8 = 0x8a;
const REFERRAL: u8 = 0xa3;

/// Sends an answer. An extended one can have a name.
pub fn send(id: &[u8], operation: u8, code: u8, diagnostic: &str, name: &[u8]) -> Result<()> {
    let mut result = Text::<ANSWER_MAX>::new();
    ber::add(&mut result, ber::ENUMERATED, &[code]);
    ber::add(&mut result, ber::OCTETS, b"");
    ber::add(&mut result, ber::OCTETS, diagnostic.as_bytes());
    if !name.is_empty() {
        ber::add(&mut result, NAME, name);
    }
    let mut body = Text::<{ ANSWER_MAX + 16 }>::new();
    ber::add(&mut body, ber::INTEGER, id);
    ber::add(&mut body, operation, result.bytes());
    let mut message = Text::<{ ANSWER_MAX + 20 }>::new();
    ber::add(&mut message, ber::SEQUENCE, body.bytes());
    ACCEPTED.write(message.bytes())
}

/// Sends Notice of Disconnection to the client, which may be gone.
pub fn notice(code: u8, diagnostic: &str) {
    let _ = send(&[0], EXTENDED_RESPONSE, code, diagnostic, NOTICE);
}

/// Milliseconds that a client has for its next request before it is sent away.
const APOLOGY_WAIT: i32 = 1000;

/// Tells the client, which may be gone, that there is no directory server: as the answer
/// to its next request, since libldap shows its user nothing of a notice, and by notice.
pub fn apologize(message: &mut Message, diagnostic: &str) {
    if ACCEPTED.readable_within(APOLOGY_WAIT) == Ok(true) {
        if let Ok(parts) = message.read(ACCEPTED) {
            if let Some(operation) = response(parts.operation) {
                let _ = send(parts.id, operation, UNAVAILABLE, diagnostic, b"");
            }
        }
    }
    notice(UNAVAILABLE, diagnostic);
}

/// A server's result. The name is empty if it has none.
pub struct Foreign<'a> {
    pub code: &'a [u8],
    pub diagnostic: &'a [u8],
    pub name: &'a [u8],
}

impl<'a> Foreign<'a> {
    pub fn parse(contents: &'a [u8]) -> Option<Foreign<'a>> {
        let mut result = Reader(contents);
        let code = result.take(ber::ENUMERATED)?;
        result.take(ber::OCTETS)?;
        let diagnostic = result.take(ber::OCTETS)?;
        result.take(REFERRAL);
        let name = result.take(NAME).unwrap_or(&[]);
        Some(Foreign { code, diagnostic, name })
    }

    /// Whether it says that all is well.
    pub fn is_success(&self) -> bool {
        self.code == [SUCCESS]
    }

    /// The code's name as RFC 4511 has it, for those that an answer to StartTLS can have.
    pub fn words(&self) -> &'static str {
        match self.code {
            [1] => "operationsError",
            [PROTOCOL_ERROR] => "protocolError",
            [8] => "strongerAuthRequired",
            [10] => "referral",
            [CONFIDENTIALITY_REQUIRED] => "confidentialityRequired",
            [50] => "insufficientAccessRights",
            [51] => "busy",
            [UNAVAILABLE] => "unavailable",
            [53] => "unwillingToPerform",
            [80] => "other",
            _ => "another result code",
        }
    }
}
