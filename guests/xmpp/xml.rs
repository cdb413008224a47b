//! As much XML as a stream has before TLS: tags, blanks and text, read once from front to
//! back in fixed room. What XMPP forbids is refused where it begins (RFC 6120 section
//! 11.1): comments, processing instructions, document types, and entities, of which not
//! even the five that are always there have a place before TLS. End tags are not held
//! against their start tags: all that is read is whether one tag stands where it must.

use stunnel::host::{Code, Side};
use stunnel::text::is_utf8;
use stunnel::ACCEPTED;

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

pub enum Token<'a> {
    /// `<?xml ...?>`, at the very beginning.
    Declaration,
    Start(Tag<'a>),
    Empty(Tag<'a>),
    End(&'a [u8]),
    /// A byte of it.
    Text,
}

pub struct Tag<'a> {
    pub name: &'a [u8],
    attributes: &'a [u8],
}

/// Why there is no token.
pub enum Fault {
    Read(Code),
    TooLong,
    Malformed,
    Forbidden,
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
    pub fn next(&mut self, side: Side) -> Result<Token, Fault> {
        let first = self.at == 0;
        loop {
            self.tag = self.at;
            match self.peek(side, self.at)? {
                b'<' => break,
                b'&' => return Err(Fault::Forbidden),
                b if is_control(&b) => return Err(Fault::Malformed),
                b => {
                    self.at += 1;
                    if !is_blank(b) {
                        return Ok(Token::Text);
                    }
                }
            }
        }
        let start = self.at + 1;
        let kind = self.peek(side, start)?;
        if kind == b'!' || kind == b'?' && !first {
            return Err(Fault::Forbidden);
        }
        let end = self.tag_end(side, start)?;
        self.at = end + 1;
        let inner = self.buf.get(start..end).unwrap_or(&[]);
        if kind == b'?' {
            return match inner.strip_prefix(b"?xml") {
                Some([b, .., b'?']) if is_blank(*b) => Ok(Token::Declaration),
                _ => Err(Fault::Forbidden),
            };
        }
        let token = match inner {
            [b'/', name @ ..] => Token::End(trim_end(name)),
            [tag @ .., b'/'] => Token::Empty(Tag::parse(tag).ok_or(Fault::Malformed)?),
            tag => Token::Start(Tag::parse(tag).ok_or(Fault::Malformed)?),
        };
        match token {
            Token::End(name) if !is_name(name) => Err(Fault::Malformed),
            token => Ok(token),
        }
    }

    /// The place of the `>` that ends the tag; one in quotes does not.
    fn tag_end(&mut self, side: Side, start: usize) -> Result<usize, Fault> {
        let mut quote = None;
        let mut i = start;
        loop {
            match self.peek(side, i)? {
                b'&' => return Err(Fault::Forbidden),
                b'<' => return Err(Fault::Malformed),
                b if is_control(&b) => return Err(Fault::Malformed),
                b'>' if quote.is_none() => return Ok(i),
                b if quote == Some(b) => quote = None,
                b @ (b'\'' | b'"') if quote.is_none() => quote = Some(b),
                _ => {}
            }
            i += 1;
        }
    }

    /// The byte at a place, which is read if it has not come yet.
    fn peek(&mut self, side: Side, i: usize) -> Result<u8, Fault> {
        while i >= self.len {
            let most = if side == ACCEPTED { CLIENT_MAX } else { SERVER_MAX };
            let room = self.buf.get_mut(self.len..most).unwrap_or(&mut []);
            if room.is_empty() {
                return Err(Fault::TooLong);
            }
            match side.read(room) {
                Ok(0) => return Err(Fault::Read(Code::EOF)),
                Ok(n) => self.len += n,
                Err(code) => return Err(Fault::Read(code)),
            }
        }
        self.seen = i + 1;
        self.buf.get(i).copied().ok_or(Fault::TooLong)
    }
}

impl<'a> Tag<'a> {
    /// Takes a name and attributes apart, all of which must be as XML has them.
    fn parse(tag: &'a [u8]) -> Option<Tag<'a>> {
        let end = tag.iter().position(|&b| is_blank(b)).unwrap_or(tag.len());
        let (name, attributes) = (tag.get(..end)?, tag.get(end..)?);
        let tag = Tag { name, attributes };
        if !is_name(name) || !is_utf8(attributes) {
            return None;
        }
        let mut rest = attributes;
        for count in 0..=ATTRIBUTES_MAX {
            match next_attribute(rest)? {
                None => return Some(tag),
                Some((name, _, behind)) => {
                    // Of two attributes of one name the peers could take one each.
                    if tag.attributes().take(count).any(|(other, _)| other == name) {
                        return None;
                    }
                    rest = behind;
                }
            }
        }
        None
    }

    fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.attributes;
        core::iter::from_fn(move || {
            let (name, value, behind) = next_attribute(rest)??;
            rest = behind;
            Some((name, value))
        })
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Whether the tag has a name and declares a namespace for itself.
    pub fn is(&self, name: &[u8], namespace: &[u8]) -> bool {
        self.name == name && self.attribute(b"xmlns") == Some(namespace)
    }
}

/// An attribute, its value and what follows; inner None at the end, outer None for what
/// is no attribute.
type Attribute<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn next_attribute(s: &[u8]) -> Option<Option<Attribute>> {
    let inner = trim_start(s);
    if inner.is_empty() {
        return Some(None);
    }
    if inner.len() == s.len() {
        return None; // no blank in front
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
    Some(Some((name, value.get(..end)?, value.get(end + 1..)?)))
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

fn is_control(b: &u8) -> bool {
    *b < b' ' && !is_blank(*b) || *b == 0x7f
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
