//! The service over HTTP, on a port of this machine: ATIS-1000082 case by case, our own verdicts, who may ask and how
//! much, hostile bodies, reload and stop, and the OpenAPI document held to what answers.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may panic")]

mod access;
mod atis82;
mod document;
mod exceptions;
mod hostile;
mod keys;
#[path = "../verification/lab.rs"]
#[expect(dead_code, reason = "shared with the tests of the verifier")]
mod lab;
mod ms;
mod running;
mod settings;
mod signing;
mod stand;
#[cfg(feature = "otel")]
mod telemetry;
#[path = "../verification/token.rs"]
mod token;
mod treatment;
mod verdicts;
