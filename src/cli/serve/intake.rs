//! Evidence into a lake: the service's files, taken in as `stirtrace ingest` would, as records of a source of a network.

use std::path::{Path, PathBuf};

use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::ingest::Ingest;
use crate::cli::sources::{RecordFile, Sources, name};
use crate::lake::{Error, IngestOptions, LakeWriter, Outcome};
use crate::network::{Network, Source};
use crate::service::evidence::{Intake, TakenIn};
use crate::service::settings::LakeSettings;
use crate::traceback::Origin;

/// Takes evidence into a lake.
pub(super) struct IntoLake {
    lake: PathBuf,
    network: String,
    source: String,
    /// With that network and that source alone: how others are read is none of the service's business.
    configured: Configured,
    sources: Sources,
}

impl IntoLake {
    /// What the settings want; whatever makes it impossible is said at the start.
    pub(super) fn new(settings: &LakeSettings, configured: &Configured) -> Result<Self, Complaint> {
        if settings.folder.contains("://") {
            return Err(Complaint::new(format!("service.evidence.lake {:?} is no folder", settings.folder))
                .hint("name a folder: this build keeps lakes nowhere else"));
        }
        let lake = configured.path(&settings.folder);
        let place = configured.network(&settings.network, "service.evidence.network")?;
        let mut configured = configured.clone();
        let mut network = configured.configuration.networks.swap_remove(place);
        network.sources = vec![source_of(&network, &settings.source)?];
        let (name, source) = (network.name.clone(), settings.source.clone());
        configured.configuration.networks = vec![network];
        // Makes the folder, and removes what a killed writer left.
        LakeWriter::open(&lake).map(drop).or_else(unless_busy)?;
        let sources = Sources::understood(&configured)?;
        Ok(Self { lake, network: name, source, configured, sources })
    }

    /// Those of the files that are not in the lake.
    fn lacking(&self, writer: &LakeWriter, files: &[PathBuf]) -> Vec<RecordFile> {
        let described = |path: &PathBuf| {
            // A file without a line, and one that was taken away, hold nothing.
            let bytes = path.metadata().ok().map(|own| own.len()).filter(|bytes| *bytes > 0)?;
            let name = name(&self.configured, path);
            let is_held = writer.holds(&self.network, &self.source, &name, bytes);
            (!is_held).then(|| RecordFile { path: path.clone(), name, origin: Origin::new(0, 0) })
        };
        files.iter().filter_map(described).collect()
    }
}

impl Intake for IntoLake {
    fn take_in(&mut self, files: &[PathBuf]) -> Result<TakenIn, String> {
        let mut writer = LakeWriter::open(&self.lake).map_err(|reason| reason.to_string())?;
        self.sources.files = self.lacking(&writer, files);
        let mut taken = TakenIn::default();
        if self.sources.files.is_empty() {
            return Ok(taken);
        }
        // Calls come first: one core, and little memory.
        let options = IngestOptions::default().with_threads(1).with_memory(MEMORY);
        let ingest = Ingest { configured: &self.configured, sources: &self.sources };
        let ingested = ingest.write(&mut writer, options, &|_| {}).map_err(|reason| reason.to_string())?;
        (taken.added, taken.set_aside) = (ingested.added, ingested.set_aside);
        let outcomes = self.sources.files.iter().zip(&ingested.outcomes);
        taken.refused = outcomes.filter_map(|(file, outcome)| refused(&file.path, outcome)).collect();
        Ok(taken)
    }
}

/// Another process may be writing to the lake as the service starts; its turn ends.
fn unless_busy(reason: Error) -> Result<(), Complaint> {
    match reason {
        Error::Busy { .. } => Ok(()),
        reason => Err(Complaint::new(format!("service.evidence.lake: {reason}"))
            .hint("name a folder that may be written to, or leave lake out: the files stay, and `ingest` takes them")),
    }
}

/// The network's source of that label; where it has none, one that only the lake will know.
fn source_of(network: &Network, label: &str) -> Result<Source, Complaint> {
    match network.sources.iter().find(|source| source.label() == label) {
        Some(source) if source.format == FORMAT => Ok(source.clone()),
        Some(_) => Err(Complaint::new(format!(
            "service.evidence.source: the source {label:?} of {} is not of format {FORMAT:?}, which evidence is",
            network.name
        ))
        .hint("name another source: one of that format, or one that only the lake knows")),
        None => {
            let mut source = Source::labelled(label);
            FORMAT.clone_into(&mut source.format);
            Ok(source)
        }
    }
}

fn refused(path: &Path, outcome: &Outcome) -> Option<String> {
    let reason = match outcome {
        Outcome::KnownElsewhere { source } => format!("the lake holds it as of the source {source:?}"),
        Outcome::KnownOtherwise { before } => format!("the lake read it as {before}"),
        Outcome::Read { cut_short: Some(reason), .. } | Outcome::Unreadable { reason } => reason.clone(),
        _ => return None,
    };
    Some(format!("{}: {reason}", path.display()))
}

const FORMAT: &str = "jsonl";
const MEMORY: usize = 64 * 1024 * 1024;
