//! What other verifiers wrongly accept is refused here with the right code, and what they wrongly refuse passes.

use std::collections::BTreeSet;

use crate::cases::{Case, read, run};

#[test]
fn what_others_get_wrong_is_right_here() {
    run(&["peers.json"]);
}

#[test]
fn every_known_mistake_has_its_case() {
    let cases: Vec<Case> = read("peers.json");
    let seen: BTreeSet<_> = cases.iter().map(|case| case.id.split("::").next().unwrap().to_owned()).collect();
    let expected: BTreeSet<_> =
        (1..=17).map(|item| format!("peers-{item}")).chain(["peers-users".to_owned()]).collect();
    assert_eq!(seen, expected);
}
