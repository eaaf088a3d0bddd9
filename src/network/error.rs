//! What is wrong in a `stirtrace.toml`, and where.

use crate::network::address::InvalidRange;
use crate::zone::{MomentError, UnknownZone};

/// A fault of the file, with the place to look at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {}{fault}", prefix(.key))]
#[non_exhaustive]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// The column in it, in characters from 1.
    pub column: usize,
    /// The key that it is about, such as `network.peer.trunks`; empty where there is none.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

/// What can be wrong in a `stirtrace.toml`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Two peers claim the same addresses at the same time.
    #[error(
        "{range} belongs to {first:?} already (line {line}) at the same time; use from and until, or a longer prefix"
    )]
    AddressOverlap {
        /// The range.
        range: String,
        /// The peer that has it.
        first: String,
        /// Where that peer claims it.
        line: usize,
    },
    /// The text is no instant or date.
    #[error("no date such as 2026-05-04 and no RFC 3339 time: {0}")]
    Date(MomentError),
    /// A required text is empty.
    #[error("it is empty")]
    Empty,
    /// The bytes are no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A period that ends before it begins.
    #[error("until lies before from")]
    EndsBeforeItBegins,
    /// No length of time.
    #[error("no length of time such as \"2h\", \"90m\" or \"1d\"")]
    Gap,
    /// A key that must be there is missing.
    #[error("the key {name} is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// More of something than is read.
    #[error("more than {limit}")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// Two networks have one name.
    #[error("a network named {name:?} stands in line {line} already")]
    NetworkTwice {
        /// The name.
        name: String,
        /// Where the first stands.
        line: usize,
    },
    /// The text is no address range.
    #[error("{0}")]
    Range(InvalidRange),
    /// The file is no TOML.
    #[error("{0}")]
    Syntax(String),
    /// Two peers claim the same trunk at the same time.
    #[error("the trunk {trunk:?} belongs to {first:?} already (line {line}) at the same time; use from and until")]
    TrunkOverlap {
        /// The trunk.
        trunk: String,
        /// The peer that has it.
        first: String,
        /// Where that peer claims it.
        line: usize,
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
    /// A zone that nobody knows.
    #[error("{0}")]
    Zone(UnknownZone),
    /// A value that is none of those that the key has.
    #[error("{found:?} is none of {wanted}")]
    Word {
        /// What stands there.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
}
