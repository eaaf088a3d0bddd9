//! Calls judged together have the verdicts that they have alone, whatever is among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use stirtrace::es256::TableCache;
use stirtrace::sip::Call;
use stirtrace::time::UnixTime;
use stirtrace::verify::{Materials, Policy, Profile, Verdict, Verifier};

use crate::cases::{Case, read};
use crate::decisions::FILES;
use crate::lab;
use crate::scene::Scene;

/// The calls of all cases by their policy, with everything that the archive has for them.
fn calls() -> Vec<(Policy, Vec<(Call, UnixTime)>)> {
    let mut by_policy: BTreeMap<String, (Policy, Vec<(Call, UnixTime)>)> = BTreeMap::new();
    for case in FILES.iter().chain(&["diversion.json"]).flat_map(|name| read::<Vec<Case>>(name)) {
        let policy = case.scene.policy(Profile::Rfc);
        let (_, calls) = by_policy.entry(format!("{policy:?}")).or_insert((policy, Vec::new()));
        calls.push((case.scene.call_of(&case.scene.values()), case.scene.at()));
    }
    by_policy.into_values().collect()
}

fn materials(verifier: &Verifier, calls: &[(Call, UnixTime)]) -> Materials {
    let mut materials = Materials::new();
    materials.set_anchors(lab::roots());
    for (call, _) in calls {
        for url in verifier.missing(call, &materials) {
            match lab::archived(&url) {
                Some(body) => materials.add_certificate(&url, &body),
                None => materials.mark_unavailable(&url, "nothing lies there"),
            }
        }
    }
    materials
}

fn printed(verdicts: &[Verdict]) -> Vec<String> {
    verdicts.iter().map(|verdict| serde_json::to_string(verdict).unwrap()).collect()
}

/// Makes tables for the keys that sign the usual cases, where the policy accepts these.
fn warm(verifier: &Verifier) {
    let scene = Scene::default();
    (0..TableCache::WARM_UP + TableCache::USES).for_each(|_| drop(scene.verdict_by(verifier, &scene.values())));
}

#[test]
fn calls_judged_together_have_the_verdicts_that_they_have_alone() {
    let (mut judged, mut by_tables) = (0, 0);
    for (mut policy, calls) in calls() {
        policy.cross_check = judged % 2 == 1;
        let alone = Verifier::new(policy.clone()).with_tables(Arc::new(TableCache::new(0)));
        let materials = materials(&alone, &calls);
        let expected: Vec<Verdict> = calls.iter().map(|(call, at)| alone.verify(call, &materials, *at)).collect();
        let expected = printed(&expected);
        let together: Vec<(&Call, UnixTime)> = calls.iter().map(|(call, at)| (call, *at)).collect();
        let tabled = Verifier::new(policy);
        warm(&tabled);
        by_tables += if tabled.tables().is_empty() { 0 } else { calls.len() };
        for verifier in [&alone, &tabled] {
            assert_eq!(printed(&verifier.verify_batch(&together, &materials)), expected);
            for portion in [1, 2, 5, 33, 64, 65] {
                let verdicts = together.chunks(portion).flat_map(|calls| verifier.verify_batch(calls, &materials));
                assert_eq!(printed(&verdicts.collect::<Vec<_>>()), expected, "{portion} at a time");
            }
        }
        judged += calls.len();
    }
    assert!(judged > 400 && by_tables > judged / 2, "{judged}, {by_tables} of them with tables");
}

/// RFC 8224 §6.2 step 5: one signature that is wrong says nothing about those it was verified with.
#[test]
fn a_wrong_signature_among_many_fails_alone() {
    let verifier = Verifier::new(Policy::default());
    warm(&verifier);
    assert!(!verifier.tables().is_empty());
    let scene = Scene::default();
    let good = scene.values();
    let wrong: Vec<String> = good.iter().map(|value| with_another_signature(value)).collect();
    let calls: Vec<Call> = (0..100).map(|place| scene.call_of(if place % 7 == 3 { &wrong } else { &good })).collect();
    let calls: Vec<(&Call, UnixTime)> = calls.iter().map(|call| (call, scene.at())).collect();
    let materials = materials(&verifier, &[(calls[0].0.clone(), scene.at())]);
    let verdicts = verifier.verify_batch(&calls, &materials);
    for (place, verdict) in verdicts.iter().enumerate() {
        let kind = verdict.error().map(stirtrace::verify::Error::kind);
        assert_eq!(kind, (place % 7 == 3).then_some("InvalidSignature"), "{place}");
    }
    assert!(verifier.verify_batch(&[], &materials).is_empty());
}

/// The same header and claims, signed otherwise: the first letter of the signature is another one.
fn with_another_signature(value: &str) -> String {
    let (token, parameters) = value.split_once(';').unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{};{parameters}", &signature[1..])
}
