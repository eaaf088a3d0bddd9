//! `[service.treatment]` over HTTP: what ATIS-1000082 can say of it, and what `/v1/verify` says of it whole.

use serde_json::{Value, json};

use crate::access::{TOKENS, claims, public_key, token};
use crate::stand::{NOW, Request, Setup, Stand, VERIFICATION, good, identity, verification_of};

fn forged() -> String {
    identity(json!({"mutate": ["flip-signature-bit"]}))
}

fn with(settings: &str) -> Stand {
    Setup::new(&format!("[service.treatment]\n{settings}")).start()
}

/// What is answered to a call under these settings.
fn treated(settings: &str, identity: impl Into<Value>) -> Value {
    with(settings).verification(&verification_of(identity))
}

#[test]
fn verstat_is_spelled_as_configured() {
    // F9, F31: the plain values unless the carrier wants the other form, in both members alike (F32).
    let stand = with("verstat = \"with-attestation\"");
    assert_eq!(stand.verification(&verification_of(good())), json!({"verstat": "TN-Validation-Passed-A"}));
    let b = identity(json!({"claims": {"attest": "B"}}));
    assert_eq!(stand.verification(&verification_of(b))["verstat"], "TN-Validation-Passed-B");
    assert_eq!(stand.verification(&verification_of(forged()))["verstat"], "TN-Validation-Failed");
    let ms = stand.verification(&verification_of(json!([good(), forged()])));
    assert_eq!(
        (&ms["verstat"], &ms["verstatValue"]),
        (&json!("TN-Validation-Passed-A"), &json!("TN-Validation-Passed-A"))
    );
}

#[test]
fn what_is_rejected_without_a_code_keeps_the_standards_case() {
    // F34: the code is the one of its table, by its own order of steps.
    let plain = Stand::plain();
    for odd in [
        json!({"mutate": ["flip-signature-bit"]}),
        json!({"iat": -90}),
        json!({"ppt": "base"}),
        json!({"header": {"typ": "JWT", "alg": "none"}, "claims": {"origid": null}}),
    ] {
        let request = verification_of(identity(odd.clone()));
        let rejected = with("otherwise = \"reject\"").verification(&request);
        assert_eq!(rejected, plain.verification(&request), "{odd}");
    }
    // Where the table has none, it is that of the policy.
    let passed = treated("otherwise = \"reject\"", good());
    let wanted = json!({"verstat": "TN-Validation-Passed", "reasonCode": 403, "reasonText": "Forbidden",
        "reasonDesc": "no rule fits, and others are rejected: reject"});
    assert_eq!(passed, wanted);
}

#[test]
fn a_rule_that_rejects_with_a_code_has_it_told() {
    let rules = "[[service.treatment.rule]]\nerror = \"H26\"\naction = \"reject\"\ncode = 603\nphrase = \"Network Blocked\"\n\
                 [[service.treatment.rule]]\nverdict = \"passed\"\nattest = \"C\"\naction = \"reject\"\ncode = 608\n";
    let stand = with(rules);
    let rejected = stand.verification(&verification_of(forged()));
    let wanted = json!({"verstat": "TN-Validation-Failed", "reasonCode": 603, "reasonText": "Network Blocked",
        "reasonDesc": "Signature validation failed."});
    assert_eq!(rejected, wanted);
    let gateway = stand.verification(&verification_of(identity(json!({"claims": {"attest": "C"}}))));
    let wanted = json!({"verstat": "TN-Validation-Passed", "reasonCode": 608, "reasonText": "Rejected",
        "reasonDesc": "rule 2 (verdict passed, attest C): reject"});
    assert_eq!(gateway, wanted);
    assert_eq!(stand.verification(&verification_of(good())), json!({"verstat": "TN-Validation-Passed"}));
    let counts = stand.get("/metrics").text();
    assert!(counts.contains("stirtrace_treatments_total{action=\"reject\"} 2"), "{counts}");
    assert!(counts.contains("stirtrace_treatments_total{action=\"tag\"} 1"), "{counts}");
}

#[test]
fn a_call_that_continues_as_it_is_gets_nothing_added() {
    // E22, F31: no code for a Reason field, and the one verstat that says nothing; the standard wants one.
    let settings = "otherwise = \"continue\"\n[service.atis82]\nattestation = true";
    let nothing = json!({"verstat": "No-TN-Validation", "attest": null, "origid": null});
    assert_eq!(treated(settings, forged()), nothing);
    assert_eq!(treated(settings, good()), nothing);
    // E21, E25: without Reason fields there is nothing to make one of.
    assert_eq!(treated("reason = \"none\"", forged()), json!({"verstat": "TN-Validation-Failed"}));
    assert_eq!(treated("reason = \"SIP\"", forged())["reasonCode"], 438, "who asks writes the field");
}

#[test]
fn what_was_signed_for_somebody_else_is_worth_what_the_policy_says() {
    // F24, E16.
    let elsewhere = || identity(json!({"claims": {"dest": {"tn": ["12155550199"]}}}));
    let wanted = Stand::plain().verification(&verification_of(elsewhere()));
    assert_eq!((&wanted["verstat"], &wanted["reasonCode"]), (&json!("No-TN-Validation"), &json!(438)));
    assert_eq!(treated("diverted = \"unverified\"", elsewhere()), wanted);
    let passed = treated("diverted = \"passed\"\nverstat = \"with-attestation\"", elsewhere());
    assert_eq!(passed, json!({"verstat": "TN-Validation-Passed-A"}));
    // No rule rejects it then.
    let strict = "diverted = \"unverified\"\notherwise = \"reject\"";
    assert_eq!(treated(strict, elsewhere()), wanted);
}

#[test]
fn what_was_not_judged_is_not_treated() {
    // E3 and the exceptions (F33) come before any verdict.
    let stand = with("otherwise = \"continue\"");
    let mut stale = verification_of(good());
    stale["verificationRequest"]["time"] = json!(NOW - 61);
    assert_eq!(stand.verification(&stale)["reasonCode"], 403);
    assert_eq!(stand.post(VERIFICATION, &verification_of("no identity")).exception().0, "SVC4005");
}

#[test]
fn peers_are_known_by_address_or_by_what_they_show() {
    let peers = "[[service.treatment.peer]]\nname = \"this machine\"\naddresses = \"127.0.0.0/8\"\n\
                 verstat = \"with-attestation\"\n[[service.treatment.peer]]\nname = \"SBC\"\nclients = \"sbc-1\"\n\
                 otherwise = \"continue\"\n";
    assert_eq!(treated(peers, good())["verstat"], "TN-Validation-Passed-A");
    let settings = format!("{TOKENS}\n[service.treatment]\n{peers}");
    let stand = Setup::new(&settings).with_token_keys("gateway.pem", public_key("quarry").as_bytes()).start();
    let body = verification_of(good()).to_string();
    let ask = |claims: &Value| {
        let request = Request::new(VERIFICATION, body.as_bytes());
        let answer = stand.ask(&request.with("Authorization", &format!("Bearer {}", token(claims))));
        answer.json()["verificationResponse"]["verstat"].clone()
    };
    assert_eq!(ask(&claims("verify")), "No-TN-Validation");
    let mut other = claims("verify");
    other["sub"] = json!("sbc-2");
    assert_eq!(ask(&other), "TN-Validation-Passed", "who shows a name is not known by where it is");
}

#[test]
fn the_whole_treatment_stands_beside_the_whole_verdict() {
    // H19, RFC 5079: 433 for who names nobody; H2: 428 for who signs nothing; E21, E25: Reason in the carrier's words.
    let stand =
        with("reject_anonymous = true\nrequire_identity = true\nreason = \"SIP\"\nverstat = \"with-attestation\"");
    let treatment = |call: Value| stand.post("/v1/verify", &call).json()["treatment"].clone();
    let good = treatment(json!({"identity": good(), "from": "12155550112", "to": "12155550131"}));
    let wanted = json!({"action": "tag", "response": null, "verstat": "TN-Validation-Passed-A", "attest": "A",
        "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11", "diverted": false, "priority": null, "strip": [],
        "reasons": [], "because": "no rule fits: tag"});
    assert_eq!(good, wanted);
    let forged = treatment(json!({"identity": forged(), "from": "12155550112", "to": "12155550131"}));
    assert_eq!(forged["reasons"], json!(["SIP ;cause=438 ;text=\"Invalid Identity Header\""]));
    assert_eq!((&forged["attest"], &forged["verstat"]), (&json!(null), &json!("TN-Validation-Failed")));
    let unsigned = treatment(json!({"from": "12155550112", "to": "12155550131"}));
    let response = json!({"code": 428, "reason": "Use Identity Header"});
    assert_eq!((&unsigned["action"], &unsigned["response"]), (&json!("reject"), &response));
    let invite = "INVITE sip:+12155550131@prairie.example SIP/2.0\r\nFrom: <sip:anonymous@anonymous.invalid>;tag=1\r\n\
        To: <sip:+12155550131@prairie.example>\r\nCall-ID: 8@twill.example\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    let answer = stand.ask(&Request::new("/v1/verify", invite.as_bytes()).with("Content-Type", "message/sip"));
    let response = json!({"code": 433, "reason": "Anonymity Disallowed"});
    assert_eq!(answer.json()["treatment"]["response"], response);
    // E9: whose priority nobody may authorise goes on as an ordinary call.
    let rph = || identity(json!({"ppt": "rph"}));
    for (asked, verstat, strip) in [
        (json!("ets.0"), "RPH-Validation-Passed", json!([])),
        (json!(["ets.0", "wps.0"]), "RPH-Validation-Failed", json!(["Resource-Priority"])),
    ] {
        let call = json!({"identity": [crate::stand::good(), rph()], "from": "12155550112", "to": "12155550131", "resource_priority": asked});
        let treatment = treatment(call);
        assert_eq!((&treatment["priority"], &treatment["strip"]), (&json!(verstat), &strip));
        assert_eq!((&treatment["action"], &treatment["verstat"]), (&json!("tag"), &json!("TN-Validation-Passed-A")));
    }
}
