//! Rich call data: who a caller says he is, why he calls, and the pictures and cards that show it, held against the
//! digests that the signer gives of them in `rcdi` (RFC 9795; E13-E17).
//!
//! [`RichCallData::read`] takes the claims, [`RichCallData::check_values`] holds what stands in them to its digests,
//! [`RichCallData::resources`] says what there is to get besides, and whoever has it asks [`Resource::check`] whether it
//! is what was signed, and [`RichCallData::within`] what a card leads to in turn.

mod error;
mod resource;

use serde_json::{Map, Value};

use crate::passport::json::Json;

pub use error::Error;
pub use resource::{Integrity, Resource};

/// What a PASSporT says of its caller, of the right form; not believed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RichCallData {
    rcd: Option<Value>,
    digests: Vec<(String, Integrity)>,
    call_reason: Option<String>,
}

/// A caller's card has a picture or two; each URL more is a fetch that a stranger asks for.
const MAX_RESOURCES: usize = 8;
/// A digest for each of them, for the name, and for parts of the card.
const MAX_DIGESTS: usize = 32;

impl RichCallData {
    /// Reads the claims `rcd`, `rcdi` and `crn`; none where none of them is there.
    ///
    /// # Errors
    /// When one has another form than RFC 9795 gives it (E13-E15).
    pub fn read(claims: &Map<String, Value>) -> Result<Option<Self>, Error> {
        let (rcd, rcdi, crn) = (claims.get("rcd"), claims.get("rcdi"), claims.get("crn"));
        if rcd.is_none() && rcdi.is_none() && crn.is_none() {
            return Ok(None);
        }
        let call_reason = crn.map(|crn| crn.as_str().ok_or_else(|| invalid("crn", "a string")));
        rcd.map(check_form).transpose()?;
        Ok(Some(Self {
            call_reason: call_reason.transpose()?.map(str::to_owned),
            digests: match (rcd, rcdi) {
                (_, None) => Vec::new(),
                // E14.
                (None, Some(_)) => return Err(Error::DigestsWithoutData),
                (Some(_), Some(rcdi)) => digests(rcdi)?,
            },
            rcd: rcd.cloned(),
        }))
    }

    /// `nam`: the caller's name, which may be empty.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text("nam")
    }

    /// `crn`: why the caller calls.
    #[must_use]
    pub fn call_reason(&self) -> Option<&str> {
        self.call_reason.as_deref()
    }

    /// `apn`: the number to show instead of the calling one, as signed.
    #[must_use]
    pub fn alternate_number(&self) -> Option<&str> {
        self.text("apn")
    }

    /// `icn`: where the picture lies.
    #[must_use]
    pub fn icon(&self) -> Option<&str> {
        self.text("icn")
    }

    /// `jcl`: where the card lies.
    #[must_use]
    pub fn card_url(&self) -> Option<&str> {
        self.text("jcl")
    }

    /// `jcd`: the card in the claim itself (RFC 7095).
    #[must_use]
    pub fn card(&self) -> Option<&Value> {
        self.rcd.as_ref()?.get("jcd")
    }

    /// The members of `rcdi`, in their order.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.digests.iter().map(|(pointer, _)| pointer.as_str())
    }

    /// Whether what stands in the claim itself is what its digests were made of: each value as canonical JSON (E16).
    ///
    /// # Errors
    /// [`Error::ValueMismatch`], [`Error::DigestOfNothing`]
    pub fn check_values(&self) -> Result<(), Error> {
        let Some(rcd) = &self.rcd else { return Ok(()) };
        let urls: Vec<String> = self.urls()?.into_iter().map(|url| url.pointer).collect();
        let of_the_card = |pointer: &str| pointer.starts_with("/jcl/") && self.card_url().is_some();
        for (pointer, integrity) in self.digests.iter().filter(|(own, _)| !urls.contains(own) && !of_the_card(own)) {
            check_value(rcd, pointer, pointer, integrity)?;
        }
        Ok(())
    }

    /// What it names by URL: the picture (`icn`), the card (`jcl`), and what a card in the claim itself names (`jcd`).
    ///
    /// # Errors
    /// When a URL has no digest (E17), or there are too many.
    pub fn resources(&self) -> Result<Vec<Resource>, Error> {
        self.signed(self.urls()?)
    }

    /// What a card that was fetched names by URL in turn, once the parts of it that have digests are what was signed;
    /// of anything else, nothing.
    ///
    /// NOTE: E17 forbids URLs in what these lead to. Nobody here looks into pictures for them: who shows one must not
    /// follow what it names.
    ///
    /// # Errors
    /// When it is no card, a URL has no digest in `rcdi`, or a part is something else than what was signed.
    pub fn within(&self, resource: &Resource, body: &[u8]) -> Result<Vec<Resource>, Error> {
        if !resource.is_card() {
            return Ok(Vec::new());
        }
        let card = resource.card(body)?.to_value();
        let not_a_card = |reason: Error| Error::NotACard { url: resource.url().to_owned(), reason: reason.to_string() };
        let urls = urls_in(resource.pointer(), &card).map_err(not_a_card)?;
        for (pointer, integrity) in &self.digests {
            let rest = pointer.strip_prefix(resource.pointer()).filter(|rest| rest.starts_with('/'));
            if let Some(rest) = rest.filter(|_| !urls.iter().any(|url| url.pointer == *pointer)) {
                check_value(&card, rest, pointer, integrity)?;
            }
        }
        self.signed(urls)
    }

    fn urls(&self) -> Result<Vec<Url>, Error> {
        let mut urls = Vec::new();
        let named = |name: &str, url: &str| Url { pointer: format!("/{name}"), url: url.to_owned(), is_card: false };
        urls.extend(self.icon().map(|url| named("icn", url)));
        urls.extend(self.card_url().map(|url| Url { is_card: true, ..named("jcl", url) }));
        if let Some(card) = self.card() {
            urls.extend(urls_in("/jcd", card)?);
        }
        Ok(urls)
    }

    fn signed(&self, urls: Vec<Url>) -> Result<Vec<Resource>, Error> {
        if urls.len() > MAX_RESOURCES {
            return Err(Error::TooMany { things: "URLs", limit: MAX_RESOURCES });
        }
        let signed = urls.into_iter().map(|Url { pointer, url, is_card }| {
            match self.digests.iter().find(|(own, _)| *own == pointer) {
                Some((_, integrity)) => Ok(Resource::new(pointer, &url, integrity, is_card)),
                None => Err(Error::NoDigest { pointer }),
            }
        });
        signed.collect()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.rcd.as_ref()?.get(name)?.as_str()
    }
}

/// A URL, and where it stands.
struct Url {
    pointer: String,
    url: String,
    is_card: bool,
}

/// E13.
fn check_form(rcd: &Value) -> Result<(), Error> {
    let members = rcd.as_object().ok_or_else(|| invalid("rcd", "an object"))?;
    if !members.contains_key("nam") {
        return Err(Error::MissingName);
    }
    for name in ["nam", "apn", "icn", "jcl"] {
        match members.get(name) {
            None | Some(Value::String(_)) => {}
            Some(_) => return Err(invalid(&format!("{name} of rcd"), "a string")),
        }
    }
    // NOTE: E13 has https alone; there are signers who name a part of the message's own body (RFC 2392). Nobody fetches
    // that, but whoever has the message can hand it in, and its digest binds it as any other.
    let is_url = |url: &str| is_of(url, "https") || is_of(url, "cid");
    for name in ["icn", "jcl"] {
        if members.get(name).and_then(Value::as_str).is_some_and(|url| !is_url(url)) {
            return Err(invalid(&format!("{name} of rcd"), "an https URL"));
        }
    }
    match (members.get("jcd"), members.get("jcl")) {
        (Some(_), Some(_)) => Err(Error::TwoCards),
        (Some(card), None) => urls_in("/jcd", card).map(drop),
        (None, _) => Ok(()),
    }
}

/// E15.
fn digests(rcdi: &Value) -> Result<Vec<(String, Integrity)>, Error> {
    let members = rcdi.as_object().ok_or_else(|| invalid("rcdi", "an object of digests"))?;
    if members.len() > MAX_DIGESTS {
        return Err(Error::TooMany { things: "digests in rcdi", limit: MAX_DIGESTS });
    }
    let read = members.iter().map(|(pointer, value)| {
        let integrity = value.as_str().filter(|_| pointer.starts_with('/')).and_then(|text| text.parse().ok());
        let integrity = integrity.ok_or_else(|| Error::InvalidDigest { pointer: pointer.clone() })?;
        Ok((pointer.clone(), integrity))
    });
    read.collect()
}

/// E16: the digest is of the canonical JSON, quotes included.
fn check_value(root: &Value, place: &str, pointer: &str, integrity: &Integrity) -> Result<(), Error> {
    let value = root.pointer(place).ok_or_else(|| Error::DigestOfNothing { pointer: pointer.to_owned() })?;
    if integrity.matches(Json::of_value(value).to_canonical().as_bytes()) {
        return Ok(());
    }
    let unquoted = value.as_str().is_some_and(|text| integrity.matches(text.as_bytes()));
    Err(Error::ValueMismatch { pointer: pointer.to_owned(), unquoted })
}

/// The URLs in a card: `["vcard", [[name, parameters, "uri", value, ..], ..]]` (RFC 7095 §3). Those that lead to no
/// resource, such as `tel:`, are none.
fn urls_in(pointer: &str, card: &Value) -> Result<Vec<Url>, Error> {
    let invalid = || invalid(&format!("{} of rcd", pointer.trim_start_matches('/')), "a jCard (RFC 7095)");
    let [Value::String(vcard), Value::Array(properties)] = card.as_array().ok_or_else(invalid)?.as_slice() else {
        return Err(invalid());
    };
    if vcard != "vcard" {
        return Err(invalid());
    }
    let mut found = Vec::new();
    for (place, property) in properties.iter().enumerate() {
        let parts = property.as_array().ok_or_else(invalid)?;
        if parts.get(2).and_then(Value::as_str) != Some("uri") {
            continue;
        }
        for (index, value) in parts.iter().enumerate().skip(3) {
            let Some(url) = value.as_str().filter(|url| is_of(url, "https") || is_of(url, "http")) else { continue };
            found.push(Url { pointer: format!("{pointer}/1/{place}/{index}"), url: url.to_owned(), is_card: false });
        }
    }
    Ok(found)
}

fn is_of(url: &str, scheme: &str) -> bool {
    url.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(scheme))
}

fn invalid(place: &str, wanted: &'static str) -> Error {
    Error::InvalidClaim { place: place.to_owned(), wanted }
}

#[cfg(test)]
mod tests;
