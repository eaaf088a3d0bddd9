//! The lab: a throw-away PKI and practice worlds to test with. Its keys are public and worthless.

use crate::time::UnixTime;

pub mod calls;
pub mod crowd;
pub mod pki;
pub mod write;

mod authorities;
mod cast;
mod certificate;
mod der;
mod extension;
mod key;
mod leaves;
mod manifest;
mod name;
mod readme;
mod revocation;
mod trust_list;

/// Why the lab could not be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No key came out of the seed.
    #[error("no key for {name} comes out of this seed; try another one")]
    Key {
        /// Whose key.
        name: String,
    },
    /// Leaves may not outlive the authorities that sign them.
    #[error("signing certificates may be valid for 1 to {limit} days, not {days}")]
    LeafDays {
        /// What was asked for.
        days: u32,
        /// The most there may be.
        limit: u32,
    },
    /// A key would not sign.
    #[error("a key of the lab does not sign: this is a defect of stirtrace")]
    Signature,
    /// Certificates cannot tell such times.
    #[error("the lab may start between 1970 and 9900, not at {start}")]
    Start {
        /// What was asked for.
        start: UnixTime,
    },
}
