//! A call as a line of JSON: `{"identity":..,"from":..,"to":..,"date":..,"call_id":..}`, with
//! `resource_priority` and `priority` where the call has those fields.

use serde::Deserialize;
use serde_json::Value;

use crate::number::{Identity, NumberPlan};
use crate::sip::call::{Call, DateField};
use crate::sip::uri::SipUri;
use crate::time::UnixTime;

/// The members that are read; others may stand there too.
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct JsonCall {
    /// The Identity values: a string or an array of strings.
    #[serde(default, deserialize_with = "identities")]
    pub identity: Vec<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    date: Option<Value>,
    #[serde(default)]
    time: Option<Value>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default, deserialize_with = "resource_priorities")]
    resource_priority: Vec<String>,
    #[serde(default)]
    priority: Option<String>,
}

impl JsonCall {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no JSON object, or a member has the wrong type or stands twice.
    pub fn parse(line: &str) -> Result<Self, JsonCallError> {
        // serde would take an array for an object whose members stand in order.
        if !line.trim_start().starts_with('{') {
            return Err(JsonCallError::NoObject { reason: "it does not begin with '{'".to_owned() });
        }
        serde_json::from_str(line).map_err(|reason| JsonCallError::NoObject { reason: reason.to_string() })
    }

    /// The call that it describes.
    ///
    /// # Errors
    /// When a party is neither a number nor a URI, or the date is none.
    pub fn into_call(self, plan: &NumberPlan) -> Result<Call, JsonCallError> {
        let mut call = Call::bare(self.identity.iter().map(String::as_str));
        if let Some(from) = self.from.filter(|from| !from.is_empty()) {
            call.from = party("from", &from, plan)?;
        }
        if let Some(to) = self.to.filter(|to| !to.is_empty()) {
            call.to = party("to", &to, plan)?;
        }
        if let Some(date) = self.date.or(self.time).filter(|date| !date.is_null()) {
            call.date = Some(read_date(&date)?);
        }
        call.call_id = self.call_id;
        call = call.with_resource_priority(&self.resource_priority);
        Ok(self.priority.iter().fold(call, |call, priority| call.with_priority(priority)))
    }
}

/// A number or SIP address as somebody wrote it; nobody where it is anonymous. `what` names it in the error.
///
/// # Errors
/// When it is neither.
pub fn party(what: &str, text: &str, plan: &NumberPlan) -> Result<Option<Identity>, JsonCallError> {
    if let Some(number) = plan.canonicalise(text) {
        return Ok(Some(Identity::Number(number)));
    }
    match text.parse::<SipUri>() {
        Ok(uri) => Ok(uri.to_identity(plan)),
        Err(_) if text.eq_ignore_ascii_case("anonymous") => Ok(None),
        Err(_) => Err(JsonCallError::NoParty { member: what.to_owned(), text: text.to_owned() }),
    }
}

/// Why an object describes no call.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonCallError {
    /// No JSON object, or a member of the wrong type.
    #[error("no JSON object of a call: {reason}")]
    NoObject {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A party that is neither a number nor a SIP URI.
    #[error("{member} is {text:?}, which is neither a telephone number nor a SIP URI")]
    NoParty {
        /// Which member.
        member: String,
        /// What stands there.
        text: String,
    },
    /// A date that is none, or has no zone.
    #[error("{text} is no time")]
    NoTime {
        /// What stands there.
        text: String,
    },
}

impl JsonCallError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoObject { .. } => {
                "give one object a line, as `jq -c` prints it, with identity, from, to, date and call_id"
            }
            Self::NoParty { .. } => "write it as 12155550112, +1 215 555 0112 or sip:alice@example.com",
            Self::NoTime { .. } => "write it with its zone, as 2026-05-04T12:00:01Z, or as Unix seconds",
        }
    }
}

fn read_date(date: &Value) -> Result<DateField, JsonCallError> {
    let time = match date {
        Value::Number(seconds) => seconds.as_i64().map(UnixTime::from_seconds),
        Value::String(text) => UnixTime::parse_rfc3339(text).or_else(|_| UnixTime::parse_sip_date(text)).ok(),
        _ => None,
    };
    let time = time.ok_or_else(|| JsonCallError::NoTime { text: date.to_string() })?;
    let text = time.to_sip_date().unwrap_or_else(|| time.to_string());
    let mut field = DateField::read(text);
    field.time = Some(time);
    Ok(field)
}

fn identities<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    one_or_several(deserializer, "identity")
}

fn resource_priorities<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    one_or_several(deserializer, "resource_priority")
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D, name: &str) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Identities {
        None(()),
        One(String),
        Several(Vec<String>),
    }
    match Identities::deserialize(deserializer) {
        Ok(Identities::None(())) => Ok(Vec::new()),
        Ok(Identities::One(value)) => Ok(vec![value]),
        Ok(Identities::Several(values)) => Ok(values),
        Err(_) => Err(serde::de::Error::custom(format_args!("{name} is neither a string nor an array of strings"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Result<Call, JsonCallError> {
        JsonCall::parse(line)?.into_call(&NumberPlan::NORTH_AMERICAN)
    }

    #[test]
    fn every_spelling_of_a_call_is_read() {
        let one = call(r#"{"identity":"a.b.c","from":"+12155550112","to":"sip:2155550131@x.example","time":1777896001,"call_id":"x","more":1}"#).unwrap();
        let other = call(r#"{"identity":["a.b.c"],"from":"tel:+1-215-555-0112","to":"12155550131","date":"2026-05-04T12:00:01Z","call_id":"x"}"#).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.date.unwrap().time.unwrap().seconds(), 1_777_896_001);
        assert_eq!(call(r#"{"identity":null,"from":"anonymous"}"#).unwrap().identities, []);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("{", "no JSON object"),
            ("[]", "no JSON object"),
            (r#"{"identity":7}"#, "identity"),
            (r#"{"from":"no number"}"#, "from"),
            (r#"{"date":"2026-05-04 12:00:01"}"#, "no time"),
        ] {
            let error = call(line).unwrap_err();
            assert!(error.to_string().contains(word) && !error.hint().is_empty(), "{error}");
        }
    }
}
