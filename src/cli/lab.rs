//! `stirtrace lab`: a throw-away PKI to practise and to test with.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::printer::Printer;
use crate::lab::pki::{Settings, generate};
use crate::lab::write::WriteError;
use crate::time::UnixTime;

/// `stirtrace lab`
#[derive(Args, Clone, Debug)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum LabCommand {
    /// Write a throw-away PKI: roots, intermediates, signing certificates good and bad, CRLs, a trust list
    Pki(PkiArgs),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example:
  stirtrace lab pki certs

Its README.md says what each file is. The private keys are worthless: anybody can compute them from the seed.

Exit codes: 0 written, 2 not.")]
struct PkiArgs {
    /// The folder to write: new, empty, or an earlier lab
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What keys and serial numbers come from: the same seed gives the same lab
    #[arg(long, value_name = "N|TEXT", default_value = "1")]
    seed: String,
    /// The first day of the signing certificates
    #[arg(long, value_name = "RFC3339", default_value_t = Settings::DEFAULT_START, value_parser = UnixTime::parse_rfc3339)]
    start: UnixTime,
    /// How many days the usual signing certificates are valid
    #[arg(long, value_name = "DAYS", default_value_t = Settings::DEFAULT_LEAF_DAYS)]
    leaf_days: u32,
}

/// Runs `stirtrace lab`.
pub(super) fn run(args: &LabArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    match &args.command {
        LabCommand::Pki(args) => pki(args, printer),
    }
}

fn pki(args: &PkiArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let settings = Settings { leaf_days: args.leaf_days, seed: args.seed.clone(), start: args.start };
    let lab = generate(&settings).map_err(|error| Complaint::new(error.to_string()))?;
    lab.write_to(&args.folder).map_err(complaint)?;
    let folder = args.folder.display();
    printer.note(&format!(
        "{} files in {folder}; its README.md says what each is, and its keys are worthless",
        lab.files().count()
    ));
    Ok(Exit::Good)
}

fn complaint(error: WriteError) -> Complaint {
    let complaint = Complaint::new(error.to_string());
    match error {
        WriteError::OccupiedFolder { .. } => complaint.hint("only a former lab is written over"),
        WriteError::Io { .. } => complaint,
    }
}
