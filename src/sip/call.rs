//! Who calls whom, and what was signed about it: all that verification needs of a message (RFC 8224 §6.2 step 2).

use crate::identity_header::split;
use crate::number::{Identity, NumberPlan};
use crate::sip::message::{FieldRef, Message, StartLine};
use crate::sip::service_urn;
use crate::sip::uri::{Address, SipUri};
use crate::time::UnixTime;

/// A call as one message shows it, or what is known of it besides a bare Identity value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// Where it was read from.
    pub form: CallForm,
    /// Call-ID.
    pub call_id: Option<String>,
    /// From; none when it is absent, anonymous, or names neither a number nor a SIP user.
    pub from: Option<Identity>,
    /// P-Asserted-Identity, in order.
    pub asserted: Vec<Identity>,
    /// To.
    pub to: Option<Identity>,
    /// The Request-URI.
    pub request_uri: Option<Identity>,
    /// Date.
    pub date: Option<DateField>,
    /// Resource-Priority: every value once, in lower case, whether it is one or not (RFC 4412 §3.1).
    pub resource_priority: Vec<String>,
    /// Priority, in lower case (RFC 3261 §20.26).
    pub priority: Option<String>,
    /// CSeq, as written.
    pub cseq: Option<String>,
    /// The method of a request; of a response, the one that CSeq names.
    pub method: Option<String>,
    /// The status code of a response.
    pub status: Option<u16>,
    /// Whether To has a tag, as in requests within a call (RFC 3261 §12.2).
    pub in_dialog: bool,
    /// Fields that may occur once but occur again with another meaning; none of their values is believed.
    pub conflicting: Vec<&'static str>,
    /// Tokens of this call that came with another call before, each with that call's name: whoever keeps a memory of
    /// tokens says so here (RFC 8224 §12.1). Retries and forks of one call are no replays.
    pub replays: Vec<(String, String)>,
    /// The Identity values in order: one for each field, or for each part of a comma-joined one.
    pub identities: Vec<IdentityField>,
}

impl Call {
    /// The most Identity values that are kept; far more than verification judges.
    pub const MAX_IDENTITIES: usize = Message::MAX_FIELDS;

    /// The most values of Resource-Priority that are kept; more than all PASSporTs that are judged could sign, so that
    /// a call with more of them asks for one that is not signed.
    pub const MAX_RESOURCE_PRIORITIES: usize = 1024;

    /// The call that a message belongs to.
    #[must_use]
    pub fn from_message(message: &Message, plan: &NumberPlan) -> Self {
        let mut call = Self { form: CallForm::Message, ..Self::default() };
        call.call_id = call.single(message, "call-id", |field| Some(field.text()));
        call.from = call.single(message, "from", |field| identity(&field.text(), plan));
        call.to = call.single(message, "to", |field| called(&field.text(), plan));
        call.date = call.single(message, "date", |field| Some(DateField::read(field.text())));
        call.cseq = call.single(message, "cseq", |field| Some(field.text()));
        call.asserted = asserted(message, plan);
        call.add_resource_priority(message.fields_named("resource-priority").map(|field| field.text()));
        call.priority = call.single(message, "priority", |field| Some(field.text().trim().to_ascii_lowercase()));
        call.in_dialog = message.fields_named("to").any(|field| has_tag(&field.text()));
        match message.start_line() {
            StartLine::Request { method, uri, .. } => {
                call.method = Some(method.clone());
                call.request_uri = target(uri, plan);
            }
            StartLine::Response { code, .. } => {
                call.status = Some(*code);
                call.method = call.cseq.as_deref().and_then(|cseq| cseq.split_whitespace().nth(1)).map(str::to_owned);
            }
        }
        call.identities = identities(message);
        call
    }

    /// A call of which only Identity values are known; comma-joined values are taken apart.
    #[must_use]
    pub fn bare<I>(values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<IdentityField>,
    {
        let identities = values.into_iter().flat_map(|value| value.into().split()).take(Self::MAX_IDENTITIES).collect();
        Self { form: CallForm::Bare, identities, ..Self::default() }
    }

    /// The call with a calling party given from outside.
    #[must_use]
    pub fn with_from(mut self, from: Identity) -> Self {
        self.from = Some(from);
        self
    }

    /// The call with a called party given from outside.
    #[must_use]
    pub fn with_to(mut self, to: Identity) -> Self {
        self.to = Some(to);
        self
    }

    /// The call with values of Resource-Priority given from outside, each as a field has it: one, or several with
    /// commas.
    #[must_use]
    pub fn with_resource_priority<T: AsRef<str>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.add_resource_priority(fields);
        self
    }

    fn add_resource_priority<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) {
        for field in fields {
            let values = field.as_ref().split(',').map(str::trim).filter(|value| !value.is_empty());
            self.resource_priority.extend(values.map(str::to_ascii_lowercase));
        }
        self.resource_priority.sort_unstable();
        self.resource_priority.dedup();
        self.resource_priority.truncate(Self::MAX_RESOURCE_PRIORITIES);
    }

    /// The call with a Priority given from outside.
    #[must_use]
    pub fn with_priority(mut self, priority: &str) -> Self {
        self.priority = Some(priority.trim().to_ascii_lowercase());
        self
    }

    /// The call with a Date given from outside.
    #[must_use]
    pub fn with_date(mut self, date: DateField) -> Self {
        self.date = Some(date);
        self
    }

    /// Whether the message asks for something new of the called party: an INVITE, or a MESSAGE (RFC 9475), outside
    /// a call that stands.
    #[must_use]
    pub fn starts_call(&self) -> bool {
        let starts = matches!(self.method.as_deref(), Some("INVITE" | "MESSAGE"));
        self.form == CallForm::Bare || (starts && self.status.is_none() && !self.in_dialog)
    }

    /// The meaning of a field that may occur once. Two that differ are worth nothing: other elements of the path may
    /// have read the other one.
    fn single<T: PartialEq>(
        &mut self,
        message: &Message,
        name: &'static str,
        read: impl Fn(FieldRef<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut fields = message.fields_named(name);
        let first = read(fields.next()?);
        if fields.any(|field| read(field) != first) {
            self.conflicting.push(name);
            return None;
        }
        first
    }
}

/// Where a [`Call`] was read from.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CallForm {
    /// Identity values on their own: caller and called are unknown unless given.
    Bare,
    /// A SIP message.
    #[default]
    Message,
}

/// A Date field (RFC 3261 §20.17).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DateField {
    /// The text as written.
    pub text: String,
    /// The time it names; none when it is no date.
    pub time: Option<UnixTime>,
}

impl DateField {
    /// Reads the text of a Date field.
    #[must_use]
    pub fn read(text: impl Into<String>) -> Self {
        let text = text.into();
        let time = UnixTime::parse_sip_date(&text).ok();
        Self { text, time }
    }
}

/// One Identity value, with its place.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IdentityField {
    /// The value, unfolded.
    pub value: String,
    /// Where the field's value begins in what was read, from 0.
    pub offset: Option<usize>,
    /// The number of the field's line in what was read, from 1.
    pub line: Option<usize>,
}

impl IdentityField {
    /// A value of which the place is unknown.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), offset: None, line: None }
    }

    /// The value with its place.
    #[must_use]
    pub fn at(mut self, offset: usize, line: usize) -> Self {
        (self.offset, self.line) = (Some(offset), Some(line));
        self
    }

    /// The values of a comma-joined one (B5: not a list by the grammar, but joined on the way all the same).
    fn split(self) -> Vec<Self> {
        let parts: Vec<&str> = split(&self.value).take(Call::MAX_IDENTITIES).collect();
        match parts.as_slice() {
            [] | [_] => vec![self],
            parts => parts.iter().map(|part| Self { value: (*part).to_owned(), ..self }).collect(),
        }
    }
}

impl From<&str> for IdentityField {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for IdentityField {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

fn identities(message: &Message) -> Vec<IdentityField> {
    let fields = message.fields_named("identity");
    fields
        .flat_map(|field| IdentityField::new(field.text()).at(field.value_offset(), field.line()).split())
        .take(Call::MAX_IDENTITIES)
        .collect()
}

fn asserted(message: &Message, plan: &NumberPlan) -> Vec<Identity> {
    let mut asserted = Vec::new();
    for field in message.fields_named("p-asserted-identity").take(Address::MAX_IN_A_FIELD) {
        let text = field.text();
        asserted.extend(Address::parse_list(&text).filter_map(|address| address.ok()?.uri.to_identity(plan)));
    }
    asserted.truncate(Address::MAX_IN_A_FIELD);
    asserted
}

fn identity(text: &str, plan: &NumberPlan) -> Option<Identity> {
    text.parse::<Address>().ok()?.uri.to_identity(plan)
}

/// Whom To names, or which service (E10).
fn called(text: &str, plan: &NumberPlan) -> Option<Identity> {
    match text.parse::<Address>() {
        Ok(address) => address.uri.to_identity(plan),
        Err(_) => service_urn::of_field(text).map(Identity::Uri),
    }
}

/// Whom a Request-URI is for, or which service (E10).
fn target(uri: &str, plan: &NumberPlan) -> Option<Identity> {
    match uri.parse::<SipUri>() {
        Ok(uri) => uri.to_identity(plan),
        Err(_) => service_urn(uri).map(Identity::Uri),
    }
}

fn has_tag(text: &str) -> bool {
    text.parse::<Address>().is_ok_and(|address| address.parameter("tag").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Call {
        let text = text.replace('\n', "\r\n");
        Call::from_message(&Message::parse(text.as_bytes()).unwrap().0, &NumberPlan::NORTH_AMERICAN)
    }

    fn number(digits: &str) -> Identity {
        Identity::Number(digits.parse().unwrap())
    }

    #[test]
    fn an_invite_shows_who_calls_whom() {
        let call = call(
            "INVITE sip:+12155550131;npdi@198.51.100.7 SIP/2.0\nFrom: \"A\" <sip:2155550112@p.example>;tag=1\n\
             To: <sip:12155550131@p.example>\nP-Asserted-Identity: <sip:Bob@p.example>, <tel:+12155550113>\n\
             P-Asserted-Identity: <sip:anonymous@anonymous.invalid>\nDate: Fri, 25 Sep 2015 19:12:25 GMT\n\
             Call-ID: 1@p.example\nCSeq: 1 INVITE\nIdentity: a.b.c;info=<https://c.example/1>\ny: d.e.f\n\n",
        );
        assert_eq!(call.from, Some(number("12155550112")));
        assert_eq!(
            (call.to.as_ref(), call.request_uri.as_ref()),
            (Some(&number("12155550131")), Some(&number("12155550131")))
        );
        assert_eq!(call.asserted, [Identity::Uri("sip:bob@p.example".to_owned()), number("12155550113")]);
        // Vector B.8.
        assert_eq!(call.date.as_ref().unwrap().time, Some(UnixTime::from_seconds(1_443_208_345)));
        assert_eq!((call.call_id.as_deref(), call.method.as_deref()), (Some("1@p.example"), Some("INVITE")));
        let places: Vec<_> = call.identities.iter().map(|field| (field.value.as_str(), field.line)).collect();
        assert_eq!(places, [("a.b.c;info=<https://c.example/1>", Some(9)), ("d.e.f", Some(10))]);
        assert!(call.starts_call());
    }

    #[test]
    fn comma_joined_values_are_taken_apart_outside_brackets_and_quotes() {
        let call = Call::bare(["a.b.c;info=<https://c.example/1,2>;x=\"p,q\" , d.e.f;info=<https://c.example/3>", ""]);
        let values: Vec<_> = call.identities.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, ["a.b.c;info=<https://c.example/1,2>;x=\"p,q\"", "d.e.f;info=<https://c.example/3>", ""]);
        assert_eq!(call.form, CallForm::Bare);
        assert_eq!(call.clone().with_from(number("12155550112")).from, Some(number("12155550112")));
    }

    #[test]
    fn a_field_that_may_occur_once_is_not_believed_when_two_differ() {
        let repeated =
            "BYE sip:a@b.example SIP/2.0\nFrom: <sip:12155550112@p.example>\nf: <sip:12155550199@p.example>\n\n";
        let conflict = call(repeated);
        assert_eq!((conflict.from, conflict.conflicting), (None, vec!["from"]));
        let same = call(&repeated.replace("0199", "0112"));
        assert_eq!((same.from, same.conflicting), (Some(number("12155550112")), vec![]));
    }

    #[test]
    fn only_a_first_request_starts_a_call() {
        assert!(!call("INVITE sip:a@b.example SIP/2.0\nTo: <sip:a@b.example>;tag=2\n\n").starts_call());
        assert!(!call("OPTIONS sip:a@b.example SIP/2.0\n\n").starts_call());
        let ringing = call("SIP/2.0 180 Ringing\nCSeq: 7  INVITE\n\n");
        assert_eq!(
            (ringing.method.as_deref(), ringing.status, ringing.starts_call()),
            (Some("INVITE"), Some(180), false)
        );
    }

    #[test]
    fn what_is_absent_or_broken_is_none() {
        let call = call("INVITE urn:nonsense SIP/2.0\nFrom: <sip:broken\nTo:\nDate: yesterday\n\n");
        assert_eq!((call.from, call.to, call.request_uri), (None, None, None));
        assert_eq!(call.date, Some(DateField { text: "yesterday".to_owned(), time: None }));
    }

    #[test]
    fn an_emergency_call_is_for_a_service_and_says_its_priority() {
        // E10; RFC 4412 §3.1: several fields or commas, in whatever case.
        let own = call(
            "INVITE urn:service:sos SIP/2.0\nTo: <URN:service:SOS>\nResource-Priority: WPS.0, ets.0,,\n\
             Resource-Priority: ets.0\nPriority: Emergency \n\n",
        );
        let sos = Some(Identity::Uri("urn:service:sos".to_owned()));
        assert_eq!((&own.to, &own.request_uri), (&sos, &sos));
        assert_eq!(
            (own.resource_priority.as_slice(), own.priority.as_deref()),
            (&["ets.0".to_owned(), "wps.0".to_owned()][..], Some("emergency"))
        );
        // Nobody calls from a service.
        assert_eq!(call("INVITE sip:a@b.example SIP/2.0\nFrom: <urn:service:sos>\n\n").from, None);
    }

    #[test]
    fn a_thousand_identity_fields_are_all_kept() {
        let text = format!("INVITE sip:a@b.example SIP/2.0\n{}\n", "Identity: a.b.c\n".repeat(1000));
        assert_eq!(call(&text).identities.len(), 1000);
        let joined = format!("INVITE sip:a@b.example SIP/2.0\nIdentity: {}\n\n", "a,".repeat(100_000));
        assert_eq!(call(&joined).identities.len(), Call::MAX_IDENTITIES);
    }
}
