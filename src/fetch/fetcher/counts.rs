//! What a fetcher did since it was made, for whoever watches it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fetch::fetcher::error::NotFetched;

/// What a fetcher did since it was made, and what it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Askers that were answered from memory.
    pub hits: u64,
    /// Askers that were answered by what was fetched long ago, because nothing newer could be had.
    pub stale: u64,
    /// Askers that were told of a failure of a moment before.
    pub negative_hits: u64,
    /// Askers that waited for what another had asked for.
    pub joined: u64,
    /// Answers that came from disk.
    pub disk_hits: u64,
    /// Answers that came over the network.
    pub fetched: u64,
    /// Answers that the server confirmed.
    pub revalidated: u64,
    /// Answers that were not what was looked for, as HTML where a certificate belongs.
    pub unusable: u64,
    /// Answers that were asked for again because a signature failed (G21).
    pub again: u64,
    /// Answers that were asked for before they ended.
    pub prefetched: u64,
    /// What our rules refused, by the name of the condition (H8).
    pub refused: BTreeMap<&'static str, u64>,
    /// What failed, by the name of the condition (H9).
    pub failed: BTreeMap<&'static str, u64>,
    /// What could not be written to disk.
    pub disk_failures: u64,
    /// Files that were not as they were written.
    pub damaged: u64,
    /// Fetches under way or waiting now.
    pub in_flight: u64,
    /// Answers held in memory now.
    pub held: u64,
    /// Bytes of answers kept on disk now.
    pub disk_bytes: u64,
}

/// Counters that threads share.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Counter,
    pub(super) stale: Counter,
    pub(super) negative_hits: Counter,
    pub(super) joined: Counter,
    pub(super) disk_hits: Counter,
    pub(super) fetched: Counter,
    pub(super) revalidated: Counter,
    pub(super) unusable: Counter,
    pub(super) again: Counter,
    pub(super) prefetched: Counter,
    pub(super) disk_failures: Counter,
    pub(super) damaged: Counter,
    failures: [Counter; NotFetched::KINDS.len()],
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn count_failure(&self, why: &NotFetched) {
        self.failures[why.place()].count();
    }

    pub(super) fn read(&self) -> Counts {
        let failures = NotFetched::KINDS.into_iter().zip(self.failures.iter().map(Counter::read));
        let (refused, failed) =
            failures.filter(|(_, count)| *count > 0).partition(|(kind, _)| kind.starts_with("Refused"));
        Counts {
            hits: self.hits.read(),
            stale: self.stale.read(),
            negative_hits: self.negative_hits.read(),
            joined: self.joined.read(),
            disk_hits: self.disk_hits.read(),
            fetched: self.fetched.read(),
            revalidated: self.revalidated.read(),
            unusable: self.unusable.read(),
            again: self.again.read(),
            prefetched: self.prefetched.read(),
            refused,
            failed,
            disk_failures: self.disk_failures.read(),
            damaged: self.damaged.read(),
            ..Counts::default()
        }
    }
}
