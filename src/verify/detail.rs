//! What a check compared: facts, put into words only when somebody reads them. Most verdicts pass, and of these nobody
//! reads the checks.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::certificate::Certificate;
use crate::certificate::tn_auth_list::TnAuthList;
use crate::number::Identity;
use crate::time::UnixTime;

/// What a check compared, for people; shown and serialised as a text, empty where the check's name says it all. Two are
/// equal when their texts are.
#[derive(Clone, Debug)]
pub struct Detail(Fact);

/// The forms that the checks of a good call have; all others are text.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Fact {
    Words(&'static str),
    Text(Box<str>),
    At(UnixTime),
    Until(UnixTime),
    AsIn(Box<(Identity, &'static str)>),
    Subject(Certificate),
    NotRevoked(Certificate),
    Authority(Certificate),
}

impl Detail {
    /// An instant.
    pub(super) const fn at(instant: UnixTime) -> Self {
        Self(Fact::At(instant))
    }

    /// Until when something holds.
    pub(super) const fn until(instant: UnixTime) -> Self {
        Self(Fact::Until(instant))
    }

    /// Who was signed, and the field that names the same.
    pub(super) fn as_in(identity: &Identity, field: &'static str) -> Self {
        Self(Fact::AsIn(Box::new((identity.clone(), field))))
    }

    /// Whom a certificate is about.
    pub(super) fn subject(certificate: &Certificate) -> Self {
        Self(Fact::Subject(certificate.clone()))
    }

    /// That a certificate is in none of the CRLs that speak for it.
    pub(super) fn not_revoked(certificate: &Certificate) -> Self {
        Self(Fact::NotRevoked(certificate.clone()))
    }

    /// For whom a certificate may speak: its TNAuthList.
    pub(super) fn authority(certificate: &Certificate) -> Self {
        Self(Fact::Authority(certificate.clone()))
    }
}

impl PartialEq for Detail {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.to_string() == other.to_string()
    }
}

impl Eq for Detail {}

impl From<&'static str> for Detail {
    fn from(words: &'static str) -> Self {
        Self(Fact::Words(words))
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self(Fact::Text(text.into_boxed_str()))
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fact::Words(words) => f.write_str(words),
            Fact::Text(text) => f.write_str(text),
            Fact::At(instant) => instant.fmt(f),
            Fact::Until(instant) => write!(f, "until {instant}"),
            Fact::AsIn(pair) => write!(f, "{}, as in {}", pair.0, pair.1),
            Fact::Subject(certificate) => certificate.subject().fmt(f),
            Fact::NotRevoked(certificate) => write!(f, "{}: not revoked", certificate.subject()),
            Fact::Authority(certificate) => match certificate.tn_auth_list() {
                Ok(Some(list)) => f.write_str(&entries(list)),
                _ => Ok(()),
            },
        }
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Fact::Words(words) => serializer.serialize_str(words),
            Fact::Text(text) => serializer.serialize_str(text),
            _ => serializer.collect_str(self),
        }
    }
}

/// The first entries of a TNAuthList, and how many more there are.
pub(super) fn entries(list: &TnAuthList) -> String {
    const SHOWN: usize = 4;
    let entries = list.entries();
    let mut text = entries.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if entries.len() > SHOWN {
        text.push_str(&format!(" and {} more", entries.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_equal_when_their_texts_are() {
        let instant = UnixTime::from_seconds(1_777_896_001);
        assert_eq!(Detail::until(instant), Detail::from("until 2026-05-04T12:00:01Z".to_owned()));
        assert_eq!(Detail::from("ES256"), Detail::from("ES256".to_owned()));
        assert_ne!(Detail::at(instant), Detail::until(instant));
    }
}
