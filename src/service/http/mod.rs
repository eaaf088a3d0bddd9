//! The service over HTTP: ATIS-1000082, our own verdicts, and what those who run it look at.

mod answer;
mod atis82;
mod bearer;
mod body;
mod client;
mod gate;
mod openapi;
mod rate;
mod report;
mod server;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub use server::{NotServed, Server, Stopper};

pub(crate) use bearer::Bearer;

use crate::service::engine::Engine;
use crate::service::evidence::Evidence;
use crate::service::metrics::Metrics;
use crate::time::UnixTime;
use atis82::Exception;
use gate::Gate;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engine: Arc<Engine>,
    gate: Gate,
    /// Told to stop: no longer ready, and the last answers say so.
    stopping: AtomicBool,
}

impl App {
    /// The service of an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        let limits = engine.standing().settings().limits;
        Self(Arc::new(Shared { engine, gate: Gate::new(&limits), stopping: AtomicBool::new(false) }))
    }

    /// All routes, behind the gate that asks who comes and how much they want.
    fn router(&self) -> Router {
        let router = Router::new()
            .route("/stir/v1/verification", only(Method::POST, post(atis82::verify)))
            .route("/stir/v1/signing", only(Method::POST, post(atis82::sign)))
            .route("/v1/verify", only(Method::POST, post(verify::verify)))
            .route("/openapi.json", only(Method::GET, get(openapi::document)))
            .route("/health", only(Method::GET, get(report::health)))
            .route("/ready", only(Method::GET, get(report::ready)))
            .route("/metrics", only(Method::GET, get(report::metrics)))
            .fallback(|| async { Exception::NotFound });
        let router = router.layer(CatchPanicLayer::custom(gate::broken));
        router.layer(from_fn_with_state(self.clone(), gate::pass)).with_state(self.clone())
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn metrics(&self) -> &Metrics {
        self.0.engine.metrics()
    }

    fn evidence(&self) -> Option<&Evidence> {
        self.0.engine.evidence()
    }

    fn gate(&self) -> &Gate {
        &self.0.gate
    }

    fn now(&self) -> UnixTime {
        self.0.engine.now()
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }
}

/// A route of one method; all others are told so (POL4050).
fn only(method: Method, route: MethodRouter<App>) -> MethodRouter<App> {
    route.fallback(move || {
        let allow = method.to_string();
        async move {
            let mut response: Response = Exception::MethodNotAllowed.into_response();
            if let Ok(allow) = allow.parse() {
                response.headers_mut().insert(axum::http::header::ALLOW, allow);
            }
            response
        }
    })
}
