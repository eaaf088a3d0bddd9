//! A traceback request: who called whom and when, as the consortium or an agency asks (CSV with a header, JSON lines).
//!
//! The numbers are those of the network that complained; they may differ from those in our records.

use std::borrow::Cow;
use std::io::Read;

use serde_json::{Map, Value};

use crate::cdr::{Dialed, RowError, Rows};
use crate::number::NumberPlan;
use crate::zone::{Moment, MomentError};

/// One question: who handed us this call?
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The asker's name for it; the line it stands in when it has none.
    pub id: String,
    /// Who called.
    pub from: Dialed,
    /// Who was called.
    pub to: Dialed,
    /// When: a second, or a whole minute.
    pub time: Moment,
    /// The campaign that the call is thought to belong to.
    pub campaign: Option<String>,
    /// When the request came in: what the deadline runs from.
    pub received: Option<Moment>,
    /// Who asks.
    pub source: Option<String>,
}

impl Request {
    /// A request of its three facts.
    ///
    /// # Errors
    /// When one of them is missing or no such thing.
    pub fn new(id: &str, from: &str, to: &str, time: &str, plan: NumberPlan) -> Result<Self, BadField> {
        let dialed = |field, text| {
            let dialed = Dialed::read(text, plan);
            if dialed.raw.is_empty() { Err(BadField { field, fault: RequestFault::Empty }) } else { Ok(dialed) }
        };
        let to = dialed("to", to)?;
        if to.canonical.is_none() {
            return Err(BadField { field: "to", fault: RequestFault::NotANumber { found: to.raw } });
        }
        let from = dialed("from", from)?;
        // A slip of the pen would else become a negative that stands.
        if from.canonical.is_none() && !from.is_withheld() && !from.raw.contains('@') {
            return Err(BadField { field: "from", fault: RequestFault::NotACaller { found: from.raw } });
        }
        Ok(Self {
            id: id.to_owned(),
            from,
            to,
            time: moment("time", time)?,
            campaign: None,
            received: None,
            source: None,
        })
    }

    /// The same with the time it was received.
    ///
    /// # Errors
    /// When the text is no time.
    pub fn received_at(mut self, text: &str) -> Result<Self, BadField> {
        self.received = Some(moment("received", text)?);
        Ok(self)
    }

    fn from_fields(
        line: u64,
        mut field: impl FnMut(&'static str) -> Option<String>,
        plan: NumberPlan,
    ) -> Result<Self, BadField> {
        let id = field("id").unwrap_or_else(|| line.to_string());
        let mut needed = |name| field(name).ok_or(BadField { field: name, fault: RequestFault::Empty });
        let (from, to, time) = (needed("from")?, needed("to")?, needed("time")?);
        let mut request = Self::new(&id, &from, &to, &time, plan)?;
        request.campaign = field("campaign");
        request.source = field("source");
        match field("received") {
            Some(text) => request.received_at(&text),
            None => Ok(request),
        }
    }
}

fn moment(field: &'static str, text: &str) -> Result<Moment, BadField> {
    Moment::parse(text, None).map_err(|error| BadField { field, fault: RequestFault::Time(error) })
}

/// The names of a request's fields: columns of CSV, members of JSON.
pub const FIELDS: [&str; 7] = ["id", "from", "to", "time", "campaign", "received", "source"];

/// Other people's names for the fields: `from` may be called `Caller`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldMap {
    names: Vec<(&'static str, String)>,
}

impl FieldMap {
    /// Reads `from=Caller`.
    ///
    /// # Errors
    /// When there is no `=`, or no field of that name.
    pub fn add(&mut self, text: &str) -> Result<(), BadMap> {
        let bad = || BadMap { text: text.to_owned() };
        let (own, theirs) = text.split_once('=').ok_or_else(bad)?;
        let own = FIELDS.into_iter().find(|field| *field == own.trim()).ok_or_else(bad)?;
        self.names.push((own, theirs.trim().to_owned()));
        Ok(())
    }

    fn theirs(&self, field: &'static str) -> &str {
        self.names.iter().rev().find(|(own, _)| *own == field).map_or(field, |(_, theirs)| theirs)
    }
}

/// A text that maps no field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} maps no field; write FIELD=NAME with a field of {}", FIELDS.join(", "))]
#[non_exhaustive]
pub struct BadMap {
    /// The text.
    pub text: String,
}

/// Reads all requests of a source; JSON lines when it begins with `{`, else CSV.
///
/// # Errors
/// When the source is none of the two, or has too many lines. A single bad line is an item.
pub fn read_requests<R: Read>(source: R, map: &FieldMap, plan: NumberPlan) -> Result<Vec<Line>, RequestsError> {
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    source.take(limit + 1).read_to_end(&mut text).map_err(|e| RequestsError::Unreadable { reason: e.to_string() })?;
    if text.len() > MAX_BYTES {
        return Err(RequestsError::TooLong { limit: MAX_BYTES });
    }
    let start = text.iter().find(|c| !c.is_ascii_whitespace() && !matches!(c, 0xef | 0xbb | 0xbf));
    if start == Some(&b'{') { Ok(read_json(&text, map, plan)) } else { read_csv(&text, map, plan) }
}

/// Requests are few beside records: this is a million of them.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// One line of a source of requests.
pub type Line = Result<Request, BadRequest>;

fn read_json(text: &[u8], map: &FieldMap, plan: NumberPlan) -> Vec<Line> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.split(|c| *c == b'\n').zip(1u64..).filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.map(|(bytes, line)| read_object(bytes, line, map, plan)).collect()
}

fn read_object(bytes: &[u8], line: u64, map: &FieldMap, plan: NumberPlan) -> Line {
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|reason| BadRequest {
        line,
        field: None,
        fault: RequestFault::Json { reason: reason.to_string() },
    })?;
    let field = |name| match object.get(map.theirs(name))? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    };
    Request::from_fields(line, field, plan).map_err(|bad| bad.in_line(line))
}

fn read_csv(text: &[u8], map: &FieldMap, plan: NumberPlan) -> Result<Vec<Line>, RequestsError> {
    let mut rows = Rows::new(text, b',');
    let header = rows.next_row().map_err(RequestsError::Header)?.ok_or(RequestsError::Nothing)?;
    let names: Vec<String> = (0..header.len()).map(|i| cell_text(header.cell(i))).collect();
    let column = |field| names.iter().position(|name| name.eq_ignore_ascii_case(map.theirs(field)));
    for field in ["from", "to", "time"] {
        if column(field).is_none() {
            return Err(RequestsError::NoColumn { field, wanted: map.theirs(field).to_owned(), names });
        }
    }
    let mut lines = Vec::new();
    loop {
        match rows.next_row() {
            Ok(None) => return Ok(lines),
            Ok(Some(row)) => {
                let field = |name| Some(cell_text(row.cell(column(name)?))).filter(|text| !text.is_empty());
                let line = row.line();
                lines.push(Request::from_fields(line, field, plan).map_err(|bad| bad.in_line(line)));
            }
            Err(error) => {
                lines.push(Err(BadRequest { line: error.line(), field: None, fault: RequestFault::Row(error) }))
            }
        }
    }
}

/// What is no text becomes text that no field accepts.
fn cell_text<E>(cell: Result<Option<Cow<'_, str>>, E>) -> String {
    cell.map_or_else(|_| "\u{fffd}".to_owned(), |text| text.unwrap_or_default().into_owned())
}

/// A field of a request that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field}: {fault}")]
#[non_exhaustive]
pub struct BadField {
    /// Which.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: RequestFault,
}

impl BadField {
    fn in_line(self, line: u64) -> BadRequest {
        BadRequest { line, field: Some(self.field), fault: self.fault }
    }
}

/// A line that is no request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {}{fault}", .field.map_or_else(String::new, |field| format!("{field}: ")))]
#[non_exhaustive]
pub struct BadRequest {
    /// The line, from 1.
    pub line: u64,
    /// The field; none where the whole line is wrong.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub fault: RequestFault,
}

/// What is wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// A fact that must be there.
    #[error("it is empty")]
    Empty,
    /// The line is no JSON object.
    #[error("no JSON object: {reason}")]
    Json {
        /// What the reader says.
        reason: String,
    },
    /// A calling number that is none, and no word for a withheld one.
    #[error("{found:?} is no telephone number; write anonymous where the caller is withheld")]
    NotACaller {
        /// The text.
        found: String,
    },
    /// A called number that is none.
    #[error("{found:?} is no telephone number")]
    NotANumber {
        /// The text.
        found: String,
    },
    /// The line itself.
    #[error("{0}")]
    Row(RowError),
    /// A time.
    #[error("{0}")]
    Time(MomentError),
}

/// Why a source gives no requests.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestsError {
    /// The header cannot be read.
    #[error("line {line}: {0}", line = .0.line())]
    Header(RowError),
    /// A column is missing.
    #[error("no column {wanted:?}; the header has {}; say --map {field}=NAME", .names.join(","))]
    NoColumn {
        /// The field.
        field: &'static str,
        /// The name that was looked for.
        wanted: String,
        /// The names that stand there.
        names: Vec<String>,
    },
    /// There is nothing in it.
    #[error("there is no line in it; requests are CSV with a header (id,from,to,time) or JSON lines")]
    Nothing,
    /// More bytes than are read.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// The source gives no more bytes.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, map: &[&str]) -> Result<Vec<Line>, RequestsError> {
        let mut fields = FieldMap::default();
        map.iter().for_each(|text| fields.add(text).unwrap());
        read_requests(text.as_bytes(), &fields, NumberPlan::NORTH_AMERICAN)
    }

    #[test]
    fn csv_and_json_lines_say_the_same() {
        let csv = "id,from,to,time,campaign,received\nTB-1,+12155550112,2155550131,2026-05-04 12:00:01 +0000,Loans,2026-05-08T15:00:00-05:00\n";
        let json = "{\"id\":\"TB-1\",\"from\":\"+12155550112\",\"to\":\"2155550131\",\"time\":\"2026-05-04T12:00:01Z\",\"campaign\":\"Loans\",\"received\":\"2026-05-08T20:00:00Z\"}\n";
        assert_eq!(read(csv, &[]), read(json, &[]));
        let request = read(csv, &[]).unwrap().remove(0).unwrap();
        assert_eq!((request.id.as_str(), request.time.earliest.seconds()), ("TB-1", 1_777_896_001));
    }

    #[test]
    fn other_names_are_mapped() {
        let text = "Caller,Dialed,When\n12155550112,12155550131,2026-05-04 12:00Z\n";
        let request = read(text, &["from=Caller", "to=Dialed", "time=When"]).unwrap().remove(0).unwrap();
        assert_eq!((request.id.as_str(), request.time.latest.seconds()), ("2", 1_777_896_059));
        let missing = read(text, &["to=Dialed"]).unwrap_err().to_string();
        assert_eq!(missing, "no column \"from\"; the header has Caller,Dialed,When; say --map from=NAME");
        assert!(FieldMap::default().add("caller=x").is_err());
    }

    #[test]
    fn a_bad_line_is_an_item_and_the_rest_goes_on() {
        let text = "from,to,time\n1,12155550131,2026-05-04 12:00:01\nanonymous,12155550131,2026-05-04T12:00:01Z\n1,private,2026-05-04T12:00:01Z\n";
        let lines = read(text, &[]).unwrap();
        assert!(
            lines[0]
                .as_ref()
                .unwrap_err()
                .to_string()
                .starts_with("line 2: time: \"2026-05-04 12:00:01\" names no time zone")
        );
        assert!(lines[1].is_ok());
        assert_eq!(lines[2].as_ref().unwrap_err().to_string(), "line 4: to: \"private\" is no telephone number");
        let slip = read("from,to,time\n21555501l2,12155550131,2026-05-04T12:00:01Z\n", &[]).unwrap().remove(0);
        let words = "line 2: from: \"21555501l2\" is no telephone number; write anonymous where the caller is withheld";
        assert_eq!(slip.unwrap_err().to_string(), words);
        assert_eq!(read("", &[]), Err(RequestsError::Nothing));
        assert!(read("{\"from\":\n", &[]).unwrap()[0].as_ref().unwrap_err().to_string().contains("no JSON object"));
    }

    proptest! {
        #[test]
        fn any_text_ends_without_panic(text: String) {
            let _ = read(&text, &[]);
            let _ = read(&format!("from,to,time\n{text}"), &[]);
        }
    }
}
