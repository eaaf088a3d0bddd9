//! Answers from files and from somebody who keeps the records: the same, byte for byte (design 6).

#![cfg(feature = "traceback")]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

mod tracing;

use proptest::prelude::*;
use stirtrace::traceback::{Origin, Request};
use tracing::{Line, answers, answers_from_kept, networks, request};

const TWO: &str = "[[network]]\nname=\"Cascade\"\nspc=\"771C\"\n\
    [[network.source]]\nfiles=\"a.csv\"\nformat=\"stirtrace\"\n[[network.source]]\nfiles=\"b.csv\"\nformat=\"stirtrace\"\ngap=\"20m\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n[[network.peer]]\nname=\"Larkspur\"\nspc=\"207L\"\ntrunks=[\"l\"]\n\
    [[network]]\nname=\"Harbor\"\nspc=\"318X\"\n[[network.source]]\nfiles=\"c.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Cascade\"\nspc=\"771C\"\ntrunks=[\"c\"]\n\
    [[network.peer]]\nname=\"Dialer\"\nkind=\"customer\"\ntrunks=[\"d\"]\n";

const NUMBERS: [&str; 5] = ["12155550112", "2155550112", "12155550131", "anonymous", "12155550177"];

/// Source, caller, called, second, trunk, Call-ID, answered, signed: what a line is made of.
type Facts = (usize, usize, usize, i64, usize, Option<u8>, bool, bool);

fn any_line() -> impl Strategy<Value = Facts> {
    let second = prop_oneof![-400i64..400, -50_000i64..50_000, (-26i64..26).prop_map(|steps| steps * 1800 + 7)];
    (0usize..3, 0usize..5, 0usize..3, second, 0usize..4, prop::option::of(0u8..3), any::<bool>(), any::<bool>())
}

fn lines(facts: &[Facts]) -> Vec<Line> {
    let sources = [Origin::new(0, 0), Origin::new(0, 1), Origin::new(1, 0)];
    let made = facts.iter().zip(2u64..).map(|(&(source, from, to, second, trunk, id, answered, diverted), line)| {
        let mut own = Line::in_source(sources[source], line, NUMBERS[from], NUMBERS[to], second);
        own = own.from(["h", "l", "d", "c"][trunk]).with(|record| {
            record.ingress.call_id = id.map(|id| format!("{id}@x"));
            record.diversion =
                if diverted { vec![stirtrace::cdr::Dialed::read(NUMBERS[2], tracing::PLAN)] } else { Vec::new() };
        });
        if answered { own.answered() } else { own }
    });
    made.collect()
}

fn requests(facts: &[(usize, i64)]) -> Vec<Request> {
    let one = |(index, (from, second)): (usize, &(usize, i64))| {
        request(&index.to_string(), NUMBERS[*from], NUMBERS[2], *second)
    };
    facts.iter().enumerate().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_search_that_asks_for_records_answers_as_one_that_sees_all(
        facts in prop::collection::vec(any_line(), 0..40),
        asked in prop::collection::vec((0usize..5, -300i64..300), 1..5),
    ) {
        let (networks, requests, lines) = (networks(TWO), requests(&asked), lines(&facts));
        let (files, kept) = (answers(&requests, &networks, &lines), answers_from_kept(&requests, &networks, &lines));
        for (index, (one, other)) in files.iter().zip(&kept).enumerate() {
            prop_assert_eq!(one.to_string(), other.to_string(), "request {}", index);
        }
    }

    #[test]
    fn the_order_of_records_changes_no_answer(
        facts in prop::collection::vec(any_line(), 0..40),
        asked in prop::collection::vec((0usize..5, -300i64..300), 1..4),
        turn: prop::sample::Index,
    ) {
        let (networks, requests, lines) = (networks(TWO), requests(&asked), lines(&facts));
        let mut turned = lines.clone();
        turned.rotate_left(if lines.is_empty() { 0 } else { turn.index(lines.len()) });
        turned.reverse();
        prop_assert_eq!(answers(&requests, &networks, &lines), answers(&requests, &networks, &turned));
    }
}

#[test]
fn requests_for_one_number_ask_for_each_span_once() {
    let requests: Vec<Request> =
        (0..1000).map(|index| request(&index.to_string(), "12155550112", "12155550131", index % 700)).collect();
    let networks = networks(TWO);
    let windows = stirtrace::traceback::Search::new(&requests, &networks).windows();
    assert_eq!(windows.iter().map(|own| own.calling.is_some()).collect::<Vec<_>>(), [false, true]);
    assert_eq!((windows[0].span.from, windows[0].span.to), (tracing::at(-120), tracing::at(699 + 120)));
    assert_eq!((windows[1].span.from, windows[1].span.to), (tracing::at(-44_100), tracing::at(699 + 44_100)));
}
