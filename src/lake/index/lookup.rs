//! Looking rows up in a side index: the tables are in memory, each block is read when it is wanted.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::build::offset_from;
use super::footer::{FOOTER, Footer, length};
use super::{BLOCK, BLOCK_HEAD, DataId, FENCE, NO_NUMBER, STEP, TEN_DIGITS, checksum};
use crate::lake::positioned::read_exact_at;
use crate::traceback::Span;

/// A side index, open.
#[derive(Debug)]
pub(in crate::lake) struct Index {
    file: File,
    footer: Footer,
    /// First key and start of each block: of called numbers, and of PASSporTs.
    fences: [Vec<(u64, u32)>; 2],
    /// Calling number and start of every [`STEP`]th row.
    steps: Vec<(i64, u32)>,
    countries: Vec<i64>,
}

/// What a key is of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::lake) enum Keyed {
    /// A number that the call was for.
    Called(u64),
    /// A PASSporT.
    Token(i64),
}

/// Why an index is of no use. The Parquet file itself has every answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::lake) enum IndexFault {
    /// What was read is not what was written.
    #[error("it is damaged")]
    Checksum,
    /// It is not there.
    #[error("there is none")]
    Missing,
    /// The file is something else.
    #[error("it is no index")]
    NoIndex,
    /// It belongs to another Parquet file.
    #[error("it belongs to another file")]
    OtherFile,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Its length is wrong.
    #[error("it has {found} bytes where {expected} belong")]
    Truncated {
        /// Its length.
        found: u64,
        /// What its length should be.
        expected: u64,
    },
    /// Another version wrote it.
    #[error("it is of version {found}, which this build does not read")]
    Version {
        /// That version.
        found: u32,
    },
}

impl Index {
    /// Opens the index of the Parquet file of that identity and so many rows.
    ///
    /// # Errors
    /// When it is missing, damaged, or another file's.
    pub(in crate::lake) fn open(path: &Path, data: DataId, rows: u64) -> Result<Self, IndexFault> {
        #[expect(clippy::disallowed_methods, reason = "the lake is an edge")]
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => IndexFault::Missing,
            _ => IndexFault::Read(error),
        })?;
        let found = file.metadata().map_err(IndexFault::Read)?.len();
        let Some(at) = found.checked_sub(length(FOOTER)) else { return Err(IndexFault::NoIndex) };
        let mut bytes = [0; FOOTER];
        read_exact_at(&file, &mut bytes, at).map_err(IndexFault::Read)?;
        let footer = Footer::parse(&bytes)?;
        if footer.data != data || u64::from(footer.rows) != rows {
            return Err(IndexFault::OtherFile);
        }
        let expected = footer.file_bytes();
        if found != expected {
            return Err(IndexFault::Truncated { found, expected });
        }
        // No longer than the file, which is there.
        let mut tables = vec![0; usize::try_from(footer.table_bytes()).map_err(|_| IndexFault::Checksum)?];
        read_exact_at(&file, &mut tables, footer.tables_at()).map_err(IndexFault::Read)?;
        if checksum(&tables) != footer.tables {
            return Err(IndexFault::Checksum);
        }
        Ok(Self::with_tables(file, footer, &tables))
    }

    fn with_tables(file: File, footer: Footer, mut tables: &[u8]) -> Self {
        let fences = footer
            .blocks
            .map(|blocks| pairs(&mut tables, blocks).map(|(key, s)| (u64::from_le_bytes(key), s)).collect());
        let steps = pairs(&mut tables, footer.steps).map(|(key, s)| (i64::from_le_bytes(key), s)).collect();
        let countries = tables.as_chunks::<8>().0.iter().map(|country| i64::from_le_bytes(*country)).collect();
        Self { file, footer, fences, steps, countries }
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub(in crate::lake) fn memory(&self) -> usize {
        let fences = self.fences.iter().map(Vec::capacity).sum::<usize>() + self.steps.capacity();
        size_of::<Self>() + fences * size_of::<(u64, u32)>() + self.countries.capacity() * 8
    }

    /// Blocks that hold entries of the key in the span: what it costs to ask for them.
    #[must_use]
    pub(in crate::lake) fn blocks(&self, keyed: Keyed, span: Span) -> usize {
        self.block_range(keyed, self.starts(span)).len()
    }

    /// Gives the rows of a key that may start in the span; a row may come twice.
    ///
    /// # Errors
    /// When a block is damaged or cannot be read: what was given until then is not all.
    pub(in crate::lake) fn rows(&self, keyed: Keyed, span: Span, take: &mut dyn FnMut(u32)) -> Result<(), IndexFault> {
        let starts = self.starts(span);
        let (section, key) = section_of(keyed);
        let before = if section == 0 { 0 } else { self.fences[0].len() };
        let mut block = [0; BLOCK];
        for number in self.block_range(keyed, starts.clone()) {
            read_exact_at(&self.file, &mut block, length((before + number) * BLOCK)).map_err(IndexFault::Read)?;
            let entries = Entries::parse(&block, self.fences[section][number].0, &self.footer)?;
            entries.rows(key, &starts, take);
        }
        Ok(())
    }

    /// The rows that may be of this calling number and start in the span; `None` where the index does not know.
    ///
    /// Ten digits are searched for in every country that occurs.
    #[must_use]
    pub(in crate::lake) fn calling_rows(&self, wanted: &[CallingNumber], span: Span) -> Option<Vec<Range<u32>>> {
        if !self.footer.sorted {
            return None;
        }
        let mut ranges = Vec::new();
        for own in wanted {
            match own {
                CallingNumber::None => ranges.push(self.step_range(NO_NUMBER, span)),
                CallingNumber::Whole(number) => ranges.push(self.step_range(*number, span)),
                CallingNumber::LastTen(_) if !self.footer.all_countries => return None,
                CallingNumber::LastTen(last) => {
                    let whole =
                        self.countries.iter().map(|country| country.saturating_mul(TEN_DIGITS).saturating_add(*last));
                    ranges.extend(whole.map(|number| self.step_range(number, span)));
                }
            }
        }
        ranges.retain(|range| !range.is_empty());
        Some(united(ranges))
    }

    fn block_range(&self, keyed: Keyed, starts: Range<u64>) -> Range<usize> {
        let (section, key) = section_of(keyed);
        let fences = &self.fences[section];
        let place = |fence: &(u64, u32)| (fence.0, u64::from(fence.1));
        // A block begins with its fence: the last one that is before the first wanted may hold it too.
        let first = fences.partition_point(|fence| place(fence) < (key, starts.start)).saturating_sub(1);
        let end = fences.partition_point(|fence| place(fence) < (key, starts.end));
        first..end.max(first)
    }

    /// Seconds from the base that the span reaches over.
    fn starts(&self, span: Span) -> Range<u64> {
        if span.to < span.from {
            return 0..0;
        }
        let offset = |start: i64| u64::from(offset_from(self.footer.base, start));
        offset(span.from.seconds())..offset(span.to.seconds()) + 1
    }

    /// Rows between the steps around a calling number within a span; the instants that a clock repeats count.
    fn step_range(&self, calling: i64, span: Span) -> Range<u32> {
        let [before, behind] = self.footer.repeat.map(i64::from);
        let wide = Span::new(span.from.plus_seconds(-behind), span.to.plus_seconds(before));
        let starts = self.starts(wide);
        let place = |step: &(i64, u32)| (step.0, u64::from(step.1));
        let first = self.steps.partition_point(|step| place(step) < (calling, starts.start)).saturating_sub(1);
        let end = self.steps.partition_point(|step| place(step) < (calling, starts.end));
        let row = |step: usize| u32::try_from(step).unwrap_or(u32::MAX).saturating_mul(STEP).min(self.footer.rows);
        row(first)..row(end)
    }
}

/// How a calling number stands in the column of integers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::lake) enum CallingNumber {
    /// Every number that ends in these ten digits.
    LastTen(i64),
    /// No integer: signs, or more digits than fit.
    None,
    /// This integer.
    Whole(i64),
}

impl CallingNumber {
    /// The last ten digits; none where it is no integer.
    pub(in crate::lake) const fn key(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::LastTen(number) | Self::Whole(number) => Some(number.rem_euclid(TEN_DIGITS).cast_unsigned()),
        }
    }
}

/// Entries of one block.
struct Entries<'a> {
    bytes: &'a [u8],
    first: u64,
    key_width: usize,
    start_width: usize,
    size: usize,
}

impl<'a> Entries<'a> {
    fn parse(block: &'a [u8; BLOCK], first: u64, footer: &Footer) -> Result<Self, IndexFault> {
        let (sum, body) = block.split_at(8);
        if checksum(body).to_le_bytes() != *sum {
            return Err(IndexFault::Checksum);
        }
        let count = usize::from(u16::from_le_bytes([block[8], block[9]]));
        let key_width = usize::from(block[10]);
        let start_width = usize::from(footer.start_width);
        let size = key_width + start_width + usize::from(footer.row_width);
        let bytes = block.get(BLOCK_HEAD..BLOCK_HEAD + count * size).filter(|_| key_width <= 8 && size > 0);
        let bytes = bytes.ok_or(IndexFault::Checksum)?;
        Ok(Self { bytes, first, key_width, start_width, size })
    }

    /// Rows of the key that start in the range.
    fn rows(&self, key: u64, starts: &Range<u64>, take: &mut dyn FnMut(u32)) {
        let mut at = self.before((key, starts.start));
        while let Some(entry) = self.bytes.get(at * self.size..(at + 1) * self.size) {
            let (own, start) = self.place(entry);
            if own != key || start >= starts.end {
                break;
            }
            take(u32::try_from(integer(&entry[self.key_width + self.start_width..])).unwrap_or(u32::MAX));
            at += 1;
        }
    }

    /// How many entries stand before that key and start.
    fn before(&self, wanted: (u64, u64)) -> usize {
        let (mut low, mut high) = (0, self.bytes.len() / self.size);
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self.place(&self.bytes[middle * self.size..][..self.size]) < wanted;
            (low, high) = if before { (middle + 1, high) } else { (low, middle) };
        }
        low
    }

    fn place(&self, entry: &[u8]) -> (u64, u64) {
        let (key, rest) = entry.split_at(self.key_width);
        (self.first.wrapping_add(integer(key)), integer(&rest[..self.start_width]))
    }
}

fn section_of(keyed: Keyed) -> (usize, u64) {
    match keyed {
        Keyed::Called(key) => (0, key),
        Keyed::Token(key) => (1, key.cast_unsigned()),
    }
}

/// An integer of up to eight bytes.
fn integer(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

/// So many pairs of a key and a start, cut from the front.
fn pairs<'a>(tables: &mut &'a [u8], count: u32) -> impl Iterator<Item = ([u8; 8], u32)> + use<'a> {
    let bytes = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(FENCE).min(tables.len());
    let (own, rest) = tables.split_at(bytes);
    *tables = rest;
    own.as_chunks::<FENCE>().0.iter().filter_map(|pair| {
        let (key, start) = pair.split_first_chunk::<8>()?;
        Some((*key, u32::from_le_bytes(*start.first_chunk::<4>()?)))
    })
}

/// The same rows in ranges that do not overlap, in order.
pub(in crate::lake) fn united(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut whole: Vec<Range<u32>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match whole.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => whole.push(range),
        }
    }
    whole
}
