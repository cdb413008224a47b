//! Days of the week and times of day.

use crate::line::{Fault, Word};
use stunnel::text::Parts;

const DAY: i64 = 24 * 60;

/// A point in the week: the day, 0 for Sunday, and the minute of that day.
#[derive(Clone, Copy)]
pub struct Now {
    day: usize,
    minute: i64,
}

impl Now {
    /// From milliseconds since 1970, which began on a Thursday, and a zone's minutes east
    /// of UTC.
    pub fn of(ms: i64, zone: i64) -> Now {
        let minutes = ms.div_euclid(60_000) + zone;
        Now { day: (minutes.div_euclid(DAY) + 4).rem_euclid(7) as usize, minute: minutes.rem_euclid(DAY) }
    }
}

const DAYS: [&[u8]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];
const NO_DAY: &str = "is no day or range of days, as mon-fri or sat,sun";
const NO_SPAN: &str = "is no time of day, as 08:00-18:00";

/// The words of a condition "time".
pub struct Times<'a> {
    pub days: Option<Word<'a>>,
    pub spans: Option<Word<'a>>,
}

impl<'a> Times<'a> {
    /// Whether a word is of times and not of days.
    pub fn is_span(text: &[u8]) -> bool {
        text.first().map_or(false, |b| b.is_ascii_digit())
    }

    /// Whether a time is in them. A span that ends before it begins goes on into the next
    /// day, and belongs to the day on which it began.
    pub fn hold(&self, now: Now) -> Result<bool, Fault<'a>> {
        let days = match self.days {
            Some(word) => days(word)?,
            None => [true; 7],
        };
        let today = days.get(now.day).copied().unwrap_or(false);
        let yesterday = days.get((now.day + 6) % 7).copied().unwrap_or(false);
        let spans = match self.spans {
            Some(word) => word,
            None => return Ok(today),
        };
        let mut held = false;
        let mut all = spans.values();
        while let Some(value) = all.next()? {
            let (from, to) = span(value.text).ok_or_else(|| value.fault(NO_SPAN))?;
            held |= if from < to {
                today && from <= now.minute && now.minute < to
            } else {
                today && from <= now.minute || yesterday && now.minute < to
            };
        }
        Ok(held)
    }
}

#[inline(never)]
fn days(word: Word) -> Result<[bool; 7], Fault> {
    let mut set = [false; 7];
    let mut all = word.values();
    while let Some(value) = all.next()? {
        let mut ends = Parts::of(value.text, b'-');
        let first = ends.next().and_then(day);
        let last = match ends.next() {
            Some(name) => day(name),
            None => first,
        };
        match (first, last, ends.next()) {
            (Some(first), Some(last), None) => {
                let mut d = first;
                loop {
                    if let Some(slot) = set.get_mut(d) {
                        *slot = true;
                    }
                    if d == last {
                        break;
                    }
                    d = (d + 1) % 7;
                }
            }
            _ => return Err(value.fault(NO_DAY)),
        }
    }
    Ok(set)
}

fn day(name: &[u8]) -> Option<usize> {
    DAYS.iter().position(|d| d.eq_ignore_ascii_case(name))
}

/// The minutes of HH:MM-HH:MM. The end does not belong to it, and can be 24:00.
fn span(text: &[u8]) -> Option<(i64, i64)> {
    if text.len() != 11 || text.get(5) != Some(&b'-') {
        return None;
    }
    let (from, to) = (minute(text.get(..5)?)?, minute(text.get(6..)?)?);
    if from == DAY || from == to {
        return None;
    }
    Some((from, to))
}

fn minute(text: &[u8]) -> Option<i64> {
    let digit = |i: usize| text.get(i).filter(|b| b.is_ascii_digit()).map(|b| (b - b'0') as i64);
    if text.len() != 5 || text.get(2) != Some(&b':') {
        return None;
    }
    let (h, m) = (digit(0)? * 10 + digit(1)?, digit(3)? * 10 + digit(4)?);
    if m > 59 || 60 * h + m > DAY {
        return None;
    }
    Some(60 * h + m)
}

/// The minutes east of UTC of a zone: UTC, +HH:MM or -HH:MM.
pub fn zone(text: &[u8]) -> Option<i64> {
    let away = |rest: &[u8]| minute(rest).filter(|&m| m < 15 * 60);
    match text {
        [b'+', rest @ ..] => away(rest),
        [b'-', rest @ ..] => away(rest).map(|m| -m),
        _ if text.eq_ignore_ascii_case(b"utc") => Some(0),
        _ => None,
    }
}
