//! What is wrong in a `stirtrace.toml`, and where.

use crate::document::{Flaw, Misplaced};
use crate::network::address::InvalidRange;
use crate::zone::MomentError;

/// A fault of the file, with the place to look at.
pub type Error = Misplaced<Fault>;

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
    /// A period that ends before it begins.
    #[error("until lies before from")]
    EndsBeforeItBegins,
    /// What is wrong with any such file.
    #[error(transparent)]
    Form(#[from] Flaw),
    /// No length of time.
    #[error("no length of time such as \"2h\", \"90m\" or \"1d\"")]
    Gap,
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
    /// Two sources of a network are known by one name.
    #[error(
        "a source known as {label:?} stands in line {line} already; a source is known by its name, else by its files: \
         name = \"..\" tells them apart"
    )]
    SourceTwice {
        /// What both are known by.
        label: String,
        /// Where the first stands.
        line: usize,
    },
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
}
