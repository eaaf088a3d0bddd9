//! When a packet was captured, to the nanosecond.

use std::fmt;

use crate::time::UnixTime;

/// Nanoseconds since 1970; what lies outside the years 1677 to 2262 is held at their ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CaptureTime(i64);

impl CaptureTime {
    /// So many seconds and nanoseconds after 1970 began.
    #[must_use]
    pub fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(SECOND).saturating_add(i64::from(nanoseconds)))
    }

    /// Units of `resolution` since 1970, moved by `offset` seconds (pcapng, `if_tsresol` and `if_tsoffset`).
    pub(super) fn of_units(units: u64, resolution: Resolution, offset: i64) -> Self {
        let nanoseconds = match resolution {
            Resolution::Decimal(digits @ 0..=9) => i128::from(units) * 10_i128.pow(9 - u32::from(digits)),
            Resolution::Decimal(digits @ 10..=28) => i128::from(units) / 10_i128.pow(u32::from(digits) - 9),
            Resolution::Decimal(_) => 0,
            // 2^64 units of a second are less than 2^94 ns: no overflow.
            Resolution::Binary(bits) => {
                (i128::from(units) * i128::from(SECOND)).checked_shr(u32::from(bits)).unwrap_or(0)
            }
        };
        let nanoseconds = nanoseconds.saturating_add(i128::from(offset) * i128::from(SECOND));
        Self(i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// The second it lies in.
    #[must_use]
    pub const fn unix(self) -> UnixTime {
        UnixTime::from_seconds(self.0.div_euclid(SECOND))
    }

    /// Nanoseconds since `earlier`; negative when `self` comes first.
    #[must_use]
    pub const fn nanoseconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What a unit of a time is: 10^-n or 2^-n seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Resolution {
    Decimal(u8),
    Binary(u8),
}

impl Resolution {
    /// pcapng §4.2: the top bit tells the base.
    pub(super) const fn from_octet(octet: u8) -> Self {
        if octet & 0x80 == 0 { Self::Decimal(octet) } else { Self::Binary(octet & 0x7f) }
    }
}

const SECOND: i64 = 1_000_000_000;

impl fmt::Display for CaptureTime {
    /// RFC 3339 in UTC, to the microsecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(timestamp) => write!(f, "{timestamp:.6}"),
            Err(_) => write!(f, "{} nanoseconds after 1970", self.0),
        }
    }
}

impl serde::Serialize for CaptureTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_any_resolution_become_nanoseconds_pcapng_4_2() {
        let of = |units, octet, offset| CaptureTime::of_units(units, Resolution::from_octet(octet), offset);
        assert_eq!(of(1_500_000, 6, 0), CaptureTime::new(1, 500_000_000));
        assert_eq!(of(1_500_000_000, 9, 0), CaptureTime::new(1, 500_000_000));
        assert_eq!(of(1_500_000_000_000, 12, 0), CaptureTime::new(1, 500_000_000));
        assert_eq!(of(3, 0x81, 0), CaptureTime::new(1, 500_000_000));
        assert_eq!(of(5, 0, -3), CaptureTime::new(2, 0));
        for octet in 0..=255 {
            let _ = of(u64::MAX, octet, i64::MAX).to_string();
            let _ = of(u64::MAX, octet, i64::MIN).unix();
        }
        assert_eq!(CaptureTime::new(1_777_896_001, 250_000_000).to_string(), "2026-05-04T12:00:01.250000Z");
        assert_eq!(CaptureTime::new(-1, 5).unix().seconds(), -1);
    }
}
