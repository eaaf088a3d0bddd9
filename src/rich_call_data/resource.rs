//! What a claim names by URL, and the digest of what has to lie there (RFC 9795 §6; E15, E16).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Error;
use crate::passport::json::Json;

/// What a claim names by URL, with the digest of what has to lie there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    pointer: String,
    url: String,
    integrity: Integrity,
    is_card: bool,
}

/// A digest as `rcdi` has it: `sha256-` and base64 with its padding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Integrity {
    algorithm: &'static digest::Algorithm,
    digest: Vec<u8>,
}

impl Resource {
    pub(super) fn new(pointer: String, url: &str, integrity: &Integrity, is_card: bool) -> Self {
        Self { pointer, url: url.to_owned(), integrity: integrity.clone(), is_card }
    }

    /// Where it stands in `rcd`, as `rcdi` calls it (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Where it lies.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is a card, which may name further resources.
    #[must_use]
    pub const fn is_card(&self) -> bool {
        self.is_card
    }

    /// Whether what lies there is what was signed: the very octets, or for a card its canonical JSON (E16).
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::NotACard`]
    pub fn check(&self, body: &[u8]) -> Result<(), Error> {
        // NOTE: of a card, the octets as they lie there count too: a digest of them binds it no less.
        if self.integrity.matches(body) {
            return Ok(());
        }
        if self.is_card && self.integrity.matches(self.card(body)?.to_canonical().as_bytes()) {
            return Ok(());
        }
        Err(Error::DigestMismatch { pointer: self.pointer.clone(), url: self.url.clone() })
    }

    pub(super) fn card<'a>(&self, body: &'a [u8]) -> Result<Json<'a>, Error> {
        let not_a_card = |reason: String| Error::NotACard { url: self.url.clone(), reason };
        match serde_json::from_slice(body).map_err(|reason| not_a_card(reason.to_string()))? {
            card @ Json::Array(_) => Ok(card),
            other => Err(not_a_card(format!("{} where an array belongs", other.kind()))),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.pointer, self.url)
    }
}

impl Integrity {
    pub(super) fn matches(&self, bytes: &[u8]) -> bool {
        digest(self.algorithm, bytes).as_ref() == self.digest
    }
}

impl FromStr for Integrity {
    type Err = ();

    /// E15: the first hyphen divides; the alphabet is the standard one, with padding.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, value) = text.split_once('-').ok_or(())?;
        let algorithm = match name {
            "sha256" => &SHA256,
            "sha384" => &SHA384,
            "sha512" => &SHA512,
            _ => return Err(()),
        };
        let digest = STANDARD.decode(value).map_err(|_| ())?;
        if digest.len() == algorithm.output_len() { Ok(Self { algorithm, digest }) } else { Err(()) }
    }
}
