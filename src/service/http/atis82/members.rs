//! Members of a request by name, in either spelling: versions of the standard write them in lower case or in camel case
//! (F31), so case tells nothing; two that differ by case alone are one member twice.

use std::borrow::Cow;

use super::Exception;
use crate::number::{Identity, NumberPlan};
use crate::passport::json::Json;
use crate::sip::service_urn;
use crate::sip::uri::SipUri;

/// The members of one object, and what messages call it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members<'j, 'a> {
    path: &'static str,
    members: &'j [(Cow<'a, str>, Json<'a>)],
}

impl<'j, 'a> Members<'j, 'a> {
    /// Refuses a name that stands twice; `parse_object` has refused it already where the case is the same.
    pub(super) fn new(path: &'static str, members: &'j [(Cow<'a, str>, Json<'a>)]) -> Result<Self, Exception> {
        for (index, (name, _)) in members.iter().enumerate() {
            if members[..index].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(Exception::Unparsable { reason: format!("the member {name:?} stands twice") });
            }
        }
        Ok(Self { path, members })
    }

    /// The value of a member; null counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&'j Json<'a>> {
        let found = self.members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|value| !matches!(value, Json::Null))
    }

    pub(super) fn required(&self, name: &str) -> Result<&'j Json<'a>, Exception> {
        self.get(name).ok_or_else(|| Exception::missing(self.name(name)))
    }

    /// The object of a member.
    pub(super) fn object(&self, path: &'static str, name: &str) -> Result<Self, Exception> {
        match self.required(name)? {
            Json::Object(members) => Self::new(path, members),
            other => Err(self.wrong(name, other, "an object")),
        }
    }

    /// The text of a member.
    pub(super) fn text(&self, name: &str) -> Result<&'j str, Exception> {
        match self.required(name)? {
            Json::String(text) => Ok(text),
            other => Err(self.wrong(name, other, "a string")),
        }
    }

    /// The instant of a member: whole seconds, however JSON writes them (`1e9`, `5.0`).
    pub(super) fn seconds(&self, name: &str) -> Result<i64, Exception> {
        let Json::Number(number) = self.required(name)? else {
            return Err(self.wrong(name, self.required(name)?, "a whole number of seconds since 1970"));
        };
        let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
        #[expect(clippy::as_conversions, reason = "whole, and within what an f64 holds exactly")]
        let whole = whole.map(|float| float as i64);
        let invalid = || Exception::invalid(self.name(name), format!("{number} is no whole number of seconds"));
        number.as_i64().or(whole).ok_or_else(invalid)
    }

    /// The strings of a member that may be one or several.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'j str>, Exception> {
        let text = |value: &'j Json<'a>| match value {
            Json::String(text) => Ok(&**text),
            other => Err(self.wrong(name, other, "a string")),
        };
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) if items.len() > MAX_ITEMS => {
                Err(Exception::invalid(self.name(name), format!("more than {MAX_ITEMS} of them")))
            }
            Some(Json::Array(items)) => items.iter().map(text).collect(),
            Some(value) => Ok(vec![text(value)?]),
        }
    }

    /// Everybody whom the member names, by number or URI: `{"tn":..,"uri":..}`, each one or several.
    pub(super) fn parties(
        &self,
        path: &'static str,
        name: &str,
        plan: &NumberPlan,
    ) -> Result<Vec<Identity>, Exception> {
        let own = self.object(path, name)?;
        let mut parties = Vec::new();
        for text in own.texts("tn")? {
            parties.push(number(text, plan).map_err(|reason| Exception::invalid(own.name("tn"), reason))?);
        }
        for text in own.texts("uri")? {
            parties.push(uri(text, plan).map_err(|reason| Exception::invalid(own.name("uri"), reason))?);
        }
        if parties.is_empty() { Err(Exception::missing(own.name("tn"))) } else { Ok(parties) }
    }

    /// The one whom the member names.
    pub(super) fn party(&self, path: &'static str, name: &str, plan: &NumberPlan) -> Result<Identity, Exception> {
        let mut parties = self.parties(path, name, plan)?.into_iter();
        match (parties.next(), parties.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Exception::invalid(self.name(name), "more than one where one belongs")),
        }
    }

    fn name(&self, member: &str) -> String {
        if self.path.is_empty() { member.to_owned() } else { format!("{}.{member}", self.path) }
    }

    fn wrong(&self, name: &str, found: &Json<'_>, wanted: &str) -> Exception {
        Exception::invalid(self.name(name), format!("{} where {wanted} belongs", found.kind()))
    }
}

/// More than any call has; verification judges fewer.
const MAX_ITEMS: usize = 100;

/// F30: the characters that a number may have here; what is left of it is canonical.
fn number(text: &str, plan: &NumberPlan) -> Result<Identity, String> {
    if !text.bytes().all(|c| c.is_ascii_digit() || b"*#+.-()".contains(&c)) {
        return Err(format!("{text:?} has other characters than 0-9*#+.-()"));
    }
    plan.canonicalise(text).map(Identity::Number).ok_or_else(|| format!("{text:?} is no telephone number"))
}

fn uri(text: &str, plan: &NumberPlan) -> Result<Identity, String> {
    let invalid = || format!("{text:?} is no tel, sip or sips URI that names somebody");
    // E10: an emergency call is for a service.
    if let Some(service) = service_urn(text) {
        return Ok(Identity::Uri(service));
    }
    let uri: SipUri = text.parse().map_err(|_| invalid())?;
    uri.to_identity(plan).ok_or_else(invalid)
}
