//! Data files, open: what the footer of each says, and its side index. What was opened stays open, within bounds.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
    RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;

use super::error::Error;
use super::group::column_bytes;
use super::index::{DataId, Index, IndexFault};
use super::manifest::DataFile;
use super::positioned::read_exact_at;
use super::schema;

/// A data file and its side index.
#[derive(Debug)]
pub(super) struct OpenedFile {
    /// As the manifest names it.
    pub(super) path: String,
    /// Its bytes.
    pub(super) bytes: FileBytes,
    /// Its footer, without statistics and page index.
    pub(super) metadata: ParquetMetaData,
    /// The columns of each row group that need not be read, by their places.
    pub(super) known: Vec<Vec<(usize, Known)>>,
    /// The first row of each row group, and behind the last the number of rows.
    pub(super) first_rows: Vec<u32>,
    /// Its side index, or why there is none.
    pub(super) index: Result<Index, IndexFault>,
}

impl OpenedFile {
    /// Opens a file that the manifest names.
    pub(super) fn open(folder: &Path, data: &DataFile) -> Result<Self, Error> {
        let path = folder.join(&data.path);
        #[expect(clippy::disallowed_methods, reason = "the lake is an edge")]
        let file = File::open(&path).map_err(|reason| Error::at(&path, &reason))?;
        let length = file.metadata().map_err(|reason| Error::at(&path, &reason))?.len();
        if length != data.bytes {
            return Err(Error::damaged(
                &path,
                format!("it has {length} bytes, and {} when it was written", data.bytes),
            ));
        }
        let bytes = FileBytes { file: Arc::new(file), length };
        let damaged = |reason: ParquetError| Error::damaged(&path, reason);
        let known = footer(&bytes, &ParquetStatisticsPolicy::KeepAll).map_err(damaged)?;
        let known = known.row_groups().iter().map(known_columns).collect();
        // The manifest and the side index leave out what statistics would.
        let metadata = footer(&bytes, &ParquetStatisticsPolicy::SkipAll).map_err(damaged)?;
        let first_rows = first_rows(&metadata);
        let first_rows = first_rows.filter(|rows| rows.last().copied().map(u64::from) == Some(data.rows));
        let first_rows = first_rows
            .ok_or_else(|| Error::damaged(&path, format!("it does not have the {} records it should", data.rows)))?;
        let index = match (&data.index, name(&data.path).and_then(data_id)) {
            (Some(index), Some(id)) => Index::open(&folder.join(index), id, data.rows),
            _ => Err(IndexFault::Missing),
        };
        Ok(Self { path: data.path.clone(), bytes, metadata, known, first_rows, index })
    }

    fn memory(&self) -> usize {
        let known = self.known.iter().flatten().count() * size_of::<(usize, Known)>();
        known + self.metadata.memory_size() + self.index.as_ref().map_or(0, Index::memory)
    }

    /// The row group that a row stands in.
    pub(super) fn group_of(&self, row: u32) -> usize {
        self.first_rows.partition_point(|first| *first <= row).saturating_sub(1)
    }
}

/// The name of a data file, without its ending.
fn name(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.strip_suffix(".parquet")
}

/// The identity of a data file, by the SHA-256 that it is named by.
pub(super) fn data_id(sha256: &str) -> Option<DataId> {
    let (pairs, rest) = sha256.as_bytes().as_chunks::<2>();
    let mut id = DataId::default();
    if pairs.len() != id.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(id)
}

/// What the statistics of a column tell of all its rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// None has a value. Of lists this holds too: we write no empty elements but beside a number that was diverted.
    Empty,
    /// All have this text.
    Text(String),
}

fn known_columns(group: &RowGroupMetaData) -> Vec<(usize, Known)> {
    let mut known: Vec<(usize, Known)> = Vec::new();
    let mut is_diverted = true;
    for (place, column) in group.columns().iter().enumerate() {
        let name = column.column_path().parts().first().map_or("", String::as_str);
        let Some(own) = known_column(column) else { continue };
        is_diverted &= name != schema::DIVERSION;
        if is_diverted && [schema::DIVERSION_TECH_PREFIX, schema::DIVERSION_NUMBER].contains(&name) {
            continue;
        }
        known.push((place, own));
    }
    known
}

fn known_column(column: &ColumnChunkMetaData) -> Option<Known> {
    let statistics = column.statistics()?;
    let nulls = i64::try_from(statistics.null_count_opt()?).ok()?;
    if nulls == column.num_values() && column.column_descr().max_def_level() > 0 {
        return Some(Known::Empty);
    }
    let Statistics::ByteArray(texts) = statistics else { return None };
    let is_whole = texts.min_is_exact() && texts.max_is_exact() && nulls == 0;
    let is_whole = is_whole && column.column_descr().max_rep_level() == 0;
    let text = texts.min_opt().filter(|least| is_whole && texts.max_opt() == Some(*least))?;
    text.as_utf8().ok().map(|text| Known::Text(text.to_owned()))
}

fn footer(bytes: &FileBytes, statistics: &ParquetStatisticsPolicy) -> Result<ParquetMetaData, ParquetError> {
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(statistics.clone())
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let metadata = ParquetMetaDataReader::new().with_metadata_options(Some(options)).parse_and_finish(bytes)?;
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        if column_bytes(column)?.end > bytes.length {
            return Err(ParquetError::General("a column ends behind its end".to_owned()));
        }
    }
    Ok(metadata)
}

fn first_rows(metadata: &ParquetMetaData) -> Option<Vec<u32>> {
    let mut rows = Vec::with_capacity(metadata.num_row_groups() + 1);
    let mut sum = 0_u32;
    for group in metadata.row_groups() {
        rows.push(sum);
        sum = sum.checked_add(u32::try_from(group.num_rows()).ok()?)?;
    }
    rows.push(sum);
    Some(rows)
}

/// The bytes of a file, which threads read side by side.
#[derive(Clone, Debug)]
pub(super) struct FileBytes {
    file: Arc<File>,
    length: u64,
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for FileBytes {
    type T = io::BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(io::BufReader::with_capacity(READ_AHEAD, From { bytes: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        // Before anything is allocated: a damaged footer may name any length.
        if self.length.checked_sub(start).is_none_or(|rest| rest < wanted) {
            return Err(ParquetError::EOF(format!("{length} bytes from {start} on reach beyond its end")));
        }
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, start)?;
        Ok(bytes.into())
    }
}

const READ_AHEAD: usize = 64 * 1024;

/// A file from a place on.
#[derive(Debug)]
pub(super) struct From {
    bytes: FileBytes,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.bytes.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = rest.min(buffer.len());
        read_exact_at(&self.bytes.file, &mut buffer[..length], self.at)?;
        self.at += u64::try_from(length).unwrap_or_default();
        Ok(length)
    }
}

/// Data files that were opened, so that the next question finds them open.
#[derive(Debug, Default)]
pub(super) struct OpenedFiles(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, (u64, Arc<OpenedFile>)>,
    memory: usize,
    uses: u64,
}

/// Each keeps two files open, and many systems allow 1,024.
const MAX_OPEN: usize = 256;
/// Footers and tables of indexes: about 4 MiB for ten million records.
const MAX_MEMORY: usize = 256 << 20;

impl OpenedFiles {
    /// The file, open.
    pub(super) fn open(&self, folder: &Path, data: &DataFile) -> Result<Arc<OpenedFile>, Error> {
        if let Some(file) = self.kept().find(&data.path) {
            return Ok(file);
        }
        let file = Arc::new(OpenedFile::open(folder, data)?);
        self.kept().keep(Arc::clone(&file));
        Ok(file)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Whoever panicked left it whole: nothing between two changes can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, path: &str) -> Option<Arc<OpenedFile>> {
        self.uses += 1;
        let (used, file) = self.files.get_mut(path)?;
        *used = self.uses;
        Some(Arc::clone(file))
    }

    fn keep(&mut self, file: Arc<OpenedFile>) {
        self.memory += file.memory();
        if let Some((_, before)) = self.files.insert(file.path.clone(), (self.uses, file)) {
            self.memory = self.memory.saturating_sub(before.memory());
        }
        while self.files.len() > MAX_OPEN || self.memory > MAX_MEMORY && self.files.len() > 1 {
            let oldest = self.files.iter().min_by_key(|(_, (used, _))| *used).map(|(path, _)| path.clone());
            let Some((_, file)) = oldest.and_then(|path| self.files.remove(&path)) else { return };
            self.memory = self.memory.saturating_sub(file.memory());
        }
    }
}
