//! What becomes of a call after its verdict: continued as it is, tagged, or rejected (RFC 8224 §6.2.2, RFC 9410,
//! ATIS-1000074 §5.3; table H, F6, F9).
//!
//! Nothing is rejected unless the configuration asks for it: by default a call continues with what was found out about
//! it. Every treatment says which rule it comes from.

mod conditions;
mod peer;
mod reader;

use serde::Serialize;

use crate::passport::Attestation;
use crate::sip::call::Call;
use crate::verify::{
    CheckResult, Conclusion, Error, PassportReport, Priority, PriorityVerstat, SipResponse, Verdict, Verstat,
};

pub use conditions::Conditions;
pub use peer::{Peer, PeerManner};

/// `[service.treatment]`: how calls are treated, and those of some peers otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TreatmentSettings {
    /// For everybody.
    pub general: Manner,
    /// For peers by the address that calls come from, of several that fit the one with the longest prefix; and for
    /// clients that show who they are by that, wherever they are.
    pub peers: Vec<PeerManner>,
}

/// How calls are treated.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Manner {
    /// In order; the first that fits decides.
    pub rules: Vec<TreatmentRule>,
    /// What happens to calls that no rule fits.
    pub otherwise: Action,
    /// Whether calls without Identity are rejected, by 428 (H2; F5 advises against it until all calls must be signed).
    pub require_identity: bool,
    /// Whether calls that name no caller are rejected, by 433 (H19; RFC 5079).
    pub reject_anonymous: bool,
    /// What a PASSporT says that was signed for somebody else than the call is for, all else being right (F24).
    pub diverted: Diverted,
    /// How `verstat` is spelled.
    pub verstat: VerstatForm,
    /// What errors are reported as (E21, E25).
    pub reason: ReasonProtocol,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Action::Tag,
            require_identity: false,
            reject_anonymous: false,
            diverted: Diverted::Failed,
            verstat: VerstatForm::Plain,
            reason: ReasonProtocol::Stir,
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TreatmentRule {
    /// What it asks of a verdict.
    pub conditions: Conditions,
    /// What happens to such calls.
    pub action: Action,
    /// With which code and phrase they are rejected; none for those of table H.
    pub response: Option<Rejection>,
}

impl TreatmentRule {
    /// A rule.
    #[must_use]
    pub const fn new(conditions: Conditions, action: Action, response: Option<Rejection>) -> Self {
        Self { conditions, action, response }
    }
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// It continues as it is, with nothing added.
    Continue,
    /// It is rejected.
    Reject,
    /// It continues with what was found out.
    #[default]
    Tag,
}

/// What a PASSporT is worth whose `dest` is neither To nor the Request-URI, all else being right (F24).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Diverted {
    /// It is in error, like others (H18).
    #[default]
    Failed,
    /// The caller's number is validated; the call is marked as diverted without proof.
    Passed,
    /// Nothing is said of the caller's number; the call is marked, and no rule rejects it.
    Unverified,
}

/// How `verstat` is spelled (F9).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerstatForm {
    /// `TN-Validation-Passed`
    #[default]
    Plain,
    /// `TN-Validation-Passed-A`, where something attests.
    WithAttestation,
}

/// The protocol of Reason fields.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReasonProtocol {
    /// No such field.
    None,
    /// `Reason: SIP ;cause=436`, as before RFC 9410 (E25).
    Sip,
    /// `Reason: STIR ;cause=436` (RFC 9410).
    #[default]
    Stir,
}

/// A final response.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// 400 to 699.
    pub code: u16,
    /// The phrase.
    #[serde(rename = "reason")]
    pub phrase: String,
}

impl Rejection {
    /// A response with its phrase; the standard's where none is given.
    #[must_use]
    pub fn new(code: u16, phrase: Option<&str>) -> Self {
        Self { code, phrase: phrase.unwrap_or_else(|| phrase_of(code)).to_owned() }
    }
}

/// What becomes of one call. It serialises as the member `treatment` of `POST /v1/verify`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct Treatment {
    /// Continued, tagged or rejected.
    pub action: Action,
    /// The response that rejects it.
    #[serde(rename = "response")]
    pub rejection: Option<Rejection>,
    /// Whether the settings name that response, rather than table H.
    #[serde(skip)]
    pub own_response: bool,
    /// The value of `verstat`; none where nothing is added.
    pub verstat: Option<String>,
    /// The attestation to pass on: only of calls that passed.
    pub attest: Option<Attestation>,
    /// The origination identifier to pass on, likewise.
    pub origid: Option<String>,
    /// Whether the call was diverted without proof (F24).
    pub diverted: bool,
    /// What became of the call's priority; none where it has none, or nothing is added.
    pub priority: Option<PriorityVerstat>,
    /// The header fields to be taken off the call: Resource-Priority, where nobody may authorise it (E9).
    pub strip: Vec<&'static str>,
    /// The values of Reason fields (E22, E23).
    pub reasons: Vec<String>,
    /// Which rule decided, for logs and for whoever asks.
    pub because: String,
}

impl TreatmentSettings {
    /// How a peer's calls are treated, and what the peer is called.
    #[must_use]
    pub fn manner(&self, peer: Peer<'_>) -> (&Manner, Option<&str>) {
        // The first of those that fit equally well.
        let fitting = self.peers.iter().rev().filter_map(|own| Some((own.fit(peer)?, own)));
        match fitting.max_by_key(|(fit, _)| *fit) {
            Some((_, own)) => (&own.manner, Some(own.name.as_deref().unwrap_or("without a name"))),
            None => (&self.general, None),
        }
    }

    /// What becomes of a call with this verdict that this peer handed over.
    pub fn treat(&self, call: &Call, verdict: &Verdict, peer: Peer<'_>) -> Treatment {
        let (manner, peer) = self.manner(peer);
        let mut treatment = manner.treat(call, verdict);
        if let Some(peer) = peer {
            treatment.because = format!("peer {peer}: {}", treatment.because);
        }
        treatment
    }
}

impl Manner {
    /// What becomes of a call with this verdict.
    pub fn treat(&self, call: &Call, verdict: &Verdict) -> Treatment {
        if self.reject_anonymous && call.from.is_none() && call.asserted.is_empty() {
            // RFC 5079 §4.
            let because = "reject_anonymous: neither P-Asserted-Identity nor From names a caller";
            let rejected = self.rejected(verdict, Rejection::new(433, None), because.to_owned());
            return Treatment { own_response: true, ..rejected };
        }
        if self.require_identity && call.identities.is_empty() {
            // RFC 8224 §6.2.2.
            let because = "require_identity: the call has no Identity header".to_owned();
            let rejected = self.rejected(verdict, Rejection::new(428, None), because);
            return Treatment { own_response: true, ..rejected };
        }
        let diverted = is_diverted(verdict);
        if diverted && self.diverted != Diverted::Failed {
            return self.diverted(verdict);
        }
        let fitting =
            self.rules.iter().enumerate().find_map(|(index, rule)| Some((index, rule, rule.conditions.fit(verdict)?)));
        let treatment = match fitting {
            None if self.otherwise == Action::Reject => self.rejected(
                verdict,
                usual_rejection(call, verdict),
                "no rule fits, and others are rejected".to_owned(),
            ),
            None => self.continued(verdict, self.otherwise, "no rule fits".to_owned()),
            Some((index, rule, fit)) => {
                let because = format!("rule {} ({fit})", index + 1);
                match rule.action {
                    Action::Reject => {
                        let response = rule.response.clone().unwrap_or_else(|| usual_rejection(call, verdict));
                        let own_response = rule.response.is_some();
                        Treatment { own_response, ..self.rejected(verdict, response, because) }
                    }
                    action => self.continued(verdict, action, because),
                }
            }
        };
        Treatment { diverted, ..treatment }
    }

    fn rejected(&self, verdict: &Verdict, rejection: Rejection, because: String) -> Treatment {
        Treatment {
            action: Action::Reject,
            rejection: Some(rejection),
            because: format!("{because}: reject"),
            ..self.tagged(verdict, verdict.verstat)
        }
    }

    fn continued(&self, verdict: &Verdict, action: Action, because: String) -> Treatment {
        if action == Action::Tag {
            return Treatment { because: format!("{because}: tag"), ..self.tagged(verdict, verdict.verstat) };
        }
        let nothing = Treatment {
            verstat: None,
            attest: None,
            origid: None,
            priority: None,
            strip: Vec::new(),
            reasons: Vec::new(),
            ..self.tagged(verdict, verdict.verstat)
        };
        Treatment { action, because: format!("{because}: continue"), ..nothing }
    }

    /// F24: the base result may stand, marked, because a token of another call may be behind it.
    fn diverted(&self, verdict: &Verdict) -> Treatment {
        let (verstat, word) = match self.diverted {
            Diverted::Passed => (Verstat::TnValidationPassed, "passed"),
            Diverted::Failed | Diverted::Unverified => (Verstat::NoTnValidation, "unverified"),
        };
        let because = format!("diverted = \"{word}\": signed for somebody else, and right in all else: tag");
        Treatment { diverted: true, because, ..self.tagged(verdict, verstat) }
    }

    fn tagged(&self, verdict: &Verdict, verstat: Verstat) -> Treatment {
        let believed = verstat == Verstat::TnValidationPassed;
        let attest = verdict.attest.filter(|_| believed);
        let priority = verdict.priority.as_deref();
        // RFC 8443 §4.2.
        let is_to_be_stripped = priority.is_some_and(Priority::is_to_be_stripped);
        Treatment {
            action: Action::Tag,
            rejection: None,
            own_response: false,
            verstat: Some(self.verstat.spell(verstat, attest)),
            attest,
            origid: verdict.origid.clone().filter(|_| believed),
            diverted: false,
            priority: priority.map(|own| own.verstat),
            strip: is_to_be_stripped.then_some(RESOURCE_PRIORITY).into_iter().collect(),
            reasons: self.reason.values(verdict),
            because: String::new(),
        }
    }
}

impl VerstatForm {
    /// The value of `verstat`.
    #[must_use]
    pub fn spell(self, verstat: Verstat, attest: Option<Attestation>) -> String {
        match (self, verstat, attest) {
            (Self::WithAttestation, Verstat::TnValidationPassed, Some(attest)) => format!("{verstat}-{attest}"),
            _ => verstat.to_string(),
        }
    }
}

impl ReasonProtocol {
    /// The values of Reason fields that a verdict gives, one for each PASSporT in error.
    #[must_use]
    pub fn values(self, verdict: &Verdict) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Stir => verdict.reasons.iter().map(ToString::to_string).collect(),
            // E25: that form knows no ppi, and RFC 3326 one value of a protocol.
            Self::Sip => {
                let first = verdict.sip.or_else(|| verdict.reasons.first().map(|reason| reason.response));
                first
                    .map(|response| format!("SIP ;cause={} ;text=\"{}\"", response.code, response.phrase))
                    .into_iter()
                    .collect()
            }
        }
    }
}

/// Whether all that is wrong is that the PASSporT was signed for somebody else (H18), with a chain that does not lead
/// here or none (H29).
fn is_diverted(verdict: &Verdict) -> bool {
    let only_elsewhere = |report: &PassportReport| {
        matches!(report.error, Some(Error::DestMismatch { .. }))
            && report.ppt.as_deref() == Some("shaken")
            && report.checks.iter().all(|check| check.result != CheckResult::Fail || check.rule.name() == DEST)
            && report.check(SIGNATURE) == Some(CheckResult::Pass)
    };
    verdict.conclusion == Conclusion::Failed && verdict.passports.iter().any(only_elsewhere)
}

/// The column of table H; where it has no code, what RFC 8224 §6.2.2, RFC 5079 and RFC 3261 §21.4.4 have.
fn usual_rejection(call: &Call, verdict: &Verdict) -> Rejection {
    let by_table = |response: SipResponse| Rejection::new(response.code, Some(response.phrase));
    let has_means = |error: &Error| !matches!(error, Error::UnsupportedPpt { .. });
    match (verdict.sip, verdict.decisive().and_then(|report| report.error.as_ref())) {
        (Some(response), _) => by_table(response),
        (None, Some(Error::NoCallingIdentity { .. })) => Rejection::new(433, None),
        (None, None) if call.identities.is_empty() => Rejection::new(428, None),
        (None, Some(error)) if !has_means(error) => Rejection::new(428, Some("Use Supported PASSporT Format")),
        (None, _) => Rejection::new(403, None),
    }
}

fn phrase_of(code: u16) -> &'static str {
    match code {
        403 => "Forbidden",
        428 => "Use Identity Header",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        503 => "Service Unavailable",
        603 => "Decline",
        607 => "Unwanted",
        608 => "Rejected",
        400..=499 => "Rejected",
        _ => "Declined",
    }
}

const RESOURCE_PRIORITY: &str = "Resource-Priority";

/// The checks of table H's rows 18 and 26.
const DEST: &str = "dest-matches";
const SIGNATURE: &str = "signature";

#[cfg(test)]
mod tests;
