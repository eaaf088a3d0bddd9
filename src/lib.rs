//! stirtrace tells who signed a call, whether to believe it, and who let it in.
//!
//! The embedded core (`default-features = false`) reads Identity headers and PASSporTs, verifies them, and signs. It
//! does no input or output, has no global state and reads no clock: time is an argument, and certificates are asked
//! for before anything is judged.
//!
//! ```
//! use stirtrace::number::NumberPlan;
//! use stirtrace::sip::{Call, Message};
//! use stirtrace::time::UnixTime;
//! use stirtrace::verify::{Conclusion, Materials, Policy, Verifier};
//!
//! let invite = b"INVITE sip:+12155550131@us.example SIP/2.0\r\n\
//!     From: <sip:+12155550112@carrier.example;user=phone>;tag=1\r\n\
//!     To: <sip:+12155550131@us.example>\r\n\
//!     Call-ID: 7@carrier.example\r\n\r\n";
//! let (message, _) = Message::parse(invite)?;
//! let call = Call::from_message(&message, &NumberPlan::NORTH_AMERICAN);
//!
//! let verifier = Verifier::new(Policy::default());
//! let mut materials = Materials::new();
//! for url in verifier.missing(&call, &materials) {
//!     // Get it by any means: an archive, a cache, HTTPS.
//!     materials.mark_unavailable(&url, "this example has no network");
//! }
//! let verdict = verifier.verify(&call, &materials, UnixTime::from_seconds(1_777_896_001));
//! assert_eq!(verdict.conclusion, Conclusion::None); // no Identity header: nothing to judge
//! # Ok::<(), stirtrace::sip::Error>(())
//! ```
//!
//! # Modules, from the bottom up
//!
//! Words: [`es256`], [`number`], [`time`]. Formats: [`passport`], [`identity_header`], [`certificate`], [`sip`], and behind
//! a feature `capture`. Decisions: [`trust`], [`sign`], [`verify`]. Edges, behind features: `fetch`, `lake`. Imports point
//! down; `ARCHITECTURE.md` draws the floors.

#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "traceback")]
pub mod cdr;
pub mod certificate;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "cli", feature = "fetch"))]
pub mod clock;
#[cfg(feature = "traceback")]
pub mod document;
pub mod es256;
#[cfg(feature = "fetch-rules")]
pub mod fetch;
pub mod identity_header;
#[cfg(feature = "cli")]
pub mod lab;
#[cfg(feature = "lake")]
pub mod lake;
#[cfg(feature = "traceback")]
pub mod network;
pub mod number;
pub mod passport;
#[cfg(feature = "service")]
mod redaction;
#[cfg(feature = "traceback")]
pub mod report;
pub mod rich_call_data;
#[cfg(feature = "service-rules")]
pub mod service;
pub mod sign;
pub mod sip;
pub mod time;
#[cfg(feature = "traceback")]
pub mod traceback;
pub mod trust;
pub mod verify;
#[cfg(feature = "traceback")]
pub mod zone;
