//! Records are found by their numbers and PASSporTs (traceback 4.10: forms with and without a country code).

use std::fmt::Debug;

use stirtrace::lake::{Lake, Wanted};

use super::{Row, dialed, found, lines, number, record, rows, span};

fn always() -> Wanted {
    Wanted::within(span(-100_000, 100_000))
}

pub(crate) fn ten_digits_and_the_full_form_meet_from_either_side<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&rows([
        record("12155550112", "12155550131", 0),
        record("2155550112", "2155550131", 1),
        record("12155550113", "12155550132", 2),
    ]));
    for text in ["12155550131", "2155550131"] {
        assert_eq!(lines(&lake, always().with_called(number(text))), [2, 3], "{text}");
    }
    for text in ["12155550112", "2155550112"] {
        assert_eq!(lines(&lake, always().with_calling(number(text))), [2, 3], "{text}");
    }
}

pub(crate) fn a_number_of_another_country_is_another_number<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&rows([
        record("12155550112", "12155550131", 0),
        record("442155550112", "442155550131", 1),
        record("2155550112", "2155550131", 2),
    ]));
    assert_eq!(lines(&lake, always().with_called(number("442155550131"))), [3, 4]);
    assert_eq!(lines(&lake, always().with_calling(number("12155550112"))), [2, 4]);
    // Ten digits name no country.
    assert_eq!(lines(&lake, always().with_calling(number("2155550112"))), [2, 3, 4]);
}

pub(crate) fn everyone_that_the_call_was_for_is_found<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut diverted = record("12155550112", "12155550131", 0);
    diverted.original_called = Some(dialed("12155550132"));
    diverted.diversion = vec![dialed("anonymous"), dialed("12155550133"), dialed("2155550134")];
    let lake = make(&rows([diverted, record("12155550112", "12155550135", 0)]));
    for text in ["12155550131", "12155550132", "2155550133", "12155550134"] {
        assert_eq!(lines(&lake, always().with_called(number(text))), [2], "{text}");
    }
}

pub(crate) fn what_is_no_integer_is_found_too<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let odd = ["*67", "#31#2155550131", "0012345", "12345", "1234567890123456789012345678901", "0"];
    let lake = make(&rows(odd.iter().map(|text| record(text, text, 0))));
    for (text, line) in odd.iter().zip(2..) {
        assert_eq!(lines(&lake, always().with_called(number(text))), [line], "called {text}");
        assert_eq!(lines(&lake, always().with_calling(number(text))), [line], "calling {text}");
    }
    assert_eq!(lines(&lake, always().with_calling(number("2155550131"))), [3]);
    assert_eq!(lines(&lake, always().with_calling(number("2345678901"))), [6]);
}

pub(crate) fn all_that_is_named_must_be_so<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut signed = record("12155550112", "12155550131", 0);
    signed.identity = vec!["a.b.c;info=<https://x.example/1>".to_owned()];
    let lake = make(&rows([
        signed,
        record("12155550112", "12155550132", 0),
        record("anonymous", "12155550131", 0),
        record("12155550113", "12155550131", 5_000),
    ]));
    let (one, other) = (number("12155550112"), number("12155550131"));
    assert_eq!(lines(&lake, always().with_calling(one).with_called(other)), [2]);
    assert_eq!(lines(&lake, always().with_called(other).with_token(Wanted::token_key("a.b.c"))), [2]);
    assert!(
        lines(&lake, always().with_calling(number("12155550113")).with_token(Wanted::token_key("a.b.c"))).is_empty()
    );
    assert_eq!(lines(&lake, Wanted::within(span(0, 0)).with_called(other)), [2, 4]);
}

pub(crate) fn a_passport_is_found_by_its_text<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let with = |second, identity: &[&str]| {
        let mut own = record("12155550112", "12155550131", second);
        own.identity = identity.iter().map(|value| (*value).to_owned()).collect();
        own
    };
    let lake = make(&rows([
        with(0, &["a.b.c;info=<https://x.example/1>", "d.e.f;ppt=div"]),
        with(1, &["a.b.c;info=<https://y.example/2>"]),
        with(2, &["not a token at all"]),
        with(3, &[]),
    ]));
    assert_eq!(lines(&lake, always().with_token(Wanted::token_key("a.b.c"))), [2, 3]);
    assert_eq!(lines(&lake, always().with_token(Wanted::token_key("d.e.f"))), [2]);
    assert!(lines(&lake, always().with_token(Wanted::token_key("x.y.z"))).is_empty());
}

pub(crate) fn a_busy_number_is_found_to_the_second<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    // A dialer and a help line: each in thousands of calls, one second after the other.
    let dialer = (0..5_000).map(|own| record("12155550112", &format!("1215{:07}", 5_550_000 + own), own));
    let help_line = (0..5_000).map(|own| record(&format!("1216{:07}", 5_550_000 + own), "12155559999", own));
    let both = std::iter::once(record("12155550112", "12155559999", 3_000));
    let lake = make(&rows(dialer.chain(help_line).chain(both)));
    let near = Wanted::within(span(3_000, 3_001));
    assert_eq!(lines(&lake, near.with_calling(number("12155550112"))), [3_002, 3_003, 10_002]);
    assert_eq!(lines(&lake, near.with_called(number("12155559999"))), [8_002, 8_003, 10_002]);
    let of_both = always().with_calling(number("12155550112")).with_called(number("12155559999"));
    assert_eq!(lines(&lake, of_both), [10_002]);
    assert_eq!(found(&lake, &[always().with_calling(number("12155550112"))]).len(), 5_001);
}
