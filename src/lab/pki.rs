//! Everything in a lab PKI, from names to bytes, without a clock or a file: the same settings, the same bytes.

use std::collections::BTreeMap;

use super::Error;
use super::authorities::{self, Issuer, PLANS, Role};
use super::cast::LEAVES;
use super::key::{Seed, pem};
use super::leaves::Leaf;
use super::manifest;
use super::name::Name;
use super::readme;
use super::revocation;
use super::trust_list;
use crate::time::UnixTime;

/// Where the CRL distribution points of the lab's certificates lead.
pub(super) const CRL_URL: &str = "https://authority.lab.example/indirect.crl";

/// What a lab is made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How many days a usual signing certificate is valid.
    pub leaf_days: u32,
    /// Keys and serial numbers come from this text.
    pub seed: String,
    /// The first day of the usual signing certificates.
    pub start: UnixTime,
}

impl Settings {
    /// Signing certificates end before the intermediates do.
    pub const MAX_LEAF_DAYS: u32 = 7_000;
    /// 2026-01-01T00:00:00Z.
    pub const DEFAULT_START: UnixTime = UnixTime::from_seconds(1_767_225_600);
    /// Ten years, so that examples keep working.
    pub const DEFAULT_LEAF_DAYS: u32 = 3_653;

    const DAY: i64 = 86_400;
    /// 9900-01-01: the roots' end still has four digits.
    const LAST_START: UnixTime = UnixTime::from_seconds(250_246_627_200);

    /// The day whose verdicts the manifest foretells, noon: 123 days after the start, 2026-05-04 as a rule.
    #[must_use]
    pub fn instant(&self) -> UnixTime {
        self.after_days(123).plus_seconds(Self::DAY / 2)
    }

    pub(super) fn after_days(&self, days: i64) -> UnixTime {
        self.start.plus_seconds(days * Self::DAY)
    }

    /// Long before the leaves, so that the expired one had an issuer while it was valid.
    pub(super) fn authorities_from(&self) -> UnixTime {
        self.after_days(-5 * 365)
    }

    pub(super) fn leaves_until(&self) -> UnixTime {
        self.after_days(i64::from(self.leaf_days)).plus_seconds(-1)
    }

    pub(super) fn intermediates_until(&self) -> UnixTime {
        self.after_days(20 * 365)
    }

    pub(super) fn roots_until(&self) -> UnixTime {
        self.after_days(25 * 365)
    }

    fn check(&self) -> Result<(), Error> {
        let limit = Self::MAX_LEAF_DAYS;
        if !(1..=limit).contains(&self.leaf_days) {
            return Err(Error::LeafDays { days: self.leaf_days, limit });
        }
        if self.start < UnixTime::default() || self.start > Self::LAST_START {
            return Err(Error::Start { start: self.start });
        }
        Ok(())
    }
}

impl Default for Settings {
    /// Seed `1`, from 2026 on.
    fn default() -> Self {
        Self { leaf_days: Self::DEFAULT_LEAF_DAYS, seed: "1".to_owned(), start: Self::DEFAULT_START }
    }
}

/// A lab PKI: the bytes of each file, by its path below the lab's folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabPki {
    files: BTreeMap<String, LabFile>,
}

/// One file of the lab.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LabFile {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether it holds a private key, and is written for its owner's eyes only.
    pub private: bool,
}

impl LabPki {
    /// The bytes of one file, by its path with `/`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|file| file.bytes.as_slice())
    }

    /// Every file in the order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &LabFile)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), LabFile { bytes: bytes.into(), private: false });
    }

    fn add_private(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), LabFile { bytes: bytes.into(), private: true });
    }
}

/// Makes the whole lab.
///
/// # Errors
/// When the settings make no sense: see [`Error`].
pub fn generate(settings: &Settings) -> Result<LabPki, Error> {
    settings.check()?;
    let seed = Seed::new(&settings.seed);
    let issuers = authorities::issue_all(settings, &seed)?;
    let leaves = issue_leaves(settings, &seed, &issuers)?;
    let mut lab = LabPki { files: BTreeMap::new() };
    add_authorities(&mut lab, &issuers);
    add_leaves(&mut lab, &leaves);
    for (path, bytes) in revocation::files(settings, &seed, &issuers, &leaves)? {
        lab.add(path, bytes);
    }
    for file in trust_list::files(settings, &seed, &trusted_roots(&issuers))? {
        if file.private { lab.add_private(file.path, file.bytes) } else { lab.add(file.path, file.bytes) }
    }
    lab.add("manifest.json", manifest::print(settings, &issuers, &leaves));
    lab.add("README.md", readme::print(settings));
    Ok(lab)
}

fn issue_leaves(
    settings: &Settings,
    seed: &Seed,
    issuers: &BTreeMap<&'static str, Issuer>,
) -> Result<Vec<Leaf>, Error> {
    let mut leaves = Vec::new();
    for plan in LEAVES {
        let leaf = Leaf::issue(plan, settings, seed, issuers, &leaves)?;
        leaves.push(leaf);
    }
    Ok(leaves)
}

fn add_authorities(lab: &mut LabPki, issuers: &BTreeMap<&'static str, Issuer>) {
    for (name, issuer) in issuers {
        lab.add(format!("authorities/{name}.pem"), pem("CERTIFICATE", &issuer.certificate));
        lab.add_private(format!("keys/{name}.pem"), issuer.key.private_pem());
    }
    lab.add("roots.pem", trusted_roots(issuers).concat());
}

fn add_leaves(lab: &mut LabPki, leaves: &[Leaf]) {
    for leaf in leaves {
        lab.add(leaf.plan.archive_path(), leaf.body());
        lab.add_private(format!("keys/{}.pem", leaf.plan.name), leaf.issued.key.private_pem());
    }
}

/// The trust anchors as PEM.
fn trusted_roots(issuers: &BTreeMap<&'static str, Issuer>) -> Vec<String> {
    let is_trusted = |name: &str| PLANS.iter().any(|plan| plan.name == name && plan.role == Role::TrustedRoot);
    issuers
        .iter()
        .filter(|(name, _)| is_trusted(name))
        .map(|(_, issuer)| pem("CERTIFICATE", &issuer.certificate))
        .collect()
}

/// Whose name the CRL bears: what certificates call their cRLIssuer (F17).
pub(super) fn crl_issuer() -> Name {
    Name::new("Lab STI-PA", "STI-PA CRL")
}
