//! What a lake holds, for people: files, rows, spans, gaps, and the lines that could not be read.

use super::error::Error;
use super::folder::ParquetLake;
use super::manifest::HeldSource;
use crate::time::UnixTime;
use crate::traceback::Span;

/// What a lake holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// Data files.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Their length, without side indexes.
    pub bytes: u64,
    /// How often the lake was changed.
    pub generation: u64,
    /// Records that began before are kept no more.
    pub forgotten_before: Option<UnixTime>,
    /// What is held of each source.
    pub sources: Vec<SourceStatus>,
}

/// What is held of a source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The network.
    pub network: String,
    /// The source's label.
    pub source: String,
    /// Files of call records that were read.
    pub files: u64,
    /// Their names, as they were when they were read.
    pub names: Vec<String>,
    /// Records kept.
    pub records: u64,
    /// From the first record to the last.
    pub span: Option<Span>,
    /// Silences within it that are longer than the source's gap.
    pub gaps: Vec<Span>,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// The first of each file's.
    pub lines: Vec<LineAside>,
    /// Files that could not be read at all, or not to their end.
    pub unreadable: Vec<FileAside>,
}

/// A line that could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LineAside {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A file that could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FileAside {
    /// The file.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl ParquetLake {
    /// What the lake holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let manifest = self.manifest();
        let held = self.held()?;
        Ok(Status {
            files: u64::try_from(manifest.data.len()).unwrap_or(u64::MAX),
            records: manifest.data.iter().map(|file| file.rows).sum(),
            bytes: manifest.data.iter().map(|file| file.bytes).sum(),
            generation: manifest.generation,
            forgotten_before: manifest.horizon.map(UnixTime::from_seconds),
            sources: held.sources.iter().map(SourceStatus::of).collect(),
        })
    }
}

impl SourceStatus {
    fn of(source: &HeldSource) -> Self {
        let held = source.to_held();
        let pairs = held.spans.iter().zip(held.spans.iter().skip(1));
        let gaps = pairs.filter(|(before, after)| after.from.seconds_since(before.to) > source.gap);
        let ends = held.spans.first().zip(held.spans.last());
        let current = || source.files.iter().filter(|file| !file.continued);
        let lines = current().flat_map(|file| {
            let own = |line: &super::manifest::SetAside| LineAside {
                file: file.name.clone(),
                line: line.line,
                reason: line.reason.clone(),
            };
            file.lines.iter().map(own).collect::<Vec<_>>()
        });
        let unread = source.unreadable.iter().map(|own| (&own.name, &own.reason));
        let cut = source.files.iter().filter_map(|file| Some((&file.name, file.cut_short.as_ref()?)));
        let aside = |(file, reason): (&String, &String)| FileAside { file: file.clone(), reason: reason.clone() };
        Self {
            network: source.name.network.clone(),
            source: source.name.source.clone(),
            files: held.files,
            names: source.files.iter().map(|file| file.name.clone()).collect(),
            records: held.records,
            span: ends.map(|(first, last)| Span::new(first.from, last.to)),
            gaps: gaps.map(|(before, after)| Span::new(before.to, after.from)).collect(),
            set_aside: held.set_aside,
            lines: lines.collect(),
            unreadable: unread.chain(cut).map(aside).collect(),
        }
    }
}
