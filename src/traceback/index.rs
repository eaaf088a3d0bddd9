//! Which requests a record may answer: by the called number, by the pair of numbers, and by the time.
//!
//! Requests for the same call share their candidates, and a record is compared only with requests of its own time, so
//! that a hundred thousand requests for one number cost no more than as many for as many.

use std::collections::HashMap;

use crate::cdr::{Dialed, Record};
use crate::number::TelephoneNumber;
use crate::time::UnixTime;
use crate::traceback::candidate::{EXACT_SECONDS, FURTHEST};
use crate::traceback::coverage::Span;
use crate::traceback::request::Request;

/// What to ask whoever keeps records for: those that have all of it, and start in the span.
///
/// A number of ten digits stands for every number that ends in them, and a longer one also for its last ten digits
/// written alone. A record is of a called number that is one of [`Record::destinations`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Window {
    /// The calling number; none where any will do.
    pub calling: Option<TelephoneNumber>,
    /// The called number.
    pub called: TelephoneNumber,
    /// When the call began.
    pub span: Span,
}

/// The requests by what a record shows.
#[derive(Debug)]
pub(super) struct Index {
    /// The first request for the same call.
    same: Vec<usize>,
    by_called: HashMap<u64, Vec<Entry>>,
    by_pair: HashMap<(u64, Caller), Vec<Entry>>,
}

/// The first second of a request's time, and the request.
type Entry = (i64, usize);

/// Who calls: a number by its last ten digits, or words; none for whoever is withheld.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Caller {
    Number(u64),
    Words(String),
}

impl Caller {
    fn of(dialed: &Dialed) -> Self {
        match &dialed.canonical {
            Some(number) => Self::Number(key(number)),
            None if dialed.is_withheld() => Self::Words(String::new()),
            None => Self::Words(dialed.raw.to_ascii_lowercase()),
        }
    }
}

/// A request's time is a whole minute at most.
const MINUTE: i64 = 59;

impl Index {
    pub(super) fn new(requests: &[Request]) -> Self {
        let mut first: HashMap<_, usize> = HashMap::new();
        let mut own =
            Self { same: Vec::with_capacity(requests.len()), by_called: HashMap::new(), by_pair: HashMap::new() };
        for (index, request) in requests.iter().enumerate() {
            let caller = Caller::of(&request.from);
            let time = (request.time.earliest, request.time.latest, request.time.repeated);
            let whole = (request.from.canonical, request.to.canonical, caller.clone(), time);
            let same = *first.entry(whole).or_insert(index);
            own.same.push(same);
            if let Some(called) = request.to.canonical.as_ref().filter(|_| same == index) {
                for earliest in std::iter::once(request.time.earliest).chain(request.time.repeated) {
                    let entry = (earliest.seconds(), index);
                    own.by_called.entry(key(called)).or_default().push(entry);
                    own.by_pair.entry((key(called), caller.clone())).or_default().push(entry);
                }
            }
        }
        own.by_called.values_mut().chain(own.by_pair.values_mut()).for_each(|entries| entries.sort_unstable());
        own
    }

    /// The first request for the same call as this one.
    pub(super) fn same(&self, request: usize) -> usize {
        self.same.get(request).copied().unwrap_or(request)
    }

    /// The requests that a record may answer, each named once or more.
    pub(super) fn requests_for(&self, record: &Record, mut take: impl FnMut(usize)) {
        let mut called: Vec<u64> = Vec::new();
        for number in record.destinations() {
            let key = key(number);
            // A number may stand in several fields.
            let Some(entries) = self.by_called.get(&key).filter(|_| !called.contains(&key)) else { continue };
            called.push(key);
            let pair = self.by_pair.get(&(key, Caller::of(&record.calling)));
            for start in std::iter::once(record.start).chain(record.start_repeated) {
                near(entries, start, EXACT_SECONDS).iter().for_each(|(_, request)| take(*request));
                pair.into_iter().flat_map(|own| near(own, start, FURTHEST)).for_each(|(_, request)| take(*request));
            }
        }
    }

    /// What to ask for, each span once.
    pub(super) fn windows(&self, requests: &[Request]) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        let distinct = requests.iter().enumerate().filter(|(index, _)| self.same(*index) == *index);
        for (_, request) in distinct {
            let Some(called) = request.to.canonical else { continue };
            let length = request.time.latest.seconds_since(request.time.earliest);
            for earliest in std::iter::once(request.time.earliest).chain(request.time.repeated) {
                let window = |calling, away: i64| {
                    let span = Span::new(earliest.plus_seconds(-away), earliest.plus_seconds(length + away));
                    Window { calling, called, span }
                };
                match request.from.canonical {
                    Some(calling) => windows.extend([window(Some(calling), FURTHEST), window(None, EXACT_SECONDS)]),
                    None => windows.push(window(None, FURTHEST)),
                }
            }
        }
        merged(windows)
    }
}

/// Those of the entries, in order of their times, that a record of that instant may answer.
fn near(entries: &[Entry], start: UnixTime, away: i64) -> &[Entry] {
    let (from, to) = (start.plus_seconds(-away - MINUTE).seconds(), start.plus_seconds(away).seconds());
    let (first, last) = (entries.partition_point(|own| own.0 < from), entries.partition_point(|own| own.0 <= to));
    entries.get(first..last).unwrap_or_default()
}

fn merged(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_unstable_by_key(|own| (own.called, own.calling, own.span));
    let mut merged: Vec<Window> = Vec::new();
    for window in windows {
        match merged.last_mut() {
            Some(last)
                if (last.called, last.calling) == (window.called, window.calling)
                    && window.span.from <= last.span.to =>
            {
                last.span.to = last.span.to.max(window.span.to);
            }
            _ => merged.push(window),
        }
    }
    merged
}

/// The last ten characters, four bits each: the same for a number with and without its country code.
fn key(number: &TelephoneNumber) -> u64 {
    let text = number.as_str().as_bytes();
    let tail = &text[text.len().saturating_sub(10)..];
    tail.iter().fold(1, |key, c| {
        let value = match c {
            b'0'..=b'9' => c - b'0',
            b'#' => 10,
            _ => 11,
        };
        key << 4 | u64::from(value)
    })
}
