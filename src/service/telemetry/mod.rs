//! Traces as OpenTelemetry has them: what a request was, what it waited for, what came of it. Sent nowhere unless
//! `[service.telemetry]` names a collector; no variable of the environment does.
//!
//! Spans carry no telephone number and no token: verdict, reason, attestation, the signer's SPC, status and time, and the
//! parties only where the log has them in full, too. A call never waits for a span: what does not fit into the queue is
//! dropped and counted.

mod context;
#[cfg_attr(not(feature = "otel"), path = "no_export.rs")]
mod export;
mod span;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

pub(crate) use context::Parent;
pub(crate) use span::Attributes;

use crate::clock;
use crate::service::settings::TelemetrySettings;
use context::Context;
use export::Exporter;
use span::{Side, Span};

/// Makes spans, and sends them.
#[derive(Clone)]
pub struct Telemetry(Arc<Shared>);

struct Shared {
    exporter: Exporter,
    every: u64,
    requests: AtomicU64,
    numbers: bool,
}

tokio::task_local! {
    /// The span of the request that a task is at, where it is recorded.
    static CURRENT: (Context, Telemetry);
}

impl Telemetry {
    /// Starts sending to the collector of the settings; `numbers` says whether numbers may stand in spans.
    ///
    /// # Errors
    /// When the thread or the client that sends cannot be made.
    pub fn start(settings: &TelemetrySettings, numbers: bool) -> Result<Self, String> {
        let exporter = Exporter::start(settings)?;
        let every = settings.every.max(1);
        Ok(Self(Arc::new(Shared { exporter, every, requests: AtomicU64::new(0), numbers })))
    }

    /// Sends what waits, for a short time at most, and no more after that.
    pub fn close(&self) {
        self.0.exporter.close();
    }

    /// How many spans came of it so far: sent, dropped, refused by the collector or lost on the way to it.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        self.0.exporter.counts()
    }

    /// A request as a span, below its client's where that names one; `tell` adds what is known when it is over.
    pub(crate) async fn request<T>(
        &self,
        name: &'static str,
        parent: Option<Parent>,
        work: impl Future<Output = T>,
        tell: impl FnOnce(&T, &mut Attributes),
    ) -> T {
        let Some(context) = self.context(parent) else { return work.await };
        let place = Place {
            name,
            side: Side::Server,
            context,
            parent: parent.map(|parent| parent.span_id),
            telemetry: self.clone(),
            began: clock::since_epoch(),
        };
        let output = CURRENT.scope((context, self.clone()), work).await;
        place.end(&output, tell);
        output
    }

    /// The place of a request in a trace; none where it is not to be recorded. The client decides, if it says so
    /// (W3C Trace Context §3.2.2.5); else one request in `every` is.
    fn context(&self, parent: Option<Parent>) -> Option<Context> {
        match parent {
            Some(parent) if parent.is_sampled => Context::below(&parent),
            Some(_) => None,
            None => {
                let count = self.0.requests.fetch_add(1, Ordering::Relaxed);
                if count.is_multiple_of(self.0.every) { Context::root() } else { None }
            }
        }
    }

    fn send(&self, mut span: Span) {
        if !self.0.numbers {
            span.attributes.hide_numbers();
        }
        self.0.exporter.send(span);
    }
}

/// A part of a request as a span of its own; without a request that is recorded, nothing but the work.
pub(crate) async fn span<T>(
    name: &'static str,
    work: impl Future<Output = T>,
    tell: impl FnOnce(&T, &mut Attributes),
) -> T {
    let Some(place) = Place::here(name, Side::Internal) else { return work.await };
    let output = CURRENT.scope((place.context, place.telemetry.clone()), work).await;
    place.end(&output, tell);
    output
}

/// The same for what is mostly at hand: a span only where it had to be waited for.
pub(crate) async fn waited<T>(
    name: &'static str,
    work: impl Future<Output = T>,
    tell: impl FnOnce(&T, &mut Attributes),
) -> T {
    let Some(place) = Place::here(name, Side::Client) else { return work.await };
    let mut work = pin!(work);
    match std::future::poll_fn(|task| Poll::Ready(work.as_mut().poll(task))).await {
        Poll::Ready(output) => output,
        Poll::Pending => {
            let output = work.await;
            place.end(&output, tell);
            output
        }
    }
}

/// A span that has begun.
struct Place {
    name: &'static str,
    side: Side,
    context: Context,
    parent: Option<[u8; 8]>,
    telemetry: Telemetry,
    began: std::time::Duration,
}

impl Place {
    fn here(name: &'static str, side: Side) -> Option<Self> {
        let (above, telemetry) = CURRENT.try_with(Clone::clone).ok()?;
        let context = above.child()?;
        Some(Self { name, side, context, parent: Some(above.span_id), telemetry, began: clock::since_epoch() })
    }

    fn end<T>(self, output: &T, tell: impl FnOnce(&T, &mut Attributes)) {
        let mut attributes = Attributes::default();
        tell(output, &mut attributes);
        let Self { name, side, context, parent, telemetry, began } = self;
        let ended = clock::since_epoch();
        telemetry.send(Span { name, side, context, parent, began, ended, attributes });
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telemetry({:?})", self.counts())
    }
}
