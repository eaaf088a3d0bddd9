//! What a verdict rests on besides the call: certificates and rich call data by URL, trust anchors, CRLs. Filled by the
//! caller, by any means; nothing here fetches.

use std::collections::HashMap;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::certificate::bundle::{Bundle, BundleError, Limits};
use crate::certificate::crl::Crl;
use crate::certificate::profile::{self, Finding};
use crate::trust::TrustAnchors;

/// Certificates, anchors and CRLs. The default holds nothing and so trusts nobody.
///
/// Whom to trust and who is revoked stand in one [`Trust`], which many materials share; so a clone, or
/// [`Materials::on`] a shared trust, costs next to nothing, and a server makes new ones for every call.
#[derive(Clone, Debug, Default)]
pub struct Materials {
    credentials: HashMap<String, Credential>,
    /// What rich call data names, or why it could not be had.
    resources: HashMap<String, Result<Arc<[u8]>, String>>,
    trust: Arc<Trust>,
}

/// Whom to trust and who is revoked: what does not depend on the call.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    anchors: TrustAnchors,
    crls: Vec<Crl>,
    pinned: Vec<Certificate>,
    /// Who may sign indirect CRLs: those pinned for it, and anchors, which are trusted for more (F22).
    crl_signers: Vec<Certificate>,
}

/// What is known of the certificate at one URL; read once, shared by every call that needs it.
#[derive(Clone, Debug)]
pub struct Credential(Arc<Known>);

#[derive(Debug)]
pub(super) enum Known {
    /// It could not be had.
    Unavailable(String),
    /// Something lies there that is no certificate.
    Unusable(BundleError),
    /// The signer's certificate and whatever came with it, and where it departs from the SHAKEN profile.
    Found(Bundle, Vec<Finding>),
}

impl Credential {
    /// Reads what lies at a URL: PEM in any order, or DER (F20, G15, G18).
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        Self(Arc::new(match Bundle::read(body, &Limits::UNTRUSTED) {
            Ok(bundle) => {
                let findings = profile::lint(bundle.leaf());
                Known::Found(bundle, findings)
            }
            Err(reason) => Known::Unusable(reason),
        }))
    }

    /// What could not be had, and why; the reason is shown, so it may say how to add it.
    #[must_use]
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self(Arc::new(Known::Unavailable(reason.into())))
    }

    /// The signer's certificate, where there is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match &*self.0 {
            Known::Found(bundle, _) => Some(bundle.leaf()),
            Known::Unavailable(_) | Known::Unusable(_) => None,
        }
    }

    pub(super) fn known(&self) -> &Known {
        &self.0
    }
}

impl Trust {
    /// Nobody is trusted, nobody revoked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whom to trust.
    pub fn set_anchors(&mut self, anchors: TrustAnchors) {
        self.anchors = anchors;
        self.gather_crl_signers();
    }

    /// Adds a CRL. Who signed it is judged against each certificate that it might revoke.
    pub fn add_crl(&mut self, crl: Crl) {
        self.crls.push(crl);
    }

    /// Pins a certificate whose key may sign indirect CRLs (F22).
    pub fn add_crl_signer(&mut self, certificate: Certificate) {
        self.pinned.push(certificate);
        self.gather_crl_signers();
    }

    /// Whom to trust.
    #[must_use]
    pub const fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// The CRLs, in the order in which they came.
    #[must_use]
    pub fn crls(&self) -> &[Crl] {
        &self.crls
    }

    fn gather_crl_signers(&mut self) {
        self.crl_signers = self.pinned.iter().chain(self.anchors.certificates()).cloned().collect();
    }
}

impl Materials {
    /// Nothing at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No certificates yet, on a trust that others share.
    #[must_use]
    pub fn on(trust: Arc<Trust>) -> Self {
        Self { trust, ..Self::default() }
    }

    /// Sets whom to trust.
    pub fn set_anchors(&mut self, anchors: TrustAnchors) {
        Arc::make_mut(&mut self.trust).set_anchors(anchors);
    }

    /// Adds what lies at a URL: PEM in any order, or DER (F20, G15, G18). It is read once, here.
    pub fn add_certificate(&mut self, url: &str, body: &[u8]) {
        self.insert(url, Credential::read(body));
    }

    /// Says that what lies at a URL could not be had, and why; the reason is shown, so it may say how to add it.
    pub fn mark_unavailable(&mut self, url: &str, reason: impl Into<String>) {
        self.insert(url, Credential::unavailable(reason));
    }

    /// Adds what is known of the certificate at a URL, be it that it cannot be had.
    pub fn insert(&mut self, url: &str, credential: Credential) {
        self.credentials.insert(url.to_owned(), credential);
    }

    /// Adds what lies at a URL that rich call data names: a picture or a card, the octets as they lie there (E16).
    pub fn add_resource(&mut self, url: &str, body: impl Into<Arc<[u8]>>) {
        self.resources.insert(url.to_owned(), Ok(body.into()));
    }

    /// Says that a picture or a card could not be had, and why.
    pub fn mark_resource_unavailable(&mut self, url: &str, reason: impl Into<String>) {
        self.resources.insert(url.to_owned(), Err(reason.into()));
    }

    /// Forgets all pictures and cards: they belong to single calls, and whoever judges many need not keep them.
    pub fn forget_resources(&mut self) {
        self.resources.clear();
    }

    /// Adds a CRL. Who signed it is judged against each certificate that it might revoke.
    pub fn add_crl(&mut self, crl: Crl) {
        Arc::make_mut(&mut self.trust).add_crl(crl);
    }

    /// Pins a certificate whose key may sign indirect CRLs (F22).
    pub fn add_crl_signer(&mut self, certificate: Certificate) {
        Arc::make_mut(&mut self.trust).add_crl_signer(certificate);
    }

    /// Whether something is known of the certificate at a URL, be it that it cannot be had.
    #[must_use]
    pub fn knows(&self, url: &str) -> bool {
        self.credentials.contains_key(url)
    }

    /// Whom to trust.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.trust.anchors
    }

    pub(super) fn credential(&self, url: &str) -> Option<&Known> {
        self.credentials.get(url).map(Credential::known)
    }

    pub(super) fn resource(&self, url: &str) -> Option<&Result<Arc<[u8]>, String>> {
        self.resources.get(url)
    }

    pub(super) fn crls(&self) -> &[Crl] {
        &self.trust.crls
    }

    pub(super) fn crl_signers(&self) -> &[Certificate] {
        &self.trust.crl_signers
    }
}
