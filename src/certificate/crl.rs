//! CRLs, direct and indirect: what is revoked, since when, and who may say so (RFC 5280 §5, F22).

use serde::Serialize;

use crate::certificate::bundle::{BlockFault, blocks, is_der};
use crate::certificate::chain::LinkCache;
use crate::certificate::crl::read::{Entries, Scope, read_extensions, read_version};
use crate::certificate::der::{DerError, Tag, hexadecimal, single};
use crate::certificate::extension::KeyUsage;
use crate::certificate::key::{SignatureFault, SignatureIdentifier};
use crate::certificate::name::DistinguishedName;
use crate::certificate::{Certificate, sha256};
use crate::time::UnixTime;

mod read;

/// A list of revoked certificates, read and indexed by issuer and serial number.
#[derive(Clone, Debug)]
pub struct Crl {
    sha256: [u8; 32],
    signed: Vec<u8>,
    signature_algorithm: SignatureIdentifier,
    algorithms_agree: bool,
    signature: Vec<u8>,
    issuer: DistinguishedName,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    number: Option<Vec<u8>>,
    scope: Scope,
    entries: Entries,
}

impl Crl {
    /// The most octets that a CRL may have.
    pub const MAX_LENGTH: usize = 64 * 1024 * 1024;
    /// The most entries that a CRL may have.
    pub const MAX_ENTRIES: usize = 1_000_000;

    /// Reads a CRL in PEM or DER.
    ///
    /// # Errors
    /// When it is no CRL, or one that cannot be used as a whole; never a part of one.
    pub fn from_bytes(octets: &[u8]) -> Result<Self, CrlError> {
        if octets.len() > Self::MAX_LENGTH {
            return Err(CrlError::TooLong { length: octets.len(), limit: Self::MAX_LENGTH });
        }
        if is_der(octets) {
            return Self::from_der(octets);
        }
        let mut found = blocks(octets).filter(|block| matches!(block.label.as_str(), "X509 CRL" | "CRL"));
        let block = found.next().ok_or(CrlError::NoCrl)?;
        if found.next().is_some() {
            return Err(CrlError::SeveralBlocks);
        }
        Self::from_der(&block.decode().map_err(CrlError::UnusableBlock)?)
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When the next one is due at the latest.
    #[must_use]
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    /// Its number in hexadecimal; a higher one is newer.
    #[must_use]
    pub fn number_hex(&self) -> Option<String> {
        self.number.as_deref().map(hexadecimal)
    }

    /// Whether it may list certificates of other issuers than its own (IDP indirectCRL).
    #[must_use]
    pub fn is_indirect(&self) -> bool {
        self.scope.indirect
    }

    /// How many certificates it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.count
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.count == 0
    }

    /// How old it is for a judgement at an instant.
    pub fn freshness(&self, at: UnixTime) -> Freshness {
        match self.next_update {
            _ if at < self.this_update => Freshness::IssuedLater { this_update: self.this_update },
            Some(next_update) if at > next_update => Freshness::Stale { next_update },
            Some(_) => Freshness::Current,
            None => Freshness::NoNextUpdate,
        }
    }

    /// Whether a certificate is revoked at an instant, going by issuer and serial number (F22).
    ///
    /// It says nothing about who signed the CRL: that is [`Self::check_signer`].
    pub fn status(&self, certificate: &Certificate, at: UnixTime) -> Status {
        match self.entries.find(certificate.issuer(), certificate.serial()) {
            Some(entry) if entry.at <= at => Status::Revoked { at: entry.at, reason: entry.reason },
            Some(entry) => Status::RevokedLater { at: entry.at, reason: entry.reason },
            None if self.covers(certificate) => Status::NotListed,
            None => Status::NotCovered,
        }
    }

    /// Whether this CRL may revoke `certificate`, whose issuing authority in its path is `issuer`: signed by that
    /// authority itself, by one of the `pinned` signers under its name, or, for an indirect CRL, by one of them whose
    /// name is the certificate's cRLIssuer. Nobody else may.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check_signer(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        pinned: &[Certificate],
        links: &LinkCache,
    ) -> Result<Certificate, SignerError> {
        // An authority may sign certificates with one key and CRLs with another, under one name: then the pinned
        // signers of that name are tried after its own key (RFC 5280 §6.3.3 (f)).
        let first = if self.issuer.is_same_as(issuer.subject()) {
            Some(issuer)
        } else {
            self.check_named_by(certificate)?;
            None
        };
        let named = pinned.iter().filter(|signer| signer.subject().is_same_as(&self.issuer));
        let mut outcome = Err(SignerError::NotPinned { crl_issuer: self.issuer.to_string() });
        for signer in first.into_iter().chain(named) {
            outcome = self.check_signature(signer, links).map(|()| signer.clone());
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Whether the certificate names the issuer of this CRL as one who may revoke it, in an indirect CRL.
    fn check_named_by(&self, certificate: &Certificate) -> Result<(), SignerError> {
        let named: Vec<&DistinguishedName> =
            certificate.distribution_points().iter().flat_map(|point| &point.crl_issuers).collect();
        if !named.iter().any(|name| name.is_same_as(&self.issuer)) {
            let named = named.into_iter().map(ToString::to_string).collect();
            return Err(SignerError::NotTheCrlIssuer { crl_issuer: self.issuer.to_string(), named });
        }
        // RFC 5280 §6.3.3 (b) (1).
        if !self.scope.indirect {
            return Err(SignerError::NotIndirect { crl_issuer: self.issuer.to_string() });
        }
        Ok(())
    }

    fn check_signature(&self, signer: &Certificate, links: &LinkCache) -> Result<(), SignerError> {
        let name = || signer.subject().to_string();
        // NOTE: RFC 5280 §6.3.3 (f) lets a signer without keyUsage pass; whoever revokes must be told to.
        if !signer.key_usage().is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(SignerError::NotForSigningCrls { signer: name() });
        }
        if !self.algorithms_agree {
            return Err(SignerError::SignatureAlgorithmMismatch);
        }
        let algorithm = &self.signature_algorithm.algorithm;
        let holds = match links.known(&self.sha256, signer.sha256()) {
            Some(holds) => holds,
            None => match signer.key().verify(algorithm, &self.signed, &self.signature) {
                Err(SignatureFault::Unsupported) => {
                    return Err(SignerError::UnsupportedAlgorithm { algorithm: algorithm.to_string() });
                }
                outcome => {
                    links.remember(&self.sha256, signer.sha256(), outcome.is_ok());
                    outcome.is_ok()
                }
            },
        };
        if holds { Ok(()) } else { Err(SignerError::BadSignature { signer: name() }) }
    }

    /// Whether a certificate that is not listed is thereby said to be good (RFC 5280 §6.3.3 (b)).
    fn covers(&self, certificate: &Certificate) -> bool {
        let points = certificate.distribution_points();
        let direct = self.issuer.is_same_as(certificate.issuer());
        let named = points.iter().any(|point| point.crl_issuers.iter().any(|name| name.is_same_as(&self.issuer)));
        let kind = if certificate.is_authority() { !self.scope.users_only } else { !self.scope.authorities_only };
        let urls = &self.scope.urls;
        let place = urls.is_empty() || points.iter().any(|point| point.urls.iter().any(|url| urls.contains(url)));
        (direct || self.scope.indirect && named) && kind && place
    }

    fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let mut fields = single(der, Tag::SEQUENCE)?.reader();
        let body = fields.expect(Tag::SEQUENCE)?;
        let algorithm = fields.expect(Tag::SEQUENCE)?;
        let signature = fields.expect(Tag::BIT_STRING)?.whole_octets()?.to_vec();
        fields.finish()?;

        let mut fields = body.reader();
        let version_2 = read_version(&mut fields)?;
        let inner_algorithm = fields.expect(Tag::SEQUENCE)?;
        let issuer = DistinguishedName::read(fields.next()?)?;
        let this_update = fields.next()?.time()?;
        let next_update = match fields.peek() {
            Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => Some(fields.next()?.time()?),
            _ => None,
        };
        let revoked = fields.optional(Tag::SEQUENCE)?;
        let extensions = fields.optional_explicit(Tag::constructed(0), Tag::SEQUENCE)?;
        fields.finish()?;
        if extensions.is_some() && !version_2 {
            return Err(CrlError::UnknownVersion);
        }
        let (scope, number) = match extensions {
            Some(extensions) => read_extensions(extensions.reader())?,
            None => (Scope::default(), None),
        };
        let entries = match revoked {
            Some(revoked) => Entries::read(revoked.reader(), &issuer, scope.indirect)?,
            None => Entries::default(),
        };
        Ok(Self {
            sha256: sha256(der),
            signed: body.raw.to_vec(),
            signature_algorithm: SignatureIdentifier::read(algorithm)?,
            algorithms_agree: inner_algorithm.raw == algorithm.raw,
            signature,
            issuer,
            this_update,
            next_update,
            number,
            scope,
            entries,
        })
    }
}

/// What a CRL says of a certificate at an instant.
#[must_use]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// It is not for this certificate: nothing is said about it.
    NotCovered,
    /// It is for this certificate, and does not list it.
    NotListed,
    /// Revoked at or before the instant.
    Revoked {
        /// Since when.
        at: UnixTime,
        /// Why.
        reason: RevocationReason,
    },
    /// Revoked, but only after the instant judged: it does not count for it.
    RevokedLater {
        /// Since when.
        at: UnixTime,
        /// Why.
        reason: RevocationReason,
    },
}

/// How old a CRL is for a judgement at an instant.
#[must_use]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Freshness {
    /// Between its two updates.
    Current,
    /// Issued after the instant, as when an old call is judged; its entries have dates of their own.
    IssuedLater {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// It does not say when the next one is due.
    NoNextUpdate,
    /// The next one was due before the instant.
    Stale {
        /// When it was due.
        next_update: UnixTime,
    },
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// aACompromise.
    AaCompromise,
    /// affiliationChanged.
    AffiliationChanged,
    /// cACompromise.
    CaCompromise,
    /// certificateHold: for a time.
    CertificateHold,
    /// cessationOfOperation.
    CessationOfOperation,
    /// keyCompromise.
    KeyCompromise,
    /// privilegeWithdrawn.
    PrivilegeWithdrawn,
    /// removeFromCRL, which only a delta CRL may say.
    RemoveFromCrl,
    /// superseded.
    Superseded,
    /// No reason given, or one that does not exist.
    #[default]
    Unspecified,
}

impl RevocationReason {
    /// The reason's name as RFC 5280 §5.3.1 spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AaCompromise => "aACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CertificateHold => "certificateHold",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }
}

impl Serialize for RevocationReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why octets are no CRL that can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// An entry of another issuer in a CRL that is not indirect (RFC 5280 §5.3.3).
    #[error("entry {entry} names another issuer, and the CRL is not indirect")]
    CertificateIssuerInDirectCrl {
        /// Which entry, from 1.
        entry: usize,
    },
    /// A delta CRL, which is only a part.
    #[error("a delta CRL, which says nothing without its base")]
    DeltaCrl,
    /// It is not the DER of a CRL.
    #[error("not a CRL: {0}")]
    Malformed(#[from] DerError),
    /// Neither PEM nor DER.
    #[error("no CRL in it")]
    NoCrl,
    /// For attribute certificates, or for some reasons only: it cannot say that a certificate is good.
    #[error("a CRL for {scope} only")]
    PartialScope {
        /// What it is for.
        scope: &'static str,
    },
    /// More than one PEM block.
    #[error("more than one CRL in it")]
    SeveralBlocks,
    /// More entries than the limit.
    #[error("more than {limit} entries")]
    TooManyEntries {
        /// The most there may be.
        limit: usize,
    },
    /// More octets than the limit.
    #[error("{length} octets are more than the limit of {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A critical extension that is not understood: the CRL must not be used (RFC 5280 §5.2, §5.3).
    #[error("critical extension {object_identifier} is not understood")]
    UnknownCriticalExtension {
        /// Which one.
        object_identifier: String,
    },
    /// Not version 2 where it must be.
    #[error("a CRL version that does not exist")]
    UnknownVersion,
    /// Its PEM block does not decode.
    #[error("{0}")]
    UnusableBlock(BlockFault),
}

/// Why a CRL may not revoke a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signature is not the signer's.
    #[error("the CRL is not signed by the key of {signer}")]
    BadSignature {
        /// Whose key was tried.
        signer: String,
    },
    /// The signer's key may not sign CRLs.
    #[error("{signer}: its key may not sign CRLs (keyUsage)")]
    NotForSigningCrls {
        /// Whose key.
        signer: String,
    },
    /// The issuer of the CRL is another one than the certificate's, and the CRL is not indirect.
    #[error("the CRL of {crl_issuer} is not indirect: it speaks for its own certificates only")]
    NotIndirect {
        /// The CRL's issuer.
        crl_issuer: String,
    },
    /// None of the pinned signers has the name of the CRL's issuer.
    #[error("no pinned CRL signer is named {crl_issuer}")]
    NotPinned {
        /// The CRL's issuer.
        crl_issuer: String,
    },
    /// The CRL's issuer is neither the certificate's nor its cRLIssuer.
    #[error("{crl_issuer} is neither the certificate's issuer nor its cRLIssuer ({})", if named.is_empty() { "none".to_owned() } else { named.join("; ") })]
    NotTheCrlIssuer {
        /// The CRL's issuer.
        crl_issuer: String,
        /// Whom the certificate names as cRLIssuer.
        named: Vec<String>,
    },
    /// The CRL names two different signature algorithms.
    #[error("the CRL names two different signature algorithms")]
    SignatureAlgorithmMismatch,
    /// Key and signature algorithm are not on the allow-list (C6).
    #[error("signature algorithm {algorithm} is not supported with the signer's key")]
    UnsupportedAlgorithm {
        /// The CRL's signature algorithm.
        algorithm: String,
    },
}

#[cfg(test)]
mod tests;
