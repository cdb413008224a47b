//! Lines as the peers of line protocols send them.

use crate::host::{Code, Result, Side};
use crate::text::{chomp, has_control};

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
