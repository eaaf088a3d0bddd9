//! Ingest: files of call records into the lake, on all cores, in bounded memory.
//!
//! A file is cut into pieces, pieces become columns, columns are gathered into runs; each run is sorted, compared with
//! what is held, and written. Nothing is the lake's before the manifest is replaced, at the very end.

mod file;
mod pieces;
mod pool;
mod sorting;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

pub use self::pieces::pieces;

use self::file::{Looked, Tally};
use self::pool::Pool;
use super::error::Error;
use super::manifest::{HeldFile, HeldSource, SourceName, Unreadable};
use super::spans::Spans;
use super::writer::LakeWriter;
use crate::cdr::{BadLine, LineRecord};

/// A file of call records that is to be kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct Input<'a> {
    /// The network whose records they are.
    pub network: String,
    /// The source, by its label.
    pub source: String,
    /// A silence of the source is a gap from so many seconds on.
    pub gap: i64,
    /// The file's name, relative to the folder of the `stirtrace.toml`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// How it is understood: format, zone and whatever else decides what its lines mean.
    pub reading: String,
    /// Reads it.
    pub open: &'a Open<'a>,
}

impl<'a> Input<'a> {
    /// A file of a source of a network.
    #[must_use]
    pub fn new(network: &str, source: &str, name: &str, path: PathBuf, open: &'a Open<'a>) -> Self {
        let (network, source, name) = (network.to_owned(), source.to_owned(), name.to_owned());
        Self { network, source, gap: crate::network::Source::DEFAULT_GAP, name, path, reading: String::new(), open }
    }

    /// The same of a source whose silences are gaps from so many seconds on.
    #[must_use]
    pub fn with_gap(self, gap: i64) -> Self {
        Self { gap, ..self }
    }

    /// The same, understood in that way: once kept, a file is not understood in another.
    #[must_use]
    pub fn with_reading(self, reading: impl Into<String>) -> Self {
        Self { reading: reading.into(), ..self }
    }
}

/// Reads the bytes of a file, unpacking them where they are packed; or says why it cannot.
pub type Open<'a> = dyn Fn(Box<dyn Read + Send>) -> Result<Box<dyn Pieces>, String> + Sync + 'a;

/// A file of records, cut into pieces between records.
pub trait Pieces: Send {
    /// The next piece; `None` at the end. It should be cheap: pieces are read one after the other.
    ///
    /// # Errors
    /// Why the file cannot be read to its end.
    fn next_piece(&mut self) -> Result<Option<Piece>, String>;

    /// Whether all its records can say where calls went.
    fn records_egress(&self) -> bool {
        true
    }
}

/// A piece of a file: hands out its records and the lines that are none, in their order, on any core.
pub type Piece = Box<dyn FnOnce(&mut dyn FnMut(Result<LineRecord<'_>, BadLine>)) + Send>;

/// How much an ingest may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IngestOptions {
    /// Threads; 0 for as many as there are cores.
    pub threads: usize,
    /// Bytes of records that wait in memory, at most; a third more is used to sort and write them.
    pub memory: usize,
}

impl IngestOptions {
    /// The same with that many threads.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The same with that many bytes of records in memory.
    #[must_use]
    pub fn with_memory(self, memory: usize) -> Self {
        Self { memory, ..self }
    }
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self { threads: 0, memory: 768 * 1024 * 1024 }
    }
}

/// What is happening.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// That many bytes of files were read.
    Read(u64),
    /// The files of that many bytes need not be read.
    Skipped(u64),
}

/// What an ingest did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ingested {
    /// Files that were read.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Records that were new.
    pub added: u64,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// What became of each file, in the order given.
    pub outcomes: Vec<Outcome>,
}

/// What became of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was read before.
    Known,
    /// Another source of the network has it: a line would count twice.
    KnownElsewhere {
        /// That source.
        source: String,
    },
    /// It was read before, and understood in another way: its records stay as they were understood then.
    KnownOtherwise {
        /// How it was understood then.
        before: String,
    },
    /// It was read.
    Read {
        /// Records in it.
        records: u64,
        /// Records that were new.
        added: u64,
        /// Lines that could not be read.
        set_aside: u64,
        /// The first of them.
        lines: Vec<BadLine>,
        /// Why reading stopped before its end.
        cut_short: Option<String>,
    },
    /// It could not be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl LakeWriter {
    /// Reads files into the lake. All of it becomes the lake's at once, or none of it.
    ///
    /// The same file again adds nothing, nor do the same lines in another file of the same source; a file that has grown
    /// adds its new lines. A file that cannot be read keeps none of the others back.
    ///
    /// # Errors
    /// When the lake cannot be read or written, or a file changes while it is read. The lake is then as it was.
    pub fn ingest(
        &mut self,
        inputs: &[Input<'_>],
        options: IngestOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Ingested, Error> {
        self.whole_or_not(|writer| writer.read_in(inputs, options, progress))
    }

    fn read_in(
        &mut self,
        inputs: &[Input<'_>],
        options: IngestOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Ingested, Error> {
        let mut manifest = self.manifest.clone();
        let mut held = self.held.clone();
        let mut places = Vec::with_capacity(inputs.len());
        for input in inputs {
            let name = SourceName { network: input.network.clone(), source: input.source.clone() };
            let place = manifest.place_of(&name);
            if place == held.sources.len() {
                held.add(&name);
            }
            places.push(place);
        }
        let pool = Pool::new(self, &manifest, &places, options);
        let read = pool.read(inputs, &places, &held, progress)?;
        let mut ingested = Ingested::default();
        let mut spans: BTreeMap<usize, Spans> = BTreeMap::new();
        let names: BTreeSet<(usize, &str)> =
            inputs.iter().zip(&places).map(|(input, place)| (*place, input.name.as_str())).collect();
        for ((input, place), read) in inputs.iter().zip(&places).zip(read.files) {
            let Some(source) = held.sources.get_mut(*place) else { continue };
            if let Some(tally) = &read.tally {
                let own = spans.entry(*place).or_insert_with(|| Spans::of(&source.spans, source.coarse));
                own.extend(&tally.spans);
            }
            source.gap = input.gap;
            if let Looked::Known { sha256 } = &read.looked {
                rename(source, sha256, &input.name, |before| names.contains(&(*place, before)));
            }
            ingested.note(note(source, input, read.looked, read.tally));
        }
        for (place, mut own) in spans {
            let Some(source) = held.sources.get_mut(place) else { continue };
            own.cut(manifest.horizon.unwrap_or(i64::MIN));
            source.spans = own.to_vec();
            source.coarse = own.is_coarse();
        }
        manifest.data.extend(read.data);
        if manifest != self.manifest || held != self.held {
            self.commit(manifest, held)?;
        }
        Ok(ingested)
    }
}

impl Ingested {
    fn note(&mut self, outcome: Outcome) {
        if let Outcome::Read { records, added, set_aside, .. } = &outcome {
            self.files += 1;
            self.records += records;
            self.added += added;
            self.set_aside += set_aside;
        }
        self.outcomes.push(outcome);
    }
}

/// A file that lies under another name now, and no more under the one that it was read as, is known by the new one.
fn rename(source: &mut HeldSource, sha256: &str, name: &str, is_there: impl Fn(&str) -> bool) {
    if source.files.iter().any(|own| own.name == name) {
        return;
    }
    for own in source.files.iter_mut().filter(|own| own.sha256 == sha256 && !is_there(&own.name)) {
        name.clone_into(&mut own.name);
    }
}

/// Notes in the lake what became of a file.
fn note(source: &mut HeldSource, input: &Input<'_>, looked: Looked, tally: Option<Tally>) -> Outcome {
    source.unreadable.retain(|own| own.name != input.name);
    let (content, tally) = match (looked, tally) {
        (Looked::Known { .. }, _) => return Outcome::Known,
        (Looked::KnownElsewhere { source: other }, _) => {
            source.unreadable.push(Unreadable {
                name: input.name.clone(),
                reason: format!("the lake holds it as of the source {other}"),
            });
            return Outcome::KnownElsewhere { source: other };
        }
        (Looked::KnownOtherwise { before }, _) => return Outcome::KnownOtherwise { before },
        (Looked::New(content), Some(tally)) => (content, tally),
        (Looked::Unreadable { reason }, _) => {
            source.unreadable.push(Unreadable { name: input.name.clone(), reason: reason.clone() });
            return Outcome::Unreadable { reason };
        }
        (Looked::New(_), None) => return Outcome::Known,
    };
    // What was cut short before is replaced by what is read now.
    source.files.retain(|own| own.sha256 != content.sha256);
    for own in source.files.iter_mut().filter(|own| content.continues.contains(&own.sha256)) {
        own.continued = true;
    }
    source.records += tally.added;
    source.files.push(HeldFile {
        name: input.name.clone(),
        sha256: content.sha256,
        bytes: content.bytes,
        reading: input.reading.clone(),
        records: tally.records,
        added: tally.added,
        set_aside: tally.set_aside,
        lines: tally.named(),
        unread: tally.unread,
        lacks_egress: tally.lacks_egress,
        cut_short: tally.cut_short.clone(),
        continued: false,
    });
    Outcome::Read {
        records: tally.records,
        added: tally.added,
        set_aside: tally.set_aside,
        lines: tally.bad,
        cut_short: tally.cut_short,
    }
}
