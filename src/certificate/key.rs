//! Keys and signatures of certificates: what is recognised, and the allow-list of what may verify (RFC 8226 §4, C6).

use std::fmt;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use p256::elliptic_curve::sec1::ToSec1Point;

use crate::certificate::der::{DerError, Element, Tag, single};

/// The kind of a certificate's key, printed as people say it: `P-256`, `RSA-2048`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyKind {
    /// The curve that PASSporTs are signed with (C7).
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
    /// RSA with a modulus of so many bits.
    Rsa {
        /// The modulus' length.
        bits: usize,
    },
    /// Another algorithm or curve.
    Unrecognised {
        /// The algorithm, or the curve of an elliptic-curve key, as a dotted object identifier.
        algorithm: String,
    },
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.pad("P-256"),
            Self::P384 => f.pad("P-384"),
            Self::P521 => f.pad("P-521"),
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::Unrecognised { algorithm } => f.pad(algorithm),
        }
    }
}

/// An algorithm that a certificate or CRL is signed with.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA over SHA-256.
    EcdsaSha256,
    /// ECDSA over SHA-384.
    EcdsaSha384,
    /// ECDSA over SHA-512.
    EcdsaSha512,
    /// RSA PKCS#1 v1.5 over SHA-256.
    RsaSha256,
    /// RSA PKCS#1 v1.5 over SHA-384.
    RsaSha384,
    /// RSA PKCS#1 v1.5 over SHA-512.
    RsaSha512,
    /// Anything else, SHA-1 and MD5 included: never verified.
    Unsupported {
        /// The algorithm as a dotted object identifier.
        algorithm: String,
    },
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::EcdsaSha256 => "ecdsa-with-SHA256",
            Self::EcdsaSha384 => "ecdsa-with-SHA384",
            Self::EcdsaSha512 => "ecdsa-with-SHA512",
            Self::RsaSha256 => "sha256WithRSAEncryption",
            Self::RsaSha384 => "sha384WithRSAEncryption",
            Self::RsaSha512 => "sha512WithRSAEncryption",
            Self::Unsupported { algorithm } => algorithm,
        })
    }
}

/// An AlgorithmIdentifier of a signature.
#[derive(Clone, Debug)]
pub(crate) struct SignatureIdentifier {
    pub(crate) algorithm: SignatureAlgorithm,
    /// An ECDSA identifier with NULL parameters, which RFC 5758 §3.2 forbids; some CAs write it.
    pub(crate) superfluous_null: bool,
}

impl SignatureIdentifier {
    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut fields = element.expect(Tag::SEQUENCE)?.reader();
        let dotted = fields.expect(Tag::OBJECT_IDENTIFIER)?.dotted()?;
        let null = fields.optional(Tag::NULL)?.is_some();
        let ecdsa = dotted.starts_with("1.2.840.10045.4.3.");
        let algorithm = match dotted.as_str() {
            // Parameters other than NULL change what the algorithm means.
            _ if !fields.is_empty() => SignatureAlgorithm::Unsupported { algorithm: dotted },
            "1.2.840.10045.4.3.2" => SignatureAlgorithm::EcdsaSha256,
            "1.2.840.10045.4.3.3" => SignatureAlgorithm::EcdsaSha384,
            "1.2.840.10045.4.3.4" => SignatureAlgorithm::EcdsaSha512,
            "1.2.840.113549.1.1.11" => SignatureAlgorithm::RsaSha256,
            "1.2.840.113549.1.1.12" => SignatureAlgorithm::RsaSha384,
            "1.2.840.113549.1.1.13" => SignatureAlgorithm::RsaSha512,
            _ => SignatureAlgorithm::Unsupported { algorithm: dotted },
        };
        Ok(Self { algorithm, superfluous_null: ecdsa && null })
    }
}

/// A key as a SubjectPublicKeyInfo holds it.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    pub(crate) kind: KeyKind,
    /// The elliptic-curve point, or the RSAPublicKey.
    octets: Vec<u8>,
    point: Option<[u8; 65]>,
}

impl PublicKey {
    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut fields = element.expect(Tag::SEQUENCE)?.reader();
        let mut identifier = fields.expect(Tag::SEQUENCE)?.reader();
        let octets = fields.expect(Tag::BIT_STRING)?;
        fields.finish()?;
        let octets = octets.whole_octets()?.to_vec();
        let algorithm = identifier.expect(Tag::OBJECT_IDENTIFIER)?.dotted()?;
        let curve = identifier.optional(Tag::OBJECT_IDENTIFIER)?.map(|curve| curve.dotted()).transpose()?;
        let kind = match (algorithm.as_str(), curve.as_deref()) {
            ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => KeyKind::P256,
            ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => KeyKind::P384,
            ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => KeyKind::P521,
            ("1.2.840.113549.1.1.1", None) => match modulus_bits(&octets) {
                Some(bits) => KeyKind::Rsa { bits },
                None => KeyKind::Unrecognised { algorithm },
            },
            ("1.2.840.10045.2.1", Some(curve)) => KeyKind::Unrecognised { algorithm: curve.to_owned() },
            _ => KeyKind::Unrecognised { algorithm },
        };
        let point = if kind == KeyKind::P256 { uncompressed(&octets) } else { None };
        Ok(Self { kind, octets, point })
    }

    /// The point of a P-256 key as `04 X Y`; `None` for other keys, and when the octets are no point of the curve.
    pub(crate) const fn point(&self) -> Option<&[u8; 65]> {
        self.point.as_ref()
    }

    /// Verifies a signature, if key and algorithm are on the allow-list and belong together.
    pub(crate) fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        let verifier = verifier_for(&self.kind, algorithm).ok_or(SignatureFault::Unsupported)?;
        UnparsedPublicKey::new(verifier, &self.octets).verify(message, signature).map_err(|_| SignatureFault::Wrong)
    }
}

/// Why a signature does not verify.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SignatureFault {
    /// Key and algorithm are not on the allow-list together.
    Unsupported,
    /// It is not the key's signature over the message.
    Wrong,
}

/// Whether `signature` (`r || s`, RFC 7518 §3.4) over `message` is the one of a P-256 key.
pub(crate) fn verify_es256(point: &[u8; 65], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
}

/// The allow-list (C6): ECDSA on the three NIST curves and RSA PKCS#1 v1.5 of 2048 to 8192 bits, with SHA-2.
fn verifier_for(key: &KeyKind, algorithm: &SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm as Signed;
    Some(match (key, algorithm) {
        (KeyKind::P256, Signed::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P256, Signed::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyKind::P256, Signed::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyKind::P384, Signed::EcdsaSha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyKind::P384, Signed::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::P384, Signed::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyKind::P521, Signed::EcdsaSha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyKind::P521, Signed::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyKind::P521, Signed::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Rsa { bits: 2048..=8192 }, Signed::RsaSha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa { bits: 2048..=8192 }, Signed::RsaSha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa { bits: 2048..=8192 }, Signed::RsaSha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

/// RFC 5480 §2.2 admits the compressed form too; what is no point of the curve is no key.
fn uncompressed(octets: &[u8]) -> Option<[u8; 65]> {
    let key = p256::PublicKey::from_sec1_bytes(octets).ok()?;
    key.to_sec1_point(false).as_bytes().try_into().ok()
}

fn modulus_bits(rsa_public_key: &[u8]) -> Option<usize> {
    let mut fields = single(rsa_public_key, Tag::SEQUENCE).ok()?.reader();
    let modulus = fields.expect(Tag::INTEGER).ok()?.unsigned().ok()?;
    let leading = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    Some(modulus.len() * 8 - leading)
}
