//! Certificates, CRLs and the trust list of the lab, and another parser as oracle for every certificate at hand.

#![expect(clippy::unwrap_used, reason = "a test's helper stops at a fault")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use stirtrace::certificate::Certificate;
use stirtrace::certificate::bundle::{Bundle, Limits};
use stirtrace::certificate::chain::{Error, LinkCache, Path};
use stirtrace::certificate::crl::{Crl, Status};
use stirtrace::certificate::delegation::{Authority, DelegationError};
use stirtrace::certificate::profile::lint;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::trust::sti_pa::{ListError, Policy, StiPaList};
use x509_parser::prelude::{FromDer, X509Certificate};

#[test]
fn every_certificate_is_read_as_another_parser_reads_it() {
    let mut count = 0;
    for certificate in lab_certificates().into_iter().chain(real_certificates()) {
        let (rest, other) = X509Certificate::from_der(certificate.der()).unwrap();
        assert!(rest.is_empty());
        let name = certificate.sha256_hex();
        assert_eq!(certificate.subject().der(), other.subject().as_raw(), "{name}");
        assert_eq!(certificate.issuer().der(), other.issuer().as_raw(), "{name}");
        assert_eq!(certificate.serial(), other.tbs_certificate.serial.to_bytes_be(), "{name}");
        assert_eq!(certificate.not_before().seconds(), other.validity().not_before.timestamp(), "{name}");
        assert_eq!(certificate.not_after().seconds(), other.validity().not_after.timestamp(), "{name}");
        assert_eq!(certificate.key_info_der(), other.public_key().raw, "{name}");
        assert_eq!(certificate.is_authority(), other.is_ca(), "{name}");
        let ours = certificate.extensions().iter().map(|one| (one.object_identifier.clone(), one.critical));
        let theirs = other.extensions().iter().map(|one| (one.oid.to_id_string(), one.critical));
        assert!(ours.eq(theirs), "{name}");
        let usage = certificate.key_usage().map(|usage| usage.names().count());
        let flags = other.key_usage().unwrap().map(|usage| usize::try_from(usage.value.flags.count_ones()).unwrap());
        assert_eq!(usage, flags, "{name}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn every_certificate_of_the_lab_meets_its_fate() {
    // H10, H20-H25 as the manifest has them.
    let lab = Lab::read();
    let mut fates = BTreeSet::new();
    for entry in lab.manifest["certificates"].as_array().unwrap() {
        let fate = entry["fate"].as_str().unwrap();
        let body = read(entry["archive"].as_str().unwrap());
        assert_eq!(lab.fate(&body), fate, "{}", entry["name"]);
        fates.insert(fate);
    }
    let all = [
        "bad-constraints",
        "bad-tn-auth-list",
        "delegation-exceeded",
        "expired",
        "good",
        "not-yet-valid",
        "revoked",
        "untrusted",
        "unsupported-key",
        "unusable",
    ];
    assert_eq!(fates, BTreeSet::from(all));
}

#[test]
fn crls_that_must_not_be_believed_revoke_nothing() {
    // F22 and who may revoke; peers 2.
    let lab = Lab::read();
    let paths: Vec<Path> = lab.paths().collect();
    let mut unreadable = 0;
    for name in [
        "damaged-signature.pem",
        "garbled.der",
        "garbled.pem",
        "issued-by-leaf.pem",
        "other-authority.pem",
        "signed-by-leaf.pem",
        "signed-by-stranger.pem",
        "without-crl-sign.pem",
    ] {
        let Ok(crl) = Crl::from_bytes(&read(&format!("crl/bad/{name}"))) else {
            unreadable += 1;
            continue;
        };
        for path in &paths {
            assert!(!lab.revokes(&crl, path), "{name} revokes {}", path.leaf().subject());
        }
    }
    assert_eq!(unreadable, 2);
}

#[test]
fn the_labs_trust_list_is_verified_with_either_pin() {
    // F21.
    let lab = Lab::read();
    for pin in ["trust-signer.pem", "trust-signer-root.pem"] {
        for list in ["trust-list.jwt", "trust-list/bare.jwt"] {
            let list = lab.list(list, pin, Some(42)).unwrap_or_else(|error| panic!("{list} {pin}: {error}"));
            assert_eq!(list.sequence(), 42);
            assert_eq!(list.anchors().certificates(), lab.anchors.certificates());
        }
    }
    assert_eq!(lab.list("trust-list/older.jwt", "trust-signer.pem", None).unwrap().sequence(), 41);
    let refused = |list: &str, pin: &str| lab.list(list, pin, Some(42)).unwrap_err();
    assert_eq!(
        refused("trust-list/older.jwt", "trust-signer.pem"),
        ListError::SequenceWentBack { previous: 42, sequence: 41 }
    );
    let expired = lab.list("trust-list/expired.jwt", "trust-signer.pem", None).unwrap_err();
    assert!(matches!(expired, ListError::Expired { .. }), "{expired}");
    assert_eq!(refused("trust-list/damaged.jwt", "trust-signer.pem"), ListError::InvalidSignature);
    for list in ["trust-list.jwt", "trust-list/by-stranger.jwt"] {
        let pin = if list == "trust-list.jwt" { "trust-list/stranger.pem" } else { "trust-signer-root.pem" };
        assert!(matches!(refused(list, pin), ListError::InvalidSignature | ListError::UntrustedSigner(_)), "{list}");
    }
}

#[test]
fn the_profile_has_nothing_against_a_plain_leaf() {
    let lab = Lab::read();
    let body = read("archive/certificates.lab.example/twill.pem");
    let leaf = Bundle::read(&body, &Limits::UNTRUSTED).unwrap().leaf().clone();
    assert_eq!(lint(&leaf), []);
    assert!(lab.anchors.certificates().iter().all(|root| lint(root).iter().all(|one| one.rule != "F13")));
}

struct Lab {
    manifest: Value,
    instant: UnixTime,
    anchors: TrustAnchors,
    crls: Vec<Crl>,
    crl_signer: Certificate,
    links: LinkCache,
}

impl Lab {
    fn read() -> Self {
        let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        let crls = ["crl/indirect.pem", "crl/direct-p384.pem", "crl/direct-rsa.pem", "crl/empty-p384.pem"];
        Self {
            instant: UnixTime::parse_rfc3339(manifest["instant"].as_str().unwrap()).unwrap(),
            manifest,
            anchors: TrustAnchors::from_pem(&read("roots.pem")).unwrap(),
            crls: crls.iter().map(|name| Crl::from_bytes(&read(name)).unwrap()).collect(),
            crl_signer: certificate("crl-signer.pem"),
            links: LinkCache::default(),
        }
    }

    /// What becomes of the certificate in a body, by the library alone.
    fn fate(&self, body: &[u8]) -> &'static str {
        let Ok(bundle) = Bundle::read(body, &Limits::UNTRUSTED) else { return "unusable" };
        let Ok(path) = self.path(&bundle) else { return "untrusted" };
        match path.check_validity(self.instant) {
            Ok(()) => {}
            Err(Error::Expired { .. }) => return "expired",
            Err(_) => return "not-yet-valid",
        }
        if self.crls.iter().any(|crl| self.revokes(crl, &path)) {
            return "revoked";
        }
        if path.leaf().p256_point().is_none() {
            return "unsupported-key";
        }
        match Authority::of(&path) {
            Ok(_) if path.leaf().claim_constraints().is_err() => "bad-constraints",
            Ok(_) => "good",
            Err(DelegationError::Exceeded { .. }) => "delegation-exceeded",
            Err(_) => "bad-tn-auth-list",
        }
    }

    fn path(&self, bundle: &Bundle) -> Result<Path, Error> {
        Path::find(bundle.leaf(), &bundle.certificates, self.anchors.certificates(), self.instant, &self.links)
    }

    fn paths(&self) -> impl Iterator<Item = Path> {
        self.manifest["certificates"].as_array().unwrap().iter().filter_map(|entry| {
            let body = read(entry["archive"].as_str().unwrap());
            self.path(&Bundle::read(&body, &Limits::UNTRUSTED).ok()?).ok()
        })
    }

    /// Whether a CRL that may do so revokes any certificate of a path.
    fn revokes(&self, crl: &Crl, path: &Path) -> bool {
        path.certificates().windows(2).any(|pair| {
            let pinned = std::slice::from_ref(&self.crl_signer);
            let may = crl.check_signer(&pair[0], &pair[1], pinned, &self.links).is_ok();
            may && matches!(crl.status(&pair[0], self.instant), Status::Revoked { .. })
        })
    }

    fn list(&self, list: &str, pin: &str, previous_sequence: Option<u64>) -> Result<StiPaList, ListError> {
        let (pinned, supplied) = ([certificate(pin)], [certificate("trust-signer.pem")]);
        let policy = Policy { pinned: &pinned, supplied: &supplied, previous_sequence, now: self.instant };
        StiPaList::verify(&read(list), &policy)
    }
}

fn certificate(name: &str) -> Certificate {
    Bundle::read(&read(name), &Limits::UNTRUSTED).unwrap().leaf().clone()
}

fn lab_certificates() -> Vec<Certificate> {
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let names = |list: &str, member: &str| -> Vec<String> {
        manifest[list].as_array().unwrap().iter().map(|entry| entry[member].as_str().unwrap().to_owned()).collect()
    };
    let files = names("certificates", "archive").into_iter().chain(names("authorities", "file"));
    files.filter_map(|name| Some(Bundle::read(&read(&name), &Limits::UNTRUSTED).ok()?.certificates)).flatten().collect()
}

/// The real ones, when `STIRTRACE_REAL_DATA` says where they are.
#[expect(clippy::disallowed_methods, reason = "the data are files, and the environment names their folder")]
fn real_certificates() -> Vec<Certificate> {
    let Some(folder) = std::env::var_os("STIRTRACE_REAL_DATA") else { return Vec::new() };
    let files = std::fs::read_dir(PathBuf::from(folder).join("real-certificates")).unwrap();
    let bodies = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    bodies.filter_map(|body| Some(Bundle::read(&body, &Limits::UNTRUSTED).ok()?.certificates)).flatten().collect()
}

#[expect(clippy::disallowed_methods, reason = "the lab's certificates are files")]
fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("certs").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
