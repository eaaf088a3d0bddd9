//! A process that may open no more files: new connections wait, it is counted and said once, and open ones go on.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::load::is_passed;
use crate::page::Page;
use crate::process::{Log, Place, until};
use crate::server::{certificate, ok};
use crate::stand::Request;

#[test]
fn connections_that_cannot_be_accepted_wait_and_are_counted() {
    let place = Place::new(ok("", &certificate("twill")), "");
    let served = place.start(Log::Kept);
    let load = served.load(&place.call("warm", "twill"), is_passed);
    load.goes_on("before");
    let mut watching = served.connect();
    let page = Request { method: "GET", ..Request::new("/metrics", b"") }.bytes();
    let mut failures = || {
        watching.send(&page);
        Page::read(&watching.answer().text()).sum("stirtrace_accept_failures_total", &[])
    };
    assert_eq!(failures(), 0);
    let id = served.child.id().to_string();
    let limit = |files: &str| {
        let set = Command::new("prlimit").args(["--pid", &id, &format!("--nofile={files}:")]).status();
        assert!(set.unwrap().success());
    };
    let shown = Command::new("prlimit").args(["--pid", &id, "--nofile", "--noheadings", "--output", "SOFT"]).output();
    let before = String::from_utf8(shown.unwrap().stdout).unwrap();
    // Those that are open stay open; there is no further one.
    limit("3");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| served.passes(&place.call("warm", "twill")));
        let began = Instant::now();
        while failures() < 5 && began.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(20));
        }
        // Before anything is asserted: whoever waits has to come to an end.
        let counted = failures();
        load.goes_on("no more files");
        let is_waiting = !waiting.is_finished();
        limit(before.trim());
        waiting.join().unwrap();
        assert!(counted >= 5 && is_waiting, "{counted} counted");
    });
    until("it is said", || served.said("connections cannot be accepted") > 0);
    assert_eq!(served.said("connections cannot be accepted"), 1);
    assert!(load.stop().wrong.is_empty());
    assert_eq!(served.stop(), 0);
}
