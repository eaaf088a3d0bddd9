//! The service as a SIP redirect server: INVITE in, 302 out, with an Identity or with what was found out about the call
//! (RFC 3261 §8.3, RFC 8224, RFC 8946 §7, ATIS-1000074).
//!
//! [`Server`] is the protocol without sockets; `SipService` is its sockets; `EngineAnswers` judges.

#[cfg(feature = "service")]
mod answering;
#[cfg(feature = "service")]
mod connection;
mod endpoint;
#[cfg(feature = "service")]
mod listener;
mod rate;
mod redirect;
mod request;
mod response;
mod server;
mod settings;
#[cfg(feature = "service")]
mod stream;
mod transaction;
mod via;

#[cfg(feature = "service")]
pub use answering::EngineAnswers;
pub use endpoint::{Endpoint, Role, Source, Transport};
#[cfg(feature = "service")]
pub use listener::{Answering, ListenerCounts, SipCounter, SipService};
pub use redirect::Outcome;
pub use request::Ignored;
pub use server::{Job, Outgoing, Server, SipCounts, Step, Task, Ticket};
pub use settings::{FieldNames, SipLimits, SipSettings};
pub use transaction::Millis;
