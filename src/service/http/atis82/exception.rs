//! What the interface answers to a request that it cannot serve: service and policy exceptions (F33).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::service::http::answer::json_response;

/// A request that cannot be served. The texts are the standard's, with its `%1` and `%2`, which `variables` fill.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::service::http) enum Exception {
    /// SVC4006 with 413, as HTTP has it (RFC 9110 §15.5.14): the standard names no limit.
    BodyTooLong { limit: usize },
    /// POL5000
    Internal,
    /// SVC4005
    InvalidValue { parameter: String, reason: String },
    /// SVC4000
    MissingBody,
    /// SVC4007
    MissingLength,
    /// SVC4001
    MissingParameter { parameter: String },
    /// POL4050
    MethodNotAllowed,
    /// SVC4002
    NotAcceptable { wanted: String },
    /// SVC4003
    NotFound,
    /// POL0001, the policy exception of the family of interfaces that this one is of (OMA, Parlay X): who asks is not
    /// known, not allowed to, or asks too much.
    Policy { status: StatusCode, reason: String },
    /// SVC4006
    Unparsable { reason: String },
    /// SVC4004
    UnsupportedMediaType,
}

impl Exception {
    pub(super) fn invalid(parameter: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidValue { parameter: parameter.into(), reason: reason.into() }
    }

    pub(super) fn missing(parameter: impl Into<String>) -> Self {
        Self::MissingParameter { parameter: parameter.into() }
    }

    /// `messageId`, the HTTP status and the text.
    const fn terms(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::MissingBody => ("SVC4000", StatusCode::BAD_REQUEST, "Missing request body"),
            Self::MissingParameter { .. } => ("SVC4001", StatusCode::BAD_REQUEST, "Missing mandatory parameter '%1'"),
            Self::NotAcceptable { .. } => {
                ("SVC4002", StatusCode::NOT_ACCEPTABLE, "Requested response body type '%1' is not supported")
            }
            Self::NotFound => ("SVC4003", StatusCode::NOT_FOUND, "Requested resource was not found"),
            Self::UnsupportedMediaType => {
                ("SVC4004", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported request body type, expected '%1'")
            }
            Self::InvalidValue { .. } => ("SVC4005", StatusCode::BAD_REQUEST, "Invalid '%1' parameter value: %2"),
            Self::Unparsable { .. } => ("SVC4006", StatusCode::BAD_REQUEST, PARSE),
            Self::BodyTooLong { .. } => ("SVC4006", StatusCode::PAYLOAD_TOO_LARGE, PARSE),
            Self::MissingLength => ("SVC4007", StatusCode::LENGTH_REQUIRED, "Missing mandatory Content-Length header"),
            Self::MethodNotAllowed => ("POL4050", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::Internal => {
                ("POL5000", StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error. Please try again later")
            }
            Self::Policy { status, .. } => ("POL0001", *status, "A policy error occurred. Error code is %1"),
        }
    }

    fn variables(&self) -> Vec<String> {
        match self {
            Self::InvalidValue { parameter, reason } => vec![parameter.clone(), reason.clone()],
            Self::MissingParameter { parameter } => vec![parameter.clone()],
            Self::NotAcceptable { wanted } => vec![wanted.clone()],
            Self::Unparsable { reason } | Self::Policy { reason, .. } => vec![reason.clone()],
            Self::BodyTooLong { limit } => vec![format!("more than {limit} octets")],
            Self::UnsupportedMediaType => vec!["application/json".to_owned()],
            Self::Internal | Self::MethodNotAllowed | Self::MissingBody | Self::MissingLength | Self::NotFound => {
                Vec::new()
            }
        }
    }
}

impl IntoResponse for Exception {
    fn into_response(self) -> Response {
        let (id, status, text) = self.terms();
        let kind = if id.starts_with("SVC") { "serviceException" } else { "policyException" };
        let body = json!({"requestError": {kind: {"messageId": id, "text": text, "variables": self.variables()}}});
        json_response(status, &body)
    }
}

const PARSE: &str = "Failed to parse received message body: %1";
