//! The lab's key pairs: elliptic ones derived from the seed, RSA ones fixed.
//!
//! Anybody can compute them, which is their purpose: they are worthless outside the lab.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;

use super::Error;
use super::der::{self, tag};

/// Where everything that looks random comes from: the same seed, the same lab.
#[derive(Clone, Debug)]
pub(super) struct Seed(Vec<u8>);

impl Seed {
    pub(super) fn new(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// 32 bytes that belong to `purpose`.
    pub(super) fn bytes(&self, purpose: &str) -> [u8; 32] {
        let input = [b"stirtrace lab\0", self.0.as_slice(), b"\0", purpose.as_bytes()].concat();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&SHA256, &input).as_ref());
        bytes
    }

    /// `length` bytes that belong to `purpose`, the `attempt`th of their kind.
    fn scalar(&self, purpose: &str, attempt: u32, length: usize) -> Vec<u8> {
        (0..3).flat_map(|block| self.bytes(&format!("{purpose}/{attempt}/{block}"))).take(length).collect()
    }
}

/// Which key a certificate gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyKind {
    P256,
    P384,
    P521,
    Rsa2048,
    Rsa2048Leaf,
    Rsa3072,
}

/// A key pair that signs the same bytes the same way every time.
pub(super) enum LabKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa { pair: rsa::KeyPair, pem: &'static str },
}

impl LabKey {
    pub(super) fn derive(seed: &Seed, name: &str, kind: KeyKind) -> Result<Self, Error> {
        let purpose = format!("key/{name}");
        // A candidate is no scalar of its curve once in 2^32 (P-256) or less often: the next one is.
        let scalars = |length| (0..64).map(move |attempt| (attempt, length));
        let made = match kind {
            KeyKind::P256 => scalars(32)
                .find_map(|(attempt, length)| {
                    p256::ecdsa::SigningKey::from_slice(&seed.scalar(&purpose, attempt, length)).ok()
                })
                .map(Self::P256),
            KeyKind::P384 => scalars(48)
                .find_map(|(attempt, length)| {
                    p384::ecdsa::SigningKey::from_slice(&seed.scalar(&purpose, attempt, length)).ok()
                })
                .map(Self::P384),
            KeyKind::P521 => scalars(66)
                .find_map(|(attempt, length)| {
                    let mut scalar = seed.scalar(&purpose, attempt, length);
                    // 521 bits: one in the first byte.
                    scalar[0] &= 1;
                    p521::ecdsa::SigningKey::from_slice(&scalar).ok()
                })
                .map(Self::P521),
            KeyKind::Rsa2048 => rsa_pair(RSA_2048),
            KeyKind::Rsa2048Leaf => rsa_pair(RSA_2048_LEAF),
            KeyKind::Rsa3072 => rsa_pair(RSA_3072),
        };
        made.ok_or_else(|| Error::Key { name: name.to_owned() })
    }

    /// SubjectPublicKeyInfo (RFC 5480 §2, RFC 3279 §2.3.1).
    pub(super) fn public_key_info(&self) -> Vec<u8> {
        der::sequence(&[self.key_algorithm(), der::bit_string(&self.public_key())])
    }

    /// The SHA-1 of the public key: what SKI and AKI hold (F15, RFC 5280 §4.2.1.2 method 1).
    pub(super) fn identifier(&self) -> Vec<u8> {
        digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.public_key()).as_ref().to_vec()
    }

    /// The private key as PKCS#8 PEM.
    pub(super) fn private_pem(&self) -> String {
        let scalar = match self {
            Self::Rsa { pem, .. } => return (*pem).to_owned(),
            Self::P256(key) => key.to_bytes().to_vec(),
            Self::P384(key) => key.to_bytes().to_vec(),
            Self::P521(key) => key.to_bytes().to_vec(),
        };
        // RFC 5915 §3, RFC 5958 §2.
        let public = der::context(1, &der::bit_string(&self.public_key()));
        let key = der::sequence(&[der::number(1), der::octet_string(&scalar), public]);
        pem("PRIVATE KEY", &der::sequence(&[der::number(0), self.key_algorithm(), der::octet_string(&key)]))
    }

    /// The AlgorithmIdentifier of [`Self::sign`] (RFC 5758 §3.2, RFC 4055 §5).
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        let ecdsa = |last| der::sequence(&[der::oid(&[1, 2, 840, 10045, 4, 3, last])]);
        match self {
            Self::P256(_) => ecdsa(2),
            Self::P384(_) => ecdsa(3),
            Self::P521(_) => ecdsa(4),
            Self::Rsa { .. } => der::sequence(&[der::oid(&[1, 2, 840, 113_549, 1, 1, 11]), der::tlv(tag::NULL, &[])]),
        }
    }

    /// The signature with the hash that goes with the key, DER for ECDSA (RFC 6979, RFC 8017 §8.2).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Rsa { pair, .. } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // PKCS#1 v1.5 signatures take no randomness: the generator is there for other paddings.
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| Error::Signature)?;
                Ok(signature)
            }
        }
    }

    /// The ES256 signature of a JWS: r and s, 32 bytes each (A3).
    pub(super) fn sign_es256(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let Self::P256(key) = self else { return Err(Error::Signature) };
        let signature: p256::ecdsa::Signature = key.sign(message);
        Ok(signature.to_bytes().to_vec())
    }

    fn key_algorithm(&self) -> Vec<u8> {
        let elliptic = |curve: &[u64]| der::sequence(&[der::oid(&[1, 2, 840, 10045, 2, 1]), der::oid(curve)]);
        match self {
            Self::P256(_) => elliptic(&[1, 2, 840, 10045, 3, 1, 7]),
            Self::P384(_) => elliptic(&[1, 3, 132, 0, 34]),
            Self::P521(_) => elliptic(&[1, 3, 132, 0, 35]),
            Self::Rsa { .. } => der::sequence(&[der::oid(&[1, 2, 840, 113_549, 1, 1, 1]), der::tlv(tag::NULL, &[])]),
        }
    }

    /// What the BIT STRING of the SubjectPublicKeyInfo holds.
    fn public_key(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Rsa { pair, .. } => pair.public_key().as_ref().to_vec(),
        }
    }
}

fn rsa_pair(pem: &'static str) -> Option<LabKey> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs8 = STANDARD.decode(base64).ok()?;
    Some(LabKey::Rsa { pair: rsa::KeyPair::from_pkcs8(&pkcs8).ok()?, pem })
}

/// RFC 7468: 64 characters a line.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

// Made once with `openssl genpkey`, for this lab only.
const RSA_2048: &str = include_str!("keys/rsa-2048.pem");
const RSA_2048_LEAF: &str = include_str!("keys/rsa-2048-leaf.pem");
const RSA_3072: &str = include_str!("keys/rsa-3072.pem");
