use super::*;
use crate::document::Misplaced;
use crate::number::NumberPlan;
use crate::service::fault::Fault;

const CARRIER: &str = r#"
default = "C"
origid_secret = "correct horse battery"

[[trunk]]
name = "tg-acme-1"
customer = "acme"
addresses = ["198.51.100.0/24"]

[[trunk]]
name = "tg-acme-2"
customer = "acme"
addresses = ["198.51.100.8/29"]

[[rule]]
customer = "acme"
numbers = ["12155550100-12155550119"]
attest = "A"
origid = "customer"
signer = "second"

[[rule]]
trunk = "tg-wholesale"
attest = "none"

[[rule]]
customer = "*"
numbers = ["1312555*"]
attest = "A"
origid = "123e4567-e89b-12d3-a456-426655440000"

[[rule]]
customer = "acme"
attest = "B"
origid = "trunk"
"#;

fn read(text: &str) -> Result<SigningSettings, Vec<Misplaced<Fault>>> {
    SigningSettings::parse(text, &NumberPlan::NORTH_AMERICAN)
}

fn policy(text: &str) -> AttestationPolicy {
    AttestationPolicy::new(read(text).unwrap())
}

fn number(digits: &str) -> Identity {
    Identity::Number(digits.parse().unwrap())
}

#[test]
fn the_first_rule_that_fits_decides_and_says_why() {
    // D2, D8.
    let policy = policy(CARRIER);
    for (customer, trunk, caller, attest, because) in [
        (Some("acme"), None, "12155550112", Some("A"), "rule 1 (customer acme, range 12155550100-12155550119) gives A"),
        (Some("acme"), None, "12155550120", Some("B"), "rule 4 (customer acme) gives B"),
        (Some("bolt"), None, "12155550112", Some("C"), "no rule fits 12155550112; the default gives C"),
        (Some("bolt"), None, "13125550101", Some("A"), "rule 3 (customer bolt, prefix 1312555*) gives A"),
        (None, None, "13125550101", Some("C"), "no rule fits 13125550101; the default gives C"),
        (Some("bolt"), Some("tg-wholesale"), "13125550101", None, "rule 2 (trunk tg-wholesale) signs nothing"),
    ] {
        let caller = number(caller);
        let decision = policy.decide(&Asked::of(&caller).from_customer(customer).over_trunk(trunk));
        assert_eq!(decision.attest.map(Attestation::as_str), attest, "{because}");
        assert_eq!(decision.because, because);
    }
    let bob = Identity::Uri("sip:bob@acme.example".to_owned());
    let decision = policy.decide(&Asked::of(&bob).from_customer(Some("acme")));
    assert_eq!(decision.attest, Some(Attestation::B), "no number, so no right to one");
}

#[test]
fn without_rules_nothing_is_signed() {
    let caller = number("12155550112");
    let decision = policy("").decide(&Asked::of(&caller).requesting(Some(Attestation::A)));
    assert_eq!(decision.attest, None);
    assert_eq!(decision.because, "no rule fits 12155550112, and the default signs nothing");
}

#[test]
fn the_default_b_needs_a_customer() {
    // D8: B vouches for the customer.
    let policy = policy("default = \"B\"");
    let caller = number("12155550112");
    assert_eq!(policy.decide(&Asked::of(&caller)).attest, Some(Attestation::C));
    assert_eq!(policy.decide(&Asked::of(&caller).from_customer(Some("acme"))).attest, Some(Attestation::B));
}

#[test]
fn a_request_may_ask_for_less_and_not_for_more() {
    let caller = number("12155550120");
    let decide = |text: &str, wish| {
        let asked = Asked::of(&caller).from_customer(Some("acme")).requesting(Some(wish));
        policy(text).decide(&asked)
    };
    for (wish, attest, because) in [
        (Attestation::A, Attestation::B, "the request asks for A; rule 4 (customer acme) gives B"),
        (Attestation::B, Attestation::B, "rule 4 (customer acme) gives B"),
        (Attestation::C, Attestation::C, "the request asks for C only; rule 4 (customer acme) gives B"),
    ] {
        let decision = decide(CARRIER, wish);
        assert_eq!((decision.attest, decision.because.as_str()), (Some(attest), because));
    }
    let trusting = format!("requested = \"trust\"\n{CARRIER}");
    let decision = decide(&trusting, Attestation::A);
    assert_eq!(decision.attest, Some(Attestation::A));
    assert_eq!(decision.because, "the request says A, which is trusted; rule 4 (customer acme) gives B");
}

#[test]
fn identifiers_are_those_of_calls_trunks_and_customers() {
    // D6: one for each call unless a rule says otherwise.
    let policy = policy(CARRIER);
    let secret = OrigidSecret::new("correct horse battery");
    let origid = |customer, trunk, caller: &str| {
        let caller = number(caller);
        policy.decide(&Asked::of(&caller).from_customer(customer).over_trunk(trunk)).origid
    };
    assert_eq!(origid(Some("acme"), None, "12155550112"), Origid::Fixed(secret.uuid("customer", "acme")));
    assert_eq!(
        origid(Some("acme"), Some("tg-acme-1"), "12155550120"),
        Origid::Fixed(secret.uuid("trunk", "tg-acme-1"))
    );
    assert_eq!(origid(Some("acme"), None, "12155550120"), Origid::PerCall, "no trunk is known");
    assert_eq!(
        origid(Some("bolt"), None, "13125550101"),
        Origid::Fixed("123e4567-e89b-12d3-a456-426655440000".to_owned())
    );
    assert_eq!(origid(None, None, "12155550112"), Origid::PerCall);
}

#[test]
fn an_origin_is_what_was_said_else_what_the_address_shows() {
    let policy = policy(CARRIER);
    let at = |address: &str| Some(address.parse().unwrap());
    // The longest prefix decides.
    assert_eq!(policy.origin(None, None, at("198.51.100.9")), (Some("acme"), Some("tg-acme-2")));
    assert_eq!(policy.origin(None, None, at("198.51.100.16")), (Some("acme"), Some("tg-acme-1")));
    assert_eq!(policy.origin(None, None, at("203.0.113.9")), (None, None));
    assert_eq!(policy.origin(Some("bolt"), None, at("198.51.100.9")), (Some("bolt"), None));
    assert_eq!(policy.origin(None, Some("tg-acme-1"), at("203.0.113.9")), (Some("acme"), Some("tg-acme-1")));
    assert_eq!(policy.origin(None, Some("tg-other"), at("198.51.100.9")), (None, Some("tg-other")));
}

#[test]
fn faults_are_placed_and_say_what_to_do() {
    let text = r#"
default = "A"
origid = "customer"
requested = "always"

[[trunk]]
name = "tg"
addresses = ["198.51.100.7/24"]

[[trunk]]
name = "tg"

[[rule]]
attest = "A"
numbers = ["1215555*", "acme"]

[[rule]]
customer = "acme"
attest = "A"

[[rule]]
attest = "B"

[[rule]]
customer = "acme"
origid = "me"
number = "1"
"#;
    let faults: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"));
    let short = read("origid_secret = \"hush\"").unwrap_err();
    assert_eq!(short[0].fault, Fault::SecretTooShort { least: 16 });
}
