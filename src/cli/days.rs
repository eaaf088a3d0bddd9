//! Spans of time as they are typed: a day, a month or an instant.

use jiff::civil::Date;

use crate::time::UnixTime;

/// The first second of a day or a month in UTC, or the instant itself.
///
/// # Errors
/// How to write it.
pub(crate) fn beginning(text: &str) -> Result<UnixTime, String> {
    days(text).map_or_else(|| instant(text), |(first, _)| instant(&format!("{first}T00:00:00Z")))
}

/// The last second of a day or a month in UTC, or the instant itself.
///
/// # Errors
/// How to write it.
pub(crate) fn end(text: &str) -> Result<UnixTime, String> {
    days(text).map_or_else(|| instant(text), |(_, last)| instant(&format!("{last}T23:59:59Z")))
}

/// The first and the last day of what a text names.
fn days(text: &str) -> Option<(Date, Date)> {
    let is_date = |length: usize| {
        text.len() == length
            && text.bytes().enumerate().all(|(at, c)| if at == 4 || at == 7 { c == b'-' } else { c.is_ascii_digit() })
    };
    if is_date(10) {
        let day: Date = text.parse().ok()?;
        return Some((day, day));
    }
    if is_date(7) {
        let first: Date = format!("{text}-01").parse().ok()?;
        return Some((first, first.last_of_month()));
    }
    None
}

fn instant(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse_rfc3339(text).map_err(|_| {
        "write a day (2026-05-04), a month (2026-05), or a time with its zone (2026-05-04T12:00:01Z)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_month_are_whole_and_an_instant_is_itself() {
        let at = |text: &str| UnixTime::parse_rfc3339(text).unwrap();
        for (text, first, last) in [
            ("2026-05-04", "2026-05-04T00:00:00Z", "2026-05-04T23:59:59Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"),
            ("2026-12", "2026-12-01T00:00:00Z", "2026-12-31T23:59:59Z"),
            ("2026-05-04T12:00:01+02:00", "2026-05-04T10:00:01Z", "2026-05-04T10:00:01Z"),
        ] {
            assert_eq!((beginning(text), end(text)), (Ok(at(first)), Ok(at(last))), "{text}");
        }
        for text in ["", "2026", "2026-13", "2026-02-30", "2026-05-04 12:00", "2026-05-04T12:00:01", "+026-05-04"] {
            assert!(beginning(text).is_err() && end(text).is_err(), "{text}");
        }
    }
}
