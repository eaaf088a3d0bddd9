//! Building a side index while the Parquet file is written, row by row.

use std::io::{self, Write};

use super::footer::Footer;
use arrow_array::RecordBatch;

use super::{BLOCK, BLOCK_HEAD, DataId, MAX_COUNTRIES, NO_NUMBER, STEP, TEN_DIGITS, checksum};
use crate::lake::keys::KeyColumns;
use crate::lake::rows::NoColumn;

/// What goes into the side index of a file, in the order of its rows.
///
/// It holds sixteen bytes for each number that a row's call was for and each PASSporT: whoever writes a file bounds
/// its rows.
#[derive(Debug, Default)]
pub(in crate::lake) struct IndexBuilder {
    /// Key, start and row of called numbers, and of PASSporTs: sorted as integers.
    entries: [Vec<u128>; 2],
    base: Option<i64>,
    rows: u32,
    steps: Vec<(i64, u32)>,
    countries: Vec<i64>,
    too_many_countries: bool,
    unsorted: bool,
    last: Option<(i64, i64)>,
    repeat: [u32; 2],
}

/// What the index takes from a row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::lake) struct IndexedRow {
    /// When the call began.
    pub(in crate::lake) start: i64,
    /// The other instant, where a local clock repeats an hour.
    pub(in crate::lake) start_repeated: Option<i64>,
    /// The calling number as an integer.
    pub(in crate::lake) calling: Option<i64>,
    /// The keys of all numbers that the call was for.
    pub(in crate::lake) called: Vec<u64>,
    /// The keys of its PASSporTs.
    pub(in crate::lake) tokens: Vec<i64>,
}

impl IndexBuilder {
    /// Nothing yet.
    #[must_use]
    pub(in crate::lake) fn new() -> Self {
        Self::default()
    }

    /// Adds the rows of a batch that has the columns of the records.
    pub(in crate::lake) fn add_batch(&mut self, batch: &RecordBatch) -> Result<(), NoColumn> {
        let columns = KeyColumns::new(batch)?;
        let mut row = IndexedRow::default();
        for at in 0..batch.num_rows() {
            columns.read(at, &mut row);
            self.add(&row);
        }
        Ok(())
    }

    /// Adds the next row.
    ///
    /// Rows beyond 4,294,967,295 are left out, and the index then belongs to no file.
    pub(in crate::lake) fn add(&mut self, row: &IndexedRow) {
        let Some(next) = self.rows.checked_add(1) else { return };
        let start = self.offset(row.start);
        self.add_entries(row, start);
        if let Some(repeated) = row.start_repeated {
            let other = self.offset(repeated);
            self.add_entries(row, other);
            let away = |from: i64, to: i64| u32::try_from(to.saturating_sub(from).max(0)).unwrap_or(u32::MAX);
            self.repeat[0] = self.repeat[0].max(away(repeated, row.start));
            self.repeat[1] = self.repeat[1].max(away(row.start, repeated));
        }
        self.add_calling(row.calling.unwrap_or(NO_NUMBER), row.start, start);
        self.rows = next;
    }

    /// Rows added so far.
    #[must_use]
    pub(in crate::lake) const fn rows(&self) -> u32 {
        self.rows
    }

    /// Writes the index of the Parquet file of that identity.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::lake) fn finish(mut self, data: DataId, out: &mut impl Write) -> io::Result<()> {
        self.entries.iter_mut().for_each(|own| {
            own.sort_unstable();
            own.dedup();
        });
        let start_width = width(self.entries.iter().flatten().map(|own| u64::from(start_of(*own))).max());
        let row_width = width(Some(u64::from(self.rows)));
        let mut footer = self.footer(data, start_width, row_width);
        let mut tables = Vec::new();
        for (entries, blocks) in self.entries.iter().zip(&mut footer.blocks) {
            *blocks = write_blocks(entries, [start_width, row_width], &mut tables, out)?;
        }
        for (calling, start) in &self.steps {
            tables.extend_from_slice(&calling.to_le_bytes());
            tables.extend_from_slice(&start.to_le_bytes());
        }
        self.countries.iter().for_each(|country| tables.extend_from_slice(&country.to_le_bytes()));
        footer.tables = checksum(&tables);
        out.write_all(&tables)?;
        out.write_all(&footer.print())
    }

    fn footer(&self, data: DataId, start_width: u8, row_width: u8) -> Footer {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Footer {
            steps: count(self.steps.len()),
            countries: count(self.countries.len()),
            rows: self.rows,
            sorted: !self.unsorted,
            all_countries: !self.too_many_countries,
            start_width,
            row_width,
            base: self.base.unwrap_or_default(),
            repeat: self.repeat,
            data,
            ..Footer::default()
        }
    }

    fn add_entries(&mut self, row: &IndexedRow, start: u32) {
        let place = u128::from(start) << 32 | u128::from(self.rows);
        self.entries[0].extend(row.called.iter().map(|key| u128::from(*key) << 64 | place));
        self.entries[1].extend(row.tokens.iter().map(|key| u128::from(key.cast_unsigned()) << 64 | place));
    }

    fn add_calling(&mut self, calling: i64, start: i64, offset: u32) {
        self.unsorted |= self.last.is_some_and(|last| last > (calling, start));
        self.last = Some((calling, start));
        if self.rows.is_multiple_of(STEP) {
            self.steps.push((calling, offset));
        }
        let country = calling / TEN_DIGITS;
        if calling == NO_NUMBER || self.countries.contains(&country) {
            return;
        }
        self.too_many_countries |= self.countries.len() == MAX_COUNTRIES;
        if !self.too_many_countries {
            self.countries.push(country);
        }
    }

    /// Seconds from the base, which lies a day before the day of the first row.
    fn offset(&mut self, start: i64) -> u32 {
        let base = *self.base.get_or_insert_with(|| start.saturating_sub(start.rem_euclid(DAY)).saturating_sub(DAY));
        offset_from(base, start)
    }
}

const DAY: i64 = 24 * 60 * 60;

/// Seconds from the base; what is out of range counts as its end, in questions as in rows, so that nothing is missed.
pub(super) fn offset_from(base: i64, start: i64) -> u32 {
    u32::try_from(start.saturating_sub(base).max(0)).unwrap_or(u32::MAX)
}

fn write_blocks(entries: &[u128], widths: [u8; 2], tables: &mut Vec<u8>, out: &mut impl Write) -> io::Result<u32> {
    let mut blocks = 0;
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let (length, key_width) = fill(rest, key_of(*first), widths);
        let (own, after) = rest.split_at(length);
        tables.extend_from_slice(&key_of(*first).to_le_bytes());
        tables.extend_from_slice(&start_of(*first).to_le_bytes());
        out.write_all(&block(own, key_width, widths))?;
        rest = after;
        blocks += 1;
    }
    Ok(blocks)
}

/// How many entries fit into a block, and how wide their keys are then.
fn fill(entries: &[u128], first: u64, widths: [u8; 2]) -> (usize, u8) {
    let fixed = usize::from(widths[0]) + usize::from(widths[1]);
    let mut fits = (1, 0);
    for (index, entry) in entries.iter().enumerate() {
        let key_width = width(Some(key_of(*entry) - first));
        if BLOCK_HEAD + (index + 1) * (fixed + usize::from(key_width)) > BLOCK {
            break;
        }
        fits = (index + 1, key_width);
    }
    fits
}

fn block(entries: &[u128], key_width: u8, [start_width, row_width]: [u8; 2]) -> [u8; BLOCK] {
    let first = entries.first().map_or(0, |own| key_of(*own));
    let mut out = vec![0; 8];
    out.extend_from_slice(&u16::try_from(entries.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.push(key_width);
    out.resize(BLOCK_HEAD, 0);
    for entry in entries {
        out.extend_from_slice(&(key_of(*entry) - first).to_le_bytes()[..usize::from(key_width)]);
        out.extend_from_slice(&start_of(*entry).to_le_bytes()[..usize::from(start_width)]);
        out.extend_from_slice(&row_of(*entry).to_le_bytes()[..usize::from(row_width)]);
    }
    let mut block = [0; BLOCK];
    block[..out.len()].copy_from_slice(&out);
    let sum = checksum(&block[8..]);
    block[..8].copy_from_slice(&sum.to_le_bytes());
    block
}

fn key_of(entry: u128) -> u64 {
    u64::try_from(entry >> 64).unwrap_or_default()
}

fn start_of(entry: u128) -> u32 {
    u32::try_from(entry >> 32 & u128::from(u32::MAX)).unwrap_or_default()
}

fn row_of(entry: u128) -> u32 {
    u32::try_from(entry & u128::from(u32::MAX)).unwrap_or_default()
}

/// Bytes that the largest value takes.
fn width(largest: Option<u64>) -> u8 {
    let bits = u64::BITS - largest.unwrap_or_default().leading_zeros();
    u8::try_from(bits.div_ceil(8)).unwrap_or_default()
}
