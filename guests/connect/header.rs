//! What a request and an answer have in common: header lines, and what they are made of.

use stunnel::text::{has, look_up, trim, Parts};

/// The headers that something here looks at.
#[derive(Clone, Copy)]
pub enum Header {
    Authenticate,
    Authorization,
    Connection,
    Length,
    TransferEncoding,
}

const HEADERS: &[(&str, Header)] = &[
    ("Connection", Header::Connection),
    ("Content-Length", Header::Length),
    ("Proxy-Authenticate", Header::Authenticate),
    ("Proxy-Authorization", Header::Authorization),
    ("Proxy-Connection", Header::Connection),
    ("Transfer-Encoding", Header::TransferEncoding),
];

/// The header that has a name.
#[inline(never)]
pub fn known(name: &[u8]) -> Option<Header> {
    look_up(name, HEADERS).copied()
}

/// The name of a header, and its value without blanks around it. A line without a colon has
/// no name.
#[inline(never)]
pub fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let name = Parts::of(line, b':').next().unwrap_or(&[]);
    match line.get(name.len() + 1..) {
        Some(value) => (name, trim(value)),
        None => (&[], line),
    }
}

/// Whether a comma stands between a word, in letters of either case, and all else.
#[inline(never)]
pub fn lists(list: &[u8], word: &str) -> bool {
    Parts::of(list, b',').any(|item| trim(item).eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a text is one byte at least, and made of digits, letters up to one, and some
/// marks.
#[inline(never)]
pub fn is_made_of(text: &[u8], last_letter: u8, marks: &[u8]) -> bool {
    let is_one = |b: u8| b.is_ascii_digit() || (b'a'..=last_letter).contains(&b.to_ascii_lowercase()) || has(marks, b);
    !text.is_empty() && text.iter().all(|&b| is_one(b))
}
