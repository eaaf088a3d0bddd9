//! The checks of the certificate: had, trusted, not revoked, allowed to speak for this call, and the maker of the
//! signature (RFC 8224 §6.2 steps 3 and 5, RFC 8226, RFC 9060, RFC 9118, ATIS-1000080).

use crate::certificate::Certificate;
use crate::certificate::bundle::Bundle;
use crate::certificate::chain::{self, LinkCache, Path};
use crate::certificate::claim_constraints::ConstraintViolation;
use crate::certificate::delegation::{Authority, DelegationError};
use crate::certificate::profile::Finding;
use crate::certificate::tn_auth_list::{Coverage, TnAuthList};
use crate::number::Identity;
use crate::time::UnixTime;
use crate::verify::detail::{self, Detail};
use crate::verify::error::Error;
use crate::verify::materials::{Known, Materials};
use crate::verify::policy::Policy;
use crate::verify::rules;
use crate::verify::signature::Unsettled;
use crate::verify::subject::{Kind, Subject};
use crate::verify::verdict::PathElement;

/// What the certificate told about the signer, whatever became of the checks.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    pub(super) signer: Option<Certificate>,
    pub(super) path: Vec<PathElement>,
}

impl Subject {
    /// Makes every check that the certificate is needed for, but leaves the signature open.
    pub(super) fn check_credential(
        &mut self,
        materials: &Materials,
        policy: &Policy,
        links: &LinkCache,
        now: UnixTime,
    ) -> Credentials {
        let Some((bundle, findings)) = self.obtain(materials) else { return Credentials::default() };
        let leaf = bundle.leaf();
        let path = self.check_path(bundle, materials, links, now);
        if let Some(path) = &path {
            self.check_validity(path, now);
            self.check_revocation(path, materials, policy, links, now);
            self.check_authority(path);
        } else {
            self.check_tn_auth_list(leaf);
        }
        if self.kind == Kind::Rph {
            self.check_namespaces(leaf, policy);
        }
        self.check_constraints(leaf);
        self.note_profile(findings);
        // Work and memory are for keys whose chain holds.
        let accepted = path.is_some() && self.examination.is_sound_but_for_numbers();
        self.open_signature(leaf, accepted);
        let shown = path.map_or_else(|| vec![leaf.clone()], Path::into_certificates);
        Credentials { signer: Some(leaf.clone()), path: shown.into_iter().map(PathElement).collect() }
    }

    // RFC 8224 §6.2 step 3.
    fn obtain<'a>(&mut self, materials: &'a Materials) -> Option<(&'a Bundle, &'a [Finding])> {
        let url = self.header.as_ref()?.info.as_deref()?;
        match materials.credential(url) {
            Some(Known::Found(bundle, findings)) => {
                self.examination.pass(rules::CREDENTIAL, "");
                return Some((bundle, findings));
            }
            Some(Known::Unusable(reason)) => {
                let error = Error::UnusableCredential { url: url.to_owned(), reason: reason.to_string() };
                self.examination.fail(rules::CREDENTIAL, error);
            }
            Some(Known::Unavailable(reason)) => {
                let error = Error::CredentialUnavailable { url: url.to_owned(), reason: reason.clone() };
                self.examination.fail(rules::CREDENTIAL, error);
            }
            // F8 has refused it already: nobody may get it.
            None if self.credential_url().is_none() => {
                self.examination.skip(rules::CREDENTIAL, "its URL may not be dereferenced");
            }
            None => {
                let reason = "it is not among the certificates given".to_owned();
                let error = Error::CredentialUnavailable { url: url.to_owned(), reason };
                self.examination.fail(rules::CREDENTIAL, error);
            }
        }
        None
    }

    // RFC 5280 §6.1, F20, G18, G22.
    fn check_path(&mut self, bundle: &Bundle, materials: &Materials, links: &LinkCache, now: UnixTime) -> Option<Path> {
        if materials.anchors().is_empty() {
            self.examination.cannot(rules::PATH, "no trust anchors are given, so nobody is trusted");
            return None;
        }
        let anchors = materials.anchors().certificates();
        match Path::find(bundle.leaf(), &bundle.certificates, anchors, now, links) {
            Ok(path) => {
                self.examination.pass(rules::PATH, Detail::subject(path.anchor()));
                Some(path)
            }
            Err(reason) => {
                let error =
                    time_error(&reason, now).unwrap_or_else(|| Error::UntrustedPath { reason: reason.to_string() });
                self.examination.fail(rules::PATH, error);
                None
            }
        }
    }

    // B-V4: the instant judged and `iat` both lie within the validity of the path.
    fn check_validity(&mut self, path: &Path, now: UnixTime) {
        let iat = self.passport.as_ref().and_then(|passport| passport.claims().iat);
        for at in std::iter::once(now).chain(iat.filter(|iat| *iat != now)) {
            if let Err(reason) = path.check_validity(at) {
                let error =
                    time_error(&reason, at).unwrap_or_else(|| Error::UntrustedPath { reason: reason.to_string() });
                self.examination.fail(rules::VALIDITY, error);
                return;
            }
        }
        match path.check_anchor_validity(now) {
            Ok(()) => self.examination.pass(rules::VALIDITY, Detail::until(path.leaf().not_after())),
            // RFC 5280 §6.1.1 (d) leaves an anchor's dates to whoever lists it.
            Err(reason) => self.examination.warn(rules::VALIDITY, format!("the trusted root: {reason}")),
        }
    }

    // C4, C7, C14 to C16.
    fn check_authority(&mut self, path: &Path) {
        self.check_key(path.leaf());
        match Authority::of(path) {
            Ok(authority) => {
                self.examination.pass(rules::TN_AUTH_LIST, Detail::authority(path.leaf()));
                self.note_delegation(&authority);
                self.check_number(authority.list, path.leaf());
            }
            Err(reason @ (DelegationError::Exceeded { .. } | DelegationError::SignerIsAuthority { .. })) => {
                let subject = path.leaf().subject().to_string();
                let error = Error::DelegationExceeded { subject, reason: reason.to_string() };
                self.examination.fail(rules::DELEGATION, error);
            }
            Err(DelegationError::MissingTnAuthList { .. }) if self.needs_no_list(path.certificates()) => {
                self.pass_domain();
            }
            Err(reason) => {
                let error = Error::InvalidTnAuthList { reason: reason.to_string() };
                self.examination.fail(rules::TN_AUTH_LIST, error);
            }
        }
    }

    /// RFC 8224 §8.4: for a caller whom a URI names, a certificate of the URI's domain is enough. Not below an
    /// authority that is itself held to some numbers, which could name any domain (RFC 9060 §4).
    fn needs_no_list(&self, path: &[Certificate]) -> bool {
        let Some(leaf) = path.first().filter(|_| matches!(self.kind, Kind::Base | Kind::Rcd)) else { return false };
        let is_held = |own: &Certificate| !matches!(own.tn_auth_list(), Ok(None)) || !own.tn_list_urls().is_empty();
        matches!(&self.orig, Some(Identity::Uri(uri)) if leaf.names_domain_of(uri)) && !path.iter().any(is_held)
    }

    fn pass_domain(&mut self) {
        self.examination.skip(rules::TN_AUTH_LIST, "it has none; for a URI the domain is enough");
        self.examination.pass(rules::AUTHORITY, "the certificate names the domain");
    }

    fn note_delegation(&mut self, authority: &Authority<'_>) {
        match &authority.needs_number_data {
            Some(entry) => self.examination.warn(
                rules::DELEGATION,
                format!("whether {entry} belongs to the delegating provider, only number data could say"),
            ),
            None if authority.delegated => self.examination.pass(rules::DELEGATION, "a delegate, within its parent"),
            None => {}
        }
    }

    /// Without a path: what the leaf says for itself.
    fn check_tn_auth_list(&mut self, leaf: &Certificate) {
        self.check_key(leaf);
        match leaf.tn_auth_list() {
            Ok(Some(own)) => {
                self.examination.pass(rules::TN_AUTH_LIST, Detail::authority(leaf));
                self.check_number(own, leaf);
            }
            Ok(None) if self.needs_no_list(std::slice::from_ref(leaf)) => self.pass_domain(),
            Ok(None) => {
                let reason = "it has none".to_owned();
                self.examination.fail(rules::TN_AUTH_LIST, Error::InvalidTnAuthList { reason });
            }
            Err(reason) => {
                let error = Error::InvalidTnAuthList { reason: reason.to_string() };
                self.examination.fail(rules::TN_AUTH_LIST, error);
            }
        }
    }

    fn check_key(&mut self, leaf: &Certificate) {
        match leaf.p256_point() {
            Some(_) => self.examination.pass(rules::KEY, "P-256"),
            None => {
                let error = Error::UnsupportedKey { key: leaf.key_kind().to_string() };
                self.examination.fail(rules::KEY, error);
            }
        }
    }

    /// C4, E3: authority over the calling number; of a diversion, over the number it was diverted from.
    fn check_number(&mut self, authority: &TnAuthList, leaf: &Certificate) {
        if self.kind == Kind::Shaken && authority.spc().is_none() {
            let detail = "the certificate names no provider; shaken PASSporTs are a provider's (F18, F27)";
            self.examination.warn(rules::AUTHORITY, detail);
        }
        let identity = if self.kind == Kind::Div { &self.div } else { &self.orig };
        let Some(identity) = identity else { return };
        let outside = |number: String| Error::NumberNotAuthorized { number, authority: detail::entries(authority) };
        match identity {
            Identity::Number(number) => match authority.covers(number) {
                Coverage::Named => self.examination.pass(rules::AUTHORITY, format!("{number} is listed")),
                Coverage::ByProviderCode => {
                    self.examination.pass(rules::AUTHORITY, "a provider's certificate; it speaks for its numbers");
                }
                Coverage::Outside => self.examination.fail(rules::AUTHORITY, outside(number.to_string())),
            },
            // RFC 8224 §8.4, RFC 5922 §7.2 (B18).
            Identity::Uri(uri) if leaf.names_domain_of(uri) => {
                self.examination.pass(rules::AUTHORITY, "the certificate names the domain");
            }
            Identity::Uri(_) if authority.spc().is_some() => {
                let detail = "a provider's certificate; whether the domain is its customer's it does not say";
                self.examination.warn(rules::AUTHORITY, detail);
            }
            Identity::Uri(uri) => self.examination.fail(rules::AUTHORITY, outside(uri.clone())),
        }
    }

    // RFC 8226 §8, RFC 9118 §4 (C8 to C13).
    fn check_constraints(&mut self, leaf: &Certificate) {
        let constraints = match leaf.claim_constraints() {
            Ok(None) => return,
            Ok(Some(constraints)) => constraints,
            Err(reason) => {
                let claim = "(all)".to_owned();
                let error = Error::ClaimConstraintViolated { claim, reason: reason.to_string() };
                self.examination.fail(rules::CONSTRAINTS, error);
                return;
            }
        };
        let Some(passport) = &self.passport else { return };
        if let Some(claim) = constraints.void_because_of() {
            let detail = format!("void: they exclude {claim}, which every PASSporT has");
            self.examination.warn(rules::CONSTRAINTS, detail);
            return;
        }
        match constraints.check(&passport.claim_members()) {
            Ok(()) => self.examination.pass(rules::CONSTRAINTS, ""),
            Err(violation) => {
                let claim = claim_of(&violation);
                let error = Error::ClaimConstraintViolated { claim, reason: violation.to_string() };
                self.examination.fail(rules::CONSTRAINTS, error);
            }
        }
    }

    /// G19: half of the certificates in use break the profile somewhere; that is shown and decides nothing.
    fn note_profile(&mut self, findings: &[Finding]) {
        if findings.is_empty() {
            self.examination.pass(rules::PROFILE, "");
        }
        for finding in findings {
            self.examination.warn(rules::PROFILE, format!("{} ({})", finding.detail, finding.rule));
        }
    }

    // RFC 8224 §6.2 step 5: over the bytes received (A4, A20).
    fn open_signature(&mut self, leaf: &Certificate, accepted: bool) {
        if self.passport.is_none() {
            return;
        }
        match leaf.p256_point() {
            Some(key) => self.unsettled = Some(Unsettled { key: *key, accepted }),
            None => self.examination.skip(rules::SIGNATURE, "the certificate has no P-256 key"),
        }
    }
}

/// H21 apart from H20.
fn time_error(reason: &chain::Error, at: UnixTime) -> Option<Error> {
    match reason {
        chain::Error::Expired { subject, not_after } => {
            Some(Error::CertificateExpired { subject: subject.clone(), not_after: *not_after, at })
        }
        chain::Error::NotYetValid { subject, not_before } => {
            Some(Error::CertificateNotYetValid { subject: subject.clone(), not_before: *not_before, at })
        }
        _ => None,
    }
}

fn claim_of(violation: &ConstraintViolation) -> String {
    match violation {
        ConstraintViolation::Excluded { claim }
        | ConstraintViolation::Missing { claim }
        | ConstraintViolation::NotPermitted { claim, .. } => claim.clone(),
    }
}
