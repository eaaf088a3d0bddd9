//! The threads of an ingest: one reads files and cuts them into pieces; the others turn pieces into columns, and gathered
//! runs into data files.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use super::file::{Content, Looked, Tally, ToRead, look};
use super::sorting::{Part, Sorting};
use super::{IngestOptions, Input, Piece, Pieces, Progress};
use crate::lake::error::Error;
use crate::lake::manifest::{DataFile, HeldSources, Manifest};
use crate::lake::question::RecordFile;
use crate::lake::run::{Chunk, Gatherer, Run, Told};
use crate::lake::writer::LakeWriter;

/// The threads, and what they share.
pub(super) struct Pool<'a> {
    sorting: Sorting<'a>,
    threads: usize,
    /// Bytes of a run.
    run_bytes: usize,
    work: Mutex<Work>,
    /// Signalled when `work` changes.
    changed: Condvar,
    /// Each file, once its hash is known; none where it could not be read again to be hashed.
    files: Vec<OnceLock<Option<RecordFile>>>,
}

/// What is to be done, and what was.
#[derive(Default)]
struct Work {
    pieces: VecDeque<(u64, u32, Piece)>,
    runs: VecDeque<Run>,
    /// Sorted parts of runs.
    parts: VecDeque<Part>,
    /// Columns of pieces that others before them keep waiting.
    parsed: BTreeMap<u64, (u32, Vec<Chunk>, Told)>,
    /// The next piece whose turn it is.
    next: u64,
    /// Pieces that are not yet in a run.
    underway: usize,
    /// Runs that are being sorted.
    sorting: usize,
    run: Run,
    tallies: Vec<Option<Tally>>,
    data: Vec<DataFile>,
    /// Nothing follows.
    ended: bool,
    failure: Option<Error>,
}

/// What was read.
pub(super) struct ReadFiles {
    pub(super) files: Vec<ReadFile>,
    pub(super) data: Vec<DataFile>,
}

/// What was read of one file.
pub(super) struct ReadFile {
    pub(super) looked: Looked,
    pub(super) tally: Option<Tally>,
}

/// Records of a run, at most.
const RUN_ROWS: usize = 1024 * 1024;

impl<'a> Pool<'a> {
    pub(super) fn new(writer: &'a LakeWriter, manifest: &Manifest, places: &[usize], options: IngestOptions) -> Self {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        let threads = if options.threads == 0 { cores() } else { options.threads };
        let files: Vec<OnceLock<Option<RecordFile>>> = places.iter().map(|_| OnceLock::new()).collect();
        let work = Work { tallies: places.iter().map(|_| None).collect(), ..Work::default() };
        Self {
            sorting: Sorting::new(writer, manifest, places),
            threads,
            // One is gathered, each thread writes one, one waits.
            run_bytes: options.memory / (threads + 2),
            work: Mutex::new(work),
            changed: Condvar::new(),
            files,
        }
    }

    /// Reads the files; the calling thread cuts them, the others do the rest.
    pub(super) fn read(
        &self,
        inputs: &[Input<'_>],
        places: &[usize],
        held: &HeldSources,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<ReadFiles, Error> {
        let looked = thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| self.work());
            }
            let looked = self.cut_all(inputs, places, held, progress);
            self.change(|work| {
                work.ended = true;
                if let Err(error) = &looked {
                    work.failure.get_or_insert_with(|| error.clone());
                    self.sorting.stop();
                }
            });
            looked
        });
        self.sorting.clear()?;
        let mut work = self.lock();
        if let Some(error) = work.failure.take() {
            return Err(error);
        }
        let tallies = std::mem::take(&mut work.tallies);
        let files = looked?.into_iter().zip(tallies).zip(self.sorting.added());
        let files = files.map(|((looked, tally), added)| {
            let tally = tally.map(|tally| tally.end(added));
            ReadFile { looked, tally }
        });
        Ok(ReadFiles { files: files.collect(), data: std::mem::take(&mut work.data) })
    }

    fn cut_all(
        &self,
        inputs: &[Input<'_>],
        places: &[usize],
        held: &HeldSources,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<Looked>, Error> {
        let lengths: Vec<u64> = inputs.iter().map(|own| own.path.metadata().map_or(0, |own| own.len())).collect();
        let mut all: Vec<Looked> = Vec::with_capacity(inputs.len());
        let mut number = 0;
        for (ordinal, (input, place)) in (0_u32..).zip(inputs.iter().zip(places)) {
            let Some(source) = held.sources.get(*place) else { continue };
            let to_read = match look(input, source, held, &lengths) {
                Ok(to_read) => to_read,
                Err(looked) => {
                    let length = input.path.metadata().map_or(0, |own| own.len());
                    progress(Progress::Skipped(length));
                    all.push(looked);
                    continue;
                }
            };
            let is_same = |(own, looked): (&usize, &Looked), content: &Content| {
                own == place && matches!(looked, Looked::New(other) if other.sha256 == content.sha256)
            };
            if let Some(content) = &to_read.content
                && places.iter().zip(&all).any(|own| is_same(own, content))
            {
                progress(Progress::Skipped(content.bytes));
                all.push(Looked::Known { sha256: content.sha256.clone() });
                continue;
            }
            all.push(self.cut(ordinal, input, to_read, &mut number, progress)?);
        }
        Ok(all)
    }

    /// Cuts a file into pieces, while it is hashed where it was not yet.
    fn cut(
        &self,
        ordinal: u32,
        input: &Input<'_>,
        to_read: ToRead,
        number: &mut u64,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Looked, Error> {
        let ToRead { opened, content } = to_read;
        let index = usize::try_from(ordinal).unwrap_or(usize::MAX);
        let bytes = content.as_ref().map_or_else(|| opened.length(), |content| content.bytes);
        let read = Arc::new(AtomicU64::new(0));
        let mut pieces = match (input.open)(Box::new(opened.reader(bytes, &read))) {
            Ok(pieces) => pieces,
            Err(reason) => return Ok(Looked::Unreadable { reason }),
        };
        let mut tally = Tally::default();
        tally.lacks_egress = !pieces.records_egress();
        self.change(|work| set(&mut work.tallies, index, Some(tally)));
        let mut cut_up = || {
            self.cut_up(pieces.as_mut(), ordinal, number, &mut |last| {
                let so_far = read.load(Ordering::Relaxed);
                progress(Progress::Read(so_far - *last));
                *last = so_far;
            })
        };
        let (content, cut_short) = if let Some(content) = content {
            self.hashed(index, input, Some(&content));
            (Ok(content), cut_up())
        } else {
            thread::scope(|scope| {
                let hashing = scope.spawn(|| {
                    let content = opened.content(&[], bytes);
                    self.hashed(index, input, content.as_ref().ok());
                    content
                });
                let cut_short = cut_up();
                (hashing.join().unwrap_or_else(|panic| resume_unwind(panic)), cut_short)
            })
        };
        let content = match content {
            Ok(content) => content,
            Err(reason) => {
                self.change(|work| set(&mut work.tallies, index, None));
                return Ok(Looked::Unreadable { reason: reason.to_string() });
            }
        };
        opened.check(input, &content)?;
        self.change(|work| {
            if let Some(Some(tally)) = work.tallies.get_mut(index) {
                tally.cut_short = cut_short;
            }
        });
        Ok(Looked::New(content))
    }

    /// Hands out the pieces of a file; why they end before it does.
    fn cut_up(
        &self,
        pieces: &mut dyn Pieces,
        ordinal: u32,
        number: &mut u64,
        progress: &mut dyn FnMut(&mut u64),
    ) -> Option<String> {
        let mut told = 0;
        loop {
            let piece = pieces.next_piece();
            progress(&mut told);
            match piece {
                Ok(Some(piece)) => {
                    if !self.give(*number, ordinal, piece) {
                        return None;
                    }
                    *number += 1;
                }
                Ok(None) => return None,
                Err(reason) => return Some(reason),
            }
        }
    }

    /// Notes what a file is, so that its rows can be written; they are left out where it cannot be hashed.
    fn hashed(&self, index: usize, input: &Input<'_>, content: Option<&Content>) {
        let file = content.map(|own| RecordFile { name: input.name.clone(), sha256: own.sha256.clone() });
        if let Some(slot) = self.files.get(index) {
            slot.get_or_init(|| file);
        }
        self.change(|_| ());
    }

    /// Hands a piece to the others, when they have room for it; `false` when they have stopped.
    fn give(&self, number: u64, ordinal: u32, piece: Piece) -> bool {
        let mut work = self.lock();
        let is_full = |work: &Work| work.underway > 4 * self.threads || !work.runs.is_empty();
        while work.failure.is_none() && is_full(&work) {
            work = self.wait(work);
        }
        if work.failure.is_some() {
            return false;
        }
        work.underway += 1;
        work.pieces.push_back((number, ordinal, piece));
        drop(work);
        self.changed.notify_all();
        true
    }

    /// Works until nothing is left to do. What lets go of memory comes first.
    fn work(&self) {
        let mut work = self.lock();
        loop {
            if work.failure.is_some() {
                return;
            }
            if let Some(part) = work.parts.pop_front() {
                drop(work);
                let written = self.sorting.write(&part, &self.files);
                drop(part);
                work = self.lock();
                self.note(&mut work, written, |work, data| work.data.push(data));
            } else if let Some(run) = self.next_run(&mut work) {
                work.sorting += 1;
                drop(work);
                let sorted = self.sort(run);
                work = self.lock();
                work.sorting -= 1;
                self.note(&mut work, sorted, |work, parts| work.parts.extend(parts));
            } else if let Some((number, ordinal, piece)) = work.pieces.pop_front() {
                drop(work);
                let mut gatherer = Gatherer::default();
                piece(&mut |item| gatherer.take(item));
                let (chunks, told) = gatherer.finish(ordinal);
                work = self.lock();
                work.parsed.insert(number, (ordinal, chunks, told));
                self.gather(&mut work);
                self.changed.notify_all();
            } else if work.ended && work.underway == 0 && work.run.rows() > 0 {
                self.close_run(&mut work);
            } else if work.ended && work.underway == 0 && work.runs.is_empty() && work.sorting == 0 {
                return;
            } else {
                work = self.wait(work);
            }
        }
    }

    /// The next run, once it is known what its files are.
    fn next_run(&self, work: &mut Work) -> Option<Run> {
        let files = work.runs.front()?.files();
        let is_known = |file: usize| self.files.get(file).is_some_and(|own| own.get().is_some());
        files.into_iter().all(is_known).then(|| work.runs.pop_front()).flatten()
    }

    fn sort(&self, mut run: Run) -> Result<Vec<Part>, Error> {
        run.retain(|file| self.files.get(file).and_then(OnceLock::get).is_some_and(Option::is_some));
        self.sorting.sort(run, self.threads)
    }

    fn note<T>(&self, work: &mut Work, done: Result<T, Error>, note: impl FnOnce(&mut Work, T)) {
        match done {
            Ok(done) => note(work, done),
            Err(error) => {
                work.failure.get_or_insert(error);
                self.sorting.stop();
            }
        }
        self.changed.notify_all();
    }

    /// Puts columns into the run, in the order of their pieces.
    fn gather(&self, work: &mut Work) {
        while let Some((ordinal, chunks, told)) = work.parsed.remove(&work.next) {
            work.next += 1;
            work.underway -= 1;
            let index = usize::try_from(ordinal).unwrap_or(usize::MAX);
            if let Some(Some(tally)) = work.tallies.get_mut(index) {
                tally.add(chunks.iter().map(Chunk::rows).sum(), told);
            }
            chunks.into_iter().filter(|chunk| chunk.rows() > 0).for_each(|chunk| work.run.push(chunk));
            if work.run.rows() >= RUN_ROWS || work.run.bytes() >= self.run_bytes {
                self.close_run(work);
            }
        }
    }

    fn close_run(&self, work: &mut Work) {
        let next = Run::new(work.run.number + 1);
        work.run.is_last = work.ended && work.underway == 0;
        let run = std::mem::replace(&mut work.run, next);
        work.runs.push_back(run);
        self.changed.notify_all();
    }

    fn change(&self, change: impl FnOnce(&mut Work)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'m>(&self, work: MutexGuard<'m, Work>) -> MutexGuard<'m, Work> {
        self.changed.wait(work).unwrap_or_else(PoisonError::into_inner)
    }
}

fn set<T>(slots: &mut [T], index: usize, value: T) {
    if let Some(slot) = slots.get_mut(index) {
        *slot = value;
    }
}
