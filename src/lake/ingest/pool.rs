//! The threads of an ingest: one reads files and cuts them into pieces; the others turn pieces into columns, and gathered
//! runs into data files.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use super::file::{Looked, Opened, Tally, look};
use super::sorting::Sorting;
use super::{IngestOptions, Input, Piece, Progress};
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
    files: Vec<OnceLock<RecordFile>>,
}

/// What is to be done, and what was.
#[derive(Default)]
struct Work {
    pieces: VecDeque<(u64, u32, Piece)>,
    runs: VecDeque<Run>,
    /// Columns of pieces that others before them keep waiting.
    parsed: BTreeMap<u64, (Chunk, Told)>,
    /// The next piece whose turn it is.
    next: u64,
    /// Pieces that are not yet in a run.
    underway: usize,
    /// Runs that are being written.
    writing: usize,
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

/// Records of a run, at most: a file of so many is a good one to ask.
const RUN_ROWS: usize = 1024 * 1024;

impl<'a> Pool<'a> {
    pub(super) fn new(writer: &'a LakeWriter, manifest: &Manifest, places: &[usize], options: IngestOptions) -> Self {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        let threads = if options.threads == 0 { cores() } else { options.threads };
        let files: Vec<OnceLock<RecordFile>> = places.iter().map(|_| OnceLock::new()).collect();
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
        let mut all: Vec<Looked> = Vec::with_capacity(inputs.len());
        let mut number = 0;
        for (ordinal, (input, place)) in (0_u32..).zip(inputs.iter().zip(places)) {
            let Some(source) = held.sources.get(*place) else { continue };
            let opened = match look(input, source, held) {
                Ok(opened) => opened,
                Err(looked) => {
                    let length = input.path.metadata().map_or(0, |own| own.len());
                    progress(Progress::Skipped(length));
                    all.push(looked);
                    continue;
                }
            };
            let is_same = |(own, looked): (&usize, &Looked)| {
                own == place && matches!(looked, Looked::New(other) if other.sha256 == opened.content.sha256)
            };
            if places.iter().zip(&all).any(is_same) {
                progress(Progress::Skipped(opened.content.bytes));
                all.push(Looked::Known { sha256: opened.content.sha256 });
                continue;
            }
            all.push(self.cut(ordinal, input, opened, &mut number, progress)?);
        }
        Ok(all)
    }

    /// Cuts a file into pieces.
    fn cut(
        &self,
        ordinal: u32,
        input: &Input<'_>,
        opened: Opened,
        number: &mut u64,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Looked, Error> {
        let unreadable = |reason: String| Ok(Looked::Unreadable { reason });
        let read = Arc::new(AtomicU64::new(0));
        let source = match opened.reader(&read) {
            Ok(source) => source,
            Err(reason) => return unreadable(reason.to_string()),
        };
        let mut pieces = match (input.open)(Box::new(source)) {
            Ok(pieces) => pieces,
            Err(reason) => return unreadable(reason),
        };
        let content = opened.content.clone();
        let file = RecordFile { name: input.name.clone(), sha256: content.sha256.clone() };
        let index = usize::try_from(ordinal).unwrap_or(usize::MAX);
        if let Some(slot) = self.files.get(index) {
            slot.get_or_init(|| file);
        }
        let mut tally = Tally::default();
        tally.lacks_egress = !pieces.records_egress();
        self.change(|work| set(&mut work.tallies, index, tally));
        let mut told = 0;
        let cut_short = loop {
            let piece = pieces.next_piece();
            let so_far = read.load(Ordering::Relaxed);
            progress(Progress::Read(so_far - told));
            told = so_far;
            match piece {
                Ok(Some(piece)) => {
                    if !self.give(*number, ordinal, piece) {
                        return Ok(Looked::New(content));
                    }
                    *number += 1;
                }
                Ok(None) => break None,
                Err(reason) => break Some(reason),
            }
        };
        opened.check(input)?;
        self.change(|work| {
            if let Some(Some(tally)) = work.tallies.get_mut(index) {
                tally.cut_short = cut_short;
            }
        });
        Ok(Looked::New(content))
    }

    /// Hands a piece to the others, when they have room for it; `false` when they have stopped.
    fn give(&self, number: u64, ordinal: u32, piece: Piece) -> bool {
        let mut work = self.lock();
        let is_full = |work: &Work| work.underway > 4 * self.threads || work.runs.len() > 1;
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

    /// Works until nothing is left to do.
    fn work(&self) {
        let mut work = self.lock();
        loop {
            if work.failure.is_some() {
                return;
            }
            if let Some(run) = work.runs.pop_front() {
                work.writing += 1;
                drop(work);
                let written = self.sorting.write(&run, &self.files);
                drop(run);
                work = self.lock();
                work.writing -= 1;
                match written {
                    Ok(data) => work.data.extend(data),
                    Err(error) => {
                        work.failure.get_or_insert(error);
                        self.sorting.stop();
                    }
                }
                self.changed.notify_all();
            } else if let Some((number, ordinal, piece)) = work.pieces.pop_front() {
                drop(work);
                let mut gatherer = Gatherer::default();
                piece(&mut |item| gatherer.take(item));
                let parsed = gatherer.finish(ordinal);
                work = self.lock();
                work.parsed.insert(number, parsed);
                self.gather(&mut work);
                self.changed.notify_all();
            } else if work.ended && work.underway == 0 {
                if work.run.rows() == 0 {
                    return;
                }
                self.close_run(&mut work);
            } else {
                work = self.wait(work);
            }
        }
    }

    /// Puts columns into the run, in the order of their pieces.
    fn gather(&self, work: &mut Work) {
        while let Some((chunk, told)) = work.parsed.remove(&work.next) {
            work.next += 1;
            work.underway -= 1;
            let index = usize::try_from(chunk.file).unwrap_or(usize::MAX);
            if let Some(Some(tally)) = work.tallies.get_mut(index) {
                tally.add(chunk.rows(), told);
            }
            if chunk.rows() > 0 {
                work.run.push(chunk);
            }
            if work.run.rows() >= RUN_ROWS || work.run.bytes() >= self.run_bytes {
                self.close_run(work);
            }
        }
    }

    fn close_run(&self, work: &mut Work) {
        let next = Run::new(work.run.number + 1);
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

fn set<T>(slots: &mut [Option<T>], index: usize, value: T) {
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}
