//! The sockets of the redirect server: datagrams and streams in, answers out, and nothing that waits for ever.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::number::NumberPlan;
use crate::service::sip::connection;
use crate::service::sip::endpoint::{Endpoint, Source, Transport};
use crate::service::sip::redirect::Outcome;
use crate::service::sip::server::{Job, Outgoing, Server, SipCounts, Step};
use crate::service::sip::settings::{SipLimits, SipSettings};
use crate::service::sip::transaction::Millis;
use crate::service::tls::Tls;

/// Whoever judges what the listeners receive.
pub trait Answering: Send + Sync + 'static {
    /// The outcome of a job.
    fn answer(&self, job: Box<Job>) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;

    /// How connections to `tls:` listeners are secured as of now; without it none comes about.
    fn tls(&self) -> Option<Tls> {
        None
    }
}

/// All listeners, under way.
pub struct SipService {
    listeners: Vec<Arc<Listener>>,
    tasks: JoinSet<()>,
    closing: watch::Sender<Phase>,
}

/// Tells what the listeners did, wherever they are.
#[derive(Clone)]
pub struct SipCounter(Vec<Arc<Listener>>);

impl SipCounter {
    /// What each listener did so far.
    #[must_use]
    pub fn counts(&self) -> Vec<ListenerCounts> {
        self.0.iter().map(|listener| listener.counts()).collect()
    }
}

impl std::fmt::Debug for SipCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|listener| listener.endpoint)).finish()
    }
}

/// What a listener did, and its connections.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListenerCounts {
    /// Which listener.
    pub endpoint: Endpoint,
    /// Its messages.
    pub messages: SipCounts,
    /// Connections now.
    pub connections: usize,
    /// Connections refused because there were too many.
    pub connections_refused: u64,
    /// Connections ended because they broke, stalled or did not read.
    pub connections_broken: u64,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Serving,
    /// What waits is answered, nothing new is taken.
    Draining,
    Over,
}

/// One listener.
pub(super) struct Listener {
    pub(super) endpoint: Endpoint,
    pub(super) limits: SipLimits,
    server: Mutex<Server>,
    pub(super) answering: Arc<dyn Answering>,
    socket: Option<UdpSocket>,
    pub(super) connections: Mutex<Connections>,
    pub(super) refused: AtomicU64,
    pub(super) broken: AtomicU64,
    began: Instant,
}

/// The open connections, by number.
#[derive(Default)]
pub(super) struct Connections {
    last: u64,
    pub(super) open: HashMap<u64, (IpAddr, mpsc::Sender<Vec<u8>>)>,
}

/// Timers are looked at so often: a tenth of a second is nothing to any of them.
const TICK: Duration = Duration::from_millis(100);
/// No outcome takes longer: the call goes on as it is (H32).
const LONGEST: Duration = Duration::from_secs(10);

impl SipService {
    /// Opens all sockets and serves.
    ///
    /// # Errors
    /// When an address cannot be listened at; the message names it.
    pub async fn start(settings: &SipSettings, plan: NumberPlan, answering: Arc<dyn Answering>) -> io::Result<Self> {
        let (closing, watching) = watch::channel(Phase::Serving);
        let mut service = Self { listeners: Vec::new(), tasks: JoinSet::new(), closing };
        for endpoint in &settings.endpoints {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{endpoint}: {error}"));
            service.listen(settings, *endpoint, plan, &answering, &watching).await.map_err(named)?;
        }
        Ok(service)
    }

    /// Where it listens: with the port that the system gave where port 0 was asked for.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.listeners.iter().map(|listener| listener.endpoint).collect()
    }

    /// Tells what the listeners did, also when the service is elsewhere.
    #[must_use]
    pub fn counter(&self) -> SipCounter {
        SipCounter(self.listeners.clone())
    }

    /// What each listener did so far.
    #[must_use]
    pub fn counts(&self) -> Vec<ListenerCounts> {
        self.listeners.iter().map(|listener| listener.counts()).collect()
    }

    /// Takes nothing new, answers what waits for at most so long, and ends.
    pub async fn stop(mut self, grace: Duration) {
        self.closing.send_replace(Phase::Draining);
        self.listeners.iter().for_each(|listener| listener.server().stop_accepting());
        let until = Instant::now() + grace;
        while Instant::now() < until && self.listeners.iter().any(|listener| listener.server().counts().pending > 0) {
            sleep(Duration::from_millis(10)).await;
        }
        self.closing.send_replace(Phase::Over);
        // What was written last may still be on its way.
        let _ = timeout(Duration::from_millis(500), async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.abort_all();
    }

    async fn listen(
        &mut self,
        settings: &SipSettings,
        endpoint: Endpoint,
        plan: NumberPlan,
        answering: &Arc<dyn Answering>,
        watching: &watch::Receiver<Phase>,
    ) -> io::Result<()> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let server = Server::new(settings.clone(), endpoint.role, plan, secret);
        let listener = |address, socket| {
            let endpoint = Endpoint { address, ..endpoint };
            Arc::new(Listener::new(endpoint, settings.limits.clone(), server, Arc::clone(answering), socket))
        };
        let listener = match endpoint.transport {
            Transport::Udp => {
                let socket = UdpSocket::bind(endpoint.address).await?;
                let listener = listener(socket.local_addr()?, Some(socket));
                self.tasks.spawn(Arc::clone(&listener).serve_datagrams(watching.clone()));
                listener
            }
            Transport::Tcp | Transport::Tls => {
                let socket = TcpListener::bind(endpoint.address).await?;
                let listener = listener(socket.local_addr()?, None);
                self.tasks.spawn(connection::accept(Arc::clone(&listener), socket, watching.clone()));
                listener
            }
        };
        self.tasks.spawn(Arc::clone(&listener).keep_time(watching.clone()));
        self.listeners.push(listener);
        Ok(())
    }
}

impl Listener {
    fn new(
        endpoint: Endpoint,
        limits: SipLimits,
        server: Server,
        answering: Arc<dyn Answering>,
        socket: Option<UdpSocket>,
    ) -> Self {
        Self {
            endpoint,
            limits,
            server: Mutex::new(server),
            answering,
            socket,
            connections: Mutex::default(),
            refused: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn counts(&self) -> ListenerCounts {
        ListenerCounts {
            endpoint: self.endpoint,
            messages: self.server().counts(),
            connections: self.connections.lock().unwrap_or_else(PoisonError::into_inner).open.len(),
            connections_refused: self.refused.load(Ordering::Relaxed),
            connections_broken: self.broken.load(Ordering::Relaxed),
        }
    }

    async fn serve_datagrams(self: Arc<Self>, mut watching: watch::Receiver<Phase>) {
        let Some(socket) = &self.socket else { return };
        let mut buffer = vec![0; 65_536];
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut buffer) => received,
                () = over(&mut watching) => return,
            };
            match received {
                Ok((length, address)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.process(bytes, Source::udp(address), None).await;
                }
                // An error that was about something sent earlier, or a lack of memory: neither ends the service.
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Timers, for as long as there is anything to repeat.
    async fn keep_time(self: Arc<Self>, mut watching: watch::Receiver<Phase>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = over(&mut watching) => return,
            }
            let outgoing = self.server().tick(self.now());
            for message in outgoing {
                self.send(message).await;
            }
        }
    }

    /// Takes a message; `permit` is held until it is answered.
    pub(super) async fn process(self: &Arc<Self>, bytes: &[u8], source: Source, permit: Option<OwnedSemaphorePermit>) {
        let step = self.server().receive(bytes, source, self.now());
        self.act(step, permit).await;
    }

    /// Takes what stands in a stream that cannot be followed any more.
    pub(super) async fn process_unframed(self: &Arc<Self>, bytes: &[u8], source: Source) {
        let step = self.server().receive_unframed(bytes, source, self.now());
        self.act(step, None).await;
    }

    async fn act(self: &Arc<Self>, step: Step, permit: Option<OwnedSemaphorePermit>) {
        match step {
            Step::Ignored(_) => {}
            Step::Send(messages) => {
                for message in messages {
                    self.send(message).await;
                }
            }
            Step::Judge(job) => {
                tokio::spawn(Arc::clone(self).judge(job, permit));
            }
        }
    }

    async fn judge(self: Arc<Self>, job: Box<Job>, permit: Option<OwnedSemaphorePermit>) {
        let ticket = job.ticket;
        let answering = Arc::clone(&self.answering);
        // In a task of its own: should it panic, the call goes on as it is.
        let judging = tokio::spawn(async move { timeout(LONGEST, answering.answer(job)).await });
        let outcome = judging.await.ok().and_then(Result::ok).unwrap_or(Outcome::Unsigned);
        let outgoing = self.server().conclude(ticket, &outcome, self.now());
        if let Some(message) = outgoing {
            self.send(message).await;
        }
        drop(permit);
    }

    async fn send(&self, message: Outgoing) {
        if let Some(socket) = &self.socket {
            // Who cannot be reached asks again.
            let _ = socket.send_to(&message.bytes, message.to).await;
            return;
        }
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, outbox)) = connections.open.get(&message.connection) else { return };
        // Who sends and does not read is not waited for.
        if outbox.try_send(message.bytes).is_err() {
            connections.open.remove(&message.connection);
        }
    }
}

impl Connections {
    /// Takes a connection in, unless its address or everybody together has too many.
    pub(super) fn add(&mut self, address: IpAddr, outbox: mpsc::Sender<Vec<u8>>, limits: &SipLimits) -> Option<u64> {
        let same = self.open.values().filter(|(other, _)| *other == address).count();
        if self.open.len() >= limits.connections || same >= limits.connections_per_address {
            return None;
        }
        self.last += 1;
        self.open.insert(self.last, (address, outbox));
        Some(self.last)
    }
}

/// Waits for the end.
pub(super) async fn over(watching: &mut watch::Receiver<Phase>) {
    let _ = watching.wait_for(|phase| *phase == Phase::Over).await;
}

impl std::fmt::Debug for SipService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.endpoints()).finish()
    }
}
