//! Whether a certificate of the path was revoked, by a CRL that may say so (RFC 5280 §6.3, F22, F23).

use crate::certificate::Certificate;
use crate::certificate::chain::{LinkCache, Path};
use crate::certificate::crl::{Crl, Freshness, Status};
use crate::time::UnixTime;
use crate::verify::detail::Detail;
use crate::verify::error::Error;
use crate::verify::materials::Materials;
use crate::verify::policy::{CrlPolicy, Policy};
use crate::verify::rules;
use crate::verify::subject::Subject;

impl Subject {
    /// Looks for every certificate of the path but the anchor in every CRL that may revoke it.
    pub(super) fn check_revocation(
        &mut self,
        path: &Path,
        materials: &Materials,
        policy: &Policy,
        links: &LinkCache,
        now: UnixTime,
    ) {
        if materials.crls().is_empty() && policy.crl == CrlPolicy::Use {
            self.examination.skip(rules::REVOCATION, "no CRL is given");
            return;
        }
        let pairs = path.certificates().iter().zip(path.certificates().iter().skip(1));
        for (certificate, issuer) in pairs {
            let outcome = Outcome::of(certificate, issuer, materials, links, now);
            self.note_revocation(certificate, outcome, policy);
        }
    }

    fn note_revocation(&mut self, certificate: &Certificate, outcome: Outcome, policy: &Policy) {
        let subject = || certificate.subject().to_string();
        let refuse = |reason: String| Error::UntrustedPath { reason: format!("{}: {reason}", subject()) };
        let examination = &mut self.examination;
        for unusable in outcome.unusable {
            examination.warn(rules::REVOCATION, format!("{}: a CRL is not used: {unusable}", subject()));
        }
        if let Some((revoked_at, reason)) = outcome.revoked {
            let error = Error::CertificateRevoked { subject: subject(), revoked_at, reason: Some(reason) };
            examination.fail(rules::REVOCATION, error);
            return;
        }
        if let Some(later) = outcome.revoked_later {
            let detail = format!("{}: revoked only on {later}, after the instant judged", subject());
            examination.warn(rules::REVOCATION, detail);
        }
        match (outcome.covered, policy.crl) {
            (Covered::Fresh, _) => examination.pass(rules::REVOCATION, Detail::not_revoked(certificate)),
            (Covered::Stale(age), CrlPolicy::RequireFresh) => {
                examination.fail(rules::REVOCATION, refuse(format!("{age}; the policy wants a fresh one")));
            }
            (Covered::Stale(age), _) => {
                examination.warn(rules::REVOCATION, format!("{}: not revoked, but {age}", subject()));
            }
            (Covered::Not, CrlPolicy::Use) => {
                examination.skip(rules::REVOCATION, format!("{}: no CRL given speaks for it", subject()));
            }
            (Covered::Not, _) => {
                let reason = "no CRL given speaks for it; the policy wants one".to_owned();
                examination.fail(rules::REVOCATION, refuse(reason));
            }
        }
    }
}

/// What all CRLs together say of one certificate.
#[derive(Debug)]
struct Outcome {
    covered: Covered,
    revoked: Option<(UnixTime, String)>,
    revoked_later: Option<UnixTime>,
    /// CRLs that name the certificate, signed by somebody who may not say so.
    unusable: Vec<String>,
}

/// Whether a CRL that may speak for the certificate does.
#[derive(Debug)]
enum Covered {
    Not,
    Stale(String),
    Fresh,
}

impl Outcome {
    fn of(
        certificate: &Certificate,
        issuer: &Certificate,
        materials: &Materials,
        links: &LinkCache,
        now: UnixTime,
    ) -> Self {
        let mut outcome = Self { covered: Covered::Not, revoked: None, revoked_later: None, unusable: Vec::new() };
        for crl in materials.crls() {
            let status = crl.status(certificate, now);
            if matches!(status, Status::NotCovered) {
                continue;
            }
            // Signatures last: most CRLs speak for others.
            match crl.check_signer(certificate, issuer, materials.crl_signers(), links) {
                Ok(_) => outcome.take(crl, status, now),
                Err(reason) => outcome.unusable.push(reason.to_string()),
            }
        }
        outcome
    }

    fn take(&mut self, crl: &Crl, status: Status, now: UnixTime) {
        match status {
            Status::Revoked { at, reason } => self.revoked = Some((at, reason.as_str().to_owned())),
            Status::RevokedLater { at, .. } => self.revoked_later = Some(at),
            _ => {}
        }
        let stale = match crl.freshness(now) {
            // An old call judged by a newer CRL: its entries carry their own dates.
            Freshness::Current | Freshness::IssuedLater { .. } => None,
            Freshness::NoNextUpdate => Some("the CRL does not say when the next one is due".to_owned()),
            Freshness::Stale { next_update } => Some(format!("the CRL was to be replaced by {next_update}")),
        };
        match (stale, &self.covered) {
            (None, _) => self.covered = Covered::Fresh,
            (Some(age), Covered::Not) => self.covered = Covered::Stale(age),
            (Some(_), _) => {}
        }
    }
}
