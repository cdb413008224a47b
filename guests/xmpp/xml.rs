//! As much XML as a stream has before TLS: tags, blanks and text, read once from front to
//! back in fixed room. What XMPP forbids is refused where it begins (RFC 6120 section
//! 11.1): comments, processing instructions, document types, and entities, of which not
//! even the five that are always there have a place before TLS. End tags are not held
//! against their start tags: all that is read is whether one tag stands where it must.

use crate::header::Wrong;
use stunnel::host::{Code, Side};
use stunnel::text::{equal, is_utf8};
use stunnel::{Class, Part, Refusal, ACCEPTED};
use Part::{Quote, Say};

/// Most bytes of the accepted side before TLS: a header of some 300 bytes, and starttls.
const CLIENT_MAX: usize = 4096;

/// Most bytes of the server before TLS: a header and its features, in the wild below 2000.
const SERVER_MAX: usize = 8192;

/// Most attributes of a tag. A stream header has eight.
const ATTRIBUTES_MAX: usize = 16;

/// What a peer said until TLS. There is room for either, since a type for each would have
/// all that reads it twice in the module.
pub struct Document {
    buf: [u8; SERVER_MAX],
    len: usize,
    /// Where the next token begins.
    at: usize,
    /// Where the tag that was read last begins, and where the bytes end that were looked at.
    tag: usize,
    seen: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `<?xml ...?>`, at the very beginning.
    Declaration,
    Start,
    /// A start tag and its end tag in one.
    Empty,
    End,
    /// A byte of it.
    Text,
}

/// A tag, or what is none and has no name.
pub struct Token<'a> {
    pub kind: Kind,
    pub name: &'a [u8],
    attributes: &'a [u8],
}

impl Document {
    pub const fn new() -> Self {
        Document { buf: [0; SERVER_MAX], len: 0, at: 0, tag: 0, seen: 0 }
    }

    /// All that was read.
    pub fn bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// What was looked at from the last tag on, to be shown where it is at fault. What came
    /// behind it is not: a client that does not wait for TLS can have sent its password.
    pub fn shown(&self) -> &[u8] {
        self.buf.get(self.tag..self.seen).unwrap_or(&[])
    }

    /// What was read behind the last token.
    pub fn rest(&self) -> &[u8] {
        self.buf.get(self.at..self.len).unwrap_or(&[])
    }

    /// Reads the next token.
    #[inline(never)]
    pub fn next(&mut self, side: Side) -> Result<Token, Wrong> {
        let first = self.at == 0;
        loop {
            self.tag = self.at;
            let b = self.look(side, self.at)?;
            if b == b'<' {
                break;
            }
            self.at += 1;
            if !is_blank(b) {
                return Ok(Token { kind: Kind::Text, name: &[], attributes: &[] });
            }
        }
        let start = self.at + 1;
        let mark = self.look(side, start)?;
        if mark == b'!' || mark == b'?' && !first {
            return Err(self.forbidden(side));
        }
        let end = self.tag_end(side, start)?;
        self.at = end + 1;
        let inner = self.buf.get(start..end).unwrap_or(&[]);
        if mark == b'?' {
            return match inner.strip_prefix(b"?xml") {
                Some([b, .., b'?']) if is_blank(*b) => {
                    Ok(Token { kind: Kind::Declaration, name: &[], attributes: &[] })
                }
                _ => Err(self.forbidden(side)),
            };
        }
        let (kind, tag) = match inner {
            [b'/', tag @ ..] => (Kind::End, tag),
            [tag @ .., b'/'] => (Kind::Empty, tag),
            tag => (Kind::Start, tag),
        };
        Token::parse(kind, trim_end(tag)).ok_or_else(|| self.malformed(side))
    }

    /// The place of the `>` that ends the tag; one in quotes does not.
    fn tag_end(&mut self, side: Side, start: usize) -> Result<usize, Wrong> {
        // The quote that is open, or 0.
        let mut quote = 0;
        let mut i = start;
        loop {
            match self.look(side, i)? {
                b'<' => return Err(self.malformed(side)),
                b'>' if quote == 0 => return Ok(i),
                b if b == quote => quote = 0,
                b @ (b'\'' | b'"') if quote == 0 => quote = b,
                _ => {}
            }
            i += 1;
        }
    }

    /// The byte at a place.
    #[inline(always)]
    fn look(&mut self, side: Side, i: usize) -> Result<u8, Wrong> {
        self.want(side, i)?;
        Ok(self.buf.get(i).copied().unwrap_or(0))
    }

    /// Reads up to a place, if that has not come yet, and refuses what has none anywhere.
    #[inline(never)]
    fn want(&mut self, side: Side, i: usize) -> Result<(), Wrong> {
        while i >= self.len {
            let most = if side == ACCEPTED { CLIENT_MAX } else { SERVER_MAX };
            let room = self.buf.get_mut(self.len..most).unwrap_or(&mut []);
            if room.is_empty() {
                return Err(self.wrong(side, &"policy-violation", " sent too much before TLS: "));
            }
            let code = match side.read(room) {
                Ok(0) => Code::EOF,
                Ok(n) => {
                    self.len += n;
                    continue;
                }
                Err(code) => code,
            };
            let refusal = Refusal::of(&["reading the ", name(side), "'s stream"], code);
            return Err(Wrong::of(side, &"", refusal));
        }
        self.seen = i + 1;
        match self.buf.get(i) {
            Some(b'&') => Err(self.forbidden(side)),
            Some(&b) if is_control(b) => Err(self.malformed(side)),
            _ => Ok(()),
        }
    }

    fn malformed(&self, side: Side) -> Wrong {
        self.wrong(side, &"not-well-formed", " sent what is not well-formed: ")
    }

    fn forbidden(&self, side: Side) -> Wrong {
        self.wrong(side, &"restricted-xml", " sent XML that XMPP forbids: ")
    }

    #[inline(never)]
    fn wrong(&self, side: Side, condition: &'static &'static str, how: &str) -> Wrong {
        let parts = [Say(name(side)), Say(how), Quote(self.shown())];
        Wrong::of(side, condition, Refusal::new(Class::Peer, &parts))
    }
}

/// Who is on a side.
pub fn name(side: Side) -> &'static str {
    if side == ACCEPTED {
        "client"
    } else {
        "server"
    }
}

impl<'a> Token<'a> {
    /// Takes a name and attributes apart, all of which must be as XML has them.
    fn parse(kind: Kind, tag: &'a [u8]) -> Option<Token<'a>> {
        let end = tag.iter().position(|&b| is_blank(b)).unwrap_or(tag.len());
        let (name, attributes) = (tag.get(..end)?, tag.get(end..)?);
        if !is_name(name) || !is_utf8(attributes) || kind == Kind::End && !attributes.is_empty() {
            return None;
        }
        let token = Token { kind, name, attributes };
        let mut rest = token.attributes();
        for (name, value) in rest.by_ref().take(ATTRIBUTES_MAX) {
            // Of two attributes of one name the peers could take one each.
            if !token.attribute(name).map_or(false, |first| core::ptr::eq(first, value)) {
                return None;
            }
        }
        if rest.rest.is_empty() {
            Some(token)
        } else {
            None
        }
    }

    fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.attributes }
    }

    /// The value of an attribute, the first of that name.
    #[inline(never)]
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes().find(|(n, _)| equal(n, name)).map(|(_, value)| value)
    }

    /// Whether the tag has a name and declares a namespace for itself.
    #[inline(never)]
    pub fn is(&self, name: &[u8], namespace: &[u8]) -> bool {
        equal(self.name, name) && self.attribute(b"xmlns").map_or(false, |space| equal(space, namespace))
    }
}

/// Attributes and their values, up to the end or to what is no attribute.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        let inner = trim_start(self.rest);
        if inner.len() == self.rest.len() {
            return None; // no blank in front, or the end
        }
        let equals = inner.iter().position(|&b| b == b'=')?;
        let name = trim_end(inner.get(..equals)?);
        let (quote, value) = match trim_start(inner.get(equals + 1..)?) {
            [q @ (b'\'' | b'"'), value @ ..] => (*q, value),
            _ => return None,
        };
        let end = value.iter().position(|&b| b == quote)?;
        if !is_name(name) {
            return None;
        }
        self.rest = value.get(end + 1..)?;
        Some((name, value.get(..end)?))
    }
}

/// A name in ASCII: all that XMPP has.
fn is_name(name: &[u8]) -> bool {
    let letter = |b: &u8| b.is_ascii_alphabetic() || *b == b'_' || *b == b':';
    name.first().map_or(false, letter)
        && name.iter().all(|b| letter(b) || b.is_ascii_digit() || *b == b'-' || *b == b'.')
}

fn is_blank(b: u8) -> bool {
    // One condition, not four to be tried one after the other.
    const BLANKS: u64 = 1 << b' ' | 1 << b'\t' | 1 << b'\r' | 1 << b'\n';
    b < 64 && BLANKS >> b & 1 != 0
}

fn is_control(b: u8) -> bool {
    b < b' ' && !is_blank(b) || b == 0x7f
}

fn trim_start(mut s: &[u8]) -> &[u8] {
    while let [b, rest @ ..] = s {
        if !is_blank(*b) {
            break;
        }
        s = rest;
    }
    s
}

fn trim_end(mut s: &[u8]) -> &[u8] {
    while let [rest @ .., b] = s {
        if !is_blank(*b) {
            break;
        }
        s = rest;
    }
    s
}
