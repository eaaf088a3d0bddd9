//! A verificationRequest (F31, F32): who calls whom, when, and the Identity values.

use super::Exception;
use super::members::Members;
use crate::number::{Identity, NumberPlan};
use crate::passport::json::Json;
use crate::sip::call::{Call, DateField};
use crate::sip::message::unfold;
use crate::time::UnixTime;

/// What is to be verified.
#[derive(Clone, Debug)]
pub(super) struct VerificationRequest {
    pub(super) call: Call,
    pub(super) time: UnixTime,
    /// All of `to`; `call` has the first.
    pub(super) to: Vec<Identity>,
    pub(super) form: Form,
}

/// In whose words the request is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// ATIS-1000082.
    Atis,
    /// TS 24.229 Annex V, whose answer says more (F32).
    Ms,
}

impl VerificationRequest {
    /// Reads a body.
    pub(super) fn read(body: &[u8], plan: &NumberPlan) -> Result<Self, Exception> {
        let root = Json::parse_object(body).map_err(|reason| Exception::Unparsable { reason: reason.to_string() })?;
        let root = Members::new("", &root)?;
        let request = root.object("", "verificationRequest")?;
        // E1, E2: in the order of the standard's list.
        let from = request.party("from", "from", plan)?;
        let to = request.parties("to", "to", plan)?;
        let time = UnixTime::from_seconds(request.seconds("time")?);
        let target = match request.get("dest") {
            Some(_) => Some(request.party("dest", "dest", plan)?),
            None => None,
        };
        let (values, form) = identities(&request)?;
        let mut call = Call::bare(values).with_from(from);
        call.to = to.first().cloned();
        call.request_uri = target;
        call.date = Some(date(time));
        call.call_id = call_id(&root, &request)?;
        let call = with_priority(call, &request)?;
        Ok(Self { call, time, to, form })
    }
}

/// The Identity values, in whichever members they stand; a value that stands in two of them counts once.
fn identities(request: &Members<'_, '_>) -> Result<(Vec<String>, Form), Exception> {
    let mut values: Vec<String> = Vec::new();
    let mut form = Form::Atis;
    for name in ["identityHeaders", "identityHeader", "identity"] {
        let mut texts = request.texts(name)?;
        if texts.len() > 1 || (name != "identity" && !texts.is_empty()) {
            form = Form::Ms;
        }
        // A header arrives as it was folded: with line ends and white space in it.
        texts.retain(|text| !text.trim().is_empty());
        let earlier = values.len();
        for value in texts.into_iter().map(unfold) {
            if !values[..earlier].contains(&value) {
                values.push(value);
            }
        }
    }
    if values.is_empty() { Err(Exception::missing("identity")) } else { Ok((values, form)) }
}

/// What the call asks for in priority, where the client tells it: `protectedHeaders`, an object of header fields by
/// name. TS 24.229 has the member; that it is such an object is ours.
fn with_priority(call: Call, request: &Members<'_, '_>) -> Result<Call, Exception> {
    if request.get("protectedHeaders").is_none() {
        return Ok(call);
    }
    let fields = request.object("protectedHeaders", "protectedHeaders")?;
    let call = call.with_resource_priority(fields.texts("Resource-Priority")?);
    match fields.get("Priority") {
        Some(_) => Ok(call.with_priority(fields.text("Priority")?)),
        None => Ok(call),
    }
}

/// The standard has no Call-ID; whoever sends one lets a retry be told from a replay.
fn call_id(root: &Members<'_, '_>, request: &Members<'_, '_>) -> Result<Option<String>, Exception> {
    for members in [request, root] {
        for name in ["callId", "call_id"] {
            if members.get(name).is_some() {
                return Ok(Some(members.text(name)?.to_owned()).filter(|text| !text.is_empty()));
            }
        }
    }
    Ok(None)
}

fn date(time: UnixTime) -> DateField {
    let mut field = DateField::read(time.to_sip_date().unwrap_or_default());
    field.time = Some(time);
    field
}
