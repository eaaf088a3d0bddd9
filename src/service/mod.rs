//! The verification and authentication service that a carrier puts beside its switches (ATIS-1000074 §5, ATIS-1000082).
//!
//! [`Engine`] is what every front end calls: it gets the certificates a call needs, judges the call, and signs calls. What
//! it works with stands in one [`Standing`], read by a [`Load`] and replaced whole when the service is told to read again.
//! [`http`] is the front end over HTTP.

pub mod credentials;
pub mod engine;
pub mod evidence;
pub mod fault;
pub mod http;
pub mod log;
mod metrics;
pub mod settings;
pub mod standing;
mod uuid;
mod values;

pub use engine::{Engine, NotSigned, Rules};
pub use evidence::Evidence;
pub use settings::Settings;
pub use standing::{Load, Loaded, NamedSigner, Standing};
