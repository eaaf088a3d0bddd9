//! The shipped lab PKI of `certs/`: who signs the calls of these tests, and whom they trust.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use p256::ecdsa::SigningKey;
use p256::pkcs8::DecodePrivateKey;
use serde::Deserialize;
use stirtrace::trust::TrustAnchors;

/// What `certs/manifest.json` says of one signing certificate.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) x5u: String,
    pub(crate) archive: String,
    pub(crate) key: String,
}

pub(crate) fn entry(name: &str) -> &'static Entry {
    ENTRIES.get(name).unwrap_or_else(|| panic!("the lab has no certificate {name:?}"))
}

/// A file of `certs/`, by its path there.
pub(crate) fn file(path: &str) -> Vec<u8> {
    fs::read(folder().join(path)).unwrap_or_else(|reason| panic!("certs/{path}: {reason}"))
}

/// The P-256 key of a signing certificate.
pub(crate) fn key(name: &str) -> SigningKey {
    let pem = String::from_utf8(file(&entry(name).key)).unwrap();
    SigningKey::from_pkcs8_pem(&pem).unwrap_or_else(|reason| panic!("the key of {name}: {reason}"))
}

/// What lies at a URL, if the archive has it.
pub(crate) fn archived(url: &str) -> Option<Vec<u8>> {
    ENTRIES.values().find(|entry| entry.x5u == url).map(|entry| file(&entry.archive))
}

/// The three roots.
pub(crate) fn roots() -> TrustAnchors {
    TrustAnchors::from_pem(&file("roots.pem")).unwrap()
}

static ENTRIES: LazyLock<HashMap<String, Entry>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Manifest {
        certificates: Vec<Entry>,
    }
    let manifest: Manifest = serde_json::from_slice(&file("manifest.json")).unwrap();
    manifest.certificates.into_iter().map(|entry| (entry.name.clone(), entry)).collect()
});

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("certs")
}

/// The URL of a signing certificate, by its name.
pub(crate) fn url_of(name: &str) -> Option<&'static str> {
    ENTRIES.get(name).map(|entry| entry.x5u.as_str())
}
