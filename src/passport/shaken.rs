//! What the `shaken` extension adds: attestation and origination identifier (RFC 8588).

use std::fmt;
use std::str::FromStr;

/// How far the signer vouches for the call (RFC 8588 §4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Attestation {
    /// Full: the signer knows its customer and the customer's right to the calling number.
    A,
    /// Partial: the signer knows its customer, not the right to the number.
    B,
    /// Gateway: the signer only knows where the call entered its network.
    C,
}

impl Attestation {
    /// The claim's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }
}

impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Attestation {
    type Err = InvalidAttestation;

    /// D2: upper case, one letter; nothing else counts.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "A" => Ok(Self::A),
            "B" => Ok(Self::B),
            "C" => Ok(Self::C),
            _ => Err(InvalidAttestation),
        }
    }
}

impl serde::Serialize for Attestation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An `attest` that is neither A, B nor C.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("attest is none of A, B, C")]
#[non_exhaustive]
pub struct InvalidAttestation;

/// Whether a text has the shape of a UUID (RFC 4122), of whatever version (D3, G12).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, c)| match index {
            8 | 13 | 18 | 23 => c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
}
