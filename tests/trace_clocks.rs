//! Clocks that are wrong by a multiple of half an hour (traceback 4.10): told by all requests of a run together.

#![cfg(feature = "traceback")]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

mod tracing;

use proptest::prelude::*;
use serde_json::Value;
use stirtrace::network::Network;
use stirtrace::passport::Attestation;
use stirtrace::traceback::{Origin, Request};
use tracing::{Line, answers, findings, judged, matched, networks, request};

const ONE: &str = "[[network]]\nname=\"Cascade\"\nspc=\"771C\"\n\
    [[network.source]]\nname=\"edge\"\nfiles=\"a.csv\"\nformat=\"stirtrace\"\n\
    [[network.source]]\nname=\"core\"\nfiles=\"b.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\nuntil=\"2026-05-04T12:00:00Z\"\n\
    [[network.peer]]\nname=\"Larkspur\"\nspc=\"207L\"\ntrunks=[\"h\"]\nfrom=\"2026-05-04T12:00:01Z\"\n";

fn caller(index: usize) -> String {
    format!("1215555{:04}", 100 + index)
}

const CALLED: &str = "12155550131";
const HOUR: i64 = 3600;

fn numbered(count: usize) -> Vec<Request> {
    (0..count).map(|index| request(&index.to_string(), &caller(index), CALLED, second(index))).collect()
}

/// Half an hour is no multiple of it.
fn second(index: usize) -> i64 {
    i64::try_from(index).unwrap() * 2017
}

fn own_call(index: usize, ahead: i64) -> Line {
    let line = u64::try_from(index).unwrap() + 2;
    Line::new(0, line, &caller(index), CALLED, second(index) + 4 + ahead).from("h").id(&format!("{index}@x"))
}

fn tiers(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|own| own["matches"][0]["tier"].as_str().unwrap_or("-")).collect()
}

fn one() -> Vec<Network> {
    networks(ONE)
}

#[test]
fn a_source_whose_calls_are_all_off_by_the_same_has_a_wrong_clock_and_the_finding_counts_them() {
    let mut lines: Vec<Line> = (0..39).map(|index| own_call(index, -5 * HOUR)).collect();
    // One call stands there at its own time, by accident; another is not there.
    lines[7] = own_call(7, 0);
    let answers = answers(&numbered(40), &one(), &lines);
    assert_eq!(findings(&answers[3]), ["clock-offset"]);
    let detail = answers[3]["findings"][0]["detail"].as_str().unwrap();
    assert_eq!(
        detail,
        "the clock of edge is 5:00 hours behind the requests' (38 of 39 requests whose call may be there agree); is its time_zone right?"
    );
    assert_eq!(answers[3]["matches"][0]["parts"]["clock_offset_minutes"], -300);
    assert_eq!(answers[39]["status"], "cannot-say");
    assert!(
        answers[3]["because"].as_str().unwrap().contains("38 of 39 requests agree on"),
        "{}",
        answers[3]["because"]
    );
}

#[test]
fn a_redial_an_hour_later_is_no_wrong_clock_where_other_calls_stand_at_their_time() {
    let mut lines: Vec<Line> = (0..10).map(|index| own_call(index, 0)).collect();
    lines[4] = own_call(4, HOUR);
    let answers = answers(&numbered(10), &one(), &lines);
    assert_eq!((tiers(&answers)[4], findings(&answers[4])), ("clock", Vec::new()));
    assert!(answers[4]["because"].as_str().unwrap().contains("it is another call"), "{}", answers[4]["because"]);
    assert!(answers.iter().enumerate().all(|(index, own)| index == 4 || own["matches"][0]["tier"] == "exact"));
}

#[test]
fn two_redials_at_different_distances_agree_on_nothing() {
    let lines = [own_call(0, HOUR), own_call(1, -3 * HOUR)];
    let answers = answers(&numbered(2), &one(), &lines);
    assert!(answers.iter().all(|own| findings(own).is_empty()));
}

#[test]
fn a_call_at_the_corrected_time_beats_one_that_is_there_by_accident() {
    let mut lines: Vec<Line> = (0..20).map(|index| own_call(index, -5 * HOUR)).collect();
    // Dialled again five hours after the call that is asked about.
    let accident = Line::new(0, 90, &caller(3), CALLED, second(3)).from("h").id("again@x");
    lines.push(accident.clone());
    let found = answers(&numbered(20), &one(), &lines);
    assert_eq!(matched(&found[3]), [(5, vec![])]);
    // Alone, nothing shows the clock to be wrong.
    let alone = answers(&numbered(20)[3..4], &one(), &[lines[3].clone(), accident]);
    assert_eq!(matched(&alone[0]), [(90, vec![])]);
}

#[test]
fn a_call_found_at_its_time_in_one_switch_says_nothing_about_the_clock_of_another() {
    // The dialer calls again an hour later, and those calls come by the other switch.
    let core = Origin::new(0, 1);
    let redial = |index: usize| {
        let line =
            Line::in_source(core, u64::try_from(index).unwrap() + 2, &caller(index), CALLED, second(index) + HOUR);
        line.from("h").id(&format!("{index}@y"))
    };
    let lines: Vec<Line> = (0..10).flat_map(|index| [own_call(index, 0), redial(index)]).collect();
    let mut asked = numbered(10);
    asked.push(request("late", &caller(50), CALLED, 0));
    let late = Line::in_source(core, 90, &caller(50), CALLED, HOUR).from("h").id("late@y");
    let answers = answers(&asked, &one(), &[lines, vec![late]].concat());
    assert!(tiers(&answers)[..10].iter().all(|tier| *tier == "exact"));
    // One request alone: said, and not believed of others.
    assert_eq!(tiers(&answers)[10], "clock");
}

#[test]
fn a_passport_signed_when_the_record_says_shows_its_clock_right() {
    let at_its_time = own_call(0, 2 * HOUR).signed("harbor", Attestation::B);
    let answer = |line: &Line| judged(&numbered(1), &one(), std::slice::from_ref(line)).remove(0);
    assert_eq!(findings(&answer(&at_its_time)), Vec::<&str>::new());
    let signed_at = at_its_time.record.start.plus_seconds(-2 * HOUR - 1);
    let off = own_call(0, 2 * HOUR).signed_at("harbor", Attestation::B, signed_at);
    assert_eq!(findings(&answer(&off)), ["clock-offset"]);
}

#[test]
fn the_map_of_peers_is_asked_for_the_right_time() {
    // Harbor's trunk went to Larkspur at noon; the switch's clock is an hour ahead.
    let early = request("1", &caller(0), CALLED, -600);
    let line = Line::new(0, 2, &caller(0), CALLED, -600 + HOUR).from("h");
    assert_eq!(answers(&[early], &one(), &[line])[0]["upstream"]["name"], "Harbor");
    let late = request("1", &caller(0), CALLED, 600);
    let line = Line::new(0, 2, &caller(0), CALLED, 600 - HOUR).from("h");
    assert_eq!(answers(&[late], &one(), &[line])[0]["upstream"]["name"], "Larkspur");
}

#[test]
fn in_the_hour_that_a_clock_repeats_the_instant_that_agrees_is_shown() {
    let line = own_call(0, 0).with(|record| {
        record.start_repeated = Some(record.start);
        record.start = record.start.plus_seconds(-HOUR);
    });
    let answer = answers(&numbered(1), &one(), &[line]).remove(0);
    assert_eq!(answer["matches"][0]["tier"], "exact");
    assert_eq!(answer["matches"][0]["time"], tracing::at(4).to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_source_shifted_by_half_hours_has_the_same_matches_and_the_offset_is_said(
        count in 3usize..30,
        away in prop::collection::vec(-800i64..800, 30),
        steps in (-24i64..=24).prop_filter("shifted", |steps| *steps != 0),
    ) {
        let at_all = |ahead: i64| -> Vec<Line> {
            (0..count).map(|index| own_call(index, ahead + away[index])).collect()
        };
        // A clock can be told where some calls are found to the minute.
        let mut right = at_all(0);
        let mut wrong = at_all(steps * 1800);
        for index in 0..3 {
            (right[index], wrong[index]) = (own_call(index, 0), own_call(index, steps * 1800));
        }
        prop_assume!((3..count).filter(|index| away[*index].abs() <= 100).count() >= count.saturating_sub(3) / 2);
        let (right, wrong) = (answers(&numbered(count), &one(), &right), answers(&numbered(count), &one(), &wrong));
        for (here, there) in right.iter().zip(&wrong) {
            prop_assert_eq!(matched(here), matched(there));
            prop_assert_eq!(&here["matches"][0]["parts"]["seconds"], &there["matches"][0]["parts"]["seconds"]);
            prop_assert_eq!(findings(here), Vec::<&str>::new());
            prop_assert_eq!(findings(there), ["clock-offset"]);
            prop_assert_eq!(there["matches"][0]["parts"]["clock_offset_minutes"].as_i64(), Some(steps * 30));
        }
    }

    #[test]
    fn records_of_other_numbers_change_no_answer(
        ahead in -24i64..=24,
        others in prop::collection::vec((0usize..50, -90_000i64..90_000), 0..60),
    ) {
        let lines: Vec<Line> = (0..8).map(|index| own_call(index, ahead * 1800)).collect();
        let unrelated = others.iter().zip(100u64..).map(|((from, second), line)| {
            Line::new(0, line, &caller(*from), "12155550177", *second).from("h")
        });
        let more: Vec<Line> = lines.iter().cloned().chain(unrelated).collect();
        let searched = |mut answer: Value| {
            answer.as_object_mut().unwrap().remove("searched");
            answer
        };
        let (few, many) = (answers(&numbered(8), &one(), &lines), answers(&numbered(8), &one(), &more));
        prop_assert_eq!(
            few.into_iter().map(searched).collect::<Vec<_>>(),
            many.into_iter().map(searched).collect::<Vec<_>>()
        );
    }
}
