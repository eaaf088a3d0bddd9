//! What is held in memory of one kind of thing, and what failed a moment ago (RFC 9111 §4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use moka::sync::Cache;

use crate::fetch::fetcher::error::NotFetched;
use crate::fetch::fetcher::fetched::{Fetched, Kind};
use crate::fetch::fetcher::flight::Flights;
use crate::fetch::fetcher::settings::Settings;
use crate::fetch::freshness::{Headers, Rule, State, Validity};
use crate::time::UnixTime;

/// The answers of one kind, by URL.
pub(super) struct Shelf {
    pub(super) rule: Rule,
    pub(super) held: Cache<Arc<str>, Arc<Held>>,
    pub(super) failures: Cache<Arc<str>, Failure>,
    pub(super) flights: Flights,
}

impl Shelf {
    pub(super) fn new(kind: Kind, settings: &Settings) -> Self {
        let limits = &settings.limits;
        let weight = |url: &Arc<str>, held: &Arc<Held>| {
            u32::try_from(held.fetched.body.len() + url.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        // CRLs and lists are few, and named by whoever runs this: room for some of the longest.
        let room = match kind {
            Kind::Certificate => limits.memory_bytes,
            // Strangers name them, and nobody is judged by them.
            Kind::RichCallData => limits.memory_bytes / 2,
            Kind::Crl | Kind::TrustList => u64::try_from(limits.bytes(kind)).unwrap_or(u64::MAX).saturating_mul(4),
        };
        Self {
            rule: *settings.rules.of(kind),
            held: Cache::builder().weigher(weight).max_capacity(room).build(),
            failures: Cache::new(limits.failures),
            flights: Flights::new(limits.waiting, limits.of_one_host),
        }
    }

    /// A failure that is not to be repeated yet. One from the future tells of a clock that jumped, and of nothing else.
    pub(super) fn failure(&self, url: &str, now: UnixTime) -> Option<Failure> {
        self.failures.get(url).filter(|failure| failure.since <= now && now < failure.until)
    }

    /// Remembers a failure: the first for a while, each further one twice as long.
    pub(super) fn fail(&self, url: &Arc<str>, why: &NotFetched, now: UnixTime, settings: &Settings) {
        // Our own crowding says nothing about the server.
        if matches!(why, NotFetched::TooManyAtOnce { .. }) {
            return;
        }
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let (first, most) = (seconds(settings.limits.retry), seconds(settings.limits.retry_most));
        let earlier = self.failures.get(url).filter(|failure| failure.until.plus_seconds(most) > now);
        let times = earlier.map_or(0, |failure| failure.times + 1);
        let wait = first.saturating_mul(1 << times.min(20)).min(most);
        let failure = Failure { why: why.clone(), since: now, until: now.plus_seconds(wait), times };
        self.failures.insert(Arc::clone(url), failure);
    }
}

/// What an answer weighs besides its body and URL: about what holding it takes.
const OVERHEAD: usize = 512;

/// An attempt that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) why: NotFetched,
    pub(super) since: UnixTime,
    pub(super) until: UnixTime,
    times: u32,
}

impl From<Failure> for NotFetched {
    fn from(failure: Failure) -> Self {
        Self::NegativelyCached { since: failure.since, until: failure.until, why: Box::new(failure.why) }
    }
}

/// An answer with what is known of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) fetched: Arc<Fetched>,
    pub(super) headers: Headers,
    pub(super) validity: Validity,
    is_used: AtomicBool,
    /// Until when nobody has to ask for it early: somebody has.
    not_before: AtomicI64,
    /// Which confirmation the archive knows of.
    archived: AtomicI64,
}

impl Held {
    pub(super) fn new(fetched: Fetched, headers: Headers, validity: Validity) -> Self {
        let never = AtomicI64::new(i64::MIN);
        let not_before = AtomicI64::new(i64::MIN);
        Self {
            fetched: Arc::new(fetched),
            headers,
            validity,
            is_used: AtomicBool::new(false),
            not_before,
            archived: never,
        }
    }

    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        self.validity.at(now) == State::Fresh
    }

    /// The answer while it is good, and beyond that, if it may serve, with why.
    pub(super) fn serve(&self, now: UnixTime, why: impl FnOnce() -> NotFetched) -> Result<Arc<Fetched>, NotFetched> {
        match self.validity.at(now) {
            State::Fresh => Ok(Arc::clone(&self.fetched)),
            State::Stale => Ok(Arc::new(Fetched { stale: Some(why()), ..Fetched::clone(&self.fetched) })),
            State::Spent => Err(why()),
        }
    }

    pub(super) fn mark_used(&self) {
        // Written once: a line of memory that all threads write would be a queue.
        if !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// Whether its end is near enough to ask for it again. Each has its own moment, between eight and nine tenths of its
    /// time: what was fetched together need not be fetched together again.
    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        let spread = i64::from(self.fetched.sha256[0]) * 100 / 255;
        let due = self.validity.lifetime().saturating_mul(800 + spread) / 1000;
        now.seconds_since(self.validity.answered_at) >= due
    }

    /// Takes it upon the asker to ask early; one asker, once a minute.
    pub(super) fn claim(&self, now: UnixTime) -> bool {
        let before = self.not_before.load(Ordering::Relaxed);
        let is_free = now.seconds() >= before || before > now.seconds().saturating_add(CLAIM);
        let after = now.seconds().saturating_add(CLAIM);
        is_free && self.not_before.compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether the archive does not know yet that it was there when it was last confirmed.
    pub(super) fn claim_for_archive(&self) -> bool {
        let confirmed = self.validity.answered_at.seconds();
        self.archived.swap(confirmed, Ordering::Relaxed) != confirmed
    }

    /// The archive could not be told.
    pub(super) fn give_up_for_archive(&self) {
        self.archived.store(i64::MIN, Ordering::Relaxed);
    }
}

/// For how many seconds one asker's claim holds.
const CLAIM: i64 = 60;
