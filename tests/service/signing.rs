//! ATIS-1000082, `POST /stir/v1/signing` (F30): what is signed verifies, what may not be signed is not.

use serde_json::{Value, json};
use stirtrace::passport::Passport;

use crate::stand::{NOW, SIGNING, Setup, Stand, verification_of};

pub(crate) fn request() -> Value {
    json!({"signingRequest": {"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": NOW, "orig": {"tn": "12155550112"},
        "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}})
}

fn signed(stand: &Stand, request: &Value) -> String {
    let answer = stand.post(SIGNING, request);
    assert_eq!(answer.code, 200, "{answer:?}");
    answer.json()["signingResponse"]["identity"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_signed_here_is_verified_here() {
    let stand = Stand::plain();
    let identity = signed(&stand, &request());
    assert!(
        identity.ends_with(";info=<https://certificates.lab.example/twill.pem>;alg=ES256;ppt=shaken"),
        "{identity}"
    );
    assert_eq!(stand.verification(&verification_of(identity)), json!({"verstat": "TN-Validation-Passed"}));
}

#[test]
fn numbers_are_made_canonical_and_destinations_sorted() {
    // F30, A9.
    let stand = Stand::plain();
    let mut request = request();
    request["signingRequest"]["orig"] = json!({"tn": "+1(215)555-0112"});
    request["signingRequest"]["dest"] = json!({"tn": ["+1.215.555.0139", "2155550131"]});
    let identity = signed(&stand, &request);
    let passport = Passport::parse(identity.split(';').next().unwrap()).unwrap();
    let claims = Value::from(passport.claim_members());
    assert_eq!(claims["orig"], json!({"tn": "12155550112"}));
    assert_eq!(claims["dest"], json!({"tn": ["12155550131", "12155550139"]}));
    assert_eq!(claims["iat"], NOW);
}

#[test]
fn what_may_not_be_signed_is_refused_with_the_parameter_at_fault() {
    let stand = Stand::plain();
    let cases = [
        ("attest", json!("D"), "attest", "none of A, B and C"),
        ("attest", json!("a"), "attest", "none of A, B and C"),
        ("origid", json!("not a uuid"), "origid", "no UUID"),
        // B-A3: what verifiers would refuse.
        ("iat", json!(NOW - 61), "iat", "more than 60 s from now"),
        ("iat", json!(NOW + 61), "iat", "more than 60 s from now"),
        ("dest", json!({"tn": []}), "dest.tn", ""),
    ];
    for (name, value, parameter, word) in cases {
        let mut request = request();
        request["signingRequest"][name] = value;
        let (_, _, variables) = stand.post(SIGNING, &request).exception();
        assert_eq!(variables[0], parameter, "{name}");
        assert!(variables.last().unwrap().contains(word), "{variables:?}");
    }
}

#[test]
fn a_service_without_a_signer_says_that_it_is_at_fault() {
    // POL5000; the log says why.
    let stand = Setup::new("").without_signers().start();
    assert_eq!(stand.post(SIGNING, &request()).exception().0, "POL5000");
}

#[test]
fn a_certificate_that_has_ended_signs_nothing() {
    let stand = Stand::plain();
    stand.at(NOW + 20 * 366 * 86_400);
    let mut request = request();
    request["signingRequest"]["iat"] = json!(NOW + 20 * 366 * 86_400);
    assert_eq!(stand.post(SIGNING, &request).exception().0, "POL5000");
}

#[test]
fn which_rule_gave_the_attestation_is_told_beside_the_body() {
    // F30: the body is the standard's and nothing more.
    let reason = |settings: &str| {
        let settings = format!("[service.atis82]\nattestation_reason = true\n{settings}");
        let answer = Setup::new(&settings).start().post(SIGNING, &request());
        let response = &answer.json()["signingResponse"];
        assert_eq!(response.as_object().unwrap().len(), 1, "{response}");
        answer.header("attestation-reason").unwrap().to_owned()
    };
    assert_eq!(reason(""), "the request says A, and no policy is configured");
    let rules = "[service.signing]\ndefault = \"C\"\n[[service.signing.trunk]]\nname = \"tg-1\"\ncustomer = \"Müller\"\n\
        addresses = \"127.0.0.0/8\"\n[[service.signing.rule]]\ncustomer = \"Müller\"\nnumbers = \"1215555*\"\nattest = \"B\"\n";
    let told = reason(rules);
    assert!(told.starts_with("the request asks for A; rule 1 (customer M\\u{fc}ller, "), "{told}");
    assert!(reason("[service.signing]\ndefault = \"C\"").contains("the default gives C"));
}

#[test]
fn the_rules_are_told_to_no_client_unasked() {
    let rules = "[service.signing]\ndefault = \"C\"\n[[service.signing.trunk]]\nname = \"tg-secret\"\n\
        addresses = \"127.0.0.0/8\"\n[[service.signing.rule]]\ntrunk = \"tg-secret\"\nattest = ";
    let ask = |attest: &str, more: &str| {
        let stand = Setup::new(&format!("{rules}\"{attest}\"\n[service.atis82]\n{more}")).start();
        stand.post(SIGNING, &request())
    };
    let whole = |answer: &crate::stand::Answer| format!("{:?}{}", answer.headers, answer.text());
    let signed = ask("B", "");
    assert_eq!((signed.code, signed.header("attestation-reason")), (200, None));
    assert!(!whole(&signed).contains("tg-secret"), "{}", whole(&signed));
    let refused = ask("none", "");
    assert_eq!(refused.code, 403);
    assert_eq!(refused.exception().2, ["the policy does not have this call signed"]);
    assert!(!whole(&refused).contains("tg-secret"), "{}", whole(&refused));
    let told = ask("none", "attestation_reason = true");
    assert!(told.exception().2[0].contains("tg-secret"), "{}", whole(&told));
}
