//! Counts by a few columns (traceback 5: attestation by upstream, short calls, signers).

use std::fmt::Debug;

use stirtrace::cdr::Record;
use stirtrace::lake::{Field, Lake, Tally};

use super::{Row, at, numbered, record, rows, span};

fn call(second: i64, trunk: &str, attest: Option<&str>, lasted: Option<i64>) -> Record {
    let mut own = record("12155550112", "12155550131", second);
    own.ingress.trunk = Some(trunk.to_owned());
    own.stated.attest = attest.map(str::to_owned);
    own.answer = lasted.map(|_| at(second + 3));
    own.end = lasted.map(|lasted| at(second + 3 + lasted));
    own
}

fn shown<L: Lake<Error: Debug>>(lake: &L, tally: &Tally) -> Vec<String> {
    let lines = lake.tally(tally).unwrap();
    let values = |own: &[Option<String>]| own.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" ");
    let shown = lines.iter().map(|own| {
        let (from, to) = (own.from.seconds_since(at(0)), own.to.seconds_since(at(0)));
        format!("{}: {} {} {from} {to}", values(&own.values), own.records, own.seconds)
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

pub(crate) fn records_are_counted_by_every_field<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut all = rows([
        call(0, "tg-1", Some("A"), Some(5)),
        call(60, "tg-1", Some("A"), None),
        call(50_000, "tg-1", None, Some(90)),
        call(90, "tg-2", Some("C"), Some(0)),
    ]);
    all[3].network = "Alder".to_owned();
    all[3].file = "b.csv".to_owned();
    let lake = make(&numbered(all));
    let by = |fields: &[Field]| shown(&lake, &Tally::by(fields, span(-100, 100_000)));
    assert_eq!(by(&[]), [": 4 95 0 50000"]);
    assert_eq!(by(&[Field::IngressTrunk]), ["tg-1: 3 95 0 50000", "tg-2: 1 0 90 90"]);
    assert_eq!(
        by(&[Field::Attest, Field::Answered]),
        ["- yes: 1 90 50000 50000", "A no: 1 0 60 60", "A yes: 1 5 0 0", "C yes: 1 0 90 90"]
    );
    assert_eq!(by(&[Field::Day]), ["2026-05-04: 3 5 0 90", "2026-05-05: 1 90 50000 50000"]);
    assert_eq!(by(&[Field::Network, Field::Source]), ["Alder sbc: 1 0 90 90", "Cascade Transit sbc: 3 95 0 50000"]);
    assert_eq!(by(&[Field::Signer, Field::Origid, Field::IngressAddress]), ["- - -: 4 95 0 50000"]);
    // Both ends of the span are in it.
    assert_eq!(shown(&lake, &Tally::by([], span(60, 90))), [": 2 0 60 90"]);
}

pub(crate) fn a_filter_leaves_out_what_differs<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&rows([
        call(0, "tg-1", Some("A"), Some(5)),
        call(1, "tg-1", None, Some(5)),
        call(2, "tg-2", Some("A"), Some(5)),
    ]));
    let trunks = || Tally::by([Field::IngressTrunk], span(0, 10));
    assert_eq!(shown(&lake, &trunks().only(Field::Attest, Some("A"))), ["tg-1: 1 5 0 0", "tg-2: 1 5 2 2"]);
    assert_eq!(shown(&lake, &trunks().only(Field::Attest, None)), ["tg-1: 1 5 1 1"]);
    let both = trunks().only(Field::Attest, Some("A")).only(Field::IngressTrunk, Some("tg-2"));
    assert_eq!(shown(&lake, &both), ["tg-2: 1 5 2 2"]);
    assert!(shown(&lake, &trunks().only(Field::Attest, Some("B"))).is_empty());
}

pub(crate) fn the_classes_of_seconds_begin_where_they_should<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lasted = [None, Some(-5), Some(0), Some(1), Some(6), Some(7), Some(15), Some(16), Some(60), Some(61)];
    let lake = make(&rows(lasted.map(|lasted| call(0, "tg-1", None, lasted))));
    assert_eq!(
        shown(&lake, &Tally::by([Field::Seconds], span(0, 0))),
        ["-: 1 0 0 0", "0: 2 0 0 0", "1-6: 2 7 0 0", "16-60: 2 76 0 0", "61-: 1 61 0 0", "7-15: 2 22 0 0"]
    );
}
