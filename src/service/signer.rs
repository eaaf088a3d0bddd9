//! Who signs for the service: a certificate and its private key, which lies in memory or where it is asked for each
//! signature, such as a security module (RFC 8224 §6.1).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};

use crate::passport::ResourcePriority;
use crate::service::engine::NotSigned;
use crate::sign::{SignRequest, SignedIdentity, Signer, SigningCertificate};
use crate::time::UnixTime;

/// A private key that lies elsewhere and signs when it is asked to.
pub trait Key: fmt::Debug + Send + Sync {
    /// ECDSA on P-256 over a SHA-256 digest: `r || s`, 64 octets. Whoever waits may give up at any time; it must not
    /// keep the thread waiting that polls it.
    fn sign(&self, digest: [u8; 32]) -> Signing<'_>;
}

/// A signature under way.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, KeyFailure>> + Send + 'a>>;

/// Why a key that lies elsewhere gave no signature. None of it is the call's fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFailure {
    /// More signatures are waited for than may be.
    #[error("more than {limit} signatures are waited for already")]
    Busy {
        /// The most there may be.
        limit: usize,
    },
    /// It was asked, and did not sign.
    #[error("{reason}")]
    Refused {
        /// What it says.
        reason: String,
    },
    /// It did not answer in time.
    #[error("no signature came within {seconds} s")]
    Slow {
        /// How many seconds it had.
        seconds: u64,
    },
    /// What came is no signature by the certificate's key.
    #[error("{reason}")]
    WrongSignature {
        /// What is wrong.
        reason: String,
    },
}

impl KeyFailure {
    /// The word that it is counted under.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Refused { .. } => "refused",
            Self::Slow { .. } => "slow",
            Self::WrongSignature { .. } => "wrong-signature",
        }
    }
}

/// A signer by the name that rules call it.
#[derive(Clone, Debug)]
pub struct NamedSigner {
    name: String,
    key: Place,
    /// What it may authorise by rph, if anything.
    priorities: Arc<Permission>,
    /// Whether the last signature failed; told once, not with each call.
    failing: Arc<AtomicBool>,
}

/// Which priorities a signer may authorise, and for whom.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Permission {
    namespaces: Vec<String>,
    clients: Vec<String>,
}

/// Where the private key lies.
#[derive(Clone, Debug)]
enum Place {
    Elsewhere(Arc<SigningCertificate>, Arc<dyn Key>),
    Memory(Arc<Signer>),
}

impl NamedSigner {
    /// A signer with its name.
    #[must_use]
    pub fn new(name: impl Into<String>, signer: Signer) -> Self {
        Self::at(name, Place::Memory(Arc::new(signer)))
    }

    /// A signer whose private key lies elsewhere, with its name.
    #[must_use]
    pub fn elsewhere(name: impl Into<String>, certificate: SigningCertificate, key: Arc<dyn Key>) -> Self {
        Self::at(name, Place::Elsewhere(Arc::new(certificate), key))
    }

    fn at(name: impl Into<String>, key: Place) -> Self {
        Self { name: name.into(), key, priorities: Arc::default(), failing: Arc::default() }
    }

    /// The same, which may authorise priorities of these namespaces: for these clients, or where none is named for
    /// everybody who may have calls signed (RFC 8443 §4.1).
    #[must_use]
    pub fn authorising<T: AsRef<str>>(self, namespaces: impl IntoIterator<Item = T>, clients: Vec<String>) -> Self {
        let namespaces = namespaces.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect();
        Self { priorities: Arc::new(Permission { namespaces, clients }), ..self }
    }

    /// Whether it may authorise all of these for a client of that name; where none is named, for one who may have the
    /// call signed.
    pub(crate) fn may_authorise(
        &self,
        priorities: &[ResourcePriority],
        client: Option<&str>,
        may_have_signed: bool,
    ) -> bool {
        let Permission { namespaces, clients } = &*self.priorities;
        let is_named = client.is_some_and(|name| clients.iter().any(|own| own == name));
        let is_client = is_named || (clients.is_empty() && may_have_signed);
        is_client && priorities.iter().all(|priority| namespaces.iter().any(|own| own == priority.namespace()))
    }

    /// The same, as one that goes on from `before`: whether its key signs is known already, where both have one
    /// certificate.
    pub(crate) fn going_on_from(self, before: &Self) -> Self {
        let is_same = self.name == before.name && self.certificate() == before.certificate();
        if is_same { Self { failing: Arc::clone(&before.failing), ..self } } else { self }
    }

    /// SHA-256 of the certificate.
    fn certificate(&self) -> &[u8; 32] {
        match &self.key {
            Place::Elsewhere(certificate, _) => certificate.certificate().sha256(),
            Place::Memory(signer) => signer.certificate().sha256(),
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its key gave the last signature that it was asked for, or was not asked yet.
    #[must_use]
    pub fn works(&self) -> bool {
        !self.failing.load(Ordering::Relaxed)
    }

    /// Signs a call.
    ///
    /// # Errors
    /// When the call may not be signed, or the key gives no signature.
    pub async fn sign(&self, request: &SignRequest, now: UnixTime) -> Result<SignedIdentity, NotSigned> {
        match &self.key {
            Place::Memory(signer) => signer.sign(request, now).map_err(NotSigned::Refused),
            Place::Elsewhere(certificate, key) => {
                let signed = self.sign_elsewhere(certificate, &**key, request, now).await;
                self.tell(&signed);
                signed
            }
        }
    }

    async fn sign_elsewhere(
        &self,
        certificate: &SigningCertificate,
        key: &dyn Key,
        request: &SignRequest,
        now: UnixTime,
    ) -> Result<SignedIdentity, NotSigned> {
        let failed = |failure| NotSigned::KeyFailed { signer: self.name.clone(), failure };
        let draft = certificate.draft(request, now).map_err(NotSigned::Refused)?;
        let signature = key.sign(sha256(draft.signing_input().as_bytes())).await.map_err(failed)?;
        // A key that was replaced, or a module at fault, must not send out what verifiers refuse.
        let signed = certificate.complete(draft, &signature);
        signed.map_err(|wrong| failed(KeyFailure::WrongSignature { reason: wrong.to_string() }))
    }

    /// Tells whoever runs the service when a key begins to fail, and when that is over.
    fn tell(&self, signed: &Result<SignedIdentity, NotSigned>) {
        match signed {
            Ok(_) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(signer = self.name, "the signing key signs again");
            }
            Err(NotSigned::KeyFailed { failure, .. }) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::error!(signer = self.name, reason = %failure, "the signing key does not sign; calls stay unsigned");
            }
            _ => {}
        }
    }
}

/// The digest that is signed.
pub(super) fn sha256(message: &[u8]) -> [u8; 32] {
    let mut own = [0; 32];
    own.copy_from_slice(digest(&SHA256, message).as_ref());
    own
}
