//! One retrieval: disk, then network; what comes is judged, held and kept (RFC 9111 §3, §4.3; F8, G15, G17, G29).

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::certificate::sha256;
use crate::fetch::fetcher::archive::Archive;
use crate::fetch::fetcher::client::{Answer, Client, Question};
use crate::fetch::fetcher::counts::{Counters, Counts};
use crate::fetch::fetcher::disk::Fault;
use crate::fetch::fetcher::error::{CannotFetch, NotFetched};
use crate::fetch::fetcher::fetched::{Event, Fetched, Kind};
use crate::fetch::fetcher::flight::Landing;
use crate::fetch::fetcher::keeping::{Disk, MAX_WRITES};
use crate::fetch::fetcher::later;
use crate::fetch::fetcher::settings::Settings;
use crate::fetch::fetcher::shelf::{Held, Shelf};
use crate::fetch::fetcher::store::{Loaded, Store};
use crate::fetch::fetcher::tending::Watches;
use crate::fetch::freshness::{Headers, Rule, Validity};
use crate::fetch::location::Location;
use crate::time::UnixTime;

/// What all clones of a fetcher share.
pub(super) struct Retrieval {
    pub(super) settings: Settings,
    pub(super) counters: Counters,
    pub(super) watches: Watches,
    shelves: [Shelf; 4],
    client: Client,
    /// Who may connect.
    connections: Semaphore,
    /// What is being written.
    pub(super) writes: Arc<Semaphore>,
    pub(super) store: Option<Arc<Store>>,
    pub(super) store_disk: Disk,
    pub(super) archive: Option<Arc<Archive>>,
    pub(super) archive_disk: Disk,
}

/// Why something is retrieved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// Somebody waits for it.
    Wanted,
    /// It will end soon.
    Early,
    /// It failed a signature: what caches hold is not wanted, be it ours or one on the way.
    Again,
}

impl Retrieval {
    pub(super) fn new(settings: Settings) -> Result<Self, CannotFetch> {
        let unusable = |fault: Fault| CannotFetch::Folder { path: fault.path, why: fault.reason.to_string() };
        let store = settings.cache.as_deref().map(|folder| Store::open(folder, settings.limits.disk_bytes));
        let archive = settings.archive.as_deref().map(Archive::open);
        Ok(Self {
            counters: Counters::default(),
            watches: Watches::default(),
            shelves: Kind::ALL.map(|kind| Shelf::new(kind, &settings)),
            client: Client::new(&settings)?,
            connections: Semaphore::new(settings.limits.connections.min(Semaphore::MAX_PERMITS)),
            writes: Arc::new(Semaphore::new(usize::try_from(MAX_WRITES).unwrap_or(1))),
            store: store.transpose().map_err(unusable)?.map(Arc::new),
            archive: archive.transpose().map_err(unusable)?.map(Arc::new),
            store_disk: Disk::default(),
            archive_disk: Disk::default(),
            settings,
        })
    }

    pub(super) fn shelf(&self, kind: Kind) -> &Shelf {
        let [certificates, crls, lists, rich_call_data] = &self.shelves;
        match kind {
            Kind::Certificate => certificates,
            Kind::Crl => crls,
            Kind::TrustList => lists,
            Kind::RichCallData => rich_call_data,
        }
    }

    /// Retrieves what lies at a URL; alone at that, for nobody else does at the same time.
    pub(super) async fn retrieve(
        self: Arc<Self>,
        kind: Kind,
        location: &Location,
        slots: &Semaphore,
        now: UnixTime,
        reason: Reason,
    ) -> Landing {
        let shelf = self.shelf(kind);
        let held = match shelf.held.get(location.url()) {
            Some(held) => Some(held),
            None => self.load(kind, location.url(), now).await,
        };
        if reason == Reason::Wanted && held.as_ref().is_some_and(|held| held.is_fresh(now)) {
            return Landing { held, failure: None };
        }
        let began = Instant::now();
        let answer = self.ask(kind, location, slots, held.as_deref(), reason).await;
        let then = later(now, began.elapsed());
        let url: Arc<str> = held.as_ref().map_or_else(|| location.url().into(), |held| Arc::clone(&held.fetched.url));
        let taken = match (answer, &held) {
            (Ok(Answer::NotModified(headers)), Some(held)) => Ok(self.confirm(kind, held, headers, now, then)),
            (Ok(Answer::NotModified(_)), None) => Err(NotFetched::Status { status: 304 }),
            (Ok(Answer::Body(body, headers)), _) => self.take(kind, &url, held.as_deref(), body, headers, (now, then)),
            (Err(why), _) => Err(why),
        };
        match taken {
            Ok(held) => {
                shelf.failures.invalidate(&url);
                shelf.held.insert(Arc::clone(&url), Arc::clone(&held));
                Landing { held: Some(held), failure: None }
            }
            Err(why) => {
                self.counters.count_failure(&why);
                shelf.fail(&url, &why, then, &self.settings);
                self.tell(&Event::NotFetched { kind, url, why: why.clone() });
                Landing { held, failure: Some(why) }
            }
        }
    }

    async fn ask(
        &self,
        kind: Kind,
        location: &Location,
        slots: &Semaphore,
        held: Option<&Held>,
        reason: Reason,
    ) -> Result<Answer, NotFetched> {
        let limits = &self.settings.limits;
        let (began, time) = (Instant::now(), limits.time(kind));
        let left = || time.saturating_sub(began.elapsed());
        let of_zone = || NotFetched::TooManyAtOnce { limit: limits.of_one_host, host: Some(location.host().zone()) };
        let crowded = || NotFetched::TooManyAtOnce { limit: limits.connections, host: None };
        // The zone's first: whoever waits for a slow one must not hold what others need.
        let slot = tokio::time::timeout(left(), slots.acquire()).await;
        // Waiting counts, and a server is not to blame for what it had no time for.
        let is_in_time = || left() >= time / 8;
        let _slot = slot.ok().and_then(Result::ok).filter(|_| is_in_time()).ok_or_else(of_zone)?;
        let connection = tokio::time::timeout(left(), self.connections.acquire()).await;
        let connection = connection.ok().and_then(Result::ok).filter(|_| is_in_time());
        let _connection = connection.ok_or_else(crowded)?;
        // A body that is no good is no reason to be told that it still lies there.
        let held = held.filter(|held| reason != Reason::Again && held.fetched.unusable.is_none());
        let question = Question {
            location,
            kind,
            limit: limits.bytes(kind),
            time: left(),
            within: time,
            held: held.map(|held| &held.headers),
            end_to_end: reason == Reason::Again,
        };
        self.client.get(&question).await
    }

    /// RFC 9111 §4.3.4: what is held is what lies there.
    fn confirm(
        self: &Arc<Self>,
        kind: Kind,
        held: &Held,
        headers: Headers,
        now: UnixTime,
        then: UnixTime,
    ) -> Arc<Held> {
        self.counters.revalidated.count();
        let headers = held.headers.clone().updated_by(headers);
        let ends = self.watches.judge(kind, &held.fetched.url, &held.fetched.body).ok().flatten();
        let validity = headers.validity(&self.shelf(kind).rule, now, then, ends);
        let fetched = Fetched {
            confirmed_at: then,
            fresh_until: validity.fresh_until,
            stale: None,
            ..Fetched::clone(&held.fetched)
        };
        let held = Arc::new(Held::new(fetched, headers, validity));
        self.keep(kind, &held);
        self.tell(&Event::Revalidated(Arc::clone(&held.fetched)));
        held
    }

    /// What came, if it is what was looked for. Something else never takes the place of what is good.
    fn take(
        self: &Arc<Self>,
        kind: Kind,
        url: &Arc<str>,
        held: Option<&Held>,
        body: Vec<u8>,
        headers: Headers,
        (now, then): (UnixTime, UnixTime),
    ) -> Result<Arc<Held>, NotFetched> {
        let (rule, judged) = (self.shelf(kind).rule, self.watches.judge(kind, url, &body));
        let has_good = held.is_some_and(|held| held.fetched.unusable.is_none());
        let (ends, unusable) = match judged {
            Ok(ends) => (ends, None),
            // G15, H10: that it is no certificate is the verdict's to say; where one was, that one counts.
            Err(why) if kind == Kind::Certificate && !has_good => (None, Some(why)),
            Err(why) => return Err(NotFetched::Unacceptable { why }),
        };
        let validity = match unusable {
            None => headers.validity(&rule, now, then, ends),
            Some(_) => headers.validity(&self.soon(), now, then, None),
        };
        let fetched = Fetched {
            url: Arc::clone(url),
            sha256: sha256(&body),
            body: body.into(),
            fetched_at: then,
            confirmed_at: then,
            fresh_until: validity.fresh_until,
            stale: None,
            unusable,
        };
        let is_usable = fetched.unusable.is_none();
        let held = Arc::new(Held::new(fetched, headers, validity));
        self.counters.fetched.count();
        if is_usable {
            self.keep(kind, &held);
        } else {
            self.counters.unusable.count();
        }
        self.tell(&Event::Fetched(Arc::clone(&held.fetched)));
        Ok(held)
    }

    /// What is no good is looked at again as soon as a failure would be.
    fn soon(&self) -> Rule {
        let seconds = i64::try_from(self.settings.limits.retry.as_secs()).unwrap_or(i64::MAX);
        Rule { least: seconds, unsaid: seconds, most: seconds, stale_for: Some(0) }
    }

    /// What the disk has for a URL.
    pub(super) async fn load(&self, kind: Kind, url: &str, now: UnixTime) -> Option<Arc<Held>> {
        let (store, name) = (Arc::clone(self.store.as_ref()?), url.to_owned());
        let limit = self.settings.limits.bytes(kind);
        let loaded = spawn_blocking(move || store.load(kind, &name, limit)).await.ok()?;
        let (entry, body) = match loaded {
            Loaded::Found(entry, body) => (entry, body),
            Loaded::Missing => return None,
            Loaded::Damaged(path) => {
                self.counters.damaged.count();
                self.tell(&Event::Damaged { path });
                return None;
            }
        };
        let Validity { answered_at, fresh_until, .. } = entry.validity;
        let fetched = Fetched {
            url: url.into(),
            body,
            sha256: entry.sha256,
            fetched_at: entry.fetched_at,
            confirmed_at: answered_at,
            fresh_until,
            stale: None,
            unusable: None,
        };
        let held = Arc::new(Held::new(fetched, entry.headers, entry.validity));
        if held.is_fresh(now) {
            self.counters.disk_hits.count();
        }
        self.shelf(kind).held.insert(Arc::clone(&held.fetched.url), Arc::clone(&held));
        Some(held)
    }

    pub(super) fn counts(&self) -> Counts {
        let sum = |of: &dyn Fn(&Shelf) -> u64| self.shelves.iter().map(of).sum();
        self.shelves.iter().for_each(|shelf| shelf.held.run_pending_tasks());
        Counts {
            in_flight: sum(&|shelf| u64::try_from(shelf.flights.len()).unwrap_or(u64::MAX)),
            held: sum(&|shelf| shelf.held.entry_count()),
            disk_bytes: self.store.as_ref().map_or(0, |store| store.bytes()),
            ..self.counters.read()
        }
    }

    pub(super) fn tell(&self, event: &Event) {
        if let Some(tell) = &self.settings.tell {
            tell(event);
        }
    }
}

/// A lock that a panic cannot leave half done.
pub(super) fn unpoisoned<T>(outcome: Result<T, PoisonError<T>>) -> T {
    outcome.unwrap_or_else(PoisonError::into_inner)
}
