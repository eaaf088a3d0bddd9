//! Table H row by row, in both profiles, and the field's deviations of spec G.

use std::collections::BTreeSet;

use crate::cases::{Case, read, run};

const FILES: [&str; 7] =
    ["form.json", "header.json", "claims.json", "freshness.json", "numbers.json", "credential.json", "scope.json"];

#[test]
fn what_cannot_be_read_is_named_and_coded() {
    run(&["form.json", "header.json"]);
}

#[test]
fn claims_and_their_spellings_are_judged() {
    run(&["claims.json"]);
}

#[test]
fn freshness_is_sixty_seconds_to_either_side() {
    run(&["freshness.json"]);
}

#[test]
fn a_token_serves_only_the_call_it_was_signed_for() {
    run(&["numbers.json"]);
}

#[test]
fn certificates_are_held_to_path_time_revocation_and_scope() {
    run(&["credential.json", "scope.json"]);
}
