//! Named facts that an investigator must see, each with the condition that alone allows it.

use serde::{Serialize, Serializer};

/// The names. Each documents when alone it may be reported: a false one accuses somebody.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FindingName {
    /// An earlier hop's record has a PASSporT, and a later hop's record of the same call, from a source that records
    /// identities, has none.
    AttestationLost,
    /// The signing certificate was revoked, as of the call.
    CertificateRevoked,
    /// The matched record's source is off by a multiple of 30 minutes.
    ClockOffset,
    /// The called number is not in the PASSporT's dest and no div chain covers it.
    DivertedUnverified,
    /// The signer is a hop, not the originating one, and attested A or B.
    DownstreamSignedAOrB,
    /// A network has the call twice, with other hops between.
    Loop,
    /// Two neighbours of the chain do not name each other.
    MissingHop,
    /// The calling number differs between hops of one call.
    NumberRewritten,
    /// The same token on different calls: not on hops, attempts or re-exports of one.
    ReplayedToken,
    /// The signature is invalid, as of the call.
    SignatureInvalid,
    /// The originating hop is known, and a third party's certificate signed after 2025-09-18.
    SignerIsNotResponsibleProvider,
    /// The chain is known from origination to us, and the signer's code is none of its hops.
    SignerNotInPath,
    /// Attested A, and the number is not assignable.
    SpoofedNumberWithA,
    /// Two hops each name a customer as the origin.
    TwoOriginators,
}

impl FindingName {
    /// The name in the output; it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AttestationLost => "attestation-lost",
            Self::CertificateRevoked => "certificate-revoked",
            Self::ClockOffset => "clock-offset",
            Self::DivertedUnverified => "diverted-unverified",
            Self::DownstreamSignedAOrB => "downstream-signed-a-or-b",
            Self::Loop => "loop",
            Self::MissingHop => "missing-hop",
            Self::NumberRewritten => "number-rewritten",
            Self::ReplayedToken => "replayed-token",
            Self::SignatureInvalid => "signature-invalid",
            Self::SignerIsNotResponsibleProvider => "signer-is-not-responsible-provider",
            Self::SignerNotInPath => "signer-not-in-path",
            Self::SpoofedNumberWithA => "spoofed-number-with-a",
            Self::TwoOriginators => "two-originators",
        }
    }
}

impl Serialize for FindingName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A finding with what it rests on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Its name.
    #[serde(rename = "finding")]
    pub name: FindingName,
    /// The facts, in a sentence.
    pub detail: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(name: FindingName, detail: impl Into<String>) -> Self {
        Self { name, detail: detail.into() }
    }
}
