//! The lab's CRLs: the STI-PA's indirect one, the authorities' own, and the bad ones (F22, F23, G34).

use std::collections::BTreeMap;

use super::Error;
use super::authorities::{Issuer, serial};
use super::certificate::{Revocation, RevocationList};
use super::key::{KeyKind, LabKey, Seed, pem};
use super::leaves::Leaf;
use super::name::Name;
use super::pki::{CRL_URL, Settings, crl_issuer};
use crate::time::UnixTime;

/// The key of the certificate that [`super::trust_list`] issues for signing CRLs.
pub(super) fn signer_key(seed: &Seed) -> Result<LabKey, Error> {
    LabKey::derive(seed, "crl-signer", KeyKind::P256)
}

/// Every CRL, in PEM; the indirect one in DER too, also where its URL leads.
pub(super) fn files(
    settings: &Settings,
    seed: &Seed,
    issuers: &BTreeMap<&'static str, Issuer>,
    leaves: &[Leaf],
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let desk = Desk { settings, seed, issuers, leaves, current: Dates::current(settings) };
    let signer = signer_key(seed)?;
    let indirect = desk.indirect(&desk.current, &signer)?;
    let stale = desk.indirect(&Dates::stale(settings), &signer)?;
    let by_leaf = desk.indirect(&desk.current, &LabKey::derive(seed, "prairie", KeyKind::P256)?)?;
    let by_stranger = desk.indirect(&desk.current, &LabKey::derive(seed, "stranger", KeyKind::P256)?)?;
    let mut damaged = indirect.clone();
    damaged.iter_mut().last().into_iter().for_each(|last| *last ^= 1);
    let mut files = vec![
        ("crl/indirect.der".to_owned(), indirect.clone()),
        ("archive/authority.lab.example/indirect.crl".to_owned(), indirect.clone()),
        // Half of it: no CRL any more.
        ("crl/bad/garbled.der".to_owned(), indirect[..indirect.len() / 2].to_vec()),
        ("crl/bad/garbled.pem".to_owned(), GARBLED_PEM.as_bytes().to_vec()),
    ];
    let in_pem = [
        ("crl/indirect.pem", indirect),
        ("crl/stale.pem", stale),
        ("crl/direct-p384.pem", desk.direct("int-p384", &["revoked-p384"])?),
        ("crl/direct-rsa.pem", desk.direct("int-rsa", &["revoked-rsa"])?),
        ("crl/empty-p384.pem", desk.direct("int-p384", &[])?),
        ("crl/bad/without-crl-sign.pem", desk.direct("int-p256", &["twill"])?),
        ("crl/bad/other-authority.pem", desk.direct("int-rsa", &["twill"])?),
        ("crl/bad/signed-by-leaf.pem", by_leaf),
        ("crl/bad/signed-by-stranger.pem", by_stranger),
        ("crl/bad/issued-by-leaf.pem", desk.by_leaf("prairie", "twill")?),
        ("crl/bad/damaged-signature.pem", damaged),
    ];
    files.extend(in_pem.map(|(path, der)| (path.to_owned(), pem("X509 CRL", &der).into_bytes())));
    Ok(files)
}

struct Desk<'a> {
    settings: &'a Settings,
    seed: &'a Seed,
    issuers: &'a BTreeMap<&'static str, Issuer>,
    leaves: &'a [Leaf],
    current: Dates,
}

/// When a CRL was made, and when the next one is due.
struct Dates {
    this_update: UnixTime,
    next_update: UnixTime,
    number: u64,
}

impl Dates {
    fn current(settings: &Settings) -> Self {
        Self { this_update: settings.after_days(151), next_update: settings.after_days(19 * 365), number: 12 }
    }

    /// Replaced long ago, when nothing but the intermediate was revoked yet.
    fn stale(settings: &Settings) -> Self {
        Self { this_update: settings.after_days(20), next_update: settings.after_days(21), number: 3 }
    }
}

const KEY_COMPROMISE: u8 = 1;
const CA_COMPROMISE: u8 = 2;
const CESSATION_OF_OPERATION: u8 = 5;

/// A revocation: whose serial, how many days after the start, and why.
struct Line {
    name: &'static str,
    day: i64,
    reason: Option<u8>,
}

impl Line {
    const fn new(name: &'static str, day: i64) -> Self {
        Self { name, day, reason: None }
    }

    const fn because(self, reason: u8) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

/// What the indirect CRL revokes, by issuer: each is named in its first entry and inherited by the entries after it.
///
/// Twice it holds the serial of a good certificate under another issuer's name: whoever looks at serials only
/// revokes Cascade and Twill by mistake (G34).
const REVOKED: &[(&str, &[Line])] = &[
    // Nobody's name: the CRL issuer's own certificates.
    ("", &[Line::new("cascade", 10)]),
    ("root-p256", &[Line::new("int-revoked", 15).because(CA_COMPROMISE)]),
    (
        "int-p256",
        &[
            Line::new("filler-1", 12),
            Line::new("revoked", 30).because(KEY_COMPROMISE),
            Line::new("revoked-later", 150).because(CESSATION_OF_OPERATION),
            Line::new("filler-2", 60),
        ],
    ),
    ("int-p384", &[Line::new("revoked-p384", 30).because(KEY_COMPROMISE), Line::new("filler-3", 31)]),
    ("int-rsa", &[Line::new("twill", 40)]),
];

impl Desk<'_> {
    /// The STI-PA's CRL of [`REVOKED`], as far as it happened before the CRL was made.
    fn indirect(&self, dates: &Dates, key: &LabKey) -> Result<Vec<u8>, Error> {
        let lines = |lines: &'static [Line]| lines.iter().map(|line| (line, serial(self.seed, line.name)));
        let groups: Vec<(_, Vec<_>)> =
            REVOKED.iter().map(|(issuer, group)| (self.issuers.get(issuer), lines(group).collect())).collect();
        let mut entries = Vec::new();
        for (issuer, group) in &groups {
            let mut certificate_issuer = issuer.map(|issuer| &issuer.name);
            for (line, serial) in group {
                let at = self.settings.after_days(line.day);
                if at <= dates.this_update {
                    let certificate_issuer = certificate_issuer.take();
                    entries.push(Revocation { serial, at, reason: line.reason, certificate_issuer });
                }
            }
        }
        self.list(&crl_issuer(), dates, &entries, Some(CRL_URL)).sign(key)
    }

    /// An authority's CRL about what it issued itself.
    fn direct(&self, authority: &str, revoked: &[&str]) -> Result<Vec<u8>, Error> {
        let issuer = self.issuers.get(authority).ok_or(Error::Signature)?;
        self.own(issuer, revoked)
    }

    /// What a provider without any right to it might put out.
    fn by_leaf(&self, leaf: &str, revoked: &str) -> Result<Vec<u8>, Error> {
        let leaf = self.leaves.iter().find(|candidate| candidate.plan.name == leaf).ok_or(Error::Signature)?;
        self.own(&leaf.issued, &[revoked])
    }

    fn own(&self, issuer: &Issuer, revoked: &[&str]) -> Result<Vec<u8>, Error> {
        let serials: Vec<_> = revoked.iter().map(|name| serial(self.seed, name)).collect();
        let at = self.settings.after_days(30);
        let entries: Vec<_> = serials
            .iter()
            .map(|serial| Revocation { serial, at, reason: Some(KEY_COMPROMISE), certificate_issuer: None })
            .collect();
        self.list(&issuer.name, &self.current, &entries, None).sign(&issuer.key)
    }

    fn list<'b>(
        &self,
        issuer: &'b Name,
        dates: &Dates,
        entries: &'b [Revocation<'b>],
        indirect_at: Option<&'b str>,
    ) -> RevocationList<'b> {
        let Dates { this_update, next_update, number } = *dates;
        RevocationList { issuer, this_update, next_update, number, entries, indirect_at }
    }
}

const GARBLED_PEM: &str = "-----BEGIN X509 CRL-----\nTm90IGEgQ1JMOyBub3QgZXZlbiBERVIu\n-----END X509 CRL-----\n";
