//! `GET /openapi.json`: the interface as a document (OpenAPI 3.1); the tests hold it to the handlers.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};

/// The document. Its version is the crate's.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> Response {
    let mut response =
        DOCUMENT.replace("\"{version}\"", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
