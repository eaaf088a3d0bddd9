//! Packed rows on their way into columns.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, StringArray, new_null_array};
use arrow_schema::{ArrowError, DataType, Field};

use super::packed::{CELLS, Kind, Unpacker};
use super::run::{Key, NO_NUMBER};
use super::schema;

/// The columns that a record fills: all but its origin.
#[derive(Debug)]
pub(super) struct Columns {
    rows: usize,
    occurrence: Int32Builder,
    fingerprint: FixedSizeBinaryBuilder,
    start: TimestampMillisecondBuilder,
    calling: Int64Builder,
    cells: Vec<Column>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            rows: 0,
            occurrence: Int32Builder::new(),
            fingerprint: FixedSizeBinaryBuilder::new(16),
            start: instants(),
            calling: Int64Builder::new(),
            cells: CELLS.iter().map(|(_, kind)| Column::new(*kind)).collect(),
        }
    }
}

impl Columns {
    /// Adds a row.
    pub(super) fn append(&mut self, key: &Key, occurrence: u32, packed: &[u8]) {
        self.occurrence.append_value(i32::try_from(occurrence).unwrap_or(i32::MAX));
        // Sixteen bytes go into a column of sixteen bytes.
        let _ = self.fingerprint.append_value(key.fingerprint.to_be_bytes());
        self.start.append_value(key.start().saturating_mul(1000));
        self.calling.append_option(Some(key.calling()).filter(|calling| *calling != NO_NUMBER));
        let mut row = Unpacker::new(packed);
        while let Some(cell) = row.next_cell() {
            if let Some(column) = self.cells.get_mut(cell) {
                column.append(self.rows, &mut row);
            }
        }
        self.rows += 1;
    }

    /// The columns, in the order of the schema; no row is left.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let cells: Result<Vec<ArrayRef>, ArrowError> = self.cells.iter_mut().map(|own| own.finish(rows)).collect();
        let mut cells = cells?.into_iter();
        let mut arrays: Vec<ArrayRef> = cells.by_ref().take(LINE_ONLY).collect();
        arrays.push(Arc::new(self.occurrence.finish()));
        arrays.push(Arc::new(self.fingerprint.finish()));
        arrays.push(Arc::new(self.start.finish()));
        arrays.extend(cells.by_ref().take(OTHER_INSTANTS));
        arrays.push(Arc::new(self.calling.finish()));
        arrays.extend(cells);
        Ok(arrays)
    }
}

/// The line stands before what the key says of a row.
const LINE_ONLY: usize = 1;
/// The instants but the start stand before the calling number.
const OTHER_INSTANTS: usize = 3;

/// A column; rows that have no cell in it are added when the next one has, or at the end.
#[derive(Debug)]
struct Column {
    rows: usize,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    Flag(BooleanBuilder),
    Instant(TimestampMillisecondBuilder),
    Integer(Int64Builder),
    Small(Int32Builder),
    /// Whether they are UTF-8 is seen of all of them at once.
    Text(BinaryBuilder),
    Texts(ListBuilder<StringBuilder>),
}

fn instants() -> TimestampMillisecondBuilder {
    TimestampMillisecondBuilder::new().with_data_type(schema::instant())
}

impl Column {
    fn new(kind: Kind) -> Self {
        let cells = match kind {
            Kind::Flag => Cells::Flag(BooleanBuilder::new()),
            Kind::Instant => Cells::Instant(instants()),
            Kind::Integer => Cells::Integer(Int64Builder::new()),
            Kind::Small => Cells::Small(Int32Builder::new()),
            Kind::Text => Cells::Text(BinaryBuilder::new()),
            Kind::Texts => Cells::Texts(ListBuilder::new(StringBuilder::new()).with_field(Field::new(
                "element",
                DataType::Utf8,
                true,
            ))),
        };
        Self { rows: 0, cells }
    }

    /// Adds the next cell of that row.
    fn append(&mut self, row: usize, cells: &mut Unpacker<'_>) {
        self.pad(row);
        self.rows += 1;
        match &mut self.cells {
            Cells::Flag(own) => own.append_value(cells.fixed() != [0]),
            Cells::Instant(own) => own.append_value(i64::from_le_bytes(cells.fixed())),
            Cells::Integer(own) => own.append_value(i64::from_le_bytes(cells.fixed())),
            Cells::Small(own) => own.append_value(i32::from_le_bytes(cells.fixed())),
            Cells::Text(own) => own.append_value(cells.text()),
            Cells::Texts(own) => {
                // They were texts when they were packed.
                cells.each_text(|text| own.values().append_option(text.and_then(|text| str::from_utf8(text).ok())));
                own.append(true);
            }
        }
    }

    /// Adds empty cells up to that row.
    fn pad(&mut self, row: usize) {
        let missing = row.saturating_sub(self.rows);
        if missing == 0 {
            return;
        }
        self.rows = row;
        match &mut self.cells {
            Cells::Flag(own) => own.append_nulls(missing),
            Cells::Instant(own) => own.append_nulls(missing),
            Cells::Integer(own) => own.append_nulls(missing),
            Cells::Small(own) => own.append_nulls(missing),
            Cells::Text(own) => own.append_nulls(missing),
            Cells::Texts(own) => own.append_nulls(missing),
        }
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        if self.rows == 0 {
            return Ok(new_null_array(&self.kind(), rows));
        }
        self.pad(rows);
        self.rows = 0;
        Ok(match &mut self.cells {
            Cells::Flag(own) => Arc::new(own.finish()),
            Cells::Instant(own) => Arc::new(own.finish()),
            Cells::Integer(own) => Arc::new(own.finish()),
            Cells::Small(own) => Arc::new(own.finish()),
            Cells::Text(own) => {
                let texts = own.finish();
                // The next rows will be much like these.
                *own = BinaryBuilder::with_capacity(rows, texts.value_data().len());
                Arc::new(StringArray::try_from_binary(texts)?)
            }
            Cells::Texts(own) => Arc::new(own.finish()),
        })
    }

    fn kind(&self) -> DataType {
        match self.cells {
            Cells::Flag(_) => DataType::Boolean,
            Cells::Instant(_) => schema::instant(),
            Cells::Integer(_) => DataType::Int64,
            Cells::Small(_) => DataType::Int32,
            Cells::Text(_) => DataType::Utf8,
            Cells::Texts(_) => schema::texts(),
        }
    }
}
