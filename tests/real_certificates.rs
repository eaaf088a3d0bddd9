//! The certificates of the real SHAKEN PKI, against what their publisher's reports say of them.
//!
//! They are read from the folder that `STIRTRACE_REAL_DATA` names; without it these tests skip, and say so.

use std::collections::HashMap;
use std::path::PathBuf;

use stirtrace::certificate::Certificate;
use stirtrace::certificate::bundle::{Bundle, Limits};
use stirtrace::certificate::chain::{Error, LinkCache, Path};
use stirtrace::certificate::der::DerFault;
use stirtrace::certificate::key::KeyKind;

#[test]
fn every_certificate_is_read_as_its_publisher_reports_it() {
    let Some(corpus) = Corpus::read() else { return };
    assert_eq!(corpus.rows.len(), 212);
    for row in &corpus.rows {
        let certificate = &corpus.certificates[&row["sha256"]];
        let fields = [
            ("subject", certificate.subject().to_string()),
            ("issuer", certificate.issuer().to_string()),
            ("tnauthlist", certificate.tn_auth_list_der().map(hexadecimal).unwrap_or_default()),
            ("spc", certificate.spc().unwrap_or_default().to_owned()),
            ("notBefore", certificate.not_before().to_string()),
            ("notAfter", certificate.not_after().to_string()),
            ("key", reported_key(certificate.key_kind())),
            ("sigalg", certificate.signature_algorithm().to_string()),
        ];
        for (column, ours) in fields {
            assert_eq!(ours, row[column], "{column} of {}", row["sha256"]);
        }
    }
}

#[test]
fn malformed_tn_auth_lists_are_named_with_the_offset_and_the_reason() {
    // G19: a missing length octet, and a string without its entry around it.
    let Some(corpus) = Corpus::read() else { return };
    let mut seen = HashMap::new();
    for row in corpus.rows.iter().filter(|row| !row["problem"].is_empty()) {
        let error = corpus.certificates[&row["sha256"]].tn_auth_list().unwrap_err();
        match (row["problem"].as_str(), error.offset, &error.fault) {
            ("truncated", 4, DerFault::MissingLength { .. }) => {}
            ("entry tag 13", 2, DerFault::UnexpectedChoice { found, .. }) if found.octet() == 0x13 => {}
            (problem, _, _) => panic!("{problem}: {error}"),
        }
        *seen.entry(row["problem"].clone()).or_insert(0) += 1;
    }
    assert_eq!(seen, HashMap::from([("truncated".to_owned(), 6), ("entry tag 13".to_owned(), 6)]));
}

#[test]
fn no_well_formed_certificate_has_a_tn_auth_list_that_is_refused() {
    let Some(corpus) = Corpus::read() else { return };
    for row in corpus.rows.iter().filter(|row| row["problem"].is_empty()) {
        let certificate = &corpus.certificates[&row["sha256"]];
        assert!(certificate.tn_auth_list().is_ok(), "{}", row["sha256"]);
        assert_eq!(certificate.claim_constraints(), Ok(None));
    }
}

#[test]
fn the_issuer_found_is_the_one_whose_signature_verifies() {
    // C6: RSA, P-384 and P-521 issuers are among them.
    let Some(corpus) = Corpus::read() else { return };
    let pool: Vec<Certificate> = corpus.certificates.values().cloned().collect();
    let links = LinkCache::default();
    let mut keys = Vec::new();
    let mut unreported = 0;
    for row in &corpus.rows {
        let leaf = &corpus.certificates[&row["sha256"]];
        // With every authority an anchor, a path is the leaf and its issuer.
        let anchors: Vec<Certificate> = pool.iter().filter(|other| *other != leaf).cloned().collect();
        let found = Path::find(leaf, &[], &anchors, leaf.not_before(), &links);
        if row["issuer_sha256"].is_empty() {
            // The report leaves out issuers that OpenSSL finds too: two Neustar authorities and a web one.
            let Ok(path) = found else { continue };
            let issuer = path.issuer_of(0).map(Certificate::sha256_hex).unwrap_or_default();
            assert!(["dade1a52", "4a77c17c", "c8025f9f"].contains(&&issuer[..8]), "{} {issuer}", row["sha256"]);
            keys.extend(path.issuer_of(0).map(|issuer| issuer.key_kind().clone()));
            unreported += 1;
            continue;
        }
        let reported = &corpus.certificates[&row["issuer_sha256"]];
        // A root is its own issuer, perhaps under another certificate: no step of a path.
        if reported.key_info_der() == leaf.key_info_der() {
            continue;
        }
        let path = found.unwrap_or_else(|error| panic!("{}: {error}", row["sha256"]));
        let issuer = path.issuer_of(0).unwrap_or_else(|| panic!("{} is its own anchor", row["sha256"]));
        // Some authorities have several certificates for one key: the signature cannot tell them apart.
        assert_eq!(issuer.key_info_der(), reported.key_info_der(), "{}", row["sha256"]);
        keys.push(issuer.key_kind().clone());
    }
    assert_eq!(unreported, 41);
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Rsa { bits: 2048 }] {
        assert!(keys.contains(&kind), "{kind}");
    }
}

#[test]
fn paths_end_in_the_roots_and_a_self_signed_leaf_has_none() {
    // G22; the roots here are no trust list, only the ends of paths.
    let Some(corpus) = Corpus::read() else { return };
    let with_role = |role: &str| -> Vec<Certificate> {
        let rows = corpus.rows.iter().filter(|row| row["role"] == role);
        rows.map(|row| corpus.certificates[&row["sha256"]].clone()).collect()
    };
    let (roots, authorities) = (with_role("root"), with_role("ca"));
    let links = LinkCache::default();
    let mut complete = 0;
    for leaf in with_role("leaf") {
        match Path::find(&leaf, &authorities, &roots, leaf.not_before(), &links) {
            Ok(path) => {
                assert!(roots.contains(path.anchor()));
                complete += 1;
            }
            Err(error) => assert!(matches!(error, Error::MissingIssuer { .. } | Error::BadSignature { .. }), "{error}"),
        }
    }
    assert!(complete > 90, "{complete} leaves chain to a root");
    for leaf in with_role("selfsigned-leaf") {
        let found = Path::find(&leaf, &authorities, &roots, leaf.not_before(), &links);
        assert!(matches!(found, Err(Error::UntrustedRoot { .. })), "{found:?}");
    }
}

struct Corpus {
    rows: Vec<HashMap<String, String>>,
    certificates: HashMap<String, Certificate>,
}

impl Corpus {
    fn read() -> Option<Self> {
        let folder = folder()?.join("real-certificates");
        let index = read(&folder.join("index.tsv"));
        let index = String::from_utf8(index).expect("index.tsv is UTF-8");
        let mut lines = index.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let names = lines.next().expect("index.tsv has a header");
        let rows: Vec<HashMap<String, String>> = lines.map(|row| names.iter().cloned().zip(row).collect()).collect();
        let certificates = rows.iter().map(|row| {
            let sha256 = row["sha256"].clone();
            let octets = read(&folder.join(format!("{sha256}.pem")));
            let bundle = Bundle::read(&octets, &Limits::UNTRUSTED).unwrap_or_else(|error| panic!("{sha256}: {error}"));
            let certificate = bundle.leaf().clone();
            assert_eq!(certificate.sha256_hex(), sha256);
            (sha256, certificate)
        });
        Some(Self { certificates: certificates.collect(), rows })
    }
}

#[expect(clippy::disallowed_methods, reason = "the folder of real data is named by the environment")]
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("STIRTRACE_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        skip();
    }
    folder
}

#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn skip() {
    eprintln!("SKIPPED: STIRTRACE_REAL_DATA is not set, so the real certificates were not read");
}

#[expect(clippy::disallowed_methods, reason = "the data are files")]
fn read(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn reported_key(kind: &KeyKind) -> String {
    match kind {
        KeyKind::P256 => "EC-secp256r1".to_owned(),
        KeyKind::P384 => "EC-secp384r1".to_owned(),
        KeyKind::P521 => "EC-secp521r1".to_owned(),
        other => other.to_string(),
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
