//! From what the checks found to the verdict (RFC 8224 §6.2.1 and §6.2.2, RFC 9410, table H).

use crate::certificate::Certificate;
use crate::passport::Passport;
use crate::sip::call::{Call, CallForm};
use crate::time::UnixTime;
use crate::verify::credential_checks::Credentials;
use crate::verify::error::Error;
use crate::verify::examination::Examination;
use crate::verify::policy::{MAX_IDENTITY_HEADERS, Policy, Require};
use crate::verify::priority;
use crate::verify::rich_call_data;
use crate::verify::rules;
use crate::verify::subject::{Kind, Subject};
use crate::verify::verdict::{
    CallSummary, CheckResult, Conclusion, PassportReport, Profile, Reason, Signer, SipResponse, Status, Verdict,
    Verstat,
};

/// Draws the conclusion from all PASSporTs of a call.
pub(super) fn conclude(
    mut subjects: Vec<Subject>,
    credentials: Vec<Credentials>,
    call: &Call,
    policy: &Policy,
    now: UnixTime,
) -> Verdict {
    let kinds: Vec<Kind> = subjects.iter().map(|subject| subject.kind).collect();
    // Only a PASSporT in error is named so.
    let ppi = |subject: &Subject| (subject.examination.error().is_some()).then(|| subject.ppi()).flatten();
    let ppis: Vec<Option<String>> = subjects.iter().map(ppi).collect();
    let rich_call_data = rich_call_data::found(&mut subjects);
    let mut reports: Vec<PassportReport> =
        subjects.into_iter().zip(credentials).map(|(subject, found)| report(subject, found, policy)).collect();
    let mut whole = Examination::default();
    let overflow = call.identities.len() > MAX_IDENTITY_HEADERS;
    if overflow {
        whole.fail(rules::COUNT, Error::TooManyIdentityHeaders { limit: MAX_IDENTITY_HEADERS });
    }
    let passing = passing(&reports, &kinds, policy);
    note_agreement(&reports, &mut whole);
    let named = named(&reports, &kinds, passing);
    let priority = priority::conclude(&reports, &kinds, call, is_bound(call), &mut whole);
    let mut verdict = Verdict {
        call: CallSummary {
            call_id: call.call_id.clone(),
            from: call.asserted.first().or(call.from.as_ref()).cloned(),
            to: call.to.clone().or_else(|| call.request_uri.clone()),
            date: call.date.as_ref().and_then(|field| field.time),
        },
        conclusion: Conclusion::None,
        verstat: Verstat::NoTnValidation,
        sip: None,
        attest: named.and_then(|index| reports[index].attest),
        origid: named.and_then(|index| reports[index].origid.clone()),
        signer: named.and_then(|index| reports[index].signer.clone()),
        reasons: reasons(&reports, &ppis),
        priority,
        rich_call_data: Vec::new(),
        passports: Vec::new(),
        checks: Vec::new(),
        at: now,
        passing: None,
        deciding: None,
    };
    if overflow {
        let error = Error::TooManyIdentityHeaders { limit: MAX_IDENTITY_HEADERS };
        verdict.decide_by(&error, policy);
        verdict.deciding = Some(reports.len());
        verdict.reasons.extend(verdict.sip.map(|response| Reason { response, ppi: None }));
        reports.push(overflow_report(error, policy));
    } else if passing.is_some() && is_bound(call) {
        verdict.conclusion = Conclusion::Passed;
        verdict.verstat = Verstat::TnValidationPassed;
        verdict.passing = passing;
    } else if passing.is_none() {
        verdict.decide(&reports, &kinds, policy, &mut whole);
    }
    let doubt = if overflow {
        Some("the message has more Identity header fields than are judged")
    } else {
        (!is_bound(call)).then_some("nothing says which call it belongs to")
    };
    verdict.rich_call_data = rich_call_data::conclude(rich_call_data, &mut reports, doubt);
    verdict.checks = whole.into_checks();
    verdict.passports = reports;
    verdict
}

impl Verdict {
    /// RFC 8224 §6.2.1: the request is invalid only if no header of it is valid.
    fn decide(&mut self, reports: &[PassportReport], kinds: &[Kind], policy: &Policy, whole: &mut Examination) {
        if let Some((index, error)) = deciding_error(reports, kinds) {
            self.decide_by(error, policy);
            self.deciding = Some(index);
        } else if let Some(supported) = supported_status(reports, kinds, policy) {
            // Valid, but not of the type that the policy requires.
            whole.fail(rules::REQUIRED_PPT, Error::UnsupportedPpt { ppt: supported });
            self.conclusion = Conclusion::Failed;
        }
        // B.7: 428 only where the policy requires an Identity (F5).
        if policy.require == Require::Shaken && self.sip.is_none() && self.conclusion != Conclusion::Passed {
            self.sip = match (reports.is_empty(), reports.iter().any(|report| report.status == Status::Unchecked)) {
                (_, true) => None,
                (true, _) => Some(SipResponse::new(428, "Use Identity Header")),
                (false, _) => Some(SipResponse::new(428, "Use Supported PASSporT Format")),
            };
        }
    }

    fn decide_by(&mut self, error: &Error, policy: &Policy) {
        self.conclusion = conclusion_of(error);
        self.sip = error.sip_response(policy.profile);
        if self.conclusion == Conclusion::Failed {
            self.verstat = error.verstat();
        }
    }
}

/// What each error leads to where it decides: `none` where nothing could be judged (H3, H9, H19, H29), or what is wrong is
/// no matter of who calls (H31).
const fn conclusion_of(error: &Error) -> Conclusion {
    match error {
        Error::UnsupportedPpt { .. }
        | Error::CredentialUnavailable { .. }
        | Error::NoCallingIdentity { .. }
        | Error::DivChainIncomplete { .. }
        | Error::RichCallDataMismatch { .. } => Conclusion::None,
        _ => Conclusion::Failed,
    }
}

fn report(subject: Subject, credentials: Credentials, policy: &Policy) -> PassportReport {
    let attest = subject.attestation();
    let shaken = subject.kind == Kind::Shaken;
    let origid = subject.passport.as_ref().filter(|_| shaken).and_then(|passport| passport.claims().origid.clone());
    let error = match subject.kind {
        Kind::Unsupported => Some(Error::UnsupportedPpt { ppt: subject.ppt.clone().unwrap_or_default() }),
        _ => subject.examination.error().cloned(),
    };
    let status = match (&error, subject.kind) {
        (_, Kind::Unsupported) => Status::Unsupported,
        (Some(Error::CredentialUnavailable { .. } | Error::NoCallingIdentity { .. }), _) => Status::Unchecked,
        (Some(_), _) => Status::Invalid,
        (None, _) if subject.examination.is_incomplete() => Status::Unchecked,
        (None, _) => Status::Valid,
    };
    let (sip, atis82) = match (&error, subject.kind) {
        (_, Kind::Rph) if status == Status::Invalid => priority::responses(),
        (error, _) => {
            (error.as_ref().and_then(|error| error.sip_response(policy.profile)), error.as_ref().map(Error::atis82))
        }
    };
    let x5u = subject.header.and_then(|header| header.info);
    let signer = signer(subject.passport.as_deref(), credentials.signer, x5u);
    PassportReport {
        ppt: subject.ppt,
        status,
        sip,
        errors: subject.examination.errors(),
        atis82,
        error,
        checks: subject.examination.into_checks(),
        attest,
        origid,
        signer,
        path: credentials.path,
        passport: subject.passport,
    }
}

/// The signer as the certificate names it; without a certificate only its address is known.
fn signer(passport: Option<&Passport>, certificate: Option<Certificate>, x5u: Option<String>) -> Option<Signer> {
    let x5u = x5u.or_else(|| passport?.header().x5u.clone());
    (certificate.is_some() || x5u.is_some()).then_some(Signer { certificate, x5u })
}

fn overflow_report(error: Error, policy: &Policy) -> PassportReport {
    PassportReport {
        ppt: None,
        status: Status::Invalid,
        sip: error.sip_response(policy.profile),
        atis82: Some(error.atis82()),
        errors: vec![error.clone()],
        error: Some(error),
        checks: Vec::new(),
        attest: None,
        origid: None,
        signer: None,
        passport: None,
        path: Vec::new(),
    }
}

/// The first valid PASSporT that the policy lets a call pass by: shaken before base. A diversion attests nothing (F26).
fn passing(reports: &[PassportReport], kinds: &[Kind], policy: &Policy) -> Option<usize> {
    let valid = |kind: Kind| move |index: &usize| kinds[*index] == kind && reports[*index].status == Status::Valid;
    let shaken = (0..reports.len()).find(valid(Kind::Shaken));
    match policy.require {
        Require::Shaken => shaken,
        Require::Any => shaken.or_else(|| (0..reports.len()).find(valid(Kind::Base))),
    }
}

/// The PASSporT that gives `attest` and `signer`: the passing one, else the first shaken one, else the first read.
fn named(reports: &[PassportReport], kinds: &[Kind], passing: Option<usize>) -> Option<usize> {
    let shaken =
        || (0..reports.len()).find(|index| kinds[*index] == Kind::Shaken && reports[*index].passport.is_some());
    let read = |is_rph: bool| {
        let is_such = move |index: &usize| (kinds[*index] == Kind::Rph) == is_rph && reports[*index].passport.is_some();
        (0..reports.len()).find(is_such)
    };
    passing.or_else(shaken).or_else(|| read(false)).or_else(|| read(true))
}

/// The error that decides when nothing is valid: of a PASSporT that says who calls before a diversion's, a failure
/// before a lack of means, and then the first in header order. One for the call's priority decides nothing (H30), one for
/// rich call data only where there is nothing else (H31).
fn deciding_error<'a>(reports: &'a [PassportReport], kinds: &[Kind]) -> Option<(usize, &'a Error)> {
    let is_alone = kinds.iter().all(|kind| matches!(kind, Kind::Rcd | Kind::Rph));
    let errors = reports.iter().enumerate().filter_map(|(index, report)| Some((index, report.error.as_ref()?)));
    let errors = errors.filter(|(index, _)| match kinds[*index] {
        Kind::Rph => false,
        Kind::Rcd => is_alone,
        _ => true,
    });
    errors.min_by_key(|(index, error)| (conclusion_of(error) != Conclusion::Failed, kinds[*index] == Kind::Div))
}

/// The type of a PASSporT that is valid and yet not what the policy requires.
fn supported_status(reports: &[PassportReport], kinds: &[Kind], policy: &Policy) -> Option<String> {
    let is_valid = |index: &usize| reports[*index].status == Status::Valid && kinds[*index] != Kind::Rcd;
    let valid = &reports[(0..reports.len()).find(is_valid)?];
    (policy.require == Require::Shaken).then(|| valid.ppt.clone().unwrap_or_default())
}

/// Whether the call's parties are known: a token that nothing binds to a call cannot make the call pass.
fn is_bound(call: &Call) -> bool {
    let caller = call.from.is_some() || !call.asserted.is_empty();
    let called = call.to.is_some() || call.request_uri.is_some();
    call.form != CallForm::Bare || (caller && called)
}

/// E23: each PASSporT in error gets its own Reason, named by its compact form.
fn reasons(reports: &[PassportReport], ppis: &[Option<String>]) -> Vec<Reason> {
    let pairs = reports.iter().zip(ppis);
    pairs.filter_map(|(report, ppi)| Some(Reason { response: report.sip?, ppi: ppi.clone() })).collect()
}

/// Several valid shaken PASSporTs that say different things: the first decides, and the difference is shown.
fn note_agreement(reports: &[PassportReport], whole: &mut Examination) {
    let valid = |report: &&PassportReport| report.status == Status::Valid && report.ppt.as_deref() == Some("shaken");
    let mut valid = reports.iter().filter(valid);
    let Some(first) = valid.next() else { return };
    let spc = |report: &PassportReport| report.signer.as_ref().and_then(Signer::spc).map(str::to_owned);
    let mut others = 0;
    for other in valid {
        others += 1;
        if other.attest != first.attest || spc(other) != spc(first) {
            let shown = |r: &PassportReport| {
                let attest = r.attest.map_or("-", crate::passport::Attestation::as_str);
                format!("{attest} by {}", spc(r).unwrap_or_else(|| "a signer without SPC".to_owned()))
            };
            whole.warn(rules::AGREEMENT, format!("the first says {}, another {}", shown(first), shown(other)));
            return;
        }
    }
    if others > 0 {
        whole.pass(rules::AGREEMENT, "");
    }
}

impl Profile {
    /// Its name in the output and on the command line: `rfc` or `atis`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Atis => "atis",
        }
    }
}

impl PassportReport {
    /// What came of the check `name`; `None` where it was not made. Of several with that name, the worst.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<CheckResult> {
        let rank = |result: &CheckResult| match result {
            CheckResult::Fail => 3,
            CheckResult::Warn => 2,
            CheckResult::Skip => 1,
            CheckResult::Pass => 0,
        };
        self.checks.iter().filter(|check| check.rule.name() == name).map(|check| check.result).max_by_key(rank)
    }

    /// The token in full form, where it could be read.
    #[must_use]
    pub fn passport(&self) -> Option<&Passport> {
        self.passport.as_deref()
    }
}
