//! When a call began decides, to the second; where a clock repeats an hour, either instant (traceback 4.10).

use std::fmt::Debug;

use stirtrace::lake::{Lake, Wanted};

use super::{Row, at, lines, number, record, rows, span};

/// Seconds from noon to midnight.
const MIDNIGHT: i64 = 12 * 60 * 60;

fn calls(seconds: &[i64]) -> Vec<Row> {
    rows(seconds.iter().map(|second| record("12155550112", "12155550131", *second)))
}

/// The same question by each of the ways that lead to a record.
fn ways(from: i64, to: i64) -> [Wanted; 4] {
    let within = Wanted::within(span(from, to));
    let (calling, called) = (number("12155550112"), number("12155550131"));
    [within, within.with_calling(calling), within.with_called(called), within.with_calling(calling).with_called(called)]
}

pub(crate) fn both_ends_of_a_span_are_in_it<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&calls(&[-1, 0, 5, 10, 11]));
    for wanted in ways(0, 10) {
        assert_eq!(lines(&lake, wanted), [3, 4, 5], "{wanted:?}");
    }
    for wanted in ways(5, 5) {
        assert_eq!(lines(&lake, wanted), [4], "{wanted:?}");
    }
}

pub(crate) fn a_span_reaches_over_midnight<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&calls(&[MIDNIGHT - 100, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 86_399, MIDNIGHT + 86_400]));
    for wanted in ways(MIDNIGHT - 1, MIDNIGHT + 86_400) {
        assert_eq!(lines(&lake, wanted), [3, 4, 5, 6], "{wanted:?}");
    }
}

pub(crate) fn either_instant_of_a_repeated_hour_counts<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    // The other instant lies behind midnight, on another day.
    let mut repeated = calls(&[MIDNIGHT - 1_800, MIDNIGHT - 1_700]);
    repeated[0].record.start_repeated = Some(at(MIDNIGHT + 1_800));
    let lake = make(&repeated);
    for second in [MIDNIGHT - 1_800, MIDNIGHT + 1_800] {
        for wanted in ways(second, second) {
            assert_eq!(lines(&lake, wanted), [2], "{wanted:?}");
        }
    }
    // Both at once are one record.
    for wanted in ways(MIDNIGHT - 1_800, MIDNIGHT + 1_800) {
        assert_eq!(lines(&lake, wanted), [2, 3], "{wanted:?}");
    }
    for wanted in ways(MIDNIGHT, MIDNIGHT + 1_799) {
        assert!(lines(&lake, wanted).is_empty(), "{wanted:?}");
    }
}

pub(crate) fn an_empty_span_has_nothing_in_it<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&calls(&[0, 5]));
    for wanted in ways(5, 0) {
        assert!(lines(&lake, wanted).is_empty(), "{wanted:?}");
    }
}

pub(crate) fn a_span_without_numbers_is_everything_in_it<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut all = calls(&[0, 5]);
    all.push(rows([record("anonymous", "*67", 6)]).remove(0));
    let lake = make(&super::numbered(all));
    assert_eq!(lines(&lake, Wanted::within(stirtrace::traceback::Span::ALWAYS)), [2, 3, 4]);
}
