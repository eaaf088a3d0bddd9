//! A call as a line of JSON: `{"identity":..,"from":..,"to":..,"date":..,"call_id":..}`.

use serde::Deserialize;
use serde_json::Value;

use crate::cli::exit::Complaint;
use crate::number::{Identity, NumberPlan};
use crate::sip::call::{Call, DateField};
use crate::sip::uri::SipUri;
use crate::time::UnixTime;

/// The members that are read; others may stand there too.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct JsonCall {
    /// The Identity values: a string or an array of strings.
    #[serde(default, deserialize_with = "one_or_several")]
    pub(crate) identity: Vec<String>,
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
}

impl JsonCall {
    /// Reads a line.
    pub(crate) fn parse(line: &str) -> Result<Self, Complaint> {
        let complain = |reason: String| {
            Complaint::new(format!("no JSON object of a call: {reason}"))
                .hint("give one object a line, as `jq -c` prints it, with identity, from, to, date and call_id")
        };
        // serde would take an array for an object whose members stand in order.
        if !line.trim_start().starts_with('{') {
            return Err(complain("the line does not begin with '{'".to_owned()));
        }
        serde_json::from_str(line).map_err(|reason| complain(reason.to_string()))
    }

    /// The call that the line describes.
    pub(crate) fn into_call(self, plan: &NumberPlan) -> Result<Call, Complaint> {
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
        Ok(call)
    }
}

/// A number or SIP address as somebody wrote it; nobody where it is anonymous.
pub(crate) fn party(what: &str, text: &str, plan: &NumberPlan) -> Result<Option<Identity>, Complaint> {
    if let Some(number) = plan.canonicalise(text) {
        return Ok(Some(Identity::Number(number)));
    }
    match text.parse::<SipUri>() {
        Ok(uri) => Ok(uri.to_identity(plan)),
        Err(_) if text.eq_ignore_ascii_case("anonymous") => Ok(None),
        Err(_) => Err(Complaint::new(format!("{what} is {text:?}, which is neither a telephone number nor a SIP URI"))
            .hint("write it as 12155550112, +1 215 555 0112 or sip:alice@example.com")),
    }
}

fn read_date(date: &Value) -> Result<DateField, Complaint> {
    let time = match date {
        Value::Number(seconds) => seconds.as_i64().map(UnixTime::from_seconds),
        Value::String(text) => UnixTime::parse_rfc3339(text).or_else(|_| UnixTime::parse_sip_date(text)).ok(),
        _ => None,
    };
    let time = time.ok_or_else(|| {
        Complaint::new(format!("{date} is no time"))
            .hint("write it with its zone, as 2026-05-04T12:00:01Z, or as Unix seconds")
    })?;
    let text = time.to_sip_date().unwrap_or_else(|| time.to_string());
    let mut field = DateField::read(text);
    field.time = Some(time);
    Ok(field)
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
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
        Err(_) => Err(serde::de::Error::custom("identity is neither a string nor an array of strings")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Result<Call, Complaint> {
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
            let complaint = call(line).unwrap_err();
            assert!(complaint.what().contains(word) && complaint.next().is_some(), "{complaint}");
        }
    }
}
