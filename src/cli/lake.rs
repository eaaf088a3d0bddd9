//! `stirtrace lake`: what the lake holds, and the care it needs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use indicatif::ProgressStyle;
use serde::Serialize;

use crate::cli::args::ConfigArgs;
use crate::cli::configuration::Configured;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::lake::status::{ShownLake, ShownSource};
use crate::cli::printer::{Present, Printer};
use crate::cli::text::{Text, Tone, grouped};
use crate::lake::{LakeWriter, ParquetLake};
use crate::time::UnixTime;

mod status;

/// `stirtrace lake`
#[derive(Args, Clone, Debug)]
pub(crate) struct LakeArgs {
    #[command(subcommand)]
    command: LakeCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum LakeCommand {
    /// Merge small files into larger ones: questions are answered faster
    #[command(after_help = "\
Example:
  stirtrace lake compact

What is kept stays the same. Readers are not disturbed.

Exit codes: 0 done, 2 misuse, or something unreadable or unwritable.")]
    Compact(ConfigArgs),
    /// Forget old records
    #[command(after_help = "\
Examples:
  stirtrace lake forget --before 2026-01-01 --dry-run
  stirtrace lake forget --before 2026-01-01

Forgotten records are gone, and are not taken in again from the same files.

Exit codes: 0 done, 2 misuse, or something unreadable or unwritable.")]
    Forget(ForgetArgs),
    /// Show what is held: files, records, spans, gaps, and the lines that could not be read
    #[command(after_help = "\
Examples:
  stirtrace lake status
  stirtrace lake status --format json | jq .lines

Exit codes: 0 nothing wrong, 1 lines or files could not be read, 2 misuse, or
there is no lake.")]
    Status(ConfigArgs),
}

#[derive(Args, Clone, Debug)]
struct ForgetArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Records that began before are forgotten: a day (its start in UTC), or an RFC 3339 time
    #[arg(long, value_name = "DATE", value_parser = instant)]
    before: UnixTime,
    /// Say what would go, and keep it
    #[arg(long)]
    dry_run: bool,
}

fn instant(text: &str) -> Result<UnixTime, String> {
    let day = format!("{text}T00:00:00Z");
    UnixTime::parse_rfc3339(&day)
        .or_else(|_| UnixTime::parse_rfc3339(text))
        .map_err(|_| "write a day, as 2026-05-04, or a time with its zone, as 2026-05-04T12:00:01Z".to_owned())
}

/// Runs `stirtrace lake`.
pub(crate) fn run(args: &LakeArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    match &args.command {
        LakeCommand::Compact(args) => compact(&folder(args, printer)?, printer),
        LakeCommand::Forget(args) => forget(args, &folder(&args.config, printer)?, printer),
        LakeCommand::Status(args) => status(&folder(args, printer)?, printer),
    }
}

fn folder(args: &ConfigArgs, printer: &mut Printer) -> Result<PathBuf, Complaint> {
    Configured::find(args.config.as_deref(), printer)?.lake()
}

fn complaint(reason: impl ToString) -> Complaint {
    Complaint::new(reason.to_string())
}

/// Opens a lake to change it. None is made by the way.
fn writer(folder: &Path) -> Result<LakeWriter, Complaint> {
    ParquetLake::open(folder).map_err(complaint)?;
    LakeWriter::open(folder).map_err(complaint)
}

fn status(folder: &Path, printer: &mut Printer) -> Result<Exit, Stop> {
    let status = ParquetLake::open(folder).and_then(|lake| lake.status()).map_err(complaint)?;
    let is_whole = status.sources.iter().all(|own| own.set_aside == 0 && own.unreadable.is_empty());
    let name = folder.display().to_string();
    if printer.is_text() {
        printer.show(&ShownLake { name, status })?;
    } else {
        for source in ShownSource::all(&name, &status) {
            printer.show(&source)?;
        }
    }
    Ok(if is_whole { Exit::Good } else { Exit::Bad })
}

fn compact(folder: &Path, printer: &mut Printer) -> Result<Exit, Stop> {
    let status = ParquetLake::open(folder).and_then(|lake| lake.status()).map_err(complaint)?;
    let mut writer = writer(folder)?;
    let began = Instant::now();
    let bar = printer.progress(status.records);
    if let Ok(style) = ProgressStyle::with_template("merging {bar:30} {human_pos}/{human_len} records, {eta} left") {
        bar.set_style(style);
    }
    let compacted = writer.compact(&|records| bar.inc(records));
    bar.finish_and_clear();
    let compacted = compacted.map_err(complaint)?;
    printer.show(&ShownCompacted {
        lake: folder.display().to_string(),
        before: compacted.before,
        after: compacted.after,
        records: compacted.records,
        seconds: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    })?;
    Ok(Exit::Good)
}

fn forget(args: &ForgetArgs, folder: &Path, printer: &mut Printer) -> Result<Exit, Stop> {
    let (records, files) = if args.dry_run {
        (status::records_before(folder, args.before)?, None)
    } else {
        let forgotten = writer(folder)?.forget(args.before).map_err(complaint)?;
        (forgotten.records, Some(forgotten.files))
    };
    printer.show(&ShownForgotten {
        lake: folder.display().to_string(),
        before: args.before,
        records,
        files,
        dry_run: args.dry_run,
    })?;
    Ok(Exit::Good)
}

/// What a compaction did.
#[derive(Debug, Serialize)]
struct ShownCompacted {
    lake: String,
    /// Files that were merged.
    before: u64,
    /// Files that they became.
    after: u64,
    records: u64,
    seconds: f64,
}

impl Present for ShownCompacted {
    const COLUMNS: &'static [&'static str] = &["lake", "before", "after", "records", "seconds"];

    fn text(&self, text: &mut Text) {
        text.name("lake").put(Tone::Name, &self.lake).end();
        if self.before == 0 {
            return text.field("merged", "nothing: its files are as large as they should be");
        }
        let (before, after, records) = (grouped(self.before), grouped(self.after), grouped(self.records));
        text.field("merged", format_args!("{before} files into {after}, {records} records, in {} s", self.seconds));
    }
}

/// What was forgotten, or would be.
#[derive(Debug, Serialize)]
struct ShownForgotten {
    lake: String,
    before: UnixTime,
    records: u64,
    /// Files that went, or were written anew; unknown of what only would be.
    files: Option<u64>,
    dry_run: bool,
}

impl Present for ShownForgotten {
    const COLUMNS: &'static [&'static str] = &["lake", "before", "records", "files", "dry_run"];

    fn text(&self, text: &mut Text) {
        text.name("lake").put(Tone::Name, &self.lake).end();
        let (name, files) = match self.files {
            None => ("would forget", String::new()),
            Some(files) => ("forgot", format!(", in {} files", grouped(files))),
        };
        let words = format!("{} records that began before {}{files}", grouped(self.records), self.before);
        text.name(name).put(Tone::Strong, words).end();
    }
}
