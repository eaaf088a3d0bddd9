//! What the `rph` extension adds: the priorities that the signer authorises for a call (RFC 8443 §3; RFC 9027 §4).

use std::fmt;
use std::str::FromStr;

use super::json::Json;

/// A value of Resource-Priority, namespace and priority: `ets.0` (RFC 4412 §3.1).
///
/// Held in lower case: such values are tokens, whose case tells nothing (RFC 3261 §7.3.1).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ResourcePriority(Box<str>);

impl ResourcePriority {
    /// More characters than any namespace with its priority has.
    pub const MAX_CHARACTERS: usize = 64;

    /// The value.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// Who rules over the priority: `ets` in `ets.0`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        namespace(&self.0)
    }
}

/// The part of an r-value before its dot.
pub(crate) fn namespace(value: &str) -> &str {
    value.split_once('.').map_or(value, |(namespace, _)| namespace)
}

impl FromStr for ResourcePriority {
    type Err = InvalidResourcePriority;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_token = |part: &str| !part.is_empty() && part.bytes().all(is_token_nodot);
        let is_value = text.split_once('.').is_some_and(|(space, priority)| is_token(space) && is_token(priority));
        if !is_value || text.len() > Self::MAX_CHARACTERS {
            return Err(InvalidResourcePriority { text: text.to_owned() });
        }
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }
}

impl fmt::Display for ResourcePriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for ResourcePriority {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that is no value of Resource-Priority.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no namespace and priority, as ets.0 is")]
#[non_exhaustive]
pub struct InvalidResourcePriority {
    /// The text.
    pub text: String,
}

/// The most priorities that one claim may list; signers have one or two.
pub const MAX_PRIORITIES: usize = 32;

/// The one value that `sph` may have (RFC 9027 §4; E10).
pub const PSAP_CALLBACK: &str = "psap-callback";

/// The namespace of emergency calls, which alone `sph` goes with (RFC 7135; E10).
pub const EMERGENCY_NAMESPACE: &str = "esnet";

/// The claim `rph`: `{"auth":["ets.0"]}`. What else stands in it is not for us (E11).
pub(super) fn read(claim: &Json<'_>) -> Result<Vec<ResourcePriority>, String> {
    let Json::Object(members) = claim else {
        return Err(format!("{} where an object with auth belongs", claim.kind()));
    };
    let Some((_, auth)) = members.iter().find(|(name, _)| name == "auth") else {
        return Err("no auth in it".to_owned());
    };
    match auth {
        Json::Array(values) if values.is_empty() => Err("auth lists nothing".to_owned()),
        Json::Array(values) if values.len() > MAX_PRIORITIES => Err(format!("auth lists more than {MAX_PRIORITIES}")),
        Json::Array(values) => values.iter().map(one).collect(),
        other => Err(format!("auth is {} where an array belongs", other.kind())),
    }
}

fn one(value: &Json<'_>) -> Result<ResourcePriority, String> {
    match value {
        Json::String(text) => text.parse().map_err(|reason: InvalidResourcePriority| reason.to_string()),
        other => Err(format!("{} in auth where a string such as \"ets.0\" belongs", other.kind())),
    }
}

/// The claim as it is signed.
pub(super) fn to_json(priorities: &[ResourcePriority]) -> Json<'static> {
    let values = priorities.iter().map(|priority| Json::String(priority.to_string().into())).collect();
    Json::Object(vec![("auth".into(), Json::Array(values))])
}

/// RFC 4412 §3.1: a token's characters without the dot.
const fn is_token_nodot(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(text: &str) -> Result<Vec<ResourcePriority>, String> {
        let members = Json::parse_object(text.as_bytes()).unwrap();
        read(&members[0].1)
    }

    #[test]
    fn a_claim_lists_namespaces_with_their_priorities() {
        // E8; E11: other keys are passed over.
        let read = claim(r#"{"rph":{"ESorig":[1],"auth":["ETS.0","wps.4"]}}"#).unwrap();
        let texts: Vec<_> = read.iter().map(|value| (value.namespace(), value.as_str())).collect();
        assert_eq!(texts, [("ets", "ets.0"), ("wps", "wps.4")]);
    }

    #[test]
    fn what_is_wrong_with_a_claim_is_said() {
        for (text, word) in [
            (r#"{"rph":["ets.0"]}"#, "an array where an object"),
            (r#"{"rph":{}}"#, "no auth"),
            (r#"{"rph":{"auth":"ets.0"}}"#, "a string where an array"),
            (r#"{"rph":{"auth":[]}}"#, "lists nothing"),
            (r#"{"rph":{"auth":[0]}}"#, "a number in auth"),
            (r#"{"rph":{"auth":["ets"]}}"#, "\"ets\" is no namespace"),
            (r#"{"rph":{"auth":["ets.0.1"]}}"#, "is no namespace"),
            (r#"{"rph":{"auth":[".0"]}}"#, "is no namespace"),
            (r#"{"rph":{"auth":["ets."]}}"#, "is no namespace"),
            (r#"{"rph":{"auth":["ets .0"]}}"#, "is no namespace"),
        ] {
            let reason = claim(text).unwrap_err();
            assert!(reason.contains(word), "{text}: {reason}");
        }
        let many = vec!["\"ets.0\""; MAX_PRIORITIES + 1].join(",");
        assert!(claim(&format!(r#"{{"rph":{{"auth":[{many}]}}}}"#)).unwrap_err().contains("more than 32"));
    }

    proptest! {
        #[test]
        fn a_value_that_is_read_reads_back_the_same(text in "[ -~]{0,12}|[a-zA-Z0-9+_-]{1,8}\\.[a-z0-9]{1,4}") {
            if let Ok(value) = text.parse::<ResourcePriority>() {
                prop_assert_eq!(value.as_str(), text.to_ascii_lowercase());
                prop_assert_eq!(value.to_string().parse(), Ok(value.clone()));
                prop_assert!(!value.namespace().is_empty() && !value.namespace().contains('.'));
            }
        }
    }
}
