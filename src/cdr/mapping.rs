//! Mapping files: TOML that says where each field of a record stands, and which rows are calls. Built-in formats are
//! mapping files too, under `formats/`.

use regex::{Regex, RegexBuilder};
use toml::de::DeValue;

use crate::cdr::cells::Quotes;
use crate::cdr::field::Field;
use crate::cdr::layout::{At, Condition, Kind, Layout, Octets, Pick, RowKind, Wanted};
use crate::cdr::times::{InvalidPattern, TimeForm};
use crate::document::{self, Flaw, Misplaced, Table, Value, elements};
use crate::number::NumberPlan;
use crate::zone::{Zone, nearest};

/// No mapping that people write is longer.
pub const MAX_MAPPING_BYTES: usize = 256 * 1024;

/// The most kinds of rows, and the most picks in one.
const MAX_PARTS: usize = 64;

/// The most that a pattern may grow to when it is made ready.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// A fault of a mapping file, with the place to look at.
pub type MappingError = Misplaced<MappingFault>;

/// What can be wrong in a mapping file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingFault {
    /// Neither one character nor a name for one.
    #[error("a delimiter is one character, such as \",\", \";\" or \"\\t\"")]
    Delimiter,
    /// What is wrong with any such file.
    #[error(transparent)]
    Form(#[from] Flaw),
    /// A column by name, where nothing names the columns.
    #[error("{name:?} names a column, but no header does: say header = true, list the names, or give its number")]
    NoNames {
        /// The name.
        name: String,
    },
    /// No offset of a zone.
    #[error("{found:?} is no offset such as \"-05:00\"")]
    Offset {
        /// What stands there.
        found: String,
    },
    /// No pattern, or one without a group to extract.
    #[error("{reason}")]
    Pattern {
        /// Why.
        reason: String,
    },
    /// No place of that kind of rows.
    #[error("{found:?} is no {wanted}")]
    Place {
        /// What stands there.
        found: String,
        /// What would be one.
        wanted: &'static str,
    },
    /// No form of time.
    #[error("{0}")]
    Time(#[from] InvalidPattern),
    /// A column that is none of those listed.
    #[error("no column is named {name:?}{}", .nearest.as_ref().map_or_else(String::new, |n| format!("; {n}?")))]
    UnknownColumn {
        /// The name.
        name: String,
        /// A name that differs little.
        nearest: Option<String>,
    },
}

type Reader<'a> = document::Reader<'a, MappingFault>;

impl Layout {
    /// Reads the bytes of a mapping file.
    ///
    /// # Errors
    /// Every fault of it, in the order of its lines.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<MappingError>> {
        document::read(bytes, MAX_MAPPING_BYTES, layout)
    }
}

const KEYS: [&str; 16] = [
    "kind",
    "delimiter",
    "header",
    "quotes",
    "time_format",
    "zone",
    "numbers",
    "empty",
    "wrapper",
    "percent_encoded",
    "abbreviations",
    "names",
    "columns",
    "where",
    "rows",
    "source",
];

fn layout(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Layout {
    reader.known(table, &KEYS);
    let mut layout = Layout {
        kind: word(reader, table, "kind", &KINDS, "\"csv\", \"fixed\", \"jsonl\""),
        delimiter: delimiter(reader, table),
        header: reader.flag(table, "header").unwrap_or_default(),
        quotes: word(reader, table, "quotes", &QUOTES, "\"doubled\", \"loose\", \"plain\""),
        times: times(reader, table),
        zone: reader.zone(table, "zone"),
        numbers: table.get("numbers").map(|_| word(reader, table, "numbers", &PLANS, PLAN_WORDS)),
        empty: reader.strings(table, "empty"),
        wrapper: wrapper(reader, table),
        percent: reader.flag(table, "percent_encoded").unwrap_or_default(),
        abbreviations: abbreviations(reader, table),
        rows: Vec::new(),
    };
    layout.rows = rows(reader, table, &layout);
    layout
}

const KINDS: [(&str, Kind); 3] = [("csv", Kind::Csv), ("fixed", Kind::Fixed), ("jsonl", Kind::JsonLines)];
const QUOTES: [(&str, Quotes); 3] = [("doubled", Quotes::Doubled), ("loose", Quotes::Loose), ("plain", Quotes::Plain)];
const PLANS: [(&str, NumberPlan); 2] =
    [("north-american", NumberPlan::NORTH_AMERICAN), ("international", NumberPlan::INTERNATIONAL)];
const PLAN_WORDS: &str = "\"north-american\", \"international\"";

/// One of a few words; the default where none stands.
fn word<T: Copy + Default>(
    reader: &mut Reader<'_>,
    table: &Table<'_, '_>,
    name: &str,
    words: &[(&str, T)],
    wanted: &'static str,
) -> T {
    let Some(found) = reader.string(table, name) else { return T::default() };
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == found) {
        return *value;
    }
    reader.fault_at(table, name, Flaw::Word { found, wanted });
    T::default()
}

fn delimiter(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> u8 {
    let Some(value) = table.get("delimiter") else { return b',' };
    if let DeValue::String(text) = value.get_ref()
        && let [c] = text.as_bytes()
        && c.is_ascii()
        && !matches!(c, b'"' | b'\n' | b'\r' | 0)
    {
        return *c;
    }
    reader.fault_at(table, "delimiter", MappingFault::Delimiter);
    b','
}

fn times(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Vec<TimeForm> {
    let mut times = Vec::new();
    for text in reader.strings(table, "time_format") {
        match TimeForm::named(&text) {
            Ok(form) => times.push(form),
            Err(invalid) => reader.fault_at(table, "time_format", invalid),
        }
    }
    if times.is_empty() {
        times.push(TimeForm::Rfc3339);
    }
    times
}

fn wrapper(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Option<(String, String)> {
    let parts = reader.strings(table, "wrapper");
    match <[String; 2]>::try_from(parts) {
        Ok([before, behind]) => Some((before, behind)),
        Err(parts) if parts.is_empty() => None,
        Err(_) => {
            let wanted = "two texts: what stands before a row and what behind it";
            reader.fault_at(table, "wrapper", Flaw::Type { found: "another number of texts", wanted });
            None
        }
    }
}

fn abbreviations(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Vec<(String, i32)> {
    let Some(table) = reader.table(table, "abbreviations") else { return Vec::new() };
    let mut found = Vec::new();
    for (key, _) in table.members {
        let name = key.get_ref();
        let Some(text) = reader.string(&table, name) else { continue };
        match Zone::offset(&text) {
            Some(seconds) => found.push((name.clone().into_owned(), seconds)),
            None => reader.fault_at(&table, name, MappingFault::Offset { found: text }),
        }
    }
    found
}

/// The kinds of rows: what stands at the top holds for all of them, and is the only kind where none is listed.
fn rows(reader: &mut Reader<'_>, table: &Table<'_, '_>, layout: &Layout) -> Vec<RowKind> {
    let tables = reader.tables(table, "rows");
    if tables.len() > MAX_PARTS {
        reader.fault_at(table, "rows", Flaw::TooMany { limit: MAX_PARTS });
        return Vec::new();
    }
    let shared_names = reader.strings(table, "names");
    let mut own_names: Vec<Vec<String>> = tables.iter().map(|kind| reader.strings(kind, "names")).collect();
    let all: Vec<String> = own_names.iter().flatten().chain(&shared_names).cloned().collect();
    let names = Names { header: layout.header, listed: &all, kind: layout.kind };
    let shared = part(reader, table, shared_names, &names);
    let mut kinds = Vec::new();
    for (kind, own) in tables.iter().zip(own_names.drain(..)) {
        reader.known(kind, &["names", "columns", "where", "comment"]);
        let own = part(reader, kind, own, &names);
        kinds.push(merged(&shared, own));
    }
    if kinds.is_empty() {
        kinds.push(shared);
    }
    // A column that is wrong is not missing too.
    let required = if reader.is_clean() { &Field::REQUIRED[..] } else { &[] };
    for field in required {
        if kinds.iter().any(|kind| !kind.columns.iter().any(|(own, _)| own == field)) {
            let at = table.place_of("columns");
            reader.fault(at, "columns", Flaw::Missing { name: field.name() });
        }
    }
    kinds
}

fn merged(shared: &RowKind, own: RowKind) -> RowKind {
    let mut kind = shared.clone();
    if !own.names.is_empty() {
        kind.names = own.names;
    }
    kind.conditions.extend(own.conditions);
    kind.columns.retain(|(field, _)| !own.columns.iter().any(|(other, _)| other == field));
    kind.columns.extend(own.columns);
    kind
}

/// What a text may name.
struct Names<'n> {
    header: bool,
    listed: &'n [String],
    kind: Kind,
}

fn part(reader: &mut Reader<'_>, table: &Table<'_, '_>, own: Vec<String>, names: &Names<'_>) -> RowKind {
    let mut kind = RowKind { names: own, ..RowKind::default() };
    if let Some(columns) = reader.table(table, "columns") {
        for (key, value) in columns.members {
            let name = key.get_ref();
            let Some(field) = Field::named(name) else {
                let nearest = nearest(name, Field::ALL.iter().map(|(own, _)| *own));
                reader.fault(key.span().start, &columns.key(name), Flaw::UnknownKey { nearest });
                continue;
            };
            if let Some(pick) = pick(reader, value, &columns.key(name), names) {
                kind.columns.push((field, pick));
            }
        }
    }
    if let Some(conditions) = reader.table(table, "where") {
        for (key, value) in conditions.members {
            let name = key.get_ref();
            let at = place(reader, name, key.span().start, &conditions.key(name), names);
            let wanted = wanted(reader, value, &conditions.key(name));
            if let (Some(at), Some(wanted)) = (at, wanted) {
                kind.conditions.push(Condition { pick: Pick::At(at), wanted });
            }
        }
    }
    kind
}

/// A name, a number, `{ column = .., extract = .., words = .. }`, `{ join = [..] }`, or an array: the first not empty.
fn pick(reader: &mut Reader<'_>, value: &Value<'_>, key: &str, names: &Names<'_>) -> Option<Pick> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => place(reader, text, at, key, names).map(Pick::At),
        DeValue::Integer(number) => {
            let text = number.as_str();
            let column = text.parse().ok().filter(|column| *column > 0 && names.kind == Kind::Csv);
            if column.is_none() {
                let wanted = "column: they are counted from 1, in rows of cells only";
                reader.fault(at, key, MappingFault::Place { found: text.to_owned(), wanted });
            }
            column.map(|column| Pick::At(At::Column(column)))
        }
        DeValue::Array(items) if items.is_empty() || items.len() > MAX_PARTS => {
            let flaw = if items.is_empty() { Flaw::Empty } else { Flaw::TooMany { limit: MAX_PARTS } };
            reader.fault(at, key, flaw);
            None
        }
        DeValue::Array(items) => {
            let picks: Vec<Pick> = items.iter().filter_map(|item| pick(reader, item, key, names)).collect();
            Some(Pick::First(picks))
        }
        DeValue::Table(_) => {
            let table = reader.as_table(value, key)?;
            shaped(reader, &table, names)
        }
        other => {
            let wanted = "a column's name or number, a list of them, or a table";
            reader.fault(at, key, Flaw::Type { found: other.type_str(), wanted });
            None
        }
    }
}

fn shaped(reader: &mut Reader<'_>, table: &Table<'_, '_>, names: &Names<'_>) -> Option<Pick> {
    reader.known(table, &["column", "join", "extract", "words", "as"]);
    let base = match (table.get("column"), table.get("join")) {
        (Some(column), None) => pick(reader, column, &table.key("column"), names)?,
        (None, Some(_)) => {
            let parts = elements(table, "join");
            let picks: Option<Vec<Pick>> =
                parts.into_iter().take(MAX_PARTS).map(|part| pick(reader, part, &table.key("join"), names)).collect();
            Pick::Join(picks?)
        }
        _ => {
            reader.fault(table.at, &table.path, Flaw::Missing { name: "column (or join, one of the two)" });
            return None;
        }
    };
    let base = match reader.string(table, "extract") {
        Some(text) => Pick::Extract(Box::new(base), pattern(reader, table, "extract", &text, 1)?),
        None => base,
    };
    let base = match reader.table(table, "words") {
        Some(words) => Pick::Words(Box::new(base), meanings(reader, &words)),
        None => base,
    };
    let octets = word(reader, table, "as", &OCTETS, "\"ipv4-little-endian\", \"ipv4-big-endian\"");
    Some(match octets {
        Some(octets) => Pick::Address(Box::new(base), octets),
        None => base,
    })
}

/// An address as an integer: the first octet lowest, or the last.
const OCTETS: [(&str, Option<Octets>); 2] =
    [("ipv4-little-endian", Some(Octets::FirstLowest)), ("ipv4-big-endian", Some(Octets::LastLowest))];

fn meanings(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in table.members {
        let name = key.get_ref().clone().into_owned();
        match value.get_ref() {
            DeValue::Integer(number) => found.push((name, number.as_str().to_owned())),
            _ => found.extend(reader.string(table, &name).map(|text| (name, text))),
        }
    }
    found
}

fn pattern(reader: &mut Reader<'_>, table: &Table<'_, '_>, name: &str, text: &str, groups: usize) -> Option<Regex> {
    let reason = match RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).nest_limit(50).build() {
        Ok(pattern) if pattern.captures_len() > groups => return Some(pattern),
        Ok(_) => "the pattern has no group: put ( ) around what is to be taken".to_owned(),
        // The last line says what is wrong; those above draw it.
        Err(reason) => reason.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    };
    reader.fault_at(table, name, MappingFault::Pattern { reason });
    None
}

fn place(reader: &mut Reader<'_>, text: &str, at: usize, key: &str, names: &Names<'_>) -> Option<At> {
    let text = text.trim();
    let fault = match names.kind {
        _ if text.is_empty() => Flaw::Empty.into(),
        Kind::JsonLines => return Some(At::Path(text.split('.').map(str::to_owned).collect())),
        Kind::Fixed => match slice(text) {
            Some(slice) => return Some(slice),
            None => MappingFault::Place { found: text.to_owned(), wanted: "slice of a line such as \"37-55\"" },
        },
        Kind::Csv if names.header || names.listed.iter().any(|own| own.eq_ignore_ascii_case(text)) => {
            return Some(At::Name(text.to_owned()));
        }
        Kind::Csv => match text.parse() {
            Ok(column) if column > 0 => return Some(At::Column(column)),
            _ if names.listed.is_empty() => MappingFault::NoNames { name: text.to_owned() },
            _ => {
                let nearest = nearest(text, names.listed.iter().map(String::as_str)).map(str::to_owned);
                MappingFault::UnknownColumn { name: text.to_owned(), nearest }
            }
        },
    };
    reader.fault(at, key, fault);
    None
}

fn slice(text: &str) -> Option<At> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from > 0 && from <= to).then_some(At::Slice(from, to))
}

/// A word or several, `{ not = .. }`, or `{ matches = ".." }`.
fn wanted(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Option<Wanted> {
    match value.get_ref() {
        DeValue::Table(_) => {
            let table = reader.as_table(value, key)?;
            reader.known(&table, &["not", "matches"]);
            match (table.get("not"), reader.string(&table, "matches")) {
                (Some(not), None) => Some(Wanted::NoneOf(words(reader, not, key))),
                (None, Some(text)) => pattern(reader, &table, "matches", &text, 0).map(Wanted::Matching),
                _ => {
                    reader.fault(table.at, key, Flaw::Missing { name: "not (or matches, one of the two)" });
                    None
                }
            }
        }
        _ => Some(Wanted::OneOf(words(reader, value, key))),
    }
}

/// Words as they stand; an empty one stands for nothing at all.
fn words(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<String> {
    let of = |reader: &mut Reader<'_>, value: &Value<'_>| match value.get_ref() {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        other => {
            let fault = Flaw::Type { found: other.type_str(), wanted: "a word, or a list of words" };
            reader.fault(value.span().start, key, fault);
            None
        }
    };
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(|item| of(reader, item)).collect(),
        _ => of(reader, value).into_iter().collect(),
    }
}
