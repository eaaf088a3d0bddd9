//! From a run to data files: sorted, compared with what is held, written.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use arrow_array::builder::{Int32Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};

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

/// Rows put together at once.
const SLICE: usize = 16 * 1024;

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

    /// Writes the rows of a run that are not held yet, a file a day.
    pub(super) fn write(&self, run: &Run, files: &[OnceLock<RecordFile>]) -> Result<Vec<DataFile>, Error> {
        let mut compared = Compared::new(run, &self.places);
        let span = compared.span();
        if !self.take_turn(run, &mut compared, span)? {
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
        let kept = compared.into_kept();
        let days = kept.chunk_by(|a, b| a.key.day() == b.key.day());
        days.map(|rows| self.write_day(run, rows, files)).collect()
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

    fn write_day(&self, run: &Run, rows: &[Sorted], files: &[OnceLock<RecordFile>]) -> Result<DataFile, Error> {
        let day = rows.first().map_or(0, |row| row.key.day());
        let mut writer = DataWriter::create(&self.folder, day, &format!("run-{}", run.number), self.step)?;
        for slice in rows.chunks(SLICE) {
            for row in slice {
                let file = usize::try_from(run.file_of(row)).unwrap_or(usize::MAX);
                if let Some(count) = self.added.get(file) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                let source = self.places.get(file).and_then(|place| usize::try_from(*place).ok()).unwrap_or_default();
                writer.note(row.key.calling(), row.key.start(), run.repeated(row), source);
            }
            writer.write(&self.batch(run, slice, files)?)?;
        }
        writer.finish(self.step)
    }

    fn batch(&self, run: &Run, rows: &[Sorted], files: &[OnceLock<RecordFile>]) -> Result<RecordBatch, Error> {
        let failed = |error| Error::damaged(&self.folder, error);
        let mut arrays = self.origin(run, rows, files);
        for column in 0..run.columns() {
            if column == 1 {
                let mut occurrence = Int32Builder::with_capacity(rows.len());
                rows.iter().for_each(|row| occurrence.append_value(i32::try_from(row.occurrence).unwrap_or(i32::MAX)));
                arrays.push(Arc::new(occurrence.finish()));
            }
            arrays.push(run.column(column, rows).map_err(failed)?);
        }
        RecordBatch::try_new(schema::schema(), arrays).map_err(failed)
    }

    /// Network, source, file and its hash.
    fn origin(&self, run: &Run, rows: &[Sorted], files: &[OnceLock<RecordFile>]) -> Vec<ArrayRef> {
        let mut columns: [StringBuilder; 4] = Default::default();
        for row in rows {
            let file = usize::try_from(run.file_of(row)).unwrap_or(usize::MAX);
            let place = self.places.get(file).and_then(|place| usize::try_from(*place).ok());
            let source = place.and_then(|place| self.sources.get(place));
            let known = files.get(file).and_then(OnceLock::get);
            let values = [
                source.map(|own| own.network.as_str()),
                source.map(|own| own.source.as_str()),
                known.map(|own| own.name.as_str()),
                known.map(|own| own.sha256.as_str()),
            ];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value.unwrap_or_default()));
        }
        columns.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }).collect()
    }
}
