use super::*;
use crate::document::Misplaced;
use crate::passport::Attestation;
use crate::service::fault::Fault;
use crate::service::scene::{
    CALLED, NOW, ORIGID, authorisation, call, identity, identity_of, invite, judge, signed_call,
};

fn read(text: &str) -> Result<TreatmentSettings, Vec<Misplaced<Fault>>> {
    TreatmentSettings::parse(text)
}

fn treat(settings: &str, call: &Call) -> Treatment {
    read(settings).unwrap().treat(call, &judge(call), Peer::Address("198.51.100.7".parse().unwrap()))
}

fn good() -> Call {
    signed_call("1", &[&identity(Attestation::A, CALLED)])
}

/// H26: another signature of the same length.
fn forged() -> Call {
    let identity = identity(Attestation::A, CALLED);
    let (token, rest) = identity.split_once(';').unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    signed_call("1", &[&format!("{signed}.{};{rest}", "Q".repeat(86))])
}

/// H16.
fn stale() -> Call {
    signed_call("1", &[&identity_of(Attestation::A, CALLED, NOW.plus_seconds(-90))])
}

fn code(treatment: &Treatment) -> Option<u16> {
    treatment.rejection.as_ref().map(|rejection| rejection.code)
}

#[test]
fn by_default_nothing_is_rejected_and_everything_tagged() {
    // F6, E22: the call completes, and what was found out goes with it.
    let passed = treat("", &good());
    assert_eq!(passed.action, Action::Tag);
    assert_eq!(passed.verstat.as_deref(), Some("TN-Validation-Passed"));
    assert_eq!((passed.attest, passed.origid.as_deref()), (Some(Attestation::A), Some(ORIGID)));
    assert_eq!((passed.reasons.len(), passed.because.as_str()), (0, "no rule fits: tag"));
    for (call, verstat) in
        [(forged(), "TN-Validation-Failed"), (stale(), "No-TN-Validation"), (signed_call("1", &[]), "No-TN-Validation")]
    {
        let treatment = treat("", &call);
        assert_eq!((treatment.action, treatment.verstat.as_deref()), (Action::Tag, Some(verstat)));
        // What is not believed is not passed on.
        assert_eq!((treatment.attest, treatment.origid, treatment.rejection), (None, None, None));
        assert_eq!(treatment.reasons.len(), call.identities.len());
    }
}

#[test]
fn a_priority_that_nobody_may_authorise_is_to_be_taken_off() {
    // RFC 8443 §4.2 (E9), H30: the call goes on as an ordinary one, and its caller's number stays validated.
    let call = |asked: &str, identities: &[&str]| {
        let identities: String = identities.iter().map(|value| format!("Identity: {value}\r\n")).collect();
        call(&invite("1", &format!("Resource-Priority: {asked}\r\n{identities}")))
    };
    let (shaken, rph) = (identity(Attestation::A, CALLED), authorisation("ets.0"));
    let passed = treat("", &call("ets.0", &[&shaken, &rph]));
    assert_eq!((passed.priority, passed.strip.len()), (Some(PriorityVerstat::RphValidationPassed), 0));
    let raised = treat("", &call("ets.0, wps.0", &[&shaken, &rph]));
    assert_eq!(
        (raised.priority, raised.strip.as_slice()),
        (Some(PriorityVerstat::RphValidationFailed), &["Resource-Priority"][..])
    );
    assert_eq!(raised.verstat.as_deref(), Some("TN-Validation-Passed"));
    // Not checked is not failed: what is signed by nobody is local policy, as before RFC 8443.
    let unsigned = treat("", &call("ets.0", &[&shaken]));
    assert_eq!((unsigned.priority, unsigned.strip.len()), (Some(PriorityVerstat::NoRphValidation), 0));
    assert_eq!(treat("", &good()).priority, None);
    // `continue` adds nothing.
    let continued = treat("otherwise = \"continue\"", &call("wps.0", &[&shaken, &rph]));
    assert_eq!((continued.priority, continued.strip.len()), (None, 0));
}

#[test]
fn rules_reject_with_the_code_of_table_h() {
    let rules = r#"
        [[rule]]
        error = ["InvalidSignature", "H20"]
        action = "reject"
        [[rule]]
        verstat = "TN-Validation-Failed"
        action = "reject"
        code = 603
        phrase = "Network Blocked"
        [[rule]]
        verdict = "passed"
        attest = ["C", "none"]
        action = "reject"
        code = 608
    "#;
    let forged = treat(rules, &forged());
    assert_eq!(forged.rejection, Some(Rejection::new(438, Some("Invalid Identity Header"))));
    assert_eq!(forged.because, "rule 1 (error InvalidSignature): reject");
    assert!(
        forged.reasons[0].starts_with("STIR ;cause=438 ;text=\"Invalid Identity Header\" ;ppi=\".."),
        "{:?}",
        forged.reasons
    );
    let gateway = signed_call("1", &[&identity(Attestation::C, CALLED)]);
    let gateway = treat(rules, &gateway);
    assert_eq!((code(&gateway), gateway.because.as_str()), (Some(608), "rule 3 (verdict passed, attest C): reject"));
    assert_eq!(treat(rules, &good()).action, Action::Tag);
    assert_eq!(treat(rules, &stale()).action, Action::Tag, "nobody asked for that");
}

#[test]
fn a_rule_without_a_code_rejects_with_the_standards() {
    let rule = "[[rule]]\naction = \"reject\"";
    for (call, code) in [
        (signed_call("1", &[]), 428),                                             // H2
        (signed_call("1", &["a.b.c;info=<https://c.example/1>;ppt=msg"]), 428),   // H3
        (signed_call("1", &["a.b.c;info=<https://c.example/1>"]), 438),           // H4
        (signed_call("1", &["..YQ;info=<https://c.example/1>;ppt=shaken"]), 438), // H5
        (good(), 403),
    ] {
        let treatment = treat(rule, &call);
        assert_eq!(treatment.rejection.map(|rejection| rejection.code), Some(code), "{:?}", judge(&call).decisive());
        assert!(treatment.because.starts_with("rule 1 (every verdict)"));
    }
}

#[test]
fn an_identity_and_a_caller_may_be_required() {
    // H2, B.7: 428 only where it is mandated.
    let unsigned = signed_call("1", &[]);
    let treatment = treat("require_identity = true", &unsigned);
    assert_eq!(treatment.rejection, Some(Rejection::new(428, Some("Use Identity Header"))));
    assert_eq!(treat("require_identity = true", &good()).action, Action::Tag);
    // H19, G24: 433 where neither P-Asserted-Identity nor From names somebody.
    let anonymous = |fields: &str| {
        let text = invite("1", fields)
            .replace("<sip:+12155550112@twill.example;user=phone>", "<sip:anonymous@anonymous.invalid>");
        treat("reject_anonymous = true", &call(&text))
    };
    assert_eq!(anonymous("").rejection, Some(Rejection::new(433, Some("Anonymity Disallowed"))));
    assert_eq!(anonymous("Privacy: id\r\nP-Asserted-Identity: <tel:+12155550112>\r\n").rejection, None);
    let bare = "[[rule]]\nerror = \"H19\"\naction = \"reject\"";
    let text = invite("1", &format!("Identity: {}\r\n", identity(Attestation::A, CALLED)));
    let text = text.replace("<sip:+12155550112@twill.example;user=phone>", "<sip:anonymous@anonymous.invalid>");
    assert_eq!(code(&treat(bare, &call(&text))), Some(433));
}

#[test]
fn what_was_signed_for_somebody_else_is_worth_what_the_policy_says() {
    // F24.
    let diverted = signed_call("1", &[&identity(Attestation::B, "12155550199")]);
    for (word, verstat, attest, is_marked) in [
        ("failed", "No-TN-Validation", None, true),
        ("unverified", "No-TN-Validation", None, true),
        ("passed", "TN-Validation-Passed", Some(Attestation::B), true),
    ] {
        let treatment = treat(&format!("diverted = \"{word}\""), &diverted);
        assert_eq!(
            (treatment.verstat.as_deref(), treatment.attest, treatment.diverted),
            (Some(verstat), attest, is_marked),
            "{word}"
        );
    }
    let strict = "[[rule]]\nerror = \"DestMismatch\"\naction = \"reject\"\n";
    assert_eq!(code(&treat(strict, &diverted)), Some(438));
    assert_eq!(code(&treat(&format!("diverted = \"unverified\"\n{strict}"), &diverted)), None);
    // Only where all else is right: a forged one stays forged.
    let identity = identity(Attestation::B, "12155550199");
    let (token, rest) = identity.split_once(';').unwrap();
    let forged = format!("{}.{};{rest}", token.rsplit_once('.').unwrap().0, "Q".repeat(86));
    let treatment = treat("diverted = \"passed\"", &signed_call("1", &[&forged]));
    assert_eq!((treatment.diverted, treatment.attest), (false, None));
}

#[test]
fn verstat_and_reason_are_spelled_as_configured() {
    // F9, E25.
    let spelled = treat("verstat = \"with-attestation\"", &signed_call("1", &[&identity(Attestation::B, CALLED)]));
    assert_eq!(spelled.verstat.as_deref(), Some("TN-Validation-Passed-B"));
    assert_eq!(treat("verstat = \"with-attestation\"", &forged()).verstat.as_deref(), Some("TN-Validation-Failed"));
    assert_eq!(treat("reason = \"SIP\"", &forged()).reasons, ["SIP ;cause=438 ;text=\"Invalid Identity Header\""]);
    assert_eq!(treat("reason = \"none\"", &forged()).reasons, [""; 0]);
    let untouched = treat("otherwise = \"continue\"", &good());
    assert_eq!((untouched.verstat, untouched.attest, untouched.action), (None, None, Action::Continue));
    assert_eq!(code(&treat("otherwise = \"reject\"", &forged())), Some(438));
}

#[test]
fn a_peer_has_its_own_manner_before_everybodys() {
    let settings = r#"
        verstat = "with-attestation"
        [[rule]]
        error = "InvalidSignature"
        action = "reject"
        [[peer]]
        addresses = ["198.51.100.0/24"]
        require_identity = true
        [[peer]]
        name = "Twill"
        addresses = ["198.51.100.7"]
        verstat = "plain"
        [[peer.rule]]
        error = "InvalidSignature"
        action = "tag"
    "#;
    let settings = read(settings).unwrap();
    let treat = |call: &Call, source: &str| settings.treat(call, &judge(call), Peer::Address(source.parse().unwrap()));
    assert_eq!(code(&treat(&forged(), "203.0.113.1")), Some(438));
    assert_eq!(code(&treat(&forged(), "198.51.100.8")), Some(438), "what a peer does not say is as for everybody");
    let own = treat(&forged(), "::ffff:198.51.100.7");
    assert_eq!((code(&own), own.because.as_str()), (None, "peer Twill: rule 1 (error InvalidSignature): tag"));
    assert_eq!(treat(&good(), "198.51.100.7").verstat.as_deref(), Some("TN-Validation-Passed"));
    assert_eq!(treat(&good(), "198.51.100.8").verstat.as_deref(), Some("TN-Validation-Passed-A"));
    let unsigned = signed_call("1", &[]);
    assert_eq!(code(&treat(&unsigned, "198.51.100.8")), Some(428));
    assert_eq!(code(&treat(&unsigned, "198.51.100.7")), None);
}

#[test]
fn a_client_that_shows_who_it_is_is_known_by_that() {
    let settings = r#"
        [[peer]]
        name = "Harbor"
        addresses = ["198.51.100.7"]
        clients = ["sbc-harbor", "0f"]
        reason = "SIP"
        [[peer]]
        clients = ["sbc-harbor"]
        reason = "none"
    "#;
    let settings = read(settings).unwrap();
    let reasons = |peer| settings.treat(&forged(), &judge(&forged()), peer).reasons;
    let sip = ["SIP ;cause=438 ;text=\"Invalid Identity Header\""];
    assert_eq!(reasons(Peer::Client("sbc-harbor")), sip, "the first of two");
    assert_eq!(reasons(Peer::Client("0f")), sip);
    assert_eq!(reasons(Peer::Address("198.51.100.7".parse().unwrap())), sip);
    for other in [Peer::Client("sbc"), Peer::Client("198.51.100.7"), Peer::Unknown] {
        assert!(reasons(other)[0].starts_with("STIR"), "{other:?}");
    }
}

#[test]
fn a_certificate_may_be_named_as_tools_print_its_hash() {
    let hash: String = (0..32u8).map(|byte| format!("{:02x}", byte.wrapping_mul(37) ^ 0xa5)).collect();
    let pairs = hash.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let colons = pairs.collect::<Vec<_>>().join(":").to_uppercase();
    let peer =
        |client: &str| read(&format!("[[peer]]\nname = \"P\"\nclients = [\"sbc-1\", {client:?}]\nreason = \"SIP\"\n"));
    for written in [
        hash.clone(),
        hash.to_uppercase(),
        colons.clone(),
        colons.to_lowercase(),
        format!("sha256 Fingerprint={colons}"),
        format!("SHA256 Fingerprint={colons}"),
    ] {
        let settings = peer(&written).unwrap();
        let reasons = settings.treat(&forged(), &judge(&forged()), Peer::Client(&hash)).reasons;
        assert!(reasons[0].starts_with("SIP"), "{written}");
    }
    // SHA-1, SHA-384, one digit too few, one pair too few.
    for wrong in
        [&hash[..40], &hash.repeat(2)[..96], &hash[..63], &colons[..92], "SHA1 Fingerprint=", "sha1 fingerprint="]
    {
        let wrong = if wrong.ends_with('=') { format!("{wrong}{}", &colons[..59]) } else { wrong.to_owned() };
        let faults = peer(&wrong).unwrap_err();
        assert_eq!((faults.len(), faults[0].line, faults[0].column), (1, 3, 21), "{wrong}: {faults:?}");
        assert_eq!(faults[0].key, "peer.clients");
        assert!(faults[0].to_string().contains("are no SHA-256 of a certificate, which has 64"), "{}", faults[0]);
    }
    // Names of their own, whatever they look like.
    for name in ["0f", "00:1b:63:84:45:e6", "9f86d081884c4d659a2feaa0c55ad015", "urn:sbc=7", "a:b", "Twill Fingerprint"]
    {
        let settings = peer(name).unwrap();
        let reasons = settings.treat(&forged(), &judge(&forged()), Peer::Client(name)).reasons;
        assert!(reasons[0].starts_with("SIP"), "{name}");
    }
}

#[test]
fn a_treatment_is_one_object() {
    let text = "[[rule]]\naction = \"reject\"\ncode = 603\nphrase = \"Network Blocked\"\n";
    let treatment = serde_json::to_value(treat(text, &good())).unwrap();
    let wanted = serde_json::json!({"action": "reject", "response": {"code": 603, "reason": "Network Blocked"},
        "verstat": "TN-Validation-Passed", "attest": "A", "origid": ORIGID, "diverted": false, "priority": null, "strip": [],
        "reasons": [], "because": "rule 1 (every verdict): reject"});
    assert_eq!(treatment, wanted);
}

#[test]
fn faults_are_placed_and_say_what_to_do() {
    let text = r#"
otherwise = "drop"
require_identity = "yes"
verstat = "A"
reasons = "SIP"

[[rule]]
error = ["StaleDates", "H99"]
action = "reject"
code = 200

[[rule]]
verdict = "bad"
code = 438

[[rule]]
action = "tag"
code = 438

[[rule]]
action = "reject"
phrase = "Go away"

[[peer]]
name = "Twill"
addresses = "198.51.100.7/24"

[[peer]]
"#;
    let faults: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"));
}
