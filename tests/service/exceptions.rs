//! ATIS-1000082: service and policy exceptions (F29, F33), through HTTP, with their exact texts.

use serde_json::{Value, json};

use crate::stand::{NOW, Request, SIGNING, Setup, Stand, VERIFICATION, good, verification_of};

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// What is asked, and the status, id, text and variables of its answer.
type Case<'a> = (&'a str, Request<'a>, u16, &'a str, &'a str, Vec<&'a str>);

#[test]
fn every_exception_has_its_status_its_id_and_its_text() {
    let stand = Stand::plain();
    let body = text(&verification_of(good()));
    let post = |path, body| Request::new(path, body);
    let cases: Vec<Case<'_>> = vec![
        ("no body", post(VERIFICATION, b""), 400, "SVC4000", "Missing request body", vec![]),
        (
            "nothing asked",
            post(VERIFICATION, b"{}"),
            400,
            "SVC4001",
            "Missing mandatory parameter '%1'",
            vec!["verificationRequest"],
        ),
        (
            "another type wanted",
            post(VERIFICATION, &body).with("Accept", "application/xml"),
            406,
            "SVC4002",
            "Requested response body type '%1' is not supported",
            vec!["application/xml"],
        ),
        ("another resource", post("/stir/v1/other", &body), 404, "SVC4003", "Requested resource was not found", vec![]),
        (
            "another type sent",
            post(VERIFICATION, &body).with("Content-Type", "text/plain"),
            415,
            "SVC4004",
            "Unsupported request body type, expected '%1'",
            vec!["application/json"],
        ),
        (
            "no type sent",
            post(VERIFICATION, &body).without("Content-Type"),
            415,
            "SVC4004",
            "Unsupported request body type, expected '%1'",
            vec!["application/json"],
        ),
        (
            "no JSON",
            post(VERIFICATION, b"{\"verificationRequest\":"),
            400,
            "SVC4006",
            "Failed to parse received message body: %1",
            vec!["EOF while parsing a value at line 1 column 23"],
        ),
        (
            "no length",
            post(VERIFICATION, b"").without("Content-Length"),
            411,
            "SVC4007",
            "Missing mandatory Content-Length header",
            vec![],
        ),
        (
            "another method",
            Request { method: "PUT", ..post(VERIFICATION, &body) },
            405,
            "POL4050",
            "Method not allowed",
            vec![],
        ),
        (
            "another method",
            Request { method: "DELETE", ..post(SIGNING, b"") },
            405,
            "POL4050",
            "Method not allowed",
            vec![],
        ),
    ];
    for (name, request, code, id, text, variables) in cases {
        let answer = stand.ask(&request);
        let (own_id, own_text, own_variables) = answer.exception();
        assert_eq!((answer.code, own_id.as_str(), own_text.as_str()), (code, id, text), "{name}: {answer:?}");
        assert_eq!(own_variables, variables, "{name}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
        assert!(answer.header("x-requestid").is_some(), "{name}");
    }
    let put = stand.ask(&Request { method: "PUT", ..Request::new(VERIFICATION, b"") });
    assert_eq!(put.header("allow"), Some("POST"));
}

#[test]
fn a_chunked_body_has_no_length() {
    // F29: Content-Length is required.
    let stand = Stand::plain();
    let request = Request::new(VERIFICATION, b"2\r\n{}\r\n0\r\n\r\n")
        .with("Transfer-Encoding", "chunked")
        .without("Content-Length");
    assert_eq!(stand.ask(&request).exception().0, "SVC4007");
}

#[test]
fn a_missing_parameter_is_named_in_the_order_of_the_standard() {
    // E1, SVC4001.
    let stand = Stand::plain();
    let whole = verification_of(good());
    let mut request = json!({"verificationRequest": {}});
    for name in ["from", "to", "time", "identity"] {
        let answer = stand.post(VERIFICATION, &request);
        assert_eq!(
            (answer.code, answer.exception().0.as_str(), answer.exception().2),
            (400, "SVC4001", vec![name.to_owned()])
        );
        request["verificationRequest"][name] = whole["verificationRequest"][name].clone();
    }
    assert_eq!(stand.post(VERIFICATION, &request).code, 200);
    let mut request = json!({"signingRequest": {}});
    let signing = json!({"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": NOW, "orig": {"tn": "12155550112"},
        "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"});
    for name in ["attest", "dest", "iat", "orig", "origid"] {
        assert_eq!(stand.post(SIGNING, &request).exception().2, [name]);
        request["signingRequest"][name] = signing[name].clone();
    }
    assert_eq!(stand.post(SIGNING, &request).code, 200);
}

#[test]
fn a_parameter_that_cannot_be_is_named_with_what_is_wrong_with_it() {
    // E2, SVC4005.
    let stand = Stand::plain();
    let cases = [
        ("from", json!({"tn": "call me"}), "from.tn", "other characters"),
        ("from", json!({"tn": ["12155550112", "12155550113"]}), "from", "more than one"),
        ("from", json!("12155550112"), "from", "a string where an object belongs"),
        ("from", json!({"uri": "sip:anonymous@anonymous.invalid"}), "from.uri", "names somebody"),
        ("to", json!({"tn": [7]}), "to.tn", "a number where a string belongs"),
        ("to", json!({"tn": "+"}), "to.tn", "no telephone number"),
        ("time", json!("1777896001"), "time", "a string where"),
        ("time", json!(1.5), "time", "no whole number"),
        ("time", json!(18_446_744_073_709_551_615_u64), "time", "no whole number"),
        ("identity", json!(7), "identity", "a number where a string belongs"),
        ("identity", json!("nothing of the kind"), "identity", ""),
        ("identity", json!("a.b;info=<https://a.example/b>"), "identity", ""),
        ("identity", json!(vec!["a.b.c;info=<https://a.example/b>"; 17]), "identity", "more than 16"),
        ("callId", json!(7), "callId", "a number where a string belongs"),
    ];
    for (name, value, parameter, word) in cases {
        let mut request = verification_of(good());
        request["verificationRequest"][name] = value.clone();
        let answer = stand.post(VERIFICATION, &request);
        let (id, text, variables) = answer.exception();
        assert_eq!(
            (answer.code, id.as_str(), text.as_str()),
            (400, "SVC4005", "Invalid '%1' parameter value: %2"),
            "{value}"
        );
        assert_eq!(variables[0], parameter, "{value}");
        assert!(variables[1].contains(word), "{value}: {variables:?}");
    }
}

#[test]
fn a_member_that_stands_twice_is_refused_in_any_spelling() {
    // RFC 8259 §4: readers differ in which one they take.
    let stand = Stand::plain();
    for body in [
        r#"{"verificationRequest":{"time":1,"time":2}}"#,
        r#"{"verificationRequest":{"time":1,"Time":2}}"#,
        r#"{"verificationRequest":{},"verificationrequest":{}}"#,
    ] {
        let (id, _, variables) = stand.ask(&Request::new(VERIFICATION, body.as_bytes())).exception();
        assert_eq!(id, "SVC4006");
        assert!(variables[0].contains("stands twice"), "{variables:?}");
    }
}

#[test]
fn without_roots_nothing_can_be_said() {
    // H32, POL5000; what is wrong without any root is still said.
    let stand = Setup::new("").without_trust().start();
    let answer = stand.post(VERIFICATION, &verification_of(good()));
    let exception = ("POL5000".to_owned(), "Internal Server Error. Please try again later".to_owned(), vec![]);
    assert_eq!((answer.code, answer.exception()), (500, exception));
    let stale = crate::stand::identity(json!({"iat": -3600}));
    assert_eq!(stand.verification(&verification_of(stale))["reasonCode"], 403);
}

#[test]
fn a_request_keeps_its_name_and_one_without_gets_one() {
    // F29.
    let stand = Stand::plain();
    let body = text(&verification_of(good()));
    let own = stand.ask(&Request::new(VERIFICATION, &body).with("X-RequestID", "AA97B177-9383-4934-8543-0F91A7A02836"));
    assert_eq!(own.header("x-requestid"), Some("AA97B177-9383-4934-8543-0F91A7A02836"));
    let long = "x".repeat(4000);
    for bad in ["", "two words", long.as_str()] {
        let made = stand.ask(&Request::new(VERIFICATION, &body).with("X-RequestID", bad));
        assert_eq!(made.header("x-requestid").map(str::len), Some(36), "{bad:?}");
    }
}
