//! The 3GPP form Ms of the interface (TS 24.229 Annex V; F32): several Identity values, diversions, a result for each.

use serde_json::{Value, json};

use crate::stand::{NOW, SIGNING, Stand, good, identity, verification_of};

fn request(headers: Value) -> Value {
    json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]}, "time": NOW,
        "identityHeaders": headers}})
}

#[test]
fn each_value_gets_a_result_and_one_good_one_is_enough() {
    // RFC 8224 §6.2.1, B-V7.
    let stand = Stand::plain();
    let bad = identity(json!({"mutate": ["flip-signature-bit"]}));
    let result = stand.verification(&request(json!([bad, good()])));
    assert_eq!(result["verstat"], "TN-Validation-Passed");
    assert_eq!(result["verstatValue"], "TN-Validation-Passed");
    assert_eq!(result.get("reasonCode"), None);
    let results: Vec<&Value> =
        result["verifyResults"].as_array().unwrap().iter().map(|own| &own["verifyResult"]).collect();
    assert_eq!(results[0]["status"], "fail");
    assert_eq!(
        (&results[0]["reasonCode"], &results[0]["reasonText"]),
        (&json!(438), &json!("Invalid Identity Header"))
    );
    assert_eq!(results[0].get("validClaims"), None);
    assert_eq!((&results[1]["status"], &results[1]["ppt"]), (&json!("pass"), &json!("shaken")));
    assert_eq!(results[1]["validClaims"]["orig"]["tn"], "12155550112");
    assert!(good().starts_with(results[1]["passport"].as_str().unwrap()));
}

#[test]
fn a_value_that_stands_in_two_members_counts_once() {
    // Switches' scripts fill both, to please servers of either kind.
    let stand = Stand::plain();
    let mut both = verification_of(good());
    both["verificationRequest"]["identityHeaders"] = json!([good()]);
    assert_eq!(stand.verification(&both)["verifyResults"].as_array().unwrap().len(), 1);
    let single = json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": "12155550131"}, "time": NOW,
        "identityHeader": good()}});
    assert_eq!(stand.verification(&single)["verstatValue"], "TN-Validation-Passed");
}

#[test]
fn a_diversion_has_a_result_of_its_own() {
    // RFC 8946 §4.2, H28.
    let stand = Stand::plain();
    let div = identity(json!({"ppt": "div", "signer": "prairie"}));
    let mut diverted = request(json!([good(), div]));
    diverted["verificationRequest"]["dest"] = json!({"tn": "12155550132"});
    let result = stand.verification(&diverted);
    assert_eq!(result["verstat"], "TN-Validation-Passed", "{result}");
    assert_eq!(result["divResult"], json!([{"tn": "12155550131", "verstatValue": "TN-Validation-Passed"}]));
    let div = identity(json!({"ppt": "div", "signer": "prairie", "mutate": ["flip-signature-bit"]}));
    diverted["verificationRequest"]["identityHeaders"] = json!([good(), div]);
    let result = stand.verification(&diverted);
    assert_eq!(result["divResult"][0]["verstatValue"], "TN-Validation-Failed");
    // H28: the shaken one stands, it names whom To has.
    assert_eq!(result["verstat"], "TN-Validation-Passed");
}

#[test]
fn rich_call_data_has_a_result_of_its_own_and_leaves_the_shaken_one_alone() {
    // F32, G27, H31.
    let stand = Stand::plain();
    let digest = "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY=";
    let claims = |name: &str| json!({"rcd": {"nam": name}, "rcdi": {"/nam": digest}, "crn": "Gadgets"});
    let rcd = |name: &str| identity(json!({"ppt": "rcd", "claims": claims(name)}));
    let shown = |headers: Value| {
        let result = stand.verification(&request(headers));
        assert_eq!((&result["verstat"], result.get("reasonCode")), (&json!("TN-Validation-Passed"), None), "{result}");
        let results = result["verifyResults"].as_array().unwrap().iter();
        results.map(|own| own["verifyResult"].clone()).collect::<Vec<_>>()
    };
    let good_one = shown(json!([rcd("Q Branch Spy Gadgets"), good()]));
    assert_eq!((&good_one[0]["ppt"], &good_one[0]["status"]), (&json!("rcd"), &json!("pass")));
    assert_eq!(good_one[0]["validClaims"]["rcd"]["nam"], "Q Branch Spy Gadgets");
    let wrong = shown(json!([rcd("Q Branch Bank"), good()]));
    assert_eq!((&wrong[0]["status"], &wrong[0]["reasonCode"]), (&json!("fail"), &json!(438)));
    assert!(wrong[0]["reasonDesc"].as_str().unwrap().contains("/nam") && wrong[0].get("validClaims").is_none());
    assert_eq!(wrong[1]["status"], "pass");
    // E17: not wrong, and not known to be right: no code, and why.
    let url = "https://cards.example/q.png";
    let picture = json!({"ppt": "rcd", "claims": {"rcd": {"nam": "Q", "icn": url}, "rcdi": {"/icn": digest}}});
    let unchecked = shown(json!([identity(picture), good()]));
    assert_eq!((&unchecked[0]["status"], unchecked[0].get("reasonCode")), (&json!("fail"), None));
    assert!(unchecked[0]["reasonDesc"].as_str().unwrap().contains("was not fetched"), "{unchecked:?}");
    // E19: a claim that is not what was signed is none of the valid ones.
    let beside = shown(json!([identity(json!({"claims": claims("Q Branch Bank")}))]));
    assert_eq!((&beside[0]["status"], &beside[0]["validClaims"]["attest"]), (&json!("pass"), &json!("A")));
    assert!(["rcd", "rcdi", "crn"].iter().all(|claim| beside[0]["validClaims"].get(claim).is_none()), "{beside:?}");
    let beside = shown(json!([identity(json!({"claims": claims("Q Branch Spy Gadgets")}))]));
    assert_eq!(beside[0]["validClaims"]["crn"], "Gadgets");
    // E5 where there is nothing else: it attests nothing.
    let alone = stand.verification(&request(json!([rcd("Q Branch Spy Gadgets")])));
    assert_eq!((&alone["verstat"], &alone["reasonCode"]), (&json!("No-TN-Validation"), &json!(438)));
}

#[test]
fn a_type_that_is_not_verified_here_says_so() {
    // B-V1, A23: it speaks neither for nor against the call.
    let stand = Stand::plain();
    let rph = identity(json!({"ppt": "rph", "claims": {"rph": {"auth": ["ets.0"]}}}));
    let result = stand.verification(&request(json!([rph, good()])));
    assert_eq!(result["verstat"], "TN-Validation-Passed");
    let own = &result["verifyResults"][0]["verifyResult"];
    assert_eq!((&own["ppt"], &own["status"], &own["reasonCode"]), (&json!("rph"), &json!("fail"), &json!(428)));
    assert!(own["reasonDesc"].as_str().unwrap().contains("not verified here"));
    // E5 where there is nothing else.
    assert_eq!(stand.verification(&request(json!([rph])))["reasonCode"], 438);
}

#[test]
fn a_request_to_sign_may_name_the_type_and_only_shaken_is_signed() {
    let stand = Stand::plain();
    let mut request = json!({"signingRequest": {"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": NOW,
        "orig": {"tn": "12155550112"}, "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11", "ppt": "shaken"}});
    let response = stand.post(SIGNING, &request).json()["signingResponse"].clone();
    assert_eq!(response["identity"], response["identityHeader"]);
    for ppt in ["div", "rph", "Shaken"] {
        request["signingRequest"]["ppt"] = json!(ppt);
        let (id, _, variables) = stand.post(SIGNING, &request).exception();
        assert_eq!((id.as_str(), variables[0].as_str()), ("SVC4005", "ppt"));
        assert!(variables[1].contains("only PASSporTs of type shaken are signed here"), "{variables:?}");
    }
    request["signingRequest"]["ppt"] = json!("shaken");
    request["signingRequest"]["div"] = json!({"tn": "12155550132"});
    assert_eq!(stand.post(SIGNING, &request).exception().2[0], "div");
}
