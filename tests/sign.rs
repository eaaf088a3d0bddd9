//! The authentication service: `vectors/sign.json` case by case, and what holds for whatever is signed.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may panic")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use stirtrace::identity_header::IdentityHeader;
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::{Attestation, Passport, ResourcePriority};
use stirtrace::sign::{Error, SignRequest, SignedIdentity, Signer};
use stirtrace::sip::Call;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Materials, Policy, PriorityVerstat, Verifier};

#[derive(Deserialize)]
struct Case {
    id: String,
    lab: Option<String>,
    key: Option<String>,
    certificate: Option<String>,
    x5u: Option<String>,
    now: Option<String>,
    attest: Option<String>,
    /// Of a diversion, whom the call was for.
    div: Option<String>,
    /// The priorities of an rph.
    rph: Option<Vec<String>>,
    #[serde(default)]
    callback: bool,
    origid: Option<String>,
    orig: String,
    dest: Vec<String>,
    date: Option<String>,
    iat: Option<String>,
    expect: Expectation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    error: Option<String>,
    value: Option<String>,
    signature: Option<String>,
    claims: Option<Value>,
    ends: Option<String>,
    signed: Option<bool>,
}

const ORIGID: &str = "123e4567-e89b-12d3-a456-426655440000";

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn time(text: &str) -> UnixTime {
    UnixTime::parse_rfc3339(text).unwrap()
}

fn lab_certificate(name: &str) -> String {
    let folder = "certs/archive/certificates.lab.example";
    format!("{folder}/{name}.{}", if name == "body-der" { "der" } else { "pem" })
}

impl Case {
    fn sign(&self) -> Result<SignedIdentity, Error> {
        let lab = self.lab.as_deref().unwrap_or_default();
        let key = self.key.clone().unwrap_or_else(|| format!("certs/keys/{lab}.pem"));
        let certificate = self.certificate.clone().unwrap_or_else(|| lab_certificate(lab));
        let x5u = self.x5u.as_deref().unwrap_or("https://certificates.lab.example/x.pem");
        let signer = Signer::new(&read(&key), &read(&certificate), x5u)?;
        signer.sign(&self.request()?, time(self.now.as_deref().unwrap_or("2026-05-04T12:00:00Z")))
    }

    fn request(&self) -> Result<SignRequest, Error> {
        let identity = |text: &String| SignRequest::identity(text, &NumberPlan::NORTH_AMERICAN);
        let originator = identity(&self.orig)?;
        let destinations = self.dest.iter().map(identity).collect::<Result<_, _>>()?;
        let mut request = match (&self.attest, &self.div, &self.rph) {
            (_, Some(div), _) => SignRequest::div(identity(div)?, originator, destinations),
            (_, _, Some(rph)) => {
                let priorities = rph.iter().map(|text| text.parse().unwrap()).collect();
                SignRequest::rph(priorities, originator, destinations)
            }
            (None, None, None) => SignRequest::base(originator, destinations),
            (Some(attest), None, None) => {
                let origid = self.origid.as_deref().unwrap_or(ORIGID);
                SignRequest::shaken(attest.parse().unwrap(), origid, originator, destinations)
            }
        };
        if self.callback {
            request = request.as_callback();
        }
        if let Some(date) = &self.date {
            request = request.dated(time(date));
        }
        if let Some(iat) = &self.iat {
            request = request.issued_at(time(iat));
        }
        Ok(request)
    }
}

#[test]
fn every_vector_is_signed_or_refused_as_it_says() {
    let cases: Vec<Case> = serde_json::from_slice(&read("tests/vectors/sign.json")).unwrap();
    assert!(cases.len() > 40);
    for case in cases {
        check(&case);
    }
}

fn check(case: &Case) {
    let (id, expect) = (&case.id, &case.expect);
    let signed = match case.sign() {
        Ok(signed) => signed,
        Err(error) => {
            let variant: String = format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect();
            assert_eq!(Some(&variant), expect.error.as_ref(), "{id}: {error}");
            return;
        }
    };
    assert_eq!(expect.error, None, "{id}: signed");
    let value = signed.to_string();
    let passport = Passport::parse(signed.token()).unwrap();
    let signature = signed.token().rsplit('.').next().unwrap();
    let mut compared = usize::from(expect.signed == Some(true));
    if let Some(expected) = &expect.value {
        assert_eq!(&value, expected, "{id}");
        compared += 1;
    }
    if let Some(expected) = &expect.signature {
        assert_eq!(signature, expected, "{id}");
        compared += 1;
    }
    if let Some(expected) = &expect.claims {
        assert_eq!(&Value::from(passport.claim_members()), expected, "{id}");
        compared += 1;
    }
    if let Some(expected) = &expect.ends {
        assert!(value.ends_with(expected), "{id}: {value}");
        compared += 1;
    }
    assert!(compared > 0, "{id} expects nothing");
}

fn twill() -> Signer {
    let certificate = read(&lab_certificate("twill"));
    Signer::new(&read("certs/keys/twill.pem"), &certificate, "https://certificates.lab.example/twill.pem").unwrap()
}

#[test]
fn a_signer_does_not_print_its_private_key() {
    let printed = format!("{:?}", twill());
    assert_eq!(
        printed,
        format!("Signer({}, https://certificates.lab.example/twill.pem)", twill().certificate().subject())
    );
}

#[test]
fn too_many_destinations_are_refused() {
    let number = |last: usize| Identity::Number(format!("1215555{last:04}").parse().unwrap());
    let request = SignRequest::base(number(112), (0..65).map(number).collect());
    let refused = twill().sign(&request, time("2026-05-04T12:00:00Z")).unwrap_err();
    assert_eq!(refused, Error::TooManyDestinations { limit: 64 });
}

#[test]
fn hostile_keys_and_certificates_are_errors() {
    let certificate = read(&lab_certificate("twill"));
    let key = read("certs/keys/twill.pem");
    let end_line = key.windows(8).position(|window| window == b"-----END").unwrap();
    for end in 0..end_line {
        assert!(Signer::new(&key[..end], &certificate, "https://a.example/x").is_err(), "{end}");
    }
    for end in (0..certificate.len()).step_by(7) {
        let _ = Signer::new(&key, &certificate[..end], "https://a.example/x");
    }
    let long = vec![b'-'; 1 << 20];
    assert!(Signer::new(&long, &certificate, "https://a.example/x").is_err());
    assert!(Signer::new(&key, &long, "https://a.example/x").is_err());
}

proptest! {
    /// A14-A19, B3, A10: canonical, and read back by our own parsers without a deviation.
    #[test]
    fn whatever_is_signed_reads_back_canonical(
        caller in "[2-9][0-9]{2}555[0-9]{4}",
        called in prop::collection::vec("\\+?[1-9][0-9]{6,14}", 1..8),
        uris in prop::collection::vec("sips?:[A-Za-z0-9.]{1,8}x@[a-zA-Z]{1,8}\\.example", 0..4),
        attestation in prop::sample::select(vec![Attestation::A, Attestation::B, Attestation::C]),
        seconds in 1_770_000_000_i64..1_900_000_000,
    ) {
        let plan = NumberPlan::NORTH_AMERICAN;
        let identity = |text: &String| SignRequest::identity(text, &plan).unwrap();
        let destinations = called.iter().chain(&uris).map(identity).collect();
        let request = SignRequest::shaken(attestation, ORIGID, identity(&caller), destinations);
        let signer = twill();
        let signed = signer.sign(&request, UnixTime::from_seconds(seconds)).unwrap();
        let header = IdentityHeader::parse(&signed.to_string()).unwrap();
        prop_assert!(header.deviations.is_empty(), "{:?}", header.deviations);
        prop_assert_eq!(header.info.as_deref(), Some(signer.x5u()));
        let passport = Passport::parse(&header.token).unwrap();
        prop_assert_eq!(passport.deviations().count(), 0);
        prop_assert!(passport.header().canonical && passport.claims().canonical);
        prop_assert_eq!(passport.claims(), signed.claims());
        let dest = passport.claims().dest.as_ref().unwrap();
        prop_assert!(dest.numbers.is_sorted() && dest.uris.is_sorted());
        prop_assert!(dest.numbers.iter().all(|number| number.bytes().all(|c| c.is_ascii_digit())));
    }
}

fn party(digits: &str) -> Identity {
    Identity::Number(digits.parse().unwrap())
}

/// RFC 8946 §3, §4.2; F24, F26: what is diverted here is believed there, for the new target.
#[test]
fn a_diversion_of_a_passport_carries_the_call_to_its_new_target() {
    let plan = NumberPlan::NORTH_AMERICAN;
    let signed_at = time("2026-05-04T12:00:00Z");
    let now = signed_at.plus_seconds(20);
    let certificate = read(&lab_certificate("prairie"));
    let x5u = "https://certificates.lab.example/prairie.pem";
    let prairie = Signer::new(&read("certs/keys/prairie.pem"), &certificate, x5u).unwrap();
    let shaken = SignRequest::shaken(Attestation::A, ORIGID, party("12155550112"), vec![party("12155550131")]);
    let shaken = twill().sign(&shaken, signed_at).unwrap();
    let before = Passport::parse(shaken.token()).unwrap();
    let request = SignRequest::div_of(&before, party("12155550131"), vec![party("12155550132")], &plan).unwrap();
    let div = prairie.sign(&request, now).unwrap();
    let claims = Passport::parse(div.token()).unwrap().claim_members();
    // E2: nothing else is copied, and iat is the one of before.
    let expected = serde_json::json!({"dest": {"tn": ["12155550132"]}, "div": {"tn": "12155550131"}, "iat": signed_at.seconds(),
        "orig": {"tn": "12155550112"}});
    assert_eq!(Value::from(claims), expected);
    // A second diversion is of the first.
    let first = Passport::parse(div.token()).unwrap();
    let request = SignRequest::div_of(&first, party("12155550132"), vec![party("12155550133")], &plan).unwrap();
    let second = prairie.sign(&request, now).unwrap();
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&read("certs/roots.pem")).unwrap());
    materials.add_certificate("https://certificates.lab.example/twill.pem", &read(&lab_certificate("twill")));
    materials.add_certificate(x5u, &certificate);
    for (identities, target, conclusion) in [
        (vec![&shaken, &div], "12155550132", Conclusion::Passed),
        (vec![&second, &div, &shaken], "12155550133", Conclusion::Passed),
        (vec![&shaken, &div], "12155550133", Conclusion::Failed),
        (vec![&shaken], "12155550132", Conclusion::Failed),
    ] {
        let call = Call::bare(identities.iter().map(ToString::to_string));
        let call = call.with_from(party("12155550112")).with_to(party(target));
        let verdict = Verifier::new(Policy::default()).verify(&call, &materials, now);
        assert_eq!(verdict.conclusion, conclusion, "{target}: {:?}", verdict.error());
    }
    // E2: div names one of those whom the call was for.
    let refused = SignRequest::div_of(&before, party("12155550139"), vec![party("12155550132")], &plan).unwrap_err();
    assert!(matches!(refused, Error::DivertedFromElsewhere { .. }), "{refused}");
}

/// RFC 8443 §4.1, §4.2: what is authorised here is believed there.
#[test]
fn a_priority_that_is_signed_is_believed() {
    let now = time("2026-05-04T12:00:00Z");
    let priorities = vec!["wps.0".parse().unwrap(), "ets.0".parse().unwrap()];
    let request = SignRequest::rph(priorities, party("12155550112"), vec![party("12155550131")]);
    let signed = twill().sign(&request, now).unwrap();
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&read("certs/roots.pem")).unwrap());
    materials.add_certificate("https://certificates.lab.example/twill.pem", &read(&lab_certificate("twill")));
    let call = Call::bare([signed.to_string()]).with_from(party("12155550112")).with_to(party("12155550131"));
    for (asked, verstat) in [
        ("ets.0, wps.0", PriorityVerstat::RphValidationPassed),
        ("ETS.0", PriorityVerstat::RphValidationPassed),
        ("ets.1", PriorityVerstat::RphValidationFailed),
    ] {
        let call = call.clone().with_resource_priority([asked]);
        let verdict = Verifier::new(Policy::default()).verify(&call, &materials, now);
        assert_eq!(verdict.priority.map(|own| own.verstat), Some(verstat), "{asked}");
        assert_eq!(verdict.conclusion, Conclusion::None);
    }
}

proptest! {
    /// A14-A20: the claims of every type are canonical, and read back without a deviation.
    #[test]
    fn diversions_and_priorities_read_back_canonical(
        numbers in prop::collection::btree_set("1215555[0-9]{4}", 3),
        priorities in prop::collection::vec("[a-zA-Z][a-zA-Z0-9-]{0,6}\\.[0-9]{1,2}", 1..8),
        is_callback in any::<bool>(),
        seconds in 1_770_000_000_i64..1_900_000_000,
    ) {
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let mut values: Vec<ResourcePriority> = priorities.iter().map(|text| text.parse().unwrap()).collect();
        values.push("esnet.0".parse().unwrap());
        let rph = SignRequest::rph(values, party(numbers[0]), vec![party(numbers[1])]);
        let rph = if is_callback { rph.as_callback() } else { rph };
        let div = SignRequest::div(party(numbers[1]), party(numbers[0]), vec![party(numbers[2])]);
        for request in [rph, div] {
            let signed = twill().sign(&request, UnixTime::from_seconds(seconds)).unwrap();
            let header = IdentityHeader::parse(&signed.to_string()).unwrap();
            prop_assert_eq!(header.ppt.as_deref(), request.ppt());
            let passport = Passport::parse(signed.token()).unwrap();
            prop_assert_eq!(passport.deviations().count(), 0);
            prop_assert!(passport.header().canonical && passport.claims().canonical && passport.claims().faults.is_empty());
            prop_assert_eq!(passport.claims(), signed.claims());
        }
    }
}

/// RFC 8224 §8.4, RFC 5922 §7.2 (B18): whoever may sign for a URI is believed for it, and nobody else.
#[test]
fn a_caller_with_a_uri_is_signed_for_and_believed_by_one_rule() {
    let now = time("2026-05-04T12:00:00Z");
    let certificate = read("tests/data/sign/domain-certificate.pem");
    let x5u = "https://voip.example/domain.pem";
    let signer = Signer::new(&read("tests/data/sign/rfc8946-key.pem"), &certificate, x5u).unwrap();
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&certificate).unwrap());
    materials.add_certificate(x5u, &certificate);
    for (caller, is_signed) in [
        ("sip:Alice@VoIP.example", true),
        ("sips:alice@voip.example:5061;x=y", true),
        ("sip:voip.example", true),
        ("sip:alice@voip.example.elsewhere.example", false),
        ("sip:voip.example@elsewhere.example", false),
    ] {
        let identity = |text: &str| SignRequest::identity(text, &NumberPlan::NORTH_AMERICAN).unwrap();
        let request = SignRequest::base(identity(caller), vec![identity("12155550131")]);
        let signed = signer.sign(&request, now);
        assert_eq!(signed.is_ok(), is_signed, "{caller}");
        let Ok(signed) = signed else { continue };
        let mut call = Call::bare([signed.to_string().as_str()]);
        (call.from, call.to) = (Some(identity(caller)), Some(identity("12155550131")));
        let verdict = Verifier::new(Policy::default()).verify(&call, &materials, now);
        assert_eq!(verdict.conclusion, Conclusion::Passed, "{caller}: {:?}", verdict.passports[0].error);
    }
}
