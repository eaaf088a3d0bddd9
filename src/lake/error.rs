//! Why a lake could not be read or written, and what to do about it.

use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

/// A lake that could not be read or written. What was kept before stays as it was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else writes.
    #[error("{folder}: another stirtrace is writing to this lake{}; wait until it is done", .holder.as_ref().map_or_else(String::new, |holder| format!(" ({holder})")))]
    Busy {
        /// The lake's folder.
        folder: String,
        /// Who, and since when, as the writer noted it.
        holder: Option<String>,
    },
    /// A file of call records became another one while it was read.
    #[error("{file}: it changed while it was read; nothing was kept: run it again when the file is complete")]
    Changed {
        /// Which.
        file: String,
    },
    /// A file of the lake is not what the manifest says.
    #[error("{path}: damaged or replaced: {reason}; put it back from a copy, or make the lake anew from the records")]
    Damaged {
        /// Which.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is full.
    #[error("{path}: no space left; nothing of this run was kept: make room and run it again")]
    Full {
        /// What could not be written.
        path: String,
    },
    /// The manifest is no manifest.
    #[error(
        "{path}: it cannot be understood: {reason}; put it back from a copy, or make the lake anew from the records"
    )]
    Manifest {
        /// Where it lies.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no lake.
    #[error("{folder}: no lake there yet; `stirtrace ingest` makes one")]
    NoLake {
        /// The folder.
        folder: String,
    },
    /// A tally of too many kinds.
    #[error("more than {limit} kinds of records; count by fewer columns, or over a shorter span")]
    TooManyKinds {
        /// The most there may be.
        limit: usize,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {reason}{}", advice(*.kind))]
    Unreachable {
        /// Which.
        path: String,
        /// What sort of failure.
        kind: io::ErrorKind,
        /// What the system says.
        reason: String,
    },
    /// A stirtrace of another layout made it.
    #[error(
        "{path}: its layout is version {found}, and this stirtrace knows {known}; use the {} stirtrace that made it, or \
         name another folder as lake",
        if .found > .known { "newer" } else { "older" }
    )]
    Version {
        /// The manifest.
        path: String,
        /// Its version.
        found: u64,
        /// The one that this build knows.
        known: u64,
    },
}

const fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotADirectory => "; a file stands where a folder belongs: name another folder as lake",
        io::ErrorKind::NotFound => "; its folder cannot be made: is it a link that leads nowhere?",
        io::ErrorKind::PermissionDenied => "; give yourself the right to it, or name another folder",
        io::ErrorKind::ReadOnlyFilesystem => "; it cannot be written to: name a folder elsewhere",
        _ => "",
    }
}

impl Error {
    /// A failure of the system at a path.
    pub(super) fn at(path: &Path, reason: &io::Error) -> Self {
        let text = path.display().to_string();
        match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: text },
            kind => Self::Unreachable { path: text, kind, reason: reason.to_string() },
        }
    }

    /// A failure while Parquet was written to a path.
    pub(super) fn writing(path: &Path, error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast_ref::<io::Error>() {
                Some(reason) => Self::at(path, reason),
                None => Self::damaged(path, inner),
            },
            other => Self::damaged(path, other),
        }
    }

    /// A file of the lake that is not what it should be.
    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.display().to_string(), reason: reason.to_string() }
    }
}
