//! The verifier with the certificates that calls ask for, which all threads share.

use std::sync::{PoisonError, RwLock};

use crate::cli::credentials::Credentials;
use crate::cli::fetching::Origin;
use crate::cli::settings::VerifySettings;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Verdict, Verifier};

/// Judges calls; certificates are read once, when the first call needs them.
pub(super) struct Judge<'a> {
    verifier: Verifier,
    credentials: RwLock<Credentials<'a>>,
}

/// A verdict, and which of its certificates came over the network.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) fetched: Vec<Origin>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(settings: &'a VerifySettings) -> Self {
        let no_archive = |place: &str| {
            format!("no archive was named; put it at DIR/{place} and give --certs DIR, or get it with --fetch")
        };
        let credentials = Credentials::new(settings.trust.clone(), settings.fetching.as_ref(), no_archive)
            .fetching_rich_call_data(settings.fetch_rich_call_data);
        Self { verifier: Verifier::new(settings.policy.clone()), credentials: RwLock::new(credentials) }
    }

    /// The verdicts on calls, each as of its instant, in this order.
    pub(super) fn judge(&self, calls: &[(&Call, UnixTime)]) -> Vec<Judgement> {
        loop {
            if let Some(verdicts) = self.judge_together(calls) {
                return verdicts.into_iter().map(|verdict| Judgement { verdict, fetched: Vec::new() }).collect();
            }
            let mut credentials = self.credentials.write().unwrap_or_else(PoisonError::into_inner);
            if !credentials.change() {
                calls.iter().for_each(|(call, at)| credentials.provide_for(&self.verifier, call, *at));
            }
            if credentials.change() {
                let judged = credentials.judge_all(&self.verifier, calls).into_iter();
                return judged.map(|(verdict, fetched)| Judgement { verdict, fetched }).collect();
            }
        }
    }

    /// The verdicts, where all that they need is there and does not depend on when it is asked for.
    fn judge_together(&self, calls: &[(&Call, UnixTime)]) -> Option<Vec<Verdict>> {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        let materials = credentials.settled()?;
        let is_ready = |(call, _): &(&Call, UnixTime)| self.verifier.missing(call, materials).is_empty();
        calls.iter().all(is_ready).then(|| self.verifier.verify_batch(calls, materials))
    }
}
