//! The verification and authentication service that a carrier puts beside its switches (ATIS-1000074 §5, ATIS-1000082).
//!
//! `Engine` is what every front end calls: it gets the certificates a call needs, judges the call, and signs calls. What
//! it works with stands in one `Standing`, read by a `Load` and replaced whole when the service is told to read again.
//! `http` is the front end over HTTP, [`sip`] the one over SIP. The rules of [`attestation`] and [`treatment`] need none
//! of them.

pub mod attestation;
#[cfg(feature = "service")]
pub mod credentials;
#[cfg(feature = "service")]
pub mod engine;
#[cfg(feature = "service")]
pub mod evidence;
pub mod fault;
#[cfg(feature = "service")]
pub mod http;
#[cfg(feature = "service")]
pub mod log;
#[cfg(feature = "service")]
mod metrics;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
#[cfg(feature = "service")]
pub mod replay;
#[cfg(feature = "service")]
mod rich_call_data;
#[cfg(feature = "service")]
pub mod settings;
#[cfg(feature = "service")]
pub mod signer;
pub mod sip;
#[cfg(feature = "service")]
pub mod standing;
#[cfg(feature = "service")]
pub mod telemetry;
#[cfg(feature = "service")]
pub mod tls;
pub mod treatment;

#[cfg(test)]
mod scene;
#[cfg(feature = "service")]
pub(crate) mod uuid;
mod values;

#[cfg(feature = "service")]
pub use engine::{Engine, NotSigned, Rules};
#[cfg(feature = "service")]
pub use evidence::Evidence;
#[cfg(feature = "service")]
pub use settings::Settings;
#[cfg(feature = "service")]
pub use signer::NamedSigner;
#[cfg(feature = "service")]
pub use standing::{Load, Loaded, Standing};
#[cfg(feature = "service")]
pub use telemetry::Telemetry;
