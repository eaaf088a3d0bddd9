//! From a run to data files: sorted, compared with what is held, written.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch};
use arrow_schema::ArrowError;

use crate::lake::columns::Columns;
use crate::lake::data::{DataWriter, day_folder, held_rows};
use crate::lake::disk::Step;
use crate::lake::error::Error;
use crate::lake::manifest::{DataFile, Manifest, SourceName};
use crate::lake::question::RecordFile;
use crate::lake::run::{Run, Sorted};
use crate::lake::schema;
use crate::lake::seen::{Compared, Earlier, Runs};
use crate::lake::writer::LakeWriter;

/// Writes runs; they take turns where later ones must know earlier ones.
pub(super) struct Sorting<'a> {
    folder: PathBuf,
    step: Step<'a>,
    sources: Arc<[SourceName]>,
    data: Vec<DataFile>,
    horizon: i64,
    /// The source of each file.
    places: Vec<u32>,
    /// New records of each file.
    added: Vec<AtomicU64>,
    turns: Mutex<Turns>,
    next_turn: Condvar,
}

#[derive(Default)]
struct Turns {
    /// The run whose turn it is.
    next: u64,
    runs: Runs,
    stopped: bool,
}

/// Rows that are fetched from memory at once.
const AHEAD: usize = 32;

/// Sorted rows of a run that become a file.
pub(super) struct Part {
    number: usize,
    sorted: Arc<(Run, Vec<Sorted>)>,
    rows: Range<usize>,
}

/// Rows of a part, at most: a file of so many is a good one to ask.
const PART_ROWS: usize = 512 * 1024;

/// Fewer rows are not worth a file of their own.
const SHARE_ROWS: usize = 64 * 1024;

/// Rows put together at once.
const SLICE: usize = 4 * 1024;

impl<'a> Sorting<'a> {
    pub(super) fn new(writer: &'a LakeWriter, manifest: &Manifest, places: &[usize]) -> Self {
        Self {
            folder: writer.folder.clone(),
            step: writer.step(),
            sources: manifest.sources.clone().into(),
            data: manifest.data.clone(),
            horizon: manifest.horizon.unwrap_or(i64::MIN),
            places: places.iter().map(|place| u32::try_from(*place).unwrap_or(u32::MAX)).collect(),
            added: places.iter().map(|_| AtomicU64::new(0)).collect(),
            turns: Mutex::new(Turns::default()),
            next_turn: Condvar::new(),
        }
    }

    /// New records of each file.
    pub(super) fn added(&self) -> Vec<u64> {
        self.added.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// No run waits any more: one has failed.
    pub(super) fn stop(&self) {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.next_turn.notify_all();
    }

    /// Removes what was only for this ingest.
    pub(super) fn clear(&self) -> Result<(), Error> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).runs.clear(self.step)
    }

    /// Sorts a run. Its rows that are not held yet are parted by day, and what many threads are to write at once.
    pub(super) fn sort(&self, run: Run, threads: usize) -> Result<Vec<Part>, Error> {
        let mut compared = Compared::new(&run, &self.places);
        let span = compared.span();
        if !self.take_turn(&run, &mut compared, span)? {
            return Ok(Vec::new());
        }
        for day in compared.days() {
            let folder = day_folder(day);
            let is_near = |file: &&DataFile| {
                let own = Path::new(&file.path).parent();
                own == Some(Path::new(&folder)) && file.start[0] <= span[1] && span[0] <= file.start[1]
            };
            for file in self.data.iter().filter(is_near) {
                let path = self.folder.join(&file.path);
                let mut rows = held_rows(&path, Arc::clone(&self.sources))?;
                compared.drop_held(&mut rows).map_err(|reason| Error::damaged(&path, reason))?;
            }
        }
        compared.drop_repeated(self.horizon);
        let rows = compared.into_kept();
        let mut ends = Vec::new();
        for day in rows.chunk_by(|a, b| a.key.day() == b.key.day()) {
            let begin = ends.last().copied().unwrap_or_default();
            // When nothing follows, no thread is to be idle.
            let shares = if run.is_last { threads.min(day.len() / SHARE_ROWS) } else { 1 };
            let parts = day.len().div_ceil(PART_ROWS).max(shares);
            ends.extend((1..=parts).map(|part| begin + day.len() * part / parts));
        }
        let sorted = Arc::new((run, rows));
        let begins = std::iter::once(0).chain(ends.clone());
        let each = begins.zip(ends).enumerate();
        Ok(each.map(|(number, (from, to))| Part { number, sorted: Arc::clone(&sorted), rows: from..to }).collect())
    }

    /// Waits for the runs before; `false` when one of them failed.
    fn take_turn(&self, run: &Run, compared: &mut Compared<'_>, span: [i64; 2]) -> Result<bool, Error> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        while turns.next != run.number && !turns.stopped {
            turns = self.next_turn.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        if turns.stopped {
            return Ok(false);
        }
        let failed = |reason: io::Error| Error::at(&self.folder, &reason);
        turns.runs.each_near(span, |rows: &mut dyn Iterator<Item = io::Result<Earlier>>| {
            compared.count(rows).map_err(failed)
        })?;
        turns.runs.each_near(span, |rows: &mut dyn Iterator<Item = io::Result<Earlier>>| {
            compared.drop_held(rows).map_err(failed)
        })?;
        turns.runs.push(span, compared.earlier(), &self.folder.join(crate::lake::writer::HELD), self.step)?;
        turns.next += 1;
        drop(turns);
        self.next_turn.notify_all();
        Ok(true)
    }

    /// Writes a data file.
    pub(super) fn write(&self, part: &Part, files: &[OnceLock<Option<RecordFile>>]) -> Result<DataFile, Error> {
        let (run, rows) = &*part.sorted;
        let rows = rows.get(part.rows.clone()).unwrap_or_default();
        let day = rows.first().map_or(0, |row| row.key.day());
        let unique = format!("run-{}-{}", run.number, part.number);
        let mut writer = DataWriter::create(&self.folder, day, &unique, self.step)?;
        let origin = self.origin(run, files);
        let mut columns = Columns::default();
        for slice in rows.chunks(SLICE) {
            for row in slice {
                let file = usize::try_from(run.file_of(row)).unwrap_or(usize::MAX);
                if let Some(count) = self.added.get(file) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                let source = self.places.get(file).and_then(|place| usize::try_from(*place).ok()).unwrap_or_default();
                writer.note(row.key.calling(), row.key.start(), run.repeated(row), source);
            }
            writer.write(&self.batch(run, slice, &origin, &mut columns)?)?;
        }
        writer.finish(self.step)
    }

    fn batch(&self, run: &Run, rows: &[Sorted], origin: &Origin, columns: &mut Columns) -> Result<RecordBatch, Error> {
        let failed = |error| Error::damaged(&self.folder, error);
        for some in rows.chunks(AHEAD) {
            run.touch(some);
            some.iter().for_each(|row| columns.append(&row.key, row.occurrence, run.packed(row)));
        }
        let mut arrays = origin.arrays(run, rows).map_err(failed)?;
        arrays.extend(columns.finish().map_err(failed)?);
        RecordBatch::try_new(schema::written(), arrays).map_err(failed)
    }

    /// Where the rows of a run come from.
    fn origin(&self, run: &Run, files: &[OnceLock<Option<RecordFile>>]) -> Origin {
        let mut columns: [StringBuilder; 4] = Default::default();
        let own = run.files();
        for file in &own {
            let place = self.places.get(*file).and_then(|place| usize::try_from(*place).ok());
            let source = place.and_then(|place| self.sources.get(place));
            let known = files.get(*file).and_then(OnceLock::get).and_then(Option::as_ref);
            let values = [
                source.map(|own| own.network.as_str()),
                source.map(|own| own.source.as_str()),
                known.map(|own| own.name.as_str()),
                known.map(|own| own.sha256.as_str()),
            ];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value.unwrap_or_default()));
        }
        Origin { files: own, columns: columns.map(|mut column| -> ArrayRef { Arc::new(column.finish()) }) }
    }
}

/// Network, source, name and hash of each file of a run.
struct Origin {
    /// The files in order.
    files: Vec<usize>,
    columns: [ArrayRef; 4],
}

impl Origin {
    /// Those of rows: the number of its file for each row.
    fn arrays(&self, run: &Run, rows: &[Sorted]) -> Result<Vec<ArrayRef>, ArrowError> {
        let number = |row: &Sorted| {
            let file = usize::try_from(run.file_of(row)).unwrap_or(usize::MAX);
            self.files.binary_search(&file).ok().and_then(|number| i32::try_from(number).ok()).unwrap_or_default()
        };
        let numbers = Int32Array::from_iter_values(rows.iter().map(number));
        let columns = self.columns.iter().map(|values| -> Result<ArrayRef, ArrowError> {
            Ok(Arc::new(DictionaryArray::try_new(numbers.clone(), Arc::clone(values))?))
        });
        columns.collect()
    }
}
