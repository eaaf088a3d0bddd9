//! One row group of a data file: the rows wanted of the columns wanted, and no page besides.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataBuilder, ParquetMetaDataReader};

use super::opened::{FileBytes, OpenedFile};

/// A row group, ready to be read.
pub(super) struct Group {
    bytes: FileBytes,
    metadata: ArrowReaderMetadata,
    rows: usize,
}

/// Rows of a batch: what one thread holds at a time.
const BATCH: usize = 1024;

impl Group {
    /// The row group of that number; where its pages lie is read now.
    pub(super) fn open(file: &OpenedFile, number: usize) -> Result<Self, ParquetError> {
        let own = file.metadata.row_group(number).clone();
        let rows = usize::try_from(own.num_rows())?;
        let alone = ParquetMetaDataBuilder::new(file.metadata.file_metadata().clone()).add_row_group(own).build();
        let mut reader = ParquetMetaDataReader::new_with_metadata(alone)
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        reader.read_page_indexes(&file.bytes)?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(reader.finish()?), ArrowReaderOptions::new())?;
        Ok(Self { bytes: file.bytes.clone(), metadata, rows })
    }

    /// Gives these rows of these columns, in batches. The ranges count from the group's first row, in order.
    pub(super) fn read(
        &self,
        columns: &[&str],
        rows: &[Range<u32>],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), columns.iter().copied());
        let place = |row: u32| usize::try_from(row).unwrap_or(usize::MAX).min(self.rows);
        let ranges = rows.iter().map(|range| place(range.start)..place(range.end));
        let selection = RowSelection::from_consecutive_ranges(ranges, self.rows);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(BATCH.min(selection.row_count().max(1)))
            .with_row_selection(selection)
            .build()?;
        for batch in reader {
            take(&batch?)?;
        }
        Ok(())
    }
}
