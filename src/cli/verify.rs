//! `stirtrace verify`: a verdict for each call of the input.

mod hep;
mod summary;
mod tally;

use serde::Serialize;

use crate::capture::{CaptureTime, CapturedMessage, Repeats};
use crate::cli::captures::{Captured, read_message, repeat_of, say_losses};
use crate::cli::credentials::Credentials;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::fetching::Origin;
use crate::cli::files::{Input, Source};
use crate::cli::pieces::{Found, Piece, each_piece};
use crate::cli::printer::{Present, Printer};
use crate::cli::settings::VerifySettings;
use crate::cli::text::Text;
use crate::cli::unread::Unread;
use crate::cli::verdict_text::VerdictText;
use crate::cli::verify::summary::Summary;
use crate::cli::verify::tally::Tally;
use crate::sip::call::{Call, CallForm};
use crate::sip::json_call::JsonCall;
use crate::verify::{Verdict, Verifier};

pub(super) fn run(settings: &VerifySettings, printer: &mut Printer) -> Result<Exit, Stop> {
    if settings.trust.is_empty() {
        printer.warn("nobody is trusted, so no call can pass: name the roots with --trust PATH");
    }
    let mut run = Run {
        judge: Judge::new(settings),
        tally: Tally::default(),
        repeats: Repeats::default(),
        summary: settings.summary.then(Summary::default),
    };
    if let Some(address) = settings.hep {
        hep::listen(address, &mut run, printer)?;
    }
    for input in &settings.inputs {
        match input {
            Ok(input) => each_piece(input, &mut |source, found| run.take(input, source, found, printer))?,
            Err(unlisted) => {
                run.tally.exit = run.tally.exit.and(Exit::Unable);
                printer.show(&Unread::<Judged<'_>>::folder(unlisted))?;
            }
        }
    }
    if let Some(summary) = &run.summary {
        printer.show(summary)?;
    }
    if let Some(fetching) = &settings.fetching {
        fetching.finish(printer);
    }
    run.tally.say(settings, printer);
    Ok(run.tally.exit())
}

/// What goes on from piece to piece.
struct Run<'a> {
    judge: Judge<'a>,
    tally: Tally,
    repeats: Repeats,
    summary: Option<Summary>,
}

impl<'a> Run<'a> {
    fn take(&mut self, input: &Input, source: Source, found: Found, printer: &mut Printer) -> Result<(), Stop> {
        match found {
            // A folder may hold the roots beside the calls.
            Ok(Piece::Certificates(_)) if matches!(input, Input::Found(_)) => {
                printer.note(&format!("{source} holds certificates, no calls; passed over"));
                Ok(())
            }
            Ok(Piece::Pause) => printer.flush(),
            Ok(Piece::CaptureEnd(counts)) => {
                say_losses(&source, &counts, printer);
                Ok(())
            }
            Ok(Piece::Captured(message)) => self.captured(source, &message, printer),
            Ok(piece) => match self.judge.call_of(piece) {
                Ok(call) => {
                    let judged = self.judge.judge(source, call, None);
                    self.show(&judged, printer)
                }
                Err(complaint) => self.unread(source, &complaint, printer),
            },
            Err(complaint) => self.unread(source, &complaint, printer),
        }
    }

    /// A message of a capture. What nobody signed, and what was there before, is counted, and listed only if asked for.
    fn captured(&mut self, source: Source, message: &CapturedMessage<'_>, printer: &mut Printer) -> Result<(), Stop> {
        let all = self.judge.settings.all;
        let call = match read_message(message) {
            Ok(read) => Call::from_message(&read, self.judge.settings.number_plan()),
            // What is no call need not be whole.
            Err(_) if !all && !message.is_request("INVITE") => return Ok(()),
            Err(complaint) => return self.unread(source, &complaint, printer),
        };
        let captured = Captured::new(message, repeat_of(&mut self.repeats, message, &call));
        if call.identities.is_empty() && !all {
            self.tally.count_unsigned(&call);
            if let Some(summary) = self.summary.as_mut().filter(|_| call.starts_call()) {
                summary.count_unsigned(&captured);
            }
            return Ok(());
        }
        if captured.is_retransmission() && !all {
            self.tally.count_again();
            return Ok(());
        }
        let judged = self.judge.judge(source, call, Some(captured));
        self.show(&judged, printer)
    }

    fn show(&mut self, judged: &Judged<'a>, printer: &mut Printer) -> Result<(), Stop> {
        if let Some(fetching) = &self.judge.settings.fetching {
            fetching.say(printer);
        }
        self.tally.count(judged);
        match &mut self.summary {
            Some(summary) => {
                summary.count(judged);
                Ok(())
            }
            None => printer.show(judged),
        }
    }

    fn unread(&mut self, source: Source, complaint: &Complaint, printer: &mut Printer) -> Result<(), Stop> {
        self.tally.exit = self.tally.exit.and(Exit::Unable);
        printer.show(&Unread::<Judged<'_>>::new(source, complaint))
    }
}

/// The verifier with its materials, filled as calls ask for them.
struct Judge<'a> {
    settings: &'a VerifySettings,
    verifier: Verifier,
    credentials: Credentials<'a>,
}

impl<'a> Judge<'a> {
    fn new(settings: &'a VerifySettings) -> Self {
        let no_archive = |place: &str| {
            format!("no archive was named; put it at DIR/{place} and give --certs DIR, or get it with --fetch")
        };
        let credentials = Credentials::new(settings.trust.clone(), settings.fetching.as_ref(), no_archive);
        Self { settings, verifier: Verifier::new(settings.policy.clone()), credentials }
    }

    fn call_of(&self, piece: Piece) -> Result<Call, Complaint> {
        let mut call = match piece {
            Piece::Identities(values) => Call::bare(values),
            Piece::Json(line) => JsonCall::parse(&line)?.into_call(self.settings.number_plan())?,
            Piece::Message(message) => Call::from_message(&message, self.settings.number_plan()),
            Piece::Captured(_) | Piece::CaptureEnd(_) | Piece::Certificates(_) | Piece::Pause => {
                let complaint = Complaint::new("certificates, where calls belong");
                return Err(complaint.hint("show them with `stirtrace certificate show`"));
            }
        };
        if call.form == CallForm::Bare {
            call.from = call.from.or_else(|| self.settings.from.clone());
            call.to = call.to.or_else(|| self.settings.to.clone());
        }
        Ok(call)
    }

    fn judge(&mut self, source: Source, call: Call, captured: Option<Captured>) -> Judged<'a> {
        let time = captured.as_ref().and_then(Captured::time).map(CaptureTime::unix);
        let verdict = self.credentials.judge(&self.verifier, &call, self.settings.at.of(&call, time));
        let fetched = self.credentials.origins(&verdict);
        Judged { source, captured, verdict, fetched, call, settings: self.settings }
    }
}

/// A verdict with what it is about.
#[derive(Debug, Serialize)]
pub(crate) struct Judged<'a> {
    pub(crate) source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) captured: Option<Captured>,
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
            && failed.all(|check| matches!(check.check, "date-fresh" | "iat-fresh"))
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
        "fetched.url",
        "fetched.sha256",
        "fetched.fetched_at",
        "fetched.confirmed_at",
        "fetched.stale",
    ];

    fn text(&self, text: &mut Text) {
        VerdictText::new(self).print(text);
    }
}
