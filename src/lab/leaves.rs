//! The lab's signing certificates: a cast of providers, and one for each way to go wrong (table H, G15, G18-G22).

use std::collections::BTreeMap;
use std::slice;

use super::Error;
use super::authorities::{Issuer, serial};
use super::certificate::Template;
use super::extension::{self, Constraints, TnEntry, usage};
use super::key::{KeyKind, LabKey, Seed, pem};
use super::name::Name;
use super::pki::{CRL_URL, Settings, crl_issuer};
use crate::time::UnixTime;

/// What a verifier should conclude about a certificate, on the lab's day (see [`Settings::instant`]).
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    Good,
    BadConstraints,
    BadTnAuthList,
    DelegationExceeded,
    Expired,
    NotYetValid,
    Revoked,
    Unusable,
    UnsupportedKey,
    Untrusted,
}

impl Fate {
    /// The `kind` of the verdict's error.
    pub(super) const fn error_kind(self) -> Option<&'static str> {
        match self {
            Self::Good => None,
            Self::BadConstraints => Some("ClaimConstraintViolated"),
            Self::BadTnAuthList => Some("InvalidTnAuthList"),
            Self::DelegationExceeded => Some("DelegationExceeded"),
            Self::Expired => Some("CertificateExpired"),
            Self::NotYetValid => Some("CertificateNotYetValid"),
            Self::Revoked => Some("CertificateRevoked"),
            Self::Unusable => Some("UnusableCredential"),
            Self::UnsupportedKey => Some("UnsupportedKey"),
            Self::Untrusted => Some("UntrustedPath"),
        }
    }
}

/// When a leaf is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lifetime {
    Usual,
    Past,
    Future,
}

/// The TNAuthList a leaf carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// The SPC of the plan.
    Spc,
    Entries(&'static [TnEntry]),
    /// The SPC of the plan, in a critical extension.
    Critical,
    Raw(&'static [u8]),
    Absent,
}

/// Which constraint extensions a leaf carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Constrained {
    No,
    Plain(Constraints),
    Enhanced(Constraints),
    Both(Constraints),
}

/// What lies at a leaf's URL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Body {
    /// PEM: leaf, then the intermediates, no root (F20).
    Path,
    ReversedPath,
    PathAndRoot,
    LeafOnly,
    Der,
    Html,
    PublicKey,
    Empty,
}

/// A signing certificate as planned.
pub(super) struct LeafPlan {
    pub(super) name: &'static str,
    pub(super) organization: &'static str,
    pub(super) spc: &'static str,
    /// The CN, when it is not `SHAKEN <SPC>`.
    pub(super) common_name: Option<&'static str>,
    /// `None`: it signs itself.
    pub(super) issuer: Option<&'static str>,
    pub(super) key: KeyKind,
    pub(super) lifetime: Lifetime,
    pub(super) scope: Scope,
    pub(super) constrained: Constrained,
    pub(super) damaged_signature: bool,
    pub(super) body: Body,
    pub(super) authority: &'static str,
    pub(super) fate: Fate,
    /// The CRLs that name it, or an authority above it.
    pub(super) revoked_by: &'static [&'static str],
    pub(super) purpose: &'static str,
}

impl LeafPlan {
    pub(super) const USUAL: Self = Self {
        name: "",
        organization: "Lab Provider",
        spc: "000A",
        common_name: None,
        issuer: Some("int-p256"),
        key: KeyKind::P256,
        lifetime: Lifetime::Usual,
        scope: Scope::Spc,
        constrained: Constrained::No,
        damaged_signature: false,
        body: Body::Path,
        authority: "certificates.lab.example",
        fate: Fate::Good,
        revoked_by: &[],
        purpose: "",
    };

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.location())
    }

    pub(super) fn archive_path(&self) -> String {
        format!("archive/{}", self.location())
    }

    /// Whether the TNAuthList names the plan's SPC, readably.
    pub(super) fn names_spc(&self) -> bool {
        match self.scope {
            Scope::Spc | Scope::Critical => true,
            Scope::Entries(entries) => entries.contains(&TnEntry::Spc(self.spc)),
            Scope::Raw(_) | Scope::Absent => false,
        }
    }

    fn location(&self) -> String {
        let ending = if self.body == Body::Der { "der" } else { "pem" };
        format!("{}/{}.{ending}", self.authority, self.name)
    }

    fn extensions(&self, key: &LabKey, issuer_key: &LabKey) -> Vec<Vec<u8>> {
        let mut extensions = vec![
            extension::basic_constraints(false, None),
            extension::key_usage(usage::DIGITAL_SIGNATURE),
            extension::subject_key_identifier(&key.identifier()),
            extension::authority_key_identifier(&issuer_key.identifier()),
            extension::shaken_policy(),
            extension::crl_distribution_point(CRL_URL, &crl_issuer()),
        ];
        extensions
            .extend(self.tn_auth_list().map(|value| extension::raw_tn_auth_list(&value, self.is_scope_critical())));
        match self.constrained {
            Constrained::No => {}
            Constrained::Plain(constraints) => extensions.push(constraints.plain()),
            Constrained::Enhanced(constraints) => extensions.push(constraints.enhanced()),
            Constrained::Both(constraints) => extensions.extend([constraints.plain(), constraints.enhanced()]),
        }
        extensions
    }

    fn tn_auth_list(&self) -> Option<Vec<u8>> {
        match self.scope {
            Scope::Spc | Scope::Critical => Some(extension::encode_tn_auth_list(&[TnEntry::Spc(self.spc)])),
            Scope::Entries(entries) => Some(extension::encode_tn_auth_list(entries)),
            Scope::Raw(bytes) => Some(bytes.to_vec()),
            Scope::Absent => None,
        }
    }

    fn is_scope_critical(&self) -> bool {
        self.scope == Scope::Critical
    }

    fn validity(&self, settings: &Settings) -> (UnixTime, UnixTime) {
        match self.lifetime {
            Lifetime::Usual => (settings.start, settings.leaves_until()),
            Lifetime::Past => (settings.start.plus_seconds(-2 * YEAR), settings.start.plus_seconds(-YEAR)),
            Lifetime::Future => (settings.start.plus_seconds(12 * YEAR), settings.start.plus_seconds(15 * YEAR)),
        }
    }
}

const YEAR: i64 = 365 * 86_400;

/// A signing certificate that was made.
pub(super) struct Leaf {
    pub(super) plan: &'static LeafPlan,
    pub(super) issued: Issuer,
    pub(super) issuer_name: Name,
    pub(super) validity: (UnixTime, UnixTime),
    pub(super) tn_auth_list: Option<Vec<u8>>,
}

impl Leaf {
    pub(super) fn issue(
        plan: &'static LeafPlan,
        settings: &Settings,
        seed: &Seed,
        issuers: &BTreeMap<&'static str, Issuer>,
        elder: &[Self],
    ) -> Result<Self, Error> {
        let key = LabKey::derive(seed, plan.name, plan.key)?;
        let common_name = plan.common_name.map_or_else(|| format!("SHAKEN {}", plan.spc), str::to_owned);
        let name = Name::new(plan.organization, &common_name);
        let parent = plan.issuer.and_then(|issuer| {
            issuers.get(issuer).or_else(|| elder.iter().find(|leaf| leaf.plan.name == issuer).map(|leaf| &leaf.issued))
        });
        let (issuer_name, issuer_key) = parent.map_or((&name, &key), |parent| (&parent.name, &parent.key));
        let (serial, validity) = (serial(seed, plan.name), plan.validity(settings));
        let extensions = plan.extensions(&key, issuer_key);
        let template = Template {
            serial: &serial,
            subject: &name,
            key: &key,
            not_before: validity.0,
            not_after: validity.1,
            extensions: &extensions,
        };
        let mut certificate = template.issue(issuer_name, issuer_key)?;
        if let (true, Some(last)) = (plan.damaged_signature, certificate.last_mut()) {
            *last ^= 1;
        }
        let above = parent.map_or(&[][..], |parent| parent.path.as_slice());
        let path = [slice::from_ref(&certificate), above].concat();
        let root = parent.map_or_else(|| certificate.clone(), |parent| parent.root.clone());
        let issuer_name = issuer_name.clone();
        let issued = Issuer { name, key, serial, certificate, path, root };
        Ok(Self { plan, issued, issuer_name, validity, tn_auth_list: plan.tn_auth_list() })
    }

    /// What a GET of its URL returns.
    pub(super) fn body(&self) -> Vec<u8> {
        let pems = |certificates: &mut dyn Iterator<Item = &Vec<u8>>| -> Vec<u8> {
            certificates.map(|der| pem("CERTIFICATE", der)).collect::<String>().into_bytes()
        };
        let path = &self.issued.path;
        match self.plan.body {
            Body::Path => pems(&mut path.iter()),
            Body::ReversedPath => pems(&mut path.iter().rev()),
            Body::PathAndRoot => pems(&mut path.iter().chain([&self.issued.root])),
            Body::LeafOnly => pems(&mut path.iter().take(1)),
            Body::Der => self.issued.certificate.clone(),
            Body::Html => NOT_FOUND_PAGE.as_bytes().to_vec(),
            Body::PublicKey => pem("PUBLIC KEY", &self.issued.key.public_key_info()).into_bytes(),
            Body::Empty => Vec::new(),
        }
    }
}

const NOT_FOUND_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>404</title></head><body>\n\
    <h1>This page has moved</h1><p>Please sign in to continue.</p>\n</body></html>\n";
