//! SIP as far as verification needs it: messages, addresses, and who calls whom (RFC 3261, RFC 8224 §6.2).
//!
//! Everything here reads hostile bytes: nothing panics, every length has a limit, and what was received stays
//! available byte for byte.

pub mod call;
pub mod json_call;
pub mod message;
mod scanner;
mod service_urn;
pub mod uri;

pub use call::Call;
pub use json_call::{JsonCall, JsonCallError};
pub use message::{Error, Message, messages};
pub use service_urn::service_urn;
pub use uri::SipUri;
