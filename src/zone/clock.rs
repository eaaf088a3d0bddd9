//! The clock of one switch: many of its times read quickly, because the next is mostly in the hour of the last.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::time::UnixTime;
use crate::zone::{Instants, Moment, MomentError, Zone};

/// Reads times of one zone.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: Option<Zone>,
    /// The local hour read last, since 1970, and how far it is ahead of UTC in seconds.
    last: Option<(i64, i64)>,
}

impl Clock {
    /// A clock for times that name no zone of their own.
    pub(crate) const fn new(zone: Option<Zone>) -> Self {
        Self { zone, last: None }
    }

    /// Reads what [`Moment::parse`] reads, with the same result.
    pub(crate) fn moment(&mut self, text: &str) -> Result<Moment, MomentError> {
        match fixed_layout(text.as_bytes()) {
            Some((local, Some(offset))) => Ok(Moment::exact(UnixTime::from_seconds(local - offset))),
            Some((local, None)) if self.zone.is_some() => self.local(local, text),
            _ => Moment::parse(text, self.zone.as_ref()),
        }
    }

    /// The instant of a local time, given in seconds since 1970 as the clock shows them.
    pub(crate) fn local(&mut self, local: i64, text: &str) -> Result<Moment, MomentError> {
        let hour = local.div_euclid(HOUR);
        if let Some((_, offset)) = self.last.filter(|(last, _)| *last == hour) {
            return Ok(Moment::exact(UnixTime::from_seconds(local - offset)));
        }
        let Some(zone) = &self.zone else { return Err(MomentError::NoZone { text: text.to_owned() }) };
        self.last = steady_offset(zone, hour).map(|offset| (hour, offset));
        match civil(local).map(|local| zone.instants(local)) {
            Some(Instants::One(instant)) => Ok(Moment::exact(instant)),
            Some(Instants::Two(first, second)) => Ok(Moment { repeated: Some(second), ..Moment::exact(first) }),
            Some(Instants::None) => Err(MomentError::Skipped { text: text.to_owned(), zone: zone.name().to_owned() }),
            None => Err(MomentError::NotATime { text: text.to_owned() }),
        }
    }

    /// The instant of a local time whose zone is abbreviated, where the clock's zone has that abbreviation then.
    pub(crate) fn abbreviated(&self, local: i64, abbreviation: &str) -> Option<UnixTime> {
        let zone = self.zone.as_ref()?;
        let has = |instant: &UnixTime| {
            Timestamp::from_second(instant.seconds()).is_ok_and(|timestamp| {
                zone.zone.to_offset_info(timestamp).abbreviation().eq_ignore_ascii_case(abbreviation)
            })
        };
        match zone.instants(civil(local)?) {
            Instants::One(instant) => Some(instant).filter(has),
            Instants::Two(first, second) => [first, second].into_iter().find(has),
            Instants::None => None,
        }
    }
}

const HOUR: i64 = 3600;

/// How far the zone is ahead of UTC in all of a local hour; none where the clock changes in it.
fn steady_offset(zone: &Zone, hour: i64) -> Option<i64> {
    let offset = |local: i64| match zone.instants(civil(local)?) {
        Instants::One(instant) => Some(local - instant.seconds()),
        Instants::None | Instants::Two(..) => None,
    };
    let first = offset(hour * HOUR)?;
    (offset(hour * HOUR + HOUR - 1)? == first).then_some(first)
}

fn civil(local: i64) -> Option<DateTime> {
    Some(TimeZone::UTC.to_datetime(Timestamp::from_second(local).ok()?))
}

/// A date and a time of day in seconds since 1970, zones aside; none where the calendar has no such time.
pub(crate) fn civil_seconds(date: (i64, i64, i64), time: (i64, i64, i64)) -> Option<i64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days).contains(&day) || !is_time {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5 + day - 1;
    Some((era * 146_097 + day_of_era - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `2026-05-04T12:00:01` with a space or a T, a fraction or none, and `Z`, `+00:00`, `+0000` or nothing behind it: the
/// local seconds, and the offset where one is written.
fn fixed_layout(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (head, rest) = text.split_at_checked(19)?;
    if [head[4], head[7], head[13], head[16]] != *b"--::" || !matches!(head[10], b' ' | b'T') {
        return None;
    }
    let date = (two(head, 0)? * 100 + two(head, 2)?, two(head, 5)?, two(head, 8)?);
    let local = civil_seconds(date, (two(head, 11)?, two(head, 14)?, two(head, 17)?))?;
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => &fraction[fraction.iter().take_while(|c| c.is_ascii_digit()).count()..],
        None => rest,
    };
    let offset = match rest {
        [] => return Some((local, None)),
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), figures @ ..] => {
            let (hours, minutes) = match figures.len() {
                4 => (two(figures, 0)?, two(figures, 2)?),
                5 if figures[2] == b':' => (two(figures, 0)?, two(figures, 3)?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    Some((local, Some(offset)))
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_clock_reads_what_is_read_one_by_one(
            zone in prop::sample::select(vec!["America/Chicago", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"]),
            texts in prop::collection::vec(
                "20(26|15)-(03-08|11-01|04-0[456]|10-04|02-30) 0[0-3]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,3})?(Z|[+-]0[05]:?[03]0|)",
                1..8,
            ),
        ) {
            let zone = Some(Zone::named(zone).unwrap());
            let mut clock = Clock::new(zone.clone());
            for text in texts {
                let slow = Moment::parse(&text, zone.as_ref()).map_err(|_| ());
                prop_assert_eq!(clock.moment(&text).map_err(|_| ()), slow, "{}", text);
            }
        }

        #[test]
        fn civil_seconds_are_those_of_the_calendar(year in 1i16..=9998, day in 1i16..=366) {
            if let Ok(date) = jiff::civil::Date::new(year, 1, 1).unwrap().with().day_of_year(day).build() {
                let expected = TimeZone::UTC.to_timestamp(date.at(1, 2, 3, 0)).unwrap().as_second();
                let date = (i64::from(year), i64::from(date.month()), i64::from(date.day()));
                prop_assert_eq!(civil_seconds(date, (1, 2, 3)), Some(expected));
            }
        }
    }
}
