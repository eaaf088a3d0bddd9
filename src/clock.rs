//! The only reader of the clock; everything else takes `now` as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::UnixTime;

/// The present moment, in whole seconds.
#[must_use]
pub fn now() -> UnixTime {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).map(|elapsed| elapsed.as_secs()).unwrap_or_default();
    UnixTime::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
