//! Whom we trust: the anchors that certification paths must end in (F20, F21).

use crate::certificate::Certificate;
use crate::certificate::bundle::{BlockProblem, Bundle, BundleError, Limits};

pub mod sti_pa;

/// The roots that paths may end in. None is trusted unless it was put here.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    certificates: Vec<Certificate>,
}

impl TrustAnchors {
    /// No anchors: every path is untrusted.
    #[must_use]
    pub const fn new() -> Self {
        Self { certificates: Vec::new() }
    }

    /// The certificates of a PEM file, or one certificate's DER.
    ///
    /// # Errors
    /// When a block is not a usable certificate: a list of roots must not be half-read.
    pub fn from_pem(octets: &[u8]) -> Result<Self, AnchorsError> {
        let bundle = Bundle::read(octets, &Limits::OWN_FILE).map_err(AnchorsError::Unreadable)?;
        if let Some(problem) = bundle.problems.into_iter().next() {
            return Err(AnchorsError::UnusableBlock(problem));
        }
        let mut anchors = Self::new();
        anchors.extend(bundle.certificates);
        Ok(anchors)
    }

    /// Adds an anchor, unless it is there already.
    pub fn insert(&mut self, certificate: Certificate) {
        if !self.certificates.contains(&certificate) {
            self.certificates.push(certificate);
        }
    }

    /// The anchors, in the order in which they came.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }
}

impl Extend<Certificate> for TrustAnchors {
    fn extend<T: IntoIterator<Item = Certificate>>(&mut self, certificates: T) {
        for certificate in certificates {
            self.insert(certificate);
        }
    }
}

/// Why a file is no list of roots.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorsError {
    /// No certificate in it.
    #[error("{0}")]
    Unreadable(BundleError),
    /// One of its blocks is no usable certificate.
    #[error("{0}")]
    UnusableBlock(BlockProblem),
}
