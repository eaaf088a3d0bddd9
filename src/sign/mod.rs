//! The authentication service: signs who calls whom, and refuses what it may not sign (RFC 8224 §6.1, RFC 8588,
//! ATIS-1000074).
//!
//! A [`Signer`] holds a private key, its certificate and the URL that leads to it. It reads no clock: `now` is an
//! argument.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

use crate::certificate::bundle::{Bundle, Limits};
use crate::certificate::extension::KeyUsage;
use crate::certificate::tn_auth_list::{Coverage, TnAuthList};
use crate::certificate::{Certificate, url};
use crate::identity_header::IdentityHeader;
use crate::number::Identity;
use crate::passport::{Claims, Header, Passport};
use crate::time::UnixTime;

mod error;
mod key;
mod request;

pub use error::Error;
pub use request::SignRequest;

/// Signs calls with one certificate.
#[derive(Clone)]
pub struct Signer {
    certificate: Certificate,
    key: SigningKey,
    x5u: String,
}

impl Signer {
    /// How many seconds a `Date` or an `iat` may lie from now, before or after (B-A3).
    pub const MAX_AGE: i64 = 60;

    /// A signer of a private key (PEM: PKCS#8 or SEC1), its certificate (PEM with or without the certificates above
    /// it in any order, or DER), and the URL at which verifiers find that certificate.
    ///
    /// # Errors
    /// When these three do not make a signer: see [`Error`].
    pub fn new(private_key: &[u8], certificate: &[u8], x5u: &str) -> Result<Self, Error> {
        let key = key::read(private_key)?;
        let bundle = Bundle::read(certificate, &Limits::UNTRUSTED).map_err(Error::UnreadableCertificate)?;
        let certificate = bundle.leaf().clone();
        check_certificate(&certificate, &key)?;
        check_x5u(x5u)?;
        Ok(Self { certificate, key, x5u: x5u.to_owned() })
    }

    /// The certificate whose key signs.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Where verifiers find the certificate.
    #[must_use]
    pub fn x5u(&self) -> &str {
        &self.x5u
    }

    /// Signs a call: canonical claims in full form, the signature deterministic (RFC 8225 §9, RFC 6979).
    ///
    /// # Errors
    /// When it may not be signed, now or by this certificate: see [`Error`].
    pub fn sign(&self, request: &SignRequest, now: UnixTime) -> Result<SignedIdentity, Error> {
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
        let signature: Signature = self.key.sign(signing_input.as_bytes());
        let token = Passport::token_of(&signing_input, &signature.to_bytes());
        let header = IdentityHeader::new(token, self.x5u.clone(), ppt.map(str::to_owned));
        Ok(SignedIdentity { header, claims })
    }

    fn check_time(&self, request: &SignRequest, now: UnixTime) -> Result<(), Error> {
        let limit = Self::MAX_AGE;
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
        // F27: who holds numbers only signs base PASSporTs; the provider signs shaken.
        if request.ppt().is_some() && !is_provider {
            return Err(Error::NoProviderCode { certificate: self.name() });
        }
        let authorized = match (&request.originator, list) {
            // Whether the number is the provider's own, the provider knows and its certificate does not.
            (Identity::Number(number), Some(list)) => list.covers(number) != Coverage::Outside,
            (Identity::Number(_), None) => false,
            // RFC 8224 §8.4.
            (Identity::Uri(uri), _) => is_provider || self.certificate.names_domain_of(uri),
        };
        if authorized {
            return Ok(());
        }
        Err(Error::NotAuthorized { originator: request.originator.to_string(), certificate: self.name() })
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

    fn name(&self) -> String {
        self.certificate.subject().to_string()
    }
}

impl fmt::Debug for Signer {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {})", self.certificate.subject(), self.x5u)
    }
}

/// A signed call; prints as the value of an Identity header field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedIdentity {
    header: IdentityHeader,
    claims: Claims,
}

impl SignedIdentity {
    /// The PASSporT in full form.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.header.token
    }

    /// The header's value in its parts.
    #[must_use]
    pub const fn header(&self) -> &IdentityHeader {
        &self.header
    }

    /// What was signed.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl fmt::Display for SignedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)
    }
}

fn check_certificate(certificate: &Certificate, key: &SigningKey) -> Result<(), Error> {
    let name = || certificate.subject().to_string();
    // RFC 9060 §4: only end-entity certificates sign PASSporTs (C16).
    if certificate.is_authority() {
        return Err(Error::CertificateOfAuthority { certificate: name() });
    }
    // C7.
    let Some(point) = certificate.p256_point() else {
        return Err(Error::UnsupportedCertificateKey { certificate: name(), key: certificate.key_kind().to_string() });
    };
    if key.verifying_key().to_sec1_point(false).as_bytes() != point {
        return Err(Error::KeyMismatch { certificate: name() });
    }
    // RFC 5280 §4.2.1.3, F14.
    if certificate.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        return Err(Error::NotForSigning { certificate: name() });
    }
    Ok(())
}

/// ATIS-1000074 §5.3.1 (F8), and no byte that would end the header's `<...>`.
fn check_x5u(x5u: &str) -> Result<(), Error> {
    let not_allowed = |reason: String| Error::X5uNotAllowed { x5u: x5u.to_owned(), reason };
    if let Some(bad) = x5u.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"')) {
        return Err(not_allowed(format!("it contains {bad:?}")));
    }
    url::check(x5u).map_err(not_allowed)
}
