//! What a path lets its leaf speak for: the TNAuthLists along it, each within the one above (RFC 9060 §4, C4, C14-C16).

use crate::certificate::Certificate;
use crate::certificate::chain::Path;
use crate::certificate::der::DerError;
use crate::certificate::tn_auth_list::{Encompassing, TnAuthList, TnEntry};

/// The providers and numbers that the leaf of a path may speak for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Authority {
    /// The leaf's TNAuthList.
    pub list: TnAuthList,
    /// Whether an authority above the leaf has a TNAuthList: the leaf is a delegate.
    pub delegated: bool,
    /// An entry that lies within its parent's only if the number is the parent's provider's: number-to-provider data
    /// would have to say. The caller's policy decides; RFC 9060 §4 lets a verifier accept it.
    pub needs_number_data: Option<TnEntry>,
}

impl Authority {
    /// What the leaf of `path` may speak for.
    ///
    /// # Errors
    /// When a TNAuthList is missing or wrong, a list is not within the one above it, or the leaf is an authority's.
    pub fn of(path: &Path) -> Result<Self, DelegationError> {
        let leaf = path.leaf();
        // RFC 9060 §4: only end-entity certificates sign PASSporTs.
        if leaf.is_authority() {
            return Err(DelegationError::SignerIsAuthority { subject: leaf.subject().to_string() });
        }
        let list = list_of(leaf)?.ok_or_else(|| DelegationError::MissingTnAuthList {
            subject: leaf.subject().to_string(),
            by_reference: !leaf.tn_list_urls().is_empty(),
        })?;
        let mut authority = Self { list: list.clone(), delegated: false, needs_number_data: None };
        let mut below = list;
        for parent in &path.certificates()[1..] {
            let Some(limit) = list_of(parent)? else { continue };
            authority.delegated = true;
            match limit.encompasses(below) {
                Encompassing::Whole => {}
                Encompassing::NeedsNumberData { entry } => {
                    authority.needs_number_data.get_or_insert(entry);
                }
                Encompassing::Exceeded { entry } => {
                    return Err(DelegationError::Exceeded { parent: parent.subject().to_string(), entry });
                }
            }
            below = limit;
        }
        Ok(authority)
    }
}

/// Why a leaf may speak for nobody.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DelegationError {
    /// A list holds more than the one above it (H24).
    #[error("{entry} is not within what {parent} may delegate")]
    Exceeded {
        /// Whose list is exceeded.
        parent: String,
        /// The entry that is too much.
        entry: TnEntry,
    },
    /// A TNAuthList cannot be read (H23).
    #[error("{subject}: its TNAuthList is wrong: {error}")]
    InvalidTnAuthList {
        /// The certificate.
        subject: String,
        /// What is wrong, and where in the extension's value.
        error: DerError,
    },
    /// The leaf has no TNAuthList (H23).
    #[error("{subject}: it has no TNAuthList{}", if *by_reference { ", only a reference to one" } else { "" })]
    MissingTnAuthList {
        /// The certificate.
        subject: String,
        /// Whether it says where one is to be fetched (C5).
        by_reference: bool,
    },
    /// The leaf is a certification authority's (C16).
    #[error("{subject}: a certification authority's certificate signs no PASSporTs")]
    SignerIsAuthority {
        /// The certificate.
        subject: String,
    },
}

fn list_of(certificate: &Certificate) -> Result<Option<&TnAuthList>, DelegationError> {
    certificate.tn_auth_list().map_err(|error| DelegationError::InvalidTnAuthList {
        subject: certificate.subject().to_string(),
        error: error.clone(),
    })
}
