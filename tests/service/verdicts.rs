//! `POST /v1/verify`: the whole verdict, of a call in JSON and of a SIP message.

use serde_json::{Value, json};
use stirtrace::verify::{Policy, Verifier};

use crate::stand::{NOW, Request, Stand, good, identity};

const VERIFY: &str = "/v1/verify";

fn invite(identities: &[String]) -> Vec<u8> {
    let mut lines = vec![
        "INVITE sip:+12155550131@prairie.example SIP/2.0".to_owned(),
        "From: <sip:+12155550112@twill.example;user=phone>;tag=1".to_owned(),
        "To: <sip:+12155550131@prairie.example;user=phone>".to_owned(),
        "Date: Mon, 04 May 2026 12:00:01 GMT".to_owned(),
        "Call-ID: 7@twill.example".to_owned(),
        "CSeq: 1 INVITE".to_owned(),
    ];
    lines.extend(identities.iter().map(|value| format!("Identity: {value}")));
    (lines.join("\r\n") + "\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[test]
fn a_sip_message_is_judged_with_every_check() {
    let stand = Stand::plain();
    let answer = stand.ask(&Request::new(VERIFY, &invite(&[good()])).with("Content-Type", "message/sip"));
    let verdict = answer.json();
    assert_eq!((answer.code, &verdict["verdict"], &verdict["attest"]), (200, &json!("passed"), &json!("A")));
    assert_eq!(verdict["call"]["call_id"], "7@twill.example");
    assert_eq!(verdict["signer"]["spc"], "552D");
    assert!(verdict["passports"][0]["checks"].as_array().unwrap().len() > 20, "{verdict}");
}

#[test]
fn a_call_in_json_is_the_same_call() {
    let stand = Stand::plain();
    let bad = identity(json!({"mutate": ["flip-signature-bit"]}));
    let call = json!({"identity": [bad], "from": "12155550112", "to": "12155550131", "date": NOW, "call_id": "7@twill.example"});
    let in_json = stand.post(VERIFY, &call).json();
    let message = stand.ask(&Request::new(VERIFY, &invite(&[bad])).with("Content-Type", "message/sip")).json();
    assert_eq!(in_json["sip"], json!({"code": 438, "reason": "Invalid Identity Header"}));
    for member in ["verdict", "verstat", "sip", "attest", "origid", "signer", "reasons"] {
        assert_eq!(in_json[member], message[member], "{member}");
    }
}

#[test]
fn what_is_no_call_is_said_with_what_to_send() {
    let stand = Stand::plain();
    let cases: [(&str, &[u8], u16, &str); 8] = [
        ("application/json", b"", 400, "NoCall"),
        ("application/json", b"[]", 400, "NoCall"),
        ("application/json", b"{\"identity\":7}", 400, "NoCall"),
        ("application/json", b"{\"from\":\"12155550112\",\"from\":\"12155550113\"}", 400, "NoCall"),
        ("application/json", b"{\"from\":\"\xff\"}", 400, "NoCall"),
        ("message/sip", b"hello", 400, "NoSipMessage"),
        ("text/plain", b"hello", 415, "UnsupportedMediaType"),
        ("application/json", &[b' '; 70_000], 413, "BodyTooLong"),
    ];
    for (media_type, body, code, kind) in cases {
        let answer = stand.ask(&Request::new(VERIFY, body).with("Content-Type", media_type));
        assert_eq!((answer.code, &answer.json()["error"]["kind"]), (code, &Value::from(kind)), "{media_type}");
        assert!(answer.json()["error"]["hint"].is_string(), "{answer:?}");
    }
    let answer = stand.ask(&Request::new(VERIFY, b"{}").with("Accept", "text/html"));
    assert_eq!((answer.code, &answer.json()["error"]["kind"]), (406, &Value::from("NotAcceptable")));
}

#[test]
fn rich_call_data_stands_beside_the_verdict() {
    // E17, E19, G27.
    let stand = Stand::plain();
    let rcd = identity(json!({"ppt": "rcd", "claims": {"rcd": {"nam": "Twill"}, "crn": "Your delivery"}}));
    let call = json!({"identity": [good(), rcd], "from": "12155550112", "to": "12155550131"});
    let verdict = stand.post(VERIFY, &call).json();
    assert_eq!((&verdict["verdict"], &verdict["attest"]), (&json!("passed"), &json!("A")));
    let expected = json!([{"passport": 1, "status": "verified", "reason": null, "name": "Twill", "alternate_number": null,
        "call_reason": "Your delivery", "icon": null, "card": null, "missing": []}]);
    assert_eq!(verdict["rich_call_data"], expected);
    let plain = json!({"identity": good(), "from": "12155550112", "to": "12155550131"});
    assert_eq!(stand.post(VERIFY, &plain).json().get("rich_call_data"), None);
}

#[test]
fn the_verdict_is_the_verifiers_own() {
    // One object, whoever prints it.
    let stand = Stand::plain();
    let call = json!({"identity": good(), "from": "12155550112", "to": "12155550131"});
    let mut served = stand.post(VERIFY, &call).json();
    assert_eq!(served.as_object_mut().unwrap().remove("treatment").unwrap()["action"], "tag");
    let call =
        stirtrace::sip::JsonCall::parse(&call.to_string()).unwrap().into_call(&Policy::default().number_plan).unwrap();
    let verifier = Verifier::new(Policy::default());
    let mut materials = stirtrace::verify::Materials::on(std::sync::Arc::new(stand.engine.standing().trust().clone()));
    for url in verifier.missing(&call, &materials) {
        materials.add_certificate(&url, &crate::lab::archived(&url).unwrap());
    }
    let own = serde_json::to_value(verifier.verify(&call, &materials, crate::stand::now())).unwrap();
    assert_eq!(served, own);
}
