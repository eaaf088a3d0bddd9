//! ES256 by tables: the published vectors, and agreement with two other libraries on what is valid, corrupted and
//! degenerate (FIPS 186-4 6.4, RFC 7518 §3.4).
#![expect(clippy::unwrap_used, reason = "a test stops at a fault")]

mod cache;
mod differential;
mod oracle;
mod vectors;
