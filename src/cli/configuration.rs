//! The `stirtrace.toml` that rules: the one named, else the nearest in this folder or one above.

use std::path::{Path, PathBuf};

use crate::cli::args::{RevocationArgs, TrustArgs};
use crate::cli::exit::Complaint;
use crate::cli::fetching::url_of;
use crate::cli::files::read;
use crate::cli::printer::Printer;
use crate::document;
use crate::network::Configuration;
use crate::service;

/// A configuration with the folder that its paths are relative to.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) configuration: Configuration,
    /// The file as it stood.
    pub(crate) bytes: Vec<u8>,
}

/// The most that is read of it.
const MAX_BYTES: usize = 16 * 1024 * 1024;

const NAME: &str = "stirtrace.toml";

impl Configured {
    /// Reads the file named, else the nearest, for a command that cannot do without.
    pub(crate) fn find(named: Option<&Path>, printer: &mut Printer) -> Result<Self, Complaint> {
        Self::find_any(named, printer)?.ok_or_else(Self::missing)
    }

    /// What to say where there is none.
    pub(crate) fn missing() -> Complaint {
        Complaint::new(format!("no {NAME} in this folder or one above"))
            .hint("name one with --config; examples/dialer/stirtrace.toml shows what stands in it")
    }

    /// Reads the file named, else the nearest if there is one; stderr names one that was found, for it decides whom we
    /// trust.
    pub(crate) fn find_any(named: Option<&Path>, printer: &mut Printer) -> Result<Option<Self>, Complaint> {
        if let Some(file) = named {
            return Self::read(file).map(Some);
        }
        let here = std::env::current_dir().map_err(|reason| {
            Complaint::new(format!("the current folder cannot be found: {reason}")).hint("name a file with --config")
        })?;
        let Some(file) = here.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file()) else {
            return Ok(None);
        };
        printer.note(&format!("using {}", file.display()));
        Self::read(&file).map(Some)
    }

    /// The file as it stands now.
    pub(crate) fn again(&self) -> Result<Self, Complaint> {
        Self::read(&self.file)
    }

    fn read(file: &Path) -> Result<Self, Complaint> {
        let bytes = read(file, MAX_BYTES).map_err(|reason| {
            Complaint::new(format!("--config {}: {reason}", file.display())).hint("name a stirtrace.toml")
        })?;
        let configuration = Configuration::parse(&bytes).map_err(|errors| wrong(file, &errors))?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { file: file.to_owned(), folder, configuration, bytes })
    }

    /// What the table `[service]` says.
    pub(crate) fn service(&self) -> Result<service::Settings, Complaint> {
        service::Settings::parse(&self.bytes).map_err(|errors| wrong(&self.file, &errors))
    }

    /// The lake's folder, for a command that cannot do without.
    pub(crate) fn lake(&self) -> Result<PathBuf, Complaint> {
        let file = self.file.display();
        match self.configuration.lake.as_deref() {
            None => Err(Complaint::new(format!("{file} names no lake"))
                .hint("write lake = \"lake\" at its beginning: the folder, relative to it, where records are kept")),
            Some(lake) if lake.contains("://") => Err(Complaint::new(format!("{file}: lake {lake:?} is no folder"))
                .hint("name a folder: this build keeps lakes nowhere else")),
            Some(lake) => Ok(self.path(lake)),
        }
    }

    /// The place of a network that an option names, by its name or its service provider code.
    pub(crate) fn network(&self, named: &str, option: &str) -> Result<usize, Complaint> {
        let networks = &self.configuration.networks;
        let found = networks.iter().position(|network| network.name == named || network.spc.as_deref() == Some(named));
        let names: Vec<&str> = networks.iter().map(|network| network.name.as_str()).collect();
        found.ok_or_else(|| {
            Complaint::new(format!("{option} {named}: {} has no network of that name", self.file.display()))
                .hint(format!("it has: {}", names.join(", ")))
        })
    }

    /// A key of the file, with where its value stands; of an array, one element.
    pub(crate) fn named(&self, names: &[&str], element: usize) -> String {
        let (file, key) = (self.file.display(), names.join("."));
        match document::locate(&self.bytes, MAX_BYTES, names, element) {
            Some((line, column)) => format!("{file}: line {line}, column {column}: {key}:"),
            None => format!("{file}: {key}:"),
        }
    }

    /// A path of the file, relative to its folder.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        // A URL stays one.
        if url_of(Path::new(text)).is_some() { PathBuf::from(text) } else { self.folder.join(text) }
    }

    fn paths(&self, texts: &[String]) -> Vec<PathBuf> {
        texts.iter().map(|text| self.path(text)).collect()
    }

    /// The options, and for each that was left out what the file says. Roots and their list's signers go together:
    /// whoever names the one names the other.
    pub(crate) fn trust(&self, mut args: TrustArgs) -> TrustArgs {
        if args.trust.is_empty() {
            args.trust = self.paths(&self.configuration.trust);
            args.trust_signer.extend(self.paths(&self.configuration.trust_signer));
        }
        args.certs = args.certs.or_else(|| self.configuration.certificates.as_deref().map(|text| self.path(text)));
        args
    }

    /// The same for CRLs and theirs.
    pub(crate) fn revocation(&self, mut args: RevocationArgs) -> RevocationArgs {
        if args.crl.is_empty() {
            args.crl = self.paths(&self.configuration.crl);
            args.crl_signer.extend(self.paths(&self.configuration.crl_signer));
        }
        args
    }
}

fn wrong(file: &Path, errors: &[impl ToString]) -> Complaint {
    let shown: Vec<String> = errors.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
    let more = errors.len().saturating_sub(MAX_SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Complaint::new(format!("{}: {}{more}", file.display(), shown.join("; ")))
        .hint("put right what stands there; nothing was read or written")
}

/// How many faults of a file are told at once.
const MAX_SHOWN: usize = 5;
