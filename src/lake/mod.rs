//! The lake: call records kept, and the questions that the rest of stirtrace asks of them.
//!
//! Nothing else knows what keeps the records. [`ParquetLake`] answers from Parquet files in a folder, which
//! [`LakeWriter`] writes and other engines may read; on a cluster something else answers.

mod candidates;
mod columns;
mod compact;
mod data;
mod days;
mod disk;
mod error;
mod folder;
mod forget;
mod group;
mod index;
mod ingest;
mod keys;
mod lock;
mod manifest;
mod merge;
mod opened;
mod packed;
mod parallel;
mod positioned;
mod question;
mod rows;
mod run;
mod schema;
mod seen;
mod signed;
mod spans;
mod status;
mod tally;
mod writer;

use std::ops::ControlFlow;

pub use compact::Compacted;
pub use error::Error;
pub use folder::ParquetLake;
pub use forget::Forgotten;
pub use ingest::{IngestOptions, Ingested, Input, Open, Outcome, Piece, Pieces, Progress, pieces};
pub use question::{Field, Filter, Found, Held, RecordFile, Tallied, Tally, Wanted};
pub use status::{FileAside, LineAside, SourceStatus, Status};
pub use writer::LakeWriter;

use crate::traceback::Span;
use manifest::HeldSource;

/// Kept call records, and what is asked of them.
pub trait Lake {
    /// Why a question got no answer.
    type Error;

    /// The records that could be the calls wanted: one request or a hundred thousand, in one pass.
    ///
    /// A record is given once for each of `wanted` that it fits, in no particular order.
    ///
    /// # Errors
    /// When what is kept cannot be read; what was given until then is no answer.
    fn candidates(&self, wanted: &[Wanted], take: &mut dyn FnMut(Found)) -> Result<(), Self::Error>;

    /// How many records there are of each kind, by a few columns over a span, with a filter.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn tally(&self, tally: &Tally) -> Result<Vec<Tallied>, Self::Error>;

    /// What is held of a network, source by source.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn coverage(&self, network: &str) -> Result<Vec<Held>, Self::Error>;

    /// The records of a span that carry an Identity, of one network or of all: day after day, and as long as what is
    /// kept does not change, always in the same order.
    ///
    /// They are given as they are read, each with a `wanted` of 0, so that a month need not be held at once; `take` may
    /// end it.
    ///
    /// # Errors
    /// When what is kept cannot be read; what was given until then is not all.
    fn signed(
        &self,
        span: Span,
        network: Option<&str>,
        take: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;
}

impl Lake for ParquetLake {
    type Error = Error;

    fn candidates(&self, wanted: &[Wanted], take: &mut dyn FnMut(Found)) -> Result<(), Error> {
        self.find(wanted, take)
    }

    fn tally(&self, tally: &Tally) -> Result<Vec<Tallied>, Error> {
        self.count(tally)
    }

    fn coverage(&self, network: &str) -> Result<Vec<Held>, Error> {
        let sources = self.held()?.sources;
        Ok(sources.iter().filter(|own| own.name.network == network).map(HeldSource::to_held).collect())
    }
    fn signed(
        &self,
        span: Span,
        network: Option<&str>,
        take: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.scan_signed(span, network, take)
    }
}
