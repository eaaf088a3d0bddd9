//! Why call records cannot be read: the format, the source, a line of it.

use crate::cdr::record::Place;
use crate::cdr::rows::RowError;
use crate::cdr::{COLUMNS, Format};
use crate::zone::{MomentError, nearest};

/// No format has that name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no format {name:?}{}; this build reads: {}", .nearest.as_ref().map_or_else(String::new, |n| format!(" ({n}?)")), names())]
#[non_exhaustive]
pub struct UnknownFormat {
    /// The name as it stood.
    pub name: String,
    /// A name that differs little.
    pub nearest: Option<String>,
}

impl UnknownFormat {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), nearest: nearest(name, Format::names()).map(str::to_owned) }
    }
}

fn names() -> String {
    Format::names().collect::<Vec<_>>().join(", ")
}

/// Why a source gives no record at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A column stands in the header twice.
    #[error("the header names the column {column:?} twice")]
    ColumnTwice {
        /// Its name.
        column: String,
    },
    /// There is nothing in it, not even a header.
    #[error("there is no header line in it")]
    NoHeader,
    /// The header lacks a column that every record needs.
    #[error("no column gives {field}: it would be named {names}{}", own(.names))]
    NoColumn {
        /// The field that it would fill.
        field: &'static str,
        /// The names that it could have.
        names: String,
    },
    /// The column that the source says names the trunk.
    #[error("there is no column {column:?}, which the source says names the trunk")]
    NoTrunk {
        /// Its name.
        column: String,
    },
    /// The header cannot be read.
    #[error("line {line}: {0}", line = .0.line())]
    Row(RowError),
}

fn own(names: &str) -> String {
    if COLUMNS.contains(&names) {
        format!("; a file of our own format begins with {}", COLUMNS.join(","))
    } else {
        String::new()
    }
}

/// A line that gives no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {}: {}{fault}", .place.line, .field.map_or_else(String::new, |field| format!("{field}: ")))]
#[non_exhaustive]
pub struct BadLine {
    /// Which.
    pub place: Place,
    /// The field that is wrong; none where the whole line is.
    pub field: Option<&'static str>,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// Several layouts of the format fit.
    #[error("{found} cells fit several layouts of this format; name the columns in the source: columns = [..]")]
    Ambiguous {
        /// Cells in the line.
        found: usize,
    },
    /// More or fewer cells than there must be.
    #[error("{found} cells where there must be {expected}")]
    CellCount {
        /// Cells in the line.
        found: usize,
        /// Cells that there must be: as many as the header has, or so many at least.
        expected: usize,
    },
    /// A row that ends before it says what it is.
    #[error("{found} cells: it is cut off before its column {expected} says what it is")]
    CutOff {
        /// Cells in the line.
        found: usize,
        /// The column that says it, from 1.
        expected: usize,
    },
    /// A cell that must not be empty.
    #[error("it is empty")]
    Empty,
    /// A cell that is no text.
    #[error("not UTF-8")]
    Encoding,
    /// A cell that says neither yes nor no.
    #[error("{found:?} is none of true, false, yes, no, 1, 0")]
    Flag {
        /// The text.
        found: String,
    },
    /// A line that is no JSON.
    #[error("no JSON object: {reason}")]
    Json {
        /// What is wrong with it.
        reason: String,
    },
    /// A NUL byte: the file is torn, or not what it says it is.
    #[error("a NUL byte")]
    Nul,
    /// A cell that is no number in the range that it must have.
    #[error("{found:?} is no number from 0 to {most}")]
    Number {
        /// The text.
        found: String,
        /// The largest.
        most: u16,
    },
    /// The line itself.
    #[error("{0}")]
    Row(RowError),
    /// A cell that is no length of time.
    #[error("{found:?} is no length of a call")]
    Seconds {
        /// The text.
        found: String,
    },
    /// A time.
    #[error("{0}")]
    Time(MomentError),
    /// More values in a cell than are read.
    #[error("more than {limit} values")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// A number of cells that no layout of the format has.
    #[error("{found} cells, where this format has {fits}; other layouts are named in the source: columns = [..]")]
    Width {
        /// Cells in the line.
        found: usize,
        /// Cells that it could have.
        fits: String,
    },
}
