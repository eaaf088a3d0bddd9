//! `stirtrace ingest`: call records into the lake.

pub(crate) mod files;
mod preview;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::cdr::{Format, Settings};
use crate::cli::captures::records;
use crate::cli::configuration::Configured;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::ingest::files::named;
use crate::cli::ingest::preview::previews;
use crate::cli::packed::Packed;
use crate::cli::printer::{Present, Printer};
use crate::cli::set_aside::SetAside;
use crate::cli::sources::Sources;
use crate::cli::text::{Text, Tone, grouped};
use crate::lake::{Error, IngestOptions, Ingested, Input, LakeWriter, Outcome, Pieces, Progress, pieces};
use crate::network::Source;
use crate::traceback::Origin;

/// `stirtrace ingest`
#[derive(Args, Clone, Debug)]
#[command(after_help = HELP)]
pub(crate) struct IngestArgs {
    /// Files of call records, .gz and .zst too [default: all that the sources of stirtrace.toml name]
    #[arg(value_name = "FILE")]
    file: Vec<PathBuf>,
    /// The stirtrace.toml to use [default: the nearest in this folder or one above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show how the files are understood, and keep nothing
    #[arg(long)]
    preview: bool,
    /// The network whose records the files are, where no source of stirtrace.toml names them
    #[arg(long, value_name = "NAME", requires = "file")]
    network: Option<String>,
    /// The source that they are of: one of the network's, or a new name
    #[arg(long, value_name = "NAME", requires = "network")]
    source: Option<String>,
    /// Their format: a built-in one, or a mapping file
    #[arg(long = "as", id = "as", value_name = "FORMAT", requires = "file")]
    read_as: Option<String>,
    /// The zone of their times, where these name none
    #[arg(long, value_name = "ZONE", requires = "file")]
    time_zone: Option<String>,
}

const HELP: &str = "\
Examples:
  stirtrace ingest
  stirtrace ingest --preview cdr/2026-05-04.csv.gz
  stirtrace ingest old/*.csv --network 'Cascade Transit' --source archive --as freeswitch --time-zone UTC

The lake is the folder that stirtrace.toml names (lake = \"lake\"). The same files
again add nothing; a file that has grown adds its new lines. All files of a run
become the lake's at once, or none.

The lake knows a source by its name, else by what stirtrace.toml writes as files.
Name a source before its files move: a named one may move them at will, and no
line is taken in twice under another name.

Exit codes: 0 all lines are in, 1 some were set aside, 2 misuse, or something
unreadable or unwritable.";

/// Runs `stirtrace ingest`.
pub(crate) fn run(args: &IngestArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    if args.preview {
        return previews(args, printer);
    }
    let mut configured = Configured::find(args.config.as_deref(), printer)?;
    let folder = configured.lake()?;
    let sources = if args.file.is_empty() {
        let sources = Sources::find(&configured, printer)?;
        sources.complain_if_none(&configured)?;
        sources
    } else {
        named(args, &mut configured)?
    };
    let began = Instant::now();
    let ingest = Ingest { configured: &configured, sources: &sources };
    let ingested = ingest.run(printer)?;
    let all_read = ingest.say(&ingested, printer);
    printer.show(&Shown {
        files: ingested.files,
        records: ingested.records,
        added: ingested.added,
        set_aside: ingested.set_aside,
        seconds: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        known: count(&ingested, |outcome| matches!(outcome, Outcome::Known | Outcome::KnownOtherwise { .. })),
        unreadable: count(&ingested, |outcome| matches!(outcome, Outcome::Unreadable { .. })),
        lake: folder.display().to_string(),
    })?;
    let exit = if all_read { Exit::Good } else { Exit::Unable };
    Ok(if ingested.set_aside > 0 { exit.and(Exit::Bad) } else { exit })
}

fn count(ingested: &Ingested, is_one: impl Fn(&Outcome) -> bool) -> usize {
    ingested.outcomes.iter().filter(|outcome| is_one(outcome)).count()
}

/// Files on their way into the lake.
pub(crate) struct Ingest<'a> {
    pub(crate) configured: &'a Configured,
    pub(crate) sources: &'a Sources,
}

/// How a file is opened.
struct Opener {
    format: Format,
    settings: Settings,
}

impl Opener {
    fn open(&self, source: Box<dyn Read + Send>) -> Result<Box<dyn Pieces>, String> {
        let unpacked = Packed::new(source).map_err(|reason| reason.to_string())?;
        let records = records(unpacked).map_err(|reason| reason.to_string())?;
        pieces(&self.format, records, self.settings.clone()).map_err(|reason| reason.to_string())
    }
}

impl Ingest<'_> {
    /// Reads the files into the lake.
    pub(crate) fn run(&self, printer: &mut Printer) -> Result<Ingested, Complaint> {
        let folder = self.configured.lake()?;
        let mut writer = in_turn(&folder).map_err(|reason| Complaint::new(reason.to_string()))?;
        let bar = printer.progress_of_bytes("reading records", self.sources.length());
        let ingested = self.write(&mut writer, IngestOptions::default(), &|progress| advance(&bar, progress));
        bar.finish_and_clear();
        ingested.map_err(|reason| Complaint::new(reason.to_string()))
    }

    /// The same by whoever writes to a lake.
    pub(crate) fn write(
        &self,
        writer: &mut LakeWriter,
        options: IngestOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Ingested, Error> {
        let openers: Vec<Opener> = self.sources.files.iter().filter_map(|file| self.opener(file.origin)).collect();
        let opens: Vec<_> = openers.iter().map(|opener| |source: Box<dyn Read + Send>| opener.open(source)).collect();
        let files = self.sources.files.iter().filter(|file| self.opener(file.origin).is_some());
        let inputs: Vec<Input<'_>> = files
            .zip(&opens)
            .filter_map(|(file, open)| {
                let network = self.configured.configuration.networks.get(file.origin.network)?;
                let source = network.sources.get(file.origin.source)?;
                let input = Input::new(&network.name, &source.label(), &file.name, file.path.clone(), open);
                let reading = &self.sources.understanding(file.origin)?.reading;
                Some(input.with_gap(source.gap).with_reading(reading))
            })
            .collect();
        writer.ingest(&inputs, options, progress)
    }

    fn opener(&self, origin: Origin) -> Option<Opener> {
        let understanding = self.sources.understanding(origin)?;
        let source: &Source = self.configured.configuration.networks.get(origin.network)?.sources.get(origin.source)?;
        Some(Opener { format: understanding.format.clone(), settings: understanding.settings(0, Some(source)) })
    }

    /// Says what did not go well: lines set aside, files that cannot be read or were understood otherwise before.
    /// Whether all files were read, to their ends, is returned.
    pub(crate) fn say(&self, ingested: &Ingested, printer: &mut Printer) -> bool {
        let mut aside = SetAside::default();
        let mut all_read = self.sources.unreadable.is_empty();
        for (file, outcome) in self.sources.files.iter().zip(&ingested.outcomes) {
            match outcome {
                Outcome::Read { lines, set_aside, cut_short, .. } => {
                    lines.iter().for_each(|bad| aside.note(bad, &file.name));
                    aside.count_more(set_aside.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX)));
                    if let Some(reason) = cut_short {
                        all_read = false;
                        printer.warn(&format!("{}: it cannot be read to its end: {reason}", file.name));
                    }
                }
                Outcome::Unreadable { reason } => {
                    all_read = false;
                    printer.warn(&format!("{}: {reason}; no not-found stands until it can be read", file.name));
                }
                Outcome::KnownOtherwise { before } => {
                    let now = self.sources.understanding(file.origin).map_or("", |own| own.reading.as_str());
                    printer.warn(&format!(
                        "{}: the lake read it as {before}, and stirtrace.toml now says {now}; its records stay as they \
                         were read: to have them anew, name another folder as lake",
                        file.name
                    ));
                }
                Outcome::KnownElsewhere { source } => {
                    all_read = false;
                    let network = self.configured.configuration.networks.get(file.origin.network);
                    let own = network.and_then(|network| network.sources.get(file.origin.source));
                    printer.warn(&format!(
                        "{}: the lake holds it as of the source {source:?}, and stirtrace.toml now names it in {:?}; it is \
                         not taken in twice: to go on under the former name, write name = {source:?} in that source",
                        file.name,
                        own.map(Source::label).unwrap_or_default()
                    ));
                }
                Outcome::Known => {}
            }
        }
        aside.say(printer);
        all_read
    }
}

/// The lake's writer, once another is done: a service that takes its evidence in is so soon, and comes back.
fn in_turn(folder: &Path) -> Result<LakeWriter, Error> {
    let began = Instant::now();
    loop {
        match LakeWriter::open(folder) {
            Err(Error::Busy { .. }) if began.elapsed() < PATIENCE => std::thread::sleep(PATIENCE / 50),
            opened => return opened,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

fn advance(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Read(bytes) | Progress::Skipped(bytes) => bar.inc(bytes),
    }
}

/// What an ingest did.
#[derive(Debug, Serialize)]
struct Shown {
    files: u64,
    records: u64,
    added: u64,
    set_aside: u64,
    seconds: f64,
    /// Files that were in the lake already.
    known: usize,
    unreadable: usize,
    lake: String,
}

impl Present for Shown {
    const COLUMNS: &'static [&'static str] =
        &["files", "records", "added", "set_aside", "seconds", "known", "unreadable", "lake"];

    fn text(&self, text: &mut Text) {
        let files =
            |count: u64, what: &str| format!("{} {}{what}", grouped(count), if count == 1 { "file" } else { "files" });
        text.name("lake").put(Tone::Name, &self.lake).end();
        text.field(
            "read",
            format_args!("{} with {} records in {} s", files(self.files, ""), grouped(self.records), self.seconds),
        );
        text.name("added").put(Tone::Strong, format_args!("{} records", grouped(self.added))).end();
        if self.known > 0 {
            text.field("known", files(u64::try_from(self.known).unwrap_or(u64::MAX), " were in it already"));
        }
        if self.set_aside > 0 {
            let lines = if self.set_aside == 1 { "line" } else { "lines" };
            text.name("set aside").put(Tone::Doubt, format_args!("{} {lines}", grouped(self.set_aside)));
            text.plain("; `stirtrace lake status` names them").end();
        }
        if self.unreadable > 0 {
            let count = u64::try_from(self.unreadable).unwrap_or(u64::MAX);
            text.name("unreadable").put(Tone::Bad, files(count, "")).end();
        }
    }
}
