//! A data file: records of one day, sorted, as Parquet.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use jiff::civil::Date;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::disk::{Pending, Step};
use super::error::Error;
use super::index::IndexBuilder;
use super::manifest::{DataFile, SourceName};
use super::opened::data_id;
use super::run::{DAY, Key, NO_NUMBER};
use super::schema;
use super::seen::Earlier;
use crate::time::UnixTime;

/// Where data files lie, relative to the lake's folder.
pub(super) const CALLS: &str = "calls";

/// Where their side indexes lie: apart, because other engines take whatever lies below [`CALLS`] for data.
pub(super) const INDEX: &str = "index";

/// Rows of a data page: a lookup reads one or two of each column.
const PAGE_ROWS: usize = 2048;

/// Rows of a row group.
const GROUP_ROWS: usize = 1024 * 1024;

/// Rows of a file that others were merged into.
pub(super) const MERGED_ROWS: u64 = 4 * 1024 * 1024;

/// The folder of a day, relative to the lake's: `calls/day=2026-05-04`.
pub(super) fn day_folder(day: i64) -> String {
    format!("{CALLS}/day={}", date(day))
}

/// The day of an instant, in UTC: `2026-05-04`.
pub(super) fn day_name(instant: UnixTime) -> String {
    date(instant.seconds().div_euclid(DAY)).to_string()
}

fn date(day: i64) -> Date {
    let epoch = Date::constant(1970, 1, 1);
    let days = i32::try_from(day).unwrap_or_default();
    epoch.checked_add(jiff::Span::new().try_days(days).unwrap_or_default()).unwrap_or(epoch)
}

/// The day of a data file, from where it lies.
pub(super) fn day_of(path: &str) -> i64 {
    let date = path.split("day=").nth(1).and_then(|rest| rest.split('/').next());
    let date: Option<Date> = date.and_then(|text| text.parse().ok());
    let since = date.and_then(|date| date.since((jiff::Unit::Day, Date::constant(1970, 1, 1))).ok());
    since.map_or(0, |span| i64::from(span.get_days()))
}

/// Writes a data file.
pub(super) struct DataWriter {
    parquet: ArrowWriter<Pending>,
    folder: String,
    start: [i64; 2],
    calling: Option<[i64; 2]>,
    rows: u64,
    /// Rows of each source, by its place in the manifest.
    counts: Vec<(usize, u64)>,
    index: IndexBuilder,
    lake: PathBuf,
    unique: String,
}

impl DataWriter {
    /// Begins the file of a day; `unique` tells it from others that are being written.
    pub(super) fn create(lake: &Path, day: i64, unique: &str, step: Step<'_>) -> Result<Self, Error> {
        let folder = day_folder(day);
        let pending = Pending::create(&lake.join(&folder), &format!("{unique}.parquet"), step)?;
        let path = pending.path().to_owned();
        // Other engines know the columns by Parquet's own types.
        let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
        let parquet = ArrowWriter::try_new_with_options(pending, schema::schema(), options)
            .map_err(|error| Error::writing(&path, error))?;
        Ok(Self {
            parquet,
            folder,
            start: [i64::MAX, i64::MIN],
            calling: None,
            rows: 0,
            counts: Vec::new(),
            index: IndexBuilder::new(),
            lake: lake.to_owned(),
            unique: unique.to_owned(),
        })
    }

    /// Notes a row, in the order of the file: what the manifest has to say of it.
    pub(super) fn note(&mut self, calling: i64, start: i64, repeated: Option<i64>, source: usize) {
        for instant in [Some(start), repeated].into_iter().flatten() {
            self.start = [self.start[0].min(instant), self.start[1].max(instant)];
        }
        if calling != NO_NUMBER {
            let [least, most] = self.calling.unwrap_or([calling, calling]);
            self.calling = Some([least.min(calling), most.max(calling)]);
        }
        self.rows += 1;
        match self.counts.iter_mut().find(|(own, _)| *own == source) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((source, 1)),
        }
    }

    /// Writes rows; each was noted.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.index.add_batch(batch).map_err(|fault| Error::damaged(self.parquet.inner().path(), fault))?;
        let written = self.parquet.write(batch);
        written.map_err(|error| Error::writing(self.parquet.inner().path(), error))
    }

    /// Rows so far.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Puts the file in place.
    pub(super) fn finish(mut self, step: Step<'_>) -> Result<DataFile, Error> {
        let path = self.parquet.inner().path().to_owned();
        let pending = self.parquet.into_inner().map_err(|error| Error::writing(&path, error))?;
        let sha256 = pending.sha256();
        let name = format!("{sha256}.parquet");
        let bytes = pending.length();
        pending.keep(&name, step)?;
        let index =
            Beside { lake: &self.lake, folder: &self.folder, unique: &self.unique }.keep(self.index, &sha256, step)?;
        self.counts.sort_unstable();
        Ok(DataFile {
            path: format!("{}/{name}", self.folder),
            bytes,
            rows: self.rows,
            start: self.start,
            calling: self.calling,
            sources: self.counts.iter().map(|(source, _)| *source).collect(),
            counts: self.counts.iter().map(|(_, count)| *count).collect(),
            index: Some(index),
        })
    }
}

/// Where the side index of a data file goes.
struct Beside<'a> {
    lake: &'a Path,
    folder: &'a str,
    unique: &'a str,
}

impl Beside<'_> {
    fn keep(&self, index: IndexBuilder, sha256: &str, step: Step<'_>) -> Result<String, Error> {
        let day = self.folder.strip_prefix(CALLS).unwrap_or(self.folder);
        let folder = format!("{INDEX}{day}");
        let mut pending = Pending::create(&self.lake.join(&folder), &format!("{}.index", self.unique), step)?;
        let written = index.finish(data_id(sha256).unwrap_or_default(), &mut pending);
        written.map_err(|reason| Error::at(pending.path(), &reason))?;
        let name = format!("{sha256}.index");
        pending.keep(&name, step)?;
        Ok(format!("{folder}/{name}"))
    }
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("stirtrace {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(64));
    for name in [schema::CALLING.integer, schema::CALLED.integer, schema::START] {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Page);
    }
    // Neither does it pack random bytes, nor is there a range of texts to be left out.
    properties = properties.set_column_compression(ColumnPath::from(schema::FINGERPRINT), Compression::UNCOMPRESSED);
    for name in schema::UNRANGED {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None);
    }
    for (name, encoding) in plain_columns() {
        let path = ColumnPath::from(name);
        properties = properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    for list in [schema::IDENTITY, schema::DIVERSION] {
        let path = ColumnPath::new(vec![list.to_owned(), "list".to_owned(), "element".to_owned()]);
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    properties.build()
}

/// Columns whose values seldom come twice, or come in order: a dictionary would only cost time.
fn plain_columns() -> [(&'static str, Encoding); 15] {
    let [_, _, ingress_call_id] = schema::INGRESS;
    let [_, _, egress_call_id] = schema::EGRESS;
    [
        (schema::LINE, Encoding::DELTA_BINARY_PACKED),
        (schema::FINGERPRINT, Encoding::PLAIN),
        (schema::START, Encoding::DELTA_BINARY_PACKED),
        (schema::START_REPEATED, Encoding::DELTA_BINARY_PACKED),
        (schema::ANSWER, Encoding::DELTA_BINARY_PACKED),
        (schema::END, Encoding::DELTA_BINARY_PACKED),
        (schema::CALLING.integer, Encoding::DELTA_BINARY_PACKED),
        (schema::CALLING.text, Encoding::DELTA_BYTE_ARRAY),
        (schema::CALLED.integer, Encoding::PLAIN),
        (schema::CALLED.text, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (schema::ORIGINAL_CALLED.integer, Encoding::PLAIN),
        (schema::ORIGINAL_CALLED.text, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (ingress_call_id, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (egress_call_id, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (schema::TOKEN, Encoding::PLAIN),
    ]
}

/// Reads the rows of a data file, in their order, some thousand at once.
pub(super) fn read(path: &Path, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReader, Error> {
    let file = File::options().read(true).open(path).map_err(|reason| Error::at(path, &reason))?;
    let damaged = |error: ParquetError| Error::damaged(path, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    let mask = match columns {
        Some(names) => ProjectionMask::columns(builder.parquet_schema(), names.iter().copied()),
        None => ProjectionMask::all(),
    };
    builder.with_projection(mask).with_batch_size(BATCH).build().map_err(damaged)
}

/// Rows read at once.
const BATCH: usize = 8192;

/// The rows of a data file as later rows are compared with them.
pub(super) fn held_rows(
    path: &Path,
    sources: Arc<[SourceName]>,
) -> Result<impl Iterator<Item = io::Result<Earlier>>, Error> {
    let columns = [
        schema::NETWORK,
        schema::SOURCE,
        schema::CALLING.integer,
        schema::START,
        schema::FINGERPRINT,
        schema::OCCURRENCE,
    ];
    let batches = read(path, Some(&columns))?;
    let rows =
        move |batch: RecordBatch| compared(&batch, &sources).ok_or_else(|| io::Error::other("a column is missing"));
    let batches = batches.map(move |batch| batch.map_err(io::Error::other).and_then(&rows));
    Ok(batches.flat_map(|rows| match rows {
        Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(reason) => vec![Err(reason)],
    }))
}

fn compared(batch: &RecordBatch, sources: &[SourceName]) -> Option<Vec<Earlier>> {
    let keyed = Keyed::new(batch)?;
    let occurrence = batch.column_by_name(schema::OCCURRENCE)?.as_primitive_opt::<Int32Type>()?;
    let mut last = None;
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let source = keyed.names.place(row, sources, &mut last).and_then(|place| u32::try_from(place).ok());
        let occurrence = u32::try_from(occurrence.value(row)).ok()?;
        rows.push(Earlier { key: keyed.key(row)?, source: source.unwrap_or(u32::MAX), file: None, occurrence });
    }
    Some(rows)
}

/// What sorts a row, and what the manifest has to say of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowInfo {
    /// Where it belongs.
    pub(super) key: Key,
    /// The other instant that it may begin at.
    pub(super) repeated: Option<i64>,
    /// Whose it is, by the source's place in the manifest.
    pub(super) source: usize,
}

/// What there is to say of the rows of a batch; `None` where a column is missing, or a source is unknown.
pub(super) fn infos(batch: &RecordBatch, sources: &[SourceName]) -> Option<Vec<RowInfo>> {
    let keyed = Keyed::new(batch)?;
    let repeated = batch.column_by_name(schema::START_REPEATED)?.as_primitive_opt::<TimestampMillisecondType>()?;
    let mut last = None;
    let mut infos = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let source = keyed.names.place(row, sources, &mut last)?;
        let repeated = repeated.is_valid(row).then(|| repeated.value(row).div_euclid(1000));
        infos.push(RowInfo { key: keyed.key(row)?, repeated, source });
    }
    Some(infos)
}

/// The columns that sort rows, and those that name their source.
struct Keyed<'a> {
    names: SourceColumns<'a>,
    calling: &'a Int64Array,
    start: &'a TimestampMillisecondArray,
    fingerprint: &'a FixedSizeBinaryArray,
}

impl<'a> Keyed<'a> {
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        Some(Self {
            names: SourceColumns::new(batch)?,
            calling: batch.column_by_name(schema::CALLING.integer)?.as_primitive_opt::<Int64Type>()?,
            start: batch.column_by_name(schema::START)?.as_primitive_opt::<TimestampMillisecondType>()?,
            fingerprint: batch.column_by_name(schema::FINGERPRINT)?.as_fixed_size_binary_opt()?,
        })
    }

    fn key(&self, row: usize) -> Option<Key> {
        let number = if self.calling.is_valid(row) { self.calling.value(row) } else { NO_NUMBER };
        let start = self.start.value(row).div_euclid(1000);
        Some(Key::new(number, start, self.fingerprint.value(row).try_into().ok()?))
    }
}

/// The columns that name a row's source.
struct SourceColumns<'a> {
    network: &'a StringArray,
    source: &'a StringArray,
}

impl<'a> SourceColumns<'a> {
    /// Those of a batch.
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        Some(Self { network: text(schema::NETWORK)?, source: text(schema::SOURCE)? })
    }

    /// The place of a row's source among those named; `last` is where the row before had it.
    fn place(&self, row: usize, sources: &[SourceName], last: &mut Option<usize>) -> Option<usize> {
        let (network, source) = (self.network.value(row), self.source.value(row));
        let is_it = |own: &SourceName| own.network == network && own.source == source;
        if !last.and_then(|place| sources.get(place)).is_some_and(is_it) {
            *last = sources.iter().position(is_it);
        }
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_s_folder_bears_its_date() {
        assert_eq!(day_folder(20_577), "calls/day=2026-05-04");
        assert_eq!(day_folder(-1), "calls/day=1969-12-31");
        for day in [-719_000, -1, 0, 20_577, 2_900_000] {
            assert_eq!(day_of(&format!("{}/00ff.parquet", day_folder(day))), day);
        }
    }
}
