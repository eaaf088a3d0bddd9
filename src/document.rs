//! TOML that people write for us (TOML 1.0), read so that every fault points to its line, column and key.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::zone::{UnknownZone, Zone, nearest};

/// Enough faults to work on at once.
const MAX_FAULTS: usize = 100;

/// A fault of a file, with the place to look at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {}{fault}", prefix(.key))]
#[non_exhaustive]
pub struct Misplaced<F: fmt::Display> {
    /// The line, from 1.
    pub line: usize,
    /// The column in it, in characters from 1.
    pub column: usize,
    /// The key that it is about, such as `network.peer.trunks`; empty where there is none.
    pub key: String,
    /// What is wrong.
    pub fault: F,
}

fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

/// What can be wrong with any such file, whatever it is about.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A required text is empty.
    #[error("it is empty")]
    Empty,
    /// The bytes are no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A key that must be there is missing.
    #[error("the key {name} is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// The file is no TOML.
    #[error("{0}")]
    Syntax(String),
    /// More of something than is read.
    #[error("more than {limit}")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// A value of the wrong type.
    #[error("{found} where {wanted} belongs")]
    Type {
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A key that nobody knows.
    #[error("no such key{}", .nearest.map_or_else(String::new, |name| format!("; {name}?")))]
    UnknownKey {
        /// A key that differs little.
        nearest: Option<&'static str>,
    },
    /// A value that is none of those that the key has.
    #[error("{found:?} is none of {wanted}")]
    Word {
        /// What stands there.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A zone that nobody knows.
    #[error("{0}")]
    Zone(UnknownZone),
}

/// A value with the place that it stands in.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// A table with the name of where it stands, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Table<'t, 'a> {
    pub(crate) path: String,
    pub(crate) at: usize,
    pub(crate) members: &'t DeTable<'a>,
}

impl<'t, 'a> Table<'t, 'a> {
    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&'t Value<'a>> {
        self.members.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    /// The key as messages name it.
    pub(crate) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Where the value of a key stands, else the table.
    pub(crate) fn place_of(&self, name: &str) -> usize {
        self.get(name).map_or(self.at, |value| value.span().start)
    }
}

/// Collects what a file says, and its faults.
#[derive(Debug)]
pub(crate) struct Reader<'a, F: fmt::Display> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    faults: Vec<Misplaced<F>>,
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read<F: fmt::Display + From<Flaw>, T>(
    bytes: &[u8],
    limit: usize,
    build: impl FnOnce(&mut Reader<'_, F>, &Table<'_, '_>) -> T,
) -> Result<T, Vec<Misplaced<F>>> {
    let whole = |flaw: Flaw| vec![Misplaced { line: 1, column: 1, key: String::new(), fault: flaw.into() }];
    if bytes.len() > limit {
        return Err(whole(Flaw::TooMany { limit }));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| whole(Flaw::Encoding))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::new(text);
    let built = match DeTable::parse(text) {
        Ok(document) => {
            let table = Table { path: String::new(), at: 0, members: document.get_ref() };
            Some(build(&mut reader, &table))
        }
        Err(reason) => {
            let at = reason.span().map_or(0, |span| span.start);
            reader.fault(at, "", Flaw::Syntax(reason.message().to_owned()));
            None
        }
    };
    let mut faults = reader.faults;
    faults.sort_by_key(|fault| (fault.line, fault.column));
    match built {
        Some(built) if faults.is_empty() => Ok(built),
        _ => Err(faults),
    }
}

impl<'a, F: fmt::Display + From<Flaw>> Reader<'a, F> {
    fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, c)| *c == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(breaks).collect(), faults: Vec::new() }
    }

    /// Complains of a key of a table.
    pub(crate) fn fault_at(&mut self, table: &Table<'_, '_>, name: &str, fault: impl Into<F>) {
        self.fault(table.place_of(name), &table.key(name), fault);
    }

    /// Complains of what stands at a byte.
    pub(crate) fn fault(&mut self, at: usize, key: &str, fault: impl Into<F>) {
        if self.faults.len() >= MAX_FAULTS {
            return;
        }
        let (line, column) = self.place(at);
        self.faults.push(Misplaced { line, column, key: key.to_owned(), fault: fault.into() });
    }

    /// Whether nothing was wrong so far.
    pub(crate) const fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The line and the column of a byte, both from 1.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1)
    }

    /// Complains of keys that are none of these.
    pub(crate) fn known(&mut self, table: &Table<'_, '_>, names: &[&'static str]) {
        for (key, _) in table.members {
            let name = key.get_ref();
            if !names.contains(&name.as_ref()) {
                let nearest = nearest(name, names.iter().copied());
                self.fault(key.span().start, &table.key(name), Flaw::UnknownKey { nearest });
            }
        }
    }

    /// The tables of an array of them.
    pub(crate) fn tables<'t, 'd>(&mut self, parent: &Table<'t, 'd>, name: &str) -> Vec<Table<'t, 'd>> {
        let Some(value) = parent.get(name) else { return Vec::new() };
        let path = parent.key(name);
        let DeValue::Array(items) = value.get_ref() else {
            let found = value.get_ref().type_str();
            self.fault_at(parent, name, Flaw::Type { found, wanted: "an array of tables, [[..]]," });
            return Vec::new();
        };
        items.iter().filter_map(|item| self.as_table(item, &path)).collect()
    }

    /// The table of a key.
    pub(crate) fn table<'t, 'd>(&mut self, parent: &Table<'t, 'd>, name: &str) -> Option<Table<'t, 'd>> {
        let value = parent.get(name)?;
        self.as_table(value, &parent.key(name))
    }

    /// A value that must be a table.
    pub(crate) fn as_table<'t, 'd>(&mut self, value: &'t Value<'d>, path: &str) -> Option<Table<'t, 'd>> {
        match value.get_ref() {
            DeValue::Table(members) => Some(Table { path: path.to_owned(), at: value.span().start, members }),
            other => {
                let fault = Flaw::Type { found: other.type_str(), wanted: "a table" };
                self.fault(value.span().start, path, fault);
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&mut self, table: &Table<'_, '_>, name: &'static str) -> String {
        if table.get(name).is_none() {
            self.missing(table, name);
        }
        self.string(table, name).unwrap_or_default()
    }

    /// Complains of a key that is not there.
    pub(crate) fn missing(&mut self, table: &Table<'_, '_>, name: &'static str) {
        self.fault(table.at, &table.path, Flaw::Missing { name });
    }

    /// The text of a key.
    pub(crate) fn string(&mut self, table: &Table<'_, '_>, name: &str) -> Option<String> {
        self.text(table.get(name)?, &table.key(name))
    }

    /// A value that must be a text, and not empty.
    pub(crate) fn text(&mut self, value: &Value<'_>, key: &str) -> Option<String> {
        let fault = match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => Flaw::Empty,
            DeValue::String(text) => return Some(text.trim().to_owned()),
            other => Flaw::Type { found: other.type_str(), wanted: "a string" },
        };
        self.fault(value.span().start, key, fault);
        None
    }

    /// Whether a key says `true`.
    pub(crate) fn flag(&mut self, table: &Table<'_, '_>, name: &str) -> Option<bool> {
        match table.get(name)?.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                let fault = Flaw::Type { found: other.type_str(), wanted: "true or false" };
                self.fault_at(table, name, fault);
                None
            }
        }
    }

    /// One string, or an array of them.
    pub(crate) fn strings(&mut self, table: &Table<'_, '_>, name: &str) -> Vec<String> {
        let key = table.key(name);
        elements(table, name).into_iter().filter_map(|value| self.text(value, &key)).collect()
    }

    /// The zone of a key.
    pub(crate) fn zone(&mut self, table: &Table<'_, '_>, name: &str) -> Option<Zone> {
        let text = self.string(table, name)?;
        Zone::named(&text).map_err(|unknown| self.fault_at(table, name, Flaw::Zone(unknown))).ok()
    }
}

/// Where a value stands in a file that was read before: line and column, both from 1. `names` lead to its key, and
/// `element` tells which of an array it is.
#[cfg(feature = "cli")]
pub(crate) fn locate(bytes: &[u8], limit: usize, names: &[&str], element: usize) -> Option<(usize, usize)> {
    let found = read(bytes, limit, |reader: &mut Reader<'_, Flaw>, root| {
        let (last, above) = names.split_last()?;
        let table = above.iter().try_fold(root.clone(), |table, name| reader.table(&table, name))?;
        let value = elements(&table, last).get(element).map(|value| value.span().start)?;
        Some(reader.place(value))
    });
    found.ok().flatten()
}

/// The elements of an array; a single value is an array of one.
pub(crate) fn elements<'t, 'a>(table: &Table<'t, 'a>, name: &str) -> Vec<&'t Value<'a>> {
    match table.get(name).map(|value| (value, value.get_ref())) {
        None => Vec::new(),
        Some((_, DeValue::Array(items))) => items.iter().collect(),
        Some((value, _)) => vec![value],
    }
}
