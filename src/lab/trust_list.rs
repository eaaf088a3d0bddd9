//! The STI-PA of the lab: its certificates, and its signed list of trusted roots (F21).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::Error;
use super::authorities::serial;
use super::certificate::Template;
use super::extension::{self, usage};
use super::key::{KeyKind, LabKey, Seed, pem};
use super::name::Name;
use super::pki::{Settings, crl_issuer};
use super::revocation;
use crate::time::UnixTime;

/// A file of the STI-PA.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) private: bool,
}

/// The STI-PA's certificates, keys and lists.
pub(super) fn files(settings: &Settings, seed: &Seed, roots: &[String]) -> Result<Vec<File>, Error> {
    let root = Authority::new(seed, "sti-pa-root", "STI-PA Lab ROOT")?;
    let signer = Authority::new(seed, "trust-signer", "STI-PA Trust List")?;
    let stranger = Authority::new(seed, "stranger", "STI-PA Trust List")?;
    let crl_signer = Authority { purpose: "crl-signer", name: crl_issuer(), key: revocation::signer_key(seed)? };
    let certificate = |subject: &Authority, usage, issuer: &Authority| subject.certify(settings, seed, usage, issuer);
    let signer_pem = certificate(&signer, usage::DIGITAL_SIGNATURE, &root)?;
    let public = |path, text: String| File { path, bytes: text.into_bytes(), private: false };
    let mut files = vec![
        public("trust-signer.pem", signer_pem.clone()),
        public("archive/authority.lab.example/trust-signer.pem", signer_pem),
        public("trust-signer-root.pem", certificate(&root, usage::KEY_CERT_SIGN, &root)?),
        public("trust-list/stranger.pem", certificate(&stranger, usage::DIGITAL_SIGNATURE, &stranger)?),
        public("crl-signer.pem", certificate(&crl_signer, usage::CRL_SIGN, &root)?),
    ];
    for (path, authority) in [
        ("keys/sti-pa-root.pem", &root),
        ("keys/trust-signer.pem", &signer),
        ("keys/stranger.pem", &stranger),
        ("keys/crl-signer.pem", &crl_signer),
    ] {
        files.push(File { path, bytes: authority.key.private_pem().into_bytes(), private: true });
    }
    files.extend(lists(settings, roots, &signer.key, &stranger.key)?.map(|(path, text)| public(path, text)));
    Ok(files)
}

fn lists(
    settings: &Settings,
    roots: &[String],
    signer: &LabKey,
    stranger: &LabKey,
) -> Result<[(&'static str, String); 6], Error> {
    let current = List {
        exp: settings.after_days(19 * 365).seconds(),
        extensions: serde_json::Map::new(),
        sequence: 42,
        trust_list: roots,
        version: "1.0",
    };
    let jws = current.sign(signer)?;
    let older = List { sequence: 41, trust_list: &roots[..roots.len().min(2)], ..current.clone() };
    let expired = List { exp: settings.after_days(-1).seconds(), sequence: 40, ..current.clone() };
    let damaged = List { sequence: 43, ..current.clone() }.sign(signer)?;
    // The payload says 43, the signature is of 42.
    let damaged = match (damaged.rsplit_once('.'), jws.rsplit_once('.')) {
        (Some((signed, _)), Some((_, signature))) => format!("{signed}.{signature}"),
        _ => damaged,
    };
    Ok([
        ("trust-list.jwt", envelope(&jws)),
        ("trust-list/bare.jwt", format!("{jws}\n")),
        ("trust-list/older.jwt", envelope(&older.sign(signer)?)),
        ("trust-list/expired.jwt", envelope(&expired.sign(signer)?)),
        ("trust-list/by-stranger.jwt", envelope(&current.sign(stranger)?)),
        ("trust-list/damaged.jwt", envelope(&damaged)),
    ])
}

/// What the STI-PA's interface answers.
fn envelope(jws: &str) -> String {
    format!("{}\n", serde_json::json!({ "caList": jws }))
}

struct Authority {
    purpose: &'static str,
    name: Name,
    key: LabKey,
}

impl Authority {
    fn new(seed: &Seed, purpose: &'static str, common_name: &str) -> Result<Self, Error> {
        let key = LabKey::derive(seed, purpose, KeyKind::P256)?;
        Ok(Self { purpose, name: Name::new("Lab STI-PA", common_name), key })
    }

    fn certify(&self, settings: &Settings, seed: &Seed, usage: u8, issuer: &Self) -> Result<String, Error> {
        let extensions = [
            extension::basic_constraints(usage == usage::KEY_CERT_SIGN, None),
            extension::key_usage(usage),
            extension::subject_key_identifier(&self.key.identifier()),
            extension::authority_key_identifier(&issuer.key.identifier()),
        ];
        let not_after: UnixTime = settings.roots_until();
        let certificate = Template {
            serial: &serial(seed, self.purpose),
            subject: &self.name,
            key: &self.key,
            not_before: settings.authorities_from(),
            not_after,
            extensions: &extensions,
        };
        Ok(pem("CERTIFICATE", &certificate.issue(&issuer.name, &issuer.key)?))
    }
}

/// The payload of the list.
#[derive(Clone, Serialize)]
struct List<'a> {
    exp: i64,
    extensions: serde_json::Map<String, serde_json::Value>,
    sequence: u64,
    #[serde(rename = "trustList")]
    trust_list: &'a [String],
    version: &'static str,
}

impl List<'_> {
    /// A JWS of type JWT (RFC 7519), ES256.
    fn sign(&self, key: &LabKey) -> Result<String, Error> {
        const HEADER: &str = r#"{"alg":"ES256","typ":"JWT","x5u":"https://authority.lab.example/trust-signer.pem"}"#;
        let payload = serde_json::to_string(self).map_err(|_| Error::Signature)?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(key.sign_es256(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }
}
