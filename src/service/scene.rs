//! The lab's certificates and calls signed by them, for the tests of the service.

use crate::number::{Identity, NumberPlan};
use crate::passport::Attestation;
#[cfg(feature = "service")]
use crate::service::engine::Engine;
#[cfg(feature = "service")]
use crate::service::signer::NamedSigner;
#[cfg(feature = "service")]
use crate::service::standing::Loaded;
use crate::sign::{SignRequest, Signer};
use crate::sip::call::Call;
use crate::sip::message::Message;
use crate::time::UnixTime;
use crate::trust::TrustAnchors;
#[cfg(feature = "service")]
use crate::verify::Trust;
use crate::verify::{Materials, Policy, Verdict, Verifier};

/// When everything happens: 2026-05-04T12:00:01Z.
pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_777_896_001);
pub(crate) const CALLER: &str = "12155550112";
pub(crate) const CALLED: &str = "12155550131";
pub(crate) const ORIGID: &str = "6a2f0f6e-2c5c-4f0e-9b1c-0d9d7a3f5b11";
const URL: &str = "https://certificates.lab.example/twill.pem";
const KEY: &[u8] = include_bytes!("../../certs/keys/twill.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../certs/archive/certificates.lab.example/twill.pem");
const ROOTS: &[u8] = include_bytes!("../../certs/roots.pem");

pub(crate) fn number(digits: &str) -> Identity {
    Identity::Number(digits.parse().unwrap())
}

pub(crate) fn signer() -> Signer {
    Signer::new(KEY, CERTIFICATE, URL).unwrap()
}

/// A shaken Identity of the usual caller.
pub(crate) fn identity(attest: Attestation, called: &str) -> String {
    identity_of(attest, called, NOW)
}

/// The same, signed at that instant.
pub(crate) fn identity_of(attest: Attestation, called: &str, at: UnixTime) -> String {
    let request = SignRequest::shaken(attest, ORIGID, number(CALLER), vec![number(called)]);
    signer().sign(&request, at).unwrap().to_string()
}

/// A diversion of the usual caller's call.
pub(crate) fn diversion(from: &str, to: &str) -> String {
    let request = SignRequest::div(number(from), number(CALLER), vec![number(to)]);
    signer().sign(&request, NOW).unwrap().to_string()
}

/// A priority of the usual call, authorised.
pub(crate) fn authorisation(priority: &str) -> String {
    let request = SignRequest::rph(vec![priority.parse().unwrap()], number(CALLER), vec![number(CALLED)]);
    signer().sign(&request, NOW).unwrap().to_string()
}

/// An INVITE of the usual parties with these fields more, each with its line end.
pub(crate) fn invite(call_id: &str, fields: &str) -> String {
    format!(
        "INVITE sip:+{CALLED}@prairie.example;user=phone SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{call_id}\r\n\
         Max-Forwards: 70\r\n\
         From: \"Twill\" <sip:+{CALLER}@twill.example;user=phone>;tag=1\r\n\
         To: <sip:+{CALLED}@prairie.example;user=phone>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 INVITE\r\n\
         {fields}Content-Length: 0\r\n\r\n"
    )
}

pub(crate) fn call(text: &str) -> Call {
    Call::from_message(&Message::parse(text.as_bytes()).unwrap().0, &NumberPlan::NORTH_AMERICAN)
}

/// A call of the usual parties with these Identity values.
pub(crate) fn signed_call(call_id: &str, identities: &[&str]) -> Call {
    let fields: String = identities.iter().map(|value| format!("Identity: {value}\r\n")).collect();
    call(&invite(call_id, &fields))
}

pub(crate) fn judge(call: &Call) -> Verdict {
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(ROOTS).unwrap());
    materials.add_certificate(URL, CERTIFICATE);
    Verifier::new(Policy::default()).verify(call, &materials, NOW)
}

/// An engine that trusts the lab, has its certificate, and signs with it; with whatever more is to be loaded.
#[cfg(feature = "service")]
pub(crate) fn engine(more: impl Fn(&mut Loaded) + Send + Sync + 'static) -> Engine {
    let load = move |_: UnixTime| -> Result<Loaded, String> {
        let mut loaded = Loaded::default();
        let mut trust = Trust::default();
        trust.set_anchors(TrustAnchors::from_pem(ROOTS).unwrap());
        loaded.trust = trust;
        loaded.archive = Some(std::sync::Arc::new(|url: &str| match url {
            URL => Ok(CERTIFICATE.to_vec()),
            _ => Err("not in the archive".to_owned()),
        }));
        loaded.signers = vec![NamedSigner::new("twill", signer())];
        more(&mut loaded);
        Ok(loaded)
    };
    Engine::new(Box::new(load), || NOW).unwrap()
}
