//! Diversions: chains of `div` PASSporTs from whom a call was signed for to whom it reached (RFC 8946 §4.2).

use proptest::prelude::*;
use serde_json::{Value, json};
use stirtrace::verify::{Conclusion, Profile, Status};

use crate::cases::run;
use crate::scene::Scene;

#[test]
fn a_chain_holds_only_when_every_link_does() {
    run(&["diversion.json"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// RFC 8946 §3: header lines have no order.
    #[test]
    fn the_order_of_the_header_lines_changes_nothing(
        (hops, order) in (1_usize..=6).prop_flat_map(|hops| {
            (Just(hops), Just((0..=hops).collect::<Vec<_>>()).prop_shuffle())
        })
    ) {
        let verdict = shuffled(&chain(hops), &order, hops).verdict(Profile::Rfc);
        prop_assert_eq!(verdict.conclusion, Conclusion::Passed);
        prop_assert!(verdict.passports.iter().all(|report| report.status == Status::Valid));
    }

    /// E5 (f): a chain is as good as its worst link, wherever its header stands.
    #[test]
    fn one_bad_link_spoils_the_chain_in_any_order(
        (hops, bad, order) in (1_usize..=5).prop_flat_map(|hops| {
            (Just(hops), 0..=hops, Just((0..=hops).collect::<Vec<_>>()).prop_shuffle())
        })
    ) {
        let mut tokens = chain(hops);
        tokens[bad]["mutate"] = json!(["flip-signature-bit"]);
        let verdict = shuffled(&tokens, &order, hops).verdict(Profile::Rfc);
        prop_assert_eq!(verdict.conclusion, Conclusion::Failed);
        prop_assert!(verdict.passports.iter().all(|report| report.status == Status::Invalid));
        prop_assert!(verdict.verified().is_none());
    }

    /// E5 (a): whichever diversion is missing, nothing is left that proves the call.
    #[test]
    fn a_missing_link_leaves_nothing_valid(
        (hops, missing) in (1_usize..=6).prop_flat_map(|hops| (Just(hops), 1..=hops))
    ) {
        let mut tokens = chain(hops);
        tokens.remove(missing);
        let order: Vec<_> = (0..tokens.len()).collect();
        let verdict = shuffled(&tokens, &order, hops).verdict(Profile::Rfc);
        prop_assert_eq!(verdict.conclusion, Conclusion::Failed);
        prop_assert!(verdict.passports.iter().all(|report| report.status == Status::Invalid));
    }
}

/// A shaken PASSporT and this many diversions of it.
fn chain(hops: usize) -> Vec<Value> {
    let signers = ["prairie", "cascade", "harbor"];
    let diversion = |hop: usize| {
        json!({"ppt": "div", "signer": signers[hop % 3],
            "claims": {"div": {"tn": number(hop)}, "dest": {"tn": [number(hop + 1)]}}})
    };
    std::iter::once(json!({})).chain((0..hops).map(diversion)).collect()
}

fn number(hop: usize) -> String {
    (12_155_550_131_u64 + u64::try_from(hop).unwrap()).to_string()
}

fn shuffled(tokens: &[Value], order: &[usize], hops: usize) -> Scene {
    let tokens: Vec<_> = order.iter().map(|index| tokens[*index].clone()).collect();
    let called = format!("sip:+{}@us.example", number(hops));
    Scene::from_json(json!({"tokens": tokens, "call": {"request_uri": called, "to": format!("<{called}>")}}))
}
