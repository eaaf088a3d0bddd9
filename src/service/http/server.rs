//! Connections: accepted, secured, bounded in number and time, and ended without cutting an answer short.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use metrics::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use super::App;
use super::client::Peer;
use crate::service::settings::Limits;

/// The service on its addresses.
#[derive(Debug)]
pub struct Server {
    app: App,
    listeners: Vec<TcpListener>,
    stop: watch::Sender<bool>,
}

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotServed {
    /// An address cannot be listened on.
    #[error("{address} cannot be listened on: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
}

/// Tells a server to stop.
#[derive(Clone, Debug)]
pub struct Stopper {
    app: App,
    stop: watch::Sender<bool>,
}

impl Stopper {
    /// Takes no new connection, answers what is under way, then ends.
    pub fn stop(&self) {
        self.app.stop();
        // Nobody listens any more: it has stopped.
        let _ = self.stop.send(true);
    }

    /// Waits until somebody has told it to.
    pub async fn told(&self) {
        told_to_stop(&mut self.stop.subscribe()).await;
    }
}

impl Server {
    /// Listens on these addresses; port 0 takes any that is free.
    ///
    /// # Errors
    /// When one of them cannot be listened on.
    pub async fn bind(app: App, addresses: &[SocketAddr]) -> Result<Self, NotServed> {
        let mut listeners = Vec::new();
        for address in addresses {
            let listener = TcpListener::bind(address).await;
            listeners.push(listener.map_err(|reason| NotServed::Listen { address: *address, reason })?);
        }
        Ok(Self { app, listeners, stop: watch::channel(false).0 })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// What tells it to stop.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper { app: self.app.clone(), stop: self.stop.clone() }
    }

    /// Serves until told to stop, then until all requests under way are answered or the time for that is over. Whether
    /// all were is returned.
    pub async fn run(self) -> bool {
        let limits = self.app.engine().standing().settings().limits;
        let places = Arc::new(Semaphore::new(limits.connections));
        let graceful = Arc::new(GracefulShutdown::new());
        let connections = Connections {
            app: self.app.clone(),
            router: self.app.router(),
            places,
            limits,
            stop: self.stop.subscribe(),
        };
        let mut accepting = tokio::task::JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(connections.clone().accept(listener, Arc::clone(&graceful)));
        }
        let tidy = tokio::spawn(tidy(self.app.clone()));
        while accepting.join_next().await.is_some() {}
        // Nobody accepts any more, so nobody else has it.
        let drained = match Arc::into_inner(graceful) {
            Some(graceful) => tokio::time::timeout(limits.drain_time, graceful.shutdown()).await.is_ok(),
            None => false,
        };
        tidy.abort();
        drained
    }
}

/// What recorded durations take is given back while nobody reads the page of counts.
async fn tidy(app: App) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        app.metrics().tidy();
    }
}

#[derive(Clone)]
struct Connections {
    app: App,
    router: Router,
    places: Arc<Semaphore>,
    limits: Limits,
    stop: watch::Receiver<bool>,
}

impl Connections {
    async fn accept(mut self, listener: TcpListener, graceful: Arc<GracefulShutdown>) {
        let mut told: Option<Instant> = None;
        loop {
            // A connection beyond the limit waits in the system's queue.
            let place = tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => place,
                () = told_to_stop(&mut self.stop) => return,
            };
            let Ok(place) = place else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told_to_stop(&mut self.stop) => return,
            };
            match accepted {
                Ok((stream, address)) => {
                    tokio::spawn(self.clone().serve(stream, address, place, graceful.watcher()));
                }
                // Too many files open, or a client that went away: the next may fare better.
                Err(reason) => {
                    self.app.metrics().count_accept_failure();
                    if told.is_none_or(|at| at.elapsed() > TELL_EVERY) {
                        told = Some(Instant::now());
                        tracing::warn!(%reason, "connections cannot be accepted");
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    async fn serve(self, stream: TcpStream, address: SocketAddr, _place: OwnedSemaphorePermit, watcher: Watcher) {
        let _open = Open::begin(&self.app);
        // Answers are small and are waited for.
        let _ = stream.set_nodelay(true);
        let standing = self.app.engine().standing();
        let Some(tls) = standing.tls() else {
            let peer = Peer { address: address.ip(), certificate: None };
            return self.talk(stream, peer, watcher).await;
        };
        let handshake = tokio::time::timeout(self.limits.header_time, tls.http().accept(stream)).await;
        match handshake {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let certificate = shown.map(|certificate| hexadecimal(digest(&SHA256, certificate).as_ref()));
                self.talk(stream, Peer { address: address.ip(), certificate }, watcher).await;
            }
            Ok(Err(reason)) => {
                self.app.metrics().count_refusal("tls");
                tracing::debug!(%address, %reason, "no TLS");
            }
            Err(_) => self.app.metrics().count_refusal("tls"),
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, peer: Peer, watcher: Watcher) {
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request.map(Body::new))
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.header_time);
        builder.max_headers(self.limits.headers).max_buf_size(MAX_HEADER_OCTETS);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // A client that breaks off, or sends what is no HTTP, has been answered by hyper.
        if let Err(reason) = watcher.watch(connection).await {
            tracing::debug!(%reason, "a connection ended");
        }
    }
}

/// Waits until the server is told to stop, or forgotten.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error says that nobody can tell it any more.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// How often it is said that connections cannot be accepted.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The most octets of a request's header.
const MAX_HEADER_OCTETS: usize = 64 * 1024;

/// Counts a connection as open.
struct Open(Gauge);

impl Open {
    fn begin(app: &App) -> Self {
        let gauge = app.metrics().connections.clone();
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
