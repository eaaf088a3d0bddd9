//! What a signer refuses, and what to do about it.

use crate::certificate::ConstraintsError;
use crate::certificate::bundle::BundleError;
use crate::certificate::claim_constraints::ConstraintViolation;
use crate::certificate::der::DerError;
use crate::time::UnixTime;

/// Why a call was not signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `sph` goes with priorities of `esnet` only (RFC 9027 §4; E10).
    #[error("a callback of an emergency call has a priority of esnet, such as esnet.0; add it, or sign no callback")]
    CallbackWithoutEmergency,
    /// The certificate's validity has ended (B-A3).
    #[error("the certificate expired at {not_after}, and the call is of {at}; get a new certificate")]
    CertificateExpired {
        /// Its last instant.
        not_after: UnixTime,
        /// The instant that it had to be valid at.
        at: UnixTime,
    },
    /// The certificate's validity has not begun (B-A3).
    #[error("the certificate is valid from {not_before} on, and the call is of {at}; check the clock")]
    CertificateNotYetValid {
        /// Its first instant.
        not_before: UnixTime,
        /// The instant that it had to be valid at.
        at: UnixTime,
    },
    /// The certificate is a certification authority's (C16).
    #[error("{certificate} is a certification authority's certificate; sign with one that it issued")]
    CertificateOfAuthority {
        /// Its subject.
        certificate: String,
    },
    /// The certificate does not let its holder sign these claims (C12).
    #[error("{0}; change the claim, or sign with another certificate")]
    ClaimConstraintViolated(ConstraintViolation),
    /// The PASSporT to be diverted is for somebody else (RFC 8946 §3; E2).
    #[error("the PASSporT is for {signed}, not for {diverted}; name whom it is for, or sign no diversion of it")]
    DivertedFromElsewhere {
        /// Whom the call is said to be diverted from.
        diverted: String,
        /// Its `dest`.
        signed: String,
    },
    /// The private key wants a password.
    #[error("the private key is encrypted; decrypt it first, for instance with `openssl pkey`")]
    EncryptedPrivateKey,
    /// Neither a telephone number nor a SIP URI.
    #[error("{text:?} is neither a telephone number nor a tel:, sip: or sips: URI that names somebody")]
    InvalidIdentity {
        /// The text.
        text: String,
    },
    /// `origid` is no UUID (D3).
    #[error("{origid:?} is no UUID; an origid looks like 123e4567-e89b-12d3-a456-426655440000")]
    InvalidOrigid {
        /// The text.
        origid: String,
    },
    /// The certificate's TNAuthList cannot be read (C1).
    #[error("the TNAuthList of {certificate} is wrong: {error}; verifiers would refuse it, so get a new certificate")]
    InvalidTnAuthList {
        /// Its subject.
        certificate: String,
        /// What is wrong, and where.
        error: DerError,
    },
    /// The private key is not the one of the certificate.
    #[error("the private key is not that of {certificate}; name the key that its request was made with")]
    KeyMismatch {
        /// Its subject.
        certificate: String,
    },
    /// Nobody is called (A8).
    #[error("nobody is called; name at least one destination")]
    NoDestination,
    /// The PASSporT to be diverted does not say who calls (RFC 8946 §3; E2).
    #[error("the PASSporT has no orig to be copied; divert only calls whose PASSporT can be read")]
    NoOriginator,
    /// No priority is to be authorised (RFC 8443 §3; E8).
    #[error("no priority is named; name at least one, such as ets.0")]
    NoPriority,
    /// No private key in the PEM text.
    #[error("no private key in it; a PEM file with PRIVATE KEY or EC PRIVATE KEY is wanted")]
    NoPrivateKey,
    /// Only providers sign shaken and rph PASSporTs, and the certificate names none (F18, F27, E8).
    #[error("{certificate} names no provider (SPC), and only providers sign shaken and rph; sign a base PASSporT")]
    NoProviderCode {
        /// Its subject.
        certificate: String,
    },
    /// The certificate does not speak for the caller, or for whom the call is diverted from (B-A1, E3).
    #[error("{certificate} does not speak for {originator}; sign with a certificate whose TNAuthList does")]
    NotAuthorized {
        /// The caller; of a diversion, whom it was diverted from.
        originator: String,
        /// The certificate's subject.
        certificate: String,
    },
    /// The call goes on to whom it was for (RFC 8946 §3; E1).
    #[error("the call is for {diverted} before and after; a diversion changes who is called, so sign none")]
    NotDiverted {
        /// Whom it is for.
        diverted: String,
    },
    /// The certificate's key usage lacks digitalSignature (F14).
    #[error("the key usage of {certificate} lacks digitalSignature; it is not for signing calls")]
    NotForSigning {
        /// Its subject.
        certificate: String,
    },
    /// More text than a private key has.
    #[error("more than {limit} bytes, which no private key has")]
    PrivateKeyTooLong {
        /// The most there may be.
        limit: usize,
    },
    /// The call's `Date` is not near enough to now, before or after (B-A3).
    #[error("the Date {date} is more than {limit} s from now, {now}; sign calls as they are made")]
    StaleDate {
        /// The Date.
        date: UnixTime,
        /// Now.
        now: UnixTime,
        /// How many seconds it may be away.
        limit: i64,
    },
    /// The `iat` asked for is not near enough to now, before or after: verifiers would refuse it.
    #[error("the iat {issued_at} is more than {limit} s from now, {now}; sign calls as they are made")]
    StaleIat {
        /// The instant asked for.
        issued_at: UnixTime,
        /// Now.
        now: UnixTime,
        /// How many seconds it may be away.
        limit: i64,
    },
    /// More destinations than a verifier would read.
    #[error("more than {limit} destinations of one kind")]
    TooManyDestinations {
        /// The most there may be.
        limit: usize,
    },
    /// More priorities than a verifier would read.
    #[error("more than {limit} priorities")]
    TooManyPriorities {
        /// The most there may be.
        limit: usize,
    },
    /// No certificate in what should hold it.
    #[error("the certificate cannot be read: {0}")]
    UnreadableCertificate(BundleError),
    /// The certificate's key is not P-256 (C7).
    #[error("the key of {certificate} is {key}; ES256 wants P-256")]
    UnsupportedCertificateKey {
        /// Its subject.
        certificate: String,
        /// The kind of its key.
        key: String,
    },
    /// The certificate's claim constraints cannot be applied (C9).
    #[error("{0}; verifiers would refuse it, so get a new certificate")]
    UnusableConstraints(ConstraintsError),
    /// The private key is not a P-256 key, or not readable.
    #[error("no P-256 private key: {reason}")]
    UnusablePrivateKey {
        /// What is wrong with it.
        reason: String,
    },
    /// A signature made elsewhere is not one by the certificate's key.
    #[error("the signature is not by the key of {certificate}: another key signed, or signed another thing")]
    WrongSignature {
        /// Its subject.
        certificate: String,
    },
    /// Verifiers would not follow the URL of the certificate (F8).
    #[error("verifiers do not follow the x5u {x5u:?}: {reason}")]
    X5uNotAllowed {
        /// The URL.
        x5u: String,
        /// The rule that it breaks.
        reason: String,
    },
}
