//! Verification service: from a call and its Identity headers to a verdict (RFC 8224 §6.2, ATIS-1000074, ATIS-1000082).
//!
//! Ask, then judge: `Verifier::missing` lists the URLs of certificates that are needed and not there, the caller gets
//! them by any means, and `Verifier::verify` judges without any input or output. Time is an argument.

mod error;
mod policy;
mod verdict;

pub use error::{Error, Part, Stage};
pub use policy::{CrlPolicy, MAX_IDENTITY_HEADERS, Policy, Require};
pub use verdict::{
    Atis82, CallSummary, Check, CheckResult, Conclusion, PassportReport, PathElement, Profile, Reason, Signer,
    SipResponse, Status, Verdict, Verified, Verstat,
};
