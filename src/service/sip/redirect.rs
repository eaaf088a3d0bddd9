//! What a redirect says: the call goes on to where it was going, with an Identity or with what was found out about it
//! (RFC 3261 §8.3, §21.3.3; RFC 8946 §7; TS 24.229 §7.2A.20; F9 to F11).

use crate::service::sip::response::Response;
use crate::service::sip::settings::FieldNames;
use crate::service::treatment::{Action, Treatment};
use crate::sip::message::Message;
use crate::sip::uri::{Address, Scheme, SipUri};
use crate::time::UnixTime;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was signed.
    Signed {
        /// The value of the Identity field.
        identity: String,
        /// The instant that `iat` names.
        at: UnixTime,
    },
    /// It goes on as it is: nothing to sign, or no means to.
    Unsigned,
    /// It was verified.
    Verified(Treatment),
}

impl Outcome {
    /// The response to an INVITE for `uri`.
    pub(super) fn respond(&self, message: &Message, uri: &str, names: &FieldNames) -> Response {
        match self {
            Self::Unsigned => redirect(uri),
            Self::Signed { identity, at } => {
                let response = redirect(uri).with("Identity", identity);
                // RFC 8224 §6.1 step 3: a call without Date gets the one that was signed.
                let has_date = message.fields_named("date").next().is_some();
                match at.to_sip_date().filter(|_| !has_date) {
                    Some(date) => response.with("Date", &date),
                    None => response,
                }
            }
            Self::Verified(treatment) => verified(treatment, message, uri, names),
        }
    }
}

fn redirect(uri: &str) -> Response {
    Response::new(302, "Moved Temporarily").with("Contact", &format!("<{uri}>"))
}

fn verified(treatment: &Treatment, message: &Message, uri: &str, names: &FieldNames) -> Response {
    let reasons = treatment.reasons.iter().map(String::as_str);
    if let Some(rejection) = treatment.rejection.as_ref().filter(|_| treatment.action == Action::Reject) {
        return Response::new(rejection.code, &rejection.phrase).with_all("Reason", reasons);
    }
    let Some(verstat) = treatment.verstat.as_deref() else { return redirect(uri) };
    let contact = if names.verstat_in_contact { tagged_uri(uri, verstat) } else { None };
    let response = redirect(contact.as_deref().unwrap_or(uri));
    let asserted = asserted(message, verstat);
    let response = response.with_all("P-Asserted-Identity", asserted.iter().map(String::as_str));
    let attest = treatment.attest.map(|attest| attest.as_str());
    let diverted = treatment.diverted.then_some("unverified");
    let priority = treatment.priority.map(|priority| priority.as_str());
    let own = [
        (&names.attestation, attest),
        (&names.origination, treatment.origid.as_deref()),
        (&names.verstat, Some(verstat)),
        (&names.diverted, diverted),
        (&names.priority, priority),
    ];
    let response = own.into_iter().fold(response, |response, (name, value)| match (name, value) {
        (Some(name), Some(value)) => response.with(name, value),
        _ => response,
    });
    response.with_all("Reason", reasons)
}

/// F9: the parameter stands in the user part, on P-Asserted-Identity; on From's address where there is none.
fn asserted(message: &Message, verstat: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    for field in message.fields_named("p-asserted-identity").take(MAX_ASSERTED) {
        addresses.extend(Address::parse_list(&field.text()).flatten());
    }
    if addresses.is_empty() {
        addresses.extend(message.fields_named("from").next().and_then(|field| field.text().parse::<Address>().ok()));
    }
    addresses.retain(|address| !address.uri.is_anonymous());
    addresses.truncate(MAX_ASSERTED);
    addresses
        .into_iter()
        .filter_map(|address| {
            Some(format!("{}<{}>", quoted(address.display_name.as_deref()), tagged(address.uri, verstat)?))
        })
        .collect()
}

/// RFC 3325 §9.1: a SIP and a tel URI.
const MAX_ASSERTED: usize = 2;

fn tagged_uri(uri: &str, verstat: &str) -> Option<String> {
    tagged(uri.parse().ok()?, verstat)
}

/// The URI with this verstat and no other (F10).
fn tagged(mut uri: SipUri, verstat: &str) -> Option<String> {
    let user = uri.user.take()?;
    let is_other = |name: &str| !name.trim().eq_ignore_ascii_case("verstat");
    uri.parameters.retain(|parameter| is_other(&parameter.name));
    uri.headers = None;
    let mut parts = user.split(';').filter(|part| is_other(part.split('=').next().unwrap_or_default()));
    let subscriber = parts.next().unwrap_or_default().to_owned();
    if subscriber.is_empty() {
        return None;
    }
    let kept: String = parts.map(|part| format!(";{part}")).collect();
    uri.user = Some(format!("{subscriber}{kept};verstat={verstat}"));
    if uri.scheme == Scheme::Tel {
        // RFC 3966 §3: a context or an extension comes first; the order of the others is free.
        uri.user = Some(subscriber);
        return Some(format!("{uri};verstat={verstat}"));
    }
    Some(uri.to_string())
}

fn quoted(name: Option<&str>) -> String {
    name.map(|name| format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\""))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(uri: &str) -> Option<String> {
        tagged_uri(uri, "TN-Validation-Passed")
    }

    #[test]
    fn verstat_stands_in_the_user_part_once() {
        // F9, F10, G32.
        for (uri, tagged) in [
            (
                "sip:+12155550112@twill.example;user=phone",
                "sip:+12155550112;verstat=TN-Validation-Passed@twill.example;user=phone",
            ),
            (
                "sip:+12155550112;npdi;verstat=TN-Validation-Failed@t.example;VERSTAT=x",
                "sip:+12155550112;npdi;verstat=TN-Validation-Passed@t.example",
            ),
            (
                "tel:+12155550112;phone-context=example;verstat=x",
                "tel:+12155550112;phone-context=example;verstat=TN-Validation-Passed",
            ),
        ] {
            assert_eq!(tag(uri).as_deref(), Some(tagged));
        }
        for uri in ["sip:twill.example", "urn:service:sos", "sip:;verstat=x@t.example"] {
            assert_eq!(tag(uri), None, "{uri}");
        }
    }
}
