//! Which lines are one call and which are not (traceback 4.10): attempts, forks, legs, exports, hairpins, redials.

#![cfg(feature = "traceback")]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

mod tracing;

use serde_json::Value;
use stirtrace::cdr::Record;
use stirtrace::passport::Attestation;
use stirtrace::traceback::Origin;
use tracing::{Line, answer, answers, findings, matched, networks, request};

const CASCADE: &str = "[[network]]\nname=\"Cascade\"\nspc=\"771C\"\n\
    [[network.source]]\nname=\"edge\"\nfiles=\"a.csv\"\nformat=\"stirtrace\"\n\
    [[network.source]]\nname=\"core\"\nfiles=\"b.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
    [[network.peer]]\nname=\"Larkspur\"\nspc=\"207L\"\ntrunks=[\"l\"]\n\
    [[network.peer]]\nname=\"Prairie\"\nspc=\"904P\"\ntrunks=[\"p\"]\n\
    [[network.peer]]\nname=\"Quarry\"\nspc=\"883Q\"\ntrunks=[\"q\"]\n";

const EDGE: Origin = Origin::new(0, 0);
const CORE: Origin = Origin::new(0, 1);

fn call(source: Origin, line: u64, second: i64) -> Line {
    Line::in_source(source, line, "12155550112", "12155550131", second)
}

fn ended(line: Line, second: i64) -> Line {
    line.with(|record| record.end = Some(tracing::at(second)))
}

fn leg(line: Line, call_id: &str) -> Line {
    line.with(|record: &mut Record| record.egress.call_id = Some(call_id.to_owned()))
}

fn ask(lines: &[Line]) -> Value {
    answer(&request("1", "12155550112", "12155550131", 0), &networks(CASCADE), lines)
}

#[test]
fn attempts_over_several_routes_are_one_call_and_the_answered_one_is_shown() {
    let tries = [
        ended(call(EDGE, 2, 0).from("h").onto("q").id("a@x"), 4),
        ended(call(EDGE, 3, 5).from("h").onto("l").id("a@x"), 8),
        call(EDGE, 4, 9).from("h").onto("p").id("a@x").answered(),
    ];
    let answer = ask(&tries);
    assert_eq!(matched(&answer), [(4, vec![(2, "attempt"), (3, "attempt")])]);
    assert_eq!((&answer["upstream"]["name"], &answer["downstream"]["name"]), (&"Harbor".into(), &"Prairie".into()));
    // Without Call-IDs: the same, where seconds lie between and one alone was answered.
    let without: Vec<Line> = tries.into_iter().map(|own| own.with(|record| record.ingress.call_id = None)).collect();
    assert_eq!(matched(&ask(&without)), [(4, vec![(2, "attempt"), (3, "attempt")])]);
}

#[test]
fn branches_that_rang_at_once_are_a_fork() {
    let one = ended(call(EDGE, 2, 0).from("h").onto("q").id("a@x"), 20);
    let other = ended(call(EDGE, 3, 1).from("h").onto("p").id("a@x").answered(), 90);
    assert_eq!(matched(&ask(&[one, other])), [(3, vec![(2, "fork")])]);
}

#[test]
fn redials_are_told_apart_by_call_id_and_time_and_the_answer_says_so() {
    let answer = ask(&[
        call(EDGE, 2, 0).from("h").onto("p").id("a@x").answered(),
        call(EDGE, 3, 40).from("h").onto("p").id("b@x").answered(),
    ]);
    assert_eq!(answer["status"], "found");
    assert_eq!(matched(&answer), [(2, vec![]), (3, vec![])]);
    let because = answer["because"].as_str().unwrap();
    assert!(because.contains("all from the same upstream; the first two have different Call-IDs, began 40 s apart"));
    // From two upstreams nobody can say which, and all of them are listed.
    let answer = ask(&[
        call(EDGE, 2, 0).from("h").onto("p").id("a@x"),
        call(EDGE, 3, 40).from("l").onto("p").id("b@x"),
        call(EDGE, 4, 80).from("q").onto("p").id("c@x"),
    ]);
    assert_eq!((&answer["status"], matched(&answer).len()), (&Value::from("ambiguous"), 3));
    // A careless dialer's Call-ID that comes again much later is another call.
    let again = [call(EDGE, 2, 0).from("h").id("a@x").answered(), call(EDGE, 3, 901).from("h").id("a@x").answered()];
    assert_eq!(matched(&ask(&again)), [(2, vec![])]);
}

#[test]
fn the_edge_s_line_and_the_core_s_are_legs_of_one_call() {
    // The core has the call from our own edge: no peer. Its Call-ID is the edge's, or the edge's of the way out.
    let edge = leg(call(EDGE, 2, 0).from("h").onto("to-core").id("a@x"), "e@x");
    for core in [call(CORE, 2, 1).from("edge").onto("p").id("a@x"), call(CORE, 2, 1).from("edge").onto("p").id("e@x")] {
        let answer = ask(&[edge.clone(), core]);
        assert_eq!((&answer["status"], matched(&answer)), (&"found".into(), vec![(2, vec![(2, "leg")])]));
        assert_eq!((&answer["upstream"]["name"], &answer["downstream"]["name"]), (&"Harbor".into(), &"Prairie".into()));
        assert_eq!(findings(&answer), Vec::<&str>::new());
    }
}

#[test]
fn a_line_for_each_side_of_a_switch_is_one_call() {
    let sides = [call(EDGE, 2, 0).from("h"), call(EDGE, 3, 1).onto("p").answered()];
    let answer = ask(&sides);
    assert_eq!(matched(&answer), [(2, vec![(3, "leg")])]);
    assert_eq!((&answer["upstream"]["name"], &answer["downstream"]["name"]), (&"Harbor".into(), &"Prairie".into()));
}

#[test]
fn a_call_that_left_for_a_peer_and_came_in_again_is_a_loop_and_the_first_upstream_answers() {
    let out = call(EDGE, 2, 0).from("h").onto("l").id("a@x");
    let back = call(EDGE, 3, 2).from("l").onto("p").id("a@x").answered();
    let answer = ask(&[out.clone(), back]);
    assert_eq!((&answer["status"], matched(&answer)), (&"found".into(), vec![(2, vec![(3, "hairpin")])]));
    assert_eq!(findings(&answer), ["loop"]);
    assert_eq!(answer["upstream"]["name"], "Harbor");
    assert_eq!(answer["downstream"]["name"], "Prairie");
    // A loop lists its provider twice.
    let chain = |answer: &Value| -> Vec<String> {
        let hops = answer["chain"].as_array().unwrap();
        hops.iter().map(|hop| hop["provider"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(chain(&answer), ["Harbor", "Cascade", "Larkspur", "Cascade", "Prairie"]);
    // Back by another peer: hops between are unknown.
    let answer = ask(&[out, call(CORE, 3, 2).from("q").onto("p").id("a@x").answered()]);
    assert_eq!(chain(&answer), ["Harbor", "Cascade", "Larkspur", "Quarry", "Cascade", "Prairie"]);
    assert_eq!((&answer["chain"][3]["after_gap"], findings(&answer)), (&true.into(), vec!["loop"]));
}

#[test]
fn another_caller_s_call_that_bears_the_same_call_id_is_no_loop() {
    let own = call(EDGE, 2, 0).from("h").onto("p").id("a@x").answered();
    let other = Line::in_source(EDGE, 3, "12155550177", "12155550131", 30).from("l").onto("p").id("a@x").answered();
    let answer = ask(&[own, other]);
    assert_eq!((&answer["status"], matched(&answer)), (&"found".into(), vec![(2, vec![])]));
    assert_eq!(findings(&answer), Vec::<&str>::new());
}

#[test]
fn a_loop_is_known_by_its_token_where_call_ids_are_changed_on_the_way() {
    let out = call(EDGE, 2, 0).from("h").onto("l").id("a@x").signed("harbor", Attestation::B);
    let token = out.record.identity.clone();
    let back = call(EDGE, 3, 2).from("l").onto("p").id("b@x").with(|record| record.identity = token);
    assert_eq!(findings(&ask(&[out.clone(), back.clone()])), ["loop"]);
    let unsigned = back.with(|record| record.identity.clear());
    assert_eq!(ask(&[out, unsigned])["status"], "ambiguous");
}

#[test]
fn an_upstream_s_second_try_at_our_other_switch_is_an_attempt() {
    let first = ended(call(EDGE, 2, 0).from("h").onto("p").id("a@x"), 3);
    let second = call(CORE, 2, 4).from("h").onto("p").id("a@x").answered();
    let answer = ask(&[first, second]);
    assert_eq!((matched(&answer).len(), findings(&answer)), (1, vec![]));
    assert_eq!(answer["matches"][0]["also"][0]["why"], "attempt");
}

#[test]
fn somebody_further_up_who_tries_us_by_two_carriers_makes_two_calls() {
    // The first had ended when the second came: no loop, and which of the two is asked for cannot be told.
    let first = ended(call(EDGE, 2, 0).from("h").onto("p").id("a@x"), 3);
    let second = call(EDGE, 3, 4).from("l").onto("p").id("a@x").answered();
    let answer = ask(&[first, second]);
    assert_eq!((&answer["status"], findings(&answer)), (&"ambiguous".into(), vec![]));
}

#[test]
fn the_same_row_in_another_file_of_its_source_is_the_same_line() {
    let own = call(EDGE, 2, 0).from("h").onto("p").id("a@x").answered();
    let mut copy = own.clone();
    copy.record.place.file = 5;
    assert_eq!(matched(&ask(&[own.clone(), copy])), [(2, vec![])]);
    // Twice in one file it is two attempts; in another source it is an export.
    let mut twice = own.clone();
    twice.record.place.line = 3;
    assert_eq!(matched(&ask(&[own.clone(), twice])), [(2, vec![(3, "attempt")])]);
    let mut export = own.clone();
    (export.origin, export.record.place.file) = (CORE, 1);
    assert_eq!(matched(&ask(&[own, export])), [(2, vec![(2, "export")])]);
}

#[test]
fn the_same_call_is_the_same_whatever_order_its_lines_come_in() {
    let lines = [
        ended(call(EDGE, 2, 0).from("h").onto("to-core").id("a@x"), 4),
        ended(leg(call(EDGE, 3, 5).from("h").onto("to-core").id("a@x"), "e@x").answered(), 60),
        call(CORE, 2, 6).from("edge").onto("l").id("e@x").answered(),
        call(EDGE, 4, 8).from("l").onto("p").id("e@x").answered(),
    ];
    let asked = [request("1", "12155550112", "12155550131", 0)];
    let networks = networks(CASCADE);
    let first = answers(&asked, &networks, &lines);
    assert_eq!(findings(&first[0]), ["loop"], "{}", first[0]);
    for turn in 1..4 {
        let mut turned = lines.clone();
        turned.rotate_left(turn);
        assert_eq!(answers(&asked, &networks, &turned), first);
    }
}
