//! What is wrong with rich call data (RFC 9795 §5, §6).

/// Why rich call data is not what its signer says, so that it is not shown (E17).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What lies at the URL is something else than what was signed.
    #[error("what lies at {url} is not what {pointer} of rcdi is the digest of")]
    DigestMismatch {
        /// The member of `rcdi`.
        pointer: String,
        /// The URL.
        url: String,
    },
    /// A digest of what is not there.
    #[error("rcdi has a digest for {pointer}, and nothing stands there")]
    DigestOfNothing {
        /// The member of `rcdi`.
        pointer: String,
    },
    /// `rcdi` without `rcd`.
    #[error("there is nothing for rcdi to be about: rcd is missing")]
    DigestsWithoutData,
    /// A claim has another form than RFC 9795 gives it.
    #[error("{place} is not {wanted}")]
    InvalidClaim {
        /// The claim, and where in it.
        place: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A digest that cannot be read, or of an algorithm that is not among those of RFC 9795 §6.
    #[error("{pointer} of rcdi is no digest such as sha256-.. in base64")]
    InvalidDigest {
        /// The member of `rcdi`.
        pointer: String,
    },
    /// `rcd` without the name, which it always has.
    #[error("rcd has no nam")]
    MissingName,
    /// A URL without a digest: its owner could put anything there.
    #[error("rcdi has no {pointer}, so nothing says what lies at that URL of rcd")]
    NoDigest {
        /// The member that is missing.
        pointer: String,
    },
    /// What lies at the URL of a card is none (RFC 7095).
    #[error("what lies at {url} is no jCard: {reason}")]
    NotACard {
        /// The URL.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// More of something than anybody needs.
    #[error("more than {limit} {things}")]
    TooMany {
        /// What there is too much of.
        things: &'static str,
        /// The most there may be.
        limit: usize,
    },
    /// A card in the claim and the URL of one.
    #[error("rcd has both jcd and jcl, which exclude each other")]
    TwoCards,
    /// A part of `rcd` is not what the digest in `rcdi` was made of.
    #[error("{pointer} of rcd is not what {pointer} of rcdi is the digest of{}", if *unquoted { UNQUOTED } else { "" })]
    ValueMismatch {
        /// The member of `rcdi`.
        pointer: String,
        /// Whether it would be if the quotation marks around a text were none of it, as some signers have it.
        unquoted: bool,
    },
}

/// E16.
const UNQUOTED: &str = ": it is that of the text without its quotation marks, which belong to it (RFC 9795 6)";

impl Error {
    /// Which claim has the wrong form; none where the forms are right and a digest is not.
    #[must_use]
    pub fn claim(&self) -> Option<&'static str> {
        match self {
            Self::InvalidClaim { place, .. } if place == "crn" => Some("crn"),
            Self::InvalidClaim { place, .. } if place == "rcdi" => Some("rcdi"),
            Self::InvalidClaim { .. } | Self::MissingName | Self::TwoCards => Some("rcd"),
            Self::DigestsWithoutData | Self::InvalidDigest { .. } | Self::TooMany { .. } => Some("rcdi"),
            Self::DigestMismatch { .. }
            | Self::DigestOfNothing { .. }
            | Self::NoDigest { .. }
            | Self::NotACard { .. }
            | Self::ValueMismatch { .. } => None,
        }
    }
}
