//! A key of a token as the service asks it: signatures in turn, bounded in number and time.

use std::fmt;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::TokenError;
use super::library::Library;
use super::session::{Place, Session};
use super::worker::{Job, Worker};
use crate::service::settings::Pkcs11Settings;
use crate::service::signer::{Key, KeyFailure, Signing, sha256};
use crate::sign::SigningCertificate;

/// Reads a PIN where it stands; none for a token that asks for it by itself.
pub type ReadPin = Arc<dyn Fn() -> Result<Option<String>, String> + Send + Sync>;

/// A private key in a token. Its threads end with it.
pub struct TokenKey {
    jobs: SyncSender<Job>,
    place: Arc<Place>,
    wait: Duration,
}

/// So many signatures may be waited for; a token that is this far behind would answer too late.
const MAX_WAITING: usize = 1024;

impl TokenKey {
    /// Finds a key, and has it sign to see that it is the certificate's. It blocks.
    ///
    /// # Errors
    /// Why the token does not sign, or that it signs with another key.
    pub(super) fn open(
        settings: &Pkcs11Settings,
        pin: ReadPin,
        certificate: &SigningCertificate,
        alive: &Arc<()>,
    ) -> Result<Self, TokenError> {
        let place = Place { library: Library::load(&settings.module)?, settings: settings.clone(), pin };
        let session = place.open()?;
        if let Err(reason) = check(&place, &session, certificate) {
            session.close(&place);
            return Err(reason);
        }
        let (jobs, receiver) = sync_channel(MAX_WAITING);
        let (place, receiver) = (Arc::new(place), Arc::new(Mutex::new(receiver)));
        let mut first = Some(session);
        for _ in 0..settings.sessions.max(1) {
            let (place, jobs) = (Arc::clone(&place), Arc::clone(&receiver));
            let worker = Worker { place, jobs, session: first.take(), failed: None, alive: Arc::clone(alive) };
            let started = thread::Builder::new().name("pkcs11".to_owned()).spawn(move || worker.run());
            started.map_err(|reason| TokenError::Thread { reason: reason.to_string() })?;
        }
        Ok(Self { jobs, place, wait: settings.wait })
    }

    async fn signed(&self, digest: [u8; 32]) -> Result<Vec<u8>, KeyFailure> {
        let (answer, asked) = oneshot::channel();
        let refused = |reason: String| KeyFailure::Refused { reason };
        match self.jobs.try_send(Job { digest, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(KeyFailure::Busy { limit: MAX_WAITING }),
            Err(TrySendError::Disconnected(_)) => return Err(refused("its threads have ended".to_owned())),
        }
        match tokio::time::timeout(self.wait, asked).await {
            Ok(Ok(signed)) => signed.map_err(|reason| refused(reason.to_string())),
            Ok(Err(_)) => Err(refused("its thread broke off".to_owned())),
            Err(_) => Err(KeyFailure::Slow { seconds: self.wait.as_secs() }),
        }
    }
}

impl Key for TokenKey {
    fn sign(&self, digest: [u8; 32]) -> Signing<'_> {
        Box::pin(self.signed(digest))
    }
}

/// Has the key sign, and the certificate verify it.
fn check(place: &Place, session: &Session, certificate: &SigningCertificate) -> Result<(), TokenError> {
    const MESSAGE: &[u8] = b"stirtrace: is this the key of the certificate?";
    let lost = || TokenError::Failed { function: "C_Sign".to_owned(), code: "SessionClosed".to_owned() };
    let signature = session.sign(place, &sha256(MESSAGE)).unwrap_or_else(|| Err(lost()))?;
    certificate
        .check_signature(MESSAGE, &signature)
        .map_err(|wrong| TokenError::KeyMismatch { reason: wrong.to_string() })
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?})", self.place)
    }
}
