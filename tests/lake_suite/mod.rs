//! What every lake answers (design 6), whatever keeps the records.
//!
//! Another implementation is put under it by a file of tests with three lines: this module, a function that makes a
//! lake of the rows given, and [`lake_suite!`](crate::lake_suite) with that function's name:
//!
//! ```text
//! #[path = "../../tests/lake_suite/mod.rs"]
//! mod lake_suite;
//! lake_suite!(my_lake, make);          // fn make(rows: &[lake_suite::Row]) -> impl Lake<Error: Debug>
//! ```
//!
//! [`memory`] is the plain implementation that all are compared with.

pub(crate) mod differential;
pub(crate) mod memory;
pub(crate) mod numbers;
pub(crate) mod signed;
pub(crate) mod spans;
pub(crate) mod tallies;
pub(crate) mod whole;

use std::fmt::Debug;
use std::ops::ControlFlow;

use stirtrace::cdr::{Dialed, Fingerprint, Place, Record};
use stirtrace::lake::{Found, Lake, Wanted};
use stirtrace::number::{NumberPlan, TelephoneNumber};
use stirtrace::time::UnixTime;
use stirtrace::traceback::Span;

/// A record and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) network: String,
    pub(crate) source: String,
    pub(crate) file: String,
    pub(crate) record: Record,
}

/// Runs every behaviour over the lakes that a function makes.
#[macro_export]
macro_rules! lake_suite {
    ($name:ident, $make:path) => {
        mod $name {
            use $crate::lake_suite::*;

            $crate::lake_suite!(@each $make;
                numbers::ten_digits_and_the_full_form_meet_from_either_side,
                numbers::a_number_of_another_country_is_another_number,
                numbers::everyone_that_the_call_was_for_is_found,
                numbers::what_is_no_integer_is_found_too,
                numbers::all_that_is_named_must_be_so,
                numbers::a_passport_is_found_by_its_text,
                numbers::a_busy_number_is_found_to_the_second,
                spans::both_ends_of_a_span_are_in_it,
                spans::a_span_reaches_over_midnight,
                spans::either_instant_of_a_repeated_hour_counts,
                spans::an_empty_span_has_nothing_in_it,
                spans::a_span_without_numbers_is_everything_in_it,
                whole::a_record_comes_back_as_it_went_in,
                whole::a_record_is_given_for_each_that_it_fits,
                whole::what_all_records_have_comes_back_with_each,
                whole::a_lake_without_records_answers_nothing,
                whole::what_is_held_is_told_source_by_source,
                tallies::records_are_counted_by_every_field,
                tallies::a_filter_leaves_out_what_differs,
                tallies::the_classes_of_seconds_begin_where_they_should,
                signed::records_that_carry_an_identity_are_given_as_they_are_kept,
                signed::who_has_seen_enough_ends_it,
                differential::any_records_and_questions_have_the_same_answers,
            );
        }
    };
    (@each $make:path; $($group:ident :: $case:ident,)*) => {
        $(#[test] fn $case() { $group::$case($make); })*
    };
}

/// Noon of 2026-05-04.
pub(crate) const NOON: i64 = 1_777_896_000;

pub(crate) fn at(second: i64) -> UnixTime {
    UnixTime::from_seconds(NOON + second)
}

pub(crate) fn span(from: i64, to: i64) -> Span {
    Span::new(at(from), at(to))
}

pub(crate) fn number(text: &str) -> TelephoneNumber {
    text.parse().unwrap()
}

/// A number that is canonical as it stands.
pub(crate) fn dialed(text: &str) -> Dialed {
    let mut dialed = Dialed::read(text, NumberPlan::INTERNATIONAL);
    dialed.canonical = text.parse().ok();
    dialed
}

/// A call so many seconds after noon.
pub(crate) fn record(calling: &str, called: &str, second: i64) -> Record {
    let mut record = Record::default();
    record.start = at(second);
    record.calling = dialed(calling);
    record.called = dialed(called);
    record
}

/// Rows of one source, in one file; each with a line and a fingerprint of its own.
pub(crate) fn rows(records: impl IntoIterator<Item = Record>) -> Vec<Row> {
    let of = |record| Row {
        network: "Cascade Transit".to_owned(),
        source: "sbc".to_owned(),
        file: "cdr/a.csv".to_owned(),
        record,
    };
    numbered(records.into_iter().map(of).collect())
}

/// Gives each row a line and a fingerprint of its own.
pub(crate) fn numbered(mut rows: Vec<Row>) -> Vec<Row> {
    for (row, line) in rows.iter_mut().zip(2_u64..) {
        row.record.place = Place::new(0, line);
        let mut print = [0; 16];
        print[..8].copy_from_slice(&line.to_be_bytes());
        row.record.fingerprint = Fingerprint(print);
    }
    rows
}

/// What a lake finds: which of those wanted, and the record's line; in order.
pub(crate) fn found<L: Lake<Error: Debug>>(lake: &L, wanted: &[Wanted]) -> Vec<(usize, u64)> {
    let mut lines: Vec<_> = all_found(lake, wanted).iter().map(|own| (own.wanted, own.record.place.line)).collect();
    lines.sort_unstable();
    lines
}

pub(crate) fn all_found<L: Lake<Error: Debug>>(lake: &L, wanted: &[Wanted]) -> Vec<Found> {
    let mut all = Vec::new();
    lake.candidates(wanted, &mut |found| all.push(found)).unwrap();
    all
}

/// The lines of the records that one question finds.
pub(crate) fn lines<L: Lake<Error: Debug>>(lake: &L, wanted: Wanted) -> Vec<u64> {
    found(lake, &[wanted]).into_iter().map(|(_, line)| line).collect()
}

/// The records of a span that carry an Identity, by network and line, in the order given.
pub(crate) fn signed_lines<L: Lake<Error: Debug>>(lake: &L, span: Span, network: Option<&str>) -> Vec<(String, u64)> {
    let mut lines = Vec::new();
    let mut take = |found: Found| {
        assert!(!found.record.identity.is_empty());
        lines.push((found.network.as_ref().to_owned(), found.record.place.line));
        ControlFlow::Continue(())
    };
    lake.signed(span, network, &mut take).unwrap();
    lines
}
