//! Answers: JSON, and what of them is logged and counted.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use serde::Serialize;

use crate::verify::Verdict;

/// An answer in JSON.
pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec()),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What a request was about, for the log; it travels with the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) verdict: Option<&'static str>,
    pub(super) reason: Option<&'static str>,
    pub(super) spc: Option<String>,
    /// What was signed.
    pub(super) attest: Option<&'static str>,
    /// Which rule decided what becomes of the call, or what is signed of it.
    pub(super) because: Option<String>,
}

impl Seen {
    pub(super) fn of(verdict: &Verdict) -> Self {
        Self {
            from: verdict.call.from.as_ref().map(ToString::to_string),
            to: verdict.call.to.as_ref().map(ToString::to_string),
            verdict: Some(verdict.conclusion.as_str()),
            reason: verdict.decisive().and_then(|report| report.error.as_ref()).map(crate::verify::Error::kind),
            spc: verdict.signer.as_ref().and_then(|signer| signer.spc()).map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn because(self, because: String) -> Self {
        Self { because: Some(because), ..self }
    }
}
