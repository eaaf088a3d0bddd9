//! `stirtrace verify`: a verdict for each call of the input.

mod chunk;
mod hep;
mod judge;
mod lake;
mod summary;
mod tally;
mod work;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::capture::Repeats;
use crate::cli::captures::Captured;
use crate::cli::exit::{Exit, Stop};
use crate::cli::fetching::Origin;
use crate::cli::files::{Input, Source};
use crate::cli::pipeline::{self, Give};
use crate::cli::printer::{Present, Printer};
use crate::cli::recorded::Recorded;
use crate::cli::settings::VerifySettings;
use crate::cli::text::Text;
use crate::cli::verdict_text::VerdictText;
use crate::cli::verify::chunk::{Chunk, Chunks};
use crate::cli::verify::summary::Summary;
use crate::cli::verify::tally::Tally;
use crate::cli::verify::work::{Outcome, Worker};
use crate::sip::call::Call;
use crate::verify::Verdict;

pub(super) fn run(settings: &VerifySettings, printer: &mut Printer) -> Result<Exit, Stop> {
    if settings.trust.is_empty() {
        printer.warn("nobody is trusted, so no call can pass: name the roots with --trust PATH");
    }
    let socket = settings.hep.map(|address| hep::bind(address, printer)).transpose()?;
    let bar = bar(settings, printer);
    let repeats = Repeats::default();
    let worker = Worker::new(settings, printer.renderer(), &repeats);
    let read = |give: &mut Give<'_, Chunk>| match &socket {
        Some(socket) => hep::listen(socket, give),
        None => read(settings, &bar, give),
    };
    // What is listened for comes one by one.
    let threads = if socket.is_some() { 1 } else { settings.threads.get() };
    let mut tally = Tally::default();
    let mut summary = Summary::default();
    let take = |outcome: Outcome| {
        tally.add(&outcome.tally);
        summary.add(outcome.summary);
        if let Some(fetching) = &settings.fetching {
            fetching.say(printer);
        }
        print(&outcome.rendered, outcome.pause, printer)?;
        outcome.remarks.iter().for_each(|remark| printer.remark(remark));
        outcome.fault.map_or(Ok(()), |fault| Err(fault.into()))
    };
    let outcome = pipeline::run(threads, repeats, read, |chunk, turn| worker.work(chunk, turn), take);
    bar.finish_and_clear();
    outcome?;
    if settings.summary {
        printer.show(&summary)?;
    }
    if let Some(fetching) = &settings.fetching {
        fetching.finish(printer);
    }
    tally.say(settings, printer);
    Ok(tally.exit())
}

/// Reads everything that is to be judged.
fn read(settings: &VerifySettings, bar: &ProgressBar, give: &mut Give<'_, Chunk>) -> Result<(), Stop> {
    let mut chunks = Chunks::new(give);
    if let Some(records) = &settings.records {
        lake::read(records, &mut chunks, bar)?;
    }
    settings.inputs.iter().try_for_each(|input| chunks.read(input, bar))?;
    chunks.hand_over()
}

fn print(rendered: &str, pause: bool, printer: &mut Printer) -> Result<(), Stop> {
    printer.put::<Judged<'_>>(rendered)?;
    if pause { printer.flush() } else { Ok(()) }
}

/// How far it is: by bytes of the files, or by records; of what comes live nobody knows.
fn bar(settings: &VerifySettings, printer: &mut Printer) -> ProgressBar {
    if settings.records.is_some() {
        return lake::bar(printer);
    }
    let lengths: Option<Vec<u64>> = settings.inputs.iter().flatten().map(Input::length).collect();
    match lengths {
        Some(lengths) if !lengths.is_empty() => printer.progress_of_bytes("verifying", lengths.iter().sum()),
        _ => ProgressBar::hidden(),
    }
}

/// A verdict with what it is about.
#[derive(Debug, Serialize)]
pub(crate) struct Judged<'a> {
    pub(crate) source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) captured: Option<Captured>,
    #[serde(rename = "record", skip_serializing_if = "Option::is_none")]
    pub(crate) recorded: Option<Recorded>,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// Where its certificates came from, where that was the network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fetched: Vec<Origin>,
    #[serde(skip)]
    pub(crate) call: Call,
    #[serde(skip)]
    pub(crate) settings: &'a VerifySettings,
}

impl Judged<'_> {
    /// Whether age is all that speaks against the call: then another instant would judge it otherwise.
    pub(crate) fn is_only_stale(&self) -> bool {
        use crate::verify::{CheckResult, Stage};
        let stale = |error: &crate::verify::Error| error.stage() == Stage::Freshness && error.kind() != "ReplayedToken";
        let mut errors = self.verdict.passports.iter().filter_map(|report| report.error.as_ref()).peekable();
        let failed = self.verdict.passports.iter().flat_map(|report| &report.checks);
        let mut failed = failed.filter(|check| check.result == CheckResult::Fail);
        errors.peek().is_some()
            && errors.all(stale)
            && failed.all(|check| matches!(check.rule.name(), "date-fresh" | "iat-fresh"))
    }
}

impl Present for Judged<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "source.file",
        "source.line",
        "call.call_id",
        "call.from",
        "call.to",
        "call.date",
        "verdict",
        "verstat",
        "sip.code",
        "sip.reason",
        "attest",
        "origid",
        "signer.spc",
        "signer.organization",
        "signer.common_name",
        "signer.certificate_sha256",
        "signer.x5u",
        "at",
        "reasons",
        "rich_call_data.passport",
        "rich_call_data.status",
        "rich_call_data.reason",
        "rich_call_data.name",
        "rich_call_data.alternate_number",
        "rich_call_data.call_reason",
        "rich_call_data.icon",
        "rich_call_data.card",
        "rich_call_data.missing",
        "checks.check",
        "checks.result",
        "checks.detail",
        "passports.ppt",
        "passports.status",
        "passports.error.kind",
        "passports.error.detail",
        "passports.sip.code",
        "passports.atis82.code",
        "passports.atis82.case",
        "passports.attest",
        "passports.origid",
        "passports.signer.spc",
        "passports.path.sha256",
        "passports.checks.check",
        "passports.checks.result",
        "passports.checks.detail",
        "passports.header",
        "passports.claims",
        "error.kind",
        "error.detail",
        "error.hint",
        "source.frame",
        "captured.time",
        "captured.source",
        "captured.destination",
        "captured.transport",
        "record.time",
        "record.network",
        "record.source",
        "record.trunk",
        "record.address",
        "fetched.url",
        "fetched.sha256",
        "fetched.fetched_at",
        "fetched.confirmed_at",
        "fetched.stale",
        "priority.verstat",
        "priority.requested",
        "priority.authorized",
        "priority.callback",
    ];

    fn text(&self, text: &mut Text) {
        VerdictText::new(self).print(text);
    }
}
