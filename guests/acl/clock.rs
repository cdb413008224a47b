//! Days of the week and times of day.

use crate::line::Line;
use stunnel::text::{decimal, Parts};
use stunnel::Outcome;

const DAY: i32 = 24 * 60;
const WEEK: i64 = 7 * DAY as i64;

/// A point in the week: the day, 0 for Sunday, and the minute of that day.
#[derive(Clone, Copy)]
pub struct Now {
    day: u32,
    minute: i32,
}

impl Now {
    /// From milliseconds since 1970, which began on a Thursday, and a zone's minutes east
    /// of UTC.
    pub fn of(ms: i64, zone: i32) -> Now {
        let thursday = 4 * DAY + zone;
        let minute = (ms.div_euclid(60_000) + thursday as i64).rem_euclid(WEEK) as i32;
        Now { day: (minute / DAY) as u32, minute: minute % DAY }
    }
}

const DAYS: [&[u8]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];
const NO_DAY: &str = "is no day or range of days, as mon-fri or sat,sun";
const NO_SPAN: &str = "is no time of day, as 08:00-18:00";

/// Whether a word is of times and not of days.
pub fn is_span(word: &[u8]) -> bool {
    word.first().map_or(false, |b| b.is_ascii_digit())
}

/// Whether a time is in the days and spans of a condition "time", either of which may be
/// empty. A span that ends before it begins goes on into the next day, and belongs to the
/// day on which it began.
#[inline(never)]
pub fn holds(line: &Line, on: &[u8], within: &[u8], now: Now) -> Outcome<bool> {
    let days = days(line, on)?;
    let today = days >> now.day & 1 != 0;
    if within.is_empty() {
        return Ok(today);
    }
    let yesterday = days >> ((now.day + 6) % 7) & 1 != 0;
    let mut held = false;
    let mut spans = line.values(within);
    while let Some(value) = spans.next()? {
        let (from, to) = span(value).ok_or_else(|| line.fault(value, NO_SPAN))?;
        let (begun, ended) = (from <= now.minute, to <= now.minute);
        held |= if from < to { today & begun & !ended } else { today & begun | yesterday & !ended };
    }
    Ok(held)
}

/// The days of a word, a bit each; all of them if it is empty.
#[inline(never)]
fn days(line: &Line, word: &[u8]) -> Outcome<u32> {
    if word.is_empty() {
        return Ok(!0);
    }
    let mut set = 0;
    let mut ranges = line.values(word);
    while let Some(value) = ranges.next()? {
        set |= range(value).ok_or_else(|| line.fault(value, NO_DAY))?;
    }
    Ok(set)
}

/// A day, or the days from one up to another.
fn range(text: &[u8]) -> Option<u32> {
    let mut ends = Parts::of(text, b'-');
    let mut d = day(ends.next()?)?;
    let last = match ends.next() {
        Some(name) => day(name)?,
        None => d,
    };
    if ends.next().is_some() {
        return None;
    }
    let mut set = 1 << d;
    while d != last {
        d = (d + 1) % 7;
        set |= 1 << d;
    }
    Some(set)
}

#[inline(never)]
fn day(name: &[u8]) -> Option<usize> {
    DAYS.iter().position(|d| d.eq_ignore_ascii_case(name))
}

/// The minutes of HH:MM-HH:MM. The end does not belong to it, and can be 24:00.
fn span(text: &[u8]) -> Option<(i32, i32)> {
    if !matches!(text, [_, _, _, _, _, b'-', ..]) {
        return None;
    }
    let (from, to) = (minute(text.get(..5)?)?, minute(text.get(6..)?)?);
    if from == DAY || from == to {
        return None;
    }
    Some((from, to))
}

/// The minutes of HH:MM.
#[inline(never)]
fn minute(text: &[u8]) -> Option<i32> {
    if !matches!(text, [_, _, b':', _, _]) {
        return None;
    }
    let (h, m) = (decimal(text.get(..2)?)?, decimal(text.get(3..)?)?);
    let minute = (60 * h + m) as i32;
    if m > 59 || minute > DAY {
        return None;
    }
    Some(minute)
}

/// The minutes east of UTC of a zone: UTC, +HH:MM or -HH:MM.
pub fn zone(text: &[u8]) -> Option<i32> {
    match text {
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let away = minute(rest).filter(|&m| m < 15 * 60)?;
            Some(if *sign == b'-' { -away } else { away })
        }
        _ if text.eq_ignore_ascii_case(b"utc") => Some(0),
        _ => None,
    }
}
