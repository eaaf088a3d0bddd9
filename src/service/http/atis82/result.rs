//! From a verdict to the result of the interface: the cases E3 to E19, in the order of the standard's steps (F34).

use std::borrow::Cow;

use crate::number::{Identity, NumberPlan};
use crate::passport::{Destination, Party};
use crate::sip::uri::SipUri;
use crate::verify::{CheckResult, Conclusion, Error, Part, PassportReport, Verdict, Verstat};

/// What the interface answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// 200 without a reason.
    Passed,
    /// 200 with a reason.
    Result(Reason),
    /// SVC4005: the Identity value is none.
    InvalidIdentity(String),
    /// POL5000: there is nothing to judge by (H32).
    Unable,
}

/// Why a call did not pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Reason {
    pub(super) case: Option<&'static str>,
    pub(super) code: u16,
    pub(super) text: Cow<'static, str>,
    pub(super) description: String,
    pub(super) verstat: Verstat,
}

impl Reason {
    fn new(case: &'static str, code: u16, description: impl Into<String>) -> Self {
        let verstat = if matches!(case, "E17" | "E18") { Verstat::TnValidationFailed } else { Verstat::NoTnValidation };
        Self { case: Some(case), code, text: text_of(code).into(), description: description.into(), verstat }
    }

    /// E3, which is judged before everything else.
    pub(super) fn stale_time() -> Self {
        Self::new("E3", 403, "Received 'time' value is not fresh.")
    }

    /// What one PASSporT's errors come to.
    pub(super) fn of(report: &PassportReport) -> Option<Self> {
        // H30: the cases are those of a call's own PASSporT.
        if report.ppt.as_deref() == Some("rph") {
            let (error, response) = (report.error.as_ref()?, report.sip?);
            let (code, text) = (response.code, text_of(response.code).into());
            let verstat = Verstat::NoTnValidation;
            return Some(Self { case: None, code, text, description: error.to_string(), verstat });
        }
        report.errors.iter().min_by_key(|error| step(error)).or(report.error.as_ref()).map(reason_of)
    }
}

/// What the whole verdict comes to. `to` is everybody whom the request says was called.
pub(super) fn outcome(verdict: &Verdict, to: &[Identity], plan: &NumberPlan) -> Outcome {
    let decisive = verdict.decisive();
    if verdict.conclusion == Conclusion::Passed {
        let named = decisive.is_none_or(|report| names_all(report, to, plan));
        return if named { Outcome::Passed } else { Outcome::Result(mismatch("dest")) };
    }
    if let Some(report) = decisive {
        let first = report.errors.iter().min_by_key(|error| step(error)).or(report.error.as_ref());
        if let Some(Error::MalformedIdentity { part: Part::Value, reason, .. }) = first {
            return Outcome::InvalidIdentity(reason.clone());
        }
        if let Some(Error::TooManyIdentityHeaders { limit }) = first {
            return Outcome::InvalidIdentity(format!("more than {limit} of them"));
        }
        if let Some(reason) = first.map(reason_of) {
            return Outcome::Result(reason);
        }
    }
    let unchecked = |report: &PassportReport| report.check("path") == Some(CheckResult::Skip);
    if verdict.passports.iter().any(unchecked) {
        return Outcome::Unable;
    }
    // A base PASSporT in compact form, whether it could be rebuilt or not.
    let compact = |report: &PassportReport| {
        report
            .checks
            .iter()
            .any(|check| check.rule.name() == "full-form" && check.detail.to_string().starts_with("compact"))
    };
    if verdict.passports.iter().any(compact) {
        return Outcome::Result(Reason::new("E4", 438, description("E4", &Error::CompactForm)));
    }
    // Valid, but of another type.
    Outcome::Result(Reason::new("E5", 438, "'ppt' from PASSporT header is not 'shaken'."))
}

/// Where an error stands among the standard's steps: time, identity syntax, JOSE header, payload, parties, dereference,
/// certificate, signature.
fn step(error: &Error) -> usize {
    const ORDER: [&str; 17] = [
        "SVC4005", "E4", "E5", "E6", "E7", "E9", "E10", "E11", "E12", "E13", "E14", "E15", "E19", "E16", "E8", "E17",
        "E18",
    ];
    let case = error.atis82().case;
    ORDER.iter().position(|known| case == Some(known)).unwrap_or(ORDER.len())
}

fn reason_of(error: &Error) -> Reason {
    let atis = error.atis82();
    let Some(case) = atis.case else {
        let verstat = error.verstat();
        return Reason {
            case: None,
            code: atis.code,
            text: text_of(atis.code).into(),
            description: error.to_string(),
            verstat,
        };
    };
    Reason::new(case, atis.code, description(case, error))
}

/// The standard's `reasonText` of a code.
fn text_of(code: u16) -> &'static str {
    match code {
        403 => "Stale Date",
        436 => "Bad identity Info",
        437 => "Unsupported credential",
        _ => "Invalid Identity Header",
    }
}

fn description(case: &str, error: &Error) -> String {
    let fixed = match case {
        "E3" => "Received 'time' value is not fresh.",
        "E4" => "Identity header in compact form instead of required by SHAKEN spec full form.",
        "E5" | "E13" => "'ppt' from PASSporT header is not 'shaken'.",
        "E6" => "Missing 'info' parameter in the 'identity'.",
        "E7" => "Invalid 'info' URI.",
        "E8" => "Failed to dereference 'info' URI.",
        "E10" => "'x5u' from PASSporT header doesn't match the 'info' parameter of identity header value.",
        "E11" => "'typ' from PASSporT header is not 'passport'.",
        "E12" => "'alg' from PASSporT header is not 'ES256'.",
        "E15" => "'iat' from PASSporT payload is not fresh.",
        "E17" => "Failed to authenticate CA.",
        "E18" => "Signature validation failed.",
        "E19" => "'attest' claim in PASSporT is not valid.",
        _ => return particular(error),
    };
    fixed.to_owned()
}

/// The descriptions that name a claim.
fn particular(error: &Error) -> String {
    match error {
        Error::WrongType { .. } => missing_in_header("typ"),
        Error::WrongAlgorithm { .. } => missing_in_header("alg"),
        Error::X5uMismatch { .. } => missing_in_header("x5u"),
        Error::PptMismatch { .. } => missing_in_header("ppt"),
        Error::MissingClaim { claim } | Error::InvalidClaim { claim, .. } => {
            format!("Missing '{claim}' mandatory claim in PASSporT payload")
        }
        Error::OrigMismatch { .. } => mismatch("orig").description,
        Error::DestMismatch { .. } => mismatch("dest").description,
        other => other.to_string(),
    }
}

fn missing_in_header(claim: &str) -> String {
    format!("Missing '{claim}' claim in the PASSporT header.")
}

fn mismatch(claim: &str) -> Reason {
    let description =
        format!("'{claim}' claim from PASSporT payload doesn't match the received in the verification request claim.");
    Reason::new("E16", 438, description)
}

/// E16: the verifier is content with one called party; where the request names several, `dest` has all of them. What
/// came by a diversion names whom the call was for before.
fn names_all(report: &PassportReport, to: &[Identity], plan: &NumberPlan) -> bool {
    if to.len() < 2 {
        return true;
    }
    let dest = report.passport().and_then(|passport| passport.claims().dest.as_ref());
    let signed: Vec<Identity> =
        dest.map(Destination::parties).into_iter().flatten().filter_map(|party| canonical(&party, plan)).collect();
    to.iter().all(|called| signed.contains(called))
}

fn canonical(party: &Party, plan: &NumberPlan) -> Option<Identity> {
    match party {
        Party::Uri(text) => text.parse::<SipUri>().ok()?.to_identity(plan),
        other => plan.canonicalise(other.as_str()).map(Identity::Number),
    }
}
