//! A source looked at, not read: what each row was understood to be, from which columns, and in which zone.

use crate::cdr::blocks::{Block, Step};
use crate::cdr::error::BadLine;
use crate::cdr::field::Field;
use crate::cdr::layout::{At, Layout, Pick};
use crate::cdr::parser::{Met, Parser};
use crate::cdr::raw::{Row, Scratch};
use crate::cdr::record::Record;
use crate::cdr::times::TimeForm;
use crate::zone::{Moment, Zone};

/// A row as it was understood.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Looked {
    /// It cannot be read.
    Bad(BadLine),
    /// A call.
    Call {
        /// What it says.
        record: Box<Record>,
        /// The start as written.
        start: String,
        /// Where the zone of its times comes from.
        zone: ZoneOrigin,
    },
    /// It is no call.
    NoCall {
        /// The line, from 1.
        line: u64,
    },
}

/// Where the zone of a time comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ZoneOrigin {
    /// A column of the row.
    Column(String),
    /// Times are counts since 1970: no zone is needed.
    Counted,
    /// The format prescribes it.
    Format(Zone),
    /// The source says so.
    Source(Zone),
    /// Nothing says so.
    Unknown,
    /// The time itself names it.
    Written,
}

impl Parser {
    /// Looks at the rows of a block, and shows each as it was understood.
    pub fn look(&self, block: &Block, take: &mut dyn FnMut(Looked)) {
        let mut scratch = Scratch::new(self);
        let mut walk = block.walk(Self::shape(self.layout()));
        loop {
            match walk.step() {
                Step::Row { from, to, line } => {
                    let row = &walk.bytes[from..to];
                    take(match self.record(row, line, &mut scratch) {
                        None => Looked::NoCall { line },
                        Some(Err(bad)) => Looked::Bad(bad),
                        Some(Ok(record)) => {
                            let start = self.written(row, line, Field::Start).unwrap_or_default();
                            let zone = self.zone_origin(row, line, &start);
                            Looked::Call { record: Box::new(record), start, zone }
                        }
                    });
                }
                Step::Bad(error) => take(Looked::Bad(self.bad(error))),
                Step::End => return,
            }
        }
    }

    /// The text that fills a field.
    fn written(&self, row: &[u8], line: u64, field: Field) -> Option<String> {
        let mut cells = Vec::new();
        let raw = self.raw(row, line, &mut cells).ok()?;
        let Met::Call(kind) = self.met(&raw).ok()? else { return None };
        let row = Row { raw: &raw, layout: self.layout() };
        Some(row.text(kind.picks.get(field)?).ok()??.into_owned())
    }

    fn zone_origin(&self, row: &[u8], line: u64, start: &str) -> ZoneOrigin {
        let column = [Field::Zone, Field::MinutesWest].into_iter().find_map(|field| {
            let text = self.written(row, line, field)?;
            Some(if field == Field::Zone { text } else { format!("{text} minutes behind UTC") })
        });
        let layout = self.layout();
        if !start.is_empty() && start.bytes().all(|c| c.is_ascii_digit() || c == b'.') && counts(layout) {
            return ZoneOrigin::Counted;
        }
        let is_named = layout.times.iter().any(TimeForm::names_zone);
        match column {
            Some(text) => ZoneOrigin::Column(text),
            None if is_named || Moment::parse(start, None).is_ok() => ZoneOrigin::Written,
            None => match (&layout.zone, &self.settings.zone) {
                (Some(zone), _) => ZoneOrigin::Format(zone.clone()),
                (None, Some(zone)) => ZoneOrigin::Source(zone.clone()),
                (None, None) => ZoneOrigin::Unknown,
            },
        }
    }

    /// Which columns fill which fields, in the order of the fields; the numbers of columns and their names in the header.
    #[must_use]
    pub fn columns(&self) -> Vec<(&'static str, String)> {
        let mut columns = Vec::new();
        for (name, field) in Field::ALL {
            let mut places: Vec<String> = Vec::new();
            for pick in self.kinds().filter_map(|kind| kind.picks.get(field)) {
                let place = self.shown(pick);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            if !places.is_empty() {
                columns.push((name, places.join(" / ")));
            }
        }
        columns
    }

    fn shown(&self, pick: &Pick) -> String {
        let all =
            |picks: &[Pick], between: &str| picks.iter().map(|pick| self.shown(pick)).collect::<Vec<_>>().join(between);
        match pick {
            Pick::At(At::Column(column)) => match self.header().get(column - 1) {
                Some(name) => name.clone(),
                None => column.to_string(),
            },
            Pick::At(At::Name(name)) => name.clone(),
            Pick::At(At::Path(path)) => path.join("."),
            Pick::At(At::Slice(from, to)) => format!("{from}-{to}"),
            Pick::Extract(pick, pattern) => format!("{} ({pattern})", self.shown(pick)),
            Pick::First(picks) => all(picks, ", else "),
            Pick::Join(picks) => all(picks, " and "),
            Pick::Address(pick, _) | Pick::Words(pick, _) => self.shown(pick),
        }
    }
}

fn counts(layout: &Layout) -> bool {
    layout.times.iter().any(TimeForm::is_count)
}
