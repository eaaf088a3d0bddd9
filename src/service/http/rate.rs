//! How much one client may ask: a token bucket each, kept as the instant when it is full again (GCRA).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::client::Client;
use crate::service::settings::Limits;

/// The buckets of all clients.
#[derive(Debug)]
pub(super) struct Rates {
    /// The instants are counted from here, in nanoseconds.
    origin: Instant,
    buckets: Cache<Client, Arc<AtomicU64>>,
}

/// Whoever comes with ever new names costs no more than this; idle buckets go, they are full.
const MAX_CLIENTS: u64 = 100_000;

impl Rates {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), buckets: Cache::new(MAX_CLIENTS) }
    }

    /// Takes a token from a client's bucket.
    ///
    /// # Errors
    /// When it has none; how long until it has.
    pub(super) fn take(&self, client: &Client, limits: &Limits) -> Result<(), Duration> {
        let Some(rate) = limits.rate else { return Ok(()) };
        let bucket = self.buckets.get_with_by_ref(client, Arc::default);
        take(&bucket, nanoseconds(self.origin.elapsed()), rate, limits.burst)
    }
}

/// `bucket` is when it is full again; a request moves that by its share, and may not move it beyond the burst.
fn take(bucket: &AtomicU64, now: u64, rate: u32, burst: u32) -> Result<(), Duration> {
    let share = 1_000_000_000 / u64::from(rate.max(1));
    let reach = share.saturating_mul(u64::from(burst.max(1)));
    let step = |full_again: u64| {
        let next = full_again.max(now).saturating_add(share);
        (next <= now.saturating_add(reach)).then_some(next)
    };
    let taken = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    taken.map(drop).map_err(|full_again| Duration::from_nanos((full_again + share).saturating_sub(now + reach)))
}

fn nanoseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_burst_and_fills_at_its_rate() {
        let (bucket, second) = (AtomicU64::new(0), 1_000_000_000);
        let now = 7 * second;
        for _ in 0..5 {
            assert_eq!(take(&bucket, now, 10, 5), Ok(()));
        }
        // A tenth of a second gives one.
        assert_eq!(take(&bucket, now, 10, 5), Err(Duration::from_millis(100)));
        assert_eq!(take(&bucket, now + second / 10, 10, 5), Ok(()));
        assert!(take(&bucket, now + second / 10, 10, 5).is_err());
        // Idle for long it is full, and no fuller.
        let granted = (0..100).filter(|_| take(&bucket, now + 3600 * second, 10, 5).is_ok()).count();
        assert_eq!(granted, 5);
    }
}
