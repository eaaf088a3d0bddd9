//! What holds of every verdict, whatever came in.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use stirtrace::es256::TableCache;
use stirtrace::passport::Passport;
use stirtrace::time::UnixTime;
use stirtrace::verify::{Conclusion, Profile, Status, Verdict, Verifier};

use crate::cases::{Case, read};
use crate::decisions::FILES;
use crate::scene::Scene;

#[test]
fn strict_passes_nothing_that_tolerance_refuses() {
    let mut passed = 0;
    for case in cases() {
        let mut strict = case.scene.clone();
        strict.policy.strict = true;
        if strict.verdict(Profile::Rfc).conclusion == Conclusion::Passed {
            passed += 1;
            assert_eq!(case.scene.verdict(Profile::Rfc).conclusion, Conclusion::Passed, "{}", case.id);
        }
    }
    assert!(passed > 50, "{passed}");
}

#[test]
fn a_verdict_says_the_same_of_itself_everywhere() {
    // Over every case: E23, F9, and that only a passed call has a verified PASSporT.
    for case in cases() {
        for profile in [Profile::Rfc, Profile::Atis] {
            let verdict = case.scene.verdict(profile);
            let id = &case.id;
            let in_error = verdict.passports.iter().filter(|report| report.sip.is_some()).count();
            assert_eq!(verdict.reasons.len(), in_error, "{id}");
            assert_eq!(verdict.verified().is_some(), verdict.conclusion == Conclusion::Passed, "{id}");
            let passed = verdict.verstat.as_str() == "TN-Validation-Passed";
            assert_eq!(passed, verdict.conclusion == Conclusion::Passed, "{id}");
            assert!(!passed || verdict.sip.is_none(), "{id}");
            for report in &verdict.passports {
                let failed = report.checks.iter().any(|check| check.result.as_str() == "fail");
                assert!(report.status != Status::Valid || (!failed && report.error.is_none()), "{id}");
                assert!(report.status != Status::Invalid || report.error.is_some(), "{id}");
            }
            check_members(&verdict, id);
        }
    }
}

/// design: a cache never changes a verdict, and tables and library agree.
#[test]
fn tables_change_no_verdict() {
    let (none, tables) = (Arc::new(TableCache::new(0)), Arc::new(TableCache::default()));
    let by = |case: &Case, tables: &Arc<TableCache>, cross_check: bool| {
        let mut policy = case.scene.policy(Profile::Rfc);
        policy.cross_check = cross_check;
        let verifier = Verifier::new(policy).with_tables(Arc::clone(tables));
        format!("{:?}", case.scene.verdict_by(&verifier, &case.scene.values()))
    };
    // The first round builds the tables of the lab's signers.
    for round in 0..2 {
        for case in cases() {
            let expected = by(&case, &none, false);
            assert_eq!(by(&case, &tables, false), expected, "{}, round {round}", case.id);
            assert_eq!(by(&case, &tables, true), expected, "{}, round {round}", case.id);
        }
    }
    assert!(none.is_empty() && !tables.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A4: whatever byte of a token changes, it passes no more, unless it still decodes to the same signed bytes.
    #[test]
    fn a_changed_token_never_passes(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let scene = Scene::default();
        let value = scene.values().remove(0);
        let end = value.find(';').unwrap();
        let position = at.index(end);
        let mut bytes = value.clone().into_bytes();
        bytes[position] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assume!(changed != value);
        let same = match (Passport::parse(&changed[..end]), Passport::parse(&value[..end])) {
            (Ok(new), Ok(old)) => new.signing_input() == old.signing_input() && new.signature() == old.signature(),
            _ => false,
        };
        let verdict = scene.verdict_on(std::slice::from_ref(&changed), Profile::Rfc);
        prop_assert_eq!(verdict.conclusion == Conclusion::Passed, same, "{}", changed);
        prop_assert_eq!(verdict.verified().is_some(), same);
    }

    /// Nothing that a header can hold panics, and what passes is the token that was signed.
    #[test]
    fn a_mangled_value_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, ".{0,6}"), 1..8)
    ) {
        let scene = Scene::default();
        let good = scene.values().remove(0);
        let mut characters: Vec<char> = good.chars().collect();
        for (at, kind, text) in edits {
            let position = at.index(characters.len() + 1);
            let rest = characters.split_off(position);
            match kind {
                0 => characters.extend(text.chars().chain(rest)),
                1 => characters.extend(rest.into_iter().skip(text.chars().count())),
                2 => characters.extend(text.chars().chain(rest.into_iter().skip(text.chars().count()))),
                _ => characters.extend(rest.iter().rev()),
            }
        }
        let mangled: String = characters.into_iter().collect();
        // A bare value, for not every character can stand in a SIP field.
        let call = json!({"form": "bare", "caller": "12155550112", "called": "12155550131"});
        let mut bare = Scene::from_json(json!({"call": call}));
        for strict in [false, true] {
            bare.policy.strict = strict;
            let verdict = bare.verdict_on(std::slice::from_ref(&mangled), Profile::Atis);
            if verdict.conclusion == Conclusion::Passed {
                let (signed, _) = good.split(';').next().unwrap().rsplit_once('.').unwrap();
                prop_assert!(mangled.contains(signed));
            }
            check_members(&verdict, &mangled);
        }
    }

    /// RFC 8224 §6.2.1: header lines have no order as to whether the call passes.
    #[test]
    fn the_order_of_headers_does_not_change_the_conclusion(
        (tokens, order) in prop::collection::vec(0_usize..TOKENS, 1..7).prop_flat_map(|tokens| {
            let order = (0..tokens.len()).collect::<Vec<_>>();
            (Just(tokens), Just(order).prop_shuffle())
        })
    ) {
        let kinds = kinds();
        let scene = |order: &mut dyn Iterator<Item = usize>| {
            let tokens: Vec<Value> = order.map(|index| kinds[tokens[index]].clone()).collect();
            Scene::from_json(json!({"tokens": tokens}))
        };
        let straight = scene(&mut (0..tokens.len())).verdict(Profile::Rfc);
        let shuffled = scene(&mut order.iter().copied()).verdict(Profile::Rfc);
        prop_assert_eq!(straight.conclusion, shuffled.conclusion);
        let mut statuses = [straight, shuffled].map(|verdict| {
            verdict.passports.iter().map(|report| report.status.as_str()).collect::<Vec<_>>()
        });
        statuses.iter_mut().for_each(|list| list.sort_unstable());
        prop_assert_eq!(&statuses[0], &statuses[1]);
    }

    /// Only differences of times count, as long as the certificates hold.
    #[test]
    fn shifting_all_times_changes_nothing(
        days in 0_i64..3_000, seconds in 0_i64..86_400, iat in -130_i64..130, date in -130_i64..130,
    ) {
        let here = Scene::from_json(json!({"tokens": [{"iat": iat}], "call": {"date": date}}));
        let mut there = here.clone();
        let start = UnixTime::parse_rfc3339("2026-02-01T00:00:00Z").unwrap();
        there.at = start.plus_seconds(days * 86_400 + seconds).to_string();
        prop_assert_eq!(shape(&here.verdict(Profile::Rfc)), shape(&there.verdict(Profile::Rfc)));
    }

    /// F3 and B-V4 as arithmetic.
    #[test]
    fn the_window_is_what_the_policy_says(
        age in 0_i64..400, iat in -500_i64..500, date in prop::option::of(-500_i64..500),
    ) {
        let scene = Scene::from_json(json!({
            "tokens": [{"iat": iat}], "call": {"date": date}, "policy": {"max_age": age}}));
        let verdict = scene.verdict(Profile::Rfc);
        let kind = verdict.error().map(stirtrace::verify::Error::kind);
        let expected = match (iat.abs() <= age, date.is_none_or(|date| date.abs() <= age)) {
            (true, _) => None,
            (false, true) => Some("StaleIat"),
            (false, false) => Some("StaleDate"),
        };
        prop_assert_eq!(kind, expected);
    }
}

fn cases() -> Vec<Case> {
    FILES.iter().chain(&["diversion.json", "peers.json"]).flat_map(|name| read::<Vec<Case>>(name)).collect()
}

/// Tokens of every fate.
fn kinds() -> [Value; TOKENS] {
    [
        json!({}),
        json!({"signer": "cascade", "claims": {"attest": "C"}}),
        json!({"mutate": ["flip-signature-bit"]}),
        json!({"iat": -61}),
        json!({"ppt": "rcd", "claims": {"crn": "Rent"}}),
        json!({"signer": "self-signed"}),
        json!({"mutate": ["compact"]}),
        json!({"ppt": "base"}),
        json!({"ppt": "div", "signer": "prairie"}),
        json!({"ppt": "div", "signer": "prairie", "mutate": ["flip-signature-bit"]}),
        json!({"x5u": "https://nowhere.lab.example/x.pem", "signer": "body-empty"}),
        json!({"iat": -3600}),
    ]
}

const TOKENS: usize = 12;

/// A verdict without its times.
fn shape(verdict: &Verdict) -> Value {
    let passports: Vec<_> = verdict
        .passports
        .iter()
        .map(|report| {
            let checks: Vec<_> = report.checks.iter().map(|check| (check.rule.name(), check.result.as_str())).collect();
            let error = report.error.as_ref().map(stirtrace::verify::Error::kind);
            json!({"status": report.status, "error": error, "checks": checks})
        })
        .collect();
    json!({"verdict": verdict.conclusion, "verstat": verdict.verstat, "sip": verdict.sip, "passports": passports})
}

/// Design 5: names that never change.
fn check_members(verdict: &Verdict, id: &str) {
    let text = serde_json::to_string(verdict).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let has = |value: &Value, names: &[&str]| {
        for name in names {
            assert!(value.get(name).is_some(), "{id}: {name} is not in {value}");
        }
    };
    has(&value, &["call", "verdict", "verstat", "sip", "attest", "origid", "signer", "passports", "reasons"]);
    has(&value["call"], &["call_id", "from", "to", "date"]);
    for passport in value["passports"].as_array().unwrap() {
        has(passport, &["ppt", "status", "error", "checks", "header", "claims", "sip", "atis82"]);
        for check in passport["checks"].as_array().unwrap() {
            has(check, &["check", "clause", "result", "detail"]);
        }
        if !passport["error"].is_null() {
            has(&passport["error"], &["kind", "detail"]);
        }
    }
}
