//! Project Wycheproof's and NIST's cases; tests/vectors/es256.py says where they come from.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::oracle::Key;

#[derive(Deserialize)]
struct Set {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    key: String,
    form: String,
    cases: Vec<(u32, String, String, bool)>,
}

#[test]
fn every_published_case_is_judged_as_published() {
    let sets: BTreeMap<String, Set> = serde_json::from_str(include_str!("../vectors/es256.json")).unwrap();
    let mut counts = BTreeMap::new();
    for (name, set) in &sets {
        for group in &set.groups {
            let key = Key::new(&hex(&group.key));
            for (number, message, signature, valid) in &group.cases {
                let signature = hex(signature);
                let raw = if group.form == "der" { raw_of_der(&signature) } else { Some(signature) };
                let accepted = raw.is_some_and(|raw| key.accepts(&hex(message), &raw));
                assert_eq!(accepted, *valid, "{name} {number}");
                *counts.entry(name.as_str()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(counts, BTreeMap::from([("cavp", 15), ("wycheproof-der", 484), ("wycheproof-p1363", 262)]));
}

/// r and s of 32 bytes each, of the DER form and no other (X.690 10.1, 8.3.2); ranges are not looked at.
fn raw_of_der(der: &[u8]) -> Option<Vec<u8>> {
    let (body, []) = element(0x30, der)? else { return None };
    let (r, rest) = element(0x02, body)?;
    let (s, []) = element(0x02, rest)? else { return None };
    Some([fixed(r)?, fixed(s)?].concat())
}

fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let [first, length @ 0..=0x7f, rest @ ..] = der else { return None };
    (*first == tag).then_some(())?;
    rest.split_at_checked(usize::from(*length))
}

fn fixed(integer: &[u8]) -> Option<[u8; 32]> {
    let digits = match integer {
        [0] => integer,
        [0, 0x80..=0xff, ..] => &integer[1..],
        [1..=0x7f, ..] => integer,
        _ => return None,
    };
    let mut fixed = [0; 32];
    fixed[32_usize.checked_sub(digits.len())?..].copy_from_slice(digits);
    Some(fixed)
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
