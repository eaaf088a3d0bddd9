//! The `stirtrace.toml` that rules: the one named, else the nearest in this folder or one above.

use std::path::{Path, PathBuf};

use crate::cli::exit::Complaint;
use crate::cli::files::read;
use crate::cli::printer::Printer;
use crate::network::Configuration;

/// A configuration with the folder that its paths are relative to.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) configuration: Configuration,
}

/// The most that is read of it.
const MAX_BYTES: usize = 16 * 1024 * 1024;

const NAME: &str = "stirtrace.toml";

impl Configured {
    /// Reads the file named, else the nearest; stderr names one that was found, for it decides whom we trust.
    pub(crate) fn find(named: Option<&Path>, printer: &mut Printer) -> Result<Self, Complaint> {
        if let Some(file) = named {
            return Self::read(file);
        }
        let here = std::env::current_dir().map_err(|reason| {
            Complaint::new(format!("the current folder cannot be found: {reason}")).hint("name a file with --config")
        })?;
        let found = here.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file());
        let file = found.ok_or_else(|| {
            Complaint::new(format!("no {NAME} in {} or a folder above", here.display()))
                .hint("name one with --config; examples/dialer/stirtrace.toml shows what stands in it")
        })?;
        printer.note(&format!("using {}", file.display()));
        Self::read(&file)
    }

    fn read(file: &Path) -> Result<Self, Complaint> {
        let bytes = read(file, MAX_BYTES).map_err(|reason| {
            Complaint::new(format!("--config {}: {reason}", file.display())).hint("name a stirtrace.toml")
        })?;
        let configuration = Configuration::parse(&bytes).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(|error| format!("{}: {error}", file.display())).collect();
            Complaint::new(errors.join("\n       ")).hint("put right what stands there; nothing was read or written")
        })?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { file: file.to_owned(), folder, configuration })
    }

    /// A path of the file, relative to its folder.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }
}
