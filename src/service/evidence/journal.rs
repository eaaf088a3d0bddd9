//! The files that evidence is written to: one open at a time, by day and length, private to whoever runs the service.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::{Counts, Entry};
use crate::service::settings::LakeSettings;

/// The files of the folder, one open at a time.
pub(super) struct Journal {
    folder: PathBuf,
    most: u64,
    handing: Option<Handing>,
    open: Option<Open>,
    /// The file that was opened last, by its day and number.
    last: (String, u32),
    flushed: Instant,
    /// When a fault was last told.
    troubled: Option<Instant>,
    /// It was told, and not that it is over.
    fails: bool,
}

/// Who takes finished files into a lake, and when a file is finished.
pub(super) struct Handing {
    to: Sender<PathBuf>,
    every: Duration,
    records: u64,
}

impl Handing {
    pub(super) const fn new(to: Sender<PathBuf>, settings: &LakeSettings) -> Self {
        Self { to, every: settings.every, records: settings.records }
    }
}

struct Open {
    day: String,
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    records: u64,
    began: Instant,
    /// Lines that are not on the disk yet.
    pending: u64,
}

impl Journal {
    pub(super) fn new(folder: PathBuf, most: u64, handing: Option<Handing>) -> Self {
        let (last, flushed) = ((String::new(), 0), Instant::now());
        Self { folder, most, handing, open: None, last, flushed, troubled: None, fails: false }
    }

    pub(super) fn probe(&self) -> io::Result<()> {
        let probe = self.folder.join(".stirtrace-probe");
        drop(private().write(true).create(true).truncate(true).open(&probe)?);
        std::fs::remove_file(probe)
    }

    pub(super) fn write_all(mut self, entries: &Receiver<Entry>, counts: &Counts) {
        loop {
            match entries.recv_timeout(FLUSH_EVERY) {
                Ok(entry) => self.take(&entry, counts),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.finish(counts),
            }
            if self.is_due() {
                self.finish(counts);
            } else if self.flushed.elapsed() >= FLUSH_EVERY {
                self.flush(counts);
            }
        }
    }

    /// Whether the open file is to be taken into the lake.
    fn is_due(&self) -> bool {
        let (Some(open), Some(handing)) = (&self.open, &self.handing) else { return false };
        open.records >= handing.records || open.began.elapsed() >= handing.every
    }

    fn take(&mut self, entry: &Entry, counts: &Counts) {
        let length = u64::try_from(entry.line.len()).unwrap_or(u64::MAX);
        // Around midnight days come in turns: what is soon finished anyway keeps the day that it began with.
        let by_day = self.handing.is_none();
        let is_over = |open: &Open| by_day && open.day != entry.day || open.bytes + length > self.most;
        if self.open.as_ref().is_some_and(is_over) {
            self.finish(counts);
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
                open.records += 1;
                open.pending += 1;
            }
            Err(reason) => self.give_up(&reason, 1, counts),
        }
    }

    fn flush(&mut self, counts: &Counts) {
        self.flushed = Instant::now();
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

    /// Nothing is added to the file any more.
    fn finish(&mut self, counts: &Counts) {
        self.flush(counts);
        if let Some(open) = self.open.take() {
            self.hand_over(open.path);
        }
    }

    fn hand_over(&self, path: PathBuf) {
        if let Some(handing) = &self.handing {
            // Nobody takes it any more: the next start does.
            let _ = handing.to.send(path);
        }
    }

    /// What the file has of them nobody knows: it is left, and the next line begins on a line of its own.
    fn give_up(&mut self, reason: &io::Error, lost: u64, counts: &Counts) {
        let pending = self.open.take().map_or(0, |open| {
            let pending = open.pending;
            // Dropping the writer would try once more, and wait for the disk.
            drop(open.file.into_parts());
            self.hand_over(open.path);
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

    /// The day's file that has room: `verdicts-2026-05-04.jsonl`, then `verdicts-2026-05-04-2.jsonl` and so on. What is
    /// handed over is never written to again.
    fn next_file(&mut self, day: &str, length: u64) -> io::Result<Open> {
        let first = if self.last.0 == day { self.last.1.max(1) } else { 1 };
        for number in first.. {
            let name = match number {
                1 => format!("{PREFIX}{day}{SUFFIX}"),
                number => format!("{PREFIX}{day}-{number}{SUFFIX}"),
            };
            let path = self.folder.join(name);
            let mut file = private().read(true).append(true).create(true).open(&path)?;
            let bytes = file.metadata()?.len();
            if bytes > 0 && (self.handing.is_some() || bytes + length > self.most) {
                continue;
            }
            end_line(&mut file, bytes)?;
            self.last = (day.to_owned(), number);
            let file = BufWriter::with_capacity(BUFFER, file);
            let began = Instant::now();
            return Ok(Open { day: day.to_owned(), path, file, bytes, records: 0, began, pending: 0 });
        }
        Err(io::Error::other("too many files of one day"))
    }
}

/// What a file of evidence is called, before and after its day.
pub(super) const PREFIX: &str = "verdicts-";
pub(super) const SUFFIX: &str = ".jsonl";

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
