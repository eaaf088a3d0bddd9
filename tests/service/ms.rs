//! The 3GPP form Ms of the interface (TS 24.229 Annex V; F32): several Identity values, diversions and
//! priorities, a result for each; and what it signs.

use serde_json::{Value, json};

use stirtrace::passport::Passport;

use crate::access::{TOKENS, claims, public_key, token};
use crate::stand::{NOW, Request, SIGNING, Setup, Stand, VERIFICATION, good, identity, verification_of};

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
    let other = identity(json!({"ppt": "msg"}));
    let result = stand.verification(&request(json!([other, good()])));
    assert_eq!(result["verstat"], "TN-Validation-Passed");
    let own = &result["verifyResults"][0]["verifyResult"];
    assert_eq!((&own["ppt"], &own["status"], &own["reasonCode"]), (&json!("msg"), &json!("fail"), &json!(428)));
    assert!(own["reasonDesc"].as_str().unwrap().contains("not verified here"));
    // E5 where there is nothing else.
    assert_eq!(stand.verification(&request(json!([other])))["reasonCode"], 438);
}

/// A request about a call that asks for this priority.
fn asking(headers: Value, fields: Value) -> Value {
    let mut asking = request(headers);
    asking["verificationRequest"]["protectedHeaders"] = fields;
    asking
}

#[test]
fn a_priority_has_a_verstat_of_its_own() {
    // RFC 8443 §4.2, RFC 9027 §4; H30: whatever becomes of it, the caller's number is judged by the shaken one.
    let stand = Stand::plain();
    let rph = || identity(json!({"ppt": "rph"}));
    let forged = || identity(json!({"ppt": "rph", "mutate": ["flip-signature-bit"]}));
    let callback = || identity(json!({"ppt": "rph", "claims": {"rph": {"auth": ["esnet.0"]}, "sph": "psap-callback"}}));
    let garbled = || identity(json!({"ppt": "rph", "claims": {"rph": {"auth": []}}}));
    let ets = json!({"Resource-Priority": "ETS.0"});
    let cases = [
        (json!([good(), rph()]), ets.clone(), "RPH-Validation-Passed", Value::Null),
        // What was not told was not held against anything.
        (json!([good(), rph()]), Value::Null, "No-RPH-Validation", Value::Null),
        (json!([good(), callback()]), json!({"Resource-Priority": "esnet.0"}), "No-RPH-Validation", Value::Null),
        (
            json!([good(), rph()]),
            json!({"resource-priority": ["ets.0", "wps.0"]}),
            "RPH-Validation-Failed",
            Value::Null,
        ),
        (json!([good(), rph()]), json!({"Resource-Priority": "ets.1"}), "RPH-Validation-Failed", json!(438)),
        (json!([good(), forged()]), ets.clone(), "RPH-Validation-Failed", json!(438)),
        (
            json!([good(), identity(json!({"ppt": "rph", "iat": -61}))]),
            ets.clone(),
            "RPH-Validation-Failed",
            json!(438),
        ),
        (json!([good(), garbled()]), ets.clone(), "RPH-Validation-Failed", json!(438)),
        (
            json!([good(), callback()]),
            json!({"Resource-Priority": "esnet.0", "Priority": "psap-callback"}),
            "RPH-Validation-Passed",
            Value::Null,
        ),
        (
            json!([good(), callback()]),
            json!({"Resource-Priority": "esnet.0", "Priority": "emergency"}),
            "RPH-Validation-Failed",
            json!(438),
        ),
        (
            json!([good(), identity(json!({"ppt": "rph", "x5u": "https://certificates.lab.example/absent.pem"}))]),
            ets.clone(),
            "No-RPH-Validation",
            json!(436),
        ),
    ];
    for (headers, fields, verstat, code) in cases {
        let result = stand.verification(&asking(headers, fields.clone()));
        assert_eq!(result["verstatPriority"], verstat, "{fields} {result}");
        assert_eq!((&result["verstat"], result.get("reasonCode")), (&json!("TN-Validation-Passed"), None), "{fields}");
        let own = &result["verifyResults"][1]["verifyResult"];
        assert_eq!((&own["ppt"], &own["reasonCode"]), (&json!("rph"), &code), "{fields} {own}");
        assert_eq!(own["status"], if code.is_null() { "pass" } else { "fail" });
        assert_eq!(own["validClaims"]["rph"]["auth"].is_array(), code.is_null());
    }
    // Nobody signed what is asked for; nobody asked for anything.
    assert_eq!(stand.verification(&asking(json!([good(), good()]), ets))["verstatPriority"], "No-RPH-Validation");
    assert_eq!(stand.verification(&request(json!([good()]))).get("verstatPriority"), None);
    // E5: an rph says nothing of who calls.
    let alone = stand.verification(&request(json!([rph()])));
    assert_eq!((&alone["verstat"], &alone["reasonCode"]), (&json!("No-TN-Validation"), &json!(438)));
    assert_eq!(alone["verstatPriority"], "No-RPH-Validation");
}

#[test]
fn fields_that_cannot_be_read_are_named() {
    let stand = Stand::plain();
    for (fields, parameter) in [
        (json!("ets.0"), "protectedHeaders"),
        (json!({"Resource-Priority": 0}), "protectedHeaders.Resource-Priority"),
        (json!({"Resource-Priority": ["ets.0", null]}), "protectedHeaders.Resource-Priority"),
        (json!({"Priority": ["emergency"]}), "protectedHeaders.Priority"),
    ] {
        let (id, _, variables) = stand.post(VERIFICATION, &asking(json!([good()]), fields)).exception();
        assert_eq!((id.as_str(), variables[0].as_str()), ("SVC4005", parameter));
    }
    assert_eq!(stand.verification(&asking(json!([good()]), json!({"Via": 7})))["verstat"], "TN-Validation-Passed");
}

#[test]
fn whom_the_policy_names_may_authorise_and_nobody_else() {
    // RFC 8443 §4.1; E8, E12.
    let rph = identity(json!({"ppt": "rph"}));
    for (spc, namespaces, verstat) in [
        ("552D", "[\"wps\", \"ETS\"]", "RPH-Validation-Passed"),
        ("552D", "\"wps\"", "RPH-Validation-Failed"),
        ("771C", "\"ets\"", "RPH-Validation-Failed"),
    ] {
        let settings = format!("[[service.verification.rph_signer]]\nspc = \"{spc}\"\nnamespaces = {namespaces}\n");
        let asked = asking(json!([good(), rph]), json!({"Resource-Priority": "ets.0"}));
        let result = Setup::new(&settings).start().verification(&asked);
        assert_eq!((&result["verstatPriority"], &result["verstat"]), (&json!(verstat), &json!("TN-Validation-Passed")));
    }
}

/// The members of a request to sign.
fn signing(members: Value) -> Value {
    let mut request = json!({"dest": {"tn": ["12155550131"]}, "iat": NOW, "orig": {"tn": "12155550112"}});
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({ "signingRequest": request })
}

fn signed(stand: &Stand, request: &Value) -> String {
    let answer = stand.post(SIGNING, request);
    assert_eq!(answer.code, 200, "{answer:?}");
    let response = answer.json()["signingResponse"].clone();
    assert_eq!((response["identity"].is_string(), &response["identity"]), (true, &response["identityHeader"]));
    response["identity"].as_str().unwrap().to_owned()
}

const ORIGID: &str = "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11";

fn claims_of(identity: &str) -> Value {
    Passport::parse(identity.split(';').next().unwrap()).unwrap().claim_members().into()
}

#[test]
fn a_call_is_signed_diverted_and_verified_for_its_new_target() {
    // F32; RFC 8946 §3, §4.2; E1 to E5, F24, F26.
    let stand = Setup::new("[service.atis82]\nattestation_reason = true").with_signers(&["prairie"]).start();
    let shaken = signed(&stand, &signing(json!({"ppt": "shaken", "attest": "A", "origid": ORIGID})));
    let wanted =
        json!({"ppt": "div", "div": {"tn": "+1 215-555-0131".replace(' ', "")}, "dest": {"tn": ["12155550132"]}});
    let answer = stand.post(SIGNING, &signing(wanted.clone()));
    assert_eq!(answer.header("attestation-reason"), Some("the request says div, and no policy is configured"));
    let div = signed(&stand, &signing(wanted));
    assert!(div.ends_with(";alg=ES256;ppt=div"), "{div}");
    let expected = json!({"dest": {"tn": ["12155550132"]}, "div": {"tn": "12155550131"}, "iat": NOW, "orig": {"tn": "12155550112"}});
    assert_eq!(claims_of(&div), expected);
    let mut diverted = request(json!([shaken, div]));
    diverted["verificationRequest"]["to"] = json!({"tn": "12155550132"});
    let result = stand.verification(&diverted);
    assert_eq!(result["verstat"], "TN-Validation-Passed", "{result}");
    assert_eq!(result["divResult"], json!([{"tn": "12155550131", "verstatValue": "TN-Validation-Passed"}]));
    diverted["verificationRequest"]["identityHeaders"] = json!([shaken]);
    assert_eq!(stand.verification(&diverted)["reasonCode"], 438);
}

#[test]
fn a_priority_is_signed_where_the_configuration_says_so_and_verified() {
    // F32; RFC 8443 §3, §4; RFC 9027; E8 to E10.
    let stand = Setup::new("").with_signers(&["prairie", "twill"]).authorising(&["ets", "WPS", "esnet"], &[]).start();
    let rph = signed(&stand, &signing(json!({"ppt": "rph", "rph": {"auth": ["ETS.0", "wps.0"]}})));
    assert!(rph.ends_with(";ppt=rph"), "{rph}");
    assert_eq!(claims_of(&rph)["rph"], json!({"auth": ["ets.0", "wps.0"]}));
    let result = stand.verification(&asking(json!([good(), rph]), json!({"Resource-Priority": "ets.0, wps.0"})));
    assert_eq!(result["verstatPriority"], "RPH-Validation-Passed", "{result}");
    let wanted = json!({"ppt": "rph", "rph": {"auth": ["esnet.1"]}, "dest": {"uri": "urn:service:sos"}});
    assert_eq!(claims_of(&signed(&stand, &signing(wanted)))["dest"], json!({"uri": ["urn:service:sos"]}));
    let callback = signing(json!({"ppt": "rph", "rph": {"auth": "esnet.0"}, "sph": "psap-callback"}));
    assert_eq!(claims_of(&signed(&stand, &callback))["sph"], "psap-callback");
}

#[test]
fn priorities_are_refused_unless_a_signer_may_authorise_them_for_the_client() {
    // E8; POL0001: whatever the attestation policy says of the caller.
    let wanted = signing(json!({"ppt": "rph", "rph": {"auth": ["ets.0", "wps.0"]}}));
    let trusted = "[service.signing]\ndefault = \"C\"\nrequested = \"trust\"\n";
    for (namespaces, clients, is_signed) in [
        (&[][..], &[][..], false),
        (&["ets"], &[], false),
        (&["ets", "wps"], &[], true),
        // By address nobody is a client.
        (&["ets", "wps"], &["ims-core"], false),
    ] {
        for settings in ["", trusted] {
            let answer = Setup::new(settings).authorising(namespaces, clients).start().post(SIGNING, &wanted);
            assert_eq!(answer.code, if is_signed { 200 } else { 403 }, "{namespaces:?} {clients:?} {answer:?}");
            if !is_signed {
                let (id, _, variables) = answer.exception();
                assert_eq!(id, "POL0001");
                assert_eq!(variables, ["no signer may authorise priorities of ets, wps for 127.0.0.1"]);
            }
        }
    }
    // Where nobody is named, for whom calls are signed at all: no rule fits this one, and there is no default.
    let strict = "[service.signing]\n[[service.signing.rule]]\nnumbers = \"12155550119\"\nattest = \"C\"\n";
    assert_eq!(Setup::new(strict).authorising(&["ets", "wps"], &[]).start().post(SIGNING, &wanted).code, 403);
    // Who shows a token is a client, and is named for it, whatever the rules are.
    let setup =
        Setup::new(&format!("{TOKENS}\n{strict}")).with_token_keys("gateway.pem", public_key("quarry").as_bytes());
    let stand = setup.authorising(&["ets", "wps"], &["ims-core"]).start();
    for (subject, code) in [("ims-core", 200), ("somebody", 403)] {
        let mut shown = claims("sign");
        shown["sub"] = json!(subject);
        let body = wanted.to_string();
        let asked = Request::new(SIGNING, body.as_bytes()).with("Authorization", &format!("Bearer {}", token(&shown)));
        assert_eq!(stand.ask(&asked).code, code, "{subject}");
    }
}

#[test]
fn a_diversion_is_signed_for_whom_the_policy_lets_show_the_number() {
    // E3, F24: the certificate cannot tell whose a provider's numbers are, the rules can.
    let rules = "[[service.signing.trunk]]\nname = \"tg-1\"\ncustomer = \"acme\"\naddresses = \"127.0.0.0/8\"\n\
        [[service.signing.rule]]\ncustomer = \"acme\"\nnumbers = \"12155550131\"\nattest = \"A\"\nsigner = \"prairie\"\n\
        [service.atis82]\nattestation_reason = true\n";
    let stand = Setup::new(rules).with_signers(&["twill", "prairie"]).start();
    let wanted = |div: &str| signing(json!({"ppt": "div", "div": {"tn": div}, "dest": {"tn": ["12155550133"]}}));
    let answer = stand.post(SIGNING, &wanted("12155550131"));
    assert_eq!(answer.code, 200, "{answer:?}");
    assert!(answer.text().contains("https://certificates.lab.example/prairie.pem"), "{answer:?}");
    assert!(answer.header("attestation-reason").unwrap().starts_with("rule 1 (customer acme"), "{answer:?}");
    let (id, _, variables) = stand.post(SIGNING, &wanted("12155550112")).exception();
    assert_eq!(id, "POL0001");
    assert!(variables[0].contains("no rule fits 12155550112"), "{variables:?}");
    // D8: what says nothing of the number is not enough, whatever the request asks for.
    for settings in ["default = \"C\"", "default = \"B\"\nrequested = \"trust\""] {
        let stand =
            Setup::new(&format!("[service.signing]\n{settings}\n[service.atis82]\nattestation_reason = true\n"))
                .start();
        let (id, _, variables) = stand.post(SIGNING, &wanted("12155550131")).exception();
        assert_eq!(id, "POL0001");
        assert!(variables[0].ends_with("a diversion wants A for the number that is diverted"), "{variables:?}");
    }
}

#[test]
fn what_is_wrong_in_a_request_to_sign_is_named_by_its_member() {
    // F32, F33.
    let stand = Setup::new("").authorising(&["ets", "esnet"], &[]).start();
    let div = |members: Value| {
        let mut all = json!({"ppt": "div", "div": {"tn": "12155550132"}});
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        signing(all)
    };
    let rph = |members: Value| {
        let mut all = json!({"ppt": "rph", "rph": {"auth": ["ets.0"]}});
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        signing(all)
    };
    let cases = [
        (signing(json!({"ppt": "Shaken"})), "SVC4005", "ppt", "only PASSporTs of type shaken, div and rph"),
        (signing(json!({"ppt": "div-o"})), "SVC4005", "ppt", "only PASSporTs of type shaken, div and rph"),
        (signing(json!({"ppt": 7})), "SVC4005", "ppt", "a number"),
        (signing(json!({"ppt": "shaken", "attest": "A"})), "SVC4001", "origid", ""),
        (
            signing(json!({"attest": "A", "origid": ORIGID, "div": {"tn": "12155550132"}})),
            "SVC4005",
            "div",
            "a shaken PASSporT has no such claim",
        ),
        (signing(json!({"attest": "A", "origid": ORIGID, "rph": {}})), "SVC4005", "rph", "no such claim"),
        (div(json!({"div": null})), "SVC4001", "div", ""),
        (div(json!({"div": {}})), "SVC4001", "div.tn", ""),
        (div(json!({"div": {"tn": ["12155550132", "12155550133"]}})), "SVC4005", "div", "more than one"),
        (div(json!({"div": {"tn": "alice"}})), "SVC4005", "div.tn", "other characters"),
        (div(json!({"div": "12155550132"})), "SVC4005", "div", "an object"),
        // E1, E2, F26.
        (div(json!({"div": {"tn": "2155550131"}})), "SVC4005", "dest", "before and after"),
        (div(json!({"attest": "A"})), "SVC4005", "attest", "a div PASSporT has no such claim"),
        (div(json!({"origid": ORIGID})), "SVC4005", "origid", "no such claim"),
        (div(json!({"opt": "x"})), "SVC4005", "opt", "no such claim"),
        (div(json!({"dest": null})), "SVC4001", "dest", ""),
        (div(json!({"orig": null})), "SVC4001", "orig", ""),
        // RFC 5031: a service is called, and calls nobody.
        (
            signing(json!({"attest": "A", "origid": ORIGID, "orig": {"uri": "urn:service:sos"}})),
            "SVC4005",
            "orig",
            "urn:service:sos",
        ),
        (div(json!({"iat": NOW - 61})), "SVC4005", "iat", "more than 60 s from now"),
        // E8, E10.
        (rph(json!({"rph": null})), "SVC4001", "rph", ""),
        (rph(json!({"rph": ["ets.0"]})), "SVC4005", "rph", "an object"),
        (rph(json!({"rph": {}})), "SVC4001", "rph.auth", ""),
        (rph(json!({"rph": {"auth": []}})), "SVC4001", "rph.auth", ""),
        (rph(json!({"rph": {"auth": ["ets"]}})), "SVC4005", "rph.auth", "no namespace"),
        (rph(json!({"rph": {"auth": [0]}})), "SVC4005", "rph.auth", "a string"),
        (
            rph(json!({"rph": {"auth": (0..33).map(|n| format!("ets.{n}")).collect::<Vec<_>>()}})),
            "SVC4005",
            "rph.auth",
            "more than 32",
        ),
        (rph(json!({"sph": "emergency"})), "SVC4005", "sph", "psap-callback"),
        (rph(json!({"sph": "psap-callback"})), "SVC4005", "sph", "esnet"),
        (rph(json!({"attest": "A"})), "SVC4005", "attest", "a rph PASSporT has no such claim"),
        (rph(json!({"iat": NOW + 61})), "SVC4005", "iat", "more than 60 s from now"),
    ];
    for (request, id, parameter, word) in cases {
        let (found, _, variables) = stand.post(SIGNING, &request).exception();
        assert_eq!((found.as_str(), variables[0].as_str()), (id, parameter), "{request} {variables:?}");
        assert!(variables.last().unwrap().contains(word), "{request} {variables:?}");
    }
}

#[test]
fn a_certificate_speaks_for_whom_the_call_is_diverted_from() {
    // E3: not for who calls. The member at fault is named.
    let stand = Setup::new("").with_signers(&["numbers-only"]).authorising(&["ets"], &[]).start();
    let wanted = |orig: &str, div: &str| {
        signing(json!({"ppt": "div", "div": {"tn": div}, "orig": {"tn": orig}, "dest": {"tn": ["12155550132"]}}))
    };
    assert_eq!(stand.post(SIGNING, &wanted("13125550199", "12155550112")).code, 200);
    let (id, _, variables) = stand.post(SIGNING, &wanted("12155550112", "13125550199")).exception();
    assert_eq!((id.as_str(), variables[0].as_str()), ("SVC4005", "div"));
    // F27: numbers are no authority over a namespace, whatever the configuration says; that is ours to mend.
    assert_eq!(
        stand.post(SIGNING, &signing(json!({"ppt": "rph", "rph": {"auth": ["ets.0"]}}))).exception().0,
        "POL5000"
    );
}
