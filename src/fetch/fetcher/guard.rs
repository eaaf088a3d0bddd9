//! The guard before every connection: names are resolved here, each address is judged, and the connection is made to what
//! was judged (RFC 6890; G29).

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving as ForReqwest};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

use crate::fetch::address::{Allowance, SpecialRange};
use crate::fetch::fetcher::error::NotFetched;
use crate::fetch::fetcher::retrieval::unpoisoned;
use crate::fetch::location::{Host, Location};

/// What a [`Resolver`] promises.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Who tells the addresses of a host.
pub trait Resolver: Send + Sync {
    /// The addresses of a name. A port of 0 stands for that of the URL; so does any other where the URL names one.
    fn resolve(&self, name: &str) -> Resolving;
}

/// Judges addresses, and is whom the HTTP client asks for them.
pub(super) struct Guard {
    resolver: Arc<dyn Resolver>,
    lookups: Lookups,
    allowances: Vec<Allowance>,
}

impl Guard {
    pub(super) fn new(resolver: Option<Arc<dyn Resolver>>, allowances: Vec<Allowance>) -> Self {
        Self {
            resolver: resolver.unwrap_or_else(|| Arc::new(SystemResolver::new())),
            lookups: Lookups::default(),
            allowances,
        }
    }

    /// Judges the host of a URL as far as it needs no DNS: the client never asks for an address that stands there.
    pub(super) fn check(&self, location: &Location) -> Result<(), NotFetched> {
        match location.host() {
            Host::Address(address) => self.judge(&location.host().to_string(), [SocketAddr::new(*address, 0)].iter()),
            Host::Name(_) => Ok(()),
        }
    }

    /// One bad address spoils the answer: whoever mixes them hopes that the other is taken.
    fn judge<'a>(&self, host: &str, mut addresses: impl Iterator<Item = &'a SocketAddr>) -> Result<(), NotFetched> {
        let refused = addresses.find_map(|address| {
            let range = SpecialRange::of(address.ip())?;
            let is_allowed = self.allowances.iter().any(|allowance| allowance.covers(host, address.ip()));
            (!is_allowed).then_some((address.ip(), range))
        });
        match refused {
            Some((address, range)) => Err(NotFetched::RefusedAddress { host: host.to_owned(), address, range }),
            None => Ok(()),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, NotFetched> {
        let failed = |why: String| NotFetched::Dns { host: host.to_owned(), why };
        let addresses = self.lookups.join(host, || self.resolver.resolve(host)).await.map_err(failed)?;
        if addresses.is_empty() {
            return Err(failed("the name has no address".to_owned()));
        }
        self.judge(host, addresses.iter())?;
        Ok(addresses)
    }
}

/// One look-up of a name, however many ask: a name whose servers are silent takes one place, not all there are.
#[derive(Clone, Default)]
struct Lookups(Arc<Mutex<HashMap<String, watch::Receiver<Option<Found>>>>>);

/// What DNS said of a name, or why it said nothing.
type Found = Result<Vec<SocketAddr>, String>;

impl Lookups {
    async fn join(&self, name: &str, look_up: impl FnOnce() -> Resolving) -> Found {
        let mut found = self.board(name, look_up);
        // Nothing is sent only where the task was ended with its runtime, or panicked.
        let lost = || Err("the look-up was given up".to_owned());
        let found = found.wait_for(Option::is_some).await;
        found.ok().and_then(|found| found.clone()).unwrap_or_else(lost)
    }

    fn board(&self, name: &str, look_up: impl FnOnce() -> Resolving) -> watch::Receiver<Option<Found>> {
        let mut under_way = unpoisoned(self.0.lock());
        if let Some(found) = under_way.get(name) {
            return found.clone();
        }
        let resolving = look_up();
        let (sender, found) = watch::channel(None);
        under_way.insert(name.to_owned(), found.clone());
        drop(under_way);
        let done = Done { lookups: self.clone(), name: name.to_owned() };
        tokio::spawn(async move {
            let answer = tokio::time::timeout(LOOKUP_TIME, resolving).await;
            drop(done);
            let silent = || Err(io::Error::other("DNS does not answer"));
            let _ = sender.send(Some(answer.unwrap_or_else(|_| silent()).map_err(|reason| reason.to_string())));
        });
        found
    }
}

/// Takes a look-up off the list when it ends, however it ends.
struct Done {
    lookups: Lookups,
    name: String,
}

impl Drop for Done {
    fn drop(&mut self) {
        unpoisoned(self.lookups.0.lock()).remove(&self.name);
    }
}

/// After this nobody waits for a look-up any more, and it is begun anew: longer than resolvers try by themselves.
const LOOKUP_TIME: Duration = Duration::from_secs(30);

/// A guard as the client holds it.
pub(super) struct Gate(pub(super) Arc<Guard>);

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> ForReqwest {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str()).await.map_err(Turned)?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// What the guard found, on its way through the client's errors.
#[derive(Debug)]
pub(super) struct Turned(pub(super) NotFetched);

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Turned {}

/// The system's own resolver.
struct SystemResolver {
    /// A look-up cannot be called off, and may outlast whoever waited for it: so many and no more.
    slots: Arc<Semaphore>,
}

impl SystemResolver {
    fn new() -> Self {
        Self { slots: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

const MAX_LOOKUPS: usize = 64;

impl Resolver for SystemResolver {
    fn resolve(&self, name: &str) -> Resolving {
        let (slots, name) = (Arc::clone(&self.slots), name.to_owned());
        Box::pin(async move {
            let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                let addresses = (name.as_str(), 0).to_socket_addrs().map(Iterator::collect);
                drop(slot);
                addresses
            };
            spawn_blocking(look_up).await.map_err(io::Error::other)?
        })
    }
}
