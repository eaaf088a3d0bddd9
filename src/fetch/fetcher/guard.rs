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
        let addresses = self.lookups.join(host, &self.resolver).await.map_err(failed)?;
        if addresses.is_empty() {
            return Err(failed("the name has no address".to_owned()));
        }
        self.judge(host, addresses.iter())?;
        Ok(addresses)
    }
}

/// One look-up of a name, however many ask, and so many of one zone: names whose servers are silent, below one that
/// somebody holds, wait for each other and for nobody else.
#[derive(Clone)]
struct Lookups {
    under_way: Arc<Mutex<HashMap<String, watch::Sender<Option<Found>>>>>,
    /// Those zones that somebody wants a name of.
    zones: Arc<Mutex<HashMap<String, Wanted>>>,
    /// Who may look up any.
    places: Arc<Semaphore>,
}

/// Who may look up a name of a zone, and how many want to.
struct Wanted {
    places: Arc<Semaphore>,
    number: usize,
}

/// What DNS said of a name, or why it said nothing.
type Found = Result<Vec<SocketAddr>, String>;

impl Default for Lookups {
    fn default() -> Self {
        Self { under_way: Arc::default(), zones: Arc::default(), places: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl Lookups {
    async fn join(&self, name: &str, resolver: &Arc<dyn Resolver>) -> Found {
        let mut found = self.board(name, resolver);
        // Nothing is sent only where the task was ended with its runtime, or panicked.
        let lost = || Err("the look-up was given up".to_owned());
        let found = found.wait_for(Option::is_some).await;
        found.ok().and_then(|found| found.clone()).unwrap_or_else(lost)
    }

    fn board(&self, name: &str, resolver: &Arc<dyn Resolver>) -> watch::Receiver<Option<Found>> {
        let mut under_way = unpoisoned(self.under_way.lock());
        if let Some(sender) = under_way.get(name) {
            return sender.subscribe();
        }
        let (sender, found) = watch::channel(None);
        under_way.insert(name.to_owned(), sender.clone());
        drop(under_way);
        tokio::spawn(self.clone().look_up(name.to_owned(), Arc::clone(resolver), sender));
        found
    }

    async fn look_up(self, name: String, resolver: Arc<dyn Resolver>, sender: watch::Sender<Option<Found>>) {
        let done = Done { lookups: self.clone(), name: name.clone(), sender: sender.clone() };
        let zone = Zone::of(&name, &self);
        // The zone's first: whoever waits for a silent one must not hold what others need.
        let place = async { (zone.places.acquire().await, self.places.acquire().await) };
        let place = tokio::time::timeout(LOOKUP_TIME, place).await;
        let silent = || Some(Err("DNS does not answer".to_owned()));
        if place.is_err() || self.is_forgotten(&name, &sender) {
            drop(done);
            let _ = sender.send(silent());
            return;
        }
        let mut resolving = resolver.resolve(&name);
        let answer = tokio::time::timeout(LOOKUP_TIME, &mut resolving).await;
        drop(done);
        let found = answer.ok().map(|answer| answer.map_err(|reason| reason.to_string()));
        let is_over = found.is_some();
        let _ = sender.send(found.or_else(silent));
        if !is_over {
            // It cannot be called off: its place is taken until it ends.
            let _ = tokio::time::timeout(LOOKUP_MOST, resolving).await;
        }
        drop(place);
    }

    /// Whether nobody waits for a look-up any more; then nobody comes to it from here on.
    fn is_forgotten(&self, name: &str, sender: &watch::Sender<Option<Found>>) -> bool {
        let mut under_way = unpoisoned(self.under_way.lock());
        let is_forgotten = sender.receiver_count() == 0;
        if is_forgotten {
            under_way.remove(name);
        }
        is_forgotten
    }
}

/// Who may look up names of a zone; forgotten with the last that wants to.
struct Zone<'a> {
    name: String,
    places: Arc<Semaphore>,
    lookups: &'a Lookups,
}

impl<'a> Zone<'a> {
    fn of(host: &str, lookups: &'a Lookups) -> Self {
        let name = Host::Name(host.to_owned()).zone();
        let mut zones = unpoisoned(lookups.zones.lock());
        let new = || Wanted { places: Arc::new(Semaphore::new(MAX_LOOKUPS_OF_ONE_ZONE)), number: 0 };
        let wanted = zones.entry(name.clone()).or_insert_with(new);
        wanted.number += 1;
        let places = Arc::clone(&wanted.places);
        drop(zones);
        Self { name, places, lookups }
    }
}

impl Drop for Zone<'_> {
    fn drop(&mut self) {
        let mut zones = unpoisoned(self.lookups.zones.lock());
        if let Some(wanted) = zones.get_mut(&self.name) {
            wanted.number -= 1;
            if wanted.number == 0 {
                zones.remove(&self.name);
            }
        }
    }
}

/// Takes a look-up off the list when it ends, however it ends; not one of the same name that was begun since.
struct Done {
    lookups: Lookups,
    name: String,
    sender: watch::Sender<Option<Found>>,
}

impl Drop for Done {
    fn drop(&mut self) {
        let mut under_way = unpoisoned(self.lookups.under_way.lock());
        if under_way.get(&self.name).is_some_and(|own| own.same_channel(&self.sender)) {
            under_way.remove(&self.name);
        }
    }
}

/// After this nobody waits for a look-up any more, and it is begun anew: longer than resolvers try by themselves.
const LOOKUP_TIME: Duration = Duration::from_secs(30);
/// How long one that nobody waits for any more holds its place, if it does not end before.
const LOOKUP_MOST: Duration = Duration::from_secs(300);
/// How many names are looked up at a time.
const MAX_LOOKUPS: usize = 64;
/// How many of one zone.
const MAX_LOOKUPS_OF_ONE_ZONE: usize = 8;

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
