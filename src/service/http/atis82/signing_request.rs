//! A signingRequest: the shaken one of ATIS-1000082 (F30), and those of type div and rph of the 3GPP form (F32; E2, E8,
//! E10). Each type has the members of its claims, and no other's.

use super::Exception;
use super::members::Members;
use crate::number::{Identity, NumberPlan};
use crate::passport::json::Json;
use crate::passport::{Attestation, PSAP_CALLBACK, ResourcePriority, is_uuid};
use crate::sign::SignRequest;
use crate::time::UnixTime;

/// What is to be signed.
#[derive(Clone, Debug)]
pub(super) struct SigningRequest {
    pub(super) wanted: Wanted,
    pub(super) orig: Identity,
    pub(super) dest: Vec<Identity>,
    iat: UnixTime,
    /// Whether it names its type, as in TS 24.229.
    pub(super) is_ms: bool,
}

/// The type, with what it says beside who calls whom.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Shaken { attest: Attestation, origid: String },
    Div { diverted: Identity },
    Rph { priorities: Vec<ResourcePriority>, is_callback: bool },
}

impl SigningRequest {
    /// Reads a body.
    pub(super) fn read(body: &[u8], plan: &NumberPlan) -> Result<Self, Exception> {
        let root = Json::parse_object(body).map_err(|reason| Exception::Unparsable { reason: reason.to_string() })?;
        let request = Members::new("", &root)?.object("", "signingRequest")?;
        let is_ms = request.get("ppt").is_some();
        let ppt = ppt(&request)?;
        refuse_foreign(&request, ppt)?;
        // E1, E2: in the order of the standard's list.
        let attest = if ppt == "shaken" { Some(attestation(request.text("attest")?)?) } else { None };
        let dest = request.parties("dest", "dest", plan)?;
        let iat = UnixTime::from_seconds(request.seconds("iat")?);
        let orig = request.party("orig", "orig", plan)?;
        let wanted = match (ppt, attest) {
            (_, Some(attest)) => Wanted::Shaken { attest, origid: origid(&request)? },
            ("div", None) => Wanted::Div { diverted: request.party("div", "div", plan)? },
            (_, None) => Wanted::Rph { priorities: priorities(&request)?, is_callback: is_callback(&request)? },
        };
        Ok(Self { wanted, orig, dest, iat, is_ms })
    }

    /// What the signer gets; a shaken one with the attestation and the identifier that were decided on.
    pub(super) fn to_sign(&self, decided: Option<(Attestation, &str)>) -> SignRequest {
        let (orig, dest) = (self.orig.clone(), self.dest.clone());
        let request = match &self.wanted {
            Wanted::Shaken { attest, origid } => {
                let (attest, origid) = decided.unwrap_or((*attest, origid));
                SignRequest::shaken(attest, origid, orig, dest)
            }
            Wanted::Div { diverted } => SignRequest::div(diverted.clone(), orig, dest),
            Wanted::Rph { priorities, is_callback } => {
                let request = SignRequest::rph(priorities.clone(), orig, dest);
                if *is_callback { request.as_callback() } else { request }
            }
        };
        request.issued_at(self.iat)
    }

    /// The member that names for whom the certificate has to speak (E3).
    pub(super) const fn speaker(&self) -> &'static str {
        match self.wanted {
            Wanted::Div { .. } => "div",
            _ => "orig",
        }
    }
}

fn ppt(request: &Members<'_, '_>) -> Result<&'static str, Exception> {
    if request.get("ppt").is_none() {
        return Ok("shaken");
    }
    let text = request.text("ppt")?;
    let known = ["shaken", "div", "rph"].into_iter().find(|ppt| *ppt == text);
    known.ok_or_else(|| {
        Exception::invalid("ppt", format!("{text:?}: only PASSporTs of type shaken, div and rph are signed here"))
    })
}

/// What another type's claims are would be left out in silence.
fn refuse_foreign(request: &Members<'_, '_>, ppt: &str) -> Result<(), Exception> {
    let own: &[&str] = match ppt {
        "shaken" => &["attest", "origid"],
        "div" => &["div"],
        _ => &["rph", "sph"],
    };
    let claims = ["attest", "origid", "div", "rph", "sph", "rcd", "opt"];
    match claims.into_iter().find(|claim| !own.contains(claim) && request.get(claim).is_some()) {
        Some(claim) => Err(Exception::invalid(claim, format!("a {ppt} PASSporT has no such claim"))),
        None => Ok(()),
    }
}

fn attestation(text: &str) -> Result<Attestation, Exception> {
    text.parse().map_err(|_| Exception::invalid("attest", format!("{text:?} is none of A, B and C")))
}

fn origid(request: &Members<'_, '_>) -> Result<String, Exception> {
    let origid = request.text("origid")?;
    if !is_uuid(origid) {
        return Err(Exception::invalid("origid", format!("{origid:?} is no UUID")));
    }
    Ok(origid.to_owned())
}

/// E8: the claim as it is signed, `{"auth":["ets.0"]}`.
fn priorities(request: &Members<'_, '_>) -> Result<Vec<ResourcePriority>, Exception> {
    let rph = request.object("rph", "rph")?;
    let texts = rph.texts("auth")?;
    if texts.is_empty() {
        return Err(Exception::missing("rph.auth"));
    }
    let read = |text: &str| text.parse::<ResourcePriority>();
    texts
        .into_iter()
        .map(|text| read(text).map_err(|reason| Exception::invalid("rph.auth", reason.to_string())))
        .collect()
}

/// E10: there is one value.
fn is_callback(request: &Members<'_, '_>) -> Result<bool, Exception> {
    if request.get("sph").is_none() {
        return Ok(false);
    }
    match request.text("sph")? {
        PSAP_CALLBACK => Ok(true),
        other => Err(Exception::invalid("sph", format!("{other:?} is not {PSAP_CALLBACK:?}"))),
    }
}
