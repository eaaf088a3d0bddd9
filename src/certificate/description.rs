//! What `certificate show` prints of a certificate: stable names, one object each.

use serde::Serialize;

use crate::certificate::Certificate;
use crate::certificate::claim_constraints::ClaimConstraints;
use crate::certificate::der::{DerError, hexadecimal};
use crate::certificate::profile::{Finding, Role, lint};
use crate::certificate::tn_auth_list::TnEntry;
use crate::time::UnixTime;

/// A certificate in words and numbers.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The SHA-256 of its DER.
    pub sha256: String,
    /// What it is for, by its own account.
    pub role: Role,
    /// Whom it is about.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// The first instant of its validity.
    pub not_before: UnixTime,
    /// The last instant of its validity.
    pub not_after: UnixTime,
    /// The kind of its key: `P-256`, `RSA-2048`.
    pub key: String,
    /// Its TNAuthList, right or wrong.
    pub tn_auth_list: Option<TnAuthListDescription>,
    /// What it demands of claims; when these cannot be read, a finding says so.
    pub constraints: Option<ClaimConstraints>,
    /// Where it departs from the profile.
    pub findings: Vec<Finding>,
}

/// A TNAuthList in words.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TnAuthListDescription {
    /// The extension's value in hexadecimal.
    pub der: String,
    /// Its entries; none when it is wrong.
    pub entries: Vec<TnEntry>,
    /// What is wrong with it.
    pub error: Option<DerErrorDescription>,
}

/// What is wrong with a value, and where.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DerErrorDescription {
    /// The byte, from the value's start.
    pub offset: usize,
    /// What is wrong there.
    pub detail: String,
}

impl Description {
    /// Describes a certificate, its departures from the profile included.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            sha256: certificate.sha256_hex().to_owned(),
            role: Role::of(certificate),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            key: certificate.key_kind().to_string(),
            tn_auth_list: TnAuthListDescription::of(certificate),
            constraints: certificate.claim_constraints().ok().flatten().cloned(),
            findings: lint(certificate),
        }
    }
}

impl TnAuthListDescription {
    fn of(certificate: &Certificate) -> Option<Self> {
        let der = hexadecimal(certificate.tn_auth_list_der()?);
        Some(match certificate.tn_auth_list() {
            Ok(list) => {
                let entries = list.map(|list| list.entries().to_vec()).unwrap_or_default();
                Self { der, entries, error: None }
            }
            Err(error) => Self { der, entries: Vec::new(), error: Some(error.into()) },
        })
    }
}

impl From<&DerError> for DerErrorDescription {
    fn from(error: &DerError) -> Self {
        Self { offset: error.offset, detail: error.fault.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::forge::Draft;

    fn json(tn_auth_list: &[u8]) -> serde_json::Value {
        let issued = Draft::leaf("SHAKEN 1234").with_tn_auth_list(tn_auth_list).self_signed();
        serde_json::to_value(Description::of(&issued.certificate)).unwrap()
    }

    #[test]
    fn a_certificate_is_described_with_the_names_of_the_design() {
        let value = json(&[0x30, 8, 0xa0, 6, 0x16, 4, b'1', b'2', b'3', b'4']);
        assert_eq!(value["role"], "leaf");
        assert_eq!(value["subject"], "CN=SHAKEN 1234,C=US");
        assert_eq!(value["serial"], "0123456789abcdef".trim_start_matches("00"));
        assert_eq!(value["not_before"], "2026-01-01T00:00:00Z");
        assert_eq!(value["key"], "P-256");
        assert_eq!(
            value["tn_auth_list"],
            serde_json::json!({"der": "3008a006160431323334", "entries": [{"spc": "1234"}], "error": null})
        );
        assert_eq!(value["constraints"], serde_json::Value::Null);
        assert_eq!(value["findings"][0]["rule"], "F13");
        assert_eq!(value["findings"][0]["severity"], "warning");
    }

    #[test]
    fn a_wrong_tn_auth_list_is_described_with_its_offset() {
        let value = json(&[0x30, 8, 0xa0, 6, 0x16, b'5', b'5', b'8', b'J']);
        let error = &value["tn_auth_list"]["error"];
        assert_eq!(error["offset"], 4);
        assert!(error["detail"].as_str().unwrap().contains("length octet of this IA5String is missing"));
        assert_eq!(value["tn_auth_list"]["entries"], serde_json::json!([]));
    }
}
