//! One network's part of a call, and how we know of it.

use serde::{Serialize, Serializer};

use crate::network::Peer;
use crate::traceback::role::Role;

/// One network's part of a call.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Hop {
    /// Its place in the chain, from 1 at the origin.
    pub hop: usize,
    /// The provider's name.
    pub provider: Option<String>,
    /// Its service provider code.
    pub spc: Option<String>,
    /// What it is to the call, where that is known or claimed.
    pub role: Option<Role>,
    /// The customer that it names as the origin.
    pub customer: Option<String>,
    /// What tells of it.
    pub source: HopSource,
    /// How sure that is.
    pub certainty: Certainty,
    /// How sure the role is.
    pub role_certainty: Option<Certainty>,
    /// Whether other hops may lie between the one before and this one.
    pub after_gap: bool,
}

impl Hop {
    /// A hop that a record shows.
    pub(super) fn recorded(provider: Option<String>, spc: Option<String>, role: Option<Role>) -> Self {
        Self {
            hop: 0,
            provider,
            spc,
            role,
            customer: None,
            source: HopSource::Record,
            certainty: Certainty::Recorded,
            role_certainty: role.map(|_| Certainty::Recorded),
            after_gap: false,
        }
    }

    /// A peer that a record names as the other side.
    pub(super) fn of_peer(peer: &Peer) -> Self {
        Self::recorded(Some(peer.name.clone()), peer.spc.clone(), None)
    }

    /// A hop that only a signature speaks of.
    pub(super) fn claimed(provider: Option<String>, spc: Option<String>, role: Role) -> Self {
        Self {
            source: HopSource::Signature,
            certainty: Certainty::Claimed,
            role_certainty: Some(Certainty::Claimed),
            ..Self::recorded(provider, spc, Some(role))
        }
    }

    /// A hop that signed that it diverted the call; where it stood among the others is inferred.
    pub(super) fn diverted(provider: Option<String>, spc: String) -> Self {
        Self {
            source: HopSource::Diversion,
            certainty: Certainty::Inferred,
            after_gap: true,
            ..Self::recorded(provider, Some(spc), None)
        }
    }

    /// The provider as people know it.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.provider, &self.spc) {
            (Some(name), Some(spc)) => format!("{name} ({spc})"),
            (Some(name), None) => name.clone(),
            (None, Some(spc)) => format!("provider {spc}"),
            (None, None) => "unknown provider".to_owned(),
        }
    }
}

/// What tells of a hop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HopSource {
    /// A call record.
    Record,
    /// A PASSporT's signer.
    Signature,
    /// A diversion.
    Diversion,
}

impl HopSource {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Signature => "signature",
            Self::Diversion => "diversion",
        }
    }
}

/// How sure something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Certainty {
    /// It stands in records that are held.
    Recorded,
    /// A signature says so.
    Claimed,
    /// It follows from other things.
    Inferred,
}

impl Certainty {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Claimed => "claimed",
            Self::Inferred => "inferred",
        }
    }
}

impl Serialize for HopSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Certainty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
