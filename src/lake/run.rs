//! A run: as many records as memory takes at once, sorted by day, calling number and start.

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave;

use super::columns::Columns;
use super::spans::Spans;
use crate::cdr::{BadLine, Record};

/// What stands where records have no calling number: they come first.
pub(super) const NO_NUMBER: i64 = i64::MIN;

/// Seconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Where a record belongs: day, calling number and second; then its fingerprint.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    /// Day, calling number and second of the day in one integer, as they sort.
    place: u128,
    /// The fingerprint.
    pub(super) fingerprint: u128,
}

impl Key {
    /// The key of a record that begins at that second.
    pub(super) fn new(calling: i64, start: i64, fingerprint: [u8; 16]) -> Self {
        let day = u32::try_from(start.div_euclid(DAY).saturating_add(EPOCH).max(0)).unwrap_or(u32::MAX);
        let second = u32::try_from(start.rem_euclid(DAY)).unwrap_or_default();
        // Negative numbers come before positive ones.
        let calling = calling.cast_unsigned() ^ (1 << 63);
        let place = u128::from(day) << 96 | u128::from(calling) << 32 | u128::from(second);
        Self { place, fingerprint: u128::from_be_bytes(fingerprint) }
    }

    /// The key whose parts were [`Key::place`] and its fingerprint.
    pub(super) const fn of_parts(place: u128, fingerprint: u128) -> Self {
        Self { place, fingerprint }
    }

    /// Day, calling number and second of the day in one integer, as they sort.
    pub(super) const fn place(&self) -> u128 {
        self.place
    }

    /// The day, in days since 1970.
    pub(super) fn day(&self) -> i64 {
        i64::try_from(self.place >> 96).unwrap_or_default() - EPOCH
    }

    /// The second that it begins at.
    pub(super) fn start(&self) -> i64 {
        self.day() * DAY + i64::from(u32::try_from(self.place & u128::from(u32::MAX)).unwrap_or_default())
    }

    /// The calling number, or [`NO_NUMBER`].
    pub(super) fn calling(&self) -> i64 {
        let biased = u64::try_from(self.place >> 32 & u128::from(u64::MAX)).unwrap_or_default();
        (biased ^ (1 << 63)).cast_signed()
    }
}

/// Days count from here, so that years before 1970 sort first.
const EPOCH: i64 = 1 << 31;

/// The records of a piece of a file, in their order.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Which file, by its place in the list of what is read.
    pub(super) file: u32,
    /// The columns that records fill.
    arrays: Vec<ArrayRef>,
    keys: Vec<Key>,
    /// When each may begin: the other instant where a local clock repeats an hour.
    repeated: Vec<(u32, i64)>,
    bytes: usize,
}

/// What else a piece of a file tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Told {
    /// Lines that could not be read.
    pub(super) set_aside: u64,
    /// The first of them.
    pub(super) bad: Vec<BadLine>,
    /// Lines that could not be read before the first record.
    pub(super) leading: u64,
    /// Lines that could not be read after the last one.
    pub(super) trailing: u64,
    /// The starts of the records around the others.
    pub(super) around: Vec<[i64; 2]>,
    /// The starts of the first and last record, in the order of the lines.
    pub(super) ends: Option<[i64; 2]>,
    /// When its records begin.
    pub(super) spans: Spans,
}

/// More lines of a piece are only counted.
pub(super) const MAX_NAMED: usize = 100;

/// Takes the records of a piece.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    columns: Columns,
    keys: Vec<Key>,
    repeated: Vec<(u32, i64)>,
    starts: Vec<i64>,
    told: Told,
    waiting: u64,
}

impl Gatherer {
    /// Takes a record, or a line that is none.
    pub(super) fn take(&mut self, item: Result<Record, BadLine>) {
        match item {
            Ok(record) => self.record(&record),
            Err(bad) => {
                self.told.set_aside += 1;
                self.waiting += 1;
                if self.told.bad.len() < MAX_NAMED {
                    self.told.bad.push(bad);
                }
            }
        }
    }

    fn record(&mut self, record: &Record) {
        let start = record.start.seconds();
        let waiting = std::mem::take(&mut self.waiting);
        match &mut self.told.ends {
            None => {
                self.told.leading = waiting;
                self.told.ends = Some([start, start]);
            }
            Some([_, last]) => {
                if waiting > 0 {
                    self.told.around.push([*last, start]);
                }
                *last = start;
            }
        }
        if let (Some(repeated), Ok(index)) = (record.start_repeated, u32::try_from(self.keys.len())) {
            self.repeated.push((index, repeated.seconds()));
        }
        let calling = record.calling.canonical.and_then(|number| number.to_integer()).unwrap_or(NO_NUMBER);
        self.keys.push(Key::new(calling, start, record.fingerprint.0));
        self.starts.push(start);
        self.columns.append(record);
    }

    /// The records as a chunk of that file, and what else was told.
    pub(super) fn finish(mut self, file: u32) -> (Chunk, Told) {
        self.told.trailing = self.waiting;
        self.told.spans = Spans::of_starts(&mut self.starts);
        let arrays = self.columns.finish();
        let bytes = arrays.iter().map(|array| array.get_array_memory_size()).sum::<usize>();
        let bytes = bytes + self.keys.len() * size_of::<Key>();
        (Chunk { file, arrays, keys: self.keys, repeated: self.repeated, bytes }, self.told)
    }
}

impl Chunk {
    /// How many records.
    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Memory that it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Chunks that are sorted together.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Which, from 0.
    pub(super) number: u64,
    chunks: Vec<Chunk>,
    rows: usize,
    bytes: usize,
}

/// A record of a run: where it belongs, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sorted {
    /// Where it belongs.
    pub(super) key: Key,
    /// Which chunk of the run.
    pub(super) chunk: u32,
    /// Which row of the chunk.
    pub(super) row: u32,
    /// How many equal lines stand before it in its file.
    pub(super) occurrence: u32,
    /// Whether it is kept: it is not held yet.
    pub(super) is_new: bool,
}

impl Run {
    /// An empty run of that number.
    pub(super) fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Adds a chunk behind the others.
    pub(super) fn push(&mut self, chunk: Chunk) {
        self.rows += chunk.rows();
        self.bytes += chunk.bytes();
        self.chunks.push(chunk);
    }

    /// How many records.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Memory that it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The file of a record.
    pub(super) fn file_of(&self, sorted: &Sorted) -> u32 {
        self.chunks.get(index(sorted.chunk)).map_or(0, |chunk| chunk.file)
    }

    /// The records in the order of the lake; equal lines in the order of their files.
    pub(super) fn sorted(&self) -> Vec<Sorted> {
        let mut sorted = Vec::with_capacity(self.rows);
        for (chunk, own) in (0_u32..).zip(&self.chunks) {
            let each = (0_u32..).zip(&own.keys);
            sorted.extend(each.map(|(row, key)| Sorted { key: *key, chunk, row, occurrence: 0, is_new: true }));
        }
        sorted.sort_unstable_by_key(|a| (a.key.place, a.chunk, a.row));
        // Few share a calling number and a second: their fingerprints are compared only here.
        for equal in sorted.chunk_by_mut(|a, b| a.key.place == b.key.place) {
            if equal.len() > 1 {
                equal.sort_by_key(|own| own.key.fingerprint);
            }
        }
        sorted
    }

    /// The other instant of a record, where a local clock repeats an hour.
    pub(super) fn repeated(&self, sorted: &Sorted) -> Option<i64> {
        let repeated = &self.chunks.get(index(sorted.chunk))?.repeated;
        let at = repeated.binary_search_by_key(&sorted.row, |(row, _)| *row).ok()?;
        repeated.get(at).map(|(_, instant)| *instant)
    }

    /// A column's values at those records; columns count from the line.
    pub(super) fn column(&self, column: usize, sorted: &[Sorted]) -> Result<ArrayRef, ArrowError> {
        let arrays: Vec<&dyn Array> =
            self.chunks.iter().filter_map(|chunk| chunk.arrays.get(column)).map(AsRef::as_ref).collect();
        if let Some(first) = arrays.first()
            && arrays.iter().all(|array| array.null_count() == array.len())
        {
            return Ok(new_null_array(first.data_type(), sorted.len()));
        }
        let places: Vec<(usize, usize)> = sorted.iter().map(|own| (index(own.chunk), index(own.row))).collect();
        interleave(&arrays, &places)
    }

    /// How many columns records fill.
    pub(super) fn columns(&self) -> usize {
        self.chunks.first().map_or(0, |chunk| chunk.arrays.len())
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_sorts_and_gives_back_what_it_was_made_of(
            one in (any::<i64>(), -62_135_596_800_i64..253_402_300_800),
            other in (any::<i64>(), -62_135_596_800_i64..253_402_300_800),
        ) {
            let key = |(calling, start)| Key::new(calling, start, [0; 16]);
            let order = |(calling, start): (i64, i64)| (start.div_euclid(DAY), calling, start);
            prop_assert_eq!(key(one).cmp(&key(other)), order(one).cmp(&order(other)));
            prop_assert_eq!((key(one).calling(), key(one).start()), one);
        }
    }
}
