//! Fetching, from a TLS server on this machine that misbehaves in every way a server can (F8, G13-G17, G21, G29, H8-H10).
#![cfg(feature = "fetch")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

mod archive;
mod cache;
#[cfg(feature = "cli")]
mod command;
mod crash;
mod crowds;
#[cfg(feature = "cli")]
#[path = "../command/mod.rs"]
#[expect(dead_code, reason = "for other tests too")]
mod desk;
mod documents;
mod faults;
#[cfg(feature = "cli")]
#[path = "../verification/lab.rs"]
#[expect(dead_code, reason = "shared with the tests of the verifier")]
mod lab;
mod rich_call_data;
#[cfg(feature = "cli")]
mod rich_call_data_command;
mod server;
#[cfg(feature = "cli")]
mod serving;
mod ssrf;
#[cfg(feature = "cli")]
mod together;
#[cfg(feature = "cli")]
#[path = "../verification/token.rs"]
mod token;
