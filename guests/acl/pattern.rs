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
    let (mut p, mut t) = (0, 0);
    // Where to go on in the pattern, and from which byte of the text.
    let (mut single, mut double) = (None, None);
    loop {
        if pattern.get(p) == Some(&b'*') {
            if !uri || pattern.get(p + 1) == Some(&b'*') {
                p += if uri { 2 } else { 1 };
                double = Some((p, t));
                single = None;
            } else {
                p += 1;
                single = Some((p, t));
            }
            continue;
        }
        match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(&a), Some(&b)) if same(a, b, kind) => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        single = single.filter(|&(_, from)| text.get(from).map_or(false, |&b| b != b'/'));
        if let Some((back, from)) = single {
            single = Some((back, from + 1));
            p = back;
            t = from + 1;
        } else if let Some((back, from)) = double {
            if from >= text.len() {
                return false;
            }
            double = Some((back, from + 1));
            p = back;
            t = from + 1;
        } else {
            return false;
        }
    }
}

fn same(a: u8, b: u8, kind: Kind) -> bool {
    match kind {
        Kind::Host => a.eq_ignore_ascii_case(&b),
        _ => a == b,
    }
}
