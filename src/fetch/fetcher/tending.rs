//! What is looked after in the background: certificates in use before they end, CRLs and lists always (F21-F23).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::certificate::bundle::{Bundle, Limits};
use crate::certificate::crl::Crl;
use crate::clock;
use crate::fetch::fetcher::Fetcher;
use crate::fetch::fetcher::fetched::Kind;
use crate::fetch::fetcher::retrieval::{Reason, unpoisoned};
use crate::time::UnixTime;

/// Whether a body is what was looked for, and until when it says that it is good; why not, in words.
pub type Accept = Arc<dyn Fn(&[u8]) -> Result<Option<UnixTime>, String> + Send + Sync>;

impl Fetcher {
    /// Keeps a CRL or a list up to date from now on, as [`Self::tend`] comes by: fetched before its end, the last good
    /// one kept. What `accept` does not take never replaces what it took.
    pub fn watch(&self, kind: Kind, url: &str, accept: Accept) {
        unpoisoned(self.shared.watches.all.write()).insert((kind, url.to_owned()), accept);
    }

    /// No longer keeps it up to date.
    pub fn unwatch(&self, kind: Kind, url: &str) {
        unpoisoned(self.shared.watches.all.write()).remove(&(kind, url.to_owned()));
    }

    /// Fetches what is watched and due, and certificates that were used and end soon. Returns when all of it has come or
    /// failed.
    pub async fn tend(&self, now: UnixTime) {
        let mut fetches = JoinSet::new();
        for (kind, url, reason) in self.due(now) {
            let fetcher = self.clone();
            fetches.spawn(async move { fetcher.fly(kind, &url, now, reason).await });
            if fetches.len() >= MAX_TENDED_AT_ONCE {
                fetches.join_next().await;
            }
        }
        while fetches.join_next().await.is_some() {}
    }

    /// [`Self::tend`], every half a minute, for as long as it is awaited.
    pub async fn tend_forever(&self) {
        loop {
            self.tend(clock::now()).await;
            tokio::time::sleep(EVERY).await;
        }
    }

    fn due(&self, now: UnixTime) -> Vec<(Kind, Arc<str>, Reason)> {
        let mut due: Vec<(Kind, Arc<str>, Reason)> = Vec::new();
        let watched: Vec<(Kind, String)> = unpoisoned(self.shared.watches.all.read()).keys().cloned().collect();
        for (kind, url) in watched {
            let shelf = self.shared.shelf(kind);
            let held = shelf.held.get(url.as_str());
            let reason = match held {
                None => Some(Reason::Wanted),
                Some(held) if !held.is_fresh(now) || held.is_due(now) => Some(Reason::Early),
                Some(_) => None,
            };
            if let Some(reason) = reason.filter(|_| shelf.failure(&url, now).is_none()) {
                due.push((kind, Arc::from(url), reason));
            }
        }
        let shelf = self.shared.shelf(Kind::Certificate);
        for (url, held) in &shelf.held {
            let is_wanted = held.is_used() && held.is_fresh(now) && held.is_due(now);
            if is_wanted && shelf.failure(&url, now).is_none() && held.claim(now) {
                self.shared.counters.prefetched.count();
                due.push((Kind::Certificate, Arc::clone(&*url), Reason::Early));
            }
        }
        due
    }
}

const EVERY: Duration = Duration::from_secs(30);
const MAX_TENDED_AT_ONCE: usize = 8;

/// What is watched, and by what it is judged.
#[derive(Default)]
pub(super) struct Watches {
    all: RwLock<HashMap<(Kind, String), Accept>>,
}

impl Watches {
    /// Whether a body is what belongs at a URL, and until when it is good by its own words.
    pub(super) fn judge(&self, kind: Kind, url: &str, body: &[u8]) -> Result<Option<UnixTime>, String> {
        let accept = unpoisoned(self.all.read()).get(&(kind, url.to_owned())).cloned();
        if let Some(accept) = accept {
            return accept(body);
        }
        match kind {
            Kind::Certificate => match Bundle::read(body, &Limits::UNTRUSTED) {
                Ok(bundle) => Ok(Some(bundle.leaf().not_after())),
                Err(reason) => Err(reason.to_string()),
            },
            Kind::Crl => Crl::from_bytes(body).map(|crl| crl.next_update()).map_err(|reason| reason.to_string()),
            // Its digest says whether it is what was signed, and that stands in the claim.
            Kind::RichCallData => Ok(None),
            // F21: an envelope of JSON, or the JWS alone. Who signed it is for `trust` to judge.
            Kind::TrustList => match body.trim_ascii_start() {
                [b'{', ..] | [b'e', b'y', b'J', ..] => Ok(None),
                _ => Err("it is neither JSON nor a JWS".to_owned()),
            },
        }
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(unpoisoned(self.all.read()).keys()).finish()
    }
}
