//! What a path lets its leaf speak for: the TNAuthLists along it, each within the one above (RFC 9060 §4, C4, C14-C16).

use crate::certificate::Certificate;
use crate::certificate::chain::Path;
use crate::certificate::der::DerError;
use crate::certificate::tn_auth_list::{Encompassing, TnAuthList, TnEntry};

/// The providers and numbers that the leaf of a path may speak for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Authority<'a> {
    /// The leaf's TNAuthList.
    pub list: &'a TnAuthList,
    /// Whether an authority above the leaf has a TNAuthList: the leaf is a delegate.
    pub delegated: bool,
    /// An entry that lies within its parent's only if the number is the parent's provider's: number-to-provider data
    /// would have to say. The caller's policy decides; RFC 9060 §4 lets a verifier accept it.
    pub needs_number_data: Option<TnEntry>,
}

impl<'a> Authority<'a> {
    /// What the leaf of `path` may speak for.
    ///
    /// # Errors
    /// When a TNAuthList is missing or wrong, a list is not within the one above it, or the leaf is an authority's.
    pub fn of(path: &'a Path) -> Result<Self, DelegationError> {
        let leaf = path.leaf();
        // RFC 9060 §4: only end-entity certificates sign PASSporTs.
        if leaf.is_authority() {
            return Err(DelegationError::SignerIsAuthority { subject: leaf.subject().to_string() });
        }
        let list = list_of(leaf)?.ok_or_else(|| DelegationError::MissingTnAuthList {
            subject: leaf.subject().to_string(),
            by_reference: !leaf.tn_list_urls().is_empty(),
        })?;
        let mut authority = Self { list, delegated: false, needs_number_data: None };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::chain::LinkCache;
    use crate::certificate::forge::{Draft, NOON};
    use crate::certificate::tn_auth_list::ServiceProviderCode;
    use crate::time::UnixTime;

    fn spc(code: &str) -> TnEntry {
        TnEntry::Spc(ServiceProviderCode::new(code).unwrap())
    }

    fn range(start: &str, count: u64) -> TnEntry {
        TnEntry::Range { start: start.parse().unwrap(), count }
    }

    /// The authority of a leaf below two authorities, each with these entries; none is no TNAuthList.
    fn authority(
        upper: &[TnEntry],
        lower: &[TnEntry],
        leaf: &[TnEntry],
    ) -> Result<Authority<'static>, DelegationError> {
        let with = |draft: Draft, entries: &[TnEntry]| match TnAuthList::new(entries.to_vec()) {
            Ok(list) => draft.with_tn_auth_list(&list.to_der()),
            Err(_) => draft,
        };
        let root = Draft::authority("ROOT").self_signed();
        let upper = with(Draft::authority("UPPER"), upper).issued_by(&root);
        let lower = with(Draft::authority("LOWER"), lower).issued_by(&upper);
        let leaf = with(Draft::leaf("DELEGATE"), leaf).issued_by(&lower);
        let pool = [upper.certificate, lower.certificate];
        let (anchors, at) = ([root.certificate], UnixTime::from_seconds(NOON));
        let path = Path::find(&leaf.certificate, &pool, &anchors, at, &LinkCache::default()).unwrap();
        Authority::of(Box::leak(Box::new(path)))
    }

    #[test]
    fn a_leaf_below_authorities_without_lists_speaks_for_its_own() {
        let authority = authority(&[], &[], &[spc("1234")]).unwrap();
        assert_eq!(authority.list.spc().unwrap().as_str(), "1234");
        assert!(!authority.delegated);
        assert_eq!(authority.needs_number_data, None);
    }

    #[test]
    fn a_delegate_within_its_parents_is_accepted_at_every_level() {
        // C14, C16.
        let authority =
            authority(&[range("12155550100", 100)], &[range("12155550100", 50)], &[range("12155550110", 10)]).unwrap();
        assert!(authority.delegated);
        assert_eq!(authority.needs_number_data, None);
    }

    #[test]
    fn a_delegate_beyond_any_of_its_parents_is_refused() {
        // H24; C4: an authority's list limits everything below, also across an authority without one.
        let exceeded =
            |parent: &str, entry| Err(DelegationError::Exceeded { parent: format!("CN={parent},C=US"), entry });
        let wide = range("12155550100", 100);
        let outcome = authority(&[], &[range("12155550100", 50)], std::slice::from_ref(&wide));
        assert_eq!(outcome, exceeded("LOWER", wide.clone()));
        let outcome = authority(&[range("12155550100", 50)], &[], std::slice::from_ref(&wide));
        assert_eq!(outcome, exceeded("UPPER", wide.clone()));
        let outcome = authority(&[range("12155550100", 50)], std::slice::from_ref(&wide), &[range("12155550100", 10)]);
        assert_eq!(outcome, exceeded("UPPER", wide));
        assert_eq!(authority(&[], &[spc("1234")], &[spc("771C")]), exceeded("LOWER", spc("771C")));
    }

    #[test]
    fn numbers_below_a_provider_code_say_that_number_data_is_needed() {
        let entry = range("12155550100", 10);
        let authority = authority(&[], &[spc("1234")], std::slice::from_ref(&entry)).unwrap();
        assert_eq!(authority.needs_number_data, Some(entry));
        assert!(authority.delegated);
    }

    #[test]
    fn a_missing_or_wrong_list_speaks_for_nobody() {
        // H23.
        let missing =
            DelegationError::MissingTnAuthList { subject: "CN=DELEGATE,C=US".to_owned(), by_reference: false };
        assert_eq!(authority(&[], &[], &[]), Err(missing));
        let leaf = Draft::leaf("DELEGATE").with_tn_auth_list(&[0x30, 0]).self_signed().certificate;
        let path =
            Path::find(&leaf, &[], std::slice::from_ref(&leaf), leaf.not_before(), &LinkCache::default()).unwrap();
        assert!(
            matches!(Authority::of(&path), Err(DelegationError::InvalidTnAuthList { error, .. }) if error.offset == 0)
        );
    }

    #[test]
    fn an_authority_signs_no_passports() {
        // C16.
        let draft = Draft::authority("CA").with_tn_auth_list(&[0x30, 8, 0xa0, 6, 0x16, 4, 49, 50, 51, 52]);
        let own = draft.self_signed().certificate;
        let path = Path::find(&own, &[], std::slice::from_ref(&own), own.not_before(), &LinkCache::default()).unwrap();
        assert!(matches!(Authority::of(&path), Err(DelegationError::SignerIsAuthority { .. })));
    }
}
