//! Spans to a collector: OTLP over HTTP in protobuf (OpenTelemetry Protocol 1.x), from a bounded queue, by a thread of
//! its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as signals};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status};
use prost::Message as _;
use tokio::sync::mpsc;

use super::span::{Side, Span, Value};
use crate::fetch::tls_to;
use crate::service::settings::TelemetrySettings;

/// The near end of the queue.
pub(super) struct Exporter {
    queue: Mutex<Option<mpsc::Sender<Span>>>,
    ended: Mutex<signals::Receiver<()>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

/// So many spans go in one request at most.
const MAX_BATCH: usize = 512;
/// How long spans wait for others to go with them.
const GATHERING: Duration = Duration::from_secs(1);
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the service waits for what was not sent.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Exporter {
    pub(super) fn start(settings: &TelemetrySettings) -> Result<Self, String> {
        let (queue, spans) = mpsc::channel(settings.queue.max(1));
        let (end, ended) = signals::channel();
        let counts = Arc::new(Counts::default());
        let sender = Sender::new(settings, Arc::clone(&counts))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|reason| reason.to_string())?;
        let started = thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
            runtime.block_on(sender.run(spans));
            // Nobody waits any more: that is well.
            let _ = end.send(());
        });
        started.map_err(|reason| reason.to_string())?;
        Ok(Self { queue: Mutex::new(Some(queue)), ended: Mutex::new(ended), counts })
    }

    pub(super) fn send(&self, span: Span) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = queue.as_ref().is_some_and(|queue| queue.try_send(span).is_ok());
        if !taken {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn close(&self) {
        // The thread sees the queue's end, sends what is left, and ends.
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(LAST_WORDS);
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        let own = &*self.counts;
        [("sent", &own.sent), ("dropped", &own.dropped), ("refused", &own.refused)]
            .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

/// The far end of the queue.
struct Sender {
    client: reqwest::Client,
    url: String,
    resource: Resource,
    counts: Arc<Counts>,
    /// Whether the last request failed; told once, not with each.
    failing: bool,
}

impl Sender {
    fn new(settings: &TelemetrySettings, counts: Arc<Counts>) -> Result<Self, String> {
        let tls = tls_to(settings.otlp.starts_with("https:")).map_err(|reason| reason.to_string())?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            // Where spans go is said in one place.
            .no_proxy()
            .timeout(PATIENCE)
            .user_agent(concat!("stirtrace/", env!("CARGO_PKG_VERSION")));
        let client = client.build().map_err(|reason| innermost(&reason))?;
        let attributes = vec![text("service.name", &settings.name), text("service.version", env!("CARGO_PKG_VERSION"))];
        let resource = Resource { attributes, ..Resource::default() };
        Ok(Self { client, url: settings.otlp.clone(), resource, counts, failing: false })
    }

    async fn run(mut self, mut spans: mpsc::Receiver<Span>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while spans.recv_many(&mut batch, MAX_BATCH).await > 0 {
            let gathered = async {
                while batch.len() < MAX_BATCH {
                    let room = MAX_BATCH - batch.len();
                    if spans.recv_many(&mut batch, room).await == 0 {
                        break;
                    }
                }
            };
            // What came until then goes.
            let _ = tokio::time::timeout(GATHERING, gathered).await;
            self.deliver(std::mem::take(&mut batch)).await;
        }
    }

    async fn deliver(&mut self, batch: Vec<Span>) {
        let total = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let outcome = self.post(batch).await;
        let refused = outcome.as_ref().map_or(total, |refused| (*refused).min(total));
        self.counts.refused.fetch_add(refused, Ordering::Relaxed);
        self.counts.sent.fetch_add(total - refused, Ordering::Relaxed);
        let was_failing = std::mem::replace(&mut self.failing, outcome.is_err());
        match outcome {
            Err(reason) if !was_failing => tracing::warn!(url = self.url, reason, "spans are not taken; calls go on"),
            Ok(_) if was_failing => tracing::info!(url = self.url, "spans are taken again"),
            _ => {}
        }
    }

    /// How many of them the collector refused.
    async fn post(&self, batch: Vec<Span>) -> Result<u64, String> {
        let body = self.request(batch).encode_to_vec();
        let request = self.client.post(&self.url).header("Content-Type", "application/x-protobuf").body(body);
        let mut response = request.send().await.map_err(|reason| innermost(&reason))?;
        if !response.status().is_success() {
            return Err(format!("HTTP status {}", response.status().as_u16()));
        }
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|reason| innermost(&reason))? {
            answer.extend_from_slice(&piece);
            if answer.len() > MAX_ANSWER {
                return Err("the answer has no end".to_owned());
            }
        }
        // An answer in another form says nothing about single spans.
        let answer = ExportTraceServiceResponse::decode(&*answer).unwrap_or_default();
        Ok(answer.partial_success.map_or(0, |partial| u64::try_from(partial.rejected_spans).unwrap_or(0)))
    }

    fn request(&self, batch: Vec<Span>) -> ExportTraceServiceRequest {
        let scope = InstrumentationScope { name: "stirtrace".to_owned(), ..InstrumentationScope::default() };
        let spans = batch.into_iter().map(otlp).collect();
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
        let resource = Some(self.resource.clone());
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
        }
    }
}

/// No answer of a collector is longer.
const MAX_ANSWER: usize = 64 * 1024;

fn otlp(span: Span) -> OtlpSpan {
    let kind = match span.side {
        Side::Client => SpanKind::Client,
        Side::Internal => SpanKind::Internal,
        Side::Server => SpanKind::Server,
    };
    let status = span.attributes.failed.then(|| Status { code: StatusCode::Error.into(), ..Status::default() });
    let attributes = span.attributes.named.into_iter().map(|(name, value)| match value {
        Value::Integer(integer) => attribute(name, OtlpValue::IntValue(integer)),
        Value::Party(own) => text(name, &own),
        Value::Text(own) => text(name, &own),
    });
    OtlpSpan {
        trace_id: span.context.trace_id.to_vec(),
        span_id: span.context.span_id.to_vec(),
        parent_span_id: span.parent.map(|id| id.to_vec()).unwrap_or_default(),
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanoseconds(span.began),
        // A clock that was set back in between.
        end_time_unix_nano: nanoseconds(span.ended.max(span.began)),
        attributes: attributes.collect(),
        status,
        ..OtlpSpan::default()
    }
}

fn attribute(name: &str, value: OtlpValue) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(name: &str, text: &str) -> KeyValue {
    attribute(name, OtlpValue::StringValue(text.to_owned()))
}

fn nanoseconds(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
