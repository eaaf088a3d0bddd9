//! STI certificates: the numbers and providers they speak for, whom they chain to, and whether they are revoked
//! (RFC 8226, RFC 9060, RFC 9118, ATIS-1000080).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;

use crate::certificate::claim_constraints::ClaimConstraints;
use crate::certificate::der::{DerError, DerFault, Element, Reader, Tag, hexadecimal, without_leading_zeros};
use crate::certificate::extension::Extensions;
use crate::certificate::extension::{AlternativeNames, AuthorityKeyIdentifier, BasicConstraints};
use crate::certificate::extension::{DistributionPoint, Extension, KeyUsage};
use crate::certificate::key::{KeyKind, PublicKey, SignatureAlgorithm, SignatureFault, SignatureIdentifier};
use crate::certificate::name::DistinguishedName;
use crate::certificate::tn_auth_list::TnAuthList;
use crate::time::UnixTime;

pub mod bundle;
pub mod chain;
pub mod claim_constraints;
pub mod crl;
pub mod delegation;
pub mod der;
pub mod description;
pub mod extension;
#[cfg(test)]
pub(crate) mod forge;
pub mod key;
pub mod name;
pub mod profile;
pub mod tn_auth_list;
pub(crate) mod url;

/// One certificate, read and owned; a clone costs a reference count.
///
/// It has a form that can be judged, no more: who vouches for it is [`chain`]'s question, whether it keeps to the
/// SHAKEN profile [`profile`]'s. Two are equal when their DER is.
#[derive(Clone)]
pub struct Certificate(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    sha256: [u8; 32],
    /// What every verdict names it by.
    sha256_hex: String,
    body: Body,
    signature_algorithm: SignatureIdentifier,
    algorithms_agree: bool,
    signature: Vec<u8>,
}

/// The TBSCertificate.
struct Body {
    raw: Vec<u8>,
    version: u8,
    serial: Vec<u8>,
    serial_is_positive: bool,
    inner_algorithm: Vec<u8>,
    issuer: DistinguishedName,
    not_before: UnixTime,
    not_after: UnixTime,
    subject: DistinguishedName,
    key_info: Vec<u8>,
    key: PublicKey,
    extensions: Extensions,
}

impl Certificate {
    /// The most octets that a certificate may have.
    pub const MAX_LENGTH: usize = 64 * 1024;
    /// The most extensions that a certificate may have.
    pub const MAX_EXTENSIONS: usize = 64;

    /// Reads a certificate.
    ///
    /// A TNAuthList or claim constraints that cannot be read do not make the certificate unreadable; they say so when
    /// asked for.
    ///
    /// # Errors
    /// When `der` is no X.509 certificate; says at which byte.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > Self::MAX_LENGTH {
            return Err(Error::TooLong { length: der.len(), limit: Self::MAX_LENGTH });
        }
        let mut reader = Reader::new(der);
        let mut fields = reader.expect(Tag::SEQUENCE)?.reader();
        reader.finish()?;
        let body = fields.expect(Tag::SEQUENCE)?;
        let algorithm = fields.expect(Tag::SEQUENCE)?;
        let signature = fields.expect(Tag::BIT_STRING)?.whole_octets()?.to_vec();
        fields.finish()?;
        let body = Body::read(body)?;
        let sha256 = sha256(der);
        Ok(Self(Arc::new(Parts {
            der: der.to_vec(),
            sha256,
            sha256_hex: hexadecimal(&sha256),
            algorithms_agree: body.inner_algorithm == algorithm.raw,
            body,
            signature_algorithm: SignatureIdentifier::read(algorithm)?,
            signature,
        })))
    }

    /// The certificate's DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The SHA-256 of its DER: the certificate's name throughout stirtrace.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// The SHA-256 in lower-case hexadecimal.
    #[must_use]
    pub fn sha256_hex(&self) -> &str {
        &self.0.sha256_hex
    }

    /// The X.509 version: 1, 2 or 3 (F12 wants 3).
    #[must_use]
    pub fn version(&self) -> u8 {
        self.0.body.version
    }

    /// Whom the certificate is about.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.0.body.subject
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.0.body.issuer
    }

    /// The subject's common name; it names nobody reliably (G20): the signer is [`Self::spc`].
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.subject().common_name()
    }

    /// The subject's organization.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.subject().organization()
    }

    /// The magnitude of the serial number, without leading zeros.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.0.body.serial
    }

    /// The serial number in lower-case hexadecimal.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hexadecimal(self.serial())
    }

    /// Whether the serial number is above zero, as RFC 5280 §4.1.2.2 wants.
    #[must_use]
    pub fn serial_is_positive(&self) -> bool {
        self.0.body.serial_is_positive
    }

    /// The first instant of its validity.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.0.body.not_before
    }

    /// The last instant of its validity.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.0.body.not_after
    }

    /// Whether `at` lies within its validity, the ends included.
    #[must_use]
    pub fn is_valid_at(&self, at: UnixTime) -> bool {
        self.not_before() <= at && at <= self.not_after()
    }

    /// The kind of its key.
    #[must_use]
    pub fn key_kind(&self) -> &KeyKind {
        &self.0.body.key.kind
    }

    /// Its SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn key_info_der(&self) -> &[u8] {
        &self.0.body.key_info
    }

    /// The point of a P-256 key as `04 X Y`; `None` for other keys and for octets that are no point of the curve (C7).
    #[must_use]
    pub fn p256_point(&self) -> Option<&[u8; 65]> {
        self.0.body.key.point()
    }

    /// The algorithm that it is signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.0.signature_algorithm.algorithm
    }

    /// Whether an ECDSA algorithm identifier has NULL parameters, which RFC 5758 §3.2 forbids; tolerated.
    #[must_use]
    pub fn has_superfluous_null(&self) -> bool {
        self.0.signature_algorithm.superfluous_null
    }

    /// Whether the signed part names the same signature algorithm as the outer one (RFC 5280 §4.1.1.2).
    #[must_use]
    pub fn algorithms_agree(&self) -> bool {
        self.0.algorithms_agree
    }

    /// Its extensions in their order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.0.body.extensions.all
    }

    /// The extension of that object identifier.
    #[must_use]
    pub fn extension(&self, object_identifier: &str) -> Option<&Extension> {
        self.extensions().iter().find(|extension| extension.object_identifier == object_identifier)
    }

    /// The first critical extension that cannot be understood: no path may hold it (RFC 5280 §4.2).
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<&str> {
        self.0.body.extensions.unknown_critical()
    }

    /// Basic constraints.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.0.body.extensions.basic_constraints
    }

    /// Whether it says to be a certification authority's.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.basic_constraints().is_some_and(|constraints| constraints.authority)
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject().is_same_as(self.issuer())
    }

    /// Key usage.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.body.extensions.key_usage
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.0.body.extensions.subject_key_identifier.as_deref()
    }

    /// The authority key identifier.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        self.0.body.extensions.authority_key_identifier.as_ref()
    }

    /// The object identifiers of its policies.
    #[must_use]
    pub fn policies(&self) -> &[String] {
        &self.0.body.extensions.policies
    }

    /// Where its revocation is published.
    #[must_use]
    pub fn distribution_points(&self) -> &[DistributionPoint] {
        &self.0.body.extensions.distribution_points
    }

    /// Where TNAuthLists by reference are to be fetched (C5).
    #[must_use]
    pub fn tn_list_urls(&self) -> &[String] {
        &self.0.body.extensions.tn_list_urls
    }

    /// The names that it has besides its subject.
    #[must_use]
    pub fn alternative_names(&self) -> &AlternativeNames {
        &self.0.body.extensions.alternative_names
    }

    /// Whether it names the domain of a SIP or SIPS URI, and so speaks for callers whom such a URI names (RFC 8224
    /// §8.4, RFC 5922 §7.2, B18). Signing and verifying go by the same.
    #[must_use]
    pub fn names_domain_of(&self, uri: &str) -> bool {
        let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        !host.is_empty() && self.alternative_names().name_domain(host)
    }

    /// Its TNAuthList; `None` when it has none.
    ///
    /// # Errors
    /// When it has one that is wrong; says at which byte of the extension's value.
    pub fn tn_auth_list(&self) -> Result<Option<&TnAuthList>, &DerError> {
        match &self.0.body.extensions.tn_auth_list {
            Some(encoded) => encoded.value.as_ref().map(Some),
            None => Ok(None),
        }
    }

    /// The value of the TNAuthList extension as it stands, right or wrong.
    #[must_use]
    pub fn tn_auth_list_der(&self) -> Option<&[u8]> {
        self.0.body.extensions.tn_auth_list.as_ref().map(|encoded| &encoded.der[..])
    }

    /// The provider it speaks for: the SPC of its TNAuthList.
    #[must_use]
    pub fn spc(&self) -> Option<&str> {
        self.tn_auth_list().ok().flatten().and_then(TnAuthList::spc).map(|spc| spc.as_str())
    }

    /// What it demands of the claims that it signs; `None` when nothing.
    ///
    /// # Errors
    /// When the extension is wrong, or when both forms of it are there (C9).
    pub fn claim_constraints(&self) -> Result<Option<&ClaimConstraints>, ConstraintsError> {
        let extensions = &self.0.body.extensions;
        let encoded = match (&extensions.constraints, &extensions.enhanced_constraints) {
            // RFC 9118 §6.
            (Some(_), Some(_)) => return Err(ConstraintsError::BothForms),
            (Some(encoded), None) | (None, Some(encoded)) => encoded,
            (None, None) => return Ok(None),
        };
        encoded.value.as_ref().map(Some).map_err(|error| ConstraintsError::Malformed(error.clone()))
    }

    /// The key whose signatures are this certificate's.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.0.body.key
    }

    /// Whether `issuer`'s key signed this certificate. Mathematics only: whether it may is [`chain`]'s question.
    pub(crate) fn verify_signed_by(&self, issuer: &Self) -> Result<(), SignatureFault> {
        issuer.key().verify(self.signature_algorithm(), &self.0.body.raw, &self.0.signature)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.subject(), self.sha256_hex())
    }
}

/// Why octets are no certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An extension occurs twice (RFC 5280 §4.2).
    #[error("the extension {object_identifier} occurs twice")]
    DuplicateExtension {
        /// Which one.
        object_identifier: String,
    },
    /// It is not the DER of a certificate.
    #[error("not a certificate: {0}")]
    Malformed(#[from] DerError),
    /// More extensions than any certificate has.
    #[error("more than {limit} extensions")]
    TooManyExtensions {
        /// The most there may be.
        limit: usize,
    },
    /// More octets than any certificate has.
    #[error("{length} octets are more than the {limit} that a certificate may have")]
    TooLong {
        /// How many there are.
        length: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A version other than 1, 2 and 3.
    #[error("an X.509 version that does not exist")]
    UnknownVersion,
}

/// Why a certificate's claim constraints cannot be applied.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintsError {
    /// JWTClaimConstraints and EnhancedJWTClaimConstraints together (RFC 9118 §6, C9).
    #[error("both forms of claim constraints in one certificate")]
    BothForms,
    /// The extension cannot be read; the offset counts from its value's start.
    #[error("claim constraints: {0}")]
    Malformed(DerError),
}

impl Body {
    fn read(element: Element<'_>) -> Result<Self, Error> {
        let mut fields = element.reader();
        let version = match fields.optional_explicit(Tag::constructed(0), Tag::INTEGER)? {
            Some(version) => version.small_integer()?,
            None => Some(0),
        };
        let version = match version {
            Some(number @ 0..=2) => u8::try_from(number + 1).map_err(|_| Error::UnknownVersion)?,
            _ => return Err(Error::UnknownVersion),
        };
        let (serial, serial_is_positive) = read_serial(&fields.expect(Tag::INTEGER)?)?;
        let inner_algorithm = fields.expect(Tag::SEQUENCE)?.raw.to_vec();
        let issuer = DistinguishedName::read(fields.next()?)?;
        let mut validity = fields.expect(Tag::SEQUENCE)?.reader();
        let (not_before, not_after) = (validity.next()?.time()?, validity.next()?.time()?);
        validity.finish()?;
        let subject = DistinguishedName::read(fields.next()?)?;
        let key_info = fields.expect(Tag::SEQUENCE)?;
        // Unique identifiers: obsolete, and nothing reads them.
        fields.optional(Tag::primitive(1))?;
        fields.optional(Tag::primitive(2))?;
        let extensions = match fields.optional_explicit(Tag::constructed(3), Tag::SEQUENCE)? {
            Some(sequence) => read_extensions(sequence.reader())?,
            None => Extensions::default(),
        };
        fields.finish()?;
        Ok(Self {
            raw: element.raw.to_vec(),
            version,
            serial,
            serial_is_positive,
            inner_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            key: PublicKey::read(key_info)?,
            key_info: key_info.raw.to_vec(),
            extensions,
        })
    }
}

/// A serial number's magnitude, and whether it is above zero.
///
/// Negative numbers and ones with superfluous zeros exist; they are findings, and compare by their octets.
pub(crate) fn read_serial(element: &Element<'_>) -> Result<(Vec<u8>, bool), DerError> {
    let Some(first) = element.content.first() else {
        return Err(element.error(DerFault::BadInteger));
    };
    let magnitude = without_leading_zeros(element.content);
    Ok((magnitude.to_vec(), first & 0x80 == 0 && !magnitude.is_empty()))
}

/// One `Extension`: object identifier, criticality, value.
pub(crate) fn read_extension<'a>(element: &Element<'a>) -> Result<(String, bool, &'a [u8]), DerError> {
    let mut fields = element.reader();
    let object_identifier = fields.expect(Tag::OBJECT_IDENTIFIER)?.dotted()?;
    let critical = fields.optional(Tag::BOOLEAN)?.map(|element| element.boolean()).transpose()?.unwrap_or(false);
    let value = fields.expect(Tag::OCTET_STRING)?.content;
    fields.finish()?;
    Ok((object_identifier, critical, value))
}

fn read_extensions(mut reader: Reader<'_>) -> Result<Extensions, Error> {
    let mut extensions = Extensions::default();
    while !reader.is_empty() {
        let (object_identifier, critical, value) = read_extension(&reader.expect(Tag::SEQUENCE)?)?;
        if extensions.all.iter().any(|other| other.object_identifier == object_identifier) {
            return Err(Error::DuplicateExtension { object_identifier });
        }
        if extensions.all.len() == Certificate::MAX_EXTENSIONS {
            return Err(Error::TooManyExtensions { limit: Certificate::MAX_EXTENSIONS });
        }
        extensions.insert(object_identifier, critical, value);
    }
    Ok(extensions)
}

pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    hash
}
