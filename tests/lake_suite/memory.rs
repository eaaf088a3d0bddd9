//! The plain lake: every question is put to every record.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use stirtrace::lake::{Found, Held, Lake, RecordFile, Tallied, Tally, Wanted};
use stirtrace::time::UnixTime;
use stirtrace::traceback::Span;

use super::Row;

#[derive(Debug)]
pub(crate) struct Memory(Vec<Row>);

pub(crate) fn make(rows: &[Row]) -> Memory {
    Memory(rows.to_vec())
}

impl Lake for Memory {
    type Error = Infallible;

    fn candidates(&self, wanted: &[Wanted], take: &mut dyn FnMut(Found)) -> Result<(), Infallible> {
        for row in &self.0 {
            for (place, _) in wanted.iter().enumerate().filter(|(_, wanted)| wanted.fits(&row.record)) {
                take(row.found(place));
            }
        }
        Ok(())
    }

    fn tally(&self, tally: &Tally) -> Result<Vec<Tallied>, Infallible> {
        let mut lines: BTreeMap<Vec<Option<String>>, Tallied> = BTreeMap::new();
        for row in &self.0 {
            let start = row.record.start;
            let value = |field: stirtrace::lake::Field| field.value(&row.network, &row.source, &row.record);
            let fits = tally.filter.iter().all(|filter| value(filter.field) == filter.value);
            if fits && tally.span.from <= start && start <= tally.span.to {
                let kind: Vec<_> = tally.by.iter().map(|field| value(*field)).collect();
                let line = Tallied::new(kind.clone(), 0, 0, Span::new(start, start));
                lines.entry(kind).or_insert(line).add(&row.record);
            }
        }
        Ok(lines.into_values().collect())
    }

    fn coverage(&self, network: &str) -> Result<Vec<Held>, Infallible> {
        let own = || self.0.iter().filter(|row| row.network == network);
        let sources: BTreeSet<&str> = own().map(|row| row.source.as_str()).collect();
        let held = sources.into_iter().map(|source| {
            let rows: Vec<&Row> = own().filter(|row| row.source == source).collect();
            let mut held = Held::default();
            held.source = source.to_owned();
            held.files = rows.iter().map(|row| &row.file).collect::<BTreeSet<_>>().len().try_into().unwrap();
            held.records = rows.len().try_into().unwrap();
            held.spans = spans(&rows);
            held
        });
        Ok(held.collect())
    }

    fn signed(
        &self,
        span: Span,
        network: Option<&str>,
        take: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        let within = |start: UnixTime| span.from <= start && start <= span.to;
        let is_asked_for = |row: &&Row| {
            let record = &row.record;
            !record.identity.is_empty()
                && network.is_none_or(|network| network == row.network)
                && std::iter::once(record.start).chain(record.start_repeated).any(within)
        };
        for row in self.0.iter().filter(is_asked_for) {
            if take(row.found(0)).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Row {
    fn found(&self, wanted: usize) -> Found {
        // The hash of a file is the keeper's affair.
        let file = Arc::new(RecordFile::new(&self.file, ""));
        Found::new(wanted, self.network.as_str().into(), self.source.as_str().into(), file, self.record.clone())
    }
}

fn spans(rows: &[&Row]) -> Vec<Span> {
    let mut starts: Vec<_> = rows.iter().map(|row| row.record.start).collect();
    starts.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for start in starts {
        match spans.last_mut() {
            Some(span) if start.seconds_since(span.to) < 60 => span.to = start,
            _ => spans.push(Span::new(start, start)),
        }
    }
    spans
}
