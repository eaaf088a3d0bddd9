//! The library of a security module (PKCS #11 v2.40 §5.4): loaded once, for it is one for the whole process, and
//! initialised anew when it lost its module.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::error::TokenError;

/// A library that is loaded.
#[derive(Debug)]
pub(super) struct Library {
    context: RwLock<Context>,
    refused: Mutex<Refused>,
}

/// By the name of a token, the SHA-256 of the PIN that it refused last.
pub(super) type Refused = HashMap<String, [u8; 32]>;

/// The library, as long as it is initialised.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) module: Pkcs11,
    /// How often it was initialised; sessions belong to one time.
    pub(super) generation: u64,
    /// Whether it was initialised here: nobody else's sessions are ended.
    ours: bool,
    renewed: Option<Instant>,
    /// How long it is left as it is after that.
    pause: Duration,
}

/// Initialising once and ending once is all that a library allows a process, whoever in it asks.
static LIBRARIES: Mutex<Vec<(PathBuf, Arc<Library>)>> = Mutex::new(Vec::new());

/// Initialising anew ends the sessions of all tokens of a library: not more often than this, then ever more seldom.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

impl Library {
    /// Loads a library, or finds it loaded.
    pub(super) fn load(path: &str) -> Result<Arc<Self>, TokenError> {
        // A name without a folder is looked for by the system.
        let own = Path::new(path).canonicalize().unwrap_or_else(|_| PathBuf::from(path));
        let mut libraries = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, library)) = libraries.iter().find(|(path, _)| *path == own) {
            return Ok(Arc::clone(library));
        }
        let failed = |reason: String| TokenError::NoLibrary { path: path.to_owned(), reason };
        let module = Pkcs11::new(&own).map_err(|reason| failed(reason.to_string()))?;
        let ours = initialise(&module).map_err(|reason| failed(TokenError::from(reason).to_string()))?;
        let context = Context { module, generation: 0, ours, renewed: None, pause: PAUSES.0 };
        let library = Arc::new(Self { context: RwLock::new(context), refused: Mutex::default() });
        libraries.push((own, Arc::clone(&library)));
        Ok(library)
    }

    /// The library, kept as it is while the guard lives.
    pub(super) fn context(&self) -> RwLockReadGuard<'_, Context> {
        self.context.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The PINs that tokens refused. Whoever logs in holds it meanwhile, so that no two try a wrong one.
    pub(super) fn refused(&self) -> MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Initialises it anew, unless that was done since `seen` or a short time ago, or others are using it right now.
    /// Whether trying again makes sense is returned.
    pub(super) fn renew(&self, seen: u64) -> bool {
        let Ok(mut context) = self.context.try_write() else { return false };
        if context.generation != seen {
            return true;
        }
        let waited = context.renewed.map(|at| at.elapsed());
        if !context.ours || waited.is_some_and(|waited| waited < context.pause) {
            return false;
        }
        let is_new = waited.is_none_or(|waited| waited > PAUSES.1 * 2);
        context.pause = if is_new { PAUSES.0 } else { (context.pause * 2).min(PAUSES.1) };
        context.renewed = Some(Instant::now());
        context.generation += 1;
        // It is at fault: whatever it says to its end changes nothing.
        let _ = context.module.clone().finalize();
        initialise(&context.module).is_ok()
    }
}

/// Whether it was initialised here, rather than by somebody else in this process.
fn initialise(module: &Pkcs11) -> Result<bool, Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) => Ok(true),
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(false),
        Err(error) => Err(error),
    }
}
