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
        ("crl/bad/issued-by-leaf.pem", desk.from_leaf("prairie", "twill")?),
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

impl Desk<'_> {
    /// The STI-PA's CRL: entries of four issuers, each named once and inherited by the entries after it.
    ///
    /// Twice it holds the serial of a good certificate under another issuer's name: whoever looks at serials only
    /// revokes Cascade and Twill by mistake (G34).
    fn indirect(&self, dates: &Dates, key: &LabKey) -> Result<Vec<u8>, Error> {
        let serials = |names: &[&str]| names.iter().map(|name| serial(self.seed, name)).collect::<Vec<_>>();
        let by_nobody = serials(&["cascade"]);
        let by_root = serials(&["int-revoked"]);
        let by_p256 = serials(&["filler-1", "revoked", "revoked-later", "filler-2"]);
        let by_p384 = serials(&["revoked-p384", "filler-3"]);
        let by_rsa = serials(&["twill"]);
        let day = |days| self.settings.after_days(days);
        let line = |serial, days, reason| Revocation { serial, at: day(days), reason, certificate_issuer: None };
        let group = |issuer: &str, mut lines: Vec<Revocation<'_>>| -> Vec<_> {
            let name = self.issuers.get(issuer).map(|issuer| &issuer.name);
            lines.iter_mut().take(1).for_each(|line| line.certificate_issuer = name);
            lines
        };
        let entries = [
            // No certificateIssuer yet: the CRL issuer's own certificates.
            vec![line(&by_nobody[0], 10, None)],
            group("root-p256", vec![line(&by_root[0], 15, Some(CA_COMPROMISE))]),
            group(
                "int-p256",
                vec![
                    line(&by_p256[0], 12, None),
                    line(&by_p256[1], 30, Some(KEY_COMPROMISE)),
                    line(&by_p256[2], 150, Some(CESSATION_OF_OPERATION)),
                    line(&by_p256[3], 60, None),
                ],
            ),
            group("int-p384", vec![line(&by_p384[0], 30, Some(KEY_COMPROMISE)), line(&by_p384[1], 31, None)]),
            group("int-rsa", vec![line(&by_rsa[0], 40, None)]),
        ];
        let entries: Vec<_> = entries.into_iter().flatten().filter(|entry| entry.at <= dates.this_update).collect();
        self.list(&crl_issuer(), dates, &entries, Some(CRL_URL)).sign(key)
    }

    /// An authority's CRL about what it issued itself.
    fn direct(&self, authority: &str, revoked: &[&str]) -> Result<Vec<u8>, Error> {
        let issuer = self.issuers.get(authority).ok_or(Error::Signature)?;
        self.own(issuer, revoked)
    }

    /// What a provider without any right to it might put out.
    fn from_leaf(&self, leaf: &str, revoked: &str) -> Result<Vec<u8>, Error> {
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
