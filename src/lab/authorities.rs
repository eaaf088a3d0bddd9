//! The lab's certification authorities: roots, intermediates, and providers' subordinate ones (F12-F17, F27).

use std::collections::BTreeMap;
use std::slice;

use super::Error;
use super::certificate::Template;
use super::extension::{self, TnEntry, usage};
use super::key::{KeyKind, LabKey, Seed};
use super::name::Name;
use super::pki::{CRL_URL, Settings, crl_issuer};

/// What an authority is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    TrustedRoot,
    UntrustedRoot,
    Intermediate,
    SubordinateOfProvider,
}

/// An authority as planned.
pub(super) struct AuthorityPlan {
    pub(super) name: &'static str,
    pub(super) organization: &'static str,
    pub(super) common_name: &'static str,
    pub(super) key: KeyKind,
    pub(super) issuer: Option<&'static str>,
    pub(super) path_length: Option<u8>,
    pub(super) usage: u8,
    pub(super) scope: &'static [TnEntry],
    pub(super) role: Role,
    pub(super) purpose: &'static str,
}

impl AuthorityPlan {
    const INTERMEDIATE: Self = Self {
        name: "",
        organization: "Lab Certificates",
        common_name: "",
        key: KeyKind::P256,
        issuer: None,
        path_length: None,
        usage: usage::KEY_CERT_SIGN,
        scope: &[],
        role: Role::Intermediate,
        purpose: "",
    };
    const ROOT: Self = Self { role: Role::TrustedRoot, ..Self::INTERMEDIATE };

    fn extensions(&self, key: &LabKey, issuer_key: &LabKey) -> Vec<Vec<u8>> {
        let mut extensions = vec![
            extension::basic_constraints(true, self.path_length),
            extension::key_usage(self.usage),
            extension::subject_key_identifier(&key.identifier()),
        ];
        if self.issuer.is_some() {
            extensions.push(extension::authority_key_identifier(&issuer_key.identifier()));
            extensions.push(extension::shaken_policy());
            extensions.push(extension::crl_distribution_point(CRL_URL, &crl_issuer()));
        }
        if !self.scope.is_empty() {
            extensions.push(extension::numbers_and_providers(self.scope));
        }
        extensions
    }
}

/// Whoever has a certificate and can sign another one.
pub(super) struct Issuer {
    pub(super) name: Name,
    pub(super) key: LabKey,
    pub(super) serial: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    /// From itself up to the last certificate below the root.
    pub(super) path: Vec<Vec<u8>>,
    pub(super) root: Vec<u8>,
}

/// Every authority of [`PLANS`] by its name.
pub(super) fn issue_all(settings: &Settings, seed: &Seed) -> Result<BTreeMap<&'static str, Issuer>, Error> {
    let mut issuers = BTreeMap::new();
    for plan in PLANS {
        let issuer = issue(plan, settings, seed, &issuers)?;
        issuers.insert(plan.name, issuer);
    }
    Ok(issuers)
}

fn issue(
    plan: &AuthorityPlan,
    settings: &Settings,
    seed: &Seed,
    issuers: &BTreeMap<&'static str, Issuer>,
) -> Result<Issuer, Error> {
    let key = LabKey::derive(seed, plan.name, plan.key)?;
    let name = Name::new(plan.organization, plan.common_name);
    let parent = plan.issuer.and_then(|issuer| issuers.get(issuer));
    let (issuer_name, issuer_key) = parent.map_or((&name, &key), |parent| (&parent.name, &parent.key));
    let serial = serial(seed, plan.name);
    let certificate = Template {
        serial: &serial,
        subject: &name,
        key: &key,
        not_before: settings.authorities_from(),
        not_after: if parent.is_some() { settings.intermediates_until() } else { settings.roots_until() },
        extensions: &plan.extensions(&key, issuer_key),
    }
    .issue(issuer_name, issuer_key)?;
    let (path, root) = match parent {
        None => (Vec::new(), certificate.clone()),
        Some(parent) => ([slice::from_ref(&certificate), &parent.path].concat(), parent.root.clone()),
    };
    Ok(Issuer { name, key, serial, certificate, path, root })
}

/// 16 bytes, positive (F12).
pub(super) fn serial(seed: &Seed, name: &str) -> Vec<u8> {
    let mut serial = seed.bytes(&format!("serial/{name}"))[..16].to_vec();
    serial[0] = serial[0] & 0x3f | 0x40;
    serial
}

/// Issuers come before those they issue to.
pub(super) const PLANS: &[AuthorityPlan] = &[
    AuthorityPlan {
        name: "root-p256",
        common_name: "SHAKEN Lab ROOT P-256",
        purpose: "trusted root with a P-256 key",
        ..AuthorityPlan::ROOT
    },
    AuthorityPlan {
        name: "root-p384",
        common_name: "SHAKEN Lab ROOT P-384",
        key: KeyKind::P384,
        purpose: "trusted root with a P-384 key",
        ..AuthorityPlan::ROOT
    },
    AuthorityPlan {
        name: "root-rsa",
        common_name: "SHAKEN Lab ROOT RSA",
        key: KeyKind::Rsa3072,
        purpose: "trusted root with an RSA key of 3072 bits",
        ..AuthorityPlan::ROOT
    },
    AuthorityPlan {
        name: "root-fake",
        organization: "Nobody Knows Us",
        common_name: "SHAKEN Fake ROOT",
        role: Role::UntrustedRoot,
        purpose: "a root that somebody made at home: in no trust list",
        ..AuthorityPlan::ROOT
    },
    AuthorityPlan {
        name: "int-p256",
        common_name: "SHAKEN Lab Intermediate P-256",
        issuer: Some("root-p256"),
        purpose: "intermediate with a P-256 key and keyCertSign only, as ATIS-1000080 v005 has it: may sign no CRL",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-p384",
        common_name: "SHAKEN Lab Intermediate P-384",
        key: KeyKind::P384,
        issuer: Some("root-p384"),
        path_length: Some(0),
        usage: usage::KEY_CERT_SIGN | usage::CRL_SIGN,
        purpose: "intermediate with a P-384 key, pathLen 0, and cRLSign for its own CRL",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-rsa",
        common_name: "SHAKEN Lab Intermediate RSA",
        key: KeyKind::Rsa2048,
        issuer: Some("root-rsa"),
        path_length: Some(0),
        usage: usage::KEY_CERT_SIGN | usage::CRL_SIGN,
        purpose: "intermediate with an RSA key of 2048 bits, pathLen 0, and cRLSign for its own CRL",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-p521",
        common_name: "SHAKEN Lab Intermediate P-521",
        key: KeyKind::P521,
        issuer: Some("root-p384"),
        path_length: Some(0),
        purpose: "intermediate with a P-521 key under the P-384 root",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-revoked",
        common_name: "SHAKEN Lab Intermediate Withdrawn",
        issuer: Some("root-p256"),
        purpose: "intermediate that the indirect CRL revokes under its root's name",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-fake",
        organization: "Nobody Knows Us",
        common_name: "SHAKEN Fake Intermediate",
        issuer: Some("root-fake"),
        purpose: "intermediate under the fake root",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "int-look-alike",
        common_name: "SHAKEN Lab Intermediate P-256",
        issuer: Some("root-fake"),
        purpose: "bears the name of int-p256, with another key and under the fake root",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "ca-too-deep",
        common_name: "SHAKEN Lab Authority Too Deep",
        issuer: Some("int-p384"),
        purpose: "an authority below int-p384, whose pathLen 0 forbids it",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "larkspur-sca",
        organization: "Larkspur Voice",
        common_name: "SHAKEN 207L Subordinate",
        issuer: Some("int-p256"),
        path_length: Some(0),
        scope: &[TnEntry::Spc("207L")],
        role: Role::SubordinateOfProvider,
        purpose: "subordinate CA of a provider, its scope an SPC: which numbers that is, only a registry knows",
        ..AuthorityPlan::INTERMEDIATE
    },
    AuthorityPlan {
        name: "saltmarsh-sca",
        organization: "Saltmarsh Telecom",
        common_name: "SHAKEN 455S Subordinate",
        issuer: Some("int-p256"),
        path_length: Some(0),
        scope: &[TnEntry::Range("12155550100", 50), TnEntry::One("12155550190")],
        role: Role::SubordinateOfProvider,
        purpose: "subordinate CA of a provider, its scope 12155550100 to 12155550149 and 12155550190",
        ..AuthorityPlan::INTERMEDIATE
    },
];
