//! What a verdict rests on besides the call: certificates by URL, trust anchors, CRLs. Filled by the caller, by any
//! means; nothing here fetches.

use std::collections::HashMap;

use crate::certificate::Certificate;
use crate::certificate::bundle::{Bundle, BundleError, Limits};
use crate::certificate::crl::Crl;
use crate::certificate::profile::{self, Finding};
use crate::trust::TrustAnchors;

/// Certificates, anchors and CRLs. The default holds nothing and so trusts nobody.
#[derive(Debug, Default)]
pub struct Materials {
    credentials: HashMap<String, Credential>,
    anchors: TrustAnchors,
    crls: Vec<Crl>,
    crl_signers: Vec<Certificate>,
}

/// What is known of the certificate at one URL.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// Nobody asked for it yet.
    Unknown,
    /// It could not be had.
    Unavailable(String),
    /// Something lies there that is no certificate.
    Unusable(BundleError),
    /// The signer's certificate and whatever came with it, and where it departs from the SHAKEN profile.
    Found(Bundle, Vec<Finding>),
}

impl Materials {
    /// Nothing at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whom to trust.
    pub fn set_anchors(&mut self, anchors: TrustAnchors) {
        self.anchors = anchors;
    }

    /// Adds what lies at a URL: PEM in any order, or DER (F20, G15, G18). It is read once, here.
    pub fn add_certificate(&mut self, url: &str, body: &[u8]) {
        let credential = match Bundle::read(body, &Limits::UNTRUSTED) {
            Ok(bundle) => {
                let findings = profile::lint(bundle.leaf());
                Credential::Found(bundle, findings)
            }
            Err(reason) => Credential::Unusable(reason),
        };
        self.credentials.insert(url.to_owned(), credential);
    }

    /// Says that what lies at a URL could not be had, and why; the reason is shown, so it may say how to add it.
    pub fn mark_unavailable(&mut self, url: &str, reason: impl Into<String>) {
        self.credentials.insert(url.to_owned(), Credential::Unavailable(reason.into()));
    }

    /// Adds a CRL. Who signed it is judged against each certificate that it might revoke.
    pub fn add_crl(&mut self, crl: Crl) {
        self.crls.push(crl);
    }

    /// Pins a certificate whose key may sign indirect CRLs (F22).
    pub fn add_crl_signer(&mut self, certificate: Certificate) {
        self.crl_signers.push(certificate);
    }

    /// Whether something is known of the certificate at a URL, be it that it cannot be had.
    #[must_use]
    pub fn knows(&self, url: &str) -> bool {
        self.credentials.contains_key(url)
    }

    /// Whom to trust.
    #[must_use]
    pub const fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    pub(super) fn credential(&self, url: &str) -> &Credential {
        self.credentials.get(url).unwrap_or(&Credential::Unknown)
    }

    pub(super) fn crls(&self) -> &[Crl] {
        &self.crls
    }

    /// Who may sign indirect CRLs: those pinned for it, and anchors, which are trusted for more (F22).
    pub(super) fn crl_signers(&self) -> Vec<Certificate> {
        self.crl_signers.iter().chain(self.anchors.certificates()).cloned().collect()
    }
}
