//! A verdict as people read it: what to believe first, then why, then what to do.

use crate::cli::captures::Captured;
use crate::cli::caret::Caret;
use crate::cli::recorded::Recorded;
use crate::cli::shown_value::{attestation_meaning, priorities_meaning};
use crate::cli::text::{Text, Tone};
use crate::cli::verify::Judged;
use crate::number::Identity;
use crate::sip::call::CallForm;
use crate::verify::{
    Check, CheckResult, Conclusion, Error, PassportReport, PathElement, Priority, PriorityVerstat, RichCallDataStatus,
    Status,
};

/// Prints one verdict.
pub(crate) struct VerdictText<'a> {
    judged: &'a Judged<'a>,
}

impl<'a> VerdictText<'a> {
    /// Of this one.
    pub(crate) const fn new(judged: &'a Judged<'a>) -> Self {
        Self { judged }
    }

    /// Prints it; of a capture or the lake a line is enough, unless everything is asked for.
    pub(crate) fn print(&self, text: &mut Text) {
        if !self.judged.settings.verbose {
            if let Some(captured) = &self.judged.captured {
                self.line(text);
                return self.captured(captured, text);
            }
            if let Some(recorded) = &self.judged.recorded {
                self.line(text);
                return self.recorded(recorded, text);
            }
        }
        self.headline(text);
        self.call(text);
        let reports = &self.judged.verdict.passports;
        for (index, report) in reports.iter().enumerate() {
            if reports.len() > 1 {
                self.report_headline(report, index, text);
            }
            self.why(report, index, text);
            self.signed(report, text);
            self.signer(report, text);
            certificates(report, text);
            self.rich_call_data(report, index, text);
            self.checks(&report.checks, report.error.as_ref(), text);
        }
        self.checks(&self.judged.verdict.checks, None, text);
        self.reply(text);
        self.next(text);
        text.end();
    }

    fn line(&self, text: &mut Text) {
        let verdict = &self.judged.verdict;
        let (tone, word) = conclusion(verdict.conclusion);
        let party = |party: &Option<Identity>| party.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        let attest = verdict.attest.map_or_else(|| "-".to_owned(), |attest| attest.to_string());
        text.put(tone, format_args!("{word:<10}")).put(Tone::Strong, format_args!("  {attest}  "));
        text.put(Tone::Strong, format_args!("{:>11} → {:<11}", party(&verdict.call.from), party(&verdict.call.to)));
        if let Some(signer) = &verdict.signer {
            let name = signer.name().unwrap_or("?");
            text.plain(format_args!("  {name}"));
            if let Some(spc) = signer.spc() {
                text.put_legible(Tone::Plain, format_args!(" ({spc})"));
            }
        } else if self.judged.call.identities.is_empty() {
            text.plain("  no Identity");
        }
        if let Some(error) = verdict.error() {
            text.put(tone, format_args!("  {}", error.kind()));
        }
    }

    fn recorded(&self, recorded: &Recorded, text: &mut Text) {
        text.put_legible(Tone::Faint, format_args!("  {}", recorded.origin().unwrap_or("?")));
        text.put_legible(Tone::Faint, format_args!(" → {}", recorded.network()));
        text.put_legible(Tone::Faint, format_args!("  {}", self.judged.source));
        text.put_legible(Tone::Faint, format_args!("  {}", recorded.time()));
        text.end();
    }

    fn captured(&self, captured: &Captured, text: &mut Text) {
        text.put_legible(Tone::Faint, format_args!("  {} → {}", captured.source(), captured.destination()));
        text.put_legible(Tone::Faint, format_args!("  {}", self.judged.source));
        if let Some(time) = captured.time() {
            text.put_legible(Tone::Faint, format_args!("  {time}"));
        }
        if let Some(words) = captured.repeat_words() {
            text.put_legible(Tone::Faint, format_args!("  {words}"));
        }
        text.end();
    }

    fn headline(&self, text: &mut Text) {
        let verdict = &self.judged.verdict;
        let (tone, word) = conclusion(verdict.conclusion);
        text.put(tone, word).plain("  ").put(Tone::Strong, verdict.verstat);
        if let Some(sip) = &verdict.sip {
            text.plain("  ").put(Tone::Strong, sip);
        }
        text.put(Tone::Faint, format_args!("  {}", self.judged.source)).end();
    }

    fn call(&self, text: &mut Text) {
        let call = &self.judged.verdict.call;
        if call.from.is_none() && call.to.is_none() && call.call_id.is_none() && call.date.is_none() {
            let why = match self.judged.call.form {
                CallForm::Bare => "an Identity header without its message: who calls whom is unknown",
                CallForm::Message => "the message names neither caller nor called",
            };
            return text.field("call", why);
        }
        let party = |party: Option<&Identity>| party.map_or_else(|| "?".to_owned(), ToString::to_string);
        text.name("call").put(Tone::Strong, party(call.from.as_ref())).plain(" → ");
        text.put(Tone::Strong, party(call.to.as_ref()));
        if let Some(date) = call.date {
            text.plain(format_args!("  {date}"));
        }
        if let Some(call_id) = &call.call_id {
            text.put(Tone::Faint, format_args!("  {call_id}"));
        }
        text.end();
        if self.judged.call.identities.is_empty() {
            text.field("identity", "none: nobody signed this call");
        }
        if let Some(priority) = &self.judged.verdict.priority {
            print_priority(priority, text);
        }
    }

    fn report_headline(&self, report: &PassportReport, index: usize, text: &mut Text) {
        let (tone, mark) = match report.status {
            Status::Valid => (Tone::Good, "✓"),
            Status::Invalid => (Tone::Bad, "✗"),
            Status::Unsupported | Status::Unchecked => (Tone::Doubt, "-"),
        };
        let line = self.judged.call.identities.get(index).and_then(|field| field.line);
        let line = line.map_or_else(String::new, |line| format!("  line {line}"));
        text.plain("  ").put(tone, mark).put(Tone::Strong, format_args!(" Identity {}", index + 1));
        text.plain(format_args!(": {}, {}", report.ppt.as_deref().unwrap_or("no ppt"), report.status));
        text.put(Tone::Faint, line).end();
    }

    /// The error that decided, with the place of it.
    fn why(&self, report: &PassportReport, index: usize, text: &mut Text) {
        let Some(error) = &report.error else { return };
        text.name("why").put(Tone::Bad, error.kind()).plain(format_args!(": {error}")).end();
        if let Some(field) = self.judged.call.identities.get(index) {
            Caret::new(&field.value, error.offset()).print(text);
        }
    }

    fn signed(&self, report: &PassportReport, text: &mut Text) {
        let Some(passport) = &report.passport else { return };
        let claims = passport.claims();
        match &claims.attest {
            Some(attest) => {
                text.name("signed").put(Tone::Strong, attest).plain(attestation_meaning(attest)).end();
            }
            None if claims.rph.is_some() => text.field("signed", priorities_meaning(claims)),
            None => text.field("signed", "attests nothing"),
        }
        let orig = claims.orig.as_ref().map_or("?", |party| party.as_str());
        let dest: Vec<_> =
            claims.dest.iter().flat_map(|dest| dest.parties()).map(|party| party.as_str().to_owned()).collect();
        let dest = if dest.is_empty() { "?".to_owned() } else { dest.join(", ") };
        text.name("").plain(format_args!("{orig} → {dest}"));
        if let Some(div) = &claims.div {
            text.plain(format_args!(", diverted from {}", div.as_str()));
        }
        if let Some(iat) = claims.iat {
            let age = age(self.judged.verdict.at.seconds_since(iat));
            text.plain(format_args!("  {iat}")).put(Tone::Faint, format_args!(" ({age})"));
        }
        text.end();
        if let Some(origid) = &claims.origid {
            text.name("").put(Tone::Faint, "origid ").plain(origid).end();
        }
    }

    fn signer(&self, report: &PassportReport, text: &mut Text) {
        let Some(signer) = &report.signer else { return };
        let is_known = signer.spc().is_some() || signer.name().is_some();
        if is_known {
            text.name("signer");
            if report.status != Status::Valid {
                text.put(Tone::Doubt, "claims to be ");
            }
            text.put(Tone::Strong, signer.name().unwrap_or("(no name)"));
            match signer.spc() {
                Some(spc) => text.plain(", SPC ").put(Tone::Strong, spc),
                None => text.plain(", no SPC"),
            };
            text.end();
        }
        if let Some(x5u) = signer.x5u() {
            text.name("certificate").put(Tone::Name, x5u).end();
            if let Some(origin) = self.judged.fetched.iter().find(|origin| origin.url() == x5u) {
                text.name("").put(Tone::Faint, origin).end();
            }
        }
    }

    /// What it says of its caller, marked by whether that may be shown.
    fn rich_call_data(&self, report: &PassportReport, passport: usize, text: &mut Text) {
        let mut all = self.judged.verdict.rich_call_data.iter();
        let Some(own) = all.find(|own| own.passport == passport) else { return };
        let (tone, mark, word) = match own.status {
            RichCallDataStatus::Verified => (Tone::Good, "✓", "verified"),
            RichCallDataStatus::Failed => (Tone::Bad, "✗", "not to be shown"),
            _ => (Tone::Doubt, "-", "not checked"),
        };
        text.name("rich call").put(tone, mark).put(Tone::Strong, format_args!(" {word}"));
        if let Some(reason) = &own.reason {
            let reason = if report.error.is_some() { "see why" } else { reason };
            text.plain(format_args!(": {reason}"));
        }
        text.end();
        let lines = [
            ("name", &own.name),
            ("number", &own.alternate_number),
            ("reason", &own.call_reason),
            ("picture", &own.icon),
            ("card", &own.card),
        ];
        for (what, words) in lines {
            if let Some(words) = words {
                text.name("").put(Tone::Faint, format_args!("{what:<7} ")).plain(words).end();
            }
        }
    }

    /// Those that passed are counted unless all are asked for; what `why` said already is not said again.
    fn checks(&self, checks: &[Check], told: Option<&Error>, text: &mut Text) {
        let told = told.map(ToString::to_string);
        let passed = checks.iter().filter(|check| check.result == CheckResult::Pass).count();
        let mut name = "checks";
        if passed > 0 && !self.judged.settings.verbose {
            let word = if passed == 1 { "check" } else { "checks" };
            text.name(name).put(Tone::Good, "✓ ").plain(format_args!("{passed} {word} passed")).end();
            name = "";
        }
        for check in checks.iter().filter(|check| self.judged.settings.verbose || check.result != CheckResult::Pass) {
            let (tone, mark) = match check.result {
                CheckResult::Pass => (Tone::Good, "✓"),
                CheckResult::Warn => (Tone::Doubt, "!"),
                CheckResult::Fail => (Tone::Bad, "✗"),
                CheckResult::Skip => (Tone::Faint, "-"),
            };
            text.name(name).put(tone, mark).plain(format_args!(" {:<CHECK_WIDTH$} ", check.rule.name()));
            let detail = check.detail.to_string();
            let shown = match check.rule.name() {
                _ if told.as_ref() == Some(&detail) => "see why",
                "rich-call-data" if check.result != CheckResult::Pass => "see rich call",
                _ => &detail,
            };
            text.plain(shown).put(Tone::Faint, format_args!("  [{}]", check.rule.clause())).end();
            name = "";
        }
    }

    /// What a switch would say about it.
    fn reply(&self, text: &mut Text) {
        let verdict = &self.judged.verdict;
        let mut name = "send";
        if let Some(sip) = &verdict.sip {
            text.field(name, format_args!("{sip}, to reject the call; to let it go on:"));
            name = "";
        }
        for reason in &verdict.reasons {
            text.field(name, format_args!("Reason: {reason}"));
            name = "";
        }
    }

    fn next(&self, text: &mut Text) {
        for advice in self.advice() {
            text.name("next").put(Tone::Name, "→ ").plain(advice).end();
        }
    }

    fn advice(&self) -> Vec<String> {
        let verdict = &self.judged.verdict;
        let mut advice = Vec::new();
        if self.judged.is_only_stale() && !self.judged.settings.at.is_date() {
            advice.push("only its age speaks against it: `--at date` judges it as of the call".to_owned());
        }
        if !self.judged.settings.fetch_rich_call_data && verdict.missing_resources().next().is_some() {
            advice.push("get what the rich call data names: --fetch --fetch-rich-call-data".to_owned());
        }
        for report in &verdict.passports {
            let words = report.error.as_ref().and_then(|error| self.advice_for(error));
            advice.extend(words.filter(|words| !advice.contains(words)));
        }
        let lacks_parties = self.judged.call.from.is_none() || self.judged.call.to.is_none();
        if self.judged.call.form == CallForm::Bare && lacks_parties && verdict.conclusion == Conclusion::None {
            advice.push("say who called whom: --from TN --to TN".to_owned());
        }
        advice
    }

    fn advice_for(&self, error: &Error) -> Option<String> {
        let words = match error {
            Error::UntrustedPath { .. } if self.judged.settings.trust.is_empty() => {
                "name the trusted roots: --trust PATH"
            }
            Error::UntrustedPath { .. } => {
                "if the signer is known to be good, see `stirtrace certificate path` for where the path breaks"
            }
            Error::MalformedIdentity { .. } => {
                "compare the header with the message as the switch sent it; a copy may have cut or folded it"
            }
            Error::CertificateRevoked { .. } | Error::CertificateExpired { .. }
                if !self.judged.settings.at.is_date() =>
            {
                "if the call is an old one, `--at date` judges it as of the call"
            }
            Error::X5uMismatch { .. } => {
                "the certificate moved, or somebody changed the header: ask the signer which URL is right"
            }
            Error::PriorityMismatch { .. } => {
                "take Resource-Priority off the call, or ask whoever hands it over why it is another one than was signed"
            }
            Error::PriorityNotAuthorized { .. } => {
                "take Resource-Priority off the call; if the signer may authorise it, name it with --rph-signer SPC=NAMESPACE"
            }
            Error::NoCallingIdentity { .. } => {
                "look for the caller in P-Asserted-Identity before it was made anonymous"
            }
            _ => return None,
        };
        Some(words.to_owned())
    }
}

/// What becomes of Resource-Priority (E9).
fn print_priority(priority: &Priority, text: &mut Text) {
    let tone = match priority.verstat {
        PriorityVerstat::RphValidationPassed => Tone::Good,
        PriorityVerstat::RphValidationFailed => Tone::Bad,
        _ => Tone::Doubt,
    };
    let list = |values: Vec<String>| if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    let authorized = list(priority.authorized.iter().map(ToString::to_string).collect());
    text.name("priority").put(tone, priority.verstat);
    text.plain(format_args!("  authorised: {authorized}; asked for: {}", list(priority.requested.clone())));
    if priority.callback {
        text.plain("; calls back an emergency caller");
    }
    text.end();
    if priority.is_to_be_stripped() {
        text.name("").put(Tone::Name, "→ ").plain("strip Resource-Priority, and treat it as an ordinary call").end();
    }
}

const fn conclusion(conclusion: Conclusion) -> (Tone, &'static str) {
    match conclusion {
        Conclusion::Passed => (Tone::Good, "PASSED"),
        Conclusion::Failed => (Tone::Bad, "FAILED"),
        Conclusion::None => (Tone::Doubt, "NO VERDICT"),
    }
}

/// How wide the column of check names is; the longest is `certificate-profile`.
const CHECK_WIDTH: usize = 19;

fn certificates(report: &PassportReport, text: &mut Text) {
    let subjects: Vec<String> = report.path.iter().map(PathElement::subject).collect();
    let width = |subject: &String| subject.chars().count();
    let Some(widest) = subjects.iter().map(width).max() else { return };
    for (element, subject) in report.path.iter().zip(&subjects) {
        let padding = " ".repeat(widest.min(MAX_SUBJECT).saturating_sub(width(subject)));
        text.name("").plain(format_args!("{subject}{padding}"));
        text.put(Tone::Faint, format_args!("  {} to {}", day(element.not_before()), day(element.not_after()))).end();
    }
}

const MAX_SUBJECT: usize = 70;

fn day(instant: crate::time::UnixTime) -> String {
    let text = instant.to_string();
    text.split_once('T').map_or_else(|| text.clone(), |(day, _)| day.to_owned())
}

/// How long before or after the instant judged, in the largest unit that says enough.
fn age(seconds: i64) -> String {
    let length = seconds.unsigned_abs();
    let shown = match length {
        0 => return "at the instant judged".to_owned(),
        1..=119 => format!("{length} s"),
        120..=7_199 => format!("{} min", length / 60),
        7_200..=172_799 => format!("{} h", length / 3_600),
        _ => format!("{} days", length / 86_400),
    };
    if seconds > 0 { format!("{shown} before") } else { format!("{shown} AFTER the instant judged") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_says_enough() {
        for (seconds, words) in [
            (0, "at the instant judged"),
            (3, "3 s before"),
            (-61, "61 s AFTER the instant judged"),
            (7_199, "119 min before"),
            (90_000, "25 h before"),
            (i64::MIN, "106751991167300 days AFTER the instant judged"),
        ] {
            assert_eq!(age(seconds), words);
        }
    }
}
