//! The verification and authentication service that a carrier puts beside its switches (ATIS-1000074 §5, ATIS-1000082).
//!
//! `Engine` is what every front end calls: it gets the certificates a call needs, judges the call, and signs calls. What
//! it works with stands in one `Standing`, read by a `Load` and replaced whole when the service is told to read again.

pub mod attestation;
#[cfg(feature = "service")]
pub mod credentials;
#[cfg(feature = "service")]
pub mod engine;
pub mod fault;
#[cfg(feature = "service")]
pub mod replay;
pub mod sip;
#[cfg(feature = "service")]
pub mod standing;
pub mod treatment;

#[cfg(test)]
mod scene;
mod values;

#[cfg(feature = "service")]
pub use engine::{Engine, Rules};
#[cfg(feature = "service")]
pub use standing::{Load, Loaded, NamedSigner, Standing};
