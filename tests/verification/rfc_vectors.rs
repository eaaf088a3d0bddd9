//! The examples that the RFCs print, and their defects (spec A.5, B.8, C2, C13, E.1).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::{Signer, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use serde::Deserialize;
use serde_json::json;
use stirtrace::certificate::claim_constraints::ClaimConstraints;
use stirtrace::certificate::tn_auth_list::TnAuthList;
use stirtrace::passport::{Claims, Destination, Error, Header, Party, Passport, Segment, Token};
use stirtrace::time::UnixTime;
use stirtrace::verify::{Profile, Verdict};

use crate::cases::read;
use crate::scene::Scene;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    keys: BTreeMap<String, Key>,
    tokens: Vec<Printed>,
    printed_defects: Vec<Defect>,
    tn_auth_lists: Vec<List>,
    claim_constraints: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    private: Option<String>,
    public: String,
}

/// A token as an RFC prints it, and which of the printed keys made its signature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    id: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(default, rename = "comment")]
    _comment: String,
    token: String,
    verifies: Vec<String>,
    deviations: Vec<String>,
}

/// JSON as an RFC prints it, and which segment of it cannot be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defect {
    id: String,
    #[serde(rename = "comment")]
    _comment: String,
    #[serde(default)]
    header: Option<String>,
    #[serde(default)]
    payload: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    id: String,
    #[serde(rename = "source")]
    _source: String,
    der: String,
    entries: Vec<String>,
}

#[test]
fn printed_signatures_verify_under_the_keys_that_made_them_and_no_others() {
    let vectors: Vectors = read("rfc.json");
    for printed in &vectors.tokens {
        let passport = Passport::parse(&printed.token).unwrap();
        for (name, key) in &vectors.keys {
            let expected = printed.verifies.contains(name);
            assert_eq!(verifies(&key.verifier(), &passport), expected, "{} under {name}", printed.id);
        }
        let deviations: Vec<_> = passport.deviations().map(|deviation| deviation.rule).collect();
        assert_eq!(deviations, printed.deviations, "{}", printed.id);
        assert!(passport.header().canonical && passport.claims().canonical, "{}", printed.id);
        assert_eq!(passport.to_compact(), format!("..{}", printed.token.rsplit_once('.').unwrap().1));
    }
}

#[test]
fn the_printed_private_keys_are_what_they_are_said_to_be() {
    // A.5: RFC 8225's A.1 and A.2 are no pair.
    let vectors: Vectors = read("rfc.json");
    for key in vectors.keys.values().filter(|key| key.private.is_some()) {
        assert_eq!(*key.signer().verifying_key(), key.verifier());
    }
    assert_ne!(vectors.keys["rfc8225-a1"].verifier(), vectors.keys["rfc8225-a2"].verifier());
}

#[test]
fn a_deterministic_signer_makes_exactly_t9() {
    // RFC 8588 §6 with erratum 6656, RFC 8225 §9, RFC 6979.
    let vectors: Vectors = read("rfc.json");
    let header = Header::new(Some("shaken"), "https://cert.example.org/passport.cer");
    let mut claims = Claims::default();
    claims.attest = Some("A".to_owned());
    claims.dest = Some(Destination::new(vec!["12155550131".to_owned()], Vec::new()));
    claims.iat = Some(UnixTime::from_seconds(1_443_208_345));
    claims.orig = Some(Party::Number("12155550121".to_owned()));
    claims.origid = Some("123e4567-e89b-12d3-a456-426655440000".to_owned());
    let input = Passport::signing_input_of(&header, &claims);
    let signature: Signature = vectors.keys["rfc8946-a"].signer().sign(input.as_bytes());
    assert_eq!(Passport::token_of(&input, &signature.to_bytes()), vectors.token("T9"));
}

#[test]
fn every_printed_token_survives_being_read_and_printed() {
    // A15 to A17: what is canonical and known is printed as it stood. T1 and T6 deviate, T6's `opt` is not ours.
    let vectors: Vectors = read("rfc.json");
    for id in ["T2", "T3", "T4", "T5", "T9"] {
        let passport = Passport::parse(vectors.token(id)).unwrap();
        let input = Passport::signing_input_of(passport.header(), passport.claims());
        assert_eq!(Passport::token_of(&input, passport.signature()), vectors.token(id), "{id}");
    }
}

#[test]
fn t1_in_compact_form_does_not_verify_when_rebuilt() {
    // T3: the printed signature is over a string iat, which nobody rebuilds from a Date.
    let vectors: Vectors = read("rfc.json");
    let full = Passport::parse(vectors.token("T1")).unwrap();
    let Token::Compact(compact) = Token::parse(&full.to_compact()).unwrap() else { panic!("not compact") };
    let rebuilt = compact.rebuild(&Header::new(None, "https://cert.example.org/passport.cer"), full.claims());
    assert_eq!(rebuilt.claim_members()["iat"], json!(1_443_208_345));
    assert!(verifies(&vectors.keys["rfc8225-a2"].verifier(), &full));
    assert!(!verifies(&vectors.keys["rfc8225-a2"].verifier(), &rebuilt));
}

#[test]
fn printed_json_that_is_none_is_refused_in_its_segment() {
    let vectors: Vectors = read("rfc.json");
    for defect in &vectors.printed_defects {
        let header = defect.header.as_deref().unwrap_or("{\"alg\":\"ES256\",\"typ\":\"passport\"}");
        let payload = defect.payload.as_deref().unwrap_or("{\"iat\":1443208345}");
        let token = [header, payload, "s"].map(|text| URL_SAFE_NO_PAD.encode(text)).join(".");
        let segment = match Passport::parse(&token) {
            Ok(_) => None,
            Err(Error::Json { segment: Segment::Header, .. }) => Some("header"),
            Err(Error::Json { segment: Segment::Payload, .. }) => Some("payload"),
            Err(other) => panic!("{}: {other}", defect.id),
        };
        assert_eq!(segment, defect.error.as_deref(), "{}", defect.id);
    }
}

#[test]
fn rfc_8224_names_two_places_for_one_certificate() {
    // RFC 8224 §4.1.1: info says biloxi.example.org, x5u cert.example.org (B7, G8); B.8: the call around it.
    let vectors: Vectors = read("rfc.json");
    let value = format!("{};info=<https://biloxi.example.org/biloxi.cer>", vectors.token("T1"));
    let verdict = judged(&[value], "<sip:alice@example.com>");
    let report = &verdict.passports[0];
    assert_eq!(report.error.as_ref().unwrap().kind(), "X5uMismatch");
    for passed in ["date-fresh", "iat-fresh", "orig-matches", "dest-matches"] {
        assert_eq!(report.check(passed).unwrap().as_str(), "pass", "{passed}");
    }
    // RFC 9410 §5 and §6: the ppi is T1's compact form, every character of it.
    let compact = format!("..{}", vectors.token("T1").rsplit_once('.').unwrap().1);
    let reasons: Vec<_> = verdict.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(reasons, [format!("STIR ;cause=436 ;text=\"Bad Identity Info\" ;ppi=\"{compact}\"")]);
}

#[test]
fn rfc_8946_prints_a_diversion_that_does_not_chain() {
    // div.tn is 121555551213, dest of the other 12155551213 (E7).
    let vectors: Vectors = read("rfc.json");
    let value = |id: &str| format!("{};info=<https://www.example.com/cert.cer>;alg=ES256", vectors.token(id));
    let values = [value("T5"), value("T4") + ";ppt=\"div\""];
    let verdict = judged(&values, "<sip:12155551214@example.com>");
    let kinds: Vec<_> = verdict.passports.iter().map(|report| report.error.as_ref().unwrap().kind()).collect();
    assert_eq!(kinds, ["DestMismatch", "DivChainIncomplete"]);
}

#[test]
fn a_ppi_that_lost_characters_is_no_signature() {
    // RFC 9410 §5 as printed.
    let vectors: Vectors = read("rfc.json");
    let signature = vectors.token("T1").rsplit_once('.').unwrap().1;
    let shortened = format!("..{}{}", &signature[..40], &signature[44..]);
    let Ok(Token::Compact(compact)) = Token::parse(&shortened) else { panic!("not compact") };
    assert_eq!(compact.signature().len(), 61);
}

#[test]
fn tn_auth_lists_read_and_print_as_their_vectors() {
    // C2.
    for list in read::<Vectors>("rfc.json").tn_auth_lists {
        let der = bytes(&list.der);
        let parsed = TnAuthList::parse_strict(&der).unwrap();
        let entries: Vec<_> = parsed.entries().iter().map(ToString::to_string).collect();
        assert_eq!((entries, parsed.to_der()), (list.entries, der.clone()), "{}", list.id);
        for cut in 0..der.len() {
            assert!(TnAuthList::parse(&der[..cut]).is_err(), "{} cut at {cut}", list.id);
        }
    }
}

#[test]
fn the_constraints_of_rfc_9118_are_held() {
    // C13: confidence must be there, high or medium; priority must not.
    let der = bytes(&read::<Vectors>("rfc.json").claim_constraints);
    let constraints = ClaimConstraints::parse_enhanced(&der).unwrap();
    assert_eq!(constraints.to_der(), der);
    let holds = |claims: serde_json::Value| constraints.check(claims.as_object().unwrap()).is_ok();
    assert!(holds(json!({"confidence": "high"})) && holds(json!({"confidence": "medium", "iat": 1})));
    for broken in [json!({}), json!({"confidence": "low"}), json!({"confidence": "High"}), json!({"confidence": 1})] {
        assert!(!holds(broken.clone()), "{broken}");
    }
    assert!(!holds(json!({"confidence": "high", "priority": "any"})));
}

impl Vectors {
    fn token(&self, id: &str) -> &str {
        &self.tokens.iter().find(|printed| printed.id == id).unwrap().token
    }
}

impl Key {
    fn verifier(&self) -> VerifyingKey {
        VerifyingKey::from_public_key_der(&bytes(&self.public)).unwrap()
    }

    fn signer(&self) -> SigningKey {
        SigningKey::from_slice(&bytes(self.private.as_ref().unwrap())).unwrap()
    }
}

fn verifies(key: &VerifyingKey, passport: &Passport) -> bool {
    let signature = Signature::from_slice(passport.signature());
    signature.is_ok_and(|signature| key.verify(passport.signing_input(), &signature).is_ok())
}

/// The call of RFC 8224 §5.1, at its own Date.
fn judged(values: &[String], to: &str) -> Verdict {
    let call = json!({"from": "<sip:12155551212@example.com;user=phone>;tag=1", "to": to,
        "request_uri": to.trim_matches(['<', '>'])});
    let scene = json!({"tokens": [], "at": "2015-09-25T19:12:25Z", "call": call});
    Scene::from_json(scene).verdict_on(values, Profile::Rfc)
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
