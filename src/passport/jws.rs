//! The compact serialisation of a JWS: three base64url segments (RFC 7515 §3.1, §7.1; RFC 8225 §6, §7).

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Deviation;

/// The segments of a token, in their places; `..signature` is the compact form, whose first two are empty.
#[derive(Clone, Debug)]
pub(super) struct Segments<'a> {
    token: &'a str,
    first: usize,
    second: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLong { limit: MAX_TOKEN_BYTES });
        }
        // In blocks, whose sums fit in a byte: so many bytes are looked at together.
        let dots_in = |block: &[u8]| block.iter().fold(0, |dots: u8, c| dots + u8::from(*c == b'.'));
        let dots: usize = token.as_bytes().chunks(128).map(|block| usize::from(dots_in(block))).sum();
        match (dots, token.find('.'), token.rfind('.')) {
            (2, Some(first), Some(second)) => Ok(Self { token, first, second }),
            _ => Err(Error::SegmentCount { dots: dots.min(3) }),
        }
    }

    pub(super) const fn signing_input(&self) -> Range<usize> {
        0..self.second
    }

    /// A segment as it stands.
    pub(super) fn text(&self, segment: Segment) -> &'a str {
        &self.token[self.range(segment)]
    }

    /// A segment's bytes; deviations from the standard's spelling go to `seen`.
    pub(super) fn decode(&self, segment: Segment, seen: &mut Vec<Deviation>) -> Result<Vec<u8>, Error> {
        decode(self.token, self.range(segment), segment, seen)
    }

    const fn range(&self, segment: Segment) -> Range<usize> {
        match segment {
            Segment::Header => 0..self.first,
            Segment::Payload => self.first + 1..self.second,
            Segment::Signature => self.second + 1..self.token.len(),
        }
    }
}

/// Base64url without padding, as RFC 7515 prints every segment.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes one segment. Padding and the other alphabet are tolerated, for they cannot change the bytes (B1, G9);
/// unused bits that are not zero could, so they are refused.
fn decode(token: &str, range: Range<usize>, segment: Segment, seen: &mut Vec<Deviation>) -> Result<Vec<u8>, Error> {
    let text = &token[range.clone()];
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) {
        return Ok(bytes);
    }
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return Err(Error::Base64 { segment, offset: range.start + bare.len() });
    }
    let plain: String = bare
        .chars()
        .map(|c| {
            if c == '+' {
                '-'
            } else if c == '/' {
                '_'
            } else {
                c
            }
        })
        .collect();
    let bytes = URL_SAFE_NO_PAD.decode(&plain).map_err(|reason| {
        let offset = match reason {
            base64::DecodeError::InvalidByte(offset, _) | base64::DecodeError::InvalidLastSymbol { offset, .. } => {
                offset
            }
            _ => bare.len(),
        };
        Error::Base64 { segment, offset: range.start + offset.min(text.len()) }
    })?;
    if bare.len() < text.len() {
        seen.push(Deviation::refused_when_strict("G9", &format!("the {segment} segment is padded with '='")));
    }
    if plain != bare {
        let detail = format!("the {segment} segment is in the standard base64 alphabet, not base64url");
        seen.push(Deviation::refused_when_strict("G9", &detail));
    }
    Ok(bytes)
}

/// The longest token that is read: ten times the largest seen, with logos in it.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// One of the three parts of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Segment {
    /// The JOSE header, first.
    Header,
    /// The claims, second.
    Payload,
    /// The signature, last.
    Signature,
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why a text is no PASSporT.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A byte that base64url does not have, or a length it cannot have.
    #[error("the {segment} segment is not base64url: byte {offset} of the token")]
    Base64 {
        /// Which of the three.
        segment: Segment,
        /// Bytes from the token's start to the first wrong one.
        offset: usize,
    },
    /// One of header and payload is empty and the other is not.
    #[error("the {segment} segment is empty")]
    EmptySegment {
        /// Which of the three.
        segment: Segment,
    },
    /// The decoded bytes are no JSON object that a PASSporT may hold.
    #[error("the {segment} segment is no JSON that a PASSporT may hold: {reason}")]
    Json {
        /// Header or payload.
        segment: Segment,
        /// What the JSON reader says, with its line and column.
        reason: String,
    },
    /// Not two dots.
    #[error("{} where a token has two", match dots { 0 => "no dot".to_owned(), 1 => "one dot".to_owned(), _ => "more than two dots".to_owned() })]
    SegmentCount {
        /// Dots found, counted up to three.
        dots: usize,
    },
    /// Longer than any token may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
}

impl Error {
    /// Where in the token the fault shows, in bytes from its start; for the caret under it.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Base64 { offset, .. } => Some(*offset),
            Self::TooLong { limit } => Some(*limit),
            Self::EmptySegment { .. } | Self::Json { .. } | Self::SegmentCount { .. } => None,
        }
    }
}
