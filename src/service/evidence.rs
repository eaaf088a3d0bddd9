//! Verdicts kept as evidence: one call record an object a line, so that a source of format `jsonl` takes them in and `trace`
//! finds the calls (I1: what to store of an Identity header).
//!
//! A call never waits for the disk: a verdict goes into a queue, and where that is full it is dropped and counted.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::service::settings::EvidenceSettings;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Error, Signer, SipResponse, Verdict, Verstat};

/// Keeps verdicts in the files of a folder.
pub struct Evidence {
    queue: RwLock<Option<SyncSender<Entry>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<Counts>,
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
        std::fs::create_dir_all(folder)?;
        let counts = Arc::new(Counts::default());
        let (queue, entries) = sync_channel(settings.queue);
        let files = Files { folder: folder.to_owned(), most: settings.bytes, open: None, troubled: None, fails: false };
        // Fails now rather than with the first call.
        files.probe()?;
        let own = Arc::clone(&counts);
        let writer = std::thread::Builder::new().name("evidence".to_owned());
        let writer = writer.spawn(move || files.write_all(&entries, &own))?;
        Ok(Self { queue: RwLock::new(Some(queue)), writer: Mutex::new(Some(writer)), counts, checks: settings.checks })
    }

    /// Keeps the verdict on a call, if there is room.
    pub fn keep(&self, call: &Call, verdict: &Verdict) {
        let entry = serde_json::to_vec(&Record::of(call, verdict, self.checks)).ok().map(|mut line| {
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

    /// Writes what is in the queue and takes no more.
    pub fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked has written what it could.
            let _ = writer.join();
        }
    }
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
            spc: verdict.signer.as_ref().and_then(|signer| signer.spc.as_deref()),
            verdict: kept,
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

/// The files of the folder, one open at a time.
struct Files {
    folder: PathBuf,
    most: u64,
    open: Option<Open>,
    /// When a fault was last told.
    troubled: Option<Instant>,
    /// It was told, and not that it is over.
    fails: bool,
}

struct Open {
    day: String,
    file: BufWriter<File>,
    bytes: u64,
    /// Lines that are not on the disk yet.
    pending: u64,
}

impl Files {
    fn probe(&self) -> io::Result<()> {
        let probe = self.folder.join(".stirtrace-probe");
        drop(private().write(true).create(true).truncate(true).open(&probe)?);
        std::fs::remove_file(probe)
    }

    fn write_all(mut self, entries: &Receiver<Entry>, counts: &Counts) {
        let mut flushed = Instant::now();
        loop {
            match entries.recv_timeout(FLUSH_EVERY.saturating_sub(flushed.elapsed())) {
                Ok(entry) => self.take(&entry, counts),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.flush(counts),
            }
            // However many come: what waits longer would be lost with the process, and be counted as neither.
            if flushed.elapsed() >= FLUSH_EVERY {
                self.flush(counts);
                flushed = Instant::now();
            }
        }
    }

    fn take(&mut self, entry: &Entry, counts: &Counts) {
        let length = u64::try_from(entry.line.len()).unwrap_or(u64::MAX);
        let full = self.open.as_ref().is_some_and(|open| open.day != entry.day || open.bytes + length > self.most);
        if full {
            self.flush(counts);
            self.open = None;
        }
        if self.open.is_none() {
            match self.next_file(&entry.day, length) {
                Ok(open) => self.open = Some(open),
                Err(reason) => return self.trouble(&reason, 1, counts),
            }
        }
        let Some(open) = &mut self.open else { return };
        match open.file.write_all(&entry.line) {
            Ok(()) => {
                open.bytes += length;
                open.pending += 1;
            }
            Err(reason) => self.give_up(&reason, 1, counts),
        }
    }

    fn flush(&mut self, counts: &Counts) {
        let Some(open) = &mut self.open else { return };
        let pending = std::mem::take(&mut open.pending);
        match open.file.flush() {
            Ok(()) => {
                counts.written.fetch_add(pending, Ordering::Relaxed);
                if pending > 0 && std::mem::take(&mut self.fails) {
                    tracing::info!(folder = %self.folder.display(), "verdicts are kept again");
                }
            }
            Err(reason) => self.give_up(&reason, pending, counts),
        }
    }

    /// What the file has of them nobody knows: it is left, and the next line begins on a line of its own.
    fn give_up(&mut self, reason: &io::Error, lost: u64, counts: &Counts) {
        let pending = self.open.take().map_or(0, |open| {
            let pending = open.pending;
            // Dropping the writer would try once more, and wait for the disk.
            drop(open.file.into_parts());
            pending
        });
        self.trouble(reason, lost + pending, counts);
    }

    fn trouble(&mut self, reason: &io::Error, lost: u64, counts: &Counts) {
        counts.dropped.fetch_add(lost, Ordering::Relaxed);
        if self.troubled.is_none_or(|at| at.elapsed() > TELL_EVERY) {
            (self.troubled, self.fails) = (Some(Instant::now()), true);
            tracing::error!(%reason, folder = %self.folder.display(), "verdicts cannot be kept as evidence");
        }
    }

    /// The day's file that has room: `verdicts-2026-05-04.jsonl`, then `verdicts-2026-05-04-2.jsonl` and so on.
    fn next_file(&self, day: &str, length: u64) -> io::Result<Open> {
        for number in 1_u32.. {
            let name = match number {
                1 => format!("verdicts-{day}.jsonl"),
                number => format!("verdicts-{day}-{number}.jsonl"),
            };
            let mut file = private().read(true).append(true).create(true).open(self.folder.join(name))?;
            let bytes = file.metadata()?.len();
            if bytes > 0 && bytes + length > self.most {
                continue;
            }
            end_line(&mut file, bytes)?;
            return Ok(Open { day: day.to_owned(), file: BufWriter::with_capacity(BUFFER, file), bytes, pending: 0 });
        }
        Err(io::Error::other("too many files of one day"))
    }
}

/// A line that broke off, for the disk was full or the power gone, stays by itself.
fn end_line(file: &mut File, bytes: u64) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// Numbers of users stand in it: nobody else's business.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

const BUFFER: usize = 64 * 1024;
const FLUSH_EVERY: Duration = Duration::from_millis(200);
const TELL_EVERY: Duration = Duration::from_secs(60);
