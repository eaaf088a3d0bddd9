//! The certificates at hand, read once and shared by all calls: from an archive, and over HTTPS where that is allowed
//! (RFC 8224 §7.2: keyed by the `info` URI).

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moka::sync::Cache;

use crate::certificate::sha256;
use crate::fetch::{Fetched, Fetcher, NotFetched};
use crate::service::telemetry::{self, Attributes};
use crate::time::UnixTime;
use crate::verify::Credential;

/// Certificates by URL, such as a folder of files.
pub trait Archive: Send + Sync {
    /// What lies at a URL.
    ///
    /// # Errors
    /// Why it could not be had, and how to add it.
    fn read(&self, url: &str) -> Result<Vec<u8>, String>;
}

impl<F: Fn(&str) -> Result<Vec<u8>, String> + Send + Sync> Archive for F {
    fn read(&self, url: &str) -> Result<Vec<u8>, String> {
        self(url)
    }
}

/// What is known of certificates, by URL.
pub(crate) struct Credentials {
    archive: Option<Arc<dyn Archive>>,
    archived: Cache<String, Archived>,
    fetcher: Option<Fetcher>,
    read: ReadBodies,
}

/// What was read out of bodies, by their hash: the same body is the same certificate whatever the files, the policy and
/// the instant are. Whether to trust it is no part of it. A clone is the same memory.
#[derive(Clone)]
struct ReadBodies {
    known: Cache<[u8; 32], Credential>,
    /// How many were read.
    count: Arc<AtomicU64>,
}

impl ReadBodies {
    fn new() -> Self {
        Self { known: Cache::new(MAX_URLS), count: Arc::default() }
    }

    fn get(&self, hash: [u8; 32], body: &[u8]) -> Credential {
        self.known.get_with(hash, || {
            self.count.fetch_add(1, Ordering::Relaxed);
            Credential::read(body)
        })
    }
}

/// A certificate, or its lack, and what it was read from if that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Obtained {
    pub(crate) credential: Credential,
    pub(crate) fetched: Option<Arc<Fetched>>,
}

/// What an archive had for a URL.
#[derive(Clone)]
struct Archived {
    credential: Credential,
    /// When it was found that there is nothing; none where there is something.
    lacked_at: Option<UnixTime>,
}

impl Archived {
    /// A lack is asked about again: somebody may have put the file there. One from the future tells of a clock that
    /// jumped, and of nothing else.
    fn holds(&self, now: UnixTime) -> bool {
        self.lacked_at.is_none_or(|at| (0..LACK_LASTS).contains(&now.seconds_since(at)))
    }
}

/// Hostile calls may name a new URL each: so many are remembered.
const MAX_URLS: u64 = 20_000;
/// How many seconds pass before the archive is asked again for what it lacked.
const LACK_LASTS: i64 = 30;

impl Credentials {
    /// What lies at URLs is asked for anew; what was read `before` is not read again.
    pub(crate) fn new(archive: Option<Arc<dyn Archive>>, fetcher: Option<Fetcher>, before: Option<&Self>) -> Self {
        let read = before.map_or_else(ReadBodies::new, |before| before.read.clone());
        Self { archive, archived: Cache::new(MAX_URLS), fetcher, read }
    }

    /// What is known of the certificate at a URL: the archive's, else what was or is fetched.
    pub(crate) async fn get(&self, url: &str, now: UnixTime) -> Obtained {
        let archived = self.archived(url, now).await;
        match (archived, &self.fetcher) {
            (Some(archived), _) if archived.lacked_at.is_none() => {
                Obtained { credential: archived.credential, fetched: None }
            }
            (_, Some(fetcher)) => {
                match telemetry::waited("fetch certificate", fetcher.certificate(url, now), tell_fetched).await {
                    Ok(fetched) => self.of(fetched),
                    Err(why) => Obtained { credential: Credential::unavailable(why.to_string()), fetched: None },
                }
            }
            (Some(archived), None) => Obtained { credential: archived.credential, fetched: None },
            (None, None) => {
                let reason = "no archive of certificates is named, and fetching is not allowed";
                Obtained { credential: Credential::unavailable(reason), fetched: None }
            }
        }
    }

    /// What lies now at the URL of a certificate that failed a signature (G21); none where that is the same.
    pub(crate) async fn again(&self, failed: &Fetched, now: UnixTime) -> Option<Obtained> {
        let found = self.fetcher.as_ref()?.again(failed, now).await;
        // That it could not be asked for again changes nothing about the call.
        Some(self.of(found.ok()??))
    }

    /// Notes that a certificate led to a trusted root.
    pub(crate) fn keep(&self, fetched: &Fetched) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.archive(fetched);
        }
    }

    pub(crate) const fn fetcher(&self) -> Option<&Fetcher> {
        self.fetcher.as_ref()
    }

    /// How many URLs something is known of in the archive.
    pub(crate) fn archived_urls(&self) -> u64 {
        counted(&self.archived)
    }

    /// How many certificates are held ready.
    pub(crate) fn held(&self) -> u64 {
        counted(&self.read.known)
    }

    /// How many bodies were read since the start.
    pub(crate) fn read_bodies(&self) -> u64 {
        self.read.count.load(Ordering::Relaxed)
    }

    fn of(&self, fetched: Arc<Fetched>) -> Obtained {
        let credential = self.read.get(fetched.sha256, &fetched.body);
        Obtained { credential, fetched: Some(fetched) }
    }

    async fn archived(&self, url: &str, now: UnixTime) -> Option<Archived> {
        let archive = self.archive.as_ref()?;
        if let Some(archived) = self.archived.get(url)
            && archived.holds(now)
        {
            return Some(archived);
        }
        let archived = self.read_archived(Arc::clone(archive), url.to_owned(), now).await;
        self.archived.insert(url.to_owned(), archived.clone());
        Some(archived)
    }

    /// A disk may be slow: other calls must not wait for it.
    async fn read_archived(&self, archive: Arc<dyn Archive>, url: String, now: UnixTime) -> Archived {
        let body = tokio::task::spawn_blocking(move || archive.read(&url)).await;
        let body = body.unwrap_or_else(|_| Err("reading it broke off".to_owned()));
        match body {
            Ok(body) => Archived { credential: self.read.get(sha256(&body), &body), lacked_at: None },
            Err(reason) => Archived { credential: Credential::unavailable(reason), lacked_at: Some(now) },
        }
    }
}

/// What a cache holds. It counts what came last only when it tidies itself, which it does now and then.
fn counted<K, V>(cache: &Cache<K, V>) -> u64
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    cache.run_pending_tasks();
    cache.entry_count()
}

fn tell_fetched(fetched: &Result<Arc<Fetched>, NotFetched>, attributes: &mut Attributes) {
    match fetched {
        Ok(fetched) if fetched.stale.is_some() => attributes.word("stirtrace.fetch.outcome", "stale"),
        Ok(_) => attributes.word("stirtrace.fetch.outcome", "fetched"),
        Err(why) => attributes.fault(why.kind()),
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} certificates)", self.held())
    }
}
