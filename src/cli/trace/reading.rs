//! The search over the files themselves: all of them are read, one after the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};

use indicatif::ProgressBar;

use crate::cdr::{BadLine, LineFault, Record, RowError};
use crate::cli::captures::records;
use crate::cli::packed::{self, Packed};
use crate::cli::printer::Printer;
use crate::cli::set_aside::SetAside;
use crate::cli::sources::{RecordFile, Sources};
use crate::network::Network;
use crate::time::UnixTime;
use crate::traceback::{Origin, Replays, Search, SourceFile};

/// The files, read.
pub(super) struct FilesRead<'a> {
    sources: &'a Sources,
    networks: &'a [Network],
    /// The place of each file in the search's list; none where it could not be read at all.
    places: Vec<Option<usize>>,
    /// Whether all of them were read, to their ends.
    pub(super) all_read: bool,
}

impl<'a> FilesRead<'a> {
    /// Shows a search every record of the files. A file that cannot be read is said on stderr, and leaves no not-found
    /// standing.
    pub(super) fn search(
        search: &mut Search<'_>,
        sources: &'a Sources,
        networks: &'a [Network],
        printer: &mut Printer,
    ) -> Self {
        sources.lacking.iter().for_each(|(origin, _)| search.lack_files(*origin));
        sources.unreadable.iter().for_each(|origin| search.miss_file(*origin));
        let mut own = Self { sources, networks, places: Vec::new(), all_read: sources.unreadable.is_empty() };
        let bar = printer.progress_of_bytes("reading records", sources.length());
        let mut aside = SetAside::default();
        let mut records_egress: BTreeMap<Origin, bool> = BTreeMap::new();
        for file in &sources.files {
            let place = search.files().len();
            let mut neighbours = Neighbours::default();
            let read = own.each(file, place, &bar, Some(&mut *printer), |item| match item {
                Ok(record) => {
                    neighbours.pass(Some(record.start), |before, after| search.set_aside(file.origin, before, after));
                    search.see(file.origin, &record);
                }
                Err(bad) => {
                    neighbours.waiting += 1;
                    aside.note(&bad, &file.name);
                }
            });
            neighbours.pass(None, |before, after| search.set_aside(file.origin, before, after));
            let sha256 = match read {
                Ok(read) => {
                    *records_egress.entry(file.origin).or_default() |= read.records_egress;
                    Some(read.sha256)
                }
                Err(unread) => {
                    own.all_read = false;
                    let (name, reason) = (&file.name, &unread.reason);
                    printer.warn(&format!("{name}: {reason}; no not-found stands until it can be read"));
                    search.miss_file(file.origin);
                    unread.sha256
                }
            };
            own.places.push(sha256.map(|sha256| search.add_file(SourceFile::new(&file.name, sha256, file.origin))));
        }
        let lacking = records_egress.into_iter().filter(|(_, records_it)| !records_it);
        lacking.for_each(|(origin, _)| search.lack_egress(origin));
        bar.finish_and_clear();
        aside.say(printer);
        own
    }

    /// Shows every record again, to find tokens that came with other calls. What cannot be read was said.
    pub(super) fn replays(&self, replays: &mut Replays, printer: &mut Printer) {
        let bar = printer.progress_of_bytes("reading records again", self.sources.length());
        for (file, place) in self.sources.files.iter().zip(&self.places) {
            let Some(place) = place else { continue };
            let _ = self.each(file, *place, &bar, None, |item| {
                if let Ok(record) = item {
                    replays.see(file.origin, &record);
                }
            });
        }
        bar.finish_and_clear();
    }

    /// Reads a file to its end.
    fn each(
        &self,
        file: &RecordFile,
        place: usize,
        bar: &ProgressBar,
        talk: Option<&mut Printer>,
        mut take: impl FnMut(Result<Record, BadLine>),
    ) -> Result<FileRead, Unread> {
        let origin = file.origin;
        let source = self.networks.get(origin.network).and_then(|network| network.sources.get(origin.source));
        let Some(understanding) = self.sources.understanding(origin) else {
            return Err(Unread::not_begun("it is of no source"));
        };
        let opened = packed::open(&file.path).map_err(Unread::not_begun)?;
        let mut counted = Counted { file: opened, bar };
        let records = records(&mut counted).map_err(Unread::not_begun)?;
        let reader = understanding.format.open(records, understanding.settings(place, source));
        let reader = reader.map_err(Unread::not_begun)?;
        let is_own = understanding.format.name() == "stirtrace";
        if let Some(printer) = talk.filter(|_| is_own && !reader.unknown_columns().is_empty()) {
            printer.note(&format!("{}: columns left out: {}", file.name, reader.unknown_columns().join(", ")));
        }
        let records_egress = reader.records_egress();
        let mut broken = None;
        for item in reader {
            if let Err(BadLine { fault: LineFault::Row(RowError::Unreadable { reason, .. }), .. }) = &item {
                broken = Some(reason.clone());
                break;
            }
            take(item);
        }
        let (sha256, broken) = match (counted.sha256(), broken) {
            (Ok(sha256), None) => return Ok(FileRead { sha256, records_egress }),
            (Ok(sha256), Some(reason)) => (sha256, reason),
            (Err(reason), broken) => (String::new(), broken.unwrap_or_else(|| reason.to_string())),
        };
        Err(Unread { reason: format!("it cannot be read to its end: {broken}"), sha256: Some(sha256) })
    }
}

/// What a file turned out to be.
struct FileRead {
    sha256: String,
    /// Whether all its records can say where calls went.
    records_egress: bool,
}

/// Why a file was not read to its end.
struct Unread {
    reason: String,
    /// Its SHA-256; none where not even its beginning was read.
    sha256: Option<String>,
}

impl Unread {
    fn not_begun(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), sha256: None }
    }
}

/// Which records stand around lines that could not be read.
#[derive(Default)]
struct Neighbours {
    before: Option<UnixTime>,
    waiting: u64,
}

impl Neighbours {
    fn pass(&mut self, next: Option<UnixTime>, mut set_aside: impl FnMut(Option<UnixTime>, Option<UnixTime>)) {
        for _ in 0..std::mem::take(&mut self.waiting) {
            set_aside(self.before, next);
        }
        self.before = next.or(self.before);
    }
}

/// A file that is hashed and counted while it is read.
struct Counted<'a> {
    file: Packed<File>,
    bar: &'a ProgressBar,
}

impl Counted<'_> {
    fn sha256(self) -> io::Result<String> {
        let mut text = String::with_capacity(64);
        for octet in self.file.sha256()? {
            // Writing to a String cannot fail.
            let _ = write!(text, "{octet:02x}");
        }
        Ok(text)
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.file.count();
        let length = self.file.read(buffer)?;
        self.bar.inc(self.file.count() - before);
        Ok(length)
    }
}
