//! JSON as a PASSporT may hold it: names unique, depth and size bounded, and printed canonically (RFC 8225 §9).
//!
//! `serde_json::Value` keeps the last of two equal names. Two readers that keep different ones see different calls,
//! so here a repeated name is an error (RFC 8225 §9, RFC 7515 §4).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// One JSON value, borrowing from the text where it can.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(Cow<'a, str>),
    Array(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// The most members one object may have: far beyond any PASSporT, and keeps the search for repeats cheap.
const MAX_MEMBERS: usize = 128;

impl<'a> Json<'a> {
    /// Reads one JSON object and nothing after it but white space.
    pub(crate) fn parse_object(bytes: &'a [u8]) -> Result<Vec<(Cow<'a, str>, Self)>, serde_json::Error> {
        match serde_json::from_slice(bytes)? {
            Self::Object(members) => Ok(members),
            other => Err(serde_json::Error::custom(format_args!("{} where an object belongs", other.kind()))),
        }
    }

    /// What sort of value it is, as an error text names it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// A value that serde_json holds, as it is printed here.
    pub(crate) fn of_value(value: &'a serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::of_value).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.into(), Self::of_value(value))).collect())
            }
        }
    }

    /// RFC 8225 §9: the value in canonical form.
    pub(crate) fn to_canonical(&self) -> String {
        let mut out = String::new();
        print(self, &mut out);
        out
    }

    /// The same value as serde_json holds it.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.clone().into_owned()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(to_map(members)),
        }
    }
}

/// The members of an object as serde_json holds them.
pub(crate) fn to_map(members: &[(Cow<'_, str>, Json<'_>)]) -> serde_json::Map<String, serde_json::Value> {
    members.iter().map(|(name, value)| (name.clone().into_owned(), value.to_value())).collect()
}

/// RFC 8225 §9: members by code point, no white space, recursively.
pub(crate) fn canonical_object(members: &[(Cow<'_, str>, Json<'_>)]) -> String {
    let mut out = String::with_capacity(256);
    print_object(members, &mut out);
    out
}

fn print(value: &Json<'_>, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(&number.to_string()),
        Json::String(text) => print_string(text, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                print(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => print_object(members, out),
    }
}

fn print_object(members: &[(Cow<'_, str>, Json<'_>)], out: &mut String) {
    let mut sorted: Vec<_> = members.iter().collect();
    // Byte order of UTF-8 is code point order.
    sorted.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    out.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        print_string(name, out);
        out.push(':');
        print(value, out);
    }
    out.push('}');
}

fn print_string(text: &str, out: &mut String) {
    if text.bytes().all(|c| c >= 0x20 && c != b'"' && c != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        serde_json::Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(6);
        while let Some(Name(name)) = map.next_key()? {
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return Err(A::Error::custom(format_args!("the member {name:?} stands twice")));
            }
            if members.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format_args!("more than {MAX_MEMBERS} members in one object")));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

/// A member's name, borrowed where the text has no escapes in it.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_refused_at_any_depth() {
        // A18.
        for text in [r#"{"iat":1,"iat":2}"#, r#"{"a":{"b":1,"\u0062":2}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
            let error = Json::parse_object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("stands twice"), "{error}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(Json::parse_object(deep.as_bytes()).unwrap_err().to_string().contains("recursion"));
    }

    #[test]
    fn canonical_form_sorts_and_strips() {
        // A14, A15.
        let members =
            Json::parse_object(br#" { "b" : [ 1 , true ] , "a" : { "z" : "\u0041\n" , "B" : null } } "#).unwrap();
        assert_eq!(canonical_object(&members), r#"{"a":{"B":null,"z":"A\n"},"b":[1,true]}"#);
    }
}
