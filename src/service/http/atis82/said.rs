//! A result in the words of the interface, with what the carrier's treatment changes of it (F31, F34; E22, F9, F24).
//!
//! The interface tells what was found, and whoever asks does what follows from it: what is tagged gets the standard's
//! result. Where E3 or an exception answers, nothing was judged, and nothing is treated.

use std::borrow::Cow;

use super::result::{Outcome, Reason};
use crate::service::treatment::{Action, Diverted, Manner, ReasonProtocol, Treatment};
use crate::verify::{Verdict, Verstat};

/// What is said of one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Said {
    pub(super) verstat: Cow<'static, str>,
    pub(super) reason: Option<Reason>,
    /// Whether attestation and origination identifier are told, where results carry them.
    pub(super) attests: bool,
}

impl Said {
    /// The standard's own words.
    pub(super) fn of(outcome: Outcome) -> Self {
        let (verstat, reason) = parts(outcome);
        Self { verstat: verstat.as_str().into(), reason, attests: true }
    }

    /// The same, for a call that is treated so.
    pub(super) fn treated(outcome: Outcome, verdict: &Verdict, manner: &Manner, treatment: &Treatment) -> Self {
        let (verstat, reason) = parts(outcome);
        let spelled = manner.verstat.spell(verstat, verdict.attest).into();
        match (treatment.action, &treatment.rejection) {
            // Nothing is to be added: a result must have a verstat (F31), and this one says nothing for or against.
            (Action::Continue, _) => {
                Self { verstat: Verstat::NoTnValidation.as_str().into(), reason: None, attests: false }
            }
            (Action::Reject, Some(rejection)) if treatment.own_response || reason.is_none() => {
                let found = reason.map(|reason| reason.description);
                let reason = Reason {
                    case: None,
                    code: rejection.code,
                    text: rejection.phrase.clone().into(),
                    description: found.unwrap_or_else(|| treatment.because.clone()),
                    verstat,
                };
                Self { verstat: spelled, reason: Some(reason), attests: true }
            }
            (Action::Reject, _) => Self { verstat: spelled, reason, attests: true },
            // F24: the result of the base PASSporT stands, and F31 has no reason beside a passed one.
            _ if treatment.diverted && manner.diverted == Diverted::Passed => {
                let verstat = treatment.verstat.clone().map_or(spelled, Cow::from);
                Self { verstat, reason: None, attests: true }
            }
            // E22: who asks makes a Reason field of the code.
            _ => {
                let reason = reason.filter(|_| manner.reason != ReasonProtocol::None);
                Self { verstat: spelled, reason, attests: true }
            }
        }
    }
}

fn parts(outcome: Outcome) -> (Verstat, Option<Reason>) {
    match outcome {
        Outcome::Passed => (Verstat::TnValidationPassed, None),
        Outcome::Result(reason) => (reason.verstat, Some(reason)),
        Outcome::InvalidIdentity(_) | Outcome::Unable => (Verstat::NoTnValidation, None),
    }
}
