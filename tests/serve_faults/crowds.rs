//! Many cold calls at once: of one host, of one name that DNS is silent about, of one call with many PASSporTs, and of
//! clients that do not wait.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::hosts::{FETCH_TIME, Host, SLACK, WARM, World, call, token, whole_call};
use crate::page::Page;
use crate::server::{Conduct, Shown, certificate, ok};
use crate::stand::{Request, VERIFICATION, now, verification_of};

#[test]
fn many_certificates_of_one_host_are_waited_for() {
    // After a start with nothing at hand, or a clock that jumped, the signers of one repository come all at once.
    let slow = match ok("", &certificate("twill")) {
        Conduct::Answer(bytes) => Conduct::Dribble(bytes, Duration::from_micros(30)),
        other => other,
    };
    let world = World::new(vec![("many.example", Host::Serves(Shown::Good, slow))]);
    let load = world.load();
    thread::scope(|scope| {
        for number in 0..24 {
            let world = &world;
            scope.spawn(move || {
                let result = world.stand.verification(&call("many.example", &number.to_string(), "twill"));
                assert_eq!(result["verstat"], "TN-Validation-Passed", "{result}");
            });
        }
    });
    load.goes_on("many certificates of one host");
    assert_eq!(Page::of(&world.stand).sum("stirtrace_fetch_failures_total", &[]), 0);
}

#[test]
fn a_host_that_does_not_answer_leaves_room_for_the_others() {
    let world = World::new(vec![("mute.example", Host::Serves(Shown::Good, Conduct::Mute))]);
    let load = world.load();
    let cold = |number: usize| world.stand.verification(&call("mute.example", &number.to_string(), "twill"));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..100)
            .map(|number| {
                scope.spawn(move || {
                    let began = Instant::now();
                    let result = cold(number);
                    assert_eq!((&result["reasonCode"], &result["verstat"]), (&json!(436), &json!("No-TN-Validation")));
                    assert!(began.elapsed() < FETCH_TIME + SLACK, "{:?}", began.elapsed());
                })
            })
            .collect();
        while world.server("mute.example").connections() < 8 {
            thread::sleep(Duration::from_millis(5));
        }
        for name in ["a", "b", "c"] {
            assert_eq!(world.stand.verification(&call(WARM, name, "twill"))["verstat"], "TN-Validation-Passed");
        }
        assert!(callers.iter().any(|caller| !caller.is_finished()), "the others were answered meanwhile");
        assert_eq!(world.server("mute.example").connections(), 8, "no more at once");
        load.goes_on("a host that does not answer");
    });
    // Each is counted, as what it is: no answer in time, or no turn in time.
    let page = Page::of(&world.stand);
    let why = |why: &str| page.sum("stirtrace_fetch_failures_total", &[&format!("why=\"{why}\"")]);
    assert!(why("Timeout") >= 8, "{page:?}");
    assert_eq!(why("Timeout") + why("TooManyAtOnce"), 100);
}

#[test]
fn a_name_that_dns_is_silent_about_is_asked_for_once() {
    // A look-up cannot be called off: those of one name must not take all the places that there are.
    let world = World::new(vec![("silent.example", Host::Silent)]);
    let load = world.load();
    for round in 0..2 {
        thread::scope(|scope| {
            for number in 0..12 {
                let world = &world;
                let name = format!("{round}-{number}");
                scope.spawn(move || {
                    let result = world.stand.verification(&call("silent.example", &name, "twill"));
                    assert_eq!(result["reasonCode"], 436, "{result}");
                });
            }
        });
    }
    load.goes_on("a name that DNS is silent about");
    assert_eq!(world.dns.asked_in_vain.load(Ordering::SeqCst), 1);
}

#[test]
fn a_call_waits_for_all_its_certificates_at_once() {
    // One after another, sixteen hosts that do not answer would outlast the request.
    const NAMES: [&str; 8] =
        ["a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example"];
    let world = World::new(NAMES.map(|name| (name, Host::Serves(Shown::Good, Conduct::Mute))).into());
    let load = world.load();
    let mut values: Vec<String> = NAMES.map(|name| token(name, "x", "twill").value(now())).into();
    values.push(token(WARM, "twill", "twill").value(now()));
    let began = Instant::now();
    let answer = world.stand.post(VERIFICATION, &verification_of(values));
    assert!(began.elapsed() < FETCH_TIME + SLACK, "{:?}", began.elapsed());
    // H33: one is good, whatever became of the others.
    assert_eq!(answer.json()["verificationResponse"]["verstat"], "TN-Validation-Passed", "{}", answer.text());
    load.goes_on("a call of many certificates");
}

#[test]
fn clients_that_do_not_wait_are_counted_and_what_they_asked_for_comes() {
    let slow = match ok("", &certificate("twill")) {
        Conduct::Answer(bytes) => Conduct::Dribble(bytes, Duration::from_micros(500)),
        other => other,
    };
    let world = World::new(vec![("slow.example", Host::Serves(Shown::Good, slow))]);
    let load = world.load();
    let body = call("slow.example", "x", "twill").to_string();
    let mut impatient = world.stand.connect();
    impatient.send(&Request::new(VERIFICATION, body.as_bytes()).bytes());
    while world.server("slow.example").connections() == 0 {
        thread::sleep(Duration::from_millis(2));
    }
    drop(impatient);
    let began = Instant::now();
    while Page::of(&world.stand).sum("stirtrace_abandoned_total", &["route=\"verification\""]) == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "not counted");
        thread::sleep(Duration::from_millis(10));
    }
    // The next one joins the fetch, or finds what it brought.
    let verdict = world.stand.post("/v1/verify", &whole_call("slow.example", "x", "twill")).json();
    assert_eq!(verdict["verdict"], "passed", "{verdict}");
    assert_eq!(world.server("slow.example").connections(), 1);
    load.goes_on("clients that do not wait");
}
