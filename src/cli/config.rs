//! `stirtrace.toml`: the one that `--config` names, else the one in this folder or the nearest above it.

use std::path::{Path, PathBuf};

use crate::cli::args::{ConfigArgs, RevocationArgs, TrustArgs};
use crate::cli::exit::Complaint;
use crate::cli::files::read_named;
use crate::cli::printer::Printer;
use crate::network::{Configuration, Error};

/// A configuration with the file that it was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// Where it was found; none when there is none, and everything in it is its default.
    pub(crate) file: Option<PathBuf>,
    /// What it says; its paths are relative to its folder: see [`Config::path_of`].
    pub(crate) configuration: Configuration,
}

impl Config {
    /// Reads the configuration. One that nobody named is named on stderr, for it decides whom we trust.
    pub(crate) fn find(args: &ConfigArgs, printer: &mut Printer) -> Result<Self, Complaint> {
        let file = match &args.config {
            Some(file) => file.clone(),
            None => match found() {
                Some(file) => {
                    printer.note(&format!("configured by {}", file.display()));
                    file
                }
                None => return Ok(Self::default()),
            },
        };
        let bytes = read_named("--config", &file, MAX_CONFIG_BYTES)?;
        let configuration = Configuration::parse(&bytes).map_err(|errors| wrong(&file, &errors))?;
        Ok(Self { file: Some(file), configuration })
    }

    /// A path as the file means it: relative to the folder that the file lies in.
    pub(crate) fn path_of(&self, text: &str) -> PathBuf {
        let folder = self.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
        folder.join(text)
    }

    fn paths_of(&self, texts: &[String]) -> Vec<PathBuf> {
        texts.iter().map(|text| self.path_of(text)).collect()
    }

    /// The options, and for each that was left out what the file says. Roots and their list's signers go together, as
    /// do CRLs and theirs: whoever names the one names the other.
    pub(crate) fn trust(&self, mut args: TrustArgs) -> TrustArgs {
        if args.trust.is_empty() {
            args.trust = self.paths_of(&self.configuration.trust);
            args.trust_signer.extend(self.paths_of(&self.configuration.trust_signer));
        }
        args.certs = args.certs.or_else(|| self.configuration.certificates.as_deref().map(|text| self.path_of(text)));
        args
    }

    /// The same for CRLs.
    pub(crate) fn revocation(&self, mut args: RevocationArgs) -> RevocationArgs {
        if args.crl.is_empty() {
            args.crl = self.paths_of(&self.configuration.crl);
            args.crl_signer.extend(self.paths_of(&self.configuration.crl_signer));
        }
        args
    }
}

/// The most bytes that a configuration may have.
const MAX_CONFIG_BYTES: usize = 4 * 1024 * 1024;

const NAME: &str = "stirtrace.toml";

fn found() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    folder.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file())
}

fn wrong(file: &Path, errors: &[Error]) -> Complaint {
    let shown: Vec<String> = errors.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
    let more = errors.len().saturating_sub(MAX_SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Complaint::new(format!("{}: {}{more}", file.display(), shown.join("; ")))
        .hint("put it right, or name another with --config")
}

/// How many faults of a file are told at once.
const MAX_SHOWN: usize = 5;
