//! A log that nobody reads any more, or not fast enough: it loses lines, which are counted, and no call waits for it.

use crate::load::is_passed;
use crate::process::{Log, Place, until};
use crate::server::{answer, certificate, ok};

const EVERY_REQUEST: &str = "[service.log]\nlevel = \"requests\"\n";

#[test]
fn a_log_whose_reader_is_gone_costs_its_lines() {
    let place = Place::new(ok("", &certificate("twill")), EVERY_REQUEST);
    let served = place.start(Log::Gone);
    let load = served.load(&place.call("warm", "twill"), is_passed);
    load.goes_on("a log whose reader is gone");
    // What fails is logged, too, and is counted as what it is.
    place.server.conduct(answer("500 x", "", b"x"));
    assert_eq!(served.verification(&place.call("cold", "twill"))["reasonCode"], 436);
    assert_eq!(served.page().sum("stirtrace_fetch_failures_total", &["why=\"Status\""]), 1);
    until("lost lines are counted", || served.page().sum("stirtrace_log_lost_total", &[]) > 20);
    assert!(load.stop().wrong.is_empty());
    assert_eq!(served.stop(), 0);
}

#[test]
fn a_log_whose_reader_is_stuck_keeps_nobody_waiting() {
    let place = Place::new(ok("", &certificate("twill")), EVERY_REQUEST);
    let served = place.start(Log::Stuck);
    let load = served.load(&place.call("warm", "twill"), is_passed);
    // Far more lines than a pipe holds.
    let mut sent = 0;
    while sent < 1000 {
        sent += load.goes_on("a log whose reader is stuck");
    }
    assert!(load.stop().wrong.is_empty());
    assert_eq!(served.stop(), 0, "the last lines are not waited for for ever");
}
