//! Texts compared with patterns.

/// What a star stands for, and whether letters' case counts.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text; case does not count (RFC 4343): host names.
    Host,
    /// Any text.
    Text,
    /// Any text without a slash; two stars stand for any text: a path has parts.
    Uri,
}

/// Whether a text matches a pattern. It goes back to the last star, and the last double
/// star, alone: each earlier one has the shortest text already, and a longer one would
/// only leave less for the rest. So the time is bounded by the square of the length.
#[inline(never)]
pub fn matches(pattern: &[u8], text: &[u8], kind: Kind) -> bool {
    let uri = matches!(kind, Kind::Uri);
    let (mut p, mut t) = (pattern, text);
    // What follows the last star in the pattern, and the text from where that goes on.
    let (mut single, mut double) = (None, None);
    loop {
        match (p, t) {
            ([b'*', b'*', behind @ ..], _) if uri => {
                p = behind;
                double = Some((p, t));
                single = None;
            }
            ([b'*', behind @ ..], _) => {
                p = behind;
                if uri {
                    single = Some((p, t));
                } else {
                    double = Some((p, t));
                }
            }
            ([], []) => return true,
            ([a, p_behind @ ..], [b, t_behind @ ..]) if same(*a, *b, kind) => {
                p = p_behind;
                t = t_behind;
            }
            // The last star stands for one byte more.
            _ => match (single, double) {
                (Some((after, [b, t_behind @ ..])), _) if *b != b'/' => {
                    p = after;
                    t = t_behind;
                    single = Some((p, t));
                }
                (_, Some((after, [_, t_behind @ ..]))) => {
                    p = after;
                    t = t_behind;
                    double = Some((p, t));
                    single = None;
                }
                _ => return false,
            },
        }
    }
}

fn same(a: u8, b: u8, kind: Kind) -> bool {
    match kind {
        Kind::Host => a.eq_ignore_ascii_case(&b),
        _ => a == b,
    }
}
