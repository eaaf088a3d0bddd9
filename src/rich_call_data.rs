//! Rich call data: the pictures and cards that an `rcd` claim names by URL, held against the digests that its signer gives
//! of them in `rcdi` (RFC 9795; E13-E17).
//!
//! [`resources`] says what there is to get, whoever has it asks [`Resource::check`] whether it is what was signed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::passport::json::{Json, canonical_object};

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
    /// A claim has another form than RFC 9795 gives it.
    #[error("{pointer} of rcd is not {wanted}")]
    InvalidClaim {
        /// The member of `rcd`.
        pointer: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A digest that cannot be read, or of an algorithm that is not among those of RFC 9795 §6.
    #[error("{pointer} of rcdi is no digest such as sha256-.. in base64")]
    InvalidDigest {
        /// The member of `rcdi`.
        pointer: String,
    },
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
    /// More URLs than anybody needs.
    #[error("more than {limit} URLs")]
    TooManyResources {
        /// The most there may be.
        limit: usize,
    },
}

/// A caller's card has a picture or two; each URL more is a fetch that a stranger asks for.
const MAX_RESOURCES: usize = 8;

/// What the claims `rcd` and `rcdi` name by URL: the picture (`icn`), the card (`jcl`), and what a card in the claim
/// itself names (`jcd`).
///
/// # Errors
/// When a claim has another form, or a URL has no digest (E17).
pub fn resources(rcd: &Value, rcdi: Option<&Value>) -> Result<Vec<Resource>, Error> {
    let text = |name: &str| match rcd.get(name) {
        None => Ok(None),
        Some(Value::String(url)) => Ok(Some(url.as_str())),
        Some(_) => Err(Error::InvalidClaim { pointer: format!("/{name}"), wanted: "a string" }),
    };
    // E13.
    if rcd.get("jcd").is_some() && rcd.get("jcl").is_some() {
        return Err(Error::InvalidClaim { pointer: "/jcl".to_owned(), wanted: "there beside /jcd, which excludes it" });
    }
    let mut found = Vec::new();
    if let Some(url) = text("icn")? {
        found.push(Resource::new("/icn".to_owned(), url, rcdi, false)?);
    }
    if let Some(url) = text("jcl")? {
        found.push(Resource::new("/jcl".to_owned(), url, rcdi, true)?);
    }
    if let Some(card) = rcd.get("jcd") {
        found.extend(within("/jcd", card, rcdi)?);
    }
    Ok(found)
}

impl Resource {
    fn new(pointer: String, url: &str, rcdi: Option<&Value>, is_card: bool) -> Result<Self, Error> {
        let Some(digest) = rcdi.and_then(|rcdi| rcdi.get(&pointer)) else { return Err(Error::NoDigest { pointer }) };
        let integrity = digest.as_str().and_then(|text| text.parse().ok());
        let Some(integrity) = integrity else { return Err(Error::InvalidDigest { pointer }) };
        Ok(Self { pointer, url: url.to_owned(), integrity, is_card })
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

    /// Whether what lies there is what was signed: the very octets, or for a card its canonical JSON (E16).
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::NotACard`]
    pub fn check(&self, body: &[u8]) -> Result<(), Error> {
        // NOTE: of a card, the octets as they lie there count too: a digest of them binds it no less.
        if self.integrity.matches(body) {
            return Ok(());
        }
        if self.is_card && self.integrity.matches(canonical(&self.card(body)?).as_bytes()) {
            return Ok(());
        }
        Err(Error::DigestMismatch { pointer: self.pointer.clone(), url: self.url.clone() })
    }

    /// What a card that was fetched names by URL in turn; of anything else, nothing.
    ///
    /// # Errors
    /// When it is no card, or a URL has no digest in `rcdi`.
    pub fn within(&self, body: &[u8], rcdi: Option<&Value>) -> Result<Vec<Self>, Error> {
        if self.is_card { within(&self.pointer, &self.card(body)?.to_value(), rcdi) } else { Ok(Vec::new()) }
    }

    fn card<'a>(&self, body: &'a [u8]) -> Result<Json<'a>, Error> {
        let not_a_card = |reason: String| Error::NotACard { url: self.url.clone(), reason };
        match serde_json::from_slice(body).map_err(|reason| not_a_card(reason.to_string()))? {
            card @ Json::Array(_) => Ok(card),
            other => Err(not_a_card(format!("{} where an array belongs", other.kind()))),
        }
    }
}

impl Integrity {
    fn matches(&self, bytes: &[u8]) -> bool {
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

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.pointer, self.url)
    }
}

/// The URLs in a card: `["vcard", [[name, parameters, "uri", value, ..], ..]]` (RFC 7095 §3). Those that lead to no
/// resource, such as `tel:`, are none.
fn within(pointer: &str, card: &Value, rcdi: Option<&Value>) -> Result<Vec<Resource>, Error> {
    let invalid = || Error::InvalidClaim { pointer: pointer.to_owned(), wanted: "a jCard (RFC 7095)" };
    let properties = card.get(1).and_then(Value::as_array).ok_or_else(invalid)?;
    let mut found = Vec::new();
    for (place, property) in properties.iter().enumerate() {
        let parts = property.as_array().ok_or_else(invalid)?;
        if parts.get(2).and_then(Value::as_str) != Some("uri") {
            continue;
        }
        for (index, value) in parts.iter().enumerate().skip(3) {
            let Some(url) = value.as_str().filter(|url| is_fetched(url)) else { continue };
            if found.len() == MAX_RESOURCES {
                return Err(Error::TooManyResources { limit: MAX_RESOURCES });
            }
            found.push(Resource::new(format!("{pointer}/1/{place}/{index}"), url, rcdi, false)?);
        }
    }
    Ok(found)
}

fn is_fetched(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// RFC 8225 §9, of a value that need not be an object.
fn canonical(card: &Json<'_>) -> String {
    let object = canonical_object(&[("".into(), card.clone())]);
    let inner = object.strip_prefix("{\"\":").and_then(|rest| rest.strip_suffix('}'));
    inner.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sha256(bytes: &[u8]) -> String {
        format!("sha256-{}", STANDARD.encode(digest(&SHA256, bytes)))
    }

    #[test]
    fn the_digest_of_the_text_in_the_rfc_is_read_and_matches() {
        // E16, RFC 9795 §6: of the JSON text, its quotes included.
        let integrity: Integrity = "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY=".parse().unwrap();
        assert!(integrity.matches(b"\"Q Branch Spy Gadgets\"") && !integrity.matches(b"Q Branch Spy Gadgets"));
        let others = [
            "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
            "sha256-sM275lTgzCte-LHOKHtU4SxG8shlOo6OS4ot8IJQImY=",
            "sha384-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY=",
            "sha1-sM275lTgzCte+LHOKHtU4SxG8sg=",
            "md5-sM275lTgzCte+LHOKHtU4Q==",
            "sha256",
            "",
        ];
        assert!(others.iter().all(|text| text.parse::<Integrity>().is_err()));
    }

    #[test]
    fn every_url_wants_its_digest() {
        // E17.
        let rcd = json!({"nam": "Q", "icn": "https://cards.example/q.png"});
        let missing = |rcdi: Option<&Value>| resources(&rcd, rcdi).unwrap_err();
        let no_digest = Error::NoDigest { pointer: "/icn".to_owned() };
        assert_eq!((missing(None), missing(Some(&json!({"/nam": sha256(b"\"Q\"")})))), (no_digest.clone(), no_digest));
        assert_eq!(missing(Some(&json!({"/icn": "sha256-"}))), Error::InvalidDigest { pointer: "/icn".to_owned() });
        let found = resources(&rcd, Some(&json!({"/icn": sha256(b"picture")}))).unwrap();
        assert_eq!((found.len(), found[0].url()), (1, "https://cards.example/q.png"));
        assert_eq!(found[0].check(b"picture"), Ok(()));
        assert!(matches!(found[0].check(b"Picture"), Err(Error::DigestMismatch { .. })));
        assert_eq!(resources(&json!({"nam": "Q"}), None), Ok(Vec::new()));
        let both = json!({"nam": "Q", "jcl": "https://a.example/", "jcd": ["vcard", []]});
        assert!(resources(&both, None).is_err() && resources(&json!({"icn": 7}), None).is_err());
    }

    #[test]
    fn a_card_is_held_to_its_canonical_form_and_leads_to_its_pictures() {
        // E15, E16: the pointer goes on inside the card.
        let text = br#" ["vcard", [["version", {}, "text", "4.0"], ["tel", {}, "uri", "tel:+12155550112"],
            ["photo", {"b": "2", "a": "1"}, "uri", "https://cards.example/q.png"]]]"#;
        let canonical = br#"["vcard",[["version",{},"text","4.0"],["tel",{},"uri","tel:+12155550112"],["photo",{"a":"1","b":"2"},"uri","https://cards.example/q.png"]]]"#;
        let rcd = json!({"nam": "Q", "jcl": "https://cards.example/q.json"});
        let rcdi = json!({"/jcl": sha256(canonical), "/jcl/1/2/3": sha256(b"picture")});
        let card = resources(&rcd, Some(&rcdi)).unwrap().remove(0);
        assert_eq!((card.check(text), card.check(canonical)), (Ok(()), Ok(())));
        assert!(matches!(card.check(b"[\"vcard\",[]]"), Err(Error::DigestMismatch { .. })));
        assert!(matches!(card.check(b"<html>"), Err(Error::NotACard { .. })));
        assert!(matches!(card.check(b"{\"a\":1,\"a\":2}"), Err(Error::NotACard { .. })));
        let pictures = card.within(text, Some(&rcdi)).unwrap();
        assert_eq!((pictures.len(), pictures[0].pointer()), (1, "/jcl/1/2/3"));
        assert_eq!((pictures[0].check(b"picture"), pictures[0].within(b"picture", None)), (Ok(()), Ok(Vec::new())));
        let only = json!({"/jcl": sha256(canonical)});
        assert_eq!(card.within(text, Some(&only)), Err(Error::NoDigest { pointer: "/jcl/1/2/3".to_owned() }));
        let many = vec![json!(["photo", {}, "uri", "https://a.example/"]); MAX_RESOURCES + 1];
        let digests: serde_json::Map<_, _> =
            (0..many.len()).map(|place| (format!("/jcd/1/{place}/3"), json!(sha256(b"")))).collect();
        let rcd = json!({"nam": "Q", "jcd": ["vcard", many]});
        let found = resources(&rcd, Some(&Value::Object(digests)));
        assert_eq!(found, Err(Error::TooManyResources { limit: MAX_RESOURCES }));
    }
}
