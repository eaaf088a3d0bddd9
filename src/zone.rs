//! IANA time zones, and times as people and switches write them (RFC 3339, RFC 9557).
//!
//! Call records and requests come in many spellings of a time. All that is unambiguous is read; what is not is refused
//! with the reason, because a wrong zone is the most common way to find the wrong call.

mod clock;

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

pub(crate) use clock::{Clock, civil_seconds};

use crate::time::UnixTime;

/// A time zone of the IANA database that is built in, so that the same inputs give the same answer everywhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of that name, such as `America/Chicago`.
    ///
    /// # Errors
    /// When no zone has that name; the nearest name is suggested.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        let database = TimeZoneDatabase::bundled();
        match database.get(name) {
            Ok(zone) => Ok(Self { name: zone.iana_name().unwrap_or(name).to_owned(), zone }),
            Err(_) => Err(UnknownZone { name: name.to_owned(), nearest: nearest_zone(&database, name) }),
        }
    }

    /// A zone that is so many seconds ahead of UTC all the year; none where no clock is.
    pub(crate) fn fixed(seconds: i32) -> Option<Self> {
        let offset = Offset::from_seconds(seconds).ok()?;
        Some(Self { name: offset.to_string(), zone: TimeZone::fixed(offset) })
    }

    /// An offset such as `-05:00` in seconds ahead of UTC.
    pub(crate) fn offset(text: &str) -> Option<i32> {
        text.starts_with(['+', '-']).then(|| parse_offset(text)).flatten().map(Offset::seconds)
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The date and the time of day there.
    pub(crate) fn local(&self, instant: UnixTime) -> Option<DateTime> {
        let timestamp = jiff::Timestamp::from_second(instant.seconds()).ok()?;
        Some(self.zone.to_datetime(timestamp))
    }

    /// The instants that a local time names there: one, two in the hour that a clock repeats, none in one it skips.
    pub(crate) fn instants(&self, local: DateTime) -> Instants {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Instants::One(at(local, offset)),
            AmbiguousOffset::Fold { before, after } => Instants::Two(at(local, before), at(local, after)),
            AmbiguousOffset::Gap { .. } => Instants::None,
        }
    }

    /// The instant as RFC 3339 with this zone's offset.
    #[must_use]
    pub fn print(&self, instant: UnixTime) -> String {
        let timestamp = jiff::Timestamp::from_second(instant.seconds());
        timestamp.map_or_else(
            |_| instant.to_string(),
            |timestamp| timestamp.display_with_offset(self.zone.to_offset(timestamp)).to_string(),
        )
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The instants that a local time names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Instants {
    /// The clock skips it.
    None,
    /// As nearly always.
    One(UnixTime),
    /// The clock shows it twice; the earlier first.
    Two(UnixTime, UnixTime),
}

/// The instant, also where it lies beyond the calendar that the local time stands in.
fn at(local: DateTime, offset: Offset) -> UnixTime {
    let midnight = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let seconds = local.duration_since(midnight).as_secs();
    UnixTime::from_seconds(seconds - i64::from(offset.seconds()))
}

fn nearest_zone(database: &TimeZoneDatabase, name: &str) -> Option<String> {
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The candidate that a mistyped name probably means: at most a third of its letters differ.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let scored = candidates.map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate));
    scored.min_by_key(|(edits, _)| *edits).filter(|(edits, _)| *edits <= name.len().div_ceil(3)).map(|(_, best)| best)
}

/// Longer names are not compared: the work grows with the square.
const MAX_NAME: usize = 64;

/// Levenshtein's distance, in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// No time zone has that name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no time zone is named {name:?}{}", suggestion(.nearest.as_deref()))]
#[non_exhaustive]
pub struct UnknownZone {
    /// The name as it stood.
    pub name: String,
    /// A name that differs little.
    pub nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "; IANA names look like America/Chicago".to_owned(), |name| format!("; {name}?"))
}

/// A time as written: an instant, or the whole minute where seconds are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Moment {
    /// The first second it may mean.
    pub earliest: UnixTime,
    /// The last second it may mean: the same, or 59 seconds later.
    pub latest: UnixTime,
    /// The same clock time an hour later, when the clock showed it twice that day.
    pub repeated: Option<UnixTime>,
}

impl Moment {
    /// One second.
    #[must_use]
    pub const fn exact(instant: UnixTime) -> Self {
        Self { earliest: instant, latest: instant, repeated: None }
    }

    /// Reads a time. A zone in the text counts; a text without one is read in `zone`.
    ///
    /// # Errors
    /// When the text is no time, or one that may mean several.
    pub fn parse(text: &str, zone: Option<&Zone>) -> Result<Self, MomentError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(MomentError::Empty);
        }
        if text.len() > MAX_TEXT {
            return Err(MomentError::TooLong { limit: MAX_TEXT });
        }
        let Some((date, rest)) = split_date(text) else {
            return parse_rfc2822(text);
        };
        let (time, precision, rest) = split_time(rest).ok_or_else(|| not_a_time(text))?;
        let local = DateTime::from_parts(date, time);
        let spread = if precision == Precision::Minute { 59 } else { 0 };
        let moment = |first: UnixTime| Self { earliest: first, latest: first.plus_seconds(spread), repeated: None };
        match written_zone(rest, text)? {
            Written::Offset(offset, None) => Ok(moment(at(local, offset))),
            Written::Offset(offset, Some(zone)) => {
                let instant = at(local, offset);
                match zone.instants(local) {
                    Instants::One(own) if own == instant => Ok(moment(instant)),
                    Instants::Two(first, second) if [first, second].contains(&instant) => Ok(moment(instant)),
                    _ => Err(MomentError::Contradiction { text: text.to_owned(), zone: zone.name }),
                }
            }
            Written::Zone(zone) => in_zone(local, &zone, moment),
            Written::Nothing => in_zone(local, zone.ok_or_else(|| without_zone(text))?, moment),
        }
    }
}

/// No spelling of a time is longer.
const MAX_TEXT: usize = 80;

fn in_zone(local: DateTime, zone: &Zone, moment: impl Fn(UnixTime) -> Moment) -> Result<Moment, MomentError> {
    match zone.instants(local) {
        Instants::One(instant) => Ok(moment(instant)),
        Instants::Two(first, second) => Ok(Moment { repeated: Some(second), ..moment(first) }),
        Instants::None => Err(MomentError::Skipped { text: local.to_string(), zone: zone.name.clone() }),
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Precision {
    Minute,
    Second,
}

enum Written {
    Nothing,
    /// With the zone that stands behind it in brackets (RFC 9557).
    Offset(Offset, Option<Box<Zone>>),
    Zone(Box<Zone>),
}

/// `YYYY-MM-DD` or `YYYY/MM/DD`, then a space or a T.
fn split_date(text: &str) -> Option<(Date, &str)> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let bytes = date.as_bytes();
    let separator = bytes[4];
    if bytes[7] != separator || !matches!(separator, b'-' | b'/') {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some((date, rest.strip_prefix(['T', 't', ' ', '_'])?.trim_start()))
}

/// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.fraction`; the fraction is cut.
fn split_time(text: &str) -> Option<(Time, Precision, &str)> {
    let two = |from: usize| digits(text.get(from..from + 2)?).and_then(|n| i8::try_from(n).ok());
    let (hour, minute) = (two(0)?, two(3)?);
    if text.as_bytes().get(2) != Some(&b':') {
        return None;
    }
    let rest = text.get(5..)?;
    let Some(with_seconds) = rest.strip_prefix(':') else {
        return Some((Time::new(hour, minute, 0, 0).ok()?, Precision::Minute, rest.trim_start()));
    };
    // A leap second counts as the last second of its minute.
    let second = two(6).filter(|second| *second <= 60)?.min(59);
    let rest = with_seconds.get(2..)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    Some((Time::new(hour, minute, second, 0).ok()?, Precision::Second, rest.trim_start()))
}

fn digits(text: &str) -> Option<i16> {
    if text.bytes().all(|c| c.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// `Z`, `UTC`, `+0000`, `+00:00`, `-05`, `America/Chicago`, `-05:00[America/Chicago]`; abbreviations that several zones
/// share are refused.
fn written_zone(rest: &str, text: &str) -> Result<Written, MomentError> {
    if rest.is_empty() {
        return Ok(Written::Nothing);
    }
    if ["Z", "UTC", "GMT", "UT"].iter().any(|name| rest.eq_ignore_ascii_case(name)) {
        return Ok(Written::Offset(Offset::UTC, None));
    }
    if rest.starts_with(['+', '-', '\u{2212}']) {
        let (offset, name) =
            rest.split_once('[').map_or((rest, None), |(offset, name)| (offset.trim_end(), Some(name)));
        let offset = parse_offset(offset).ok_or_else(|| not_a_time(text))?;
        let name = name.map(|name| name.strip_suffix(']').ok_or_else(|| not_a_time(text))).transpose()?;
        return Ok(Written::Offset(offset, name.map(|name| zone_of(name, text)).transpose()?));
    }
    let name = rest.trim_start_matches('[').trim_end_matches(']');
    if rest.bytes().all(|c| c.is_ascii_alphabetic()) && rest.len() <= 5 {
        return Err(MomentError::AmbiguousZone { text: text.to_owned(), name: rest.to_owned() });
    }
    if !name.contains('/') {
        return Err(not_a_time(text));
    }
    Ok(Written::Zone(zone_of(name, text)?))
}

fn zone_of(name: &str, text: &str) -> Result<Box<Zone>, MomentError> {
    let zone = Zone::named(name).map_err(|unknown| MomentError::UnknownZone { text: text.to_owned(), unknown })?;
    Ok(Box::new(zone))
}

fn parse_offset(text: &str) -> Option<Offset> {
    let negative = text.starts_with(['-', '\u{2212}']);
    let figures: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    if !figures.is_ascii() {
        return None;
    }
    let (hours, minutes) = match figures.len() {
        2 => (digits(&figures)?, 0),
        4 => (digits(&figures[..2])?, digits(&figures[2..])?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok()
}

/// `Mon, 4 May 2026 12:00:01 GMT`, as SIP and mail write it.
fn parse_rfc2822(text: &str) -> Result<Moment, MomentError> {
    UnixTime::parse_sip_date(text).map(Moment::exact).map_err(|_| not_a_time(text))
}

fn not_a_time(text: &str) -> MomentError {
    MomentError::NotATime { text: text.to_owned() }
}

fn without_zone(text: &str) -> MomentError {
    MomentError::NoZone { text: text.to_owned() }
}

/// Why a text is no time that one can search with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MomentError {
    /// An abbreviation that several zones share.
    #[error(
        "{text:?}: more than one zone is called {name}; write its offset (-05:00) or its IANA name (America/Chicago)"
    )]
    AmbiguousZone {
        /// The time as it stood.
        text: String,
        /// The abbreviation.
        name: String,
    },
    /// An offset that the zone beside it never has at that time.
    #[error("{text:?} contradicts itself: {zone} had another offset then")]
    Contradiction {
        /// The time as it stood.
        text: String,
        /// The zone.
        zone: String,
    },
    /// Nothing stands there.
    #[error("there is no time")]
    Empty,
    /// A time of some unnamed zone.
    #[error("{text:?} names no time zone; add Z for UTC, or an offset such as -05:00")]
    NoZone {
        /// The time as it stood.
        text: String,
    },
    /// Not a form that is read, or one that may mean several days.
    #[error(
        "{text:?} is no time that can mean only one; write it as 2026-05-04T12:00:01Z or 2026-05-04 12:00:01 +0000"
    )]
    NotATime {
        /// The time as it stood.
        text: String,
    },
    /// A local time that the clocks there skipped.
    #[error("{text} never was in {zone}: the clocks skipped it")]
    Skipped {
        /// The local time.
        text: String,
        /// The zone.
        zone: String,
    },
    /// Longer than any time.
    #[error("longer than {limit} characters")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// A zone that the database does not have.
    #[error("{text:?}: {unknown}")]
    UnknownZone {
        /// The time as it stood.
        text: String,
        /// The zone that nobody knows.
        unknown: UnknownZone,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> Result<(i64, i64), MomentError> {
        let chicago = Zone::named("America/Chicago").unwrap();
        Moment::parse(text, Some(&chicago)).map(|m| (m.earliest.seconds(), m.latest.seconds()))
    }

    #[test]
    fn every_unambiguous_spelling_is_the_same_instant() {
        for text in [
            "2026-05-04T12:00:01Z",
            "2026-05-04 12:00:01 +0000",
            "2026-05-04 12:00:01.250+00:00",
            "2026/05/04 12:00:01 UTC",
            "2026-05-04 07:00:01",
            "2026-05-04 07:00:01 -05",
            "2026-05-04T14:00:01+02:00[Europe/Berlin]",
            "2026-05-04 14:00:01 Europe/Berlin",
            "Mon, 4 May 2026 12:00:01 GMT",
        ] {
            assert_eq!(seconds(text), Ok((1_777_896_001, 1_777_896_001)), "{text}");
        }
    }

    #[test]
    fn a_time_without_seconds_is_the_whole_minute() {
        assert_eq!(seconds("2026-05-04 12:00 +0000"), Ok((1_777_896_000, 1_777_896_059)));
    }

    #[test]
    fn what_may_mean_several_instants_is_refused_with_the_reason() {
        assert!(matches!(Moment::parse("2026-05-04 12:00:01", None), Err(MomentError::NoZone { .. })));
        assert!(matches!(seconds("2026-05-04 12:00:01 CST"), Err(MomentError::AmbiguousZone { .. })));
        for text in [
            "2026-05-04 12:00:01+a\u{e9}0",
            "2026-05-04 12:00:61Z",
            "05/04/2026 12:00 UTC",
            "yesterday",
            "2026-13-04 12:00Z",
            "2026-05-04",
            "2026-05-04 25:00Z",
            "1777896001",
        ] {
            assert!(matches!(seconds(text), Err(MomentError::NotATime { .. })), "{text}: {:?}", seconds(text));
        }
        let unknown = seconds("2026-05-04 12:00 America/Chicgo").unwrap_err();
        assert!(unknown.to_string().contains("America/Chicago?"), "{unknown}");
    }

    #[test]
    fn an_offset_that_the_zone_beside_it_never_has_is_refused() {
        // RFC 9557 section 3.4: inconsistent suffixes.
        let chicago = seconds("2026-11-01T01:30:00-06:00[America/Chicago]").unwrap();
        assert_eq!(chicago.0, seconds("2026-11-01T07:30:00Z").unwrap().0);
        for text in ["2026-05-04T12:00:01-05:00[Europe/Berlin]", "2026-03-08T02:30:00-06:00[America/Chicago]"] {
            assert!(matches!(seconds(text), Err(MomentError::Contradiction { .. })), "{text}");
        }
        assert!(matches!(seconds("2026-05-04T12:00:01-05:00[Mars/Olympus]"), Err(MomentError::UnknownZone { .. })));
        assert!(matches!(seconds("2026-05-04T12:00:01-05:00[America/Chicago"), Err(MomentError::NotATime { .. })));
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_not_1970() {
        let last = Moment::parse("9999-12-31T23:59:59-10:00", None).unwrap().earliest;
        assert_eq!(last.seconds_since(Moment::parse("9999-12-31T23:59:59Z", None).unwrap().earliest), 36_000);
    }

    #[test]
    fn an_hour_that_a_clock_shows_twice_or_never_is_named() {
        let chicago = Zone::named("America/Chicago").unwrap();
        let twice = Moment::parse("2026-11-01 01:30:00", Some(&chicago)).unwrap();
        assert_eq!(twice.repeated.unwrap().seconds_since(twice.earliest), 3600);
        assert!(matches!(Moment::parse("2026-03-08 02:30:00", Some(&chicago)), Err(MomentError::Skipped { .. })));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Moment::parse(&text, None);
        }

        #[test]
        fn what_is_printed_is_read_back(second in 0i64..4_000_000_000) {
            let instant = UnixTime::from_seconds(second);
            let chicago = Zone::named("America/Chicago").unwrap();
            prop_assert_eq!(Moment::parse(&chicago.print(instant), None), Ok(Moment::exact(instant)));
            prop_assert_eq!(Moment::parse(&instant.to_string(), None), Ok(Moment::exact(instant)));
        }
    }
}
