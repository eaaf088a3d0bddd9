//! The authentication service: signs who calls whom, and refuses what it may not sign (RFC 8224 §6.1, RFC 8588,
//! RFC 8946, RFC 8443, ATIS-1000074).
//!
//! A [`Signer`] holds a private key, its certificate and the URL that leads to it; a [`SigningCertificate`] is the same
//! for a key that lies elsewhere. They read no clock: `now` is an argument.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

use crate::certificate::Certificate;
use crate::identity_header::IdentityHeader;
use crate::passport::Claims;
use crate::time::UnixTime;

mod certificate;
mod error;
mod key;
mod request;

pub use certificate::{Draft, SigningCertificate};
pub use error::Error;
pub use request::SignRequest;

/// Signs calls with one certificate, by a private key in memory.
///
/// Nearly all of its time is the signature's. Who builds without the feature `service` and signs much turns on p256's
/// features `std` and `precomputed-tables`, which make it 2.8 times as fast.
#[derive(Clone)]
pub struct Signer {
    certificate: SigningCertificate,
    key: SigningKey,
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
        let certificate = SigningCertificate::new(certificate, x5u)?;
        if key.verifying_key().to_sec1_point(false).as_bytes() != certificate.point() {
            return Err(Error::KeyMismatch { certificate: certificate.name() });
        }
        Ok(Self { certificate, key })
    }

    /// The certificate whose key signs.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        self.certificate.certificate()
    }

    /// Where verifiers find the certificate.
    #[must_use]
    pub fn x5u(&self) -> &str {
        self.certificate.x5u()
    }

    /// Signs a call: canonical claims in full form, the signature deterministic (RFC 8225 §9, RFC 6979).
    ///
    /// # Errors
    /// When it may not be signed, now or by this certificate: see [`Error`].
    pub fn sign(&self, request: &SignRequest, now: UnixTime) -> Result<SignedIdentity, Error> {
        let draft = self.certificate.draft(request, now)?;
        let signature: Signature = self.key.sign(draft.signing_input().as_bytes());
        Ok(self.certificate.join(draft, &signature.to_bytes()))
    }
}

impl fmt::Debug for Signer {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {})", self.certificate().subject(), self.x5u())
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
