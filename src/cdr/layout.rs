//! What a format is: where each field of a record stands in a row, and which rows are calls. Data only; built-in formats
//! and mapping files say the same in the same words.

use std::net::Ipv4Addr;

use regex::Regex;

use crate::cdr::cells::Quotes;
use crate::cdr::field::Field;
use crate::cdr::times::TimeForm;
use crate::number::NumberPlan;
use crate::zone::Zone;

/// A format of call records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Layout {
    /// What rows are made of.
    pub kind: Kind,
    /// What tells cells apart.
    pub delimiter: u8,
    /// Whether the first row names the columns.
    pub header: bool,
    /// What quotes mean.
    pub quotes: Quotes,
    /// How times are written; the first that reads a time counts.
    pub times: Vec<TimeForm>,
    /// The zone that the format prescribes.
    pub zone: Option<Zone>,
    /// How its numbers become canonical, where the format prescribes it.
    pub numbers: Option<NumberPlan>,
    /// Words that stand for nothing.
    pub empty: Vec<String>,
    /// What may stand around a row, and is cut.
    pub wrapper: Option<(String, String)>,
    /// Whether values may be percent-encoded.
    pub percent: bool,
    /// Abbreviations of zones, in seconds ahead of UTC.
    pub abbreviations: Vec<(String, i32)>,
    /// The kinds of rows that are calls.
    pub rows: Vec<RowKind>,
}

impl Layout {
    /// Whether a delimiter tells its cells apart.
    #[must_use]
    pub fn is_delimited(&self) -> bool {
        self.kind == Kind::Csv
    }
}

/// What rows are made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Cells with a delimiter between them.
    #[default]
    Csv,
    /// Fields that stand at fixed places of a line.
    Fixed,
    /// JSON objects.
    JsonLines,
}

/// Rows of one kind.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RowKind {
    /// The columns' names in their order, where no header gives them: such rows have exactly so many cells.
    pub names: Vec<String>,
    /// What a row must have to be one of these; all of it.
    pub conditions: Vec<Condition>,
    /// Where each field stands.
    pub columns: Vec<(Field, Pick)>,
}

/// What a row must have to be a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Condition {
    /// Where to look.
    pub pick: Pick,
    /// What must be there.
    pub wanted: Wanted,
}

/// What must be at a place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Wanted {
    /// What the pattern finds.
    Matching(Regex),
    /// None of these.
    NoneOf(Vec<String>),
    /// One of these.
    OneOf(Vec<String>),
}

impl Wanted {
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Matching(pattern) => pattern.is_match(text),
            Self::NoneOf(words) => !words.iter().any(|word| word == text),
            Self::OneOf(words) => words.iter().any(|word| word == text),
        }
    }
}

/// Where a text is taken from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pick {
    /// The IPv4 address that stands there as an integer; nothing where it is 0 or none.
    Address(Box<Self>, Octets),
    /// What stands at a place.
    At(At),
    /// What the first group of the pattern finds in it; nothing where it finds nothing.
    Extract(Box<Self>, Regex),
    /// The first that is not empty.
    First(Vec<Self>),
    /// All of them, a space between.
    Join(Vec<Self>),
    /// What the words stand for; other texts stay as they are when they are numbers, and are nothing otherwise.
    Words(Box<Self>, Vec<(String, String)>),
}

/// Which octet of an address an integer has lowest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Octets {
    /// The first.
    FirstLowest,
    /// The last, as in network order.
    LastLowest,
}

impl Octets {
    /// The address that a signed or unsigned integer is.
    pub(super) fn address(self, text: &str) -> Option<Ipv4Addr> {
        let number: i64 = text.parse().ok()?;
        let bits = u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned)).ok()?;
        let bits = if self == Self::FirstLowest { bits.swap_bytes() } else { bits };
        Some(Ipv4Addr::from_bits(bits)).filter(|address| !address.is_unspecified())
    }
}

/// A place in a row.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum At {
    /// The column of that number, from 1.
    Column(usize),
    /// The column of that name.
    Name(String),
    /// The members that lead to a value of an object; numbers count elements from 0.
    Path(Vec<String>),
    /// The characters of a line from the first to the last, both counted from 1 in bytes.
    Slice(usize, usize),
}

impl Pick {
    /// The column of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::At(At::Name(name.to_owned()))
    }

    /// The same with numbers for names; `None` where a name that it needs is none of these.
    pub(super) fn resolved(&self, names: &[String]) -> Option<Self> {
        let all = |picks: &[Self]| picks.iter().map(|pick| pick.resolved(names)).collect::<Vec<_>>();
        match self {
            Self::At(At::Name(name)) => {
                let index = names.iter().position(|own| own.eq_ignore_ascii_case(name))?;
                Some(Self::At(At::Column(index + 1)))
            }
            Self::At(at) => Some(Self::At(at.clone())),
            Self::Address(pick, octets) => Some(Self::Address(Box::new(pick.resolved(names)?), *octets)),
            Self::Extract(pick, pattern) => Some(Self::Extract(Box::new(pick.resolved(names)?), pattern.clone())),
            Self::Words(pick, words) => Some(Self::Words(Box::new(pick.resolved(names)?), words.clone())),
            Self::First(picks) => {
                let mut found: Vec<Self> = all(picks).into_iter().flatten().collect();
                if found.len() > 1 { Some(Self::First(found)) } else { found.pop() }
            }
            Self::Join(picks) => Some(Self::Join(all(picks).into_iter().collect::<Option<_>>()?)),
        }
    }

    /// The names of columns that it takes from.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::At(At::Name(name)) => vec![name],
            Self::At(_) => Vec::new(),
            Self::Address(pick, _) | Self::Extract(pick, _) | Self::Words(pick, _) => pick.names(),
            Self::First(picks) | Self::Join(picks) => picks.iter().flat_map(Self::names).collect(),
        }
    }

    /// Whether it leads into an object.
    pub(super) fn is_path(&self) -> bool {
        match self {
            Self::At(at) => matches!(at, At::Path(_)),
            Self::Address(pick, _) | Self::Extract(pick, _) | Self::Words(pick, _) => pick.is_path(),
            Self::First(picks) | Self::Join(picks) => picks.iter().any(Self::is_path),
        }
    }

    /// The last column that it takes from.
    pub(super) fn last_column(&self) -> usize {
        match self {
            Self::At(At::Column(column)) => *column,
            Self::At(_) => 0,
            Self::Address(pick, _) | Self::Extract(pick, _) | Self::Words(pick, _) => pick.last_column(),
            // Any one of them will do.
            Self::First(picks) => picks.iter().map(Self::last_column).min().unwrap_or_default(),
            Self::Join(picks) => picks.iter().map(Self::last_column).max().unwrap_or_default(),
        }
    }
}
