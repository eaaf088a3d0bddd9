//! Call records: what switches write about calls, one format a file, all read to one canonical [`Record`].
//!
//! Records are read one after the other, so that a file may be of any size. A line that cannot be read is an item of
//! its own, with its line, field and reason; the rest goes on.

mod number;
mod record;
mod rows;
mod stirtrace;

pub use record::{Dialed, Fingerprint, Link, Place, Record, Stated};
pub use rows::{MAX_CELLS, MAX_ROW_BYTES, MAX_ROW_LINES, NotUtf8, Row, RowError, Rows};
pub use stirtrace::{COLUMNS, StirtraceReader};

use std::io::Read;

use crate::number::NumberPlan;
use crate::zone::{MomentError, Zone, nearest};

/// A format that this build reads.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// Our own CSV with a header: [`COLUMNS`].
    Stirtrace,
}

impl Format {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 1] = [("stirtrace", Self::Stirtrace)];

    /// The format of that name.
    ///
    /// # Errors
    /// When this build reads no format of that name.
    pub fn named(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, format)| *format);
        found.ok_or_else(|| UnknownFormat {
            name: name.to_owned(),
            nearest: nearest(name, Self::ALL.iter().map(|(own, _)| *own)).map(str::to_owned),
        })
    }

    /// Reads records of the format.
    ///
    /// # Errors
    /// When the source does not begin as the format does.
    pub fn open<R: Read>(self, source: R, settings: Settings) -> Result<StirtraceReader<R>, OpenError> {
        match self {
            Self::Stirtrace => StirtraceReader::open(source, settings),
        }
    }
}

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

fn names() -> String {
    Format::ALL.map(|(name, _)| name).join(", ")
}

/// What a reader has to know that the file does not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The file's place in the list of what is read; every [`Place`] repeats it.
    pub file: usize,
    /// The zone of times that name none.
    pub zone: Option<Zone>,
    /// How numbers become canonical.
    pub plan: NumberPlan,
}

impl Settings {
    /// Settings for the file of that place in the list.
    #[must_use]
    pub fn for_file(file: usize) -> Self {
        Self { file, ..Self::default() }
    }

    /// The same with a zone for times that name none.
    #[must_use]
    pub fn with_zone(self, zone: Option<Zone>) -> Self {
        Self { zone, ..self }
    }
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
    #[error("the header has no column {column:?}; a file of this format begins with {}", stirtrace::COLUMNS.join(","))]
    NoColumn {
        /// Its name.
        column: &'static str,
    },
    /// The header cannot be read.
    #[error("line {line}: {0}", line = .0.line())]
    Row(RowError),
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
    /// More or fewer cells than the header has.
    #[error("{found} cells where the header has {expected}")]
    CellCount {
        /// Cells in the line.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// A cell that must not be empty.
    #[error("it is empty")]
    Empty,
    /// A cell that is no text.
    #[error("not UTF-8")]
    Encoding,
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
    /// A time.
    #[error("{0}")]
    Time(MomentError),
    /// More values in a cell than are read.
    #[error("more than {limit} values")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
}
