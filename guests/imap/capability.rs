//! The list of capabilities (RFC 3501 section 7.2.1), and what of it is true before TLS.

use stunnel::text::{is_among, is_word, split_word, trim};
use stunnel::Text;

/// The word of the response and of the response code.
pub const NAME: &str = "CAPABILITY";

/// What is true before TLS, whatever the server offers behind it.
const CLEAR: &[u8] = b"STARTTLS LOGINDISABLED";

/// Room for CLEAR behind a list.
pub const CLEAR_MAX: usize = CLEAR.len() + 1;

/// Capabilities that a client must not use before TLS: literals, behind which its next
/// command cannot be told from what it says inside TLS; and what belongs to a login.
static LATER: [&str; 7] =
    ["STARTTLS", "LOGINDISABLED", "SASL-IR", "LITERAL+", "LITERAL-", "UNAUTHENTICATE", "COMPRESS=DEFLATE"];

/// Adds what of a list is true before TLS.
pub fn add_clear<const N: usize>(out: &mut Text<N>, mut list: &[u8]) {
    while !list.is_empty() {
        let (word, rest) = split_word(list);
        if !is_word(word.get(..5).unwrap_or(&[]), "AUTH=") && !is_among(word, &LATER) {
            out.add(word).add(b" ");
        }
        list = rest;
    }
    out.add(CLEAR);
}

/// The list in a response code at the beginning of a text, `[CAPABILITY IMAP4rev1 ...]`,
/// and the text behind it. A code that does not end is all list, so that none of it
/// passes unseen.
pub fn code(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|&b| b == b']').unwrap_or(text.len());
    let (name, list) = split_word(text.get(..end)?.strip_prefix(b"[")?);
    if is_word(name, NAME) {
        Some((list, trim(text.get(end + 1..).unwrap_or(&[]))))
    } else {
        None
    }
}
