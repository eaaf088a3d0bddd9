//! Certificate extensions as ATIS-1000080 wants them, and as it does not (F14-F19, C1, C8, C9).

use super::der::{self, tag};
use super::name::Name;
use crate::certificate::claim_constraints::{ClaimConstraints, PermittedValues};
use crate::certificate::tn_auth_list::{self, ServiceProviderCode, TnAuthList};

const TN_AUTH_LIST: u64 = 26;
const JWT_CLAIM_CONSTRAINTS: u64 = 27;
const ENHANCED_JWT_CLAIM_CONSTRAINTS: u64 = 33;

/// KeyUsage bits, the first of the BIT STRING first (RFC 5280 §4.2.1.3).
pub(super) mod usage {
    pub(crate) const DIGITAL_SIGNATURE: u8 = 0x80;
    pub(crate) const KEY_CERT_SIGN: u8 = 0x04;
    pub(crate) const CRL_SIGN: u8 = 0x02;
}

/// One entry of a TNAuthList (C1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TnEntry {
    Spc(&'static str),
    Range(&'static str, u64),
    One(&'static str),
}

impl TnEntry {
    fn to_entry(self) -> Option<tn_auth_list::TnEntry> {
        Some(match self {
            Self::Spc(spc) => tn_auth_list::TnEntry::Spc(ServiceProviderCode::new(spc)?),
            Self::Range(start, count) => tn_auth_list::TnEntry::Range { start: start.parse().ok()?, count },
            Self::One(number) => tn_auth_list::TnEntry::One(number.parse().ok()?),
        })
    }
}

/// JWTClaimConstraints and their enhanced form (C8, C9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Constraints {
    pub(super) must_include: &'static [&'static str],
    pub(super) permitted: &'static [(&'static str, &'static [&'static str])],
    pub(super) must_exclude: &'static [&'static str],
}

impl Constraints {
    pub(super) const NONE: Self = Self { must_include: &[], permitted: &[], must_exclude: &[] };

    /// `JWTClaimConstraints`, which knows no mustExclude (RFC 8226 §8).
    pub(super) fn plain(&self) -> Vec<u8> {
        extension(&pe(JWT_CLAIM_CONSTRAINTS), false, &self.encode(false))
    }

    /// `EnhancedJWTClaimConstraints` (RFC 9118 §3).
    pub(super) fn enhanced(&self) -> Vec<u8> {
        extension(&pe(ENHANCED_JWT_CLAIM_CONSTRAINTS), false, &self.encode(true))
    }

    fn encode(&self, with_exclusions: bool) -> Vec<u8> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let permitted_values = self
            .permitted
            .iter()
            .map(|(claim, permitted)| PermittedValues { claim: (*claim).to_owned(), permitted: owned(permitted) });
        ClaimConstraints {
            must_include: owned(self.must_include),
            permitted_values: permitted_values.collect(),
            must_exclude: if with_exclusions { owned(self.must_exclude) } else { Vec::new() },
        }
        .to_der()
    }
}

pub(super) fn numbers_and_providers(entries: &[TnEntry]) -> Vec<u8> {
    raw_tn_auth_list(&encode_tn_auth_list(entries), false)
}

pub(super) fn raw_tn_auth_list(value: &[u8], critical: bool) -> Vec<u8> {
    extension(&pe(TN_AUTH_LIST), critical, value)
}

pub(super) fn encode_tn_auth_list(entries: &[TnEntry]) -> Vec<u8> {
    // The lists are constants of this folder, and the lab's test writes every one of them.
    let entries: Option<Vec<_>> = entries.iter().map(|entry| entry.to_entry()).collect();
    let list = entries.and_then(|entries| TnAuthList::new(entries).ok());
    list.expect("the lab's TNAuthLists are well-formed").to_der()
}

/// Critical, as F14 says.
pub(super) fn basic_constraints(authority: bool, path_length: Option<u8>) -> Vec<u8> {
    let mut parts = Vec::new();
    if authority {
        parts.push(der::boolean_true());
        parts.extend(path_length.map(|length| der::number(u64::from(length))));
    }
    extension(&ce(19), true, &der::sequence(&parts))
}

/// Critical, as F14 says.
pub(super) fn key_usage(bits: u8) -> Vec<u8> {
    extension(&ce(15), true, &der::named_bits(bits))
}

pub(super) fn subject_key_identifier(identifier: &[u8]) -> Vec<u8> {
    extension(&ce(14), false, &der::octet_string(identifier))
}

pub(super) fn authority_key_identifier(identifier: &[u8]) -> Vec<u8> {
    extension(&ce(35), false, &der::sequence(&[der::tlv(tag::CONTEXT, identifier)]))
}

/// The one policy of the US SHAKEN certificate policy 1.4 (F16).
pub(super) fn shaken_policy() -> Vec<u8> {
    let policy = der::oid(&[2, 16, 840, 1, 114_569, 1, 1, 4]);
    extension(&ce(32), false, &der::sequence(&[der::sequence(&[policy])]))
}

/// One distribution point: where the CRL is, and whose it is (F17).
pub(super) fn crl_distribution_point(url: &str, crl_issuer: &Name) -> Vec<u8> {
    let issuer = der::context(2, &der::context(4, crl_issuer.der()));
    let point = der::sequence(&[distribution_point_name(url), issuer]);
    extension(&ce(31), false, &der::sequence(&[point]))
}

/// IssuingDistributionPoint of an indirect CRL, critical (RFC 5280 §5.2.5).
pub(super) fn indirect_issuing_distribution_point(url: &str) -> Vec<u8> {
    let indirect = der::tlv(tag::CONTEXT | 4, &[0xff]);
    extension(&ce(28), true, &der::sequence(&[distribution_point_name(url), indirect]))
}

pub(super) fn crl_number(number: u64) -> Vec<u8> {
    extension(&ce(20), false, &der::number(number))
}

pub(super) fn reason_code(reason: u8) -> Vec<u8> {
    extension(&ce(21), false, &der::tlv(tag::ENUMERATED, &[reason]))
}

/// Whose certificates this CRL entry and those after it are about, critical (RFC 5280 §5.3.3).
pub(super) fn certificate_issuer(issuer: &Name) -> Vec<u8> {
    extension(&ce(29), true, &der::sequence(&[der::context(4, issuer.der())]))
}

fn distribution_point_name(url: &str) -> Vec<u8> {
    let uri = der::tlv(tag::CONTEXT | 6, url.as_bytes());
    der::context(0, &der::context(0, &uri))
}

fn extension(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![identifier.to_vec()];
    if critical {
        parts.push(der::boolean_true());
    }
    parts.push(der::octet_string(value));
    der::sequence(&parts)
}

/// id-pe (RFC 5280 §4.2.2).
fn pe(last: u64) -> Vec<u8> {
    der::oid(&[1, 3, 6, 1, 5, 5, 7, 1, last])
}

/// id-ce (RFC 5280 §4.2.1).
fn ce(last: u64) -> Vec<u8> {
    der::oid(&[2, 5, 29, last])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn tn_auth_lists_are_the_vectors_of_c2() {
        assert_eq!(hex(&encode_tn_auth_list(&[TnEntry::Spc("1234")])), "3008a006160431323334");
        assert_eq!(hex(&encode_tn_auth_list(&[TnEntry::One("12155551212")])), "300fa20d160b3132313535353531323132");
        assert_eq!(
            hex(&encode_tn_auth_list(&[TnEntry::Range("12125551000", 1000)])),
            "3015a1133011160b3132313235353531303030020203e8"
        );
    }

    #[test]
    fn constraints_are_the_vector_of_c13() {
        let constraints = Constraints {
            must_include: &["confidence"],
            permitted: &[("confidence", &["high", "medium"])],
            must_exclude: &["priority"],
        };
        assert_eq!(
            hex(&constraints.encode(true)),
            "3040a00e300c160a636f6e666964656e6365a120301e301c160a636f6e666964656e6365300e0c04686967680c066d656469\
             756da20c300a16087072696f72697479"
        );
    }
}
