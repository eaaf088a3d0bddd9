//! ATIS-1000082, `POST /stir/v1/verification`: every case of its table (F34), through HTTP.

use serde_json::{Value, json};

use crate::stand::{NOW, Setup, Stand, good, identity, verification_of};

/// A case: what the Identity value is, and what is answered.
struct Case {
    name: &'static str,
    request: Value,
    code: u16,
    text: &'static str,
    description: &'static str,
    verstat: &'static str,
}

const NONE: &str = "No-TN-Validation";
const FAILED: &str = "TN-Validation-Failed";
const STALE: (u16, &str) = (403, "Stale Date");
const INFO: (u16, &str) = (436, "Bad identity Info");
const CREDENTIAL: (u16, &str) = (437, "Unsupported credential");
const HEADER: (u16, &str) = (438, "Invalid Identity Header");

fn case(
    name: &'static str,
    odd: Value,
    (code, text): (u16, &'static str),
    description: &'static str,
    verstat: &'static str,
) -> Case {
    Case { name, request: verification_of(identity(odd)), code, text, description, verstat }
}

fn with(mut case: Case, member: &str, value: Value) -> Case {
    case.request["verificationRequest"][member] = value;
    case
}

fn cases() -> Vec<Case> {
    let missing = |name: &'static str, claim: &str, description| {
        case(name, json!({"claims": {claim: null}}), HEADER, description, NONE)
    };
    vec![
        with(case("E3 old", json!({}), STALE, "Received 'time' value is not fresh.", NONE), "time", json!(NOW - 61)),
        with(case("E3 future", json!({}), STALE, "Received 'time' value is not fresh.", NONE), "time", json!(NOW + 61)),
        case(
            "E4",
            json!({"mutate": ["compact"]}),
            HEADER,
            "Identity header in compact form instead of required by SHAKEN spec full form.",
            NONE,
        ),
        case(
            "E5 parameter",
            json!({"parameters": {"ppt": "rcd"}}),
            HEADER,
            "'ppt' from PASSporT header is not 'shaken'.",
            NONE,
        ),
        case("E5 base", json!({"ppt": "base"}), HEADER, "'ppt' from PASSporT header is not 'shaken'.", NONE),
        case("E6", json!({"parameters": {"info": null}}), INFO, "Missing 'info' parameter in the 'identity'.", NONE),
        case("E7", json!({"x5u": "http://certificates.lab.example/twill.pem"}), INFO, "Invalid 'info' URI.", NONE),
        case(
            "E8",
            json!({"x5u": "https://certificates.lab.example/nobody.pem"}),
            INFO,
            "Failed to dereference 'info' URI.",
            NONE,
        ),
        case("E9 ppt", json!({"header": {"ppt": null}}), INFO, "Missing 'ppt' claim in the PASSporT header.", NONE),
        case("E9 typ", json!({"header": {"typ": null}}), INFO, "Missing 'typ' claim in the PASSporT header.", NONE),
        case("E9 alg", json!({"header": {"alg": null}}), INFO, "Missing 'alg' claim in the PASSporT header.", NONE),
        case("E9 x5u", json!({"header": {"x5u": null}}), INFO, "Missing 'x5u' claim in the PASSporT header.", NONE),
        case(
            "E10",
            json!({"header": {"x5u": "https://certificates.lab.example/other.pem"}}),
            INFO,
            "'x5u' from PASSporT header doesn't match the 'info' parameter of identity header value.",
            NONE,
        ),
        case(
            "E11",
            json!({"header": {"typ": "JWT"}}),
            CREDENTIAL,
            "'typ' from PASSporT header is not 'passport'.",
            NONE,
        ),
        case(
            "E12",
            json!({"header": {"alg": "ES384"}}),
            CREDENTIAL,
            "'alg' from PASSporT header is not 'ES256'.",
            NONE,
        ),
        case("E13", json!({"header": {"ppt": "div"}}), HEADER, "'ppt' from PASSporT header is not 'shaken'.", NONE),
        missing("E14 dest", "dest", "Missing 'dest' mandatory claim in PASSporT payload"),
        missing("E14 orig", "orig", "Missing 'orig' mandatory claim in PASSporT payload"),
        missing("E14 attest", "attest", "Missing 'attest' mandatory claim in PASSporT payload"),
        missing("E14 origid", "origid", "Missing 'origid' mandatory claim in PASSporT payload"),
        missing("E14 iat", "iat", "Missing 'iat' mandatory claim in PASSporT payload"),
        case("E15 old", json!({"iat": -61}), STALE, "'iat' from PASSporT payload is not fresh.", NONE),
        case("E15 future", json!({"iat": 61}), STALE, "'iat' from PASSporT payload is not fresh.", NONE),
        with(
            case(
                "E16 orig",
                json!({}),
                HEADER,
                "'orig' claim from PASSporT payload doesn't match the received in the verification request claim.",
                NONE,
            ),
            "from",
            json!({"tn": "12155550113"}),
        ),
        with(
            case(
                "E16 dest",
                json!({}),
                HEADER,
                "'dest' claim from PASSporT payload doesn't match the received in the verification request claim.",
                NONE,
            ),
            "to",
            json!({"tn": ["12155550139"]}),
        ),
        with(
            case(
                "E16 dest has one of two",
                json!({}),
                HEADER,
                "'dest' claim from PASSporT payload doesn't match the received in the verification request claim.",
                NONE,
            ),
            "to",
            json!({"tn": ["12155550131", "12155550139"]}),
        ),
        case("E17 chain", json!({"signer": "under-fake-root"}), CREDENTIAL, "Failed to authenticate CA.", FAILED),
        case("E17 expired", json!({"signer": "expired"}), CREDENTIAL, "Failed to authenticate CA.", FAILED),
        case("E17 revoked", json!({"signer": "revoked"}), CREDENTIAL, "Failed to authenticate CA.", FAILED),
        case("E18", json!({"mutate": ["flip-signature-bit"]}), HEADER, "Signature validation failed.", FAILED),
        case("E18 DER", json!({"mutate": ["der-signature"]}), HEADER, "Signature validation failed.", FAILED),
        case("E19", json!({"claims": {"attest": "D"}}), HEADER, "'attest' claim in PASSporT is not valid.", NONE),
    ]
}

#[test]
fn every_case_of_the_table_is_answered_as_it_says() {
    let stand = Stand::plain();
    for case in cases() {
        let expected = json!({"verstat": case.verstat, "reasonCode": case.code, "reasonText": case.text,
            "reasonDesc": case.description});
        assert_eq!(stand.verification(&case.request), expected, "{}", case.name);
    }
}

#[test]
fn the_first_step_that_fails_decides() {
    // F34: time, identity syntax, JOSE header, payload, parties, dereference, certificate, signature. Each value has
    // the fault of its own step and of all that come after it.
    let stand = Stand::plain();
    let faults = [
        json!({"claims": {"attest": "D"}, "mutate": ["flip-signature-bit"], "signer": "under-fake-root"}),
        json!({"iat": -90, "claims": {"attest": "D"}, "mutate": ["flip-signature-bit"]}),
        json!({"claims": {"origid": null, "attest": "D"}, "iat": -90}),
        json!({"header": {"ppt": "div"}, "claims": {"origid": null}}),
        json!({"header": {"alg": "none", "ppt": "div"}, "claims": {"origid": null}}),
        json!({"header": {"typ": "JWT", "alg": "none", "ppt": "div"}}),
        json!({"header": {"x5u": "https://a.example/b", "typ": "JWT", "alg": "none", "ppt": "div"}}),
    ];
    let descriptions: Vec<String> = faults
        .into_iter()
        .map(|fault| {
            let mut request = verification_of(identity(fault));
            request["verificationRequest"]["to"] = json!({"tn": ["12155550139"]});
            stand.verification(&request)["reasonDesc"].as_str().unwrap().to_owned()
        })
        .collect();
    let begins = ["'attest'", "'iat'", "Missing 'origid'", "'ppt'", "'alg'", "'typ'", "'x5u'"];
    for (description, begin) in descriptions.iter().zip(begins) {
        assert!(description.starts_with(begin), "{description} where {begin} is wanted");
    }
    let mut stale = verification_of(identity(json!({"mutate": ["compact"]})));
    stale["verificationRequest"]["time"] = json!(NOW - 3600);
    assert_eq!(stand.verification(&stale)["reasonCode"], 403);
}

#[test]
fn a_good_call_passes_without_a_reason() {
    // F31: the reason's members are absent.
    let stand = Stand::plain();
    assert_eq!(stand.verification(&verification_of(good())), json!({"verstat": "TN-Validation-Passed"}));
}

#[test]
fn iat_is_held_against_the_time_of_the_request() {
    // E15: |iat - time|, whatever the clock says.
    let stand = Stand::plain();
    let mut request = verification_of(identity(json!({"iat": -100})));
    request["verificationRequest"]["time"] = json!(NOW - 50);
    assert_eq!(stand.verification(&request)["verstat"], "TN-Validation-Passed");
    let mut request = verification_of(identity(json!({"iat": 30})));
    request["verificationRequest"]["time"] = json!(NOW - 50);
    assert_eq!(stand.verification(&request)["reasonDesc"], "'iat' from PASSporT payload is not fresh.");
}

#[test]
fn names_are_read_in_either_spelling_and_written_as_configured() {
    // F31.
    let stand = Setup::new("[service.atis82]\nreason_names = \"reasoncode\"\nattestation = true").start();
    let bad = json!({"verificationrequest": {"FROM": {"TN": "+1 (215) 555-0112".replace(' ', "")}, "To": {"tn": "12155550131"},
        "Time": NOW, "Identity": identity(json!({"mutate": ["flip-signature-bit"]}))}});
    let expected = json!({"verstat": FAILED, "reasoncode": 438, "reasontext": "Invalid Identity Header",
        "reasondesc": "Signature validation failed.", "attest": "A", "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"});
    assert_eq!(stand.verification(&bad), expected);
}

#[test]
fn numbers_are_canonical_before_they_are_compared() {
    // G3, G4.
    let stand = Stand::plain();
    let mut request = verification_of(good());
    request["verificationRequest"]["from"] = json!({"tn": "+1-215-555-0112"});
    request["verificationRequest"]["to"] = json!({"tn": ["(215)555-0131"]});
    assert_eq!(stand.verification(&request)["verstat"], "TN-Validation-Passed");
}

#[test]
fn a_value_that_was_folded_or_joined_is_read() {
    // Kamailio hands a folded header over with its line ends in it, and joined ones as one.
    let stand = Stand::plain();
    let folded = good().replace(';', "\r\n\t;");
    assert_eq!(stand.verification(&verification_of(folded))["verstat"], "TN-Validation-Passed");
    let bad = identity(json!({"mutate": ["flip-signature-bit"]}));
    for joined in [format!("{bad}, {}", good()), format!("{},{bad}", good())] {
        assert_eq!(stand.verification(&verification_of(joined))["verstat"], "TN-Validation-Passed");
    }
}
