//! Which rows are held already: equal lines are told apart by their occurrence within their file, and dropped where
//! another file brought them.
//!
//! Everything is sorted alike, so runs and files are compared side by side, without a set of what was ever seen.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::disk::{self, Pending, Step};
use super::error::Error;
use super::run::{Key, Run, Sorted};

/// A row that was there before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Earlier {
    /// Where it belongs.
    pub(super) key: Key,
    /// Whose it is, by the source's place in the manifest.
    pub(super) source: u32,
    /// Which file of those being read; none where it was kept long ago.
    pub(super) file: Option<u32>,
    /// How many equal lines stand before it in its file.
    pub(super) occurrence: u32,
}

/// A run whose rows are being compared with others.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    run: &'a Run,
    /// The source of each file being read.
    sources: &'a [u32],
    rows: Vec<Sorted>,
}

impl<'a> Compared<'a> {
    /// A sorted run; equal lines of one file are counted.
    pub(super) fn new(run: &'a Run, sources: &'a [u32]) -> Self {
        let mut compared = Self { run, sources, rows: run.sorted() };
        compared.each_group(|own, group| {
            let mut last = (u32::MAX, 0);
            // Equal lines stand in the order of their files.
            for row in group {
                let file = own.run.file_of(row);
                last = if last.0 == file { (file, last.1 + 1) } else { (file, 0) };
                row.occurrence = last.1;
            }
        });
        compared
    }

    /// Takes notice of rows that earlier runs had, dropped ones too: equal lines of the same file come first.
    pub(super) fn count(&mut self, earlier: &mut dyn Iterator<Item = io::Result<Earlier>>) -> io::Result<()> {
        self.walk(earlier, |own, group, earlier| {
            let mut counts: HashMap<u32, u32> = HashMap::new();
            for file in earlier.iter().filter_map(|row| row.file) {
                *counts.entry(file).or_default() += 1;
            }
            for row in group {
                row.occurrence += counts.get(&own.run.file_of(row)).copied().unwrap_or_default();
            }
        })
    }

    /// Drops rows that are there already.
    pub(super) fn drop_held(&mut self, earlier: &mut dyn Iterator<Item = io::Result<Earlier>>) -> io::Result<()> {
        self.walk(earlier, |own, group, earlier| {
            if let ([row], [earlier]) = (&mut *group, earlier) {
                row.is_new &= (own.source_of(row), row.occurrence) != (earlier.source, earlier.occurrence);
                return;
            }
            let held: HashSet<(u32, u32)> = earlier.iter().map(|row| (row.source, row.occurrence)).collect();
            for row in group {
                row.is_new &= !held.contains(&(own.source_of(row), row.occurrence));
            }
        })
    }

    /// Drops rows that another file of the run has too, and those before the horizon.
    pub(super) fn drop_repeated(&mut self, horizon: i64) {
        self.each_group(|own, group| {
            let mut held = HashSet::with_capacity(group.len());
            for row in group {
                row.is_new &= held.insert((own.source_of(row), row.occurrence));
            }
        });
        for row in &mut self.rows {
            let last = self.run.repeated(row).unwrap_or(i64::MIN).max(row.key.start());
            row.is_new &= last >= horizon;
        }
    }

    /// All rows, as later runs must know them.
    pub(super) fn earlier(&self) -> Vec<Earlier> {
        let own = self.context();
        let each = self.rows.iter().map(|row| Earlier {
            key: row.key,
            source: own.source_of(row),
            file: Some(own.run.file_of(row)),
            occurrence: row.occurrence,
        });
        each.collect()
    }

    /// The rows that are kept, sorted.
    pub(super) fn into_kept(self) -> Vec<Sorted> {
        let mut rows = self.rows;
        rows.retain(|row| row.is_new);
        rows
    }

    /// The first and last second of the run.
    pub(super) fn span(&self) -> [i64; 2] {
        let starts = || self.rows.iter().map(|row| row.key.start());
        [starts().min().unwrap_or(i64::MAX), starts().max().unwrap_or(i64::MIN)]
    }

    /// The days of the run.
    pub(super) fn days(&self) -> Vec<i64> {
        let mut days: Vec<i64> = Vec::new();
        for row in &self.rows {
            if days.last() != Some(&row.key.day()) {
                days.push(row.key.day());
            }
        }
        days
    }

    const fn context(&self) -> Context<'a> {
        Context { run: self.run, sources: self.sources }
    }

    fn each_group(&mut self, mut take: impl FnMut(Context<'_>, &mut [Sorted])) {
        let own = self.context();
        for group in self.rows.chunk_by_mut(|a, b| a.key == b.key) {
            if group.len() > 1 {
                take(own, group);
            }
        }
    }

    /// Walks along both, and stops where both have the same key.
    fn walk(
        &mut self,
        earlier: &mut dyn Iterator<Item = io::Result<Earlier>>,
        take: impl Fn(Context<'_>, &mut [Sorted], &[Earlier]),
    ) -> io::Result<()> {
        let own = self.context();
        let mut rest = self.rows.as_mut_slice();
        let mut same = Vec::new();
        let mut next = earlier.next().transpose()?;
        while let Some(first) = next {
            let before = rest.iter().take_while(|row| row.key < first.key).count();
            rest = &mut rest[before..];
            let group = rest.iter().take_while(|row| row.key == first.key).count();
            if rest.is_empty() {
                return Ok(());
            }
            same.clear();
            while let Some(other) = next.filter(|other| other.key == first.key) {
                same.push(other);
                next = earlier.next().transpose()?;
            }
            if group > 0 {
                let (equal, behind) = rest.split_at_mut(group);
                take(own, equal, &same);
                rest = behind;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Context<'a> {
    run: &'a Run,
    sources: &'a [u32],
}

impl Context<'_> {
    fn source_of(&self, row: &Sorted) -> u32 {
        let file = usize::try_from(self.run.file_of(row)).unwrap_or(usize::MAX);
        self.sources.get(file).copied().unwrap_or(u32::MAX)
    }
}

/// The rows of the runs so far: the latest in memory, the others beside the lake's files.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: Vec<Seen>,
}

#[derive(Debug)]
struct Seen {
    span: [i64; 2],
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    Memory(Vec<Earlier>),
    Disk(PathBuf),
}

/// Rows of earlier runs that stay in memory.
const MAX_ROWS: usize = 2_000_000;

impl Runs {
    /// The rows of earlier runs that may be rows of a run too.
    pub(super) fn each_near<E>(
        &self,
        span: [i64; 2],
        mut take: impl FnMut(&mut dyn Iterator<Item = io::Result<Earlier>>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<Error>,
    {
        for seen in self.runs.iter().filter(|seen| seen.span[0] <= span[1] && span[0] <= seen.span[1]) {
            match &seen.rows {
                Rows::Memory(rows) => take(&mut rows.iter().map(|row| Ok(*row)))?,
                Rows::Disk(path) => {
                    let file = File::options().read(true).open(path).map_err(|reason| Error::at(path, &reason))?;
                    take(&mut Spilled { source: BufReader::with_capacity(BUFFER, file) })?;
                }
            }
        }
        Ok(())
    }

    /// Remembers a run.
    pub(super) fn push(
        &mut self,
        span: [i64; 2],
        rows: Vec<Earlier>,
        folder: &Path,
        step: Step<'_>,
    ) -> Result<(), Error> {
        self.runs.push(Seen { span, rows: Rows::Memory(rows) });
        let mut room = MAX_ROWS;
        for (number, seen) in self.runs.iter_mut().enumerate().rev() {
            let Rows::Memory(rows) = &seen.rows else { break };
            match room.checked_sub(rows.len()) {
                Some(left) => room = left,
                None => seen.rows = Rows::Disk(spill(rows, folder, number, step)?),
            }
        }
        Ok(())
    }

    /// Removes what lies on the disk.
    pub(super) fn clear(&mut self, step: Step<'_>) -> Result<(), Error> {
        for seen in self.runs.drain(..) {
            if let Rows::Disk(path) = seen.rows {
                disk::remove(&path, step)?;
            }
        }
        Ok(())
    }
}

const BUFFER: usize = 256 * 1024;
/// Bytes of a row on the disk.
const ROW: usize = 44;

fn spill(rows: &[Earlier], folder: &Path, number: usize, step: Step<'_>) -> Result<PathBuf, Error> {
    let mut file = Pending::create(folder, &format!("run-{number}"), step)?;
    let mut write = || -> io::Result<()> {
        for row in rows {
            let file_number = row.file.unwrap_or(u32::MAX);
            let mut bytes = [0; ROW];
            bytes[..16].copy_from_slice(&row.key.place().to_le_bytes());
            bytes[16..32].copy_from_slice(&row.key.fingerprint.to_le_bytes());
            bytes[32..36].copy_from_slice(&row.source.to_le_bytes());
            bytes[36..40].copy_from_slice(&file_number.to_le_bytes());
            bytes[40..].copy_from_slice(&row.occurrence.to_le_bytes());
            file.write_all(&bytes)?;
        }
        file.flush()
    };
    let written = write();
    written.map_err(|reason| Error::at(file.path(), &reason))?;
    // It outlives the run under its temporary name only: nobody but this writer reads it.
    Ok(file.leave())
}

struct Spilled {
    source: BufReader<File>,
}

impl Iterator for Spilled {
    type Item = io::Result<Earlier>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = [0; ROW];
        match self.source.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(reason) if reason.kind() == io::ErrorKind::UnexpectedEof => return None,
            Err(reason) => return Some(Err(reason)),
        }
        let wide = |at: usize| bytes[at..].first_chunk().map_or(0, |own| u128::from_le_bytes(*own));
        let narrow = |at: usize| bytes[at..].first_chunk().map_or(0, |own| u32::from_le_bytes(*own));
        let key = Key::of_parts(wide(0), wide(16));
        Some(Ok(Earlier { key, source: narrow(32), file: Some(narrow(36)), occurrence: narrow(40) }))
    }
}
