//! The certificates at hand, read once and shared by all calls: from an archive, and from whoever fetches
//! (RFC 8224 §7.2: keyed by the `info` URI).

use std::fmt;
use std::sync::Arc;

use moka::sync::Cache;

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
}

/// What an archive had for a URL.
#[derive(Clone)]
struct Archived {
    /// None where it has nothing.
    credential: Credential,
    /// A lack is asked about again: somebody may have put the file there.
    ask_again: Option<UnixTime>,
}

/// Hostile calls may name a new URL each: so many are remembered.
const MAX_URLS: u64 = 20_000;
/// How many seconds pass before the archive is asked again for what it lacked.
const LACK_LASTS: i64 = 30;

impl Credentials {
    pub(crate) fn new(archive: Option<Arc<dyn Archive>>) -> Self {
        Self { archive, archived: Cache::new(MAX_URLS) }
    }

    /// What is known of the certificate at a URL.
    pub(crate) async fn get(&self, url: &str, now: UnixTime) -> Credential {
        if let Some(archived) = self.archived.get(url)
            && archived.ask_again.is_none_or(|at| now < at)
        {
            return archived.credential;
        }
        let Some(archive) = self.archive.clone() else {
            return Credential::unavailable("no archive of certificates is named, and fetching is not allowed");
        };
        let archived = read(archive, url.to_owned(), now).await;
        self.archived.insert(url.to_owned(), archived.clone());
        archived.credential
    }

    /// How many URLs something is known of.
    pub(crate) fn len(&self) -> u64 {
        self.archived.entry_count()
    }
}

/// A disk may be slow: other calls must not wait for it.
async fn read(archive: Arc<dyn Archive>, url: String, now: UnixTime) -> Archived {
    let body = tokio::task::spawn_blocking(move || archive.read(&url)).await;
    let body = body.unwrap_or_else(|_| Err("reading it broke off".to_owned()));
    match body {
        Ok(body) => Archived { credential: Credential::read(&body), ask_again: None },
        Err(reason) => Archived {
            credential: Credential::unavailable(reason),
            ask_again: Some(UnixTime::from_seconds(now.seconds().saturating_add(LACK_LASTS))),
        },
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} URLs)", self.len())
    }
}
