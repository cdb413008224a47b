//! How a negotiation ends early: one sentence for the log, and a class.

use crate::host::{self, Code};
use crate::text::Text;

/// Whose doing a refusal is.
#[derive(Clone, Copy)]
pub enum Class {
    Peer = 0,
    Config = 1,
    Policy = 2,
    Internal = 3,
}

/// Proof that the host was told why. It cannot be made otherwise, so no guest
/// returns non-zero without a reason.
pub struct Refusal(());

pub type Outcome<T = ()> = core::result::Result<T, Refusal>;

/// What `negotiate` and `configure` return.
pub fn status(outcome: Outcome) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// A piece of a sentence: our words, or a peer's, which are put in quotes.
pub enum Part<'a> {
    Say(&'a str),
    Quote(&'a [u8]),
}

/// Longest sentence in bytes, which is what the host keeps of one, and longest
/// quotation within it.
const SENTENCE_MAX: usize = 256;
const QUOTE_MAX: usize = 160;

impl Refusal {
    /// Tells the host the sentence.
    pub fn new(class: Class, parts: &[Part]) -> Refusal {
        let mut sentence = Text::<SENTENCE_MAX>::new();
        for part in parts {
            match part {
                Part::Say(words) => {
                    sentence.add(words.as_bytes());
                }
                Part::Quote(bytes) => quote(&mut sentence, bytes),
            }
        }
        host::fail(class as i32, sentence.bytes());
        Refusal(())
    }

    /// A host call failed: `reading the server's greeting: connection closed`.
    pub fn of(doing: &[&str], code: Code) -> Refusal {
        let class = if code.is_internal() { Class::Internal } else { Class::Peer };
        let mut sentence = Text::<SENTENCE_MAX>::new();
        for words in doing {
            sentence.add(words.as_bytes());
        }
        sentence.add(b": ").add(code.words().as_bytes());
        host::fail(class as i32, sentence.bytes());
        Refusal(())
    }
}

/// Adds bytes in double quotes, cut. A double quote within becomes a single one,
/// so that a peer cannot end its quotation; what does not print, and a
/// backslash, is escaped by the host.
fn quote<const N: usize>(sentence: &mut Text<N>, bytes: &[u8]) {
    sentence.add(b"\"");
    for &b in bytes.get(..QUOTE_MAX).unwrap_or(bytes) {
        sentence.add(&[if b == b'"' { b'\'' } else { b }]);
    }
    sentence.add(if bytes.len() > QUOTE_MAX { b"...\"" } else { b"\"" });
}
