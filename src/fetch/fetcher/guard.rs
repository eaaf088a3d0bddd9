//! The guard before every connection: names are resolved here, each address is judged, and the connection is made to what
//! was judged (RFC 6890; G29).

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving as ForReqwest};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::fetch::address::{Allowance, SpecialRange};
use crate::fetch::fetcher::error::NotFetched;
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
    allowances: Vec<Allowance>,
}

impl Guard {
    pub(super) fn new(resolver: Option<Arc<dyn Resolver>>, allowances: Vec<Allowance>) -> Self {
        Self { resolver: resolver.unwrap_or_else(|| Arc::new(SystemResolver::new())), allowances }
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
        let addresses = self.resolver.resolve(host).await.map_err(|reason| failed(reason.to_string()))?;
        if addresses.is_empty() {
            return Err(failed("the name has no address".to_owned()));
        }
        self.judge(host, addresses.iter())?;
        Ok(addresses)
    }
}

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
