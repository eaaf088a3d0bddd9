//! The service while what it leans on fails: hosts of certificates, DNS, CRLs, the clock, the disk, the log, the process
//! itself. Warm calls go on all the while: they have to be answered, rightly, and without waiting for any of it.
//!
//! Nothing is timed but against limits that a machine with far too much to do still keeps.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

mod clock;
mod crowds;
#[cfg(feature = "cli")]
#[path = "../command/mod.rs"]
#[expect(dead_code, reason = "for other tests too")]
mod desk;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod disk;
mod fetching;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod files;
mod hosts;
#[cfg(all(feature = "cli", unix))]
mod killed;
#[path = "../verification/lab.rs"]
#[expect(dead_code, reason = "shared with the tests of the verifier")]
mod lab;
mod load;
#[cfg(all(feature = "cli", unix))]
mod log;
mod page;
#[cfg(all(feature = "cli", unix))]
mod process;
mod revocation;
mod rich_call_data;
#[path = "../fetch/server.rs"]
#[expect(dead_code, reason = "shared with the tests of fetching")]
mod server;
#[path = "../service/stand.rs"]
#[expect(dead_code, reason = "shared with the tests of the service")]
mod stand;
#[path = "../verification/token.rs"]
mod token;
