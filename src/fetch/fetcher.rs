//! The fetcher: from memory, else from disk, else over the network, once however many ask (RFC 9111 §4; F8, G21).

mod archive;
mod client;
mod counts;
mod disk;
mod error;
mod fetched;
mod flight;
mod guard;
mod keeping;
pub(crate) mod place;
mod retrieval;
mod roots;
mod settings;
mod shelf;
mod store;
mod tending;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::fetch::fetcher::flight::{Boarding, Landing};
use crate::fetch::fetcher::retrieval::{Reason, Retrieval};
use crate::fetch::fetcher::shelf::{Held, Shelf};
use crate::fetch::freshness::State;
use crate::fetch::location::Location;
use crate::rich_call_data::Resource;
use crate::time::UnixTime;

pub use counts::Counts;
pub use error::{CannotFetch, NotFetched};
pub use fetched::{Event, Fetched, Kind};
pub use guard::{Resolver, Resolving};
#[cfg(feature = "otel")]
pub(crate) use roots::tls_to;
pub use settings::{Limits, Rules, Settings, Tell};
pub use tending::Accept;

/// Fetches, and keeps what it fetched. A clone is the same fetcher; threads share it.
///
/// Its methods want a tokio runtime with time and network. `now` is the wall clock's time: it decides what is fresh and
/// stamps what comes, while time limits go by a clock that never jumps.
#[derive(Clone)]
pub struct Fetcher {
    shared: Arc<Retrieval>,
}

impl Fetcher {
    /// A fetcher of these settings.
    ///
    /// # Errors
    /// When TLS would trust nobody, or a folder cannot be made.
    pub fn new(settings: Settings) -> Result<Self, CannotFetch> {
        Ok(Self { shared: Arc::new(Retrieval::new(settings)?) })
    }

    /// What lies at an `x5u`. What is no certificate is given too, and says so; it is for the verdict (H10).
    ///
    /// # Errors
    /// Why it may not be fetched (H8), or could not (H9).
    pub async fn certificate(&self, url: &str, now: UnixTime) -> Result<Arc<Fetched>, NotFetched> {
        self.obtain(Kind::Certificate, url, now).await
    }

    /// A CRL: the last good one, fetched anew where its time is over.
    ///
    /// # Errors
    /// Why it could not be had, where there never was a good one.
    pub async fn crl(&self, url: &str, now: UnixTime) -> Result<Arc<Fetched>, NotFetched> {
        self.obtain(Kind::Crl, url, now).await
    }

    /// The STI-PA's list: the last good one, fetched anew where its time is over. Who signed it is for `trust` to judge.
    ///
    /// # Errors
    /// Why it could not be had, where there never was a good one.
    pub async fn trust_list(&self, url: &str, now: UnixTime) -> Result<Arc<Fetched>, NotFetched> {
        self.obtain(Kind::TrustList, url, now).await
    }

    /// What an `rcd` claim names by URL, if it is what its signer's digest says (RFC 9795, E17). Where a held one is not, its
    /// owner may have put another there, which is asked for once in a while, as for a certificate.
    ///
    /// # Errors
    /// Why it may not be fetched, or could not, or that it is something else than what was signed.
    pub async fn rich_call_data(&self, resource: &Resource, now: UnixTime) -> Result<Arc<Fetched>, NotFetched> {
        let found = self.obtain(Kind::RichCallData, resource.url(), now).await?;
        let Err(mismatch) = resource.check(&found.body) else { return Ok(found) };
        let other = self.lies_there_now(Kind::RichCallData, &found, now).await.ok().flatten();
        if let Some(other) = other.filter(|other| resource.check(&other.body).is_ok()) {
            return Ok(other);
        }
        let why = NotFetched::Unacceptable { why: mismatch.to_string() };
        self.shared.counters.count_failure(&why);
        Err(why)
    }

    /// How long a fetch of this kind may take, waiting for its turn included.
    #[must_use]
    pub fn time_limit(&self, kind: Kind) -> Duration {
        self.shared.settings.limits.time(kind)
    }

    /// What is held of a URL, good or not, without fetching anything.
    #[must_use]
    pub fn held(&self, kind: Kind, url: &str) -> Option<Arc<Fetched>> {
        self.shared.shelf(kind).held.get(url).map(|held| Arc::clone(&held.fetched))
    }

    /// What lies at the URL of a certificate that failed a signature: its owner may have changed keys (G21). Nothing where
    /// the same still lies there, or that was found out within [`Limits::again`](super::Limits::again): one call's bad
    /// signature must not become a fetch a call.
    ///
    /// # Errors
    /// Why it could not be asked for.
    pub async fn again(&self, failed: &Fetched, now: UnixTime) -> Result<Option<Arc<Fetched>>, NotFetched> {
        self.lies_there_now(Kind::Certificate, failed, now).await
    }

    async fn lies_there_now(
        &self,
        kind: Kind,
        failed: &Fetched,
        now: UnixTime,
    ) -> Result<Option<Arc<Fetched>>, NotFetched> {
        let shelf = self.shared.shelf(kind);
        let Some(held) = shelf.held.get(&failed.url) else {
            let found = self.obtain(kind, &failed.url, now).await?;
            return Ok(Some(found).filter(|found| found.sha256 != failed.sha256));
        };
        if held.fetched.sha256 != failed.sha256 {
            return Ok(Some(Arc::clone(&held.fetched)));
        }
        let age = now.seconds_since(held.validity.answered_at);
        let pause = i64::try_from(self.shared.settings.limits.again.as_secs()).unwrap_or(i64::MAX);
        if (0..pause).contains(&age) || shelf.failure(&failed.url, now).is_some() {
            return Ok(None);
        }
        match self.fly(kind, &failed.url, now, Reason::Again).await {
            Landing { failure: Some(why), .. } => Err(why),
            Landing { held, .. } => {
                Ok(held.map(|held| Arc::clone(&held.fetched)).filter(|found| found.sha256 != failed.sha256))
            }
        }
    }

    /// Notes in the archive that a certificate was used, with the time at which it lay at its URL. Returns at once; told
    /// again of the same, it does nothing.
    ///
    /// Whoever publishes anything at all can have it fetched, so what is archived is the caller's choice: best that whose
    /// path led to a trusted root.
    pub fn archive(&self, fetched: &Fetched) {
        self.shared.archive(fetched);
    }

    /// Waits until what was to be written to disk is there.
    pub async fn settle(&self) {
        self.shared.settle().await;
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    async fn obtain(&self, kind: Kind, url: &str, now: UnixTime) -> Result<Arc<Fetched>, NotFetched> {
        let (shelf, counters) = (self.shared.shelf(kind), &self.shared.counters);
        let held = shelf.held.get(url);
        if let Some(held) = held.as_ref().filter(|held| held.is_fresh(now)) {
            counters.hits.count();
            held.mark_used();
            if held.is_due(now) && shelf.failure(url, now).is_none() && held.claim(now) {
                counters.prefetched.count();
                self.fly_unattended(kind, &held.fetched.url, now);
            }
            return Ok(Arc::clone(&held.fetched));
        }
        if let Some(failure) = shelf.failure(url, now) {
            counters.negative_hits.count();
            // What memory had no room for may lie on disk.
            let held = match held {
                Some(held) => Some(held),
                None => self.shared.load(kind, url, now).await,
            };
            return self.make_do(held.as_deref(), now, failure.into());
        }
        // What failed before may fail again: nobody waits for it while there is something to serve.
        if let Some(held) = held.as_ref().filter(|held| held.validity.at(now) == State::Stale)
            && let Some(failure) = shelf.failures.get(url)
        {
            if held.claim(now) {
                self.fly_unattended(kind, &held.fetched.url, now);
            }
            return self.make_do(Some(held), now, failure.into());
        }
        let Landing { held: landed, failure } = self.fly(kind, url, now, Reason::Wanted).await;
        // Whom our own crowding turned away may be served by what is held all the same.
        match (landed.or(held), failure) {
            (Some(held), None) => {
                held.mark_used();
                Ok(Arc::clone(&held.fetched))
            }
            (held, Some(why)) => self.make_do(held.as_deref(), now, why),
            (None, None) => Err(NotFetched::Empty),
        }
    }

    /// What is held, if it may serve, with why it has to.
    fn make_do(&self, held: Option<&Held>, now: UnixTime, why: NotFetched) -> Result<Arc<Fetched>, NotFetched> {
        let Some(held) = held else { return Err(why) };
        let served = held.serve(now, || why)?;
        held.mark_used();
        self.shared.counters.stale.count();
        Ok(served)
    }

    /// Fetches, or waits for whoever does.
    async fn fly(&self, kind: Kind, url: &str, now: UnixTime, reason: Reason) -> Landing {
        let shelf: &Shelf = self.shared.shelf(kind);
        let location = match Location::parse(url) {
            Ok(location) => location,
            Err(refused) => {
                let why = NotFetched::RefusedUrl { why: refused.why };
                self.shared.counters.count_failure(&why);
                return Landing { held: None, failure: Some(why) };
            }
        };
        let zone = location.host().zone();
        let url: Arc<str> = url.into();
        let shared = Arc::clone(&self.shared);
        let start = |slots: Arc<Semaphore>| async move { shared.retrieve(kind, &location, &slots, now, reason).await };
        let (landing, boarding) = shelf.flights.join(&url, &zone, start).await;
        match (boarding, &landing.failure) {
            (Boarding::Joined, _) => self.shared.counters.joined.count(),
            (Boarding::Began, _) if reason == Reason::Again => self.shared.counters.again.count(),
            (Boarding::Refused, Some(why)) => self.shared.counters.count_failure(why),
            (Boarding::Began | Boarding::Refused, _) => {}
        }
        landing
    }

    fn fly_unattended(&self, kind: Kind, url: &Arc<str>, now: UnixTime) {
        let (fetcher, url) = (self.clone(), Arc::clone(url));
        tokio::spawn(async move { fetcher.fly(kind, &url, now, Reason::Early).await });
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// How much later an instant is after some of a clock that never jumps.
fn later(now: UnixTime, elapsed: Duration) -> UnixTime {
    now.plus_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}
