//! PASSporT: the signed statement of who calls whom and when (RFC 8225).
//!
//! [`Passport::parse`] reads the full form and keeps the segments as received, because the signature is over those
//! bytes and no others (A4, A20). A [`CompactPassport`] carries only a signature; its header and payload are rebuilt
//! from the signalling, canonically (A21).

mod claims;
mod header;
mod header_cache;
pub(crate) mod json;
mod jws;
mod rph;
mod shaken;
mod usual;

use std::ops::Range;
use std::sync::Arc;

pub use claims::{Claims, Destination, MAX_DESTINATIONS, Party};
pub use header::Header;
pub use header_cache::HeaderCache;
pub use jws::{Error, MAX_TOKEN_BYTES, Segment};
pub(crate) use rph::namespace;
pub use rph::{EMERGENCY_NAMESPACE, InvalidResourcePriority, MAX_PRIORITIES, PSAP_CALLBACK, ResourcePriority};
pub use shaken::{Attestation, InvalidAttestation, is_uuid};

/// A PASSporT in full form, read but not believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Passport {
    token: String,
    signing_input: Range<usize>,
    header: Arc<Header>,
    claims: Claims,
    signature: Vec<u8>,
    deviations: Vec<Deviation>,
}

/// A PASSporT as a header carries it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Token {
    /// Header, payload and signature.
    Full(Box<Passport>),
    /// Only the signature: `..signature` (RFC 8225 §7).
    Compact(CompactPassport),
}

/// The compact form: a signature whose header and payload the reader rebuilds (RFC 8225 §7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompactPassport {
    signature: Vec<u8>,
}

impl Token {
    /// Reads either form.
    ///
    /// # Errors
    /// When the text is no token: [`Error`] names the segment and the byte.
    pub fn parse(token: &str) -> Result<Self, Error> {
        Self::read(token, None, true)
    }

    /// The same, for somebody who reads many: header segments that are known need not be read again.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn parse_with(token: &str, headers: &HeaderCache) -> Result<Self, Error> {
        Self::read(token, Some(headers), true)
    }

    fn read(token: &str, headers: Option<&HeaderCache>, may_be_compact: bool) -> Result<Self, Error> {
        let segments = jws::Segments::split(token)?;
        let known = headers.and_then(|headers| headers.known(segments.text(Segment::Header)));
        let mut deviations = Vec::new();
        let header = match known {
            Some(_) => Vec::new(),
            None => segments.decode(Segment::Header, &mut deviations)?,
        };
        let is_usual = deviations.is_empty();
        let payload = segments.decode(Segment::Payload, &mut deviations)?;
        let signature = segments.decode(Segment::Signature, &mut deviations)?;
        match (known.is_none() && header.is_empty(), payload.is_empty()) {
            (true, true) if may_be_compact && signature.is_empty() => {
                return Err(Error::EmptySegment { segment: Segment::Signature });
            }
            (true, true) if may_be_compact => return Ok(Self::Compact(CompactPassport { signature })),
            (true, _) => return Err(Error::EmptySegment { segment: Segment::Header }),
            (false, true) => return Err(Error::EmptySegment { segment: Segment::Payload }),
            (false, false) => {}
        }
        let json = |segment| move |reason: serde_json::Error| Error::Json { segment, reason: reason.to_string() };
        let header = match known {
            Some(header) => header,
            None => {
                let read = Arc::new(Header::parse(&header).map_err(json(Segment::Header))?);
                if let Some(headers) = headers.filter(|_| is_usual) {
                    headers.keep(segments.text(Segment::Header), &read);
                }
                read
            }
        };
        Ok(Self::Full(Box::new(Passport {
            header,
            claims: Claims::parse(&payload).map_err(json(Segment::Payload))?,
            token: token.to_owned(),
            signing_input: segments.signing_input(),
            signature,
            deviations,
        })))
    }
}

impl Passport {
    /// Reads a token in full form.
    ///
    /// # Errors
    /// When the text is no token in full form: [`Error`] names the segment and the byte.
    pub fn parse(token: &str) -> Result<Self, Error> {
        match Token::read(token, None, false)? {
            Token::Full(passport) => Ok(*passport),
            Token::Compact(_) => Err(Error::EmptySegment { segment: Segment::Header }),
        }
    }

    /// The canonical serialisation of a header and claims, ready to be signed (RFC 8225 §9).
    #[must_use]
    pub fn signing_input_of(header: &Header, claims: &Claims) -> String {
        let header = jws::encode(header.to_canonical_json().as_bytes());
        let claims = jws::encode(claims.to_canonical_json().as_bytes());
        format!("{header}.{claims}")
    }

    /// The token that a signing input and its signature make.
    #[must_use]
    pub fn token_of(signing_input: &str, signature: &[u8]) -> String {
        format!("{signing_input}.{}", jws::encode(signature))
    }

    /// The token as received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// The bytes that the signature is over: the first two segments as received (A4).
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.token.as_bytes()[self.signing_input.clone()]
    }

    /// The signature's bytes: `r` and `s`, 32 each, in a good one (A3).
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The JOSE header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Every spelling in it that the field has and the standard has not: segments first, then claims.
    pub fn deviations(&self) -> impl Iterator<Item = &Deviation> {
        self.deviations.iter().chain(&self.claims.deviations)
    }

    /// The compact form of the same PASSporT, as RFC 9410 recommends it for `ppi`.
    #[must_use]
    pub fn to_compact(&self) -> String {
        format!("..{}", jws::encode(&self.signature))
    }

    /// All members of the header, known or not, decoded anew from the token.
    #[must_use]
    pub fn header_members(&self) -> serde_json::Map<String, serde_json::Value> {
        self.members(Segment::Header)
    }

    /// All claims, known or not, decoded anew from the token.
    #[must_use]
    pub fn claim_members(&self) -> serde_json::Map<String, serde_json::Value> {
        self.members(Segment::Payload)
    }

    fn members(&self, segment: Segment) -> serde_json::Map<String, serde_json::Value> {
        let segments = jws::Segments::split(&self.token).ok();
        let bytes = segments.and_then(|segments| segments.decode(segment, &mut Vec::new()).ok());
        bytes.and_then(|bytes| header::members(&bytes)).unwrap_or_default()
    }
}

impl CompactPassport {
    /// The full form that the signalling implies: what the signature must verify over (A21, B-V5).
    #[must_use]
    pub fn rebuild(&self, header: &Header, claims: &Claims) -> Passport {
        let signing_input = Passport::signing_input_of(header, claims);
        Passport {
            token: Passport::token_of(&signing_input, &self.signature),
            signing_input: 0..signing_input.len(),
            header: Arc::new(header.clone()),
            claims: claims.clone(),
            signature: self.signature.clone(),
            deviations: Vec::new(),
        }
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The token as a header carries it: two dots and the signature.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("..{}", jws::encode(&self.signature))
    }
}

/// A member of the header or claims whose value has the wrong type.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The member's name.
    pub member: String,
    /// What is wrong with its value.
    pub reason: String,
}

impl Fault {
    fn new(member: &str, reason: impl Into<String>) -> Self {
        Self { member: member.to_owned(), reason: reason.into() }
    }
}

/// A spelling that occurs in the field and that the standard does not have (spec G): read all the same, with a warning.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// The rule that describes it, such as `G1`.
    pub rule: &'static str,
    /// What stands there and what belongs there.
    pub detail: String,
    /// Whether a strict policy refuses it.
    pub strict_refuses: bool,
}

impl Deviation {
    /// One that `--strict` refuses.
    pub(crate) fn refused_when_strict(rule: &'static str, detail: &str) -> Self {
        Self { rule, detail: detail.to_owned(), strict_refuses: true }
    }
}
