//! What is kept on disk of what was fetched: written in the background, once somebody has the answer, and done without
//! where a disk fails.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use crate::fetch::entry::Entry;
use crate::fetch::fetcher::disk::Fault;
use crate::fetch::fetcher::fetched::{Event, Fetched, Kind};
use crate::fetch::fetcher::retrieval::{Retrieval, unpoisoned};
use crate::fetch::fetcher::shelf::Held;

/// What is written: each may lie on a disk of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Archive,
    Store,
}

impl Retrieval {
    pub(super) fn keep(self: &Arc<Self>, kind: Kind, held: &Arc<Held>) {
        let Some(store) = self.store.clone() else { return };
        let held = Arc::clone(held);
        self.write(Part::Store, move || {
            let entry = Entry {
                url: held.fetched.url.to_string(),
                sha256: held.fetched.sha256,
                length: held.fetched.body.len(),
                fetched_at: held.fetched.fetched_at,
                validity: held.validity,
                headers: held.headers.clone(),
            };
            store.keep(kind, &entry, &held.fetched.body)
        });
    }

    pub(super) fn archive(self: &Arc<Self>, fetched: &Fetched) {
        let Some(archive) = self.archive.clone() else { return };
        if fetched.unusable.is_some() || self.archive_disk.rests() {
            return;
        }
        let held = self.shelf(Kind::Certificate).held.get(&fetched.url);
        let held = held.filter(|held| held.fetched.sha256 == fetched.sha256);
        if held.as_ref().is_some_and(|held| !held.claim_for_archive()) {
            return;
        }
        let (url, body, at) = (Arc::clone(&fetched.url), Arc::clone(&fetched.body), fetched.confirmed_at);
        let claimed = held.clone();
        let is_begun = self.write(Part::Archive, move || {
            let kept = archive.keep(&url, &body, at);
            if let (Err(_), Some(held)) = (&kept, claimed) {
                held.give_up_for_archive();
            }
            kept
        });
        // Whoever uses it next tries again: what was used must not be missing for a disk that was full for a while.
        if let (false, Some(held)) = (is_begun, held) {
            held.give_up_for_archive();
        }
    }

    /// Writes in the background, if there is room to wait: nobody waits for a disk, and one that fails is done without.
    fn write(self: &Arc<Self>, part: Part, work: impl FnOnce() -> Result<(), Fault> + Send + 'static) -> bool {
        let Ok(slot) = Arc::clone(&self.writes).try_acquire_owned() else {
            self.disk_failed(part, self.folder(part), "it does not keep up".to_owned());
            return false;
        };
        let shared = Arc::clone(self);
        spawn_blocking(move || {
            match work() {
                Ok(()) if shared.disk(part).fails.swap(false, Ordering::Relaxed) => shared.tell(&Event::DiskWorks),
                Ok(()) => {}
                Err(fault) => shared.disk_failed(part, fault.path, fault.reason.to_string()),
            }
            drop(slot);
        });
        true
    }

    const fn disk(&self, part: Part) -> &Disk {
        match part {
            Part::Archive => &self.archive_disk,
            Part::Store => &self.store_disk,
        }
    }

    fn folder(&self, part: Part) -> PathBuf {
        let folder = match part {
            Part::Archive => &self.settings.archive,
            Part::Store => &self.settings.cache,
        };
        folder.clone().unwrap_or_default()
    }

    /// Counted each time, said once until it works again.
    fn disk_failed(&self, part: Part, path: PathBuf, why: String) {
        self.counters.disk_failures.count();
        let disk = self.disk(part);
        *unpoisoned(disk.failed_at.lock()) = Some(Instant::now());
        if !disk.fails.swap(true, Ordering::Relaxed) {
            self.tell(&Event::DiskFailed { path, why });
        }
    }

    pub(super) async fn settle(&self) {
        // All slots together: nothing is being written. The semaphore is never closed.
        let _ = self.writes.acquire_many(MAX_WRITES).await;
    }
}

/// How the disk of one folder does.
#[derive(Debug, Default)]
pub(super) struct Disk {
    fails: AtomicBool,
    failed_at: Mutex<Option<Instant>>,
}

impl Disk {
    /// Whether it failed a moment ago.
    fn rests(&self) -> bool {
        self.fails.load(Ordering::Relaxed) && unpoisoned(self.failed_at.lock()).is_some_and(|at| at.elapsed() < REST)
    }
}

/// For how long a disk that failed is not written to again for what can wait.
const REST: Duration = Duration::from_secs(10);

/// How many files may wait to be written: a disk that hangs must not hold what memory has not.
pub(super) const MAX_WRITES: u32 = 64;
