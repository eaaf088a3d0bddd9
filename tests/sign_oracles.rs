//! Two other JOSE implementations as oracles, both ways: what stirtrace signs they verify, what they sign stirtrace
//! verifies; and neither takes what was changed.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may panic")]

use std::fs;
use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike, ECDSAP256PublicKeyLike, ES256KeyPair, HeaderOptions, KeyMetadata,
    VerificationOptions,
};
use serde_json::{Map, Value, json};
use stirtrace::identity_header::IdentityHeader;
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::Attestation;
use stirtrace::sign::{SignRequest, Signer};
use stirtrace::sip::call::Call;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Materials, Policy, Status, Verdict, Verifier};

const X5U: &str = "https://certificates.lab.example/twill.pem";
const NOW: UnixTime = UnixTime::from_seconds(1_777_896_000);
const ORIGID: &str = "123e4567-e89b-12d3-a456-426655440000";

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs").join(path)).unwrap()
}

fn certificate() -> Vec<u8> {
    read("archive/certificates.lab.example/twill.pem")
}

fn signer() -> Signer {
    Signer::new(&read("keys/twill.pem"), &certificate(), X5U).unwrap()
}

fn identity(text: &str) -> Identity {
    SignRequest::identity(text, &NumberPlan::NORTH_AMERICAN).unwrap()
}

/// Several, so that signatures with leading zeros and high S are among them.
fn requests() -> impl Iterator<Item = SignRequest> {
    (0..200).map(|last| {
        let (caller, called) = (identity("12155550112"), vec![identity(&format!("1215555{last:04}"))]);
        match last % 3 {
            0 => SignRequest::base(caller, called),
            1 => SignRequest::shaken(Attestation::A, ORIGID, caller, called),
            _ => SignRequest::shaken(Attestation::C, ORIGID, caller, called),
        }
    })
}

fn decode_with_jsonwebtoken(token: &str, algorithm: Algorithm) -> Option<(Header, Map<String, Value>)> {
    let key = DecodingKey::from_ec_der(signer().certificate().p256_point().unwrap());
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode(token, &key, &validation).ok().map(|data| (data.header, data.claims))
}

fn decode_with_jwt_simple(token: &str) -> Option<Map<String, Value>> {
    let options = VerificationOptions {
        required_signature_type: Some("passport".to_owned()),
        accept_future: true,
        artificial_time: Some(Duration::from_secs(1_777_896_000)),
        ..VerificationOptions::default()
    };
    let key = ES256KeyPair::from_pem(&String::from_utf8(read("keys/twill.pem")).unwrap()).unwrap();
    let claims = key.public_key().verify_token::<Map<String, Value>>(token, Some(options)).ok()?;
    // What it takes for claims of its own it keeps apart.
    let mut members = claims.custom;
    members.insert("iat".to_owned(), json!(claims.issued_at?.as_secs()));
    Some(members)
}

#[test]
fn both_verify_what_stirtrace_signs() {
    let signer = signer();
    for request in requests() {
        let signed = signer.sign(&request, NOW).unwrap();
        let expected: Map<String, Value> = serde_json::from_str(&signed.claims().to_canonical_json()).unwrap();
        let (header, claims) = decode_with_jsonwebtoken(signed.token(), Algorithm::ES256).unwrap();
        assert_eq!(claims, expected);
        assert_eq!((header.typ.as_deref(), header.x5u.as_deref()), (Some("passport"), Some(X5U)));
        assert_eq!(header.extras.get::<String>("ppt").unwrap().as_deref(), request.ppt());
        assert_eq!(decode_with_jwt_simple(signed.token()).unwrap(), expected);
    }
}

#[test]
fn neither_verifies_what_was_changed() {
    let signed = signer().sign(&requests().nth(1).unwrap(), NOW).unwrap();
    let (signing_input, signature) = signed.token().rsplit_once('.').unwrap();
    let others = signer().sign(&requests().nth(4).unwrap(), NOW).unwrap();
    let (others_input, _) = others.token().rsplit_once('.').unwrap();
    let end = signature.len() - 2;
    for token in [
        format!("{others_input}.{signature}"),
        format!("{signing_input}.{}AA", &signature[..end]),
        format!("{signing_input}."),
    ] {
        assert!(decode_with_jsonwebtoken(&token, Algorithm::ES256).is_none(), "{token}");
        assert_eq!(decode_with_jwt_simple(&token), None, "{token}");
        assert_ne!(verify(&token, Some("shaken")).conclusion, Conclusion::Passed, "{token}");
    }
    assert!(decode_with_jsonwebtoken(signed.token(), Algorithm::ES384).is_none());
}

fn verify(token: &str, ppt: Option<&str>) -> Verdict {
    let header = IdentityHeader::new(token.to_owned(), X5U.to_owned(), ppt.map(str::to_owned));
    let call = Call::bare([header.to_string()]).with_from(identity("12155550112")).with_to(identity("12155550131"));
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&read("roots.pem")).unwrap());
    materials.add_certificate(X5U, &certificate());
    Verifier::new(Policy::default()).verify(&call, &materials, NOW)
}

#[test]
fn stirtrace_verifies_what_jsonwebtoken_signs() {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("passport".to_owned());
    header.x5u = Some(X5U.to_owned());
    header.extras.insert("ppt", "shaken");
    let claims = json!({
        "orig": { "tn": "12155550112" }, "dest": { "tn": ["12155550131"] }, "iat": NOW.seconds(),
        "attest": "B", "origid": ORIGID,
    });
    let key = EncodingKey::from_ec_pem(&read("keys/twill.pem")).unwrap();
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let verdict = verify(&token, Some("shaken"));
    assert_eq!(verdict.conclusion, Conclusion::Passed, "{:?}", verdict.passports[0].error);
    assert_eq!(verdict.attest, Some(Attestation::B));
    let other_key = EncodingKey::from_ec_pem(&read("keys/cascade.pem")).unwrap();
    let forged = jsonwebtoken::encode(&header, &claims, &other_key).unwrap();
    assert_eq!(verify(&forged, Some("shaken")).conclusion, Conclusion::Failed);
}

#[test]
fn stirtrace_verifies_what_jwt_simple_signs() {
    // It knows no ppt: a base PASSporT.
    let mut key = ES256KeyPair::from_pem(&String::from_utf8(read("keys/twill.pem")).unwrap()).unwrap();
    key.attach_metadata(KeyMetadata::default().with_certificate_url(X5U)).unwrap();
    let custom = json!({ "orig": { "tn": "12155550112" }, "dest": { "tn": ["12155550131"] } });
    for _ in 0..20 {
        let mut claims = Claims::with_custom_claims(custom.clone(), Duration::from_secs(60));
        claims.issued_at = Some(Duration::from_secs(1_777_896_000));
        (claims.expires_at, claims.invalid_before) = (None, None);
        let options = HeaderOptions { signature_type: Some("passport".to_owned()), ..HeaderOptions::default() };
        let token = key.sign_with_options(claims, &options).unwrap();
        let verdict = verify(&token, None);
        assert_eq!(verdict.passports[0].status, Status::Valid, "{:?}", verdict.passports[0].error);
        assert_eq!(verdict.conclusion, Conclusion::Passed);
    }
}
