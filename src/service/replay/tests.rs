use p256::ecdsa::Signature;

use super::*;
use crate::passport::Attestation;
use crate::service::engine::Engine;
use crate::service::scene::{CALLED, NOW, authorisation, call, diversion, engine, identity, invite, signed_call};
use crate::verify::{Error, Verstat};

fn remembering() -> Engine {
    engine(|loaded| loaded.settings.replay = Some(ReplaySettings::default()))
}

async fn error(engine: &Engine, call: &Call) -> Option<&'static str> {
    let verdict = engine.verify(call, NOW).await;
    let error = verdict.decisive().and_then(|report| report.error.as_ref());
    assert_eq!(verdict.conclusion == Conclusion::Passed, error.is_none());
    error.map(Error::kind)
}

/// The same token with the other signature that the same bytes have: `n - s` for `s`.
fn with_other_signature(identity: &str) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (token, rest) = identity.split_once(';').unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&base64.decode(signature).unwrap()).unwrap();
    let other = Signature::from_scalars(signature.r(), -signature.s()).unwrap();
    format!("{signed}.{};{rest}", base64.encode(other.to_bytes()))
}

#[tokio::test]
async fn the_same_token_for_another_call_is_a_replay() {
    // H27, RFC 8224 §12.1.
    let engine = remembering();
    let identity = identity(Attestation::A, CALLED);
    let first = signed_call("1", &[&identity]);
    assert_eq!(error(&engine, &first).await, None);
    assert_eq!(error(&engine, &first).await, None, "a retry or a fork has the same Call-ID");
    let replayed = engine.verify(&signed_call("2", &[&identity]), NOW).await;
    assert_eq!((replayed.conclusion, replayed.verstat), (Conclusion::Failed, Verstat::TnValidationFailed));
    let detail = replayed.error().unwrap().to_string();
    assert!(detail.contains("one seen at 2026-05-04T12:00:01Z, the SHA-256 of whose Call-ID begins with"), "{detail}");
    assert_eq!(error(&engine, &signed_call("2", &[&with_other_signature(&identity)])).await, Some("ReplayedToken"));
    assert_eq!(error(&engine, &first).await, None, "the call itself stays good");
    let counts = engine.replay().unwrap().counts();
    assert_eq!((counts.held, counts.replays), (1, 2));
}

#[tokio::test]
async fn a_priority_serves_the_call_that_it_was_signed_for() {
    // RFC 8443 §7, RFC 8224 §12.1: also where nothing else is signed.
    let engine = remembering();
    let rph = authorisation("ets.0");
    let asking = |id: &str| call(&invite(id, &format!("Resource-Priority: ets.0\r\nIdentity: {rph}\r\n")));
    let verstat = async |id: &str| engine.verify(&asking(id), NOW).await.priority.unwrap().verstat;
    assert_eq!(verstat("1").await, PriorityVerstat::RphValidationPassed);
    assert_eq!(verstat("1").await, PriorityVerstat::RphValidationPassed);
    assert_eq!(verstat("2").await, PriorityVerstat::RphValidationFailed);
    // H30: the caller's own PASSporT is no replay for it.
    let shaken = identity(Attestation::A, CALLED);
    let fields = format!("Resource-Priority: ets.0\r\nIdentity: {shaken}\r\nIdentity: {rph}\r\n");
    let verdict = engine.verify(&call(&invite("3", &fields)), NOW).await;
    assert_eq!(verdict.conclusion, Conclusion::Passed);
    assert_eq!(verdict.priority.unwrap().verstat, PriorityVerstat::RphValidationFailed);
}

#[tokio::test]
async fn without_a_call_id_parties_and_time_make_the_call() {
    let engine = remembering();
    let identity = identity(Attestation::A, CALLED);
    let at = |second: u32, fields: &str| {
        let fields = format!("Date: Mon, 04 May 2026 12:00:{second:02} GMT\r\nIdentity: {identity}\r\n{fields}");
        Call { call_id: None, ..call(&invite("1", &fields)) }
    };
    assert_eq!(error(&engine, &at(1, "")).await, None);
    assert_eq!(error(&engine, &at(1, "")).await, None);
    assert_eq!(error(&engine, &at(2, "")).await, Some("ReplayedToken"));
    let with_id = Call { call_id: Some("9".to_owned()), ..at(1, "") };
    assert_eq!(error(&engine, &with_id).await, None, "asked by two elements, one of which leaves the Call-ID out");
}

#[tokio::test]
async fn a_token_that_does_not_verify_is_not_remembered() {
    let engine = remembering();
    let identity = identity(Attestation::A, CALLED);
    let elsewhere = call(&invite("2", &format!("Identity: {identity}\r\n")).replace(CALLED, "12155550199"));
    assert_eq!(error(&engine, &elsewhere).await, Some("DestMismatch"));
    let bare = Call::bare([identity.as_str()]);
    assert_eq!(engine.verify(&bare, NOW).await.conclusion, Conclusion::None);
    let (token, rest) = identity.split_once(';').unwrap();
    let forged = format!("{}.{};{rest}", token.rsplit_once('.').unwrap().0, "Q".repeat(86));
    assert_eq!(error(&engine, &signed_call("3", &[&forged])).await, Some("InvalidSignature"));
    assert_eq!(engine.replay().unwrap().counts().held, 0);
    assert_eq!(error(&engine, &signed_call("1", &[&identity])).await, None, "nobody spoiled it");
}

#[tokio::test]
async fn a_diverted_call_brings_its_token_again() {
    // RFC 8946: the call to 0199 was diverted here, and came by us before that.
    let engine = remembering();
    let identity = identity(Attestation::A, "12155550199");
    let before = call(&invite("1", &format!("Identity: {identity}\r\n")).replace(CALLED, "12155550199"));
    assert_eq!(error(&engine, &before).await, None);
    let diversion = diversion("12155550199", CALLED);
    let diverted = signed_call("2", &[&identity, &diversion]);
    assert_eq!(error(&engine, &diverted).await, None);
    assert_eq!(error(&engine, &diverted).await, None);
    let again = engine.verify(&signed_call("3", &[&identity, &diversion]), NOW).await;
    assert_ne!(again.conclusion, Conclusion::Passed, "the diversion is used up");
}

#[tokio::test]
async fn without_a_memory_nothing_is_a_replay() {
    let engine = engine(|_| {});
    let identity = identity(Attestation::A, CALLED);
    assert_eq!(error(&engine, &signed_call("1", &[&identity])).await, None);
    assert_eq!(error(&engine, &signed_call("2", &[&identity])).await, None);
}

#[test]
fn settings_are_read_and_faults_placed() {
    let settings = ReplaySettings::parse("capacity = 5000\nmargin = 10").unwrap();
    assert_eq!((settings.capacity, settings.margin, settings.redis), (5000, 10, None));
    let text = "capacity = 1\nmargin = \"5 s\"\nredis = \"http://192.0.2.9\"\nredis_timeout = 5";
    let faults: Vec<String> = ReplaySettings::parse(text).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"));
}

#[cfg(feature = "redis")]
#[test]
fn a_password_is_not_shown() {
    let settings = ReplaySettings::parse("redis = \"redis://carrier:hush@192.0.2.9:6379/0\"").unwrap();
    let shown = format!("{settings:?}");
    assert!(shown.contains("192.0.2.9:6379/0") && !shown.contains("hush"), "{shown}");
}

#[cfg(feature = "redis")]
mod redis;
