//! Many signers of one provider, to measure with: a root, and under it as many signing certificates as are asked for.

use super::Error;
use super::authorities::serial;
use super::certificate::Template;
use super::extension::{self, TnEntry, usage};
use super::key::{KeyKind, LabKey, Seed, pem};
use super::name::Name;
use crate::identity_header::IdentityHeader;
use crate::passport::{Attestation, Claims, Destination, Header, Party, Passport};
use crate::time::UnixTime;

/// Signers under one root.
pub struct Crowd {
    root: Vec<u8>,
    signers: Vec<CrowdSigner>,
}

/// One of them.
pub struct CrowdSigner {
    url: String,
    certificate: Vec<u8>,
    key: LabKey,
}

impl Crowd {
    /// So many signers, whose certificates are valid for a year around an instant. The same count, the same keys.
    ///
    /// # Errors
    /// When a key does not sign: see [`Error`].
    pub fn new(count: usize, at: UnixTime) -> Result<Self, Error> {
        let seed = Seed::new("crowd");
        let (name, key) = (Name::new("Lab Crowd", "Crowd Root"), LabKey::derive(&seed, "root", KeyKind::P256)?);
        let valid = Valid { from: at.plus_seconds(-HALF_A_YEAR), until: at.plus_seconds(HALF_A_YEAR) };
        let extensions = [
            extension::basic_constraints(true, None),
            extension::key_usage(usage::KEY_CERT_SIGN),
            extension::subject_key_identifier(&key.identifier()),
        ];
        let root = valid.template(&serial(&seed, "root"), &name, &key, &extensions).issue(&name, &key)?;
        let signers = (0..count).map(|place| CrowdSigner::issue(place, &seed, &valid, &name, &key));
        Ok(Self { root, signers: signers.collect::<Result<_, _>>()? })
    }

    /// The root, as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        pem("CERTIFICATE", &self.root)
    }

    /// The signers.
    #[must_use]
    pub fn signers(&self) -> &[CrowdSigner] {
        &self.signers
    }
}

impl CrowdSigner {
    fn issue(place: usize, seed: &Seed, valid: &Valid, issuer: &Name, issuer_key: &LabKey) -> Result<Self, Error> {
        let purpose = format!("signer/{place}");
        let key = LabKey::derive(seed, &purpose, KeyKind::P256)?;
        let extensions = [
            extension::basic_constraints(false, None),
            extension::key_usage(usage::DIGITAL_SIGNATURE),
            extension::subject_key_identifier(&key.identifier()),
            extension::authority_key_identifier(&issuer_key.identifier()),
            extension::shaken_policy(),
            extension::numbers_and_providers(&[TnEntry::Spc("000A")]),
        ];
        let name = Name::new("Lab Crowd", "SHAKEN 000A");
        let template = valid.template(&serial(seed, &purpose), &name, &key, &extensions).issue(issuer, issuer_key)?;
        Ok(Self { url: format!("https://certificates.lab.example/crowd/{place}.pem"), certificate: template, key })
    }

    /// Where its certificate lies.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its certificate, as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The value of an Identity header, of type shaken with attestation A.
    ///
    /// # Errors
    /// When the key does not sign: see [`Error`].
    pub fn sign(&self, caller: &str, called: &str, iat: UnixTime) -> Result<String, Error> {
        let claims = Claims {
            attest: Some(Attestation::A.to_string()),
            origid: Some("123e4567-e89b-42d3-a456-426655440000".to_owned()),
            dest: Some(Destination::new(vec![called.to_owned()], Vec::new())),
            orig: Some(Party::Number(caller.to_owned())),
            iat: Some(iat),
            canonical: true,
            ..Claims::default()
        };
        let input = Passport::signing_input_of(&Header::new(Some("shaken"), &self.url), &claims);
        let token = Passport::token_of(&input, &self.key.sign_es256(input.as_bytes())?);
        Ok(IdentityHeader::new(token, self.url.clone(), Some("shaken".to_owned())).to_string())
    }
}

/// When certificates are valid.
struct Valid {
    from: UnixTime,
    until: UnixTime,
}

impl Valid {
    const fn template<'a>(
        &self,
        serial: &'a [u8],
        subject: &'a Name,
        key: &'a LabKey,
        extensions: &'a [Vec<u8>],
    ) -> Template<'a> {
        Template { serial, subject, key, not_before: self.from, not_after: self.until, extensions }
    }
}

const HALF_A_YEAR: i64 = 182 * 86_400;
