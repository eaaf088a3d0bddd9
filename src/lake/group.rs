//! One row group of a data file: the rows wanted of the columns wanted, and no page besides.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::{FieldRef, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
};
use parquet::file::page_index::offset_index::PageLocation;

use super::opened::{FileBytes, Known, OpenedFile};

/// A row group, ready to be read.
pub(super) struct Group {
    bytes: FileBytes,
    metadata: ArrowReaderMetadata,
    /// Columns that need not be read.
    known: Vec<(FieldRef, Known)>,
    rows: usize,
}

/// Rows of a batch: what one thread holds at a time.
const BATCH: usize = 1024;

impl Group {
    /// The row group of that number; where its pages lie is read now.
    pub(super) fn open(file: &OpenedFile, number: usize) -> Result<Self, ParquetError> {
        unless_it_panics(|| Self::of_file(file, number))
    }

    fn of_file(file: &OpenedFile, number: usize) -> Result<Self, ParquetError> {
        let own = file.metadata.row_group(number).clone();
        let rows = usize::try_from(own.num_rows())?;
        let alone = ParquetMetaDataBuilder::new(file.metadata.file_metadata().clone()).add_row_group(own).build();
        let mut reader = ParquetMetaDataReader::new_with_metadata(alone)
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        reader.read_page_indexes(&file.bytes)?;
        let read = reader.finish()?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(placed(read, rows)?), ArrowReaderOptions::new())?;
        let descriptors = metadata.parquet_schema();
        let field = |place: usize| {
            let name = descriptors.columns().get(place)?.path().parts().first()?.clone();
            metadata.schema().fields().find(&name).map(|(_, field)| Arc::clone(field))
        };
        let known = file.known.get(number).into_iter().flatten();
        let known = known.filter_map(|(place, known)| Some((field(*place)?, known.clone()))).collect();
        Ok(Self { bytes: file.bytes.clone(), metadata, known, rows })
    }

    /// Gives these rows of these columns, in batches. The ranges count from the group's first row, in order.
    pub(super) fn read(
        &self,
        columns: &[&str],
        rows: &[Range<u32>],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let known: Vec<_> = self.known.iter().filter(|(field, _)| columns.contains(&field.name().as_str())).collect();
        let is_read = |name: &&str| known.iter().all(|(field, _)| field.name() != name);
        let names = columns.iter().copied().filter(is_read);
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), names);
        let place = |row: u32| usize::try_from(row).unwrap_or(usize::MAX).min(self.rows);
        let ranges = rows.iter().map(|range| place(range.start)..place(range.end));
        let selection = RowSelection::from_consecutive_ranges(ranges, self.rows);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(BATCH.min(selection.row_count().max(1)))
            .with_row_selection(selection);
        let mut reader = unless_it_panics(|| reader.build())?;
        while let Some(batch) = unless_it_panics(|| reader.next().transpose())? {
            take(&with_known(&known, batch)?)?;
        }
        Ok(())
    }
}

/// A batch with the columns that need not be read.
fn with_known(known: &[&(FieldRef, Known)], batch: RecordBatch) -> Result<RecordBatch, ParquetError> {
    let (schema, mut columns, rows) = batch.into_parts();
    let mut fields = schema.fields().to_vec();
    for (field, own) in known {
        columns.push(match own {
            Known::Empty => new_null_array(field.data_type(), rows),
            Known::Text(text) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows))),
        });
        fields.push(Arc::clone(field));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

/// What the Parquet reader gives. Where the bytes of a page are damaged, it may panic: that is an error like another.
fn unless_it_panics<T, E>(read: impl FnOnce() -> Result<T, E>) -> Result<T, ParquetError>
where
    ParquetError: From<E>,
{
    // What it leaves half-done is dropped by who gets the error.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => Ok(read?),
        Err(_) => Err(ParquetError::General("its reader could not make sense of a page".to_owned())),
    }
}

/// The metadata, where its pages lie one after another in their column and begin with ascending rows: the reader
/// believes what they say.
fn placed(metadata: ParquetMetaData, rows: usize) -> Result<ParquetMetaData, ParquetError> {
    if let Some(places) = metadata.page_index().filter(|index| index.has_offset_indexes()) {
        for (number, column) in metadata.row_group(0).columns().iter().enumerate() {
            let pages = places.offset_index(0, number);
            are_placed(pages.map_or(&[], |pages| pages.page_locations()), &column_bytes(column)?, rows)?;
        }
    }
    Ok(metadata)
}

fn are_placed(pages: &[PageLocation], column: &Range<u64>, rows: usize) -> Result<(), ParquetError> {
    let bad = |reason: &str| Err(ParquetError::General(format!("the places of its pages are wrong: {reason}")));
    let (mut end, mut row) = (column.start, None);
    for page in pages {
        let (Ok(offset), Ok(size)) = (u64::try_from(page.offset), u64::try_from(page.compressed_page_size)) else {
            return bad("one is negative");
        };
        let is_next = row.map_or(page.first_row_index == 0, |before| page.first_row_index > before);
        if !is_next || usize::try_from(page.first_row_index).map_or(true, |first| first >= rows) {
            return bad("their rows do not ascend");
        }
        if offset < end {
            return bad("one begins within another");
        }
        end = offset.saturating_add(size);
        row = Some(page.first_row_index);
    }
    if row.is_none() || end > column.end {
        return bad("they do not lie in their column");
    }
    Ok(())
}

/// Where a column of a row group lies in its file.
///
/// # Errors
/// When that is nowhere.
pub(super) fn column_bytes(column: &ColumnChunkMetaData) -> Result<Range<u64>, ParquetError> {
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let end = start.checked_add(column.compressed_size()).filter(|end| *end >= start);
    match (u64::try_from(start), end.map(u64::try_from)) {
        (Ok(start), Some(Ok(end))) => Ok(start..end),
        _ => Err(ParquetError::General("a column lies nowhere in it".to_owned())),
    }
}
