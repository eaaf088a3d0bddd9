//! Each finding that records can show, under its condition and not otherwise (design 5); and who answers and asks next
//! where several networks are held.

#![cfg(feature = "traceback")]
#![expect(clippy::unwrap_used, reason = "a test may stop where its own data are wrong")]

mod tracing;

use std::slice;

use serde_json::{Value, json};
use stirtrace::cdr::Dialed;
use stirtrace::passport::Attestation;
use stirtrace::traceback::Request;
use tracing::{Line, PLAN, answer, at, findings, judged, networks, request};

/// Dialer -> Twill -> Harbor -> Cascade -> Prairie; the records of the first three are held.
const THREE: &str = "[[network]]\nname=\"Cascade\"\nspc=\"771C\"\ncountry=\"US\"\n\
    [[network.source]]\nname=\"c\"\nfiles=\"c.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
    [[network.peer]]\nname=\"Twill\"\nspc=\"552D\"\ntrunks=[\"t\"]\n\
    [[network.peer]]\nname=\"Prairie\"\nspc=\"904P\"\ntrunks=[\"p\"]\n\
    [[network.peer]]\nname=\"Bluestem\"\nkind=\"customer\"\ntrunks=[\"b\"]\n\
    [[network]]\nname=\"Harbor\"\nspc=\"318X\"\n\
    [[network.source]]\nname=\"h\"\nfiles=\"h.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Cascade\"\nspc=\"771C\"\ntrunks=[\"c\"]\n\
    [[network.peer]]\nname=\"Larkspur\"\nspc=\"207L\"\ntrunks=[\"l\"]\n\
    [[network.peer]]\nname=\"Twill\"\nspc=\"552D\"\ntrunks=[\"t\"]\n\
    [[network.peer]]\nname=\"Meadow\"\nkind=\"customer\"\ntrunks=[\"m\"]\n\
    [[network]]\nname=\"Twill\"\nspc=\"552D\"\n\
    [[network.source]]\nname=\"t\"\nfiles=\"t.csv\"\nformat=\"stirtrace\"\n\
    [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
    [[network.peer]]\nname=\"Cascade\"\nspc=\"771C\"\ntrunks=[\"c\"]\n\
    [[network.peer]]\nname=\"Dialer\"\nkind=\"customer\"\ntrunks=[\"d\"]\n";

const CASCADE: usize = 0;
const HARBOR: usize = 1;
const TWILL: usize = 2;

const FROM: &str = "12155550112";
const TO: &str = "12155550131";

fn line(network: usize, second: i64, from: &str, onto: &str) -> Line {
    Line::new(network, 2, FROM, TO, second).from(from).onto(onto)
}

fn ask(lines: &[Line]) -> Value {
    answer(&request("1", FROM, TO, 0), &networks(THREE), lines)
}

/// The findings of these lines, each network's line in its place.
fn found(lines: &[Line]) -> Vec<String> {
    findings(&ask(lines)).into_iter().map(str::to_owned).collect()
}

fn path() -> [Line; 3] {
    [line(CASCADE, 2, "h", "p"), line(HARBOR, 1, "t", "c"), line(TWILL, 0, "d", "h")]
}

#[test]
fn a_chain_over_three_networks_reaches_the_customer_and_accuses_nobody() {
    let [cascade, harbor, twill] = path();
    let answer = ask(&[cascade.clone(), harbor.clone(), twill.clone().signed("twill", Attestation::A)]);
    let hops: Vec<_> =
        answer["chain"].as_array().unwrap().iter().map(|hop| hop["provider"].as_str().unwrap()).collect();
    assert_eq!(hops, ["Twill", "Harbor", "Cascade", "Prairie"]);
    assert_eq!((&answer["chain"][0]["customer"], &answer["next"]["ask"]), (&json!("Dialer"), &json!("Dialer")));
    assert_eq!((&answer["network"], findings(&answer)), (&json!("Cascade"), vec![]));
}

#[test]
fn an_attestation_is_lost_only_where_the_source_is_known_to_record_identities() {
    let [cascade, harbor, twill] = path();
    let harbor = harbor.signed("twill", Attestation::B);
    let lines = [cascade.clone(), harbor.clone(), twill.clone()];
    assert_eq!(found(&lines), [""; 0], "nothing shows that Cascade's switch records identities");
    // Another request's call stands there with one.
    let requests = [request("1", FROM, TO, 0), request("2", "12155550177", "12155550188", 0)];
    let other = Line::new(CASCADE, 9, "12155550177", "12155550188", 0).from("h").signed("twill", Attestation::B);
    let all = [&lines[..], slice::from_ref(&other)].concat();
    let answer = judged(&requests, &networks(THREE), &all).remove(0);
    assert_eq!(findings(&answer), ["attestation-lost"]);
    let kept = cascade.with(|record| record.identity.clone_from(&harbor.record.identity));
    let answer = judged(&requests, &networks(THREE), &[kept, harbor, twill, other]).remove(0);
    assert_eq!(findings(&answer), Vec::<&str>::new());
}

#[test]
fn two_networks_that_each_name_a_customer_are_two_originators() {
    let cascade = line(CASCADE, 2, "b", "p");
    let twill = line(TWILL, 0, "d", "c");
    assert_eq!(found(&[cascade.clone(), twill.clone()]), ["two-originators"]);
    // Handed to somebody else, or from a provider: nothing that contradicts.
    assert_eq!(found(&[cascade.clone(), line(TWILL, 0, "d", "h")]), [""; 0]);
    assert_eq!(found(&[cascade.clone(), line(HARBOR, 0, "t", "c")]), [""; 0]);
    // Another caller's call is another call.
    let other = Line::new(TWILL, 2, "12155550177", TO, 0).from("d").onto("c");
    assert_eq!(found(&[cascade, other]), [""; 0]);
}

#[test]
fn neighbours_that_name_others_miss_a_hop() {
    let [cascade, _, twill] = path();
    assert_eq!(found(&[cascade.clone(), line(HARBOR, 1, "t", "l"), twill]), ["missing-hop"]);
    // One that the map does not name contradicts nobody.
    assert_eq!(found(&[cascade, line(HARBOR, 1, "t", "x")]), [""; 0]);
}

#[test]
fn a_calling_number_that_changes_between_hops_was_rewritten_and_a_withheld_one_was_not() {
    let [cascade, harbor, _] = path();
    let as_caller = |text: &str| harbor.clone().with(|record| record.calling = Dialed::read(text, PLAN));
    assert_eq!(found(&[cascade.clone(), as_caller("12155550177")]), ["number-rewritten"]);
    assert_eq!(found(&[cascade.clone(), as_caller("anonymous")]), [""; 0]);
    assert_eq!(found(&[cascade, as_caller("+1 215 555 0112")]), [""; 0]);
}

#[test]
fn a_hop_that_signs_a_provider_s_call_with_a_or_b_is_said_and_with_c_it_is_not() {
    let signed = |by: &str, attest| {
        let [cascade, harbor, _] = path();
        let harbor = harbor.signed(by, attest);
        found(&[cascade.with(|record| record.identity = harbor.record.identity.clone()), harbor])
    };
    assert_eq!(signed("harbor", Attestation::B), ["downstream-signed-a-or-b"]);
    assert_eq!(signed("harbor", Attestation::C), [""; 0]);
    assert_eq!(signed("twill", Attestation::A), [""; 0]);
}

#[test]
fn a_signer_that_is_no_hop_of_a_known_path_is_said_and_so_is_a_third_party_s_signature() {
    let signed = |by: &str, lines: [Line; 3]| {
        let [cascade, harbor, twill] = lines;
        let twill = twill.signed(by, Attestation::A);
        let identity = twill.record.identity.clone();
        found(&[cascade.with(|record| record.identity = identity), harbor, twill])
    };
    assert_eq!(signed("larkspur", path()), ["signer-not-in-path", "signer-is-not-responsible-provider"]);
    assert_eq!(signed("twill", path()), [""; 0]);
    // Where the origin is not known, the signer may be it.
    let [cascade, harbor, twill] = path();
    let open = [cascade, harbor, twill.from("unknown")];
    assert_eq!(signed("larkspur", open), [""; 0]);
}

#[test]
fn a_hop_that_signs_with_c_what_came_unsigned_signs_for_itself() {
    // 47 CFR 64.6302: an intermediate provider signs what came without a signature.
    let [cascade, harbor, twill] = path();
    let harbor = harbor.signed("harbor", Attestation::C);
    let identity = harbor.record.identity.clone();
    let lines = [cascade.with(|record| record.identity = identity), harbor, twill];
    assert_eq!(found(&lines), [""; 0]);
}

#[test]
fn a_number_that_nobody_can_have_with_attestation_a_is_spoofed() {
    let signed = |from: &str, attest| {
        let line = Line::new(CASCADE, 2, from, TO, 0).from("t").onto("p").signed("twill", attest);
        let answer = answer(&request("1", from, TO, 0), &networks(THREE), &[line]);
        findings(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for number in ["12150550112", "12119550112", "12155110112", "12955550112"] {
        assert_eq!(signed(number, Attestation::A), ["spoofed-number-with-a"], "{number}");
        assert_eq!(signed(number, Attestation::B), [""; 0], "{number}");
    }
    assert_eq!(signed("12155550112", Attestation::A), [""; 0]);
}

#[test]
fn a_certificate_that_was_revoked_as_of_the_call_is_said() {
    let signed = |by: &str| {
        let line = line(CASCADE, 0, "t", "p").signed(by, Attestation::A);
        (ask(slice::from_ref(&line))["signature"]["verdict"].clone(), found(slice::from_ref(&line)))
    };
    assert_eq!(signed("revoked"), (json!("failed"), vec!["certificate-revoked".to_owned()]));
    // Its revocation is dated after the call.
    assert_eq!(signed("revoked-later"), (json!("passed"), vec![]));
}

#[test]
fn a_signature_over_something_else_is_invalid() {
    let line = line(CASCADE, 0, "t", "p").signed("twill", Attestation::A);
    let other = Line::new(CASCADE, 3, FROM, TO, 0).signed("twill", Attestation::B);
    let forged = line.with(|record| {
        let signature = |text: &str| text.split(';').next().unwrap().rsplit('.').next().unwrap().to_owned();
        let (own, theirs) = (signature(&record.identity[0]), signature(&other.record.identity[0]));
        record.identity[0] = record.identity[0].replace(&own, &theirs);
    });
    assert_eq!(found(&[forged]), ["signature-invalid"]);
}

#[test]
fn a_call_for_another_number_than_was_signed_is_diverted_and_unverified() {
    let own = line(CASCADE, 0, "t", "p");
    let time = own.record.start;
    let diverted = own.clone().signed_for("twill", Attestation::A, time, "12155550155");
    assert_eq!(found(&[diverted]), ["diverted-unverified"]);
    assert_eq!(found(&[own.signed("twill", Attestation::A)]), [""; 0]);
}

#[test]
fn a_diverted_call_is_found_by_the_number_first_called() {
    let own = Line::new(CASCADE, 2, FROM, "12155550155", 0).from("h").onto("p");
    let diverted = own.clone().with(|record| record.diversion = vec![Dialed::read(TO, PLAN)]);
    let answer = ask(&[diverted]);
    assert_eq!((&answer["status"], &answer["matches"][0]["parts"]["diverted"]), (&json!("found"), &json!(true)));
    assert_ne!(ask(&[own])["status"], "found", "a changed called number alone is never found");
}

#[test]
fn a_token_on_another_call_is_replayed_and_on_hops_and_clocks_of_one_it_is_not() {
    let first = line(CASCADE, 0, "t", "p").id("a@x").signed("twill", Attestation::A);
    let again = |second: i64, to: &str| {
        let line = Line::new(CASCADE, 3, FROM, to, second).from("t").id("b@x");
        line.with(|record| record.identity.clone_from(&first.record.identity))
    };
    assert_eq!(found(&[first.clone(), again(7200, TO)]), ["replayed-token"]);
    assert_eq!(found(&[first.clone(), again(3, "12155550188")]), ["replayed-token"]);
    // Harbor's switch may write another zone's time; Cascade's own does not.
    let elsewhere = Line::new(HARBOR, 3, FROM, TO, 3600).from("t").onto("l").id("b@x");
    let elsewhere = elsewhere.with(|record| record.identity.clone_from(&first.record.identity));
    assert_eq!(found(&[first.clone(), elsewhere.clone()]), [""; 0]);
    // Beyond a diversion it is for another number there.
    let diverted = elsewhere.with(|record| record.called = Dialed::read("12155550188", PLAN));
    assert_eq!(found(&[first, diverted]), [""; 0]);
}

#[test]
fn another_caller_s_call_joins_no_chain_and_answers_for_nobody() {
    // Harbor's only record to that number is another call, which it handed to Larkspur.
    let other = |network, from: &str, onto: &str| Line::new(network, 2, "12155550199", TO, 1).from(from).onto(onto);
    let answer = ask(&[line(CASCADE, 2, "h", "p"), other(HARBOR, "m", "l")]);
    assert_eq!((&answer["network"], findings(&answer)), (&json!("Cascade"), vec![]));
    assert_eq!(answer["next"]["ask"], "Harbor");
    // Cascade's record is another caller's; the call itself stands in Harbor's, which did not hand it to Cascade.
    let answer = ask(&[other(CASCADE, "h", "p"), line(HARBOR, 1, "m", "l")]);
    assert_eq!((&answer["network"], &answer["matches"][0]["tier"]), (&json!("Harbor"), &json!("exact")));
}

#[test]
fn of_several_calls_upstream_the_one_that_says_so_joins_the_chain() {
    let cascade = line(CASCADE, 2, "h", "p").id("out-2@h");
    let upper = |line: u64, second, id: &str, from: &str| {
        let own = Line::new(HARBOR, line, FROM, TO, second).from(from).onto("c").id(&format!("in-{line}@x"));
        own.with(|record| record.egress.call_id = Some(id.to_owned()))
    };
    let answer = ask(&[cascade, upper(2, 1, "out-2@h", "m"), upper(3, 50, "out-3@h", "t")]);
    assert_eq!(
        (&answer["chain"][0]["provider"], &answer["chain"][0]["customer"]),
        (&json!("Harbor"), &json!("Meadow"))
    );
}

#[test]
fn what_a_switch_states_about_a_signature_is_shown_and_believed_by_nobody() {
    let stated = line(CASCADE, 0, "t", "p").with(|record| {
        record.stated.attest = Some("A".to_owned());
        record.stated.spc = Some("999Z".to_owned());
    });
    let answer = ask(&[stated]);
    assert_eq!(answer["matches"][0]["call"]["stated"]["attest"], "A");
    assert_eq!((&answer["signature"], findings(&answer)), (&Value::Null, vec![]));
}

#[test]
fn a_network_without_a_country_says_whose_rules_it_is_given() {
    let toml = "[[network]]\nname=\"X\"\ntime_zone=\"America/Chicago\"\n";
    let asked = request("1", FROM, TO, 0).received_at("2026-05-08T15:00:00-05:00").unwrap();
    let due = |toml: &str| answer(&asked, &networks(toml), &[])["due_because"][0].as_str().unwrap().to_owned();
    assert_eq!(due(toml), "the network X has no country in stirtrace.toml: taken to be in US, whose rules these are");
    assert!(due(&format!("{toml}country=\"US\"\n")).starts_with("received Friday"));
}

#[test]
fn the_score_is_the_sum_of_its_shares() {
    let answer = ask(&[line(CASCADE, 30, "h", "p").answered()]);
    let own = &answer["matches"][0];
    assert_eq!(own["parts"]["shares"], json!({"from": 0.35, "to": 0.4, "time": 0.125, "clock": 1.0}));
    assert_eq!(own["score"], 0.88);
}

#[test]
fn requests_of_a_run_are_grouped_by_signer_and_origid_and_by_upstream() {
    use stirtrace::traceback::{ClusterKind, Replying, clusters};
    let caller = |index: usize| format!("1215555{:04}", 100 + index);
    let requests: Vec<Request> = (0..5).map(|index| request(&format!("TB-{index}"), &caller(index), TO, 0)).collect();
    let call = |index: usize, trunk: &str| {
        let line = u64::try_from(index).unwrap() + 2;
        Line::new(CASCADE, line, &caller(index), TO, 0).from(trunk).id(&format!("{index}@x"))
    };
    // Two of one dialer by two ways, one unsigned, one by a customer; nothing of the last.
    let lines = [
        call(0, "t").signed("twill", Attestation::B),
        call(1, "h").signed("twill", Attestation::A),
        call(2, "h"),
        call(3, "b"),
    ];
    let networks = networks(THREE);
    let search = tracing::shown(&requests, &networks, &lines);
    let one = |index| search.answer(index, Replying::default(), &mut tracing::signing::judge);
    let answers: Vec<_> = (0..requests.len()).map(one).collect();
    let clusters = clusters(&answers);
    let shown: Vec<_> = clusters
        .iter()
        .map(|own| (own.by, own.name.as_deref().unwrap(), own.ids.join(" "), own.attests.join("")))
        .collect();
    let row = |by, name, ids: &str, attests: &str| (by, name, ids.to_owned(), attests.to_owned());
    assert_eq!(
        shown,
        [
            row(ClusterKind::Signer, "Twill Communications", "TB-0 TB-1", "AB"),
            row(ClusterKind::Upstream, "Harbor", "TB-1 TB-2", "A"),
            row(ClusterKind::Upstream, "Bluestem", "TB-3", ""),
            row(ClusterKind::Upstream, "Twill", "TB-0", "B"),
        ]
    );
    assert_eq!((clusters[0].spc.as_deref(), clusters[0].from), (Some("552D"), Some(at(0))));
}
