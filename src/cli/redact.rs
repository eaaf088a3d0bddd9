//! `--redact`: telephone numbers masked in everything that is printed.
//!
//! A number keeps its first four digits (in the North American plan the country code and the area) and its length:
//! `1215xxxxxxx`. The numbers of one object are gathered first, from the members that hold numbers; each is then
//! masked wherever it stands, error texts and URIs included.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::number::NumberPlan;
use crate::passport::is_uuid;

/// Masks the numbers of one object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Redactor {
    /// Every spelling to mask, the longest first.
    spellings: Vec<String>,
}

impl Redactor {
    /// The redactor of an object's numbers.
    pub(crate) fn of(object: &Value) -> Self {
        let mut spellings = BTreeSet::new();
        gather(object, false, &mut spellings);
        let mut spellings: Vec<String> = spellings.into_iter().collect();
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        Self { spellings }
    }

    /// The text with every known number masked, every other run of ten digits or more that is not part of a URL, and
    /// the signature of a `ppi`: whoever has a signature and the rest of the claims finds the digits by trying them.
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for spelling in &self.spellings {
            if masked.contains(spelling.as_str()) {
                masked = Cow::Owned(masked.replace(spelling.as_str(), &mask_digits(spelling)));
            }
        }
        if has_long_run(&masked) {
            masked = Cow::Owned(mask_runs(&masked));
        }
        if let Some(at) = masked.find("ppi=\"..") {
            let end = masked[at + 7..].find('"').map_or(masked.len(), |length| at + 7 + length);
            masked = Cow::Owned(format!("{}..redacted{}", &masked[..at + 5], &masked[end..]));
        }
        masked
    }

    /// The object with every string masked, and numbers that stand where telephone numbers belong.
    pub(crate) fn mask_object(&self, object: &mut Value) {
        match object {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.mask(text) {
                    *text = masked;
                }
            }
            Value::Number(number) => {
                if self.spellings.contains(&number.to_string()) {
                    *object = Value::String(mask_digits(&number.to_string()));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_object(item)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    if !KEPT.contains(&name.as_str()) {
                        self.mask_object(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// The members that hold telephone numbers or URIs of users, at any depth.
const HOLDERS: [&str; 14] = [
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
    "uri",
];

/// The members that hold long runs of digits which are no telephone numbers.
const KEPT: [&str; 11] =
    ["at", "certificate_sha256", "der", "frn", "iat", "origid", "path", "rmd", "serial", "sha256", "spc"];

fn gather(value: &Value, holds_numbers: bool, spellings: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if holds_numbers => gather_text(text, spellings),
        Value::Number(number) if holds_numbers && number.to_string().len() >= SHORTEST => {
            spellings.insert(number.to_string());
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, holds_numbers, spellings)),
        Value::Object(members) => {
            for (name, value) in members {
                let holds = (holds_numbers || HOLDERS.contains(&name.as_str())) && !KEPT.contains(&name.as_str());
                gather(value, holds, spellings);
            }
        }
        _ => {}
    }
}

fn gather_text(text: &str, spellings: &mut BTreeSet<String>) {
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
        spellings.extend([bare.trim().to_owned(), number.to_string(), digits].into_iter().chain(national));
    }
}

/// Shorter ones are service codes, which name nobody.
const SHORTEST: usize = 7;

/// How many digits stay.
const KEPT_DIGITS: usize = 4;

fn mask_digits(number: &str) -> String {
    let mut seen = 0;
    number
        .chars()
        .map(|c| {
            seen += usize::from(c.is_ascii_digit());
            if c.is_ascii_digit() && seen > KEPT_DIGITS { 'x' } else { c }
        })
        .collect()
}

fn has_long_run(text: &str) -> bool {
    text.as_bytes().split(|c| !c.is_ascii_digit()).any(|run| run.len() >= LONG_RUN)
}

const LONG_RUN: usize = 10;

/// Masks long runs of digits in every word that is neither a URL nor a UUID, and no part of a hash.
fn mask_runs(text: &str) -> String {
    text.split_inclusive([' ', ',', ';', '"', '(', ')', '<', '>']).map(mask_word).collect()
}

fn mask_word(word: &str) -> Cow<'_, str> {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_hash = bare.len() >= 32 && bare.bytes().all(|c| c.is_ascii_hexdigit());
    if word.contains("://") || is_uuid(bare) || is_hash || !has_long_run(word) {
        return Cow::Borrowed(word);
    }
    let runs = word.split_inclusive(|c: char| !c.is_ascii_digit());
    Cow::Owned(runs.map(|run| if has_long_run(run) { mask_digits(run) } else { run.to_owned() }).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_masked_in_every_spelling_and_place() {
        let mut object = json!({
            "call": {"from": "12155550112", "to": "sip:+12155550131@host.example", "call_id": "12155550112@x"},
            "passports": [{"claims": {"orig": {"tn": "+1 (215) 555-0112"}, "dest": {"tn": [12155550131u64]}, "iat": 1777896001},
                "error": {"detail": "signed for 2155550131, but the call is for 12155550199"},
                "header": {"x5u": "https://cert.example/20260504000001.pem"}}],
            "reasons": ["STIR ;cause=438 ;text=\"x\" ;ppi=\"..c2ln\""],
            "origid": "12345678-1234-1234-1234-123456789012"
        });
        Redactor::of(&object).mask_object(&mut object);
        assert_eq!(
            object,
            json!({
                "call": {"from": "1215xxxxxxx", "to": "sip:+1215xxxxxxx@host.example", "call_id": "1215xxxxxxx@x"},
                "passports": [{"claims": {"orig": {"tn": "+1 (215) xxx-xxxx"}, "dest": {"tn": ["1215xxxxxxx"]}, "iat": 1777896001},
                    "error": {"detail": "signed for 2155xxxxxx, but the call is for 1215xxxxxxx"},
                    "header": {"x5u": "https://cert.example/20260504000001.pem"}}],
                "reasons": ["STIR ;cause=438 ;text=\"x\" ;ppi=\"..redacted\""],
                "origid": "12345678-1234-1234-1234-123456789012"
            })
        );
    }

    #[test]
    fn unknown_long_numbers_are_masked_and_hashes_and_urls_are_not() {
        let redactor = Redactor::default();
        for (text, masked) in [
            ("neither 12155550112, nor +442079460000.", "neither 1215xxxxxxx, nor +4420xxxxxxxx."),
            ("https://a.example/20260504000001.pem", "https://a.example/20260504000001.pem"),
            ("12345678-1234-1234-1234-123456789012", "12345678-1234-1234-1234-123456789012"),
            (
                "0f2600ba4c2912345678901280da04d7b8cb7ca6b4ac55cea6bb9f25a876f8fd",
                "0f2600ba4c2912345678901280da04d7b8cb7ca6b4ac55cea6bb9f25a876f8fd",
            ),
            ("123456789", "123456789"),
        ] {
            assert_eq!(redactor.mask(text), masked);
        }
    }

    #[test]
    fn service_codes_stay() {
        let mut object = json!({"to": "911"});
        Redactor::of(&object).mask_object(&mut object);
        assert_eq!(object, json!({"to": "911"}));
    }
}
