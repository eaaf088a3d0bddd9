//! What a treatment's rule asks of a verdict: conclusion, verstat, kind of error, attestation.

use crate::passport::Attestation;
use crate::verify::{Conclusion, Error, Verdict, Verstat};

/// Conditions that all have to hold; of one, any of its words. None of them fits every verdict.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Conditions {
    /// `passed`, `none`, `failed`
    pub verdict: Vec<Conclusion>,
    /// The plain values of F9.
    pub verstat: Vec<Verstat>,
    /// The error that decided, by [`Error::kind`] or by its row of table H.
    pub error: Vec<String>,
    /// What is attested; `None` stands for nothing.
    pub attest: Vec<Option<Attestation>>,
}

impl Conditions {
    /// What of the verdict fits, in words; none where something does not.
    pub(super) fn fit(&self, verdict: &Verdict) -> Option<String> {
        let error = verdict.decisive().and_then(|report| report.error.as_ref());
        let mut words = Vec::new();
        if !self.verdict.is_empty() {
            words.push(self.verdict.contains(&verdict.conclusion).then(|| format!("verdict {}", verdict.conclusion))?);
        }
        if !self.verstat.is_empty() {
            words.push(self.verstat.contains(&verdict.verstat).then(|| format!("verstat {}", verdict.verstat))?);
        }
        if !self.error.is_empty() {
            let found = error.filter(|error| self.names(error))?;
            words.push(format!("error {}", found.kind()));
        }
        if !self.attest.is_empty() {
            let attest = verdict.attest.map_or("none", Attestation::as_str);
            words.push(self.attest.contains(&verdict.attest).then(|| format!("attest {attest}"))?);
        }
        Some(if words.is_empty() { "every verdict".to_owned() } else { words.join(", ") })
    }

    fn names(&self, error: &Error) -> bool {
        self.error.iter().any(|name| name == error.kind() || name == error.row())
    }
}
