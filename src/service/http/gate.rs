//! The gate that every request passes: its name, who sends it, how much they send, how long it may take, and what came of
//! it for the log and the counts.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::Semaphore;

use super::App;
use super::answer::{Seen, json_response};
use super::atis82::Exception;
use super::client::{Client, Denied, Peer, admit};
use super::rate::Rates;
use crate::service::metrics::{Metrics, Route};
use crate::service::settings::Limits;
use crate::service::telemetry::{Attributes, Parent};
use crate::service::uuid::{self, NoRandomNumbers};

/// What counts requests across all connections.
#[derive(Debug)]
pub(super) struct Gate {
    requests: Arc<Semaphore>,
    rates: Rates,
    /// Names requests where the system has no random numbers to name them by.
    serial: AtomicU64,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { requests: Arc::new(Semaphore::new(limits.requests)), rates: Rates::new(), serial: AtomicU64::new(1) }
    }

    /// A name for a request that came without one.
    fn name(&self, random: Result<String, NoRandomNumbers>) -> HeaderValue {
        let named = random.ok().and_then(|uuid| HeaderValue::from_str(&uuid).ok());
        named.unwrap_or_else(|| HeaderValue::from(self.serial.fetch_add(1, Ordering::Relaxed)))
    }
}

/// F29: the client's name for a request, or one that we give it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-requestid");
const MAX_REQUEST_ID: usize = 128;

/// Lets a request through, or says why not; with its trace, where those are made.
pub(super) async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = Route::of(request.uri().path());
    // Whoever looks after the service asks often, and always the same.
    let telemetry = app.engine().telemetry().filter(|_| !route.is_watched()).cloned();
    let Some(telemetry) = telemetry else { return let_through(app, request, next).await };
    let parent = request.headers().get(TRACEPARENT).and_then(|value| Parent::parse(value.as_bytes()));
    let method = known(request.method());
    let tell = |response: &Response, attributes: &mut Attributes| {
        attributes.word("http.request.method", method);
        if let Some(path) = route.template() {
            attributes.word("http.route", path);
        }
        attributes.integer("http.response.status_code", response.status().as_u16());
        if response.status().is_server_error() {
            attributes.fault("answer");
        }
    };
    telemetry.request(route.as_str(), parent, let_through(app, request, next), tell).await
}

/// W3C Trace Context §3.2.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A method by its name; whatever else a client sends is none.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        _ => "_OTHER",
    }
}

async fn let_through(app: App, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = Route::of(request.uri().path());
    let id = request_id(request.headers(), app.gate());
    let in_flight = InFlight::begin(app.metrics(), route);
    let (client, answered) = answer(&app, route, request, next).await;
    in_flight.end();
    let mut response = answered.unwrap_or_else(|refusal| {
        app.metrics().count_refusal(refusal.word());
        refusal.response(route)
    });
    let took = began.elapsed();
    app.metrics().count_request(route, response.status().as_u16(), took);
    log(route, &client, &id, &response, took);
    response.headers_mut().insert(REQUEST_ID, id);
    if app.is_stopping() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn answer(app: &App, route: Route, request: Request, next: Next) -> (Option<Client>, Result<Response, Refusal>) {
    let standing = app.engine().standing();
    let limits = &standing.settings().limits;
    let peer = request.extensions().get::<Peer>();
    let client = match admit(&standing, route, request.headers(), peer, app.now()) {
        Ok(client) => client,
        Err(Denied::Unknown(reason)) => return (None, Err(Refusal::Unauthorized { reason })),
        Err(Denied::Scope(scope)) => return (None, Err(Refusal::Forbidden { scope })),
    };
    // Whoever looks after the service gets through when it has too much to do.
    let watched = route.is_watched();
    let permit = if watched { None } else { Some(Arc::clone(&app.gate().requests).try_acquire_owned()) };
    let outcome = match (permit, app.gate().rates.take(&client, limits)) {
        (_, Err(wait)) if !watched => Err(Refusal::TooFast { wait }),
        (Some(Err(_)), _) => Err(Refusal::Busy),
        (_permit, _) => {
            let mut request = request;
            request.extensions_mut().insert(client.clone());
            let answer = tokio::time::timeout(limits.request_time, next.run(request)).await;
            answer.map_err(|_| Refusal::TooSlow)
        }
    };
    (Some(client), outcome)
}

/// A fault of ours costs its own request, never the service.
pub(super) fn broken(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request broke off in a fault of stirtrace; what stderr says of it is worth a report");
    Exception::Internal.into_response()
}

/// Why a request is not answered as it would be.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Refusal {
    Busy,
    Forbidden { scope: &'static str },
    TooFast { wait: Duration },
    TooSlow,
    Unauthorized { reason: String },
}

impl Refusal {
    /// The word that it is counted under.
    const fn word(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Forbidden { .. } => "scope",
            Self::TooFast { .. } => "rate",
            Self::TooSlow => "timeout",
            Self::Unauthorized { .. } => "unauthorized",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::TooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Busy => "too many requests at a time".to_owned(),
            Self::Forbidden { scope } => format!("the token does not grant the scope {scope}"),
            Self::TooFast { .. } => "more requests than one client may send".to_owned(),
            Self::TooSlow => "the request took too long".to_owned(),
            Self::Unauthorized { reason } => reason.clone(),
        }
    }

    fn response(&self, route: Route) -> Response {
        let mut response = match (route, self) {
            (Route::Verification | Route::Signing, _) => {
                Exception::Policy { status: self.status(), reason: self.reason() }.into_response()
            }
            _ => json_response(self.status(), &json!({"error": {"kind": self.word(), "detail": self.reason()}})),
        };
        let headers = response.headers_mut();
        match self {
            // RFC 6750 §3.
            Self::Unauthorized { .. } => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
            }
            Self::Forbidden { .. } => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"insufficient_scope\""));
            }
            Self::TooFast { wait } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of a body that comes too slowly is not waited for.
            Self::TooSlow => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        response
    }
}

/// Counts a request as under way, and as abandoned when its client goes away before the answer.
struct InFlight<'a> {
    metrics: &'a Metrics,
    route: Route,
    is_answered: bool,
}

impl<'a> InFlight<'a> {
    fn begin(metrics: &'a Metrics, route: Route) -> Self {
        metrics.in_flight.increment(1.0);
        Self { metrics, route, is_answered: false }
    }

    fn end(mut self) {
        self.is_answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.decrement(1.0);
        if !self.is_answered {
            self.metrics.count_abandoned(self.route);
        }
    }
}

fn request_id(headers: &HeaderMap, gate: &Gate) -> HeaderValue {
    let is_good = |value: &&HeaderValue| {
        (1..=MAX_REQUEST_ID).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(is_good).cloned().unwrap_or_else(|| gate.name(uuid::random()))
}

/// RFC 8224 names the parties; whether their numbers stand in the log in full, the log's own settings say.
fn log(route: Route, client: &Option<Client>, id: &HeaderValue, response: &Response, took: Duration) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let seen = response.extensions().get::<Seen>();
    tracing::debug!(
        route = route.as_str(),
        code = response.status().as_u16(),
        microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        client = client.as_ref().map(Client::name),
        request_id = id.to_str().unwrap_or_default(),
        verdict = seen.and_then(|seen| seen.verdict),
        reason = seen.and_then(|seen| seen.reason),
        from = seen.and_then(|seen| seen.from.as_deref()),
        to = seen.and_then(|seen| seen.to.as_deref()),
        spc = seen.and_then(|seen| seen.spc.as_deref()),
        attest = seen.and_then(|seen| seen.attest),
        because = seen.and_then(|seen| seen.because.as_deref()),
        "request"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_random_numbers_requests_are_counted() {
        let gate = Gate::new(&Limits::default());
        assert_eq!(gate.name(Err(NoRandomNumbers)), "1");
        assert_eq!(gate.name(uuid::random()).len(), 36);
        assert_eq!(gate.name(Err(NoRandomNumbers)), "2");
    }
}
