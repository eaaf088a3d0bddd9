//! The SHAKEN certificate profile as data (ATIS-1000080 §6.4.1, F12-F20): findings, never verdicts.
//!
//! Half of the certificates in the field break one of these rules (G19), so none decides a call. What decides is the
//! path, the validity, the key and the TNAuthList.

use std::fmt;

use serde::Serialize;

use crate::certificate::claim_constraints::ClaimConstraints;
use crate::certificate::extension::{AUTHORITY_INFORMATION_ACCESS, AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS};
use crate::certificate::extension::{CERTIFICATE_POLICIES, CRL_DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_IDENTIFIER};
use crate::certificate::extension::{Extension, KeyUsage};
use crate::certificate::key::{KeyKind, SignatureAlgorithm};
use crate::certificate::tn_auth_list::{ServiceProviderCode, TnAuthList};
use crate::certificate::{Certificate, ConstraintsError};

/// A departure from the profile.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The rule, as the documentation numbers them: `F14`.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is so, in words.
    pub detail: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Right by an older edition of the profile, or harmless.
    Notice,
    /// Against the profile.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
        })
    }
}

/// What a certificate is for, by its own account.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// A certification authority below a root.
    Ca,
    /// It issues nothing.
    Leaf,
    /// A certification authority that issued itself.
    Root,
}

impl Role {
    /// The role of a certificate.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        match (certificate.is_authority(), certificate.is_self_issued()) {
            (false, _) => Self::Leaf,
            (true, true) => Self::Root,
            (true, false) => Self::Ca,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ca => "ca",
            Self::Leaf => "leaf",
            Self::Root => "root",
        })
    }
}

/// The departures of a certificate from ATIS-1000080 §6.4.1 and from the RFCs that it rests on.
#[must_use]
pub fn lint(certificate: &Certificate) -> Vec<Finding> {
    let role = Role::of(certificate);
    let mut lint = Lint { certificate, role, profile: &ATIS_1000080, findings: Vec::new() };
    lint.check_frame();
    lint.check_names();
    lint.check_use();
    lint.check_key_identifiers();
    lint.check_policies();
    lint.check_distribution_points();
    lint.check_tn_auth_list();
    lint.check_extensions();
    lint.check_claim_constraints();
    lint.findings
}

struct Profile {
    version: u8,
    serial_octets: usize,
    key: KeyKind,
    authority_keys: &'static [KeyKind],
    signatures: &'static [SignatureAlgorithm],
    common_name_word: &'static str,
    root_common_name_word: &'static str,
    leaf_usage: KeyUsage,
    authority_usage: KeyUsage,
    subject_key_octets: usize,
    policy_arc: &'static str,
    policy_needs_serial_number: &'static str,
    any_policy: &'static str,
    policies: [Presence; 3],
    distribution_points: [Presence; 3],
    authority_key_identifier: [Presence; 3],
    tn_auth_list: [Presence; 3],
    critical: &'static [&'static str],
    extensions: &'static [&'static str],
}

/// Whether something is in a root, an intermediate, a leaf.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Presence {
    Absent,
    Optional,
    Required,
}

use Presence::{Absent, Optional, Required};

/// ATIS-1000080 v005 (2022-12), with what v003 and v004 admitted where certificates of these are still in use.
const ATIS_1000080: Profile = Profile {
    // F12: X.509 v3.
    version: 3,
    // F12: above zero, 64 bits from a random generator.
    serial_octets: 8,
    // F12: P-256; CP 1.4 also P-384 for authorities.
    key: KeyKind::P256,
    authority_keys: &[KeyKind::P256, KeyKind::P384],
    // F12: ecdsa-with-SHA256; CP 1.4 also lets authorities with P-384 sign with SHA-384.
    signatures: &[SignatureAlgorithm::EcdsaSha256, SignatureAlgorithm::EcdsaSha384],
    // F13: "SHAKEN 1234" in leaves, the word in authorities, "ROOT" too in roots.
    common_name_word: "SHAKEN",
    root_common_name_word: "ROOT",
    // F14: NOTE: v004 also let authorities have digitalSignature and cRLSign; that is a notice.
    leaf_usage: KeyUsage::DIGITAL_SIGNATURE,
    authority_usage: KeyUsage::KEY_CERT_SIGN,
    // F15: the SHA-1 of the key.
    subject_key_octets: 20,
    // F16: one policy of the US SHAKEN arc; NOTE: any of them, not only the newest.
    policy_arc: "2.16.840.1.114569.1.1.",
    // F13: CP 1.3 wants a serialNumber in the subject.
    policy_needs_serial_number: "2.16.840.1.114569.1.1.3",
    any_policy: "2.5.29.32.0",
    //                        root      ca        leaf
    // F16
    policies: [Absent, Required, Required],
    // F17
    distribution_points: [Absent, Required, Required],
    // F15
    authority_key_identifier: [Optional, Required, Required],
    // F18
    tn_auth_list: [Absent, Absent, Required],
    // F18: NOTE: a critical TNAuthList is tolerated (C1 says that it is not critical).
    critical: &[BASIC_CONSTRAINTS, KEY_USAGE],
    // F19
    extensions: &[
        BASIC_CONSTRAINTS,
        KEY_USAGE,
        SUBJECT_KEY_IDENTIFIER,
        AUTHORITY_KEY_IDENTIFIER,
        CERTIFICATE_POLICIES,
        CRL_DISTRIBUTION_POINTS,
        AUTHORITY_INFORMATION_ACCESS,
        TnAuthList::OBJECT_IDENTIFIER,
        ClaimConstraints::OBJECT_IDENTIFIER,
        ClaimConstraints::ENHANCED_OBJECT_IDENTIFIER,
    ],
};

struct Lint<'a> {
    certificate: &'a Certificate,
    role: Role,
    profile: &'static Profile,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn warn(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.findings.push(Finding { rule, severity: Severity::Warning, detail: detail.into() });
    }

    fn notice(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.findings.push(Finding { rule, severity: Severity::Notice, detail: detail.into() });
    }

    fn presence(&self, by_role: [Presence; 3]) -> Presence {
        let [root, ca, leaf] = by_role;
        match self.role {
            Role::Root => root,
            Role::Ca => ca,
            Role::Leaf => leaf,
        }
    }

    fn check_frame(&mut self) {
        let (certificate, profile) = (self.certificate, self.profile);
        if certificate.version() != profile.version {
            self.warn("F12", format!("X.509 version {}", certificate.version()));
        }
        if !certificate.serial_is_positive() {
            self.warn("F12", "the serial number is not above zero");
        } else if certificate.serial().len() < profile.serial_octets {
            let bits = certificate.serial().len() * 8;
            self.warn("F12", format!("a serial number of at most {bits} bits, where 64 random ones are wanted"));
        }
        let authority = self.role != Role::Leaf;
        let key = certificate.key_kind();
        if !(*key == profile.key || authority && profile.authority_keys.contains(key)) {
            self.warn("F12", format!("a key {key}"));
        }
        let signed = certificate.signature_algorithm();
        if !profile.signatures.contains(signed) {
            self.warn("F12", format!("signed with {signed}"));
        }
        if certificate.has_superfluous_null() {
            self.warn("F12", "the signature algorithm has NULL parameters, which ECDSA does not have");
        }
        if !certificate.algorithms_agree() {
            self.warn("F12", "two different signature algorithms are named");
        }
    }

    fn check_names(&mut self) {
        let (subject, profile) = (self.certificate.subject(), self.profile);
        match subject.country() {
            None => self.warn("F13", "the subject has no country (C)"),
            Some(country) if country.len() == 2 && country.bytes().all(|octet| octet.is_ascii_uppercase()) => {}
            Some(country) => self.warn("F13", format!("{country:?} is no ISO 3166 country code")),
        }
        if subject.organization().is_none_or(str::is_empty) {
            self.warn("F13", "the subject has no organization (O)");
        }
        let Some(common_name) = subject.common_name() else {
            return self.warn("F13", "the subject has no common name (CN)");
        };
        match self.role {
            Role::Leaf => self.check_leaf_name(common_name),
            Role::Ca | Role::Root => {
                let upper = common_name.to_uppercase();
                if !upper.contains(profile.common_name_word) {
                    self.warn("F13", format!("the common name {common_name:?} lacks {}", profile.common_name_word));
                }
                if self.role == Role::Root && !upper.contains(profile.root_common_name_word) {
                    self.warn(
                        "F13",
                        format!("the common name {common_name:?} lacks {}", profile.root_common_name_word),
                    );
                }
            }
        }
        // CP 1.3 only.
        let old_policy = self.certificate.policies().iter().any(|policy| policy == profile.policy_needs_serial_number);
        if self.role == Role::Leaf && old_policy && subject.attribute(SERIAL_NUMBER).is_none() {
            self.notice("F13", "the subject has no serialNumber, which its policy (CP 1.3) wants");
        }
    }

    fn check_leaf_name(&mut self, common_name: &str) {
        let Some(spc) = self.certificate.spc() else { return };
        let wanted = format!("{} {spc}", self.profile.common_name_word);
        if common_name == wanted {
            return;
        }
        self.warn("F13", format!("the common name is {common_name:?}, not {wanted:?}"));
        // G20: the TNAuthList decides who signs.
        let words = || common_name.split(|character: char| !character.is_ascii_alphanumeric());
        let other = words().find(|word| looks_like_a_code(word));
        if let Some(other) = other.filter(|_| !words().any(|word| word == spc)) {
            self.warn("G20", format!("the common name says {other}, the TNAuthList {spc}, which counts"));
        }
    }

    fn check_use(&mut self) {
        let (certificate, profile) = (self.certificate, self.profile);
        if certificate.basic_constraints().is_none() {
            self.warn("F14", "no basicConstraints");
        }
        self.check_critical(BASIC_CONSTRAINTS, "basicConstraints");
        let wanted = if self.role == Role::Leaf { profile.leaf_usage } else { profile.authority_usage };
        self.check_critical(KEY_USAGE, "keyUsage");
        match certificate.key_usage() {
            None => self.warn("F14", "no keyUsage"),
            Some(usage) if usage == wanted => {}
            Some(usage) => {
                let names = usage.names().collect::<Vec<_>>().join(", ");
                let only = wanted.names().collect::<Vec<_>>().join(", ");
                let detail = format!("keyUsage is {names}, where {only} alone is wanted");
                let older = usage.names().all(|name| matches!(name, "digitalSignature" | "keyCertSign" | "cRLSign"));
                if self.role != Role::Leaf && usage.contains(wanted) && older {
                    self.notice("F14", detail);
                } else {
                    self.warn("F14", detail);
                }
            }
        }
    }

    fn check_critical(&mut self, object_identifier: &str, name: &str) {
        let not_critical = |extension: &Extension| !extension.critical;
        if self.certificate.extension(object_identifier).is_some_and(not_critical) {
            self.warn("F14", format!("{name} is not critical"));
        }
    }

    fn check_key_identifiers(&mut self) {
        match self.certificate.subject_key_identifier() {
            None => self.warn("F15", "no subject key identifier"),
            Some(identifier) if identifier.len() != self.profile.subject_key_octets => {
                self.notice("F15", format!("a subject key identifier of {} octets", identifier.len()));
            }
            Some(_) => {}
        }
        let key = self.certificate.authority_key_identifier().and_then(|authority| authority.key_identifier.as_ref());
        if key.is_none() && self.presence(self.profile.authority_key_identifier) == Required {
            self.warn("F15", "no authority key identifier with a key");
        }
    }

    fn check_policies(&mut self) {
        let (policies, profile) = (self.certificate.policies(), self.profile);
        let presence = self.presence(profile.policies);
        if self.certificate.extension(CERTIFICATE_POLICIES).is_some_and(|extension| extension.critical) {
            self.warn("F16", "certificatePolicies is critical");
        }
        match (presence, policies) {
            (Required, []) => self.warn("F16", "no certificate policy"),
            (Absent, [_, ..]) => self.notice("F16", "a root with a certificate policy"),
            (Required, [_, _, ..]) => {
                self.warn("F16", format!("{} certificate policies, where one is wanted", policies.len()))
            }
            _ => {}
        }
        let any_policy = |policy: &String| self.role != Role::Leaf && policy == profile.any_policy;
        let foreign = policies.iter().find(|policy| !policy.starts_with(profile.policy_arc) && !any_policy(policy));
        if let Some(policy) = foreign {
            self.warn("F16", format!("policy {policy} is none of the SHAKEN policies"));
        }
    }

    fn check_distribution_points(&mut self) {
        let points = self.certificate.distribution_points();
        if self.certificate.extension(CRL_DISTRIBUTION_POINTS).is_some_and(|extension| extension.critical) {
            self.warn("F17", "cRLDistributionPoints is critical");
        }
        let [point] = points else {
            let presence = self.presence(self.profile.distribution_points);
            return match (presence, points) {
                (Required, []) => self.warn("F17", "no CRL distribution point"),
                (_, [_, _, ..]) => {
                    self.warn("F17", format!("{} CRL distribution points, where one is wanted", points.len()))
                }
                _ => {}
            };
        };
        if self.role == Role::Root {
            self.notice("F17", "a root with a CRL distribution point");
        }
        if !point.urls.iter().any(|url| url.starts_with("https://") || url.starts_with("http://")) {
            self.warn("F17", "the CRL distribution point has no URL");
        }
        if point.crl_issuers.is_empty() {
            self.warn("F17", "the CRL distribution point has no cRLIssuer: the STI-PA's CRL cannot revoke it");
        }
    }

    fn check_tn_auth_list(&mut self) {
        let presence = self.presence(self.profile.tn_auth_list);
        if self.certificate.extension(TnAuthList::OBJECT_IDENTIFIER).is_some_and(|extension| extension.critical) {
            self.warn("C1", "the TNAuthList is critical");
        }
        if self.certificate.tn_list_urls().iter().any(|url| !url.starts_with("https://")) {
            self.warn("C5", "a TNAuthList is to be fetched from a URL that is not https");
        }
        match self.certificate.tn_auth_list() {
            Err(error) => self.warn("F18", format!("the TNAuthList is wrong: {error}")),
            Ok(None) if presence == Required => self.warn("F18", "no TNAuthList"),
            Ok(None) => {}
            // RFC 9060: a delegating authority has one.
            Ok(Some(_)) if presence == Absent => self.notice("F18", "an authority with a TNAuthList"),
            Ok(Some(list)) => self.check_entries(list),
        }
    }

    fn check_entries(&mut self, list: &TnAuthList) {
        if list.has_numbers() {
            self.notice("F18", "the TNAuthList has telephone numbers: a delegate certificate");
        } else if list.entries().len() != 1 {
            self.warn("F18", format!("{} service provider codes, where one is wanted", list.entries().len()));
        }
        let odd = list.spcs().map(ServiceProviderCode::as_str).find(|spc| !is_a_code(spc));
        if let Some(spc) = odd {
            self.warn("F18", format!("the service provider code {spc:?} has other characters than A-Z and 0-9"));
        }
        if TnAuthList::parse_strict(&list.to_der()).is_err() {
            self.notice("C3", "a range ends with the last number of its digits");
        }
    }

    fn check_extensions(&mut self) {
        for extension in self.certificate.extensions() {
            let name = &extension.object_identifier;
            let known = self.profile.extensions.contains(&name.as_str());
            if let Some(fault) = &extension.fault {
                self.warn("F19", format!("the extension {name} cannot be read: {fault}"));
            } else if !known && extension.critical {
                self.warn("F18", format!("the extension {name} is critical, and none of the profile's"));
            } else if !known {
                self.warn("F19", format!("the extension {name} is none of the profile's"));
            } else if extension.critical && !self.profile.critical.contains(&name.as_str()) && !self.is_judged(name) {
                self.warn("F18", format!("the extension {name} is critical"));
            }
        }
    }

    /// Whether a rule of its own speaks of that extension's criticality.
    fn is_judged(&self, name: &str) -> bool {
        [CERTIFICATE_POLICIES, CRL_DISTRIBUTION_POINTS, TnAuthList::OBJECT_IDENTIFIER].contains(&name)
    }

    fn check_claim_constraints(&mut self) {
        match self.certificate.claim_constraints() {
            Ok(None) => {}
            Err(ConstraintsError::BothForms) => self.warn("C9", "both forms of claim constraints"),
            Err(ConstraintsError::Malformed(error)) => {
                self.warn("C8", format!("the claim constraints are wrong: {error}"))
            }
            Ok(Some(constraints)) => {
                if self.role != Role::Leaf {
                    self.warn("C8", "claim constraints in an authority's certificate");
                }
                if let Some(claim) = constraints.void_because_of() {
                    self.warn("C11", format!("mustExclude names {claim:?}, which voids the claim constraints"));
                }
                if constraints.must_exclude.iter().any(|claim| claim == "rcdi") {
                    self.warn("C11", "mustExclude names \"rcdi\"");
                }
            }
        }
    }
}

/// F18: `[A-Z0-9]+`.
fn is_a_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit())
}

/// Four characters with a digit, as all codes of the field are: `1234`, `818H`.
fn looks_like_a_code(word: &str) -> bool {
    word.len() == 4 && is_a_code(word) && word.bytes().any(|octet| octet.is_ascii_digit())
}

const SERIAL_NUMBER: &str = "2.5.4.5";

#[cfg(test)]
mod tests;
