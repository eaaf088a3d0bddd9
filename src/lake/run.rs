//! A run: as many records as memory takes at once, sorted by day, calling number and start.

use super::packed::{integer_of, pack};
use super::spans::Spans;
use crate::cdr::{BadLine, Blocks, LineRecord};

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
    /// The rows, packed.
    packed: Vec<u8>,
    keys: Vec<Placed>,
    /// The other instant that a row may begin at, where a local clock repeats an hour.
    repeated: Vec<(u32, i64)>,
}

/// A row by its key, and where it begins among the packed ones.
type Placed = (Key, u32);

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
#[derive(Debug)]
pub(super) struct Gatherer {
    full: Vec<Chunk>,
    chunk: Chunk,
    starts: Vec<i64>,
    told: Told,
    waiting: u64,
}

impl Default for Gatherer {
    fn default() -> Self {
        // Rows take somewhat less room than the lines that they are made of.
        let rows = Blocks::<&[u8]>::SIZE / LONG_LINE;
        let chunk = Chunk {
            packed: Vec::with_capacity(Blocks::<&[u8]>::SIZE),
            keys: Vec::with_capacity(rows),
            ..Chunk::default()
        };
        Self { full: Vec::new(), chunk, starts: Vec::with_capacity(rows), told: Told::default(), waiting: 0 }
    }
}

/// Bytes of most lines.
const LONG_LINE: usize = 128;

impl Gatherer {
    /// Takes a record, or a line that is none.
    pub(super) fn take(&mut self, item: Result<LineRecord<'_>, BadLine>) {
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

    fn record(&mut self, record: &LineRecord<'_>) {
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
        let calling = integer_of(Some(&record.calling)).unwrap_or(NO_NUMBER);
        self.starts.push(start);
        self.chunk.push(Key::new(calling, start, record.fingerprint.0), record);
        if self.chunk.packed.len() >= CHUNK {
            self.full.push(std::mem::take(&mut self.chunk));
        }
    }

    /// The records as chunks of that file, and what else was told.
    pub(super) fn finish(mut self, file: u32) -> (Vec<Chunk>, Told) {
        self.told.trailing = self.waiting;
        self.told.spans = Spans::of_starts(&mut self.starts);
        let mut chunks = self.full;
        chunks.push(self.chunk);
        chunks.iter_mut().for_each(|chunk| chunk.file = file);
        (chunks, self.told)
    }
}

/// Bytes of rows from which on a chunk is full: a block of a file seldom makes more than one.
const CHUNK: usize = 4 * 1024 * 1024;

impl Chunk {
    fn push(&mut self, key: Key, record: &LineRecord<'_>) {
        // A chunk is full long before.
        let place = u32::try_from(self.packed.len()).unwrap_or(u32::MAX);
        if let Some(repeated) = record.start_repeated {
            self.repeated.push((place, repeated.seconds()));
        }
        self.keys.push((key, place));
        pack(record, &mut self.packed);
    }

    /// How many records.
    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.packed.len() + self.keys.len() * size_of::<Placed>()
    }
}

/// Chunks that are sorted together.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Which, from 0.
    pub(super) number: u64,
    /// Whether none follows.
    pub(super) is_last: bool,
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
    /// Where its row begins in the chunk.
    pub(super) place: u32,
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

    /// The files that its records are of, in their order.
    pub(super) fn files(&self) -> Vec<usize> {
        let mut files: Vec<usize> = self.chunks.iter().map(|chunk| index(chunk.file)).collect();
        files.dedup();
        files
    }

    /// Lets go of the records of all other files.
    pub(super) fn retain(&mut self, is_kept: impl Fn(usize) -> bool) {
        self.chunks.retain(|chunk| is_kept(index(chunk.file)));
        self.rows = self.chunks.iter().map(Chunk::rows).sum();
        self.bytes = self.chunks.iter().map(Chunk::bytes).sum();
    }

    /// The file of a record.
    pub(super) fn file_of(&self, sorted: &Sorted) -> u32 {
        self.chunks.get(index(sorted.chunk)).map_or(0, |chunk| chunk.file)
    }

    /// The records in the order of the lake; equal lines in the order of their files.
    pub(super) fn sorted(&self) -> Vec<Sorted> {
        let mut sorted = Vec::with_capacity(self.rows);
        for (chunk, own) in (0_u32..).zip(&self.chunks) {
            let each = own.keys.iter();
            sorted.extend(each.map(|(key, place)| Sorted {
                key: *key,
                chunk,
                place: *place,
                occurrence: 0,
                is_new: true,
            }));
        }
        sorted.sort_unstable_by_key(|a| (a.key.place, a.chunk, a.place));
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
        let at = repeated.binary_search_by_key(&sorted.place, |(place, _)| *place).ok()?;
        repeated.get(at).map(|(_, instant)| *instant)
    }

    /// Reads a byte of every cache line of these rows: they lie all over memory, and it is waited for them together
    /// rather than for one after the other.
    pub(super) fn touch(&self, sorted: &[Sorted]) {
        let lines = |own: &Sorted| {
            let row = self.packed(own);
            [0, CACHE_LINE, 2 * CACHE_LINE].map(|at| row.get(at).copied().unwrap_or_default())
        };
        std::hint::black_box(sorted.iter().map(lines).fold([0; 3], |sum, own| [0, 1, 2].map(|at| sum[at] ^ own[at])));
    }

    /// The packed row of a record, and what stands behind it.
    pub(super) fn packed(&self, sorted: &Sorted) -> &[u8] {
        let chunk = self.chunks.get(index(sorted.chunk));
        chunk.and_then(|chunk| chunk.packed.get(index(sorted.place)..)).unwrap_or_default()
    }
}

/// Bytes that memory gives at once; few rows are longer than three times that.
const CACHE_LINE: usize = 64;

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
