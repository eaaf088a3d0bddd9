//! `stirtrace lab`: a throw-away PKI, and practice worlds of calls.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::printer::Printer;
use crate::lab::calls::{self, Layout};
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
    /// Write a practice world: call records of several networks, requests about them, and the truth beside them
    Calls(CallsArgs),
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

#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example:
  stirtrace lab calls world --seed 7
  stirtrace trace --config world/stirtrace.toml world/requests.csv
  stirtrace lab calls captured --pcap 1000

Its README.md says what each file is; truth.jsonl says what may be answered.

Exit codes: 0 written, 2 not.")]
struct CallsArgs {
    /// The folder to write: new, empty, or an earlier world, which is replaced
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What everything that looks like chance comes from: the same seed gives the same world
    #[arg(long, value_name = "N|TEXT", default_value = "1")]
    seed: String,
    /// The day on which it begins
    #[arg(long, value_name = "RFC3339", default_value_t = calls::Settings::DEFAULT_START, value_parser = UnixTime::parse_rfc3339)]
    start: UnixTime,
    /// How many days it lasts [default: 2 to 30, by the number of records]
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// About how many call records to write
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    records: u64,
    /// How many traceback requests to make
    #[arg(long, value_name = "N", default_value_t = 60)]
    requests: usize,
    /// Of how many networks the records are held: 1 to 10
    #[arg(long, value_name = "N", default_value_t = 8)]
    networks: usize,
    /// What the switches write, one after the other: names as in stirtrace.toml [default: all]
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', value_parser = layout)]
    formats: Vec<Layout>,
    /// How many campaigns run
    #[arg(long, value_name = "N", default_value_t = 6)]
    campaigns: usize,
    /// The fraction of calls that carry a PASSporT, where their provider signs; of campaigns four times as many
    #[arg(long, value_name = "FRACTION", default_value = "0.2", value_parser = millionths)]
    identity: u32,
    /// Let some switches compress their files
    #[arg(long)]
    compress: bool,
    /// Write a capture of so many INVITEs with Identity, fragmented UDP and TCP mixed, instead of call records
    #[arg(long, value_name = "CALLS", conflicts_with_all = ["days", "formats", "compress"])]
    pcap: Option<u64>,
}

fn layout(name: &str) -> Result<Layout, String> {
    let names = || Layout::ALL.iter().map(|own| own.name()).collect::<Vec<_>>().join(", ");
    Layout::named(name).ok_or_else(|| format!("no switch writes {name:?}; there are: {}", names()))
}

/// A fraction from 0 to 1 in millionths.
fn millionths(text: &str) -> Result<u32, String> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let digits = format!("{whole}{rest:0<6}");
    let value = digits.parse().ok().filter(|value| *value <= 1_000_000);
    let value = value.filter(|_| rest.len() <= 6 && is_digits(whole) && is_digits(rest) && !text.is_empty());
    value.ok_or_else(|| "a fraction is 0 to 1, with at most six digits behind the point".to_owned())
}

/// Runs `stirtrace lab`.
pub(super) fn run(args: &LabArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    match &args.command {
        LabCommand::Pki(args) => pki(args, printer),
        LabCommand::Calls(args) => world(args, printer),
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

fn capture(args: &CallsArgs, calls: u64, printer: &mut Printer) -> Result<Exit, Stop> {
    let settings = calls::CaptureSettings { seed: args.seed.clone(), start: args.start.plus_seconds(NOON), calls };
    calls::write_capture(&settings, &args.folder).map_err(|error| Complaint::new(error.to_string()))?;
    let folder = args.folder.display();
    printer.note(&format!(
        "{calls} INVITEs in {folder}/calls.pcap; the certificates that signed them are in {folder}/certs"
    ));
    Ok(Exit::Good)
}

/// Captures begin in the middle of the day.
const NOON: i64 = 12 * 3_600;

fn world(args: &CallsArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    if let Some(calls) = args.pcap {
        return capture(args, calls, printer);
    }
    let settings = calls::Settings {
        seed: args.seed.clone(),
        start: args.start,
        days: args.days,
        records: args.records,
        requests: args.requests,
        networks: args.networks,
        layouts: if args.formats.is_empty() { Layout::ALL.to_vec() } else { args.formats.clone() },
        campaigns: args.campaigns,
        identity: args.identity,
        compressed: args.compress,
    };
    let summary = calls::write_world(&settings, &args.folder).map_err(|error| match error {
        calls::Error::OccupiedFolder { .. } => {
            Complaint::new(error.to_string()).hint("only a former world is written over")
        }
        other => Complaint::new(other.to_string()),
    })?;
    printer.note(&format!(
        "{} records of {} networks, {} requests in {}; its README.md says what each file is",
        summary.records,
        summary.networks,
        summary.requests,
        args.folder.display()
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
