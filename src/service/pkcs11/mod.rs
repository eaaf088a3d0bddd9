//! Signing keys in a security module, reached by its library (OASIS PKCS #11 v2.40 and later).
//!
//! A [`TokenKey`] is a key of a token with threads of its own that talk to it, each over one session: a module that hangs
//! costs signatures, never the threads that judge calls. A session that was lost is opened anew; where that does not
//! help, the library is initialised anew, which many need before they see a token again that was away. A PIN that the
//! token refused is not tried a second time, for tokens lock themselves after a few.

mod error;
mod key;
mod library;
mod session;
mod worker;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

pub use error::TokenError;
pub use key::{ReadPin, TokenKey};

use crate::service::settings::Pkcs11Settings;
use crate::sign::SigningCertificate;

/// The keys of tokens that are in use. Reading the configuration anew opens only those that it names anew: a module
/// that is away keeps nothing else from being read.
#[derive(Debug, Default)]
pub struct TokenKeys {
    kept: Mutex<Vec<Kept>>,
    /// Held by every thread that talks to a token.
    alive: Arc<()>,
}

#[derive(Debug)]
struct Kept {
    settings: Pkcs11Settings,
    point: [u8; 65],
    key: Weak<TokenKey>,
}

impl TokenKeys {
    /// The key of a certificate. `pin` reads the PIN, now and whenever the token wants it again. It blocks.
    ///
    /// # Errors
    /// Why the token does not sign, or that it signs with another key than the certificate's.
    pub fn key(
        &self,
        settings: &Pkcs11Settings,
        pin: ReadPin,
        certificate: &SigningCertificate,
    ) -> Result<Arc<TokenKey>, TokenError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|own| own.key.strong_count() > 0);
        let same = kept.iter().find(|own| own.settings == *settings && own.point == *certificate.point());
        if let Some(key) = same.and_then(|own| own.key.upgrade()) {
            return Ok(key);
        }
        let key = Arc::new(TokenKey::open(settings, pin, certificate, &self.alive)?);
        kept.push(Kept { settings: settings.clone(), point: *certificate.point(), key: Arc::downgrade(&key) });
        Ok(key)
    }

    /// Waits until the threads of keys that are dropped have closed their sessions; not for long, for a module may hang.
    /// Whoever ends the process calls this first: a library that is asked something while the process ends may crash.
    pub fn close(&self) {
        let began = Instant::now();
        while Arc::strong_count(&self.alive) > 1 && began.elapsed() < LAST_WORDS {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How long the end of the process waits for sessions to be closed.
const LAST_WORDS: Duration = Duration::from_secs(2);
