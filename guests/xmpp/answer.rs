//! What the guest says on a stream.

use stunnel::{host, Outcome, Refusal, Text, ACCEPTED};
use crate::header::{Header, Wrong, DOMAIN_MAX, STREAMS};

/// Longest thing to say in bytes: two domains, and the rest of a header and of features.
pub const LINE_MAX: usize = 2 * DOMAIN_MAX + 1024;

/// Bytes of randomness in a stream's identifier (RFC 6120 section 4.7.3).
const ID_BYTES: usize = 8;

/// Puts the opening tag of the stream to a server into the line.
pub fn open(line: &mut Text<LINE_MAX>, header: &Header, to: &[u8]) {
    line.clear();
    line.add(b"<?xml version='1.0'?><stream:stream");
    attribute(line, b"to", to);
    if header.is_server {
        // A client names itself inside TLS only (section 4.7.1).
        attribute(line, b"from", header.from.bytes());
    }
    finish(line, header);
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// Puts the opening tag of the stream to the accepted side into the line.
pub fn open_back(line: &mut Text<LINE_MAX>, header: &Header) -> Outcome {
    let mut random = [0; ID_BYTES];
    host::random(&mut random).map_err(|code| Refusal::of(&["drawing a stream's identifier"], code))?;
    let mut id = Text::<{ 2 * ID_BYTES }>::new();
    for b in random {
        id.add(&[HEXADECIMAL[b as usize >> 4], HEXADECIMAL[b as usize & 15]]);
    }
    line.clear();
    line.add(b"<?xml version='1.0'?><stream:stream");
    attribute(line, b"id", id.bytes());
    attribute(line, b"from", header.to.bytes());
    finish(line, header);
    Ok(())
}

fn finish(line: &mut Text<LINE_MAX>, header: &Header) {
    attribute(line, b"version", b"1.0");
    attribute(line, b"xml:lang", b"en");
    attribute(line, b"xmlns", header.namespace());
    attribute(line, b"xmlns:stream", STREAMS);
    line.add(b">");
}

/// Adds an attribute that has a value.
fn attribute(line: &mut Text<LINE_MAX>, name: &[u8], value: &[u8]) {
    if !value.is_empty() {
        line.add(b" ").add(name).add(b"='").add(value).add(b"'");
    }
}

/// Ends the accepted side's stream by an error, which needs an opening tag in front
/// (section 4.9.1.1) if none was sent.
pub fn end(line: &mut Text<LINE_MAX>, header: &Header, is_open: bool, wrong: Wrong) -> Refusal {
    if wrong.condition.is_empty() {
        return wrong.refusal; // it has left
    }
    line.clear();
    if !is_open {
        if let Err(refusal) = open_back(line, header) {
            return refusal;
        }
    }
    line.add(b"<stream:error><").add(wrong.condition.as_bytes());
    line.add(b" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    let _ = ACCEPTED.write(line.bytes()); // that it may be gone adds nothing
    wrong.refusal
}
