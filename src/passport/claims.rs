//! The claims of a PASSporT (RFC 8225 §5; RFC 8588 §4 and §5; RFC 8946 §3; RFC 8443 §3, RFC 9027 §4).

use std::borrow::Cow;

use super::json::{Json, canonical_object};
use super::rph::{self, ResourcePriority};
use super::usual;
use super::{Deviation, Fault};
use crate::time::UnixTime;

/// Who calls, who is called and when, as signed. Values stand as received; the verifier makes numbers canonical.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// `attest` (shaken), whatever it says.
    pub attest: Option<String>,
    /// `dest`: everyone the call is for.
    pub dest: Option<Destination>,
    /// `div`: whom the call was for before it was diverted (RFC 8946).
    pub div: Option<Party>,
    /// `iat`: when the call was made.
    pub iat: Option<UnixTime>,
    /// `orig`: who calls.
    pub orig: Option<Party>,
    /// `origid` (shaken): the signer's opaque name for where the call came from.
    pub origid: Option<String>,
    /// `rph`: the priorities that the signer authorises (RFC 8443).
    pub rph: Option<Vec<ResourcePriority>>,
    /// `sph` (rph): what an emergency call's callback says of itself, whatever it says (RFC 9027).
    pub sph: Option<String>,
    /// Whether `rcd`, `rcdi` or `crn` is there (RFC 9795), of whatever form: [`RichCallData`] reads them.
    ///
    /// [`RichCallData`]: crate::rich_call_data::RichCallData
    pub has_rich_call_data: bool,
    /// Claims that are there with a value of the wrong type.
    pub faults: Vec<Fault>,
    /// Spellings that the field has and the standard has not.
    pub deviations: Vec<Deviation>,
    /// Whether the bytes are RFC 8225 §9's canonical form.
    pub canonical: bool,
}

/// One identity in a claim (RFC 8225 §5.2.1), not yet canonical.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Party {
    /// `tn`
    Number(String),
    /// `uri`
    Uri(String),
}

impl Party {
    /// The text of the number or URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Number(text) | Self::Uri(text) => text,
        }
    }
}

/// The `dest` claim: numbers and URIs, at least one of either.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Destination {
    /// `tn`
    pub numbers: Vec<String>,
    /// `uri`
    pub uris: Vec<String>,
}

impl Destination {
    /// A destination of these numbers and URIs.
    #[must_use]
    pub const fn new(numbers: Vec<String>, uris: Vec<String>) -> Self {
        Self { numbers, uris }
    }

    /// All of them, numbers first.
    pub fn parties(&self) -> impl Iterator<Item = Party> + '_ {
        let numbers = self.numbers.iter().cloned().map(Party::Number);
        numbers.chain(self.uris.iter().cloned().map(Party::Uri))
    }
}

/// The most numbers or URIs that `dest` may list.
pub const MAX_DESTINATIONS: usize = 64;

impl Claims {
    /// Reads the decoded payload segment.
    ///
    /// # Errors
    /// When the bytes are no JSON object, repeat a name or nest too deep. Single claims of a wrong type are
    /// [`Claims::faults`], so that all the others can still be judged.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        match usual::parse(bytes) {
            Some(claims) => Ok(claims),
            None => Self::parse_any(bytes),
        }
    }

    /// The same of any form, by the JSON reader.
    pub(super) fn parse_any(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let members = Json::parse_object(bytes)?;
        let mut claims = Self { canonical: canonical_object(&members).as_bytes() == bytes, ..Self::default() };
        for (name, value) in &members {
            if let Err(reason) = claims.read(name, value) {
                claims.faults.push(Fault::new(name, reason));
            }
        }
        Ok(claims)
    }

    fn read(&mut self, name: &str, value: &Json<'_>) -> Result<(), String> {
        match name {
            "attest" => self.attest = Some(string(value)?),
            "dest" => self.dest = Some(self.destination(value)?),
            "div" => self.div = Some(self.party("div", value)?),
            "iat" => self.iat = Some(self.instant(value)?),
            "orig" => self.orig = Some(self.party("orig", value)?),
            "origid" => self.origid = Some(string(value)?),
            "rph" => self.rph = Some(rph::read(value)?),
            "sph" => self.sph = Some(string(value)?),
            "crn" | "rcd" | "rcdi" => self.has_rich_call_data = true,
            // A24: claims that nobody here knows are no error.
            _ => {}
        }
        Ok(())
    }

    fn instant(&mut self, value: &Json<'_>) -> Result<UnixTime, String> {
        match value {
            Json::Number(number) => {
                if let Some(seconds) = number.as_i64() {
                    return Ok(UnixTime::from_seconds(seconds));
                }
                // 1443208345.0 and 1.443208345e9 are the same NumericDate; halves of seconds are not (A6, A17).
                let text = number.to_string();
                let seconds = text.strip_suffix(".0").and_then(|whole| whole.parse().ok());
                let seconds = seconds.ok_or_else(|| format!("{text} is no whole number of seconds"))?;
                self.deviate("A17", "iat is written with a decimal point");
                Ok(UnixTime::from_seconds(seconds))
            }
            Json::String(text) => {
                let seconds = text.parse().map_err(|_| format!("the string {text:?} is no number of seconds"))?;
                self.deviate("G1", "iat is a string; RFC 8225 §5.1.1 wants a number");
                Ok(UnixTime::from_seconds(seconds))
            }
            other => Err(format!("{} where a number of seconds belongs", other.kind())),
        }
    }

    fn party(&mut self, claim: &str, value: &Json<'_>) -> Result<Party, String> {
        let Json::Object(members) = value else {
            return Err(format!("{} where an object with tn or uri belongs", value.kind()));
        };
        match (member(members, "tn"), member(members, "uri")) {
            (Some(number), None) => Ok(Party::Number(self.single(claim, "tn", number)?)),
            (None, Some(uri)) => Ok(Party::Uri(self.single(claim, "uri", uri)?)),
            (Some(_), Some(_)) => Err("both tn and uri; exactly one identity belongs there".to_owned()),
            (None, None) => Err("neither tn nor uri in it".to_owned()),
        }
    }

    fn single(&mut self, claim: &str, kind: &str, value: &Json<'_>) -> Result<String, String> {
        match value {
            Json::String(text) => filled(text),
            Json::Array(items) => {
                let [Json::String(text)] = items.as_slice() else {
                    return Err(format!("{kind} is an array that is not one string"));
                };
                self.deviate("G2", &format!("{claim}.{kind} is an array; RFC 8225 §5.2.1 wants a string"));
                filled(text)
            }
            other => Err(format!("{kind} is {}", other.kind())),
        }
    }

    fn destination(&mut self, value: &Json<'_>) -> Result<Destination, String> {
        let Json::Object(members) = value else {
            return Err(format!("{} where an object with tn or uri belongs", value.kind()));
        };
        let mut destination = Destination::default();
        for (name, value) in members {
            match &**name {
                "tn" => destination.numbers = self.several("tn", value)?,
                "uri" => destination.uris = self.several("uri", value)?,
                _ => {}
            }
        }
        if destination.numbers.is_empty() && destination.uris.is_empty() {
            return Err("neither tn nor uri in it".to_owned());
        }
        Ok(destination)
    }

    fn several(&mut self, kind: &str, value: &Json<'_>) -> Result<Vec<String>, String> {
        match value {
            Json::Array(items) if items.len() > MAX_DESTINATIONS => {
                Err(format!("{kind} lists more than {MAX_DESTINATIONS}"))
            }
            Json::Array(items) => items.iter().map(|item| filled(&string(item)?)).collect(),
            Json::String(text) => {
                self.deviate("G2", &format!("dest.{kind} is a string; RFC 8225 §5.2.1 wants an array"));
                Ok(vec![filled(text)?])
            }
            other => Err(format!("{kind} is {}", other.kind())),
        }
    }

    fn deviate(&mut self, rule: &'static str, detail: &str) {
        self.deviations.push(Deviation::refused_when_strict(rule, detail));
    }

    /// RFC 8225 §9: the claims in canonical order and form, as signers print them.
    ///
    /// Numbers and URIs stand as given: make them canonical first.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        let text = |value: &Option<String>| value.clone().map(|text| Json::String(text.into()));
        let party = |value: &Option<Party>| value.as_ref().map(party_json);
        let members = [
            ("attest", text(&self.attest)),
            ("dest", self.dest.as_ref().map(destination_json)),
            ("div", party(&self.div)),
            ("iat", self.iat.map(|instant| Json::Number(instant.seconds().into()))),
            ("orig", party(&self.orig)),
            ("origid", text(&self.origid)),
            ("rph", self.rph.as_deref().map(rph::to_json)),
            ("sph", text(&self.sph)),
        ];
        let members: Vec<_> =
            members.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?))).collect();
        canonical_object(&members)
    }
}

fn party_json(party: &Party) -> Json<'static> {
    let name = match party {
        Party::Number(_) => "tn",
        Party::Uri(_) => "uri",
    };
    Json::Object(vec![(name.into(), Json::String(party.as_str().to_owned().into()))])
}

fn destination_json(destination: &Destination) -> Json<'static> {
    let lists = [("tn", &destination.numbers), ("uri", &destination.uris)];
    let lists = lists.into_iter().filter(|(_, values)| !values.is_empty());
    let array = |values: &[String]| Json::Array(values.iter().map(|v| Json::String(v.clone().into())).collect());
    Json::Object(lists.map(|(name, values)| (name.into(), array(values))).collect())
}

fn member<'a>(members: &'a [(Cow<'_, str>, Json<'a>)], name: &str) -> Option<&'a Json<'a>> {
    members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

fn string(value: &Json<'_>) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text.clone().into_owned()),
        other => Err(format!("{} where a string belongs", other.kind())),
    }
}

fn filled(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("an empty string".to_owned()) } else { Ok(text.to_owned()) }
}
