//! A disk that is full: for the cache, the archive and the evidence. Calls go on, what is lost is counted, it is said
//! once, and what can be made up for is.

use std::process::Command;

use serde_json::Value;

use crate::load::is_passed;
use crate::process::{Log, Place, Served, until};
use crate::server::{certificate, ok};

/// No file of the process may become longer than this: beyond it, writing fails as on a full disk.
fn limit(served: &Served, bytes: &str) {
    let id = served.child.id().to_string();
    let set = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}:")]).status();
    assert!(set.unwrap().success());
}

#[test]
fn a_full_disk_costs_what_is_kept_and_no_call() {
    let place = Place::new(ok("", &certificate("twill")), "");
    let served = place.start(Log::Kept);
    served.passes(&place.call("warm", "twill"));
    let load = served.load(&place.call("warm", "twill"), is_passed);
    until("some evidence is kept", || place.evidence().len() > 20);
    until("the first certificate is kept", || place.names("cache/certificate").len() == 1);
    let dropped = || served.page().sum("stirtrace_evidence_dropped_total", &[]);
    let written = || served.page().sum("stirtrace_evidence_written_total", &[]);
    assert_eq!(dropped(), 0);

    // Full in the middle of a line, and then for everything.
    let name = place.names("evidence").pop().unwrap();
    let length = std::fs::metadata(place.desk.path("evidence").join(name)).unwrap().len();
    limit(&served, &(length + 20_100).to_string());
    until("evidence is dropped", || dropped() > 0);
    limit(&served, "0");
    for name in ["a", "b", "c", "d"] {
        served.passes(&place.call(name, "twill"));
    }
    assert_eq!(served.verification(&place.call("a", "cascade"))["reasonCode"], 438);
    load.goes_on("a full disk");
    let failures = || served.page().sum("stirtrace_fetch_disk_failures_total", &[]);
    until("each cache file that failed is counted, and the archive's", || failures() >= 5);
    assert_eq!(place.names("cache/certificate").len(), 1);
    assert_eq!(place.names("cache/tmp"), [""; 0], "nothing half written is left");
    until("it is said of the cache and of the archive", || served.said("what is fetched is not kept") >= 2);
    until("it is said of the evidence", || served.said("verdicts cannot be kept") >= 1);
    assert_eq!((served.said("what is fetched is not kept"), served.said("verdicts cannot be kept")), (2, 1), "once");

    // Room again: what is still used is archived after all, and evidence goes on, on a line of its own.
    limit(&served, "unlimited");
    let before = written();
    until("evidence is kept again", || written() > before + 20);
    until("what was used meanwhile is archived", || {
        served.passes(&place.call("b", "twill"));
        place.desk.path("archive").join(format!("{}:8443/b.pem", place.host)).exists()
    });
    served.passes(&place.call("e", "twill"));
    until("the cache takes in what comes", || place.names("cache/certificate").len() == 2);
    // The log comes a little later than what it tells of.
    until("that it works again is said", || served.said("what is fetched is kept again") == 2);
    until("that verdicts are kept again is said", || served.said("verdicts are kept again") == 1);
    load.goes_on("a disk with room again");
    let page = served.page();
    let tally = load.stop();
    assert!(tally.wrong.is_empty(), "{:?}", tally.wrong);
    assert_eq!(page.sum("stirtrace_refused_total", &[]), 0);
    assert_eq!(served.stop(), 0);
    let torn = place.evidence().iter().filter(|line| serde_json::from_str::<Value>(line).is_err()).count();
    assert!(torn <= 1, "{torn} lines are torn");
}

#[test]
fn a_start_on_a_full_disk_is_a_start() {
    let place = Place::new(ok("", &certificate("twill")), "");
    let served = place.start(Log::Kept);
    served.passes(&place.call("warm", "twill"));
    until("the certificate is kept", || place.names("cache/certificate").len() == 1);
    assert_eq!(served.stop(), 0);
    // Whoever starts it has no room for a single byte.
    let again = place.start_with("ulimit -f 0; ", Log::Kept);
    again.passes(&place.call("warm", "twill"));
    again.passes(&place.call("cold", "twill"));
    assert_eq!(again.page().sum("stirtrace_fetches_total", &["outcome=\"disk\""]), 1);
    until("evidence is dropped and counted", || again.page().sum("stirtrace_evidence_dropped_total", &[]) == 2);
    assert_eq!(again.stop(), 0);
}
