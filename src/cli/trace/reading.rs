//! The files of call records that `stirtrace.toml` names, read one after the other.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cdr::{BadLine, Format, LineFault, MAX_MAPPING_BYTES, Record, RowError, Settings};
use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::files::read;
use crate::cli::packed::{self, Packed};
use crate::cli::printer::Printer;
use crate::network::{Network, Source};
use crate::time::UnixTime;
use crate::traceback::{Origin, Replays, Search, SourceFile};

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct RecordFile {
    path: PathBuf,
    /// Relative to the configuration's folder.
    name: String,
    origin: Origin,
    format: Format,
}

/// What the sources name.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The files of all sources, in order of their names.
    pub(super) found: Vec<RecordFile>,
    /// Sources that name files of which none is there: a mistyped name must not become a not-found.
    pub(super) lacking: Vec<Origin>,
}

/// The files of all sources.
pub(super) fn files(configured: &Configured, printer: &mut Printer) -> Result<Files, Complaint> {
    let mut files = Files::default();
    for (network, own) in configured.configuration.networks.iter().enumerate() {
        for (source, described) in own.sources.iter().enumerate() {
            let format = format(configured, own, described)?;
            let origin = Origin::new(network, source);
            let mut found = BTreeSet::new();
            for pattern in &described.files {
                let matching = matching(configured, pattern)?;
                if matching.is_empty() {
                    printer.warn(&format!("no file matches {pattern} of {}", own.name));
                    files.lacking.push(origin);
                }
                found.extend(matching);
            }
            let record_file = |path: PathBuf| {
                let format = format.clone();
                RecordFile { name: name(configured, &path), path, origin, format }
            };
            files.found.extend(found.into_iter().map(record_file));
        }
    }
    if files.found.is_empty() {
        let complaint = Complaint::new(format!("{}: no file of call records was found", configured.file.display()));
        return Err(complaint.hint("name them in [[network.source]] files; paths are relative to stirtrace.toml"));
    }
    Ok(files)
}

/// The format of a source: a built-in one, or what its mapping file describes.
fn format(configured: &Configured, network: &Network, source: &Source) -> Result<Format, Complaint> {
    let complain = |reason: String| {
        let (file, files) = (configured.file.display(), source.files.join(", "));
        Complaint::new(format!("{file}: the source {files} of {}: {reason}", network.name))
    };
    if !Format::is_mapping_file(&source.format) {
        return Format::named(&source.format).map_err(|unknown| complain(unknown.to_string()));
    }
    let path = configured.path(&source.format);
    let bytes = read(&path, MAX_MAPPING_BYTES)
        .map_err(|reason| complain(format!("the mapping file {}: {reason}", path.display())))?;
    Format::mapped(&source.format, &bytes).map_err(|faults| {
        let faults: Vec<String> = faults.iter().take(5).map(ToString::to_string).collect();
        complain(format!("the mapping file {}: {}", path.display(), faults.join("; ")))
    })
}

fn matching(configured: &Configured, pattern: &str) -> Result<Vec<PathBuf>, Complaint> {
    let folder = glob::Pattern::escape(&configured.folder.to_string_lossy());
    let is_whole = configured.folder.as_os_str().is_empty() || Path::new(pattern).is_absolute();
    let whole = if is_whole { pattern.to_owned() } else { format!("{folder}/{pattern}") };
    let complain =
        |reason: String| Complaint::new(format!("{}: files {pattern:?}: {reason}", configured.file.display()));
    let paths = glob::glob(&whole).map_err(|reason| complain(reason.to_string()))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|reason| complain(reason.to_string()))?;
        let packed = path.extension().is_some_and(|extension| ["bz2", "xz", "zip"].iter().any(|own| extension == *own));
        if packed {
            return Err(complain(format!("{} is packed in a way that this build does not read", path.display()))
                .hint("unpack it, or pack it with gzip or zstd"));
        }
        if path.is_file() {
            found.push(path);
        } else if !path.is_dir() {
            return Err(complain(format!("{} is no file that can be read", path.display()))
                .hint("put the file there, or take the name away"));
        }
    }
    Ok(found)
}

fn name(configured: &Configured, path: &Path) -> String {
    path.strip_prefix(&configured.folder).unwrap_or(path).display().to_string()
}

/// Shows a search every record of the files.
pub(super) fn search(
    search: &mut Search<'_>,
    files: &Files,
    networks: &[Network],
    printer: &mut Printer,
) -> Result<(), Complaint> {
    files.lacking.iter().for_each(|origin| search.lack_files(*origin));
    let files = &files.found;
    let bar = bar(files, printer);
    let mut aside = Aside::default();
    for (index, file) in files.iter().enumerate() {
        let mut neighbours = Neighbours::default();
        let mut counted = Counted::open(file, &bar)?;
        each(file, index, networks, &mut counted, Some(&mut *printer), |item| match item {
            Ok(record) => {
                neighbours.pass(Some(record.start), |before, after| search.set_aside(file.origin, before, after));
                search.see(file.origin, &record);
            }
            Err(bad) => {
                neighbours.waiting += 1;
                aside.note(&bad, &file.name);
            }
        })?;
        neighbours.pass(None, |before, after| search.set_aside(file.origin, before, after));
        let sha256 = counted.sha256().map_err(|reason| {
            Complaint::new(format!("{}: it cannot be read to its end: {reason}", file.path.display()))
        })?;
        search.add_file(SourceFile::new(&file.name, sha256, file.origin));
    }
    bar.finish_and_clear();
    aside.say(printer);
    Ok(())
}

/// Shows every record of the files again, to find tokens that came with other calls.
pub(super) fn replays(
    replays: &mut Replays,
    files: &[RecordFile],
    networks: &[Network],
    printer: &mut Printer,
) -> Result<(), Complaint> {
    let bar = bar(files, printer);
    for (index, file) in files.iter().enumerate() {
        let mut counted = Counted::open(file, &bar)?;
        each(file, index, networks, &mut counted, None, |item| {
            if let Ok(record) = item {
                replays.see(file.origin, &record);
            }
        })?;
    }
    bar.finish_and_clear();
    Ok(())
}

fn each(
    file: &RecordFile,
    index: usize,
    networks: &[Network],
    counted: &mut Counted<'_>,
    talk: Option<&mut Printer>,
    mut take: impl FnMut(Result<Record, BadLine>),
) -> Result<(), Complaint> {
    let source = networks.get(file.origin.network).and_then(|network| network.sources.get(file.origin.source));
    let settings = source.map_or_else(|| Settings::for_file(index), |own| Settings::of_source(index, own));
    let reader = file.format.open(counted, settings);
    let reader = reader.map_err(|reason| Complaint::new(format!("{}: {reason}", file.path.display())))?;
    let is_own = file.format.name() == "stirtrace";
    if let Some(printer) = talk.filter(|_| is_own && !reader.unknown_columns().is_empty()) {
        printer.note(&format!("{}: columns left out: {}", file.name, reader.unknown_columns().join(", ")));
    }
    for item in reader {
        if let Err(BadLine { fault: LineFault::Row(RowError::Unreadable { reason, .. }), .. }) = &item {
            return Err(Complaint::new(format!("{}: it cannot be read to its end: {reason}", file.path.display())));
        }
        take(item);
    }
    Ok(())
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

/// The lines that could not be read: the first of them are shown, all are counted.
#[derive(Default)]
struct Aside {
    shown: Vec<String>,
    count: u64,
}

impl Aside {
    const SHOWN: usize = 20;

    fn note(&mut self, bad: &BadLine, name: &str) {
        self.count += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(format!("{name}: {bad}"));
        }
    }

    fn say(&self, printer: &mut Printer) {
        self.shown.iter().for_each(|line| printer.warn(line));
        if self.count > 0 {
            printer.warn(&format!("{} lines were set aside; the rest was read", self.count));
        }
    }
}

fn bar(files: &[RecordFile], printer: &mut Printer) -> ProgressBar {
    let length = files.iter().filter_map(|file| file.path.metadata().ok()).map(|metadata| metadata.len()).sum::<u64>();
    let bar = printer.progress(length);
    if let Ok(style) =
        ProgressStyle::with_template("reading records {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

/// A file that is hashed and counted while it is read.
struct Counted<'a> {
    file: Packed<File>,
    bar: &'a ProgressBar,
}

impl<'a> Counted<'a> {
    fn open(file: &RecordFile, bar: &'a ProgressBar) -> Result<Self, Complaint> {
        let opened =
            packed::open(&file.path).map_err(|reason| Complaint::new(format!("{}: {reason}", file.path.display())))?;
        Ok(Self { file: opened, bar })
    }

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
