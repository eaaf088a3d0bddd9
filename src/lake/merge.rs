//! Sorted files merged into one sorted stream, a few thousand rows of each in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::data::{self, RowInfo};
use super::error::Error;
use super::manifest::{DataFile, SourceName};
use super::run::Key;
use super::schema;

/// Rows given at once.
const SLICE: usize = 8192;

/// Files being merged.
pub(super) struct Merge {
    sources: Arc<[SourceName]>,
    files: Vec<Merged>,
    /// The next row of each file.
    next: BinaryHeap<Reverse<(Key, usize)>>,
    /// What the rows given next stand in.
    batches: Vec<RecordBatch>,
}

struct Merged {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// Where its batch stands among the batches.
    batch: usize,
    infos: Vec<RowInfo>,
    row: usize,
}

impl Merge {
    /// Opens files for merging.
    pub(super) fn new(lake: &Path, files: &[DataFile], sources: &[SourceName]) -> Result<Self, Error> {
        let mut merge =
            Self { sources: sources.into(), files: Vec::new(), next: BinaryHeap::new(), batches: Vec::new() };
        for file in files {
            let path = lake.join(&file.path);
            let reader = data::read(&path, None)?;
            merge.files.push(Merged { path, reader, batch: 0, infos: Vec::new(), row: 0 });
            merge.load(merge.files.len() - 1)?;
        }
        Ok(merge)
    }

    /// The next rows, so many at most; none at the end.
    pub(super) fn next(&mut self, most: u64) -> Result<Option<(RecordBatch, Vec<RowInfo>)>, Error> {
        let most = usize::try_from(most).unwrap_or(SLICE).min(SLICE);
        let (mut places, mut infos) = (Vec::with_capacity(most), Vec::with_capacity(most));
        while places.len() < most {
            let Some(Reverse((_, index))) = self.next.pop() else { break };
            let Some(file) = self.files.get_mut(index) else { break };
            places.push((file.batch, file.row));
            infos.extend(file.infos.get(file.row).copied());
            file.row += 1;
            match file.infos.get(file.row) {
                Some(info) => self.next.push(Reverse((info.key, index))),
                None => self.load(index)?,
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let batch = interleave_record_batch(&batches, &places);
        let batch = batch.map_err(|reason| Error::damaged(&self.files[0].path, reason))?;
        self.let_go();
        Ok(Some((batch, infos)))
    }

    /// Reads on in a file whose rows are all given.
    fn load(&mut self, index: usize) -> Result<(), Error> {
        let Some(file) = self.files.get_mut(index) else { return Ok(()) };
        let Some(batch) = file.reader.next() else {
            file.infos.clear();
            return Ok(());
        };
        let batch = batch.map_err(|reason| Error::damaged(&file.path, reason))?;
        // The columns as our own schema has them, whatever a reader makes of their names and kinds.
        let batch = RecordBatch::try_new(schema::schema(), batch.columns().to_vec());
        let batch = batch.map_err(|reason| Error::damaged(&file.path, reason))?;
        let infos = data::infos(&batch, &self.sources);
        file.infos =
            infos.ok_or_else(|| Error::damaged(&file.path, "a row of a source that the manifest does not know"))?;
        file.row = 0;
        file.batch = self.batches.len();
        if let Some(info) = file.infos.first() {
            self.next.push(Reverse((info.key, index)));
        }
        self.batches.push(batch);
        Ok(())
    }

    /// Lets batches go whose rows are all given.
    fn let_go(&mut self) {
        let mut kept = Vec::with_capacity(self.files.len());
        for file in self.files.iter_mut().filter(|file| file.row < file.infos.len()) {
            if let Some(batch) = self.batches.get(file.batch) {
                kept.push(batch.clone());
                file.batch = kept.len() - 1;
            }
        }
        self.batches = kept;
    }
}
