//! The only reader of the clock; everything else takes `now` as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::UnixTime;

/// The present moment, in whole seconds.
#[must_use]
pub fn now() -> UnixTime {
    UnixTime::from_seconds(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
}

/// The same, as finely as the system has it; nothing before 1970.
#[must_use]
pub fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
