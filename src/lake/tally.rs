//! The second question: how many records there are of each kind (design 6).
//!
//! Only the columns asked for are read, of the days asked for, a row group on each core.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::slice;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch, StringArray, TimestampMillisecondArray};
use parquet::errors::ParquetError;

use super::data::day_name;
use super::error::Error;
use super::folder::ParquetLake;
use super::group::Group;
use super::opened::OpenedFile;
use super::parallel;
use super::question::{Field, Tallied, Tally, seconds_class};
use super::rows::{NoColumn, column};
use super::schema;
use crate::time::UnixTime;
use crate::traceback::Span;

/// More kinds are no summary.
const MAX_KINDS: usize = 1_000_000;

/// The values of the columns asked for.
type Kind = Vec<Option<Arc<str>>>;
type Kinds = HashMap<Kind, Count>;

impl ParquetLake {
    /// Answers the question.
    pub(super) fn count(&self, tally: &Tally) -> Result<Vec<Tallied>, Error> {
        let mut kinds = Kinds::new();
        let span = tally.span;
        self.each_day(&|own: Span| span.from <= own.to && own.from <= span.to, &mut |files| {
            let groups: Vec<(&OpenedFile, usize)> = files
                .iter()
                .flat_map(|(_, file)| (0..file.metadata.num_row_groups()).map(|group| (&**file, group)))
                .collect();
            let work = |(file, group): &(&OpenedFile, usize), give: &mut dyn FnMut(Kinds) -> bool| {
                let counted = count_group(file, *group, tally);
                let counted =
                    counted.map_err(|error| Error::damaged(&self.folder().join(Path::new(&file.path)), error));
                give(counted??);
                Ok(())
            };
            let mut too_many = false;
            parallel::for_each(&groups, work, |found| too_many |= !add(&mut kinds, found))?;
            if too_many { Err(Error::TooManyKinds { limit: MAX_KINDS }) } else { Ok(()) }
        })?;
        let text = |value: Option<Arc<str>>| value.map(|text| text.as_ref().to_owned());
        let mut lines: Vec<Tallied> = kinds
            .into_iter()
            .map(|(kind, count)| Tallied {
                values: kind.into_iter().map(text).collect(),
                records: count.records,
                seconds: count.seconds,
                from: count.from,
                to: count.to,
            })
            .collect();
        lines.sort_unstable();
        Ok(lines)
    }
}

/// Adds counts to others; `false` where there are too many kinds, and the rest was left out.
fn add(kinds: &mut Kinds, found: Kinds) -> bool {
    for (kind, count) in found {
        if kinds.len() >= MAX_KINDS && !kinds.contains_key(&kind) {
            return false;
        }
        match kinds.entry(kind) {
            Entry::Occupied(mut own) => own.get_mut().add(&count),
            Entry::Vacant(own) => drop(own.insert(count)),
        }
    }
    true
}

/// Records of one kind.
#[derive(Clone, Copy, Debug)]
struct Count {
    records: u64,
    seconds: u64,
    from: UnixTime,
    to: UnixTime,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.seconds = self.seconds.saturating_add(other.seconds);
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
    }
}

fn count_group(file: &OpenedFile, number: usize, tally: &Tally) -> Result<Result<Kinds, Error>, ParquetError> {
    let group = Group::open(file, number)?;
    let rows = u32::try_from(file.metadata.row_group(number).num_rows())?;
    let mut ids = Ids::default();
    let mut counts: HashMap<Vec<u32>, Count> = HashMap::new();
    let mut key = Vec::with_capacity(tally.by.len());
    let mut too_many = false;
    group.read(&columns(tally), slice::from_ref(&(0..rows)), &mut |batch| {
        let missing = |fault: NoColumn| ParquetError::General(fault.to_string());
        let batch = Batch::new(batch, tally).map_err(missing)?;
        for at in 0..batch.start.len() {
            let Some(count) = batch.count(at, tally) else { continue };
            key.clear();
            key.extend(batch.by.iter().map(|column| column.with(at, |text| ids.of(text))));
            let full = counts.len() >= MAX_KINDS;
            match counts.get_mut(key.as_slice()) {
                Some(own) => own.add(&count),
                None if full => too_many = true,
                None => drop(counts.insert(key.clone(), count)),
            }
        }
        Ok(())
    })?;
    let named = counts.into_iter().map(|(key, count)| (key.iter().map(|id| ids.text(*id)).collect(), count));
    Ok(if too_many { Err(Error::TooManyKinds { limit: MAX_KINDS }) } else { Ok(named.collect()) })
}

/// Texts as small numbers.
#[derive(Default)]
struct Ids {
    ids: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Ids {
    /// 0 for none.
    fn of(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.ids.insert(text, id);
        id
    }

    fn text(&self, id: u32) -> Option<Arc<str>> {
        let place = usize::try_from(id).ok()?.checked_sub(1)?;
        self.texts.get(place).cloned()
    }
}

/// The columns that a tally reads.
fn columns(tally: &Tally) -> Vec<&'static str> {
    let fields = tally.by.iter().copied().chain(tally.filter.iter().map(|filter| filter.field));
    let mut columns = vec![schema::START, schema::ANSWER, schema::END];
    columns.extend(fields.flat_map(texts));
    columns
}

/// The columns of text that a field is in: the first of them that has a value.
fn texts(field: Field) -> Vec<&'static str> {
    let [attest, origid, x5u] = schema::CLAIMED;
    let [_, stated_attest, stated_origid, spc] = schema::STATED;
    let [trunk, address, _] = schema::INGRESS;
    match field {
        Field::Answered | Field::Day | Field::Seconds => Vec::new(),
        Field::Attest => vec![attest, stated_attest],
        Field::IngressAddress => vec![address],
        Field::IngressTrunk => vec![trunk],
        Field::Network => vec![schema::NETWORK],
        Field::Origid => vec![origid, stated_origid],
        Field::Signer => vec![x5u, spc],
        Field::Source => vec![schema::SOURCE],
    }
}

struct Batch<'a> {
    start: &'a TimestampMillisecondArray,
    answer: &'a TimestampMillisecondArray,
    end: &'a TimestampMillisecondArray,
    by: Vec<Column<'a>>,
    filter: Vec<Column<'a>>,
}

impl<'a> Batch<'a> {
    fn new(batch: &'a RecordBatch, tally: &Tally) -> Result<Self, NoColumn> {
        let instant = |name: &str| column(batch, name, |array| array.as_primitive_opt::<TimestampMillisecondType>());
        let (start, answer, end) = (instant(schema::START)?, instant(schema::ANSWER)?, instant(schema::END)?);
        let of = |field: Field| -> Result<Column<'a>, NoColumn> {
            Ok(match field {
                Field::Answered => Column::Answered(answer),
                Field::Day => Column::Day(start),
                Field::Seconds => Column::Seconds(answer, end),
                field => Column::Texts(
                    texts(field)
                        .into_iter()
                        .map(|name| column(batch, name, |array| array.as_string_opt::<i32>()))
                        .collect::<Result<_, _>>()?,
                ),
            })
        };
        let by = tally.by.iter().map(|field| of(*field)).collect::<Result<_, _>>()?;
        let filter = tally.filter.iter().map(|filter| of(filter.field)).collect::<Result<_, _>>()?;
        Ok(Self { start, answer, end, by, filter })
    }

    /// What a row counts for; `None` where it is not asked for.
    fn count(&self, at: usize, tally: &Tally) -> Option<Count> {
        let start = UnixTime::from_seconds(instant(self.start, at)?);
        let mut filters = self.filter.iter().zip(&tally.filter);
        if start < tally.span.from
            || tally.span.to < start
            || !filters.all(|(column, filter)| column.with(at, |text| text == filter.value.as_deref()))
        {
            return None;
        }
        let seconds = conversation(self.answer, self.end, at).unwrap_or_default();
        Some(Count { records: 1, seconds, from: start, to: start })
    }
}

/// A field's column or columns.
enum Column<'a> {
    Answered(&'a TimestampMillisecondArray),
    Day(&'a TimestampMillisecondArray),
    Seconds(&'a TimestampMillisecondArray, &'a TimestampMillisecondArray),
    Texts(Vec<&'a StringArray>),
}

impl Column<'_> {
    fn with<T>(&self, at: usize, take: impl FnOnce(Option<&str>) -> T) -> T {
        match self {
            Self::Answered(answer) => take(Some(if answer.is_valid(at) { "yes" } else { "no" })),
            Self::Day(start) => {
                take(instant(start, at).map(|start| day_name(UnixTime::from_seconds(start))).as_deref())
            }
            Self::Seconds(answer, end) => take(conversation(answer, end, at).map(seconds_class)),
            Self::Texts(columns) => {
                take(columns.iter().find(|column| column.is_valid(at)).map(|column| column.value(at)))
            }
        }
    }
}

fn instant(column: &TimestampMillisecondArray, at: usize) -> Option<i64> {
    column.is_valid(at).then(|| column.value(at).div_euclid(1000))
}

/// Seconds of conversation, where the call was answered and ended.
fn conversation(answer: &TimestampMillisecondArray, end: &TimestampMillisecondArray, at: usize) -> Option<u64> {
    let seconds = instant(end, at)?.saturating_sub(instant(answer, at)?);
    Some(u64::try_from(seconds).unwrap_or_default())
}
