//! Table H row by row, in both profiles, and the field's deviations of spec G.

use std::collections::{BTreeMap, BTreeSet};

use crate::cases::{Case, Table, read, run};

pub(crate) const FILES: [&str; 9] = [
    "form.json",
    "header.json",
    "claims.json",
    "freshness.json",
    "numbers.json",
    "credential.json",
    "scope.json",
    "priority.json",
    "rich-call-data.json",
];

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

#[test]
fn priorities_are_believed_as_signed_and_decide_nothing_else() {
    run(&["priority.json"]);
}

#[test]
fn rich_call_data_is_shown_only_where_it_is_what_was_signed() {
    run(&["rich-call-data.json"]);
}

#[test]
fn every_row_every_error_and_every_deviation_has_its_case() {
    let (table, all) = (Table::read(), FILES.iter().flat_map(|name| read::<Vec<Case>>(name)));
    let mut seen = BTreeSet::new();
    for case in all.chain(read::<Vec<Case>>("diversion.json")) {
        seen.extend(case.rules.iter().cloned());
        for name in case.expect.passports.iter().flatten().chain([&case.expect.outcome]) {
            let outcome = table.outcome(name);
            seen.insert(outcome.name.clone());
            seen.insert(outcome.row().to_owned());
            if let [only] = outcome.errors.as_slice() {
                seen.insert(only.clone());
            }
        }
        // H33 is no outcome of its own: a valid PASSporT among bad ones.
        seen.extend(case.id.split_once("::").map(|(row, _)| row.to_owned()));
    }
    let rows = (1..=33).map(|row| format!("H{row}"));
    let elsewhere: BTreeMap<String, String> = read("deviations-elsewhere.json");
    let deviations = (1..=36).map(|row| format!("G{row}")).filter(|rule| !elsewhere.contains_key(rule));
    let kinds = table.outcomes().flat_map(|outcome| outcome.errors.iter().cloned());
    let names = table.outcomes().map(|outcome| outcome.name.clone());
    let missing: Vec<_> =
        rows.chain(deviations).chain(kinds).chain(names).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
    let stale: Vec<_> = elsewhere.keys().filter(|rule| seen.contains(*rule)).collect();
    assert!(stale.is_empty(), "{stale:?} have cases now: take them out of deviations-elsewhere.json");
}

#[test]
fn the_table_knows_every_error_of_the_verifier() {
    // `kind` is the output's word for it and never changes: design 5 lists them.
    let known: BTreeSet<_> = Table::read().outcomes().flat_map(|outcome| outcome.errors.clone()).collect();
    assert_eq!(known.len(), 36, "{known:?}");
}
