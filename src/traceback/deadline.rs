//! When an answer is due: the 24-hour clock of 47 CFR 64.1200(n)(1), as dated, versioned data.
//!
//! Source of the readings: the rule as summarised in 88 FR 43446 (2023-07-10), in force since 2024-01-08. The clock
//! runs in the local time of the office that answers. Where the text leaves a choice, the earlier deadline is taken and
//! the reasons say so.

use jiff::civil::{Date, DateTime, Time, Weekday};

use crate::time::UnixTime;
use crate::zone::{Instants, Zone};

/// A version of the rules that an answer was computed by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RuleSet {
    /// Its name: country, year and month of the last change that was read.
    pub name: &'static str,
    /// The country whose offices it binds.
    pub country: &'static str,
    /// The first day it holds.
    since: Date,
    opens: Time,
    closes: Time,
    holidays: &'static [Holiday],
}

/// A federal legal holiday (5 U.S.C. 6103(a)), and since which year. Inauguration Day and days off by executive order
/// are left out: they are not holidays everywhere.
#[derive(Clone, Copy, Debug)]
struct Holiday {
    name: &'static str,
    day: Day,
    since: i16,
}

#[derive(Clone, Copy, Debug)]
enum Day {
    /// Month and day; on a Saturday it is observed the Friday before, on a Sunday the Monday after (5 U.S.C. 6103(b),
    /// Executive Order 11582).
    Fixed(i8, i8),
    /// Month, weekday, and which of them; -1 is the last.
    Nth(i8, Weekday, i8),
}

const fn holiday(name: &'static str, day: Day, since: i16) -> Holiday {
    Holiday { name, day, since }
}

/// The rules for offices in the United States as read in February 2026.
pub const US_2026_02: RuleSet = RuleSet {
    name: "us-2026-02",
    country: "US",
    since: Date::constant(2024, 1, 8),
    opens: Time::constant(8, 0, 0, 0),
    closes: Time::constant(17, 30, 0, 0),
    holidays: &[
        holiday("New Year's Day", Day::Fixed(1, 1), 1971),
        holiday("Martin Luther King Jr. Day", Day::Nth(1, Weekday::Monday, 3), 1986),
        holiday("Washington's Birthday", Day::Nth(2, Weekday::Monday, 3), 1971),
        holiday("Memorial Day", Day::Nth(5, Weekday::Monday, -1), 1971),
        holiday("Juneteenth", Day::Fixed(6, 19), 2021),
        holiday("Independence Day", Day::Fixed(7, 4), 1971),
        holiday("Labor Day", Day::Nth(9, Weekday::Monday, 1), 1971),
        holiday("Columbus Day", Day::Nth(10, Weekday::Monday, 2), 1971),
        holiday("Veterans Day", Day::Fixed(11, 11), 1978),
        holiday("Thanksgiving Day", Day::Nth(11, Weekday::Thursday, 4), 1971),
        holiday("Christmas Day", Day::Fixed(12, 25), 1971),
    ],
};

/// When an answer is due, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Deadline {
    /// The instant.
    pub due: UnixTime,
    /// The instant with the office's offset.
    pub text: String,
    /// The steps that led there, in words.
    pub because: Vec<String>,
}

impl RuleSet {
    /// The deadline of a request received then by an office there.
    ///
    /// # Errors
    /// When the rules say nothing about it.
    pub fn deadline(&self, received: UnixTime, office: &Zone) -> Result<Deadline, NoDeadline> {
        let local = office.local(received).ok_or(NoDeadline::OutOfRange)?;
        if local.date() < self.since {
            return Err(NoDeadline::BeforeTheRule { since: self.since.to_string() });
        }
        let mut because = vec![format!("received {} in {office}", words(local))];
        let started = self.clock_starts(local, &mut because).ok_or(NoDeadline::OutOfRange)?;
        let day = self.next_business_day(started.date(), &mut because).ok_or(NoDeadline::OutOfRange)?;
        let due = day.to_datetime(started.time());
        because.push(format!("24 hours of business days later: due {}", words(due)));
        let due = match office.instants(due) {
            Instants::One(instant) | Instants::Two(instant, _) => instant,
            Instants::None => return Err(NoDeadline::OutOfRange),
        };
        if offset(local, received) != office.local(due).and_then(|own| offset(own, due)) {
            because.push(format!("the clocks in {office} are changed in between; the hour on the wall counts"));
        }
        Ok(Deadline { due, text: office.print(due), because })
    }

    /// Outside business hours the clock does not start: the request counts as received at opening time.
    fn clock_starts(&self, local: DateTime, because: &mut Vec<String>) -> Option<DateTime> {
        let (date, time) = (local.date(), local.time());
        if let Some(reason) = self.closed(date) {
            let next = self.next_business_day(date, &mut Vec::new())?.to_datetime(self.opens);
            because.push(format!("{date} is {reason}: the clock starts {}", words(next)));
            return Some(next);
        }
        if time < self.opens {
            let opening = date.to_datetime(self.opens);
            because.push(format!(
                "before business hours ({} to {}): the clock starts {}, the earlier of two readings of the rule",
                hours(self.opens),
                hours(self.closes),
                words(opening)
            ));
            return Some(opening);
        }
        if time > self.closes {
            let next = self.next_business_day(date, &mut Vec::new())?.to_datetime(self.opens);
            because.push(format!(
                "after business hours ({} to {}): the clock starts {}",
                hours(self.opens),
                hours(self.closes),
                words(next)
            ));
            return Some(next);
        }
        because.push(format!(
            "within business hours ({} to {}): the clock starts at once",
            hours(self.opens),
            hours(self.closes)
        ));
        if time == self.closes {
            because.push(format!(
                "{} itself is read as within them, the earlier of two readings of the rule",
                hours(self.closes)
            ));
        }
        Some(local)
    }

    /// The next day on which the clock runs; the days on which it does not are said.
    fn next_business_day(&self, date: Date, because: &mut Vec<String>) -> Option<Date> {
        let mut day = date.tomorrow().ok()?;
        // No run of closed days is longer than a week.
        for _ in 0..8 {
            match self.closed(day) {
                None => return Some(day),
                Some(reason) => because.push(format!("{} {day} is {reason}: the clock does not run", weekday(day))),
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Why a day is no business day.
    fn closed(&self, date: Date) -> Option<String> {
        if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return Some(format!("a {}", weekday(date)));
        }
        // New Year's Day may be observed in the year before.
        let years = [date.year(), date.year().saturating_add(1)];
        let mut holidays = self.holidays.iter().flat_map(|holiday| years.map(|year| (holiday, holiday.observed(year))));
        let (holiday, (_, moved)) = holidays
            .find_map(|(holiday, day)| day.filter(|(observed, _)| *observed == date).map(|day| (holiday, day)))?;
        Some(if moved { format!("{} (observed)", holiday.name) } else { holiday.name.to_owned() })
    }
}

impl Holiday {
    /// The day it is observed on, and whether that is another one than its own.
    fn observed(&self, year: i16) -> Option<(Date, bool)> {
        if year < self.since {
            return None;
        }
        match self.day {
            Day::Nth(month, weekday, nth) => {
                Some((Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()?, false))
            }
            Day::Fixed(month, day) => {
                let own = Date::new(year, month, day).ok()?;
                match own.weekday() {
                    Weekday::Saturday => Some((own.yesterday().ok()?, true)),
                    Weekday::Sunday => Some((own.tomorrow().ok()?, true)),
                    _ => Some((own, false)),
                }
            }
        }
    }
}

/// Seconds between the wall and the instant.
fn offset(local: DateTime, instant: UnixTime) -> Option<i64> {
    let wall = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    Some(wall.as_second() - instant.seconds())
}

fn words(local: DateTime) -> String {
    format!("{} {} {}", weekday(local.date()), local.date(), hours(local.time()))
}

fn hours(time: Time) -> String {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}

const fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn weekday(date: Date) -> &'static str {
    weekday_name(date.weekday())
}

/// Why no deadline can be given.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDeadline {
    /// Received before the rule came into force.
    #[error("the 24-hour rule holds since {since}")]
    BeforeTheRule {
        /// Its first day.
        since: String,
    },
    /// Beyond the calendar.
    #[error("the date is beyond the calendar")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(received: &str) -> String {
        let office = Zone::named("America/Chicago").unwrap();
        let received = UnixTime::parse_rfc3339(received).unwrap();
        US_2026_02.deadline(received, &office).unwrap().text
    }

    #[test]
    fn the_worked_examples_of_the_rule() {
        // Traceback spec 2.1.
        assert_eq!(due("2026-05-05T17:31:00-05:00"), "2026-05-07T08:00:00-05:00", "Tuesday evening");
        assert_eq!(due("2026-05-09T10:00:00-05:00"), "2026-05-12T08:00:00-05:00", "Saturday");
        assert_eq!(due("2026-05-08T15:00:00-05:00"), "2026-05-11T15:00:00-05:00", "Friday");
        assert_eq!(due("2026-05-22T15:00:00-05:00"), "2026-05-26T15:00:00-05:00", "Friday before Memorial Day");
    }

    #[test]
    fn the_edges_of_business_hours() {
        assert_eq!(due("2026-05-05T17:30:00-05:00"), "2026-05-06T17:30:00-05:00");
        assert_eq!(due("2026-05-05T17:30:01-05:00"), "2026-05-07T08:00:00-05:00");
        assert_eq!(due("2026-05-05T08:00:00-05:00"), "2026-05-06T08:00:00-05:00");
        assert_eq!(due("2026-05-05T06:00:00-05:00"), "2026-05-06T08:00:00-05:00");
    }

    #[test]
    fn holidays_are_observed_on_the_nearest_weekday() {
        // Independence Day 2026 is a Saturday, New Year's Day 2028 too, Juneteenth 2027 as well.
        assert_eq!(due("2026-07-02T10:00:00-05:00"), "2026-07-06T10:00:00-05:00");
        assert_eq!(due("2027-12-30T10:00:00-06:00"), "2028-01-03T10:00:00-06:00");
        assert_eq!(due("2027-06-17T10:00:00-05:00"), "2027-06-21T10:00:00-05:00");
        assert_eq!(due("2026-11-25T10:00:00-06:00"), "2026-11-27T10:00:00-06:00");
    }

    #[test]
    fn the_hour_on_the_wall_counts_when_clocks_change() {
        let office = Zone::named("America/Chicago").unwrap();
        let received = UnixTime::parse_rfc3339("2026-10-30T15:00:00-05:00").unwrap();
        let deadline = US_2026_02.deadline(received, &office).unwrap();
        assert_eq!(deadline.text, "2026-11-02T15:00:00-06:00");
        assert!(deadline.because.last().unwrap().contains("changed in between"), "{:?}", deadline.because);
    }

    #[test]
    fn the_reasons_are_the_steps() {
        let office = Zone::named("America/New_York").unwrap();
        let received = UnixTime::parse_rfc3339("2026-05-08T15:00:00-04:00").unwrap();
        assert_eq!(
            US_2026_02.deadline(received, &office).unwrap().because,
            [
                "received Friday 2026-05-08 15:00 in America/New_York",
                "within business hours (08:00 to 17:30): the clock starts at once",
                "Saturday 2026-05-09 is a Saturday: the clock does not run",
                "Sunday 2026-05-10 is a Sunday: the clock does not run",
                "24 hours of business days later: due Monday 2026-05-11 15:00",
            ]
        );
    }

    #[test]
    fn the_last_instant_of_business_hours_has_two_readings_and_says_so() {
        let office = Zone::named("America/Chicago").unwrap();
        let because = |text: &str| {
            let received = UnixTime::parse_rfc3339(text).unwrap();
            US_2026_02.deadline(received, &office).unwrap().because.join("; ")
        };
        let words = "17:30 itself is read as within them, the earlier of two readings of the rule";
        assert!(because("2026-05-05T17:30:00-05:00").contains(words));
        assert!(!because("2026-05-05T17:29:59-05:00").contains("itself"));
        assert!(!because("2026-05-05T17:30:01-05:00").contains("itself"));
    }

    #[test]
    fn before_the_rule_there_is_no_deadline() {
        let received = UnixTime::parse_rfc3339("2023-05-08T15:00:00Z").unwrap();
        assert!(matches!(US_2026_02.deadline(received, &Zone::utc()), Err(NoDeadline::BeforeTheRule { .. })));
    }
}
