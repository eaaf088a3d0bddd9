//! What a lake holds: the one file that readers believe, and that a writer replaces last.
//!
//! `manifest.json` names the data files, with what is needed to leave most of them unread. What was read, and what is
//! held of each source, lies beside it in `held/`, because few questions need it and it may be long.

use serde::{Deserialize, Serialize};

use super::question::Held;
use crate::time::UnixTime;
use crate::traceback::Span;

/// The newest version that this build knows; an older build refuses a newer one.
pub(super) const VERSION: u64 = 1;

/// The manifest's name.
pub(super) const MANIFEST: &str = "manifest.json";

/// What a lake holds.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Manifest {
    /// Of this layout.
    pub(super) version: u64,
    /// Grows with every change.
    pub(super) generation: u64,
    /// Records that begin before this second are kept no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) horizon: Option<i64>,
    /// Whose records: data files refer to them by their place here.
    pub(super) sources: Vec<SourceName>,
    /// Where it says what was read; none while nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<String>,
    /// The data files, by day.
    pub(super) data: Vec<DataFile>,
    /// Files that the last change replaced: readers of the manifest before it may still need them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<String>,
}

impl Manifest {
    /// The place of a source, which is added where it is new.
    pub(super) fn place_of(&mut self, name: &SourceName) -> usize {
        self.sources.iter().position(|own| own == name).unwrap_or_else(|| {
            self.sources.push(name.clone());
            self.sources.len() - 1
        })
    }

    /// Every file that it names, the retired ones too.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        let data = self.data.iter().flat_map(DataFile::files);
        data.chain(self.held.as_deref()).chain(self.retired.iter().map(String::as_str))
    }
}

impl DataFile {
    /// The file and what lies beside it.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        [Some(self.path.as_str()), self.index.as_deref()].into_iter().flatten()
    }
}

/// A source of a network.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct SourceName {
    /// The network.
    pub(super) network: String,
    /// The source's label.
    pub(super) source: String,
}

/// A file of records, sorted by calling number and start.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct DataFile {
    /// Where it lies, relative to the lake's folder: `calls/day=2026-05-04/<sha256>.parquet`.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// How many records.
    pub(super) rows: u64,
    /// The first and last second that a record in it may begin; where a local clock repeats an hour, either counts.
    pub(super) start: [i64; 2],
    /// The least and greatest calling number; none where no record has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) calling: Option<[i64; 2]>,
    /// Whose records are in it.
    pub(super) sources: Vec<usize>,
    /// How many records of each of them.
    pub(super) counts: Vec<u64>,
    /// The side index, relative to the lake's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<String>,
}

/// What was read of all sources, in the order of [`Manifest::sources`].
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct HeldSources {
    /// Each of them.
    pub(super) sources: Vec<HeldSource>,
}

/// What was read of a source.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct HeldSource {
    /// Its name.
    #[serde(flatten)]
    pub(super) name: SourceName,
    /// A silence is a gap from so many seconds on, as was said when it was last read.
    pub(super) gap: i64,
    /// How many records are kept.
    pub(super) records: u64,
    /// The files, in the order they were read.
    pub(super) files: Vec<HeldFile>,
    /// First and last second of each span of records without a silence of a minute.
    pub(super) spans: Vec<[i64; 2]>,
    /// Set where there were more spans than are kept: then a gap may be hidden.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) coarse: bool,
    /// Files that could not be read when last tried: what they would hold is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unreadable: Vec<Unreadable>,
}

/// A file that was read.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct HeldFile {
    /// Its name, relative to the folder of the `stirtrace.toml`.
    pub(super) name: String,
    /// Its SHA-256 in hex.
    pub(super) sha256: String,
    /// Its length.
    pub(super) bytes: u64,
    /// How it was understood: format, zone and whatever else decides.
    pub(super) reading: String,
    /// Records in it.
    pub(super) records: u64,
    /// Records of it that were new.
    pub(super) added: u64,
    /// Lines that could not be read.
    pub(super) set_aside: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<SetAside>,
    /// The starts of the records around the lines that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unread: Vec<[Option<i64>; 2]>,
    /// Set where its columns do not say where calls went.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) lacks_egress: bool,
    /// Why reading stopped before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut_short: Option<String>,
    /// Whether a longer file that begins with it was read since: its lines set aside are counted there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) continued: bool,
}

/// A line that could not be read.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct SetAside {
    /// Which, from 1.
    pub(super) line: u64,
    /// Why.
    pub(super) reason: String,
}

/// A file that could not be read.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Unreadable {
    /// Its name.
    pub(super) name: String,
    /// Why.
    pub(super) reason: String,
}

impl HeldSources {
    /// Adds a source of which nothing was read yet.
    pub(super) fn add(&mut self, name: &SourceName) {
        self.sources.push(HeldSource { name: name.clone(), ..HeldSource::default() });
    }
}

impl HeldSource {
    /// What is held of the source, in the words of the question.
    pub(super) fn to_held(&self) -> Held {
        let current = || self.files.iter().filter(|file| !file.continued);
        Held {
            source: self.name.source.clone(),
            files: count(current().count()),
            records: self.records,
            set_aside: current().map(|file| file.set_aside).sum(),
            spans: self.spans.iter().map(|[from, to]| span(*from, *to)).collect(),
            unread: self.unread(),
            lacks_egress: !self.files.is_empty() && self.files.iter().all(|file| file.lacks_egress),
        }
    }

    /// Where lines lie that could not be read. What nobody could read at all may lie anywhere.
    fn unread(&self) -> Vec<Span> {
        let anywhere =
            self.coarse || !self.unreadable.is_empty() || self.files.iter().any(|file| file.cut_short.is_some());
        let lines = self.files.iter().filter(|file| !file.continued).flat_map(|file| &file.unread);
        let around = lines.map(|around| match *around {
            [Some(one), Some(other)] => span(one.min(other), one.max(other)),
            [Some(before), None] => span(before, before.saturating_add(self.gap)),
            [None, Some(after)] => span(after.saturating_sub(self.gap), after),
            [None, None] => span(i64::MIN, i64::MAX),
        });
        anywhere.then(|| span(i64::MIN, i64::MAX)).into_iter().chain(around).collect()
    }
}

fn span(from: i64, to: i64) -> Span {
    Span::new(UnixTime::from_seconds(from), UnixTime::from_seconds(to))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
