//! Lines as the peers of line protocols send them.

use crate::host::{Code, Result, Side};
use crate::refusal::Part::{Quote, Say};
use crate::refusal::{Class, Outcome, Refusal};
use crate::text::{chomp, has_control};
use crate::OUTGOING;

/// A line that was read, without its line end.
pub enum Line<'a> {
    Text(&'a [u8]),
    /// It did not fit, and was read to its end: the next one is as good as any.
    TooLong,
    /// It holds a control character, which a line of text has no use for.
    Control,
}

/// Reads a line of at most buf.len() bytes, its line end included.
pub fn read(side: Side, buf: &mut [u8]) -> Result<Line> {
    let n = match side.read_line(buf) {
        Ok(n) => n,
        Err(Code::TOO_LONG) => return discard(side, buf).map(|()| Line::TooLong),
        Err(code) => return Err(code),
    };
    let line = chomp(buf.get(..n).unwrap_or(&[]));
    Ok(if has_control(line) { Line::Control } else { Line::Text(line) })
}

/// Reads a line of what the server says: `greeting`, `answer to CAPA`. One that is no
/// text, or does not fit, is refused at once.
pub fn of_server<'a>(what: &str, buf: &'a mut [u8]) -> Outcome<&'a [u8]> {
    let n = match OUTGOING.read_line(buf) {
        Ok(n) => n,
        Err(Code::TOO_LONG) => return Err(unlike(what, " has a line that is too long", None)),
        Err(code) => return Err(Refusal::of(&["reading the server's ", what], code)),
    };
    let line = chomp(buf.get(..n).unwrap_or(&[]));
    if has_control(line) {
        return Err(unlike(what, " has a control character: ", Some(line)));
    }
    Ok(line)
}

/// Refuses what the server says: `the server's WHAT HOW`, and the line that is wrong, if it
/// is one.
#[inline(never)]
pub fn unlike(what: &str, how: &str, line: Option<&[u8]>) -> Refusal {
    let parts = [Say("the server's "), Say(what), Say(how), Quote(line.unwrap_or(&[]))];
    let n = if line.is_some() { 4 } else { 3 };
    Refusal::new(Class::Peer, parts.get(..n).unwrap_or(&[]))
}

/// Reads on to the end of a line that did not fit. The buffer's length is known
/// to hold no line end, so that nothing behind the line is lost.
fn discard(side: Side, buf: &mut [u8]) -> Result<()> {
    loop {
        side.read_full(buf)?;
        match side.read_line(buf) {
            Err(Code::TOO_LONG) => {}
            other => return other.map(drop),
        }
    }
}

/// A literal that the rest of a command is (RFC 3501 section 4.3, RFC 7888, RFC 5804
/// section 4): bytes that are no line follow the line, as many as it says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// The sender waits for leave to go on.
    Waits,
    GoesOn,
}

/// The literal that a line ends with, as in `a LOGIN {5}` and `PUTSCRIPT "x" {5+}`.
pub fn literal(line: &[u8]) -> Option<Literal> {
    let (mut text, literal) = match line {
        [text @ .., b'+', b'}'] => (text, Literal::GoesOn),
        [text @ .., b'}'] => (text, Literal::Waits),
        _ => return None,
    };
    let mut digits = false;
    while let [rest @ .., b'0'..=b'9'] = text {
        (text, digits) = (rest, true);
    }
    if digits && text.last() == Some(&b'{') {
        Some(literal)
    } else {
        None
    }
}
