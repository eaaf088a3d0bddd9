//! Which network answers where several have a call, and what its records can say about its end (design 5).

#![cfg(feature = "traceback")]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

mod tracing;

use std::slice;

use serde_json::{Value, json};
use stirtrace::traceback::{Origin, Replying, Search};
use tracing::{Line, answer, networks, request, shown};

/// Harbor hands calls to Cascade, to Prairie and to Fern, whose records are not held; Prairie ends them.
const THREE: &str = "[[network]]\nname=\"Harbor\"\nspc=\"318X\"\n\
    [[network.source]]\nname=\"h\"\nfiles=\"h.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Twill\"\nspc=\"552D\"\ntrunks=[\"t\"]\nuntil=\"2026-05-04T12:00:00Z\"\n\
    [[network.peer]]\nname=\"Twill\"\nspc=\"552D\"\ntrunks=[\"t2\"]\n\
    [[network.peer]]\nname=\"Cascade\"\nspc=\"771C\"\ntrunks=[\"c\"]\n\
    [[network.peer]]\nname=\"Prairie\"\nspc=\"904P\"\ntrunks=[\"p\"]\n\
    [[network.peer]]\nname=\"Fern\"\nspc=\"948F\"\ntrunks=[\"f\"]\n\
    [[network]]\nname=\"Cascade\"\nspc=\"771C\"\n\
    [[network.source]]\nname=\"c\"\nfiles=\"c.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
    [[network.peer]]\nname=\"Twill\"\nspc=\"552D\"\ntrunks=[\"t\"]\n\
    [[network]]\nname=\"Prairie\"\nspc=\"904P\"\n\
    [[network.source]]\nname=\"p\"\nfiles=\"p.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
    [[network.peer]]\nname=\"Fern\"\nspc=\"948F\"\ntrunks=[\"f\"]\n";

const HARBOR: usize = 0;
const CASCADE: usize = 1;
const PRAIRIE: usize = 2;

const FROM: &str = "12155550112";
const TO: &str = "12155550131";

fn line(network: usize, line: u64, second: i64, from: &str) -> Line {
    Line::new(network, line, FROM, TO, second).from(from)
}

fn ask(lines: &[Line]) -> Value {
    answer(&request("1", FROM, TO, 0), &networks(THREE), lines)
}

/// The same where the records of a network never say where calls went.
fn ask_where_untold(network: usize, lines: &[Line]) -> Value {
    let (requests, networks) = ([request("1", FROM, TO, 0)], networks(THREE));
    let mut search = shown(&requests, &networks, lines);
    Search::lack_egress(&mut search, Origin::new(network, 0));
    serde_json::to_value(search.answer(0, Replying::default(), &mut |_, _| None)).unwrap()
}

#[test]
fn a_provider_with_several_entries_in_the_map_is_one_upstream() {
    let calls = [line(HARBOR, 2, -60, "t").id("a@x").answered(), line(HARBOR, 3, 40, "t2").id("b@x").answered()];
    let answer = ask(&calls);
    assert_eq!((&answer["status"], &answer["upstream"]["name"]), (&json!("found"), &json!("Twill")));
}

#[test]
fn where_another_call_was_handed_to_says_nothing_about_this_one() {
    // Harbor handed this call to Fern, who handed it to Prairie, and an earlier call of the pair to Prairie itself.
    let this = line(HARBOR, 2, 0, "t2").onto("f").id("a@x").answered();
    let earlier = line(HARBOR, 3, -700, "t2").onto("p").id("b@x").answered();
    let prairie = line(PRAIRIE, 2, 1, "f").id("c@x").answered();
    assert_eq!(ask(&[this.clone(), earlier.clone(), prairie.clone()])["network"], "Prairie");
    // Two tries of one call: the first to Prairie in vain.
    let tried = line(HARBOR, 3, -2, "t2").onto("p").id("a@x");
    let cascade = line(CASCADE, 2, 1, "t").id("d@x").answered();
    let in_vain = line(PRAIRIE, 2, -1, "h").id("c@x");
    assert_eq!(ask(&[this, tried, in_vain, cascade])["network"], "Cascade");
}

#[test]
fn a_call_id_that_stays_the_same_all_along_does_not_tell_who_came_first() {
    let same = |own: Line| own.id("a@x").answered().with(|record| record.egress.call_id = Some("a@x".to_owned()));
    // The clock of Cascade is three seconds behind.
    let harbor = same(line(HARBOR, 2, 1, "t2").onto("c"));
    let cascade = same(line(CASCADE, 2, -2, "h").onto("x"));
    assert_eq!(ask(&[harbor, cascade])["network"], "Cascade");
}

#[test]
fn who_is_no_hop_between_the_customer_and_us_had_the_call_after_us() {
    let map = format!("{THREE}[[network.peer]]\nname=\"Quarry\"\nspc=\"883Q\"\ntrunks=[\"q\"]\n").replace(
        "[[network]]\nname=\"Cascade\"",
        "[[network.peer]]\nname=\"Dialer\"\nkind=\"customer\"\ntrunks=[\"d\"]\n[[network]]\nname=\"Cascade\"",
    );
    let networks = networks(&map);
    let ask = |lines: &[Line]| {
        let (requests, lines) = ([request("1", FROM, TO, 0)], lines.to_vec());
        let mut search = shown(&requests, &networks, &lines);
        search.lack_egress(Origin::new(PRAIRIE, 0));
        let answer = search.answer(0, Replying::default(), &mut |_, _| None);
        answer.network.unwrap()
    };
    let cascade = line(CASCADE, 2, 3, "h").onto("x").answered();
    let prairie = line(PRAIRIE, 2, 1, "q").answered();
    // Harbor's customer, Harbor, Cascade, and on: Prairie, which had it from Quarry, is none of these.
    let harbor = line(HARBOR, 2, 0, "d").onto("c").answered();
    assert_eq!(ask(&[harbor, cascade.clone(), prairie.clone()]), "Prairie");
    // From Twill, whose records are not held: Prairie may have been before.
    let harbor = line(HARBOR, 2, 0, "t2").onto("c").answered();
    assert_eq!(ask(&[harbor, cascade, prairie]), "Cascade");
}

#[test]
fn a_route_that_failed_is_known_by_its_cause_where_no_response_is_recorded() {
    // RFC 3398 7.2.4.1: no circuit (34) is a 503, user busy (17) is none of the gateway's.
    let failed = |cause| line(CASCADE, 2, 3, "h").with(|record| record.q850 = Some(cause));
    let prairie = line(PRAIRIE, 2, 1, "f");
    assert_eq!(ask(&[failed(34), prairie.clone()])["network"], "Prairie");
    assert_eq!(ask(&[failed(17), prairie])["network"], "Cascade");
}

#[test]
fn a_call_of_the_pair_at_another_time_is_another_call() {
    let prairie = line(PRAIRIE, 2, 2, "f").id("a@x").answered();
    let later = line(HARBOR, 2, 600, "t2").onto("f").id("b@x").answered();
    assert_eq!(ask_where_untold(PRAIRIE, &[later.clone(), prairie.clone()])["network"], "Prairie");
    // Alone it is the nearest there is.
    assert_eq!(ask(&[later])["network"], "Harbor");
}

#[test]
fn records_that_never_say_where_calls_went_show_no_end() {
    let bare = line(CASCADE, 2, 1, "t").answered();
    let answer = ask(slice::from_ref(&bare));
    assert_eq!(answer["role"], "terminating");
    let answer = ask_where_untold(CASCADE, slice::from_ref(&bare));
    assert_eq!((&answer["role"], &answer["chain"][1]["role"]), (&Value::Null, &Value::Null));
    // One that says where the call went is nearer to the called party than one that never does.
    let onward = line(HARBOR, 2, 1, "t2").onto("f").answered();
    assert_eq!(ask_where_untold(CASCADE, &[bare.clone(), onward.clone()])["network"], "Harbor");
    assert_eq!(ask(&[bare, onward])["network"], "Cascade");
}
