//! The files of call records that the sources of `stirtrace.toml` name, and how each is understood.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use crate::cdr::{Format, MAX_MAPPING_BYTES, Settings};
use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::files::read;
use crate::cli::printer::Printer;
use crate::network::{Network, Source};
use crate::traceback::Origin;

/// A file of call records.
#[derive(Clone, Debug)]
pub(crate) struct RecordFile {
    pub(crate) path: PathBuf,
    /// Relative to the configuration's folder.
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// How the records of a source are understood.
#[derive(Clone, Debug)]
pub(crate) struct Understanding {
    pub(crate) format: Format,
    /// Everything that decides what a line means, in words that change when it does.
    pub(crate) reading: String,
}

/// What all sources name.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The files, source by source, in order of their names.
    pub(crate) files: Vec<RecordFile>,
    /// Patterns that match no file: a mistyped name must not become a not-found.
    pub(crate) lacking: Vec<(Origin, String)>,
    /// Sources of which a folder or a file cannot be read.
    pub(crate) unreadable: Vec<Origin>,
    /// How each source of each network is understood.
    understood: Vec<Vec<Understanding>>,
}

impl Sources {
    /// How the sources are understood, before any file is looked for.
    pub(crate) fn understood(configured: &Configured) -> Result<Self, Complaint> {
        let networks = configured.configuration.networks.iter();
        let understood = networks.map(|network| {
            let sources = network.sources.iter();
            sources.map(|source| Understanding::of(configured, network, source)).collect()
        });
        Ok(Self { understood: understood.collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// The files of all sources; what is not there, or cannot be read, is said on stderr.
    pub(crate) fn find(configured: &Configured, printer: &mut Printer) -> Result<Self, Complaint> {
        let mut sources = Self::understood(configured)?;
        for (origin, network, source) in each(configured) {
            let mut found = BTreeSet::new();
            for pattern in &source.files {
                let before = found.len();
                for path in matching(configured, pattern)? {
                    match path.and_then(|path| usable(configured, &path).map(|is_file| is_file.then_some(path))) {
                        Ok(path) => found.extend(path),
                        Err(complaint) => {
                            printer.warn(&complaint.to_string());
                            sources.unreadable.push(origin);
                        }
                    }
                }
                if found.len() == before && !sources.unreadable.contains(&origin) {
                    printer.warn(&format!("no file matches {pattern} of {}", network.name));
                    sources.lacking.push((origin, pattern.clone()));
                }
            }
            let record_file = |path: PathBuf| RecordFile { name: name(configured, &path), path, origin };
            sources.files.extend(found.into_iter().map(record_file));
        }
        sources.complain_if_twice(configured)?;
        Ok(sources)
    }

    /// A line that two sources name would count twice, and be read in two ways.
    fn complain_if_twice(&self, configured: &Configured) -> Result<(), Complaint> {
        let mut first: BTreeMap<&Path, Origin> = BTreeMap::new();
        let twice = self.files.iter().find_map(|file| {
            let before = first.insert(&file.path, file.origin);
            before.filter(|before| *before != file.origin).map(|before| (file, before))
        });
        let Some((file, before)) = twice else { return Ok(()) };
        let called = |origin: Origin| {
            let network = configured.configuration.networks.get(origin.network);
            let source = network.and_then(|own| own.sources.get(origin.source)).map(Source::label);
            format!("{} of {}", source.unwrap_or_default(), network.map_or("", |own| &own.name))
        };
        let (one, other) = (called(before), called(file.origin));
        Err(Complaint::new(format!(
            "{}: {} is named by two sources: {one}, and {other}",
            configured.file.display(),
            file.name
        ))
        .hint("write files so that each file is of one source"))
    }

    /// The complaint where there is no file at all.
    pub(crate) fn complain_if_none(&self, configured: &Configured) -> Result<(), Complaint> {
        if !self.files.is_empty() {
            return Ok(());
        }
        let complaint = Complaint::new(format!("{}: no file of call records was found", configured.file.display()));
        Err(complaint.hint("name them in [[network.source]] files; paths are relative to stirtrace.toml"))
    }

    /// How the records of a source are understood.
    pub(crate) fn understanding(&self, origin: Origin) -> Option<&Understanding> {
        self.understood.get(origin.network)?.get(origin.source)
    }

    /// How long the files are, together, as they lie on disk.
    pub(crate) fn length(&self) -> u64 {
        self.files.iter().filter_map(|file| file.path.metadata().ok()).map(|metadata| metadata.len()).sum()
    }
}

impl Understanding {
    /// A built-in format, or what the source's mapping file describes.
    fn of(configured: &Configured, network: &Network, source: &Source) -> Result<Self, Complaint> {
        let complain = |reason: String| {
            let (file, label) = (configured.file.display(), source.label());
            Complaint::new(format!("{file}: the source {label} of {}: {reason}", network.name))
        };
        let (format, hash) = format(&source.format, &configured.path(&source.format)).map_err(|wrong| {
            let complaint = complain(wrong.what().to_owned());
            wrong.next().map_or_else(|| complaint.clone(), |hint| complaint.clone().hint(hint))
        })?;
        let name = hash.map_or_else(|| source.format.clone(), |hash| format!("{} ({hash})", source.format));
        Ok(Self { format, reading: reading(&name, source) })
    }

    /// What a reader of the format has to know of the source besides.
    pub(crate) fn settings(&self, file: usize, source: Option<&Source>) -> Settings {
        source.map_or_else(|| Settings::for_file(file), |own| Settings::of_source(file, own))
    }
}

/// What `format` says of captures.
const CAPTURES: [&str; 2] = ["capture", "pcap"];

/// The built-in format of that name; or the one of the mapping file at a path, with the start of the file's SHA-256.
pub(crate) fn format(named: &str, path: &Path) -> Result<(Format, Option<String>), Complaint> {
    // A capture's calls are read as the canonical record.
    let named = if CAPTURES.contains(&named) { "jsonl" } else { named };
    if !Format::is_mapping_file(named) {
        let format = Format::named(named).map_err(|unknown| Complaint::new(unknown.to_string()))?;
        return Ok((format, None));
    }
    let bytes = read(path, MAX_MAPPING_BYTES).map_err(|reason| {
        Complaint::new(format!("the mapping file {}: {reason}", path.display()))
            .hint("put it there; its path is relative to stirtrace.toml")
    })?;
    let format = Format::mapped(named, &bytes).map_err(|faults| {
        let faults: Vec<String> = faults.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
        Complaint::new(format!("the mapping file {}: {}", path.display(), faults.join("; ")))
            .hint("put right what stands there; `stirtrace ingest --preview FILE` shows what comes of it")
    })?;
    let hash = digest(&SHA256, &bytes).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok((format, Some(hash)))
}

/// How many faults of a mapping file are told at once.
const MAX_SHOWN: usize = 5;

fn reading(format: &str, source: &Source) -> String {
    let mut words = format.to_owned();
    if let Some(zone) = &source.time_zone {
        words += &format!(", time_zone {zone}");
    }
    if let Some(trunk) = &source.trunk {
        words += &format!(", trunk {trunk}");
    }
    if !source.columns.is_empty() {
        words += &format!(", columns {}", source.columns.join(" "));
    }
    words
}

/// Every source with where it stands.
pub(crate) fn each(configured: &Configured) -> impl Iterator<Item = (Origin, &Network, &Source)> {
    configured.configuration.networks.iter().enumerate().flat_map(|(network, own)| {
        let sources = own.sources.iter().enumerate();
        sources.map(move |(source, described)| (Origin::new(network, source), own, described))
    })
}

/// What a pattern of the configuration names, as a pattern of whole paths.
pub(crate) fn whole_pattern(configured: &Configured, pattern: &str) -> String {
    if configured.folder.as_os_str().is_empty() || Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    format!("{}/{pattern}", glob::Pattern::escape(&configured.folder.to_string_lossy()))
}

/// What matches a pattern; a folder on the way that cannot be read is an item of its own.
fn matching(
    configured: &Configured,
    pattern: &str,
) -> Result<impl Iterator<Item = Result<PathBuf, Complaint>>, Complaint> {
    let paths = glob::glob(&whole_pattern(configured, pattern)).map_err(|reason| {
        Complaint::new(format!("{}: files {pattern:?}: {reason}", configured.file.display()))
            .hint("write a path with * and ? in it, relative to stirtrace.toml")
    })?;
    Ok(paths.map(|path| {
        path.map_err(|fault| {
            Complaint::new(format!("{}: it cannot be read: {}", fault.path().display(), fault.error()))
                .hint("give yourself the right to read it; till then no not-found stands")
        })
    }))
}

/// Whether a path is a file to read; folders are passed over.
fn usable(configured: &Configured, path: &Path) -> Result<bool, Complaint> {
    let packed = path.extension().is_some_and(|extension| ["bz2", "xz", "zip"].iter().any(|own| extension == *own));
    let name = || name(configured, path);
    if packed {
        return Err(Complaint::new(format!("{}: packed in a way that this build does not read", name()))
            .hint("unpack it, or pack it with gzip or zstd; till then no not-found stands"));
    }
    if path.is_file() || path.is_dir() {
        return Ok(path.is_file());
    }
    Err(Complaint::new(format!("{}: no file that can be read", name()))
        .hint("put the file there, or take the name away; till then no not-found stands"))
}

/// A path relative to the configuration's folder, where it lies below it.
pub(crate) fn name(configured: &Configured, path: &Path) -> String {
    path.strip_prefix(&configured.folder).unwrap_or(path).display().to_string()
}
