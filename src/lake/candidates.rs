//! The first question: which records could be the calls of these requests (design 6).
//!
//! The manifest leaves out days and files, the side index names rows. Rows that the index cannot name to the last are
//! tried on the two columns that the file is sorted by; only then is anything else of them read. Day by day, a row
//! group on each core.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::slice;
use std::sync::Arc;

use parquet::errors::ParquetError;

use super::error::Error;
use super::folder::ParquetLake;
use super::group::Group;
use super::index::{CallingNumber, Index, IndexFault, IndexedRow, Keyed, united};
use super::keys::{KeyColumns, TimeColumns, calling_numbers, integer_key, may_be, number_key};
use super::opened::OpenedFile;
use super::parallel;
use super::question::{Found, RecordFile, Wanted};
use super::rows::{NoColumn, Rows};
use super::schema;
use crate::cdr::Record;
use crate::traceback::Span;

/// Rows that are held in mind before they are read; beyond it they are read first.
const MAX_PAIRS: usize = 1 << 20;

impl ParquetLake {
    /// Answers the question.
    pub(super) fn find(&self, wanted: &[Wanted], take: &mut dyn FnMut(Found)) -> Result<(), Error> {
        let mut sought: Vec<Sought<'_>> =
            wanted.iter().enumerate().map(|(place, wanted)| Sought::new(place, wanted)).collect();
        // Neighbours in this order are neighbours in the index.
        sought.sort_unstable_by_key(|own| (own.keyed, own.wanted.calling, own.wanted.span.from));
        self.each_day(&|span| sought.iter().any(|own| own.meets(span)), &mut |files| self.find_in(files, &sought, take))
    }

    fn find_in<'s>(
        &self,
        files: &[(Span, Arc<OpenedFile>)],
        sought: &'s [Sought<'s>],
        take: &mut dyn FnMut(Found),
    ) -> Result<(), Error> {
        let mut plans: Vec<Plan<'s>> = Vec::with_capacity(files.len());
        for (span, file) in files {
            let sought: Vec<&Sought<'s>> = sought.iter().filter(|own| own.meets(*span)).collect();
            plans.push(Plan { file: Arc::clone(file), sought, done: 0 });
        }
        loop {
            plans.retain(|own| own.done < own.sought.len());
            if plans.is_empty() {
                return Ok(());
            }
            let planned = plan_all(&plans, MAX_PAIRS / plans.len())?;
            let mut tasks = Vec::new();
            for (number, done, own) in planned {
                plans[number].done += done;
                tasks.extend(own.into_iter().flat_map(Task::halves));
            }
            self.read(&tasks, take)?;
        }
    }

    fn read(&self, tasks: &[Task<'_>], take: &mut dyn FnMut(Found)) -> Result<(), Error> {
        let work = |task: &Task<'_>, give: &mut dyn FnMut(Vec<Found>) -> bool| {
            task.run(give).map_err(|error| Error::damaged(&self.folder().join(Path::new(&task.file.path)), error))
        };
        parallel::for_each(tasks, work, |found| found.into_iter().for_each(&mut *take))
    }
}

/// What is wanted, and how it is looked for.
struct Sought<'a> {
    place: usize,
    wanted: &'a Wanted,
    keyed: Option<Keyed>,
    calling: Option<Vec<CallingNumber>>,
}

impl<'a> Sought<'a> {
    fn new(place: usize, wanted: &'a Wanted) -> Self {
        let called = wanted.called.as_ref().map(|number| Keyed::Called(number_key(number)));
        let keyed = wanted.token.map(Keyed::Token).or(called);
        Self { place, wanted, keyed, calling: wanted.calling.as_ref().map(calling_numbers) }
    }

    fn meets(&self, span: Span) -> bool {
        let own = self.wanted.span;
        own.from <= own.to && own.from <= span.to && span.from <= own.to
    }

    fn within(&self, start: i64) -> bool {
        self.wanted.span.from.seconds() <= start && start <= self.wanted.span.to.seconds()
    }
}

/// What is to be read of one row group.
struct Task<'a> {
    file: Arc<OpenedFile>,
    group: usize,
    /// Rows that the index names, for whom.
    named: Vec<Named<'a>>,
    /// Rows to be tried by calling number and start.
    tried: Vec<Tried<'a>>,
    /// Those for whom all rows are to be tried by their keys.
    keyed: Vec<&'a Sought<'a>>,
}

/// Fewer rows are read in less time than a row group takes to be opened twice.
const WORTH_HALVING: usize = 64;

/// What is still to be looked up in a file.
struct Plan<'a> {
    file: Arc<OpenedFile>,
    sought: Vec<&'a Sought<'a>>,
    done: usize,
}

/// Of the plan of that number, how many are looked up, and what is to be read for them.
type Planned<'a> = (usize, usize, Vec<Task<'a>>);

/// The plans of all files, on all cores where there is much to look up.
fn plan_all<'a>(plans: &[Plan<'a>], limit: usize) -> Result<Vec<Planned<'a>>, Error> {
    let numbered: Vec<(usize, &Plan<'a>)> = plans.iter().enumerate().collect();
    let work = |(number, own): &(usize, &Plan<'a>), give: &mut dyn FnMut(Planned<'a>) -> bool| {
        let (done, tasks) = plan(&own.file, &own.sought[own.done..], limit);
        give((*number, done, tasks));
        Ok(())
    };
    let mut planned = Vec::with_capacity(numbered.len());
    let many = plans.iter().map(|own| own.sought.len()).sum::<usize>() >= WORTH_THREADS;
    for some in numbered.chunks(if many { numbered.len() } else { 1 }) {
        parallel::for_each(some, work, |own| planned.push(own))?;
    }
    Ok(planned)
}

/// Fewer are looked up in less time than threads take to begin.
const WORTH_THREADS: usize = 256;

/// Looks up what it can of what is sought in a file, until it is so many rows: how many, and what is to be read.
fn plan<'a>(file: &Arc<OpenedFile>, sought: &[&'a Sought<'a>], limit: usize) -> (usize, Vec<Task<'a>>) {
    let groups = file.first_rows.len().saturating_sub(1);
    let mut tasks: Vec<Task<'a>> = (0..groups).map(|group| Task::new(file, group)).collect();
    let mut held = 0;
    let mut done = 0;
    for one in sought {
        if held > limit {
            break;
        }
        held += 1 + match look_up(file, one) {
            Ok(rows) => rows.spread(file, one, &mut tasks),
            Err(Unindexed) => {
                tasks.iter_mut().for_each(|task| task.keyed.push(one));
                groups
            }
        };
        done += 1;
    }
    tasks.retain(|task| !task.is_empty());
    (done, tasks)
}

/// Rows of a file.
enum Rowset {
    Named(Vec<u32>),
    Tried(Vec<Range<u32>>),
}

impl Rowset {
    /// Notes the rows with the tasks of their groups; how many entries that makes.
    fn spread<'a>(self, file: &OpenedFile, sought: &'a Sought<'a>, tasks: &mut [Task<'a>]) -> usize {
        match self {
            Self::Named(rows) => {
                for row in &rows {
                    if let Some(task) = tasks.get_mut(file.group_of(*row)) {
                        task.named.push((*row, sought));
                    }
                }
                rows.len()
            }
            Self::Tried(ranges) => {
                let pieces = ranges.iter().map(|range| {
                    let groups = file.group_of(range.start)..file.group_of(range.end.saturating_sub(1)) + 1;
                    for task in tasks.get_mut(groups.clone()).into_iter().flatten() {
                        let bounds = task.rows();
                        let own = range.start.max(bounds.start)..range.end.min(bounds.end);
                        task.tried.push((own, sought));
                    }
                    groups.len()
                });
                pieces.sum()
            }
        }
    }
}

/// The rows that the side index names; a fault where it cannot.
fn look_up(file: &OpenedFile, sought: &Sought<'_>) -> Result<Rowset, Unindexed> {
    let index = file.index.as_ref().map_err(|_| Unindexed)?;
    let span = sought.wanted.span;
    let calling = sought.calling.as_ref().and_then(|numbers| index.calling_rows(numbers, span));
    let Some(keyed) = sought.keyed else {
        return calling.map(Rowset::Tried).ok_or(Unindexed);
    };
    let callers: usize = calling.iter().flatten().map(|range| range.len()).sum();
    match calling {
        // Both numbers are busy ones: the fewer rows decide.
        Some(rows) if callers / ROWS_A_BLOCK + SPARED_BLOCKS < index.blocks(keyed, span) => Ok(Rowset::Tried(rows)),
        calling => named(index, keyed, span, calling.as_deref()).map_err(|_| Unindexed),
    }
}

/// About as many rows are tried in the time that a block is read.
const ROWS_A_BLOCK: usize = 256;
/// So many blocks are no reason to look elsewhere.
const SPARED_BLOCKS: usize = 16;

/// The index does not know, or cannot be believed.
struct Unindexed;

fn named(index: &Index, keyed: Keyed, span: Span, among: Option<&[Range<u32>]>) -> Result<Rowset, IndexFault> {
    let mut rows = Vec::new();
    let is_among = |row: u32| {
        among.is_none_or(|ranges| {
            let behind = ranges.partition_point(|range| range.start <= row);
            behind.checked_sub(1).is_some_and(|at| ranges[at].contains(&row))
        })
    };
    index.rows(keyed, span, &mut |row| {
        if is_among(row) {
            rows.push(row);
        }
    })?;
    Ok(Rowset::Named(rows))
}

impl<'a> Task<'a> {
    fn new(file: &Arc<OpenedFile>, group: usize) -> Self {
        Self { file: Arc::clone(file), group, named: Vec::new(), tried: Vec::new(), keyed: Vec::new() }
    }

    /// The same as two tasks, where that is worth it: a day has few row groups, and no core is to wait for the last.
    fn halves(mut self) -> impl Iterator<Item = Self> {
        let mut other = Self::new(&self.file, self.group);
        if self.named.len() >= WORTH_HALVING && self.tried.is_empty() && self.keyed.is_empty() {
            self.named.sort_unstable_by_key(|(row, own)| (*row, own.place));
            let (middle, _) = self.named[self.named.len() / 2];
            other.named = self.named.split_off(self.named.partition_point(|(row, _)| *row < middle));
        }
        [self, other].into_iter().filter(|own| !own.is_empty())
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.tried.is_empty() && self.keyed.is_empty()
    }

    /// The group's rows, as the file counts them.
    fn rows(&self) -> Range<u32> {
        let bound = |at: usize| self.file.first_rows.get(at).copied().unwrap_or_default();
        bound(self.group)..bound(self.group + 1)
    }

    fn run(&self, give: &mut dyn FnMut(Vec<Found>) -> bool) -> Result<(), ParquetError> {
        let group = Group::open(&self.file, self.group)?;
        let mut pairs = self.named.clone();
        self.try_rows(&group, &mut pairs)?;
        self.try_keys(&group, &mut pairs)?;
        let bounds = self.rows();
        pairs.retain(|(row, _)| bounds.contains(row));
        pairs.sort_unstable_by_key(|(row, own)| (*row, own.place));
        pairs.dedup_by_key(|(row, own)| (*row, own.place));
        self.read(&group, &pairs, give)
    }

    /// Tries rows on the columns that the file is sorted by.
    fn try_rows(&self, group: &Group, pairs: &mut Vec<Named<'a>>) -> Result<(), ParquetError> {
        if self.tried.is_empty() {
            return Ok(());
        }
        let mut tried: Vec<&Tried<'a>> = self.tried.iter().collect();
        tried.sort_unstable_by_key(|(range, _)| range.start);
        let base = self.rows().start;
        let ranges = relative(tried.iter().map(|(range, _)| range.clone()), base);
        let mut numbers = ranges.iter().cloned().flatten().map(|row| row + base);
        // Of those sorted by where their rows begin, these are reached and not yet past.
        let (mut reached, mut current) = (0, Vec::<&Tried<'a>>::new());
        group.read(&TimeColumns::NAMES, &ranges, &mut |batch| {
            let columns = TimeColumns::new(batch).map_err(unreadable)?;
            for (at, row) in (0..batch.num_rows()).zip(numbers.by_ref()) {
                while let Some(next) = tried.get(reached).filter(|(range, _)| range.start <= row) {
                    current.push(next);
                    reached += 1;
                }
                current.retain(|(range, _)| row < range.end);
                let fits = |own: &Sought<'_>| {
                    columns.starts(at).any(|start| own.within(start))
                        && own.calling.as_ref().is_none_or(|numbers| may_be(numbers, columns.calling(at)))
                };
                pairs.extend(current.iter().filter(|(_, own)| fits(own)).map(|(_, own)| (row, *own)));
            }
            Ok(())
        })
    }

    /// Tries all rows by their keys, where the side index is of no use.
    fn try_keys(&self, group: &Group, pairs: &mut Vec<Named<'a>>) -> Result<(), ParquetError> {
        if self.keyed.is_empty() {
            return Ok(());
        }
        let mut by_key: HashMap<RowKey, Vec<&'a Sought<'a>>> = HashMap::new();
        for own in &self.keyed {
            own.row_keys().into_iter().for_each(|key| by_key.entry(key).or_default().push(own));
        }
        let bounds = self.rows();
        let mut numbers = bounds.clone();
        let mut columns_of = IndexedRow::default();
        group.read(&KeyColumns::NAMES, slice::from_ref(&(0..bounds.end - bounds.start)), &mut |batch| {
            let columns = KeyColumns::new(batch).map_err(unreadable)?;
            for (at, number) in (0..batch.num_rows()).zip(numbers.by_ref()) {
                columns.read(at, &mut columns_of);
                let row = &columns_of;
                let starts = || std::iter::once(row.start).chain(row.start_repeated);
                let sought = row_keys(row).filter_map(|key| by_key.get(&key)).flatten();
                let fits = |own: &&&Sought<'_>| {
                    starts().any(|start| own.within(start))
                        && own.calling.as_ref().is_none_or(|numbers| may_be(numbers, row.calling))
                };
                pairs.extend(sought.filter(fits).map(|own| (number, *own)));
            }
            Ok(())
        })
    }

    /// Reads the records of rows and gives those that fit.
    fn read(
        &self,
        group: &Group,
        pairs: &[Named<'a>],
        give: &mut dyn FnMut(Vec<Found>) -> bool,
    ) -> Result<(), ParquetError> {
        let base = self.rows().start;
        let ranges = relative(pairs.iter().map(|(row, _)| *row..row + 1), base);
        if ranges.is_empty() {
            return Ok(());
        }
        let mut numbers = ranges.iter().cloned().flatten().map(|row| row + base);
        let mut rest = pairs;
        let mut names = Names::default();
        group.read(&schema::RECORD, &ranges, &mut |batch| {
            let rows = Rows::new(batch).map_err(unreadable)?;
            let mut found = Vec::with_capacity(batch.num_rows());
            for (at, number) in (0..batch.num_rows()).zip(numbers.by_ref()) {
                let (own, after) = rest.split_at(rest.iter().take_while(|(row, _)| *row == number).count());
                rest = after;
                let record = rows.record(at, 0);
                let fitting = own.iter().filter(|(_, own)| own.wanted.fits(&record));
                found.extend(fitting.map(|(_, own)| names.found(own.place, &rows, at, record.clone())));
            }
            if give(found) { Ok(()) } else { Err(ParquetError::General("nobody wants the rest".to_owned())) }
        })
    }
}

/// A row for whom it is.
type Named<'a> = (u32, &'a Sought<'a>);
/// Rows to be tried, for whom.
type Tried<'a> = (Range<u32>, &'a Sought<'a>);

/// What a row is found by without the side index.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum RowKey {
    Any,
    Calling(Option<u64>),
    Keyed(Keyed),
}

impl Sought<'_> {
    fn row_keys(&self) -> Vec<RowKey> {
        match (self.keyed, &self.calling) {
            (Some(keyed), _) => vec![RowKey::Keyed(keyed)],
            (None, Some(numbers)) => {
                let mut keys: Vec<RowKey> = numbers.iter().map(|number| RowKey::Calling(number.key())).collect();
                keys.dedup();
                keys
            }
            (None, None) => vec![RowKey::Any],
        }
    }
}

fn row_keys(row: &IndexedRow) -> impl Iterator<Item = RowKey> {
    let called = row.called.iter().map(|key| Keyed::Called(*key));
    let keyed = called.chain(row.tokens.iter().map(|key| Keyed::Token(*key))).map(RowKey::Keyed);
    keyed.chain([RowKey::Any, RowKey::Calling(row.calling.map(integer_key))])
}

/// Rows counted from the group's first, in ranges that do not overlap, in order.
fn relative(ranges: impl Iterator<Item = Range<u32>>, base: u32) -> Vec<Range<u32>> {
    united(ranges.map(|range| range.start.saturating_sub(base)..range.end.saturating_sub(base)).collect())
}

fn unreadable(fault: NoColumn) -> ParquetError {
    ParquetError::General(fault.to_string())
}

/// Names that many rows share, kept once.
#[derive(Default)]
pub(super) struct Names {
    texts: HashMap<String, Arc<str>>,
    files: HashMap<String, Arc<RecordFile>>,
}

impl Names {
    pub(super) fn found(&mut self, wanted: usize, rows: &Rows<'_>, at: usize, record: Record) -> Found {
        let (network, source) = (self.text(rows.network(at)), self.text(rows.source(at)));
        Found::new(wanted, network, source, self.file(rows, at), record)
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(own) = self.texts.get(text) {
            return Arc::clone(own);
        }
        let own: Arc<str> = text.into();
        self.texts.insert(text.to_owned(), Arc::clone(&own));
        own
    }

    fn file(&mut self, rows: &Rows<'_>, at: usize) -> Arc<RecordFile> {
        let file = rows.file(at);
        // One file may have been read twice, before and after it grew.
        let name = format!("{} {}", file.sha256, file.name);
        Arc::clone(self.files.entry(name).or_insert_with(|| Arc::new(file)))
    }
}
