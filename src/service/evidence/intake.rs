//! Finished files of evidence on their way into a lake, on a thread of their own: no call and no line waits for it.
//!
//! A file stays where it is and is taken in as it lies there, so that whatever breaks off can be done again: what a crash,
//! a full disk or another writer kept out is taken in at the next turn, at the latest at the next start.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::journal::{PREFIX, SUFFIX};

/// Takes files of call records (format `jsonl`) into a lake.
///
/// Whoever runs the service knows where the lake lies and what it calls the records; the service does not.
pub trait Intake: Send {
    /// Takes the files in, all of them or none. One that is in already adds nothing.
    ///
    /// # Errors
    /// Why none was, in words for whoever runs the service; it is tried again.
    fn take_in(&mut self, files: &[PathBuf]) -> Result<TakenIn, String>;
}

/// What came of files.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TakenIn {
    /// Records that were new.
    pub added: u64,
    /// Lines that are no records.
    pub set_aside: u64,
    /// Files that will not do, and why: they are not tried again.
    pub refused: Vec<String>,
}

/// How far the taking in has come.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IntakeCounts {
    /// Records added to the lake.
    pub added: u64,
    /// Lines that are no records: they broke off when the disk was full or the power gone.
    pub set_aside: u64,
    /// Attempts that failed, and files that will not do.
    pub failures: u64,
    /// Files that wait.
    pub waiting: u64,
    /// Since when nothing was taken in, or since the start.
    pub age: Duration,
}

#[derive(Debug)]
pub(super) struct Counts {
    added: AtomicU64,
    set_aside: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicU64,
    last: Mutex<Instant>,
}

impl Counts {
    pub(super) fn read(&self) -> IntakeCounts {
        IntakeCounts {
            added: self.added.load(Ordering::Relaxed),
            set_aside: self.set_aside.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            age: self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed(),
        }
    }
}

/// What the thread works with.
pub(super) struct Taking {
    intake: Box<dyn Intake>,
    waiting: Vec<PathBuf>,
    counts: Arc<Counts>,
    /// When the last attempt failed; none where it went well.
    failed: Option<Instant>,
    /// When a failure was last told.
    told: Option<Instant>,
}

impl Taking {
    pub(super) fn new(intake: Box<dyn Intake>, folder: &Path) -> io::Result<Self> {
        let waiting = left_in(folder)?;
        let counts = Counts {
            added: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            waiting: AtomicU64::new(count(waiting.len())),
            last: Mutex::new(Instant::now()),
        };
        Ok(Self { intake, waiting, counts: Arc::new(counts), failed: None, told: None })
    }

    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Until nobody hands over any more; what waits then is tried once more.
    pub(super) fn take_all(mut self, finished: &Receiver<PathBuf>) {
        self.attempt();
        loop {
            match finished.recv_timeout(RETRY) {
                Ok(path) => self.wait_with(std::iter::once(path).chain(finished.try_iter())),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.attempt(),
            }
            // Whoever writes to a full disk hands over one file after the other.
            if self.failed.is_none_or(|at| at.elapsed() >= RETRY) {
                self.attempt();
            }
        }
    }

    fn wait_with(&mut self, files: impl Iterator<Item = PathBuf>) {
        for file in files {
            if self.waiting.last() != Some(&file) {
                self.waiting.push(file);
            }
        }
        self.counts.waiting.store(count(self.waiting.len()), Ordering::Relaxed);
    }

    fn attempt(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        // A fault of ours, or of a library, costs an attempt and not all that come after it.
        let taken = catch_unwind(AssertUnwindSafe(|| self.intake.take_in(&self.waiting)));
        match taken.unwrap_or_else(|_| Err(BROKEN.to_owned())) {
            Ok(taken) => self.note(&taken),
            Err(reason) => self.trouble(&reason),
        }
    }

    fn note(&mut self, taken: &TakenIn) {
        self.waiting.clear();
        self.counts.waiting.store(0, Ordering::Relaxed);
        self.counts.added.fetch_add(taken.added, Ordering::Relaxed);
        self.counts.set_aside.fetch_add(taken.set_aside, Ordering::Relaxed);
        self.counts.failures.fetch_add(count(taken.refused.len()), Ordering::Relaxed);
        *self.counts.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        for reason in &taken.refused {
            tracing::error!(%reason, "evidence is not taken into the lake");
        }
        if self.failed.take().is_some() {
            self.told = None;
            tracing::info!("evidence is taken into the lake again");
        }
        tracing::debug!(added = taken.added, set_aside = taken.set_aside, "evidence is in the lake");
    }

    fn trouble(&mut self, reason: &str) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        self.failed = Some(Instant::now());
        if self.told.is_none_or(|at| at.elapsed() > TELL_EVERY) {
            self.told = self.failed;
            tracing::error!(reason, "evidence waits for the lake; it is kept as files, and tried again");
        }
    }
}

/// The files of earlier runs: which of them are in, the lake knows.
#[expect(clippy::disallowed_methods, reason = "the folder is one that whoever runs the service names")]
fn left_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if is_ours && entry.metadata()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

const BROKEN: &str = "it broke off in a fault of stirtrace; what stderr says of it is worth a report";
/// So long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(30);
const TELL_EVERY: Duration = Duration::from_secs(60);
