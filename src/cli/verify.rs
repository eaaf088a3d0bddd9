//! `stirtrace verify`: a verdict for each call of the input.

use serde::Serialize;

use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::files::{Input, Source};
use crate::cli::json_call::JsonCall;
use crate::cli::pieces::{Piece, each_piece};
use crate::cli::printer::{Present, Printer};
use crate::cli::settings::VerifySettings;
use crate::cli::text::Text;
use crate::cli::unread::Unread;
use crate::cli::verdict_text::VerdictText;
use crate::sip::call::{Call, CallForm};
use crate::verify::{Conclusion, Materials, Verdict, Verifier};

pub(super) fn run(settings: &VerifySettings, printer: &mut Printer) -> Result<Exit, Stop> {
    if settings.trust.is_empty() {
        printer.warn("nobody is trusted, so no call can pass: name the roots with --trust PATH");
    }
    let mut judge = Judge::new(settings);
    let mut tally = Tally::default();
    for input in &settings.inputs {
        match input {
            Ok(input) => judge_input(input, &mut judge, &mut tally, printer)?,
            Err(unlisted) => {
                tally.exit = tally.exit.and(Exit::Unable);
                printer.show(&Unread::<Judged<'_>>::folder(unlisted))?;
            }
        }
    }
    tally.say(settings, printer);
    Ok(tally.exit())
}

fn judge_input(input: &Input, judge: &mut Judge<'_>, tally: &mut Tally, printer: &mut Printer) -> Result<(), Stop> {
    each_piece(input, &mut |source, found| {
        let call = match found {
            // A folder may hold the roots beside the calls.
            Ok(Piece::Certificates(_)) if matches!(input, Input::Found(_)) => {
                printer.note(&format!("{source} holds certificates, no calls; passed over"));
                return Ok(());
            }
            Ok(piece) => judge.call_of(piece),
            Err(complaint) => Err(complaint),
        };
        match call {
            Ok(call) => {
                let judged = judge.judge(source, call);
                tally.count(&judged);
                printer.show(&judged)
            }
            Err(complaint) => {
                tally.exit = tally.exit.and(Exit::Unable);
                printer.show(&Unread::<Judged<'_>>::new(source, &complaint))
            }
        }
    })
}

/// The verifier with its materials, filled as calls ask for them.
struct Judge<'a> {
    settings: &'a VerifySettings,
    verifier: Verifier,
    materials: Materials,
    urls: usize,
}

/// How many URLs are remembered before everything about them is forgotten: hostile calls may name a new one each.
const MAX_URLS: usize = 100_000;

impl<'a> Judge<'a> {
    fn new(settings: &'a VerifySettings) -> Self {
        let materials = settings.trust.materials();
        Self { settings, verifier: Verifier::new(settings.policy.clone()), materials, urls: 0 }
    }

    fn call_of(&self, piece: Piece) -> Result<Call, Complaint> {
        let mut call = match piece {
            Piece::Identities(values) => Call::bare(values),
            Piece::Json(line) => JsonCall::parse(&line)?.into_call(self.settings.number_plan())?,
            Piece::Message(message) => Call::from_message(&message, self.settings.number_plan()),
            Piece::Certificates(_) => {
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

    fn judge(&mut self, source: Source, call: Call) -> Judged<'a> {
        if self.urls > MAX_URLS {
            self.materials = self.settings.trust.materials();
            self.urls = 0;
        }
        for url in self.verifier.missing(&call, &self.materials) {
            self.urls += 1;
            self.obtain(&url);
        }
        let verdict = self.verifier.verify(&call, &self.materials, self.settings.at.of(&call));
        Judged { source, verdict, call, settings: self.settings }
    }

    fn obtain(&mut self, url: &str) {
        match self.settings.trust.archive.as_ref().map(|archive| archive.read(url)) {
            Some(Ok(body)) => self.materials.add_certificate(url, &body),
            Some(Err(reason)) => self.materials.mark_unavailable(url, reason.to_string()),
            None => {
                let place = crate::cli::archive::Place::of(url).map(|place| place.to_path().display().to_string());
                let place = place.unwrap_or_else(|_| "host/path".to_owned());
                let reason = format!("no archive was named; put it at DIR/{place} and give --certs DIR");
                self.materials.mark_unavailable(url, reason);
            }
        }
    }
}

/// A verdict with what it is about.
#[derive(Debug, Serialize)]
pub(crate) struct Judged<'a> {
    pub(crate) source: Source,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
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
    ];

    fn text(&self, text: &mut Text) {
        VerdictText::new(self).print(text);
    }
}

/// What came of all calls together.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    none: usize,
    /// Those that start no call: responses, ACK, BYE; nothing was to be signed there.
    idle: usize,
    only_stale: usize,
    exit: Exit,
}

impl Tally {
    fn count(&mut self, judged: &Judged<'_>) {
        match judged.verdict.conclusion {
            Conclusion::Passed => self.passed += 1,
            Conclusion::Failed => self.failed += 1,
            Conclusion::None if !judged.call.starts_call() && judged.call.identities.is_empty() => self.idle += 1,
            Conclusion::None => self.none += 1,
        }
        self.only_stale += usize::from(judged.is_only_stale());
    }

    fn exit(&self) -> Exit {
        let nothing_judged = self.passed + self.failed + self.none == 0;
        let calls = match (self.failed, self.none) {
            (0, 0) if !nothing_judged => Exit::Good,
            (0, _) => Exit::Unable,
            _ => Exit::Bad,
        };
        self.exit.and(calls)
    }

    fn say(&self, settings: &VerifySettings, printer: &mut Printer) {
        use crate::cli::settings::At;
        if self.only_stale > 0 && matches!(settings.at, At::Instant(_)) {
            let calls =
                if self.only_stale == 1 { "one call is".to_owned() } else { format!("{} calls are", self.only_stale) };
            printer.note(&format!("{calls} refused only for age; `--at date` judges a call as of its own time"));
        }
        let all = self.passed + self.failed + self.none + self.idle;
        if all > 1 {
            let idle = if self.idle > 0 { format!(", {} that start no call", self.idle) } else { String::new() };
            printer.note(&format!(
                "{all} messages or headers: {} passed, {} failed, {} could not be checked{idle}",
                self.passed, self.failed, self.none
            ));
        }
    }
}
