//! `manifest.json`: every certificate of the lab, and what a verifier should make of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use super::authorities::{Issuer, PLANS, Role};
use super::leaves::{Fate, Leaf};
use super::pki::Settings;
use crate::time::UnixTime;

/// Tells a folder that the lab wrote from any other.
pub(super) const GENERATOR: &str = "stirtrace lab pki";

pub(super) fn print(settings: &Settings, issuers: &BTreeMap<&'static str, Issuer>, leaves: &[Leaf]) -> String {
    let manifest = Manifest {
        generator: GENERATOR,
        seed: &settings.seed,
        start: settings.start,
        instant: settings.instant(),
        certificates: leaves.iter().map(Certificate::new).collect(),
        authorities: PLANS
            .iter()
            .filter_map(|plan| Some((plan, issuers.get(plan.name)?)))
            .map(|(plan, issuer)| Authority {
                name: plan.name,
                role: plan.role,
                file: format!("authorities/{}.pem", plan.name),
                key: format!("keys/{}.pem", plan.name),
                subject: issuer.name.text(),
                serial: hex(&issuer.serial),
                sha256: sha256(&issuer.certificate),
                purpose: plan.purpose,
            })
            .collect(),
    };
    // Strings and lists only: serialising cannot fail.
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Manifest<'a> {
    generator: &'static str,
    seed: &'a str,
    start: UnixTime,
    instant: UnixTime,
    certificates: Vec<Certificate<'a>>,
    authorities: Vec<Authority<'a>>,
}

#[derive(Serialize)]
struct Certificate<'a> {
    name: &'static str,
    organization: &'static str,
    spc: Option<&'static str>,
    x5u: String,
    archive: String,
    key: String,
    purpose: &'static str,
    fate: Fate,
    kind: Option<&'static str>,
    revoked_by: &'static [&'static str],
    subject: &'a str,
    issuer: &'a str,
    serial: String,
    not_before: UnixTime,
    not_after: UnixTime,
    tn_auth_list: Option<String>,
    sha256: String,
}

impl<'a> Certificate<'a> {
    fn new(leaf: &'a Leaf) -> Self {
        let plan = leaf.plan;
        Self {
            name: plan.name,
            organization: plan.organization,
            spc: plan.names_spc().then_some(plan.spc),
            x5u: plan.url(),
            archive: plan.archive_path(),
            key: format!("keys/{}.pem", plan.name),
            purpose: plan.purpose,
            fate: plan.fate,
            kind: plan.fate.error_kind(),
            revoked_by: plan.revoked_by,
            subject: leaf.issued.name.text(),
            issuer: leaf.issuer_name.text(),
            serial: hex(&leaf.issued.serial),
            not_before: leaf.validity.0,
            not_after: leaf.validity.1,
            tn_auth_list: leaf.tn_auth_list.as_deref().map(hex),
            sha256: sha256(&leaf.issued.certificate),
        }
    }
}

#[derive(Serialize)]
struct Authority<'a> {
    name: &'static str,
    role: Role,
    file: String,
    key: String,
    subject: &'a str,
    serial: String,
    sha256: String,
    purpose: &'static str,
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
