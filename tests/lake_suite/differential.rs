//! Whatever is kept and asked: the answers are those of the plain lake.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stirtrace::cdr::Record;
use stirtrace::lake::{Field, Filter, Lake, Tally, Wanted};

use super::{Row, at, dialed, found, memory, number, numbered, record, signed_lines, span};

const NUMBERS: [&str; 9] = [
    "12155550112",
    "2155550112",
    "442155550112",
    "12155550131",
    "2155550131",
    "*67",
    "911",
    "0911",
    "1234567890123456789012155550112",
];
const FIELDS: [Field; 10] = [
    Field::Answered,
    Field::Attest,
    Field::Day,
    Field::IngressAddress,
    Field::IngressTrunk,
    Field::Network,
    Field::Origid,
    Field::Seconds,
    Field::Signer,
    Field::Source,
];

fn any_number() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NUMBERS.to_vec())
}

/// Around two midnights and in the night between.
fn any_second() -> impl Strategy<Value = i64> {
    prop_oneof![43_100..43_300i64, -43_300..-43_100i64, -100_000..100_000i64]
}

prop_compose! {
    fn any_record()(
        numbers in (prop_oneof![3 => any_number(), 1 => Just("anonymous")], any_number()),
        second in any_second(),
        repeated in prop::option::weighted(0.1, prop::sample::select(vec![-3_600, 1_800, 3_600])),
        others in (prop::option::weighted(0.2, any_number()), prop::collection::vec(any_number(), 0..2)),
        tokens in prop::collection::vec("[ab]\\.b\\.c;info=<x>", 0..2),
        lasted in prop::option::of(-5..80i64),
        said in (prop::option::of("[AB]"), prop::option::of("tg-[12]")),
    ) -> Record {
        let mut own = record(numbers.0, numbers.1, second);
        own.start_repeated = repeated.map(|away| at(second + away));
        own.original_called = others.0.map(dialed);
        own.diversion = others.1.into_iter().map(dialed).collect();
        own.identity = tokens;
        own.answer = lasted.map(|_| at(second));
        own.end = lasted.map(|lasted| at(second + lasted));
        (own.stated.attest, own.ingress.trunk) = said;
        own
    }
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (prop::sample::select(vec!["Alder", "Cascade Transit"]), "sbc-[12]", any_record());
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let row = |(network, source, record): (&str, String, Record)| Row {
            network: network.to_owned(),
            file: format!("{network}-{source}.csv"),
            source,
            record,
        };
        numbered(rows.into_iter().map(row).collect())
    })
}

prop_compose! {
    fn any_wanted()(
        calling in prop::option::of(any_number()),
        called in prop::option::of(any_number()),
        token in prop::option::weighted(0.2, "[abc]\\.b\\.c"),
        from in any_second(),
        length in prop_oneof![-5..5i64, 0..4_000i64, 0..200_000i64],
    ) -> Wanted {
        let mut wanted = Wanted::within(span(from, from + length));
        (wanted.calling, wanted.called) = (calling.map(number), called.map(number));
        wanted.token = token.as_deref().map(Wanted::token_key);
        wanted
    }
}

prop_compose! {
    fn any_tally()(
        by in prop::sample::subsequence(FIELDS.to_vec(), 0..4),
        filter in prop::collection::vec((prop::sample::select(FIELDS.to_vec()), prop::option::of(prop::sample::select(vec!["A", "yes", "tg-1", "1-6", "sbc-1"]))), 0..2),
        from in any_second(),
        length in 0..200_000i64,
    ) -> Tally {
        let mut tally = Tally::by(by, span(from, from + length));
        tally.filter = filter.into_iter().map(|(field, value)| Filter::new(field, value.map(str::to_owned))).collect();
        tally
    }
}

pub(crate) fn any_records_and_questions_have_the_same_answers<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let questions = (prop::collection::vec(any_wanted(), 0..20), prop::collection::vec(any_tally(), 0..4));
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(any_rows(), questions), |(rows, (wanted, tallies))| {
        let (lake, plain) = (make(&rows), memory::make(&rows));
        prop_assert_eq!(found(&lake, &wanted), found(&plain, &wanted));
        for tally in &tallies {
            prop_assert_eq!(lake.tally(tally).unwrap(), plain.tally(tally).unwrap());
        }
        for network in ["Alder", "Cascade Transit"] {
            let sorted = |mut held: Vec<stirtrace::lake::Held>| {
                held.sort_by(|left, right| left.source.cmp(&right.source));
                held
            };
            prop_assert_eq!(sorted(lake.coverage(network).unwrap()), sorted(plain.coverage(network).unwrap()));
        }
        for (own, network) in wanted.iter().zip([None, Some("Alder")].into_iter().cycle()) {
            let sorted = |mut lines: Vec<(String, u64)>| {
                lines.sort_unstable();
                lines
            };
            let given = sorted(signed_lines(&lake, own.span, network));
            prop_assert_eq!(given, sorted(signed_lines(&plain, own.span, network)));
        }
        Ok(())
    });
    if let Err(reason) = outcome {
        panic!("{reason}");
    }
}
