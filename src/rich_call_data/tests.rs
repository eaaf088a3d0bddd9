use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn sha256(bytes: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, bytes)))
}

fn read(claims: Value) -> Result<RichCallData, Error> {
    RichCallData::read(claims.as_object().unwrap()).map(Option::unwrap)
}

fn form_fault(claims: Value) -> Error {
    read(claims).unwrap_err()
}

#[test]
fn the_digest_of_the_text_in_the_rfc_is_read_and_matches() {
    // E16, RFC 9795 §6: of the JSON text, its quotes included.
    let text = "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY=";
    let integrity: Integrity = text.parse().unwrap();
    assert!(integrity.matches(b"\"Q Branch Spy Gadgets\"") && !integrity.matches(b"Q Branch Spy Gadgets"));
    let signed = |name: &str| read(json!({"rcd": {"nam": name}, "rcdi": {"/nam": text}})).unwrap().check_values();
    assert_eq!(signed("Q Branch Spy Gadgets"), Ok(()));
    assert_eq!(
        signed("Q Branch Spy gadgets"),
        Err(Error::ValueMismatch { pointer: "/nam".to_owned(), unquoted: false })
    );
    // Seen in the field.
    let bare = json!({"rcd": {"nam": "Q"}, "rcdi": {"/nam": sha256(b"Q")}});
    let error = read(bare).unwrap().check_values().unwrap_err();
    assert_eq!(error, Error::ValueMismatch { pointer: "/nam".to_owned(), unquoted: true });
    assert!(error.to_string().contains("quotation marks"), "{error}");
    let others = [
        "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY",
        "sha256-sM275lTgzCte-LHOKHtU4SxG8shlOo6OS4ot8IJQImY=",
        "sha384-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY=",
        "sha1-sM275lTgzCte+LHOKHtU4SxG8sg=",
        "md5-sM275lTgzCte+LHOKHtU4Q==",
        "sha256",
        "",
    ];
    assert!(others.iter().all(|text| text.parse::<Integrity>().is_err()));
}

#[test]
fn claims_have_the_forms_of_the_rfc() {
    // E13, E14, E15.
    assert_eq!(RichCallData::read(&Map::new()), Ok(None));
    let reason = read(json!({"crn": "Your delivery"})).unwrap();
    assert_eq!(
        (reason.call_reason(), reason.name(), reason.resources()),
        (Some("Your delivery"), None, Ok(Vec::new()))
    );
    assert_eq!(read(json!({"rcd": {"nam": ""}})).unwrap().name(), Some(""));
    for (claims, claim, words) in [
        (json!({"rcd": "Q"}), "rcd", "rcd is not an object"),
        (json!({"rcd": {}}), "rcd", "no nam"),
        (json!({"rcd": {"nam": 7}}), "rcd", "nam of rcd is not a string"),
        (json!({"rcd": {"nam": null}}), "rcd", "nam of rcd is not a string"),
        (json!({"rcd": {"nam": "Q", "apn": 12_155_550_112_u64}}), "rcd", "apn of rcd"),
        (json!({"rcd": {"nam": "Q", "icn": "http://cards.example/q.png"}}), "rcd", "an https URL"),
        (json!({"rcd": {"nam": "Q", "icn": "data:image/png;base64,AA=="}}), "rcd", "an https URL"),
        (json!({"rcd": {"nam": "Q", "jcl": "q.json"}}), "rcd", "an https URL"),
        (json!({"rcd": {"nam": "Q", "jcl": "https://a.example/", "jcd": ["vcard", []]}}), "rcd", "exclude each other"),
        (json!({"rcd": {"nam": "Q", "jcd": "vcard"}}), "rcd", "jcd of rcd is not a jCard"),
        (json!({"rcd": {"nam": "Q", "jcd": ["card", []]}}), "rcd", "jcd of rcd is not a jCard"),
        (json!({"rcd": {"nam": "Q", "jcd": ["vcard", ["fn"]]}}), "rcd", "jcd of rcd is not a jCard"),
        (json!({"crn": ["Rent"]}), "crn", "crn is not a string"),
        (json!({"rcdi": {"/nam": sha256(b"\"Q\"")}}), "rcdi", "rcd is missing"),
        (json!({"crn": "Rent", "rcdi": {}}), "rcdi", "rcd is missing"),
        (json!({"rcd": {"nam": "Q"}, "rcdi": ["/nam"]}), "rcdi", "an object of digests"),
        (json!({"rcd": {"nam": "Q"}, "rcdi": {"nam": sha256(b"\"Q\"")}}), "rcdi", "is no digest"),
        (json!({"rcd": {"nam": "Q"}, "rcdi": {"/nam": 7}}), "rcdi", "is no digest"),
    ] {
        let error = form_fault(claims.clone());
        assert_eq!(error.claim(), Some(claim), "{claims}: {error}");
        assert!(error.to_string().contains(words), "{claims}: {error}");
    }
    let many: Map<_, _> = (0..=MAX_DIGESTS).map(|n| (format!("/{n}"), json!(sha256(b"")))).collect();
    let error = form_fault(json!({"rcd": {"nam": "Q"}, "rcdi": many}));
    assert_eq!(error, Error::TooMany { things: "digests in rcdi", limit: MAX_DIGESTS });
}

#[test]
fn every_url_wants_its_digest() {
    // E17.
    let rcd = json!({"nam": "Q", "icn": "https://cards.example/q.png"});
    let missing = |claims: Value| read(claims).unwrap().resources().unwrap_err();
    let no_digest = Error::NoDigest { pointer: "/icn".to_owned() };
    assert_eq!(missing(json!({"rcd": rcd})), no_digest);
    assert_eq!(missing(json!({"rcd": rcd, "rcdi": {"/nam": sha256(b"\"Q\"")}})), no_digest);
    let found = read(json!({"rcd": rcd, "rcdi": {"/icn": sha256(b"picture")}})).unwrap();
    assert_eq!(found.check_values(), Ok(()));
    let picture = found.resources().unwrap().remove(0);
    assert_eq!((picture.url(), picture.check(b"picture")), ("https://cards.example/q.png", Ok(())));
    assert!(matches!(picture.check(b"Picture"), Err(Error::DigestMismatch { .. })));
}

#[test]
fn a_digest_of_nothing_is_a_fault() {
    // E17: the signer meant something else than what stands there.
    for pointer in ["/icn", "/jcl", "/jcl/1/0/3", "/jcd/1/0/3", "/nam/0", "/nam~1"] {
        let own = read(json!({"rcd": {"nam": "Q"}, "rcdi": {pointer: sha256(b"\"Q\"")}})).unwrap();
        assert_eq!(own.check_values(), Err(Error::DigestOfNothing { pointer: pointer.to_owned() }));
    }
}

#[test]
fn a_card_in_the_claim_is_held_to_its_canonical_form_whole_and_in_parts() {
    // E15, E16: what is no URL is digested as JSON, what is one as the octets that lie there.
    let card =
        json!(["vcard", [["fn", {"b": "2", "a": "1"}, "text", "Q"], ["photo", {}, "uri", "https://a.example/q"]]]);
    let whole = br#"["vcard",[["fn",{"a":"1","b":"2"},"text","Q"],["photo",{},"uri","https://a.example/q"]]]"#;
    let claims = |part: &[u8]| {
        let rcdi = json!({"/jcd": sha256(whole), "/jcd/1/0/1": sha256(part), "/jcd/1/1/3": sha256(b"picture")});
        read(json!({"rcd": {"nam": "Q", "jcd": card}, "rcdi": rcdi})).unwrap()
    };
    let own = claims(br#"{"a":"1","b":"2"}"#);
    assert_eq!(own.check_values(), Ok(()));
    assert_eq!(own.resources().unwrap()[0].check(b"picture"), Ok(()));
    let other = claims(br#"{"b":"2","a":"1"}"#).check_values();
    assert_eq!(other, Err(Error::ValueMismatch { pointer: "/jcd/1/0/1".to_owned(), unquoted: false }));
}

#[test]
fn a_card_at_a_url_is_held_to_its_canonical_form_and_leads_to_its_pictures() {
    // E15, E16: the pointer goes on inside the card.
    let text = br#" ["vcard", [["version", {}, "text", "4.0"], ["tel", {}, "uri", "tel:+12155550112"],
        ["photo", {"b": "2", "a": "1"}, "uri", "https://cards.example/q.png"]]]"#;
    let canonical = br#"["vcard",[["version",{},"text","4.0"],["tel",{},"uri","tel:+12155550112"],["photo",{"a":"1","b":"2"},"uri","https://cards.example/q.png"]]]"#;
    let with =
        |rcdi: Value| read(json!({"rcd": {"nam": "Q", "jcl": "https://cards.example/q.json"}, "rcdi": rcdi})).unwrap();
    let own = with(
        json!({"/jcl": sha256(canonical), "/jcl/1/2/3": sha256(b"picture"), "/jcl/1/1/3": sha256(b"\"tel:+12155550112\"")}),
    );
    assert_eq!(own.check_values(), Ok(()), "what stands in the card is held against it once it is there");
    let card = own.resources().unwrap().remove(0);
    assert_eq!((card.check(text), card.check(canonical)), (Ok(()), Ok(())));
    assert!(matches!(card.check(b"[\"vcard\",[]]"), Err(Error::DigestMismatch { .. })));
    assert!(matches!(card.check(b"<html>"), Err(Error::NotACard { .. })));
    assert!(matches!(card.check(b"{\"a\":1,\"a\":2}"), Err(Error::NotACard { .. })));
    assert!(matches!(own.within(&card, b"[1]"), Err(Error::NotACard { .. })));
    let pictures = own.within(&card, text).unwrap();
    assert_eq!((pictures.len(), pictures[0].pointer()), (1, "/jcl/1/2/3"));
    assert_eq!((pictures[0].check(b"picture"), own.within(&pictures[0], b"picture")), (Ok(()), Ok(Vec::new())));
    let only = with(json!({"/jcl": sha256(canonical)}));
    assert_eq!(only.within(&card, text), Err(Error::NoDigest { pointer: "/jcl/1/2/3".to_owned() }));
    let part = with(json!({"/jcl": sha256(canonical), "/jcl/1/2/3": sha256(b"p"), "/jcl/1/0/3": sha256(b"\"3.0\"")}));
    assert_eq!(
        part.within(&card, text),
        Err(Error::ValueMismatch { pointer: "/jcl/1/0/3".to_owned(), unquoted: false })
    );
    let beyond = with(json!({"/jcl": sha256(canonical), "/jcl/1/2/3": sha256(b"p"), "/jcl/1/9/3": sha256(b"")}));
    assert_eq!(beyond.within(&card, text), Err(Error::DigestOfNothing { pointer: "/jcl/1/9/3".to_owned() }));
}

#[test]
fn the_urls_of_a_card_are_few() {
    let many = vec![json!(["photo", {}, "uri", "https://a.example/"]); MAX_RESOURCES + 1];
    let digests: Map<_, _> = (0..many.len()).map(|place| (format!("/jcd/1/{place}/3"), json!(sha256(b"")))).collect();
    let own = read(json!({"rcd": {"nam": "Q", "jcd": ["vcard", many]}, "rcdi": digests})).unwrap();
    assert_eq!(own.resources(), Err(Error::TooMany { things: "URLs", limit: MAX_RESOURCES }));
}

/// JSON of any shape.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof!["(vcard|uri|text|https://[a-z]{1,3}\\.example/)", ".{0,8}"].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop_oneof!["(nam|icn|jcd|jcl|apn|/nam|/icn|/jcd|/jcl|/jcd/1/0/3)", "[/a-z0-9~]{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Claims of any shape are read or refused; what is read and holds has a digest for each URL.
    #[test]
    fn nothing_is_shown_that_no_digest_binds(rcd in value(), rcdi in prop::option::of(value()), body: Vec<u8>) {
        let mut claims = Map::from_iter([("rcd".to_owned(), rcd)]);
        claims.extend(rcdi.map(|rcdi| ("rcdi".to_owned(), rcdi)));
        if let Ok(Some(own)) = RichCallData::read(&claims) {
            prop_assert!(own.name().is_some());
            let _ = own.check_values();
            for resource in own.resources().unwrap_or_default() {
                prop_assert!(own.pointers().any(|pointer| pointer == resource.pointer()));
                prop_assert!(resource.check(&body).is_err(), "nothing here has that digest");
                let _ = own.within(&resource, &body);
            }
        }
    }

    /// E16: of whatever stands there, its own digest holds, and the digest of another value does not.
    #[test]
    fn a_value_and_its_digest_belong_together(extra in value(), other in value()) {
        let canonical = Json::of_value(&extra).to_canonical();
        let claims = json!({"rcd": {"nam": "Q", "x": extra}, "rcdi": {"/x": sha256(canonical.as_bytes())}});
        prop_assert_eq!(read(claims).unwrap().check_values(), Ok(()));
        let claims = json!({"rcd": {"nam": "Q", "x": other}, "rcdi": {"/x": sha256(canonical.as_bytes())}});
        prop_assert_eq!(read(claims).unwrap().check_values().is_ok(), Json::of_value(&other).to_canonical() == canonical);
    }
}
