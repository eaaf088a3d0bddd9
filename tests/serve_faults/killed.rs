//! A process killed in the middle of load, and started again on what it left (kill -9; RFC 9111 §3).

use std::fs::OpenOptions;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::load::is_passed;
use crate::process::{Log, Place, now, until};
use crate::server::{answer, certificate, ok};

const KILLS: u64 = 4;

#[test]
fn after_a_kill_the_same_calls_get_the_same_verdicts() {
    let place = Place::new(ok("", &certificate("twill")), "");
    let names = |kill: u64| (0..6).map(move |number| format!("{kill}-{number}"));
    for kill in 0..KILLS {
        let served = place.start(Log::Kept);
        served.passes(&place.call("warm", "twill"));
        let load = served.load(&place.call("warm", "twill"), is_passed);
        for name in names(kill) {
            served.passes(&place.call(&name, "twill"));
        }
        thread::sleep(Duration::from_millis(90 + 67 * kill));
        served.kill();
        let tally = load.stop();
        assert!(tally.wrong.iter().all(|wrong| wrong == "the connection ended"), "{:?}", tally.wrong);
    }
    // Everything once more, until all of it is on the disk; and another kill.
    let all = || (0..KILLS).flat_map(names).chain(["warm".to_owned()]);
    let served = place.start(Log::Kept);
    all().for_each(|name| served.passes(&place.call(&name, "twill")));
    until("all certificates are on the disk", || place.names("cache/certificate").len() == all().count());
    assert_eq!(served.verification(&place.call("warm", "cascade"))["reasonCode"], 438);
    until("the last verdict is on the disk", || {
        place.evidence().iter().any(|line| line.contains("InvalidSignature") && line.ends_with('}'))
    });
    served.kill();
    tear_the_last_line(&place);
    // Now the host is down: all of it comes from the disk, and what was never there is not to be had.
    place.server.conduct(answer("500 x", "", b"x"));
    let connections = place.server.connections();
    let served = place.start(Log::Kept);
    all().for_each(|name| served.passes(&place.call(&name, "twill")));
    assert_eq!(served.verification(&place.call("warm", "cascade"))["reasonCode"], 438);
    assert_eq!(served.verification(&place.call("never", "twill"))["reasonCode"], 436);
    assert_eq!(place.server.connections(), connections + 1);
    let page = served.page();
    assert_eq!(page.sum("stirtrace_fetches_total", &["outcome=\"disk\""]), u64::try_from(all().count()).unwrap());
    assert_eq!(served.said("damaged"), 0);
    assert_eq!(served.stop(), 0);
    check_evidence(&place);
}

/// As a kill, or power that goes, in the middle of a write leaves it.
fn tear_the_last_line(place: &Place) {
    let name = place.names("evidence").pop().unwrap();
    let path = place.desk.path("evidence").join(name);
    let length = std::fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(path).unwrap().set_len(length - 40).unwrap();
}

/// A torn line stays by itself, and whoever reads the file says so and reads on.
fn check_evidence(place: &Place) {
    let lines = place.evidence();
    let is_whole = |line: &&String| serde_json::from_str::<Value>(line).is_ok();
    let torn = lines.iter().filter(|line| !is_whole(line)).count();
    assert!((1..=usize::try_from(KILLS).unwrap() + 2).contains(&torn), "{torn} lines are torn");
    assert!(lines.len() > 60, "{}", lines.len());
    let after = lines.iter().rev().take_while(is_whole).count();
    assert!(after >= 27, "only {after} lines follow the last one that is torn");
    let time = now().to_string();
    let args = ["trace", "--config", "stirtrace.toml", "--from", "12155550112", "--to", "12155550131", "--time", &time];
    let traced = place.desk.run_with(&[&args[..], &["--format", "json"]].concat(), b"");
    assert_ne!(traced.objects()[0]["status"], "not-found", "{}{}", traced.out, traced.err);
    assert!(traced.err.contains(".jsonl:"), "the line is named: {}", traced.err);
}
