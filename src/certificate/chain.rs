//! Certification paths: from a leaf to a trust anchor, whatever order the certificates come in
//! (RFC 5280 §6, RFC 9060 §7, F20).

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::certificate::Certificate;
use crate::certificate::extension::KeyUsage;
use crate::certificate::key::SignatureFault;
use crate::time::UnixTime;

/// A path whose signatures, constraints and anchor hold; validity in time is asked for on its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    certificates: Vec<Certificate>,
    key_identifiers_agree: bool,
}

impl Path {
    /// Finds a path from `leaf` to one of `anchors` through `pool`, which may hold anything in any order.
    ///
    /// An anchor counts by its certificate, or by its subject and key when another certificate carries these (a
    /// cross-signed or renewed root). Of several paths one that is valid at `at` is preferred; when none is, the first
    /// is returned, and [`Self::check_validity`] says what is wrong with it (so that H20 and H21 stay apart).
    ///
    /// # Errors
    /// The reason that got furthest on the way to an anchor.
    pub fn find(
        leaf: &Certificate,
        pool: &[Certificate],
        anchors: &[Certificate],
        at: UnixTime,
        links: &LinkCache,
    ) -> Result<Self, Error> {
        let mut search = Search { pool, anchors, at, links, signatures: 0, steps: 0, best: None, failure: None };
        let mut certificates = Vec::with_capacity(4);
        certificates.push(leaf);
        let outcome = match check_extensions(leaf) {
            Ok(()) => search.extend(&mut certificates),
            Err(error) => Err(error),
        };
        match (search.best, outcome) {
            (Some(path), _) => Ok(path),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(search.failure.map_or_else(|| missing_issuer(leaf), |(_, error)| error)),
        }
    }

    /// The certificates, leaf first, anchor last.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The certificates themselves, leaf first, anchor last.
    #[must_use]
    pub fn into_certificates(self) -> Vec<Certificate> {
        self.certificates
    }

    /// The certificate whose key signs.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    /// The trust anchor.
    #[must_use]
    pub fn anchor(&self) -> &Certificate {
        &self.certificates[self.certificates.len() - 1]
    }

    /// The certificate that issued the one at `index`; `None` for the anchor.
    #[must_use]
    pub fn issuer_of(&self, index: usize) -> Option<&Certificate> {
        self.certificates.get(index + 1)
    }

    /// Whether every AKI names the SKI above it, as RFC 9060 §7 wants (C15); the signatures hold either way.
    #[must_use]
    pub fn key_identifiers_agree(&self) -> bool {
        self.key_identifiers_agree
    }

    /// Whether all certificates but the anchor are valid at an instant (H21).
    ///
    /// # Errors
    /// [`Error::Expired`] or [`Error::NotYetValid`] for the one nearest to the leaf.
    pub fn check_validity(&self, at: UnixTime) -> Result<(), Error> {
        let below = &self.certificates[..self.certificates.len() - 1];
        // A leaf that is its own anchor is still a leaf.
        let judged = if below.is_empty() { &self.certificates[..] } else { below };
        judged.iter().try_for_each(|certificate| check_validity(certificate, at))
    }

    /// Whether the anchor is valid at an instant. RFC 5280 §6.1.1 leaves that to whoever lists the anchor.
    ///
    /// # Errors
    /// [`Error::Expired`] or [`Error::NotYetValid`].
    pub fn check_anchor_validity(&self, at: UnixTime) -> Result<(), Error> {
        check_validity(self.anchor(), at)
    }
}

/// Whether signatures between certificates hold, remembered: mathematics, true at any time.
///
/// At most [`Self::capacity`] links are kept; the oldest go first. It is safe to share between threads.
#[derive(Debug)]
pub struct LinkCache {
    generations: RwLock<Generations>,
    capacity: usize,
}

type Link = ([u8; 32], [u8; 32]);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Link, bool>,
    old: HashMap<Link, bool>,
}

impl LinkCache {
    /// A cache of at most `capacity` links; 0 keeps none.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { generations: RwLock::default(), capacity }
    }

    /// The most links that are kept.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// What is known about the link from a signed thing to its signer, both by their SHA-256.
    pub(crate) fn known(&self, signed: &[u8; 32], signer: &[u8; 32]) -> Option<bool> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let link = (*signed, *signer);
        generations.young.get(&link).or_else(|| generations.old.get(&link)).copied()
    }

    pub(crate) fn remember(&self, signed: &[u8; 32], signer: &[u8; 32], holds: bool) {
        if self.capacity == 0 {
            return;
        }
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= self.capacity.div_ceil(2) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert((*signed, *signer), holds);
    }
}

impl Default for LinkCache {
    /// Room for 8,192 links: more than all certificates that sign at one time.
    fn default() -> Self {
        Self::new(8_192)
    }
}

/// Why there is no path, or why it does not hold at an instant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The signature is not the one of the issuer's key.
    #[error("{subject}: not signed by the key of {issuer}")]
    BadSignature {
        /// The certificate.
        subject: String,
        /// Whose key was tried.
        issuer: String,
    },
    /// Too many ways to try: certificates made to keep a verifier busy.
    #[error("no path within {limit} {work}")]
    BudgetExceeded {
        /// What was counted.
        work: &'static str,
        /// The most there may be.
        limit: usize,
    },
    /// The validity has ended.
    #[error("{subject}: expired at {not_after}")]
    Expired {
        /// The certificate.
        subject: String,
        /// Its last instant.
        not_after: UnixTime,
    },
    /// No certificate of that name is at hand.
    #[error("{subject}: its issuer {issuer} is not at hand{}", key_identifier.as_ref().map(|id| format!(" (key {id})")).unwrap_or_default())]
    MissingIssuer {
        /// The certificate.
        subject: String,
        /// Whom it names as its issuer.
        issuer: String,
        /// The issuer's key identifier in hexadecimal.
        key_identifier: Option<String>,
    },
    /// It issued a certificate and is no certification authority's.
    #[error("{subject}: issued a certificate and is no authority (basicConstraints)")]
    NotACertificateAuthority {
        /// The certificate.
        subject: String,
    },
    /// Its key may not sign certificates.
    #[error("{subject}: its key may not sign certificates (keyUsage)")]
    NotForSigningCertificates {
        /// The certificate.
        subject: String,
    },
    /// The validity has not begun.
    #[error("{subject}: not valid before {not_before}")]
    NotYetValid {
        /// The certificate.
        subject: String,
        /// Its first instant.
        not_before: UnixTime,
    },
    /// More authorities below it than it admits.
    #[error("{subject}: admits {limit} authorities below it (pathLenConstraint)")]
    PathLengthExceeded {
        /// The certificate.
        subject: String,
        /// What it admits.
        limit: u64,
    },
    /// The certificate's two signature algorithms differ (RFC 5280 §4.1.1.2).
    #[error("{subject}: names two different signature algorithms")]
    SignatureAlgorithmMismatch {
        /// The certificate.
        subject: String,
    },
    /// A path longer than any real one.
    #[error("more than {limit} certificates in a path")]
    TooDeep {
        /// The most there may be.
        limit: usize,
    },
    /// A critical extension that is not understood or not readable (RFC 5280 §4.2).
    #[error("{subject}: critical extension {object_identifier} is not understood")]
    UnknownCriticalExtension {
        /// The certificate.
        subject: String,
        /// The extension.
        object_identifier: String,
    },
    /// Key and signature algorithm are not on the allow-list (C6).
    #[error("{subject}: signature algorithm {algorithm} with a key {key} is not supported")]
    UnsupportedAlgorithm {
        /// The certificate.
        subject: String,
        /// Its signature algorithm.
        algorithm: String,
        /// The issuer's key.
        key: String,
    },
    /// The path ends in a self-signed certificate that nobody trusts (G22).
    #[error("{subject}: self-signed, and not among the trust anchors")]
    UntrustedRoot {
        /// The certificate.
        subject: String,
        /// Its SHA-256.
        sha256: String,
    },
}

impl Error {
    /// How much a reason says, when several were met at the same distance from the leaf.
    const fn rank(&self) -> u8 {
        match self {
            Self::MissingIssuer { .. } => 0,
            Self::TooDeep { .. } => 1,
            Self::BadSignature { .. } => 2,
            Self::UntrustedRoot { .. } => 3,
            Self::UnsupportedAlgorithm { .. } | Self::SignatureAlgorithmMismatch { .. } => 4,
            Self::NotForSigningCertificates { .. } => 5,
            Self::NotACertificateAuthority { .. } => 6,
            Self::PathLengthExceeded { .. } => 7,
            Self::UnknownCriticalExtension { .. } => 8,
            Self::Expired { .. } | Self::NotYetValid { .. } => 9,
            Self::BudgetExceeded { .. } => 10,
        }
    }
}

/// The most certificates in a path, leaf and anchor included.
pub const MAX_DEPTH: usize = 8;
/// The most signatures that one search verifies; links that are known already cost nothing.
pub const MAX_SIGNATURES: usize = 64;
/// The most issuers that one search goes up to.
pub const MAX_STEPS: usize = 256;

struct Search<'a> {
    pool: &'a [Certificate],
    anchors: &'a [Certificate],
    at: UnixTime,
    links: &'a LinkCache,
    signatures: usize,
    steps: usize,
    /// The first path found; searching goes on only while it is not valid at the instant.
    best: Option<Path>,
    failure: Option<(usize, Error)>,
}

impl<'a> Search<'a> {
    /// Goes up from the last of `path`. `Err` ends the whole search; `Ok` means that nothing more is to be found here.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>) -> Result<(), Error> {
        let Some(current) = path.last().copied() else { return Ok(()) };
        if let Some(anchor) = self.anchor_for(current, path.len() == 1) {
            self.accept(path, anchor);
            return Ok(());
        }
        if path.len() == MAX_DEPTH {
            self.note(path.len(), Error::TooDeep { limit: MAX_DEPTH });
            return Ok(());
        }
        let candidates = self.candidates(current, path);
        // A root of a known name and another key is untrusted; that says more than whose signature it lacks.
        if current.is_self_issued() {
            self.note(path.len(), untrusted(current));
        } else if candidates.is_empty() {
            self.note(path.len(), missing_issuer(current));
        }
        for (_, candidate) in candidates {
            if let Err(error) = self.check_link(current, candidate, path) {
                if matches!(error, Error::BudgetExceeded { .. }) {
                    return Err(error);
                }
                self.note(path.len(), error);
                continue;
            }
            if self.steps == MAX_STEPS {
                return Err(Error::BudgetExceeded { work: "issuers", limit: MAX_STEPS });
            }
            self.steps += 1;
            path.push(candidate);
            let outcome = self.extend(path);
            path.pop();
            outcome?;
            if self.best.as_ref().is_some_and(|best| best.check_validity(self.at).is_ok()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The anchor that a certificate is: the same certificate, or above the leaf the same subject and key.
    fn anchor_for(&self, certificate: &Certificate, is_leaf: bool) -> Option<&'a Certificate> {
        let same = |anchor: &&Certificate| anchor.sha256() == certificate.sha256();
        let same_key = |anchor: &&Certificate| {
            !is_leaf
                && anchor.key_info_der() == certificate.key_info_der()
                && anchor.subject().is_same_as(certificate.subject())
        };
        self.anchors.iter().find(same).or_else(|| self.anchors.iter().find(same_key))
    }

    /// Who may have issued a certificate, best guess first: anchors before others, the right key identifier before
    /// none before a wrong one.
    fn candidates(&self, current: &Certificate, path: &[&Certificate]) -> Vec<(u8, &'a Certificate)> {
        let mut found: Vec<(u8, &Certificate)> = Vec::new();
        for (preference, candidate) in
            self.anchors.iter().map(|anchor| (0, anchor)).chain(self.pool.iter().map(|other| (1, other)))
        {
            if !candidate.subject().is_same_as(current.issuer()) {
                continue;
            }
            let in_path = path.iter().any(|own| is_same_entity(own, candidate));
            let known = found.iter().any(|(_, other)| other.sha256() == candidate.sha256());
            if !in_path && !known {
                found.push((preference + 2 * key_identifier_rank(current, candidate), candidate));
            }
        }
        found.sort_by_key(|(preference, _)| *preference);
        found
    }

    /// Whether `issuer` may issue, and did issue, the last certificate of the path: cheap checks first.
    fn check_link(&mut self, child: &Certificate, issuer: &Certificate, path: &[&Certificate]) -> Result<(), Error> {
        let subject = || issuer.subject().to_string();
        check_extensions(issuer)?;
        // RFC 5280 §6.1.4 (k).
        if !issuer.is_authority() {
            return Err(Error::NotACertificateAuthority { subject: subject() });
        }
        // RFC 5280 §6.1.4 (n).
        if issuer.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
            return Err(Error::NotForSigningCertificates { subject: subject() });
        }
        // RFC 5280 §6.1.4 (l), (m): self-issued authorities do not count, and the leaf is none.
        let below = path.iter().skip(1).filter(|authority| !authority.is_self_issued()).count();
        match issuer.basic_constraints().and_then(|constraints| constraints.path_length) {
            Some(limit) if u64::try_from(below).unwrap_or(u64::MAX) > limit => {
                return Err(Error::PathLengthExceeded { subject: subject(), limit });
            }
            _ => {}
        }
        self.check_signature(child, issuer)
    }

    fn check_signature(&mut self, child: &Certificate, issuer: &Certificate) -> Result<(), Error> {
        if !child.algorithms_agree() {
            return Err(Error::SignatureAlgorithmMismatch { subject: child.subject().to_string() });
        }
        let holds = match self.links.known(child.sha256(), issuer.sha256()) {
            Some(holds) => holds,
            None => self.verify(child, issuer)?,
        };
        if holds {
            return Ok(());
        }
        Err(Error::BadSignature { subject: child.subject().to_string(), issuer: issuer.subject().to_string() })
    }

    fn verify(&mut self, child: &Certificate, issuer: &Certificate) -> Result<bool, Error> {
        if self.signatures == MAX_SIGNATURES {
            return Err(Error::BudgetExceeded { work: "signatures", limit: MAX_SIGNATURES });
        }
        self.signatures += 1;
        let holds = match child.verify_signed_by(issuer) {
            Ok(()) => true,
            Err(SignatureFault::Wrong) => false,
            Err(SignatureFault::Unsupported) => {
                return Err(Error::UnsupportedAlgorithm {
                    subject: child.subject().to_string(),
                    algorithm: child.signature_algorithm().to_string(),
                    key: issuer.key_kind().to_string(),
                });
            }
        };
        self.links.remember(child.sha256(), issuer.sha256(), holds);
        Ok(holds)
    }

    fn accept(&mut self, path: &[&Certificate], anchor: &Certificate) {
        // What is trusted is the anchor, not the certificate that shares its name and key.
        let below = path.iter().take(path.len() - 1).copied();
        let certificates: Vec<Certificate> = below.chain([anchor]).cloned().collect();
        let key_identifiers_agree = certificates.windows(2).all(|pair| key_identifier_rank(&pair[0], &pair[1]) == 0);
        let path = Path { certificates, key_identifiers_agree };
        if self.best.is_none() || path.check_validity(self.at).is_ok() {
            self.best = Some(path);
        }
    }

    /// Keeps the reason that got furthest, and of these the one that says most.
    fn note(&mut self, depth: usize, error: Error) {
        let better = |(known_depth, known): &(usize, Error)| (depth, error.rank()) > (*known_depth, known.rank());
        if self.failure.as_ref().is_none_or(better) {
            self.failure = Some((depth, error));
        }
    }
}

/// The first certificate of a subject and key in a path is the only one: no loops.
fn is_same_entity(one: &Certificate, other: &Certificate) -> bool {
    one.key_info_der() == other.key_info_der() && one.subject().is_same_as(other.subject())
}

/// 0 when the child's AKI names the issuer's SKI, 1 when one of the two is absent, 2 when they differ.
fn key_identifier_rank(child: &Certificate, issuer: &Certificate) -> u8 {
    let wanted = child.authority_key_identifier().and_then(|identifier| identifier.key_identifier.as_deref());
    match (wanted, issuer.subject_key_identifier()) {
        (Some(wanted), Some(own)) if wanted == own => 0,
        (Some(_), Some(_)) => 2,
        _ => 1,
    }
}

fn check_extensions(certificate: &Certificate) -> Result<(), Error> {
    match certificate.unknown_critical_extension() {
        Some(object_identifier) => Err(Error::UnknownCriticalExtension {
            subject: certificate.subject().to_string(),
            object_identifier: object_identifier.to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_validity(certificate: &Certificate, at: UnixTime) -> Result<(), Error> {
    let subject = || certificate.subject().to_string();
    if at < certificate.not_before() {
        return Err(Error::NotYetValid { subject: subject(), not_before: certificate.not_before() });
    }
    if at > certificate.not_after() {
        return Err(Error::Expired { subject: subject(), not_after: certificate.not_after() });
    }
    Ok(())
}

fn missing_issuer(certificate: &Certificate) -> Error {
    let identifier = certificate.authority_key_identifier().and_then(|identifier| identifier.key_identifier.as_deref());
    Error::MissingIssuer {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        key_identifier: identifier.map(crate::certificate::der::hexadecimal),
    }
}

fn untrusted(certificate: &Certificate) -> Error {
    Error::UntrustedRoot { subject: certificate.subject().to_string(), sha256: certificate.sha256_hex().to_owned() }
}

#[cfg(test)]
mod tests;
