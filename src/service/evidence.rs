//! Verdicts kept as evidence: one call record an object a line, so that a source of format `jsonl` takes them in and `trace`
//! finds the calls (I1: what to store of an Identity header).
//!
//! A call never waits for the disk: a verdict goes into a queue, and where that is full it is dropped and counted. The lines
//! are a journal: whoever runs the service may have each file that is finished taken into a lake, by an [`Intake`].

mod intake;
mod journal;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};

use serde::Serialize;

pub use intake::{Intake, IntakeCounts, TakenIn};

use intake::Taking;
use journal::{Handing, Journal};

use crate::clock;
use crate::service::settings::EvidenceSettings;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Error, Signer, SipResponse, Verdict, Verstat};

/// Keeps verdicts in the files of a folder.
pub struct Evidence {
    queue: RwLock<Option<SyncSender<Entry>>>,
    /// The threads, in the order in which they end.
    threads: Mutex<Vec<JoinHandle<()>>>,
    counts: Arc<Counts>,
    intake: Option<Arc<intake::Counts>>,
    /// The next verdict's number.
    serial: AtomicU64,
    checks: bool,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
}

struct Entry {
    /// `YYYY-MM-DD`, which names the file.
    day: String,
    line: Vec<u8>,
}

impl Evidence {
    /// Evidence in `folder`, which is made where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn open(folder: &Path, settings: &EvidenceSettings) -> io::Result<Self> {
        Self::open_into(folder, settings, None)
    }

    /// The same; `intake` takes each file that is finished into the lake that the settings name. What an earlier run
    /// left is taken in, too.
    ///
    /// # Errors
    /// As for [`Evidence::open`].
    pub fn open_into(folder: &Path, settings: &EvidenceSettings, intake: Option<Box<dyn Intake>>) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let counts = Arc::new(Counts::default());
        let (queue, entries) = sync_channel(settings.queue);
        let (finished, files) = channel();
        let handing = settings.lake.as_ref().filter(|_| intake.is_some()).map(|own| Handing::new(finished, own));
        let journal = Journal::new(folder.to_owned(), settings.bytes, handing);
        // Fails now rather than with the first call.
        journal.probe()?;
        // Before anything is written: what lies there is an earlier run's.
        let taking = intake.map(|intake| Taking::new(intake, folder)).transpose()?;
        let taken = taking.as_ref().map(Taking::counts);
        let own = Arc::clone(&counts);
        let mut threads = vec![thread("evidence", move || journal.write_all(&entries, &own))?];
        if let Some(taking) = taking {
            threads.push(thread("evidence-intake", move || taking.take_all(&files))?);
        }
        Ok(Self {
            queue: RwLock::new(Some(queue)),
            threads: Mutex::new(threads),
            counts,
            intake: taken,
            serial: AtomicU64::new(first_serial()),
            checks: settings.checks,
        })
    }

    /// Keeps the verdict on a call, if there is room.
    pub fn keep(&self, call: &Call, verdict: &Verdict) {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let record = Record { serial, ..Record::of(call, verdict, self.checks) };
        let entry = serde_json::to_vec(&record).ok().map(|mut line| {
            line.push(b'\n');
            Entry { day: verdict.at.to_string().chars().take(10).collect(), line }
        });
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let sent = match (queue.as_ref(), entry) {
            (Some(queue), Some(entry)) => queue.try_send(entry),
            (None, Some(entry)) => Err(TrySendError::Disconnected(entry)),
            (_, None) => return,
        };
        if sent.is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many verdicts are on the disk.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.counts.written.load(Ordering::Relaxed)
    }

    /// How many were not kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// What became of the files that are taken into a lake, if they are.
    #[must_use]
    pub fn intake(&self) -> Option<IntakeCounts> {
        self.intake.as_deref().map(intake::Counts::read)
    }

    /// Writes what is in the queue, has it taken into the lake, and takes no more.
    pub fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // One that panicked has done what it could.
            let _ = thread.join();
        }
    }
}

/// No run begins where another has been: a million verdicts a second are more than any machine gives.
fn first_serial() -> u64 {
    clock::now().seconds().unsigned_abs() * 1_000_000
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(run)
}

impl Drop for Evidence {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evidence({} written, {} dropped)", self.written(), self.dropped())
    }
}

/// A call record (format `jsonl`) with what was concluded.
#[derive(Serialize)]
struct Record<'a> {
    start: UnixTime,
    calling: Option<String>,
    called: Option<String>,
    ingress_call_id: Option<&'a str>,
    identity: String,
    verstat: Verstat,
    attest: Option<&'a str>,
    origid: Option<&'a str>,
    spc: Option<&'a str>,
    verdict: Kept<'a>,
    /// Tells verdicts apart that are alike in all else: to a lake, a line that stands in two files is one.
    serial: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Kept<'a> {
    Whole(&'a Verdict),
    Short(Short<'a>),
}

/// What the verdict comes to.
#[derive(Serialize)]
struct Short<'a> {
    at: UnixTime,
    verdict: &'static str,
    sip: Option<SipResponse>,
    errors: Vec<&'a Error>,
    signer: Option<&'a Signer>,
}

impl<'a> Record<'a> {
    fn of(call: &'a Call, verdict: &'a Verdict, whole: bool) -> Self {
        let values: Vec<&str> = call.identities.iter().map(|field| field.value.as_str()).collect();
        let kept = if whole { Kept::Whole(verdict) } else { Kept::Short(Short::of(verdict)) };
        Self {
            start: verdict.call.date.unwrap_or(verdict.at),
            calling: verdict.call.from.as_ref().map(ToString::to_string),
            called: verdict.call.to.as_ref().map(ToString::to_string),
            ingress_call_id: call.call_id.as_deref(),
            // As SIP joins them.
            identity: values.join(", "),
            verstat: verdict.verstat,
            attest: verdict.attest.map(|attest| attest.as_str()),
            origid: verdict.origid.as_deref(),
            spc: verdict.signer.as_ref().and_then(|signer| signer.spc()),
            verdict: kept,
            serial: 0,
        }
    }
}

impl<'a> Short<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        Self {
            at: verdict.at,
            verdict: verdict.conclusion.as_str(),
            sip: verdict.sip,
            errors: verdict.passports.iter().filter_map(|report| report.error.as_ref()).collect(),
            signer: verdict.signer.as_ref(),
        }
    }
}
