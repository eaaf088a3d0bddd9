//! Instants as seconds since 1970 (RFC 7519 §2 NumericDate), without a clock: `now` is always an argument.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, leap seconds left out.
///
/// The default is the epoch itself. Values outside the years 0001 to 9999 exist (a hostile `iat` may hold any
/// number) and print as plain seconds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The moment `seconds` after the epoch; negative values lie before it.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to `self`, negative when `self` comes first; saturates instead of overflowing.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `seconds` later; saturates instead of overflowing.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Reads an RFC 3339 time such as `2026-05-04T12:00:01Z`; a space may stand for the `T`. Fractions are cut.
    ///
    /// # Errors
    /// When the text is no RFC 3339 time or names no zone; the message says which.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTime> {
        let timestamp: Timestamp =
            text.trim().parse().map_err(|reason| InvalidTime { text: text.to_owned(), reason: format!("{reason}") })?;
        Ok(Self(timestamp.as_second()))
    }

    /// Reads a SIP `Date` field such as `Fri, 25 Sep 2015 19:12:25 GMT` (RFC 3261 §20.17).
    ///
    /// # Errors
    /// When the text is no RFC 1123 date.
    pub fn parse_sip_date(text: &str) -> Result<Self, InvalidTime> {
        let timestamp = rfc2822::DateTimeParser::new()
            .parse_timestamp(text.trim())
            .map_err(|reason| InvalidTime { text: text.to_owned(), reason: format!("{reason}") })?;
        Ok(Self(timestamp.as_second()))
    }

    /// The moment as a SIP `Date` field wants it; `None` outside the years 0001 to 9999.
    #[must_use]
    pub fn to_sip_date(self) -> Option<String> {
        let timestamp = Timestamp::from_second(self.0).ok()?;
        rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} seconds after 1970", self.0),
        }
    }
}

impl serde::Serialize for UnixTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no time of the form asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no time: {reason}")]
#[non_exhaustive]
pub struct InvalidTime {
    /// The text as it stood.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_rfc8224_section_5_1_is_1443208345() {
        // Vector B.8.
        let date = UnixTime::parse_sip_date("Fri, 25 Sep 2015 19:12:25 GMT").unwrap();
        assert_eq!(date.seconds(), 1_443_208_345);
        assert_eq!(date.to_string(), "2015-09-25T19:12:25Z");
        assert_eq!(date.to_sip_date().unwrap(), "Fri, 25 Sep 2015 19:12:25 GMT");
    }

    #[test]
    fn a_time_without_zone_is_refused() {
        assert!(UnixTime::parse_rfc3339("2026-05-04 12:00:01").is_err());
        assert_eq!(UnixTime::parse_rfc3339("2026-05-04 12:00:01Z").unwrap().seconds(), 1_777_896_001);
    }

    #[test]
    fn extreme_values_print_and_do_not_overflow() {
        let far = UnixTime::from_seconds(i64::MAX);
        assert_eq!(far.plus_seconds(1), far);
        assert_eq!(far.seconds_since(UnixTime::from_seconds(-5)), i64::MAX);
        assert!(far.to_string().contains("seconds"));
        assert_eq!(far.to_sip_date(), None);
    }
}
