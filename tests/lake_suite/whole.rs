//! What comes back is what was kept, and whose it is.

use std::fmt::Debug;

use stirtrace::cdr::{Link, Place, Stated};
use stirtrace::lake::{Field, Lake, Tally, Wanted};

use super::{Row, all_found, at, dialed, found, number, numbered, record, rows, span};

pub(crate) fn a_record_comes_back_as_it_went_in<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut full = record("2155550112", "77#12155550131", 0);
    full.called = dialed("12155550131");
    full.called.raw = "77#12155550131".to_owned();
    full.called.tech_prefix = Some("77".to_owned());
    (full.start_repeated, full.answer, full.end) = (Some(at(3_600)), Some(at(4)), Some(at(64)));
    full.original_called = Some(dialed("0012155550132"));
    full.diversion = vec![dialed("*67"), dialed("12155550133")];
    let link = |name: &str| {
        let mut link = Link::default();
        (link.trunk, link.address) = (Some(format!("tg-{name}")), Some("198.51.100.7:5060".to_owned()));
        link.call_id = Some(format!("{name}@sbc.example"));
        link
    };
    (full.ingress, full.egress) = (link("in"), link("out"));
    (full.sip_status, full.q850, full.is_final) = (Some(200), Some(16), Some(true));
    full.identity = vec!["a.b.c;info=<https://x.example/1,2>".to_owned(), "\"quoted\"".to_owned()];
    full.switch = Some("sbc-1".to_owned());
    let mut stated = Stated::default();
    (stated.verstat, stated.attest) = (Some("TN-Validation-Passed".to_owned()), Some("A".to_owned()));
    (stated.origid, stated.spc) = (Some("o".to_owned()), Some("552D".to_owned()));
    full.stated = stated;
    let mut all = rows([full, record("anonymous", "12155550131", 0)]);
    (all[1].network, all[1].source, all[1].file) = ("Alder".to_owned(), "b".to_owned(), "b.csv.gz".to_owned());
    let lake = make(&all);
    let back = all_found(&lake, &[Wanted::within(span(0, 0)).with_called(number("12155550131"))]);
    let mut back: Vec<Row> = back
        .into_iter()
        .map(|own| {
            assert_eq!(own.record.place, Place::new(0, own.record.place.line));
            Row {
                network: own.network.as_ref().to_owned(),
                source: own.source.as_ref().to_owned(),
                file: own.file.name.clone(),
                record: own.record,
            }
        })
        .collect();
    back.sort_by_key(|row| row.record.place);
    assert_eq!(back, all);
}

pub(crate) fn a_record_is_given_for_each_that_it_fits<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&rows([record("12155550112", "12155550131", 0), record("12155550113", "12155550131", 9)]));
    let called = Wanted::within(span(0, 10)).with_called(number("12155550131"));
    let wanted = [
        called,
        Wanted::within(span(0, 10)).with_calling(number("12155550113")),
        Wanted::within(span(0, 10)).with_called(number("12155550199")),
        called,
    ];
    assert_eq!(found(&lake, &wanted), [(0, 2), (0, 3), (1, 3), (3, 2), (3, 3)]);
    assert!(found(&lake, &[]).is_empty());
}

pub(crate) fn what_all_records_have_comes_back_with_each<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let alike = |second| {
        let mut own = record("12155550112", "12155550131", second);
        own.identity = vec!["a.b.c;info=<https://x.example/1>".to_owned()];
        own.diversion = vec![dialed("12155550133")];
        own.ingress.trunk = Some("tg-in".to_owned());
        own
    };
    let all = rows([alike(0), alike(1), alike(2)]);
    let mut back = all_found(&make(&all), &[Wanted::within(span(0, 9)).with_called(number("12155550133"))]);
    back.sort_by_key(|own| own.record.place);
    let back: Vec<_> = back.into_iter().map(|own| own.record).collect();
    assert_eq!(back, all.into_iter().map(|own| own.record).collect::<Vec<_>>());
}

pub(crate) fn a_lake_without_records_answers_nothing<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&[]);
    assert!(found(&lake, &[Wanted::within(span(0, 10))]).is_empty());
    assert!(lake.tally(&Tally::by([Field::Day], span(0, 10))).unwrap().is_empty());
    assert!(lake.coverage("Cascade Transit").unwrap().is_empty());
}

pub(crate) fn what_is_held_is_told_source_by_source<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let mut all = rows([0, 59, 119, 5_000].map(|second| record("12155550112", "12155550131", second)));
    all[2].file = "cdr/b.csv".to_owned();
    all.extend(rows([record("12155550112", "12155550131", 7)]));
    all[4].source = "other".to_owned();
    all[4].file = "other.csv".to_owned();
    let lake = make(&numbered(all));
    let mut held = lake.coverage("Cascade Transit").unwrap();
    held.sort_by(|left, right| left.source.cmp(&right.source));
    let told: Vec<_> = held.iter().map(|own| (own.source.as_str(), own.files, own.records, own.set_aside)).collect();
    assert_eq!(told, [("other", 1, 1, 0), ("sbc", 2, 4, 0)]);
    // A silence of a minute parts spans.
    assert_eq!(held[1].spans, [span(0, 59), span(119, 119), span(5_000, 5_000)]);
    assert_eq!(held[1].unread, []);
    assert!(lake.coverage("Nobody's").unwrap().is_empty());
}
