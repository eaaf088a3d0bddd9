//! Telephone numbers masked in what is shown: what `--redact` prints, and what the service logs (E.164 numbers are
//! personal data).
//!
//! A number keeps its first four digits (in the North American plan the country code and the area) and its length:
//! `1215xxxxxxx`. Whatever looks like a number is masked ([`runs`]); those that an object is known to be about are
//! masked even inside what would else stay legible, as a hash or a date.

pub(crate) mod characters;
pub(crate) mod ordered;
mod runs;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::number::NumberPlan;
use crate::redaction::ordered::Ordered;
use crate::redaction::runs::{mask_digits, mask_hexadecimal, mask_runs};

/// Masks the numbers of one object, and whatever else looks like a number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Redactor {
    /// The digits of the numbers that the object is about, the longest first.
    known: Vec<String>,
}

impl Redactor {
    /// The redactor of an object's numbers.
    pub(crate) fn of(object: &Ordered) -> Self {
        let mut known = BTreeSet::new();
        gather(object, false, &mut known);
        let mut known: Vec<String> = known.into_iter().collect();
        known.sort_by_key(|digits| std::cmp::Reverse(digits.len()));
        Self { known }
    }

    /// The text with every number masked, and the signature of a `ppi`: whoever has a signature and the rest of the
    /// claims finds the digits by trying them.
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for digits in &self.known {
            if masked.contains(digits.as_str()) {
                masked = Cow::Owned(masked.replace(digits.as_str(), &mask_digits(digits)));
            }
        }
        if let Some(runs) = mask_runs(&masked) {
            masked = Cow::Owned(runs);
        }
        if let Some(at) = masked.find("ppi=\"..") {
            let end = masked[at + 7..].find('"').map_or(masked.len(), |length| at + 7 + length);
            masked = Cow::Owned(format!("{}..redacted{}", &masked[..at + 5], &masked[end..]));
        }
        masked
    }

    /// The object with its strings masked, and numbers that stand where telephone numbers may.
    pub(crate) fn mask_object(&self, object: &mut Ordered) {
        self.mask_value(object, Place::Ours);
    }

    fn mask_value(&self, value: &mut Ordered, place: Place) {
        match value {
            Ordered::String(text) => self.mask_string(text, place),
            Ordered::Number(number) => {
                let digits = number.to_string();
                if place == Place::Theirs && digits.len() >= SHORTEST || self.known.contains(&digits) {
                    *value = Ordered::String(mask_digits(&digits));
                }
            }
            Ordered::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item, place)),
            Ordered::Object(members) => {
                for (name, value) in members {
                    self.mask_value(value, place.of_member(name));
                    if place == Place::Theirs
                        && let Cow::Owned(masked) = self.mask(name)
                    {
                        *name = masked;
                    }
                }
            }
            Ordered::Null | Ordered::Bool(_) => {}
        }
    }

    fn mask_string(&self, text: &mut String, place: Place) {
        let masked = match place {
            Place::Identifier => return,
            Place::Hexadecimal => mask_hexadecimal(text).map(Cow::Owned),
            Place::Ours | Place::Theirs | Place::Time => Some(self.mask(text)),
        };
        if let Some(Cow::Owned(masked)) = masked {
            *text = masked;
        }
    }
}

/// Whose words stand at a place of an object, and what of them can be a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Our members: their JSON numbers are counts and the like.
    Ours,
    /// The signer's claims, and members that hold numbers of users: JSON numbers may be telephone numbers.
    Theirs,
    /// The instant of a claim.
    Time,
    /// What registries or the configuration call a provider or a certificate by: long runs of digits, and no numbers.
    Identifier,
    /// Octets that may be the text of a number.
    Hexadecimal,
}

impl Place {
    fn of_member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Theirs | Self::Time, "iat" | "exp" | "nbf") => Self::Time,
            (Self::Theirs | Self::Time, _) | (_, "claims" | "header") => Self::Theirs,
            (_, "der") => Self::Hexadecimal,
            (_, "frn" | "rmd" | "serial") => Self::Identifier,
            (_, name) if HOLDERS.contains(&name) => Self::Theirs,
            _ => Self::Ours,
        }
    }
}

/// The members that hold telephone numbers or URIs of users, at any depth.
const HOLDERS: [&str; 13] = [
    "asserted",
    "called",
    "calling",
    "dest",
    "div",
    "from",
    "number",
    "orig",
    "original_called",
    "request_uri",
    "start",
    "tn",
    "to",
];

fn gather(value: &Ordered, holds_numbers: bool, known: &mut BTreeSet<String>) {
    match value {
        Ordered::String(text) if holds_numbers => gather_text(text, known),
        Ordered::Number(number) if holds_numbers && number.to_string().len() >= SHORTEST => {
            known.insert(number.to_string());
        }
        Ordered::Array(items) => items.iter().for_each(|item| gather(item, holds_numbers, known)),
        Ordered::Object(members) => {
            for (name, value) in members {
                let holds = (holds_numbers || HOLDERS.contains(&name.as_str()) || name == "uri") && name != "iat";
                gather(value, holds, known);
            }
        }
        _ => {}
    }
}

fn gather_text(text: &str, known: &mut BTreeSet<String>) {
    let user = text.split_once(':').map_or(text, |(_, rest)| rest);
    let user = user.split('@').next().unwrap_or_default();
    for candidate in [text, user] {
        let bare = candidate.split(';').next().unwrap_or_default();
        let Some(number) = NumberPlan::NORTH_AMERICAN.canonicalise(bare) else { continue };
        let digits: String = bare.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < SHORTEST {
            continue;
        }
        let national = digits.len().checked_sub(10).map(|start| digits[start..].to_owned());
        known.extend([number.to_string(), digits].into_iter().chain(national));
    }
}

/// Shorter ones are service codes, which name nobody.
const SHORTEST: usize = 7;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn redacted(object: &Value) -> String {
        let mut object: Ordered = serde_json::from_str(&object.to_string()).unwrap();
        Redactor::of(&object).mask_object(&mut object);
        serde_json::to_string(&object).unwrap()
    }

    #[test]
    fn a_number_is_masked_in_every_spelling_and_place() {
        let object = json!({
            "call": {"from": "12155550112", "to": "sip:+12155550131@host.example", "call_id": "12155550112@x"},
            "passports": [{"claims": {"orig": {"tn": "+1 (215) 555-0112"}, "dest": {"tn": [12155550131u64]}, "iat": 1777896001,
                    "12155550112": {"msgi": 2155550199u64}},
                "error": {"detail": "signed for 2155550131, but the call is for 12155550199"},
                "header": {"x5u": "https://cert.example/20260504000001.pem"}}],
            "reasons": ["STIR ;cause=438 ;text=\"x\" ;ppi=\"..c2ln\""],
            "origid": "12345678-1234-1234-1234-123456789012"
        });
        let masked = json!({
            "call": {"from": "1215xxxxxxx", "to": "sip:+1215xxxxxxx@host.example", "call_id": "1215xxxxxxx@x"},
            "passports": [{"claims": {"orig": {"tn": "+1 (215) xxx-xxxx"}, "dest": {"tn": ["1215xxxxxxx"]}, "iat": 1777896001,
                    "1215xxxxxxx": {"msgi": "2155xxxxxx"}},
                "error": {"detail": "signed for 2155xxxxxx, but the call is for 1215xxxxxxx"},
                "header": {"x5u": "https://cert.example/20260504000001.pem"}}],
            "reasons": ["STIR ;cause=438 ;text=\"x\" ;ppi=\"..redacted\""],
            "origid": "12345678-1234-1234-1234-123456789012"
        });
        assert_eq!(redacted(&object), masked.to_string());
    }

    #[test]
    fn counts_and_identifiers_stay_and_claims_that_look_like_them_do_not() {
        let object = json!({"searched": {"records": 26_000_000}, "frn": "0012345678", "rmd": "RMD0001234",
            "sha256": "0f2600ba4c2912345678901280da04d7b8cb7ca6b4ac55cea6bb9f25a876f8fd"});
        assert_eq!(redacted(&object), object.to_string());
        let claims = json!({"claims": {"frn": "2155550112", "iat": "12155550112", "origid": "2155550131"}});
        assert_eq!(
            redacted(&claims),
            json!({"claims": {"frn": "2155xxxxxx", "iat": "1215xxxxxxx", "origid": "2155xxxxxx"}}).to_string()
        );
    }

    #[test]
    fn a_number_that_is_known_is_masked_even_inside_a_hash_or_an_address() {
        let hash = format!("{}12155550112{}", "a".repeat(11), "b".repeat(10));
        let object = json!({"to": "12155550112", "call_id": hash, "x5u": "https://a.example/c12155550112d"});
        let masked = redacted(&object);
        assert!(!masked.contains("5550112"), "{masked}");
    }

    #[test]
    fn the_octets_of_a_number_are_masked_and_others_are_not() {
        let object = json!({"der": "3008a00616043132333434", "x": {"der": "300da20b16093132313535353530"}});
        assert_eq!(
            redacted(&object),
            json!({"der": "3008a00616043132333434", "x": {"der": "300da20b160931323135xxxxxxxx"}}).to_string()
        );
    }

    #[test]
    fn members_keep_their_order() {
        let text = r#"{"z":1,"a":{"y":"2155550112","b":2}}"#;
        let mut object: Ordered = serde_json::from_str(text).unwrap();
        Redactor::of(&object).mask_object(&mut object);
        assert_eq!(serde_json::to_string(&object).unwrap(), text.replace("2155550112", "2155xxxxxx"));
    }

    #[test]
    fn service_codes_stay() {
        let object = json!({"to": "911"});
        assert_eq!(redacted(&object), object.to_string());
    }
}
