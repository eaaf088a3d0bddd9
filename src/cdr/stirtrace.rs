//! Our own CSV of call records: a header that names the columns, in any order; start, calling and called are needed.

use std::borrow::Cow;
use std::io::Read;

use super::{BadLine, LineFault, OpenError, RowError, Settings};
use crate::cdr::record::{Dialed, Link, Place, Record};
use crate::cdr::rows::{Row, Rows};
use crate::identity_header;
use crate::zone::{Moment, MomentError};

/// The columns of the format.
pub const COLUMNS: [&str; 16] = [
    "start",
    "answer",
    "end",
    "calling",
    "called",
    "original_called",
    "ingress_trunk",
    "ingress_address",
    "ingress_call_id",
    "egress_trunk",
    "egress_address",
    "egress_call_id",
    "sip_status",
    "q850",
    "identity",
    "diversion",
];

const REQUIRED: [&str; 3] = ["start", "calling", "called"];

/// The most Identity or Diversion values that one record may carry.
const MAX_VALUES: usize = 64;

/// Reads records one after the other.
#[derive(Debug)]
pub struct StirtraceReader<R> {
    rows: Rows<R>,
    settings: Settings,
    /// Where each of [`COLUMNS`] stands.
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
    unknown: Vec<String>,
    ended: bool,
}

impl<R: Read> StirtraceReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none, or it lacks a column that every record needs.
    pub fn open(source: R, settings: Settings) -> Result<Self, OpenError> {
        let mut rows = Rows::new(source, b',');
        let header = rows.next_row().map_err(OpenError::Row)?.ok_or(OpenError::NoHeader)?;
        let mut places = [None; COLUMNS.len()];
        let mut unknown = Vec::new();
        for index in 0..header.len() {
            let name = header.cell(index).ok().flatten().unwrap_or_default().to_ascii_lowercase();
            match COLUMNS.iter().position(|column| *column == name) {
                Some(column) if places[column].is_some() => return Err(OpenError::ColumnTwice { column: name }),
                Some(column) => places[column] = Some(index),
                None => unknown.push(name),
            }
        }
        for column in REQUIRED {
            if !COLUMNS.iter().zip(places).any(|(name, place)| *name == column && place.is_some()) {
                return Err(OpenError::NoColumn { column });
            }
        }
        let width = header.len();
        Ok(Self { rows, settings, places, width, unknown, ended: false })
    }

    /// The columns of the header that mean nothing here; they are left out.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown
    }

    /// Whether records of this file can carry Identity headers: without the column, their absence says nothing.
    #[must_use]
    pub fn records_identities(&self) -> bool {
        COLUMNS.iter().zip(self.places).any(|(name, place)| *name == "identity" && place.is_some())
    }

    fn next_record(&mut self) -> Option<Result<Record, BadLine>> {
        if self.ended {
            return None;
        }
        let file = self.settings.file;
        match self.rows.next_row() {
            Ok(None) => None,
            Ok(Some(row)) => {
                let place = Place::new(file, row.line());
                let line = Line { row, places: &self.places, settings: &self.settings };
                let record = line.record(self.width);
                Some(record.map_err(|(field, fault)| BadLine { place, field, fault }))
            }
            Err(error) => {
                self.ended = matches!(error, RowError::Unreadable { .. });
                Some(Err(BadLine { place: Place::new(file, error.line()), field: None, fault: LineFault::Row(error) }))
            }
        }
    }
}

impl<R: Read> Iterator for StirtraceReader<R> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record()
    }
}

struct Line<'a> {
    row: Row<'a>,
    places: &'a [Option<usize>; COLUMNS.len()],
    settings: &'a Settings,
}

type Fault = (Option<&'static str>, LineFault);

impl<'a> Line<'a> {
    fn record(&self, width: usize) -> Result<Record, Fault> {
        if self.row.len() != width {
            return Err((None, LineFault::CellCount { found: self.row.len(), expected: width }));
        }
        let start = self.time("start")?.ok_or((Some("start"), LineFault::Empty))?;
        Ok(Record {
            place: Place::new(self.settings.file, self.row.line()),
            start: start.earliest,
            start_repeated: start.repeated,
            answer: self.time("answer")?.map(|moment| moment.earliest),
            end: self.time("end")?.map(|moment| moment.earliest),
            calling: self.dialed("calling")?.unwrap_or_default(),
            called: self.dialed("called")?.ok_or((Some("called"), LineFault::Empty))?,
            original_called: self.dialed("original_called")?,
            ingress: self.link("ingress_trunk", "ingress_address", "ingress_call_id")?,
            egress: self.link("egress_trunk", "egress_address", "egress_call_id")?,
            sip_status: self.number("sip_status", 699)?,
            q850: self.number("q850", 127)?,
            identity: self.values("identity")?,
            diversion: self.diversion()?,
            ..Record::default()
        })
    }

    /// The text of a column; `None` where it is empty or the header lacks it.
    fn text(&self, column: &'static str) -> Result<Option<Cow<'a, str>>, Fault> {
        let place = COLUMNS.iter().zip(self.places).find(|(name, _)| **name == column).and_then(|(_, place)| *place);
        let Some(place) = place else { return Ok(None) };
        let text = self.row.cell(place).map_err(|_| (Some(column), LineFault::Encoding))?.unwrap_or_default();
        if text.contains('\0') {
            return Err((Some(column), LineFault::Nul));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn time(&self, column: &'static str) -> Result<Option<Moment>, Fault> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        let fault = |error: MomentError| (Some(column), LineFault::Time(error));
        Moment::parse(&text, self.settings.zone.as_ref()).map(Some).map_err(fault)
    }

    fn dialed(&self, column: &'static str) -> Result<Option<Dialed>, Fault> {
        Ok(self.text(column)?.map(|text| Dialed::read(&text, self.settings.plan)))
    }

    fn link(&self, trunk: &'static str, address: &'static str, call_id: &'static str) -> Result<Link, Fault> {
        let owned = |column| Ok(self.text(column)?.map(Cow::into_owned));
        Ok(Link { trunk: owned(trunk)?, address: owned(address)?, call_id: owned(call_id)? })
    }

    fn number(&self, column: &'static str, most: u16) -> Result<Option<u16>, Fault> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number <= most);
        let fault = || (Some(column), LineFault::Number { found: text.clone().into_owned(), most });
        number.map(Some).ok_or_else(fault)
    }

    /// Several values in one cell are joined by commas, as SIP joins them.
    fn values(&self, column: &'static str) -> Result<Vec<String>, Fault> {
        let Some(text) = self.text(column)? else { return Ok(Vec::new()) };
        let values: Vec<String> = identity_header::split(&text).map(str::to_owned).take(MAX_VALUES + 1).collect();
        if values.len() > MAX_VALUES {
            return Err((Some(column), LineFault::TooMany { limit: MAX_VALUES }));
        }
        Ok(values)
    }

    fn diversion(&self) -> Result<Vec<Dialed>, Fault> {
        let values = self.values("diversion")?;
        Ok(values.iter().map(|value| Dialed::read(value, self.settings.plan)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::zone::Zone;

    fn read(text: impl AsRef<[u8]>) -> Vec<Result<Record, BadLine>> {
        StirtraceReader::open(text.as_ref(), Settings::for_file(7)).unwrap().collect()
    }

    fn open_error(text: &str) -> OpenError {
        StirtraceReader::open(text.as_bytes(), Settings::default()).unwrap_err()
    }

    #[test]
    fn a_full_line_gives_every_field() {
        let text = "start,answer,end,calling,called,original_called,ingress_trunk,ingress_address,ingress_call_id,\
            egress_trunk,egress_address,egress_call_id,sip_status,q850,identity,diversion\r\n\
            2026-05-04T12:00:01Z,2026-05-04T12:00:04Z,2026-05-04T12:00:16Z,+12155550112,77#2155550131,12155550132,\
            tg-in,198.51.100.7:5060,a@x,tg-out,203.0.113.9,b@y,200,16,\
            \"a.b.c;info=<https://x.example/1,2>,d.e.f;info=<https://x.example/3>\",\"<sip:+12155550132@h.example>;reason=unconditional\"\r\n";
        let record = read(text).remove(0).unwrap();
        assert_eq!(record.place, Place::new(7, 2));
        assert_eq!(record.start.seconds(), 1_777_896_001);
        assert_eq!(record.calling.canonical.unwrap().as_str(), "12155550112");
        assert_eq!(
            (record.called.canonical.unwrap().as_str(), record.called.tech_prefix.as_deref()),
            ("12155550131", Some("77"))
        );
        assert_eq!(record.ingress.ip(), Some("198.51.100.7".parse().unwrap()));
        assert_eq!((record.sip_status, record.q850), (Some(200), Some(16)));
        assert_eq!(record.identity, ["a.b.c;info=<https://x.example/1,2>", "d.e.f;info=<https://x.example/3>"]);
        assert_eq!(record.diversion[0].canonical.unwrap().as_str(), "12155550132");
    }

    #[test]
    fn columns_come_in_any_order_and_unknown_ones_are_named() {
        let text = "Called,colour,START,calling\n12155550131,red,2026-05-04T12:00:01Z,anonymous\n";
        let mut reader = StirtraceReader::open(text.as_bytes(), Settings::default()).unwrap();
        assert_eq!(reader.unknown_columns(), ["colour"]);
        assert!(!reader.records_identities());
        let record = reader.next().unwrap().unwrap();
        assert_eq!((record.calling.raw.as_str(), record.calling.canonical), ("anonymous", None));
    }

    #[test]
    fn a_source_that_cannot_be_this_format_is_refused_at_once() {
        assert_eq!(open_error(""), OpenError::NoHeader);
        assert_eq!(open_error("a,b,c\n"), OpenError::NoColumn { column: "start" });
        assert!(matches!(open_error("start,start\n"), OpenError::ColumnTwice { .. }));
    }

    #[test]
    fn a_corrupt_line_is_an_item_and_the_rest_goes_on() {
        let text = b"start,calling,called,q850\n\
            2026-05-04 12:00:01,1,2,\n\
            2026-05-04T12:00:01Z,12155550112,,16\n\
            2026-05-04T12:00:01Z,12155550112\n\
            2026-05-04T12:00:01Z,1215\x000112,12155550131,16\n\
            2026-05-04T12:00:01Z,\xff,12155550131,16\n\
            2026-05-04T12:00:01Z,12155550112,12155550131,999\n\
            2026-05-04T12:00:02Z,12155550112,12155550131,16\n";
        let items = read(text);
        let errors: Vec<String> =
            items.iter().filter_map(|item| item.as_ref().err()).map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "line 2: start: \"2026-05-04 12:00:01\" names no time zone; add Z for UTC, or an offset such as -05:00",
                "line 3: called: it is empty",
                "line 4: 2 cells where the header has 4",
                "line 5: calling: a NUL byte",
                "line 6: calling: not UTF-8",
                "line 7: q850: \"999\" is no number from 0 to 127",
            ]
        );
        assert_eq!(items.last().unwrap().as_ref().unwrap().place.line, 8);
    }

    #[test]
    fn the_source_s_zone_counts_where_a_time_names_none() {
        let settings = Settings::default().with_zone(Some(Zone::named("America/Chicago").unwrap()));
        let text = "start,calling,called\n2026-05-04 07:00:01,1,2\n2026-05-04 12:00:01Z,1,2\n";
        let starts: Vec<i64> =
            StirtraceReader::open(text.as_bytes(), settings).unwrap().map(|r| r.unwrap().start.seconds()).collect();
        assert_eq!(starts, [1_777_896_001, 1_777_896_001]);
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes: Vec<u8>) {
            let mut text = b"start,calling,called,identity\n".to_vec();
            text.extend_from_slice(&bytes);
            let _ = read(text).len();
        }
    }
}
