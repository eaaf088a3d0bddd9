//! The verifier with its materials, which all threads share and which fill as calls ask for them.

use std::sync::{PoisonError, RwLock};

use crate::cli::archive::Place;
use crate::cli::settings::VerifySettings;
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Materials, Verdict, Verifier};

/// Judges calls; certificates are read once, when the first call needs them.
pub(super) struct Judge<'a> {
    settings: &'a VerifySettings,
    verifier: Verifier,
    held: RwLock<Held>,
}

/// What was obtained so far.
struct Held {
    materials: Materials,
    urls: usize,
}

/// How many URLs are remembered before everything about them is forgotten: hostile calls may name a new one each.
const MAX_URLS: usize = 100_000;

/// What lies at a URL, or why it cannot be had.
type Obtained = (String, Result<Vec<u8>, String>);

impl<'a> Judge<'a> {
    pub(super) fn new(settings: &'a VerifySettings) -> Self {
        let held = Held { materials: settings.trust.materials(), urls: 0 };
        Self { settings, verifier: Verifier::new(settings.policy.clone()), held: RwLock::new(held) }
    }

    /// The verdicts on calls, each as of its instant, in this order.
    pub(super) fn judge(&self, calls: &[(&Call, UnixTime)]) -> Vec<Verdict> {
        loop {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            let mut missing: Vec<String> =
                calls.iter().flat_map(|(call, _)| self.verifier.missing(call, &held.materials)).collect();
            if missing.is_empty() {
                return self.verifier.verify_batch(calls, &held.materials);
            }
            drop(held);
            missing.sort_unstable();
            missing.dedup();
            // Files are read while others judge.
            let obtained = missing.into_iter().map(|url| self.obtain(url)).collect();
            self.keep(obtained);
        }
    }

    fn keep(&self, obtained: Vec<Obtained>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.urls > MAX_URLS {
            *held = Held { materials: self.settings.trust.materials(), urls: 0 };
        }
        held.urls += obtained.len();
        for (url, body) in obtained {
            match body {
                // Another thread may have been faster.
                _ if held.materials.knows(&url) => {}
                Ok(body) => held.materials.add_certificate(&url, &body),
                Err(reason) => held.materials.mark_unavailable(&url, reason),
            }
        }
    }

    fn obtain(&self, url: String) -> Obtained {
        let body = match &self.settings.trust.archive {
            Some(archive) => archive.read(&url).map_err(|reason| reason.to_string()),
            None => {
                let place = Place::of(&url).map(|place| place.to_path().display().to_string());
                let place = place.unwrap_or_else(|_| "host/path".to_owned());
                Err(format!("no archive was named; put it at DIR/{place} and give --certs DIR"))
            }
        };
        (url, body)
    }
}
