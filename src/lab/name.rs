//! Distinguished names of the lab (F13, RFC 5280 §4.1.2.4).

use super::der::{self, tag};

const COMMON_NAME: u64 = 3;
const COUNTRY: u64 = 6;
const ORGANIZATION: u64 = 10;

/// A distinguished name of country, organisation and common name, with its DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name {
    text: String,
    der: Vec<u8>,
}

impl Name {
    /// `C=US, O=organization, CN=common_name`.
    pub(super) fn new(organization: &str, common_name: &str) -> Self {
        let der = der::sequence(&[
            attribute(COUNTRY, tag::PRINTABLE_STRING, "US"),
            attribute(ORGANIZATION, tag::UTF8_STRING, organization),
            attribute(COMMON_NAME, tag::UTF8_STRING, common_name),
        ]);
        Self { text: format!("C=US, O={organization}, CN={common_name}"), der }
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

fn attribute(last: u64, string: u8, value: &str) -> Vec<u8> {
    let pair = der::sequence(&[der::oid(&[2, 5, 4, last]), der::tlv(string, value.as_bytes())]);
    der::tlv(tag::SET, &pair)
}
