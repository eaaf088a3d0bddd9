//! The certificate that signs, wherever its private key lies: what it may sign, and what is to be signed of a call
//! (RFC 8224 §6.1, RFC 8226).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use crate::certificate::bundle::{Bundle, Limits};
use crate::certificate::extension::KeyUsage;
use crate::certificate::tn_auth_list::{Coverage, TnAuthList};
use crate::certificate::{Certificate, url};
use crate::identity_header::IdentityHeader;
use crate::number::Identity;
use crate::passport::{Claims, Header, Passport};
use crate::sign::{Error, SignRequest, SignedIdentity, Signer};
use crate::time::UnixTime;

/// A certificate that signs calls, and the URL at which verifiers find it.
///
/// For keys that lie elsewhere, such as in a security module: [`draft`](Self::draft) says what is to be signed,
/// whoever has the key signs it, and [`complete`](Self::complete) makes an identity of both.
#[derive(Clone, Debug)]
pub struct SigningCertificate {
    certificate: Certificate,
    point: [u8; 65],
    x5u: String,
}

/// A call that the certificate may sign, and that lacks only the signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    claims: Claims,
    ppt: Option<&'static str>,
    signing_input: String,
}

impl Draft {
    /// What is signed: ECDSA on P-256 over the SHA-256 of these bytes (ES256, RFC 7518 §3.4).
    #[must_use]
    pub const fn signing_input(&self) -> &str {
        self.signing_input.as_str()
    }
}

impl SigningCertificate {
    /// A certificate (PEM with or without the certificates above it in any order, or DER) with its URL.
    ///
    /// # Errors
    /// When nobody could sign calls with these two: see [`Error`].
    pub fn new(certificate: &[u8], x5u: &str) -> Result<Self, Error> {
        let bundle = Bundle::read(certificate, &Limits::UNTRUSTED).map_err(Error::UnreadableCertificate)?;
        let certificate = bundle.leaf().clone();
        let point = check_certificate(&certificate)?;
        check_x5u(x5u)?;
        Ok(Self { certificate, point, x5u: x5u.to_owned() })
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Where verifiers find it.
    #[must_use]
    pub fn x5u(&self) -> &str {
        &self.x5u
    }

    /// The public key: 65 octets, the point uncompressed (SEC 1 §2.3.3).
    #[must_use]
    pub const fn point(&self) -> &[u8; 65] {
        &self.point
    }

    /// Its subject, for messages.
    pub(super) fn name(&self) -> String {
        self.certificate.subject().to_string()
    }

    /// What is to be signed of a call: canonical claims in full form (RFC 8225 §9).
    ///
    /// # Errors
    /// When it may not be signed, now or by this certificate: see [`Error`].
    pub fn draft(&self, request: &SignRequest, now: UnixTime) -> Result<Draft, Error> {
        let claims = request.claims(now)?;
        // RFC 8224 §6.1 step 3.
        self.check_time(request, now)?;
        // RFC 8224 §6.1 step 1.
        self.check_authority(request)?;
        // RFC 8226 §8, RFC 9118 §4.
        self.check_constraints(&claims)?;
        // RFC 8224 §6.1 step 4.
        let ppt = request.ppt();
        let signing_input = Passport::signing_input_of(&Header::new(ppt, &self.x5u), &claims);
        Ok(Draft { claims, ppt, signing_input })
    }

    /// The draft with a signature made elsewhere, `r || s` in 64 octets. It is verified first: what verifiers would
    /// refuse does not go out.
    ///
    /// # Errors
    /// [`Error::WrongSignature`]
    pub fn complete(&self, draft: Draft, signature: &[u8]) -> Result<SignedIdentity, Error> {
        self.check_signature(draft.signing_input.as_bytes(), signature)?;
        Ok(self.join(draft, signature))
    }

    /// Whether a signature over a message, `r || s` in 64 octets, is one by the certificate's key.
    ///
    /// # Errors
    /// [`Error::WrongSignature`]
    pub fn check_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.point);
        key.verify(message, signature).map_err(|_| Error::WrongSignature { certificate: self.name() })
    }

    /// The draft with a signature that is right.
    pub(super) fn join(&self, draft: Draft, signature: &[u8]) -> SignedIdentity {
        let token = Passport::token_of(&draft.signing_input, signature);
        let header = IdentityHeader::new(token, self.x5u.clone(), draft.ppt.map(str::to_owned));
        SignedIdentity { header, claims: draft.claims }
    }

    fn check_time(&self, request: &SignRequest, now: UnixTime) -> Result<(), Error> {
        let limit = Signer::MAX_AGE;
        let is_stale = |moment: &UnixTime| !(-limit..=limit).contains(&now.seconds_since(*moment));
        if let Some(date) = request.date.filter(is_stale) {
            return Err(Error::StaleDate { date, now, limit });
        }
        if let Some(issued_at) = request.issued_at.filter(is_stale) {
            return Err(Error::StaleIat { issued_at, now, limit });
        }
        [Some(now), request.date, request.issued_at].into_iter().flatten().try_for_each(|at| self.check_validity(at))
    }

    fn check_validity(&self, at: UnixTime) -> Result<(), Error> {
        let (not_before, not_after) = (self.certificate.not_before(), self.certificate.not_after());
        if at < not_before {
            return Err(Error::CertificateNotYetValid { not_before, at });
        }
        if at > not_after {
            return Err(Error::CertificateExpired { not_after, at });
        }
        Ok(())
    }

    fn check_authority(&self, request: &SignRequest) -> Result<(), Error> {
        let list = self.tn_auth_list()?;
        let is_provider = list.is_some_and(|list| list.spc().is_some());
        // F27: who holds numbers only signs base PASSporTs, and diversions from these numbers; the provider signs
        // shaken, and rph: numbers are no authority over a namespace (E8).
        if matches!(request.ppt(), Some("shaken" | "rph")) && !is_provider {
            return Err(Error::NoProviderCode { certificate: self.name() });
        }
        let authorized = match (request.speaker(), list) {
            // Whether the number is the provider's own, the provider knows and its certificate does not.
            (Identity::Number(number), Some(list)) => list.covers(number) != Coverage::Outside,
            (Identity::Number(_), None) => false,
            // RFC 8224 §8.4.
            (Identity::Uri(uri), _) => is_provider || self.certificate.names_domain_of(uri),
        };
        if authorized {
            return Ok(());
        }
        Err(Error::NotAuthorized { originator: request.speaker().to_string(), certificate: self.name() })
    }

    fn tn_auth_list(&self) -> Result<Option<&TnAuthList>, Error> {
        self.certificate
            .tn_auth_list()
            .map_err(|error| Error::InvalidTnAuthList { certificate: self.name(), error: error.clone() })
    }

    fn check_constraints(&self, claims: &Claims) -> Result<(), Error> {
        let constraints = self.certificate.claim_constraints().map_err(Error::UnusableConstraints)?;
        let Some(constraints) = constraints else { return Ok(()) };
        // What was printed a moment ago is an object.
        let members = serde_json::from_str(&claims.to_canonical_json()).unwrap_or_default();
        constraints.check(&members).map_err(Error::ClaimConstraintViolated)
    }
}

/// The public key of a certificate that may sign PASSporTs.
fn check_certificate(certificate: &Certificate) -> Result<[u8; 65], Error> {
    let name = || certificate.subject().to_string();
    // RFC 9060 §4: only end-entity certificates sign PASSporTs (C16).
    if certificate.is_authority() {
        return Err(Error::CertificateOfAuthority { certificate: name() });
    }
    // C7.
    let Some(point) = certificate.p256_point() else {
        return Err(Error::UnsupportedCertificateKey { certificate: name(), key: certificate.key_kind().to_string() });
    };
    // RFC 5280 §4.2.1.3, F14.
    if certificate.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        return Err(Error::NotForSigning { certificate: name() });
    }
    Ok(*point)
}

/// ATIS-1000074 §5.3.1 (F8), and no byte that would end the header's `<...>`.
fn check_x5u(x5u: &str) -> Result<(), Error> {
    let not_allowed = |reason: String| Error::X5uNotAllowed { x5u: x5u.to_owned(), reason };
    if let Some(bad) = x5u.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"')) {
        return Err(not_allowed(format!("it contains {bad:?}")));
    }
    url::check(x5u).map_err(not_allowed)
}
