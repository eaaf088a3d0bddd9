//! A clock that jumps: what was kept ends, and is kept again; nothing stays for ever, and nothing is older than it can be
//! (RFC 9111 §4.2; F8, G25, H15, H16, H21).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use stirtrace::time::UnixTime;

use crate::hosts::{Host, WARM, World, token};
use crate::lab;
use crate::load::Load;
use crate::page::Page;
use crate::server::{DAY, Shown, answer};
use crate::stand::{Answer, NOW, Request, Setup, Stand, VERIFICATION, good, verification_of};
use crate::token::Token;

/// A call made at an instant.
fn call_at(token: &Token, seconds: i64) -> Value {
    let mut body = verification_of(token.value(UnixTime::from_seconds(seconds)));
    body["verificationRequest"]["time"] = seconds.into();
    body
}

/// A call of noon is judged as such while the clock says so, and is stale in either direction (E3).
fn is_passed_or_stale(answer: &Answer) -> bool {
    let result = &answer.json()["verificationResponse"];
    answer.code == 200 && (result["verstat"] == "TN-Validation-Passed" || result["reasonCode"] == 403)
}

fn load(world: &World) -> Load {
    let body = call_at(&token(WARM, "twill", "twill"), NOW).to_string();
    let request = Request::new(VERIFICATION, body.as_bytes()).bytes();
    Load::start(world.stand.address, &request, is_passed_or_stale)
}

fn requests(world: &World) -> usize {
    world.server(WARM).requests().len()
}

fn passes_at(world: &World, seconds: i64) {
    let result = world.stand.verification(&call_at(&token(WARM, "twill", "twill"), seconds));
    assert_eq!(result["verstat"], "TN-Validation-Passed", "at {seconds}: {result}");
}

#[test]
fn two_days_forward_end_what_was_kept_and_make_tokens_stale() {
    let world = World::new(vec![("broken.example", Host::Serves(Shown::Good, answer("500 x", "", b"x")))]);
    let load = load(&world);
    passes_at(&world, NOW);
    let old = call_at(&token(WARM, "twill", "twill"), NOW);
    let failing = token("broken.example", "x", "twill");
    assert_eq!(world.stand.verification(&call_at(&failing, NOW))["reasonCode"], 436);
    let before = requests(&world);
    let later = NOW + 2 * DAY;
    world.stand.at(later);
    // H15: the request's time; H16: the token's own, which comes too late.
    assert_eq!(world.stand.verification(&old)["reasonCode"], 403);
    let mut late = old;
    late["verificationRequest"]["time"] = later.into();
    assert_eq!(world.stand.verification(&late)["reasonDesc"], "'iat' from PASSporT payload is not fresh.");
    passes_at(&world, later);
    assert_eq!(requests(&world), before + 1, "24 hours are over: it is asked for again, once");
    // What failed two days ago is asked for again, too.
    let asked = world.server("broken.example").connections();
    assert_eq!(world.stand.verification(&call_at(&failing, later))["reasonCode"], 436);
    assert_eq!(world.server("broken.example").connections(), asked + 1);
    // Its host fails after the next jump: what is held serves for a week, and no longer.
    world.server(WARM).conduct(answer("503 x", "", b"x"));
    world.stand.at(later + DAY_AND_MORE);
    passes_at(&world, later + DAY_AND_MORE);
    let page = Page::of(&world.stand);
    assert!(page.sum("stirtrace_fetches_total", &["outcome=\"stale\""]) > 0, "{page:?}");
    let end = later + 9 * DAY;
    world.stand.at(end);
    let gone = world.stand.verification(&call_at(&token(WARM, "twill", "twill"), end));
    assert_eq!(gone["reasonCode"], 436, "{gone}");
    load.goes_on("a clock that jumped forward");
}

const DAY_AND_MORE: i64 = DAY + 3600;

#[test]
fn two_days_back_keep_nothing_for_ever() {
    let world = World::new(vec![("broken.example", Host::Serves(Shown::Good, answer("500 x", "", b"x")))]);
    let load = load(&world);
    passes_at(&world, NOW);
    let failing = token("broken.example", "x", "twill");
    assert_eq!(world.stand.verification(&call_at(&failing, NOW))["reasonCode"], 436);
    let earlier = NOW - 2 * DAY;
    world.stand.at(earlier);
    let before = requests(&world);
    passes_at(&world, earlier);
    assert_eq!(requests(&world), before + 1, "what comes from the future is asked for again");
    passes_at(&world, earlier);
    assert_eq!(requests(&world), before + 1, "once");
    // A failure of the future is none.
    world.server("broken.example").conduct(crate::server::ok("", &crate::server::certificate("twill")));
    assert_eq!(world.stand.verification(&call_at(&failing, earlier))["verstat"], "TN-Validation-Passed");
    for (series, age) in Page::of(&world.stand).ending("_age_seconds") {
        assert!(age >= 0.0, "{series} {age}");
    }
    // Put right again, the copies of the false time end like all others.
    world.stand.at(NOW);
    passes_at(&world, NOW);
    world.stand.at(NOW + 2 * DAY);
    let before = requests(&world);
    passes_at(&world, NOW + 2 * DAY);
    assert_eq!(requests(&world), before + 1);
    load.goes_on("a clock that jumped back");
}

#[test]
fn a_lack_of_the_archive_is_forgotten_when_the_clock_goes_back() {
    let is_there = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&is_there);
    let mut loaded = Setup::new("").loaded();
    loaded.archive = Some(Arc::new(move |url: &str| {
        let found = lab::archived(url).filter(|_| own.load(Ordering::SeqCst));
        found.ok_or_else(|| "not in the archive".to_owned())
    }));
    let stand = Stand::start(move |_| Ok(loaded.clone()), None);
    assert_eq!(stand.verification(&verification_of(good()))["reasonCode"], 436);
    is_there.store(true, Ordering::SeqCst);
    let earlier = NOW - 2 * DAY;
    stand.at(earlier);
    assert_eq!(stand.verification(&call_at(&Token::default(), earlier))["verstat"], "TN-Validation-Passed");
}

#[test]
fn no_time_that_a_clock_may_show_breaks_anything() {
    let toml = "[service.replay]\n[service.verification]\ncrl_policy = \"require-fresh\"";
    let world = World::with(Vec::new(), toml);
    let body = call_at(&token(WARM, "twill", "twill"), NOW);
    let times = [0, 1, NOW - 40 * 366 * DAY, NOW + 40 * 366 * DAY, i64::from(u32::MAX), 253_402_300_800, i64::MAX];
    for time in times.into_iter().chain([i64::MIN, NOW]) {
        world.stand.at(time);
        for path in ["/health", "/ready", "/metrics"] {
            let answer = world.stand.get(path);
            assert!(matches!(answer.code, 200 | 503), "{path} at {time}: {}", answer.text());
        }
        for (series, age) in Page::of(&world.stand).ending("_age_seconds") {
            assert!(age >= 0.0, "{series} {age} at {time}");
        }
        let result = world.stand.verification(&body);
        let expected = if time == NOW { json!(null) } else { json!(403) };
        assert_eq!(result["reasonCode"], expected, "at {time}: {result}");
        let call = json!({"identity": [token(WARM, "twill", "twill").value(UnixTime::from_seconds(NOW))],
            "from": "12155550112", "to": "12155550131", "date": NOW});
        let answer = world.stand.post("/v1/verify", &call);
        assert_eq!(answer.code, 200, "at {time}: {}", answer.text());
        assert_eq!(answer.json()["verdict"] == "passed", time == NOW, "at {time}: {}", answer.text());
        assert_eq!(world.stand.engine.reload(), Ok(()));
    }
}
