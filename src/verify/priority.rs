//! The call's priority: what `rph` PASSporTs authorise of what Resource-Priority asks for (RFC 8443 §4.2, RFC 9027 §4;
//! E8 to E12, H30).
//!
//! Such a PASSporT speaks for the priority alone. Whatever becomes of it, who calls is judged by the others.

use std::fmt;

use serde::Serialize;

use crate::certificate::Certificate;
use crate::passport::{Claims, EMERGENCY_NAMESPACE, PSAP_CALLBACK, ResourcePriority, namespace};
use crate::sip::call::{Call, CallForm};
use crate::verify::error::Error;
use crate::verify::examination::Examination;
use crate::verify::policy::{Policy, PrioritySigners};
use crate::verify::rules;
use crate::verify::subject::{Kind, Subject};
use crate::verify::verdict::{Atis82, PassportReport, SipResponse, Status};

/// What became of a call's priority.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Priority {
    /// What a terminating network is told (TS 24.229 Annex V; F32).
    pub verstat: PriorityVerstat,
    /// What Resource-Priority asks for, as far as the signalling is known.
    pub requested: Vec<String>,
    /// What valid `rph` PASSporTs authorise.
    pub authorized: Vec<ResourcePriority>,
    /// Whether a valid one says that an emergency call is called back (RFC 9027).
    pub callback: bool,
}

impl Priority {
    /// Whether Resource-Priority should be taken off the call, which then goes on as an ordinary one (E9).
    #[must_use]
    pub fn is_to_be_stripped(&self) -> bool {
        self.verstat == PriorityVerstat::RphValidationFailed
    }
}

/// The values of `verstatPriority` (TS 24.229 Annex V; F32).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum PriorityVerstat {
    /// `No-RPH-Validation`: nobody signed the priority, or it could not be checked, or not held against the call's.
    NoRphValidation,
    /// `RPH-Validation-Failed`
    RphValidationFailed,
    /// `RPH-Validation-Passed`: all that the call asks for is signed by whom it may be.
    RphValidationPassed,
}

impl PriorityVerstat {
    /// The value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRphValidation => "No-RPH-Validation",
            Self::RphValidationFailed => "RPH-Validation-Failed",
            Self::RphValidationPassed => "RPH-Validation-Passed",
        }
    }
}

impl fmt::Display for PriorityVerstat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for PriorityVerstat {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Subject {
    /// What the claims of an `rph` PASSporT say against each other and against the signalling.
    pub(super) fn check_priority(&mut self, claims: &Claims, call: &Call) {
        if let Some(sph) = claims.sph.as_deref() {
            self.check_callback(sph, claims, call);
        }
        if let Some(signed) = claims.rph.as_deref() {
            self.check_requested(signed, call);
        }
    }

    // RFC 9027 §4: one value, with esnet, and as Priority has it (E10).
    fn check_callback(&mut self, sph: &str, claims: &Claims, call: &Call) {
        let invalid = |reason: String| Error::InvalidClaim { claim: "sph".to_owned(), reason };
        let mut namespaces = claims.rph.iter().flatten().map(ResourcePriority::namespace);
        if sph != PSAP_CALLBACK {
            let reason = format!("it is {sph:?}; only {PSAP_CALLBACK:?} exists");
            return self.examination.fail(rules::SPH, invalid(reason));
        }
        if !namespaces.any(|own| own == EMERGENCY_NAMESPACE) {
            let reason = format!("it goes with priorities of {EMERGENCY_NAMESPACE} only, and rph has none");
            return self.examination.fail(rules::SPH, invalid(reason));
        }
        let signed = || format!("{PSAP_CALLBACK} (sph)");
        match call.priority.as_deref() {
            Some(PSAP_CALLBACK) => self.examination.pass(rules::SPH, "as in Priority"),
            Some(other) => {
                let error = Error::PriorityMismatch { signed: signed(), signalled: format!("Priority: {other}") };
                self.examination.fail(rules::SPH, error);
            }
            None if call.form == CallForm::Bare => {
                self.examination.skip(rules::SPH, "nothing says what Priority the call has");
            }
            None => {
                let error =
                    Error::PriorityMismatch { signed: signed(), signalled: "no Priority that says so".to_owned() };
                self.examination.fail(rules::SPH, error);
            }
        }
    }

    /// RFC 8443 §3: `auth` mirrors Resource-Priority. Other authorities may have signed other namespaces of it, and a
    /// network may have dropped some.
    fn check_requested(&mut self, signed: &[ResourcePriority], call: &Call) {
        let examination = &mut self.examination;
        if call.resource_priority.is_empty() {
            return match call.form {
                CallForm::Bare => examination.skip(rules::PRIORITY, "nothing says what priority the call asks for"),
                CallForm::Message => examination.warn(rules::PRIORITY, "the call has no Resource-Priority"),
            };
        }
        let is_signed = |value: &&String| signed.iter().any(|own| own.as_str() == value.as_str());
        let is_ours = |value: &&String| signed.iter().any(|own| own.namespace() == namespace(value));
        let raised = call.resource_priority.iter().any(|value| is_ours(&value) && !is_signed(&value));
        if raised || !call.resource_priority.iter().any(|value| is_signed(&value)) {
            let signalled = format!("Resource-Priority: {}", shown(&call.resource_priority));
            return examination.fail(rules::PRIORITY, Error::PriorityMismatch { signed: shown(signed), signalled });
        }
        let is_requested = |own: &&ResourcePriority| call.resource_priority.iter().any(|value| value == own.as_str());
        match signed.iter().find(|own| !is_requested(own)) {
            Some(more) => examination.warn(rules::PRIORITY, format!("{more} is signed, and not asked for")),
            None => examination.pass(rules::PRIORITY, shown(signed)),
        }
    }

    /// RFC 8443 §4.1: the signer has authority over each namespace (E8). What gives it is policy (E12).
    pub(super) fn check_namespaces(&mut self, leaf: &Certificate, policy: &Policy) {
        let Some(signed) = self.passport.as_ref().and_then(|passport| passport.claims().rph.as_deref()) else { return };
        let refused = |own: &ResourcePriority, reason: &str| Error::PriorityNotAuthorized {
            namespace: own.namespace().to_owned(),
            signer: leaf.subject().to_string(),
            reason: reason.to_owned(),
        };
        let refusal = match (leaf.spc(), &policy.priority_signers) {
            // F27: who holds numbers only has no authority over anything else.
            (None, _) => signed.first().map(|own| refused(own, "the certificate names no provider")),
            (Some(_), PrioritySigners::AnyProvider) => None,
            (Some(spc), PrioritySigners::Only(signers)) => {
                let may = |own: &ResourcePriority| {
                    let mut namespaces = signers.iter().filter(|one| one.spc == spc).flat_map(|one| &one.namespaces);
                    namespaces.any(|name| name == own.namespace())
                };
                signed.iter().find(|own| !may(own)).map(|own| refused(own, "the policy does not name it for them"))
            }
        };
        match (refusal, &policy.priority_signers) {
            (Some(error), _) => self.examination.fail(rules::NAMESPACE, error),
            (None, PrioritySigners::AnyProvider) => {
                let detail = "a provider's certificate; no policy names who may authorise such priorities";
                self.examination.warn(rules::NAMESPACE, detail);
            }
            (None, PrioritySigners::Only(_)) => self.examination.pass(rules::NAMESPACE, "named by the policy"),
        }
    }
}

/// H30: whatever makes an `rph` PASSporT invalid, its header is what is wrong, in either profile.
pub(super) const fn responses() -> (Option<SipResponse>, Option<Atis82>) {
    (Some(SipResponse::new(438, "Invalid Identity Header")), Some(Atis82::without_case(438)))
}

/// What all PASSporTs of a call say of its priority. It counts as validated when every value asked for is signed: one
/// good signature must not carry a value that somebody added.
pub(super) fn conclude(
    reports: &[PassportReport],
    kinds: &[Kind],
    call: &Call,
    is_bound: bool,
    whole: &mut Examination,
) -> Option<Box<Priority>> {
    let has_rph = kinds.contains(&Kind::Rph);
    if !has_rph && call.resource_priority.is_empty() {
        return None;
    }
    let of = |status: Status| {
        let such = reports.iter().zip(kinds).filter(move |(own, kind)| **kind == Kind::Rph && own.status == status);
        such.map(|(own, _)| own)
    };
    let claims = || of(Status::Valid).filter_map(|own| own.passport()).map(|passport| passport.claims());
    let mut authorized: Vec<ResourcePriority> = claims().flat_map(|own| own.rph.iter().flatten().cloned()).collect();
    authorized.sort_unstable();
    authorized.dedup();
    let is_unsigned = |value: &&String| !authorized.iter().any(|own| own.as_str() == value.as_str());
    let unsigned = call.resource_priority.iter().find(is_unsigned);
    let callback = claims().any(|own| own.sph.is_some());
    // What nobody told was not held against anything: passed would let through whatever the call asks for.
    let is_told =
        call.form != CallForm::Bare || (!call.resource_priority.is_empty() && (!callback || call.priority.is_some()));
    let verstat = match (of(Status::Valid).next(), unsigned) {
        (Some(_), None) if is_bound && is_told => PriorityVerstat::RphValidationPassed,
        (Some(_), None) => PriorityVerstat::NoRphValidation,
        _ if of(Status::Invalid).next().is_some() => PriorityVerstat::RphValidationFailed,
        (Some(_), Some(value)) if of(Status::Unchecked).next().is_none() => {
            let signalled = format!("Resource-Priority: {value}, which nobody signed");
            whole.fail(rules::PRIORITY, Error::PriorityMismatch { signed: shown(&authorized), signalled });
            PriorityVerstat::RphValidationFailed
        }
        _ => PriorityVerstat::NoRphValidation,
    };
    Some(Box::new(Priority { verstat, requested: call.resource_priority.clone(), authorized, callback }))
}

fn shown<T: fmt::Display>(values: &[T]) -> String {
    const SHOWN: usize = 8;
    let mut text = values.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if values.len() > SHOWN {
        text.push_str(&format!(" and {} more", values.len() - SHOWN));
    }
    text
}
