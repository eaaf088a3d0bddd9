//! Every way in which a certificate is not to be had, one after another, under warm calls (F8, G13-G17, G21, G29, H8-H10,
//! H26).

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use stirtrace::time::UnixTime;

use crate::hosts::{FETCH_TIME, Host, SLACK, WARM, World, call, token, whole_call};
use crate::page::Page;
use crate::server::{Conduct, Shown, answer, certificate, ok};
use crate::stand::{NOW, now, verification_of};
use crate::token::Token;

/// One fault, and what the standard makes of it.
struct Fault {
    host: &'static str,
    does: fn() -> Host,
    /// ATIS-1000082's reasonCode.
    code: u64,
    verstat: &'static str,
    /// The kind of the verdict's error.
    kind: &'static str,
    /// Under which word the failed fetch is counted; none where something came.
    why: Option<&'static str>,
}

/// H9: the credential could not be had.
const fn unavailable(host: &'static str, does: fn() -> Host, why: &'static str) -> Fault {
    Fault { host, does, code: 436, verstat: "No-TN-Validation", kind: "CredentialUnavailable", why: Some(why) }
}

fn good() -> Conduct {
    ok("", &certificate("twill"))
}

const fn serves(conduct: Conduct) -> Host {
    Host::Serves(Shown::Good, conduct)
}

fn faults() -> Vec<Fault> {
    let endless =
        || serves(Conduct::Endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec(), vec![b'x'; 16 * 1024]));
    let a_byte_a_second = || match good() {
        Conduct::Answer(bytes) => serves(Conduct::Dribble(bytes, Duration::from_secs(1))),
        other => serves(other),
    };
    let moved = || serves(answer("301 Moved Permanently", "Location: https://warm.example/twill.pem\r\n", b""));
    vec![
        unavailable("closed.example", || Host::Closed, "Connect"),
        unavailable("mute.example", || serves(Conduct::Mute), "Timeout"),
        unavailable("slow.example", a_byte_a_second, "Timeout"),
        unavailable("endless.example", endless, "TooLong"),
        unavailable("broken.example", || serves(answer("500 Internal Server Error", "", b"x")), "Status"),
        unavailable("missing.example", || serves(answer("404 Not Found", "", b"x")), "Status"),
        unavailable("moved.example", moved, "Redirect"),
        unavailable("expired.example", || Host::Serves(Shown::Expired, good()), "Tls"),
        unavailable("other-name.example", || Host::Serves(Shown::OtherName, good()), "Tls"),
        unavailable("self-signed.example", || Host::Serves(Shown::SelfSigned, good()), "Tls"),
        unavailable("unknown-root.example", || Host::OfUnknownRoot(good()), "Tls"),
        unavailable("unknown.example", || Host::Unknown, "Dns"),
        unavailable("silent.example", || Host::Silent, "Timeout"),
        // H10: what lies there is no certificate.
        Fault {
            host: "page.example",
            does: || serves(ok("Content-Type: text/html\r\n", b"<html><title>Welcome</title></html>")),
            code: 437,
            verstat: "TN-Validation-Failed",
            kind: "UnusableCredential",
            why: None,
        },
        // H26: a good certificate, of another key.
        Fault {
            host: "other-key.example",
            does: || serves(ok("", &certificate("cascade"))),
            code: 438,
            verstat: "TN-Validation-Failed",
            kind: "InvalidSignature",
            why: None,
        },
    ]
}

/// Tokens are good for as long as the tests take.
const PATIENT: &str = "[service.verification]\nmax_age = 3600";

/// Cold URLs of each host.
const COLD: usize = 4;

#[test]
fn a_host_that_fails_costs_its_own_calls_and_nobody_elses() {
    let faults = faults();
    let hosts = faults.iter().map(|fault| (fault.host, (fault.does)())).collect();
    let world = World::with(hosts, PATIENT);
    let load = world.load();
    let mut warm = 1;
    for fault in &faults {
        let before = Page::of(&world.stand);
        suffer(&world, fault);
        let after = Page::of(&world.stand);
        warm += load.check(fault.host).sent;
        warm += load.goes_on(fault.host);
        let more = |name: &str, labels: &[&str]| after.sum(name, labels) - before.sum(name, labels);
        let reason = format!("reason=\"{}\"", fault.kind);
        assert_eq!(more("stirtrace_verdicts_total", &[&reason]), 2 * count(COLD), "{}", fault.host);
        // Each URL was asked for once, and what failed is told from memory the second time.
        let failed = if fault.why.is_some() { count(COLD) } else { 0 };
        let why = format!("why=\"{}\"", fault.why.unwrap_or("none"));
        assert_eq!(more("stirtrace_fetch_failures_total", &[&why]), failed, "{}", fault.host);
        assert_eq!(more("stirtrace_fetch_failures_total", &[]), failed, "{}", fault.host);
        assert_eq!(more("stirtrace_fetches_total", &["outcome=\"negative\""]), failed, "{}", fault.host);
        assert_eq!(more("stirtrace_fetches_total", &["outcome=\"fetched\""]), count(COLD) - failed, "{}", fault.host);
    }
    // After all that, a host that works is fetched from as ever.
    assert_eq!(world.stand.verification(&call(WARM, "another", "twill"))["verstat"], "TN-Validation-Passed");
    let tally = load.stop();
    assert!(tally.wrong.is_empty(), "{:?}", tally.wrong);
    warm += tally.sent + 1;
    adds_up(&world, warm, 2 * count(COLD * faults.len()));
}

/// The cold calls of one host, all at once: each by ATIS-1000082, and then for the whole verdict.
fn suffer(world: &World, fault: &Fault) {
    thread::scope(|scope| {
        for number in 0..COLD {
            scope.spawn(move || {
                let name = number.to_string();
                let began = Instant::now();
                let result = world.stand.verification(&call(fault.host, &name, "twill"));
                assert!(began.elapsed() < FETCH_TIME + SLACK, "{}: {:?}", fault.host, began.elapsed());
                assert_eq!(result["reasonCode"], fault.code, "{}: {result}", fault.host);
                assert_eq!(result["verstat"], fault.verstat, "{}: {result}", fault.host);
                world.tick();
                let answer = world.stand.post("/v1/verify", &whole_call(fault.host, &name, "twill"));
                let verdict = answer.json();
                assert_eq!(verdict["passports"][0]["error"]["kind"], fault.kind, "{}: {verdict}", fault.host);
                assert_eq!(verdict["sip"]["code"], fault.code, "{}: {verdict}", fault.host);
                // "Could not check" is not "failed".
                let expected = if fault.why.is_some() { "none" } else { "failed" };
                assert_eq!(verdict["verdict"], expected, "{}: {verdict}", fault.host);
            });
        }
    });
}

/// Requests sent are requests counted, and judged, and looked up.
fn adds_up(world: &World, warm: u64, cold: u64) {
    let page = Page::of(&world.stand);
    let requests = |route: &str| page.sum("stirtrace_requests_total", &[&format!("route=\"{route}\""), "code=\"200\""]);
    assert_eq!(requests("verification"), warm + cold / 2);
    assert_eq!(requests("verify"), cold / 2);
    assert_eq!(page.sum("stirtrace_verdicts_total", &[]), warm + cold);
    assert_eq!(page.sum("stirtrace_verdicts_total", &["verdict=\"passed\""]), warm);
    assert_eq!((page.sum("stirtrace_refused_total", &[]), page.sum("stirtrace_abandoned_total", &[])), (0, 0));
    let of = |outcome: &str| page.sum("stirtrace_fetches_total", &[&format!("outcome=\"{outcome}\"")]);
    let failed = page.sum("stirtrace_fetch_failures_total", &[]);
    assert_eq!(of("hit") + of("negative") + of("joined") + of("fetched") + failed, warm + cold);
    assert_eq!(page.sum("stirtrace_fetches_in_flight", &[]), 0);
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

#[test]
fn a_certificate_that_fails_a_signature_is_asked_for_once_more() {
    // G21: the owner may have changed keys. Here nobody did: tokens are forged, with the certificate's URL.
    let world = World::new(Vec::new());
    let load = world.load();
    let requests = || world.server(WARM).requests();
    assert_eq!(requests().len(), 1);
    let forged = Token { key: Some("cascade".to_owned()), ..token(WARM, "twill", "twill") };
    // What was fetched a moment ago is not asked for again.
    let refused = world.stand.verification(&verification_of(forged.value(now())));
    assert_eq!((&refused["reasonCode"], requests().len()), (&Value::from(438), 1));
    assert!(load.stop().wrong.is_empty());
    let later = NOW + 301;
    world.stand.at(later);
    let at = UnixTime::from_seconds(later);
    let mut body = verification_of(forged.value(at));
    body["verificationRequest"]["time"] = later.into();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(world.stand.verification(&body)["reasonCode"], 438));
        }
    });
    assert_eq!(requests().len(), 2, "once, however many are forged");
    assert!(requests()[1].contains("cache-control: no-cache\r\n"), "{}", requests()[1]);
    assert_eq!(Page::of(&world.stand).sum("stirtrace_fetches_total", &["outcome=\"again\""]), 1);
    // Then the owner changes keys indeed: the old certificate lies in the cache, and the next call passes all the same.
    world.server(WARM).conduct(ok("", &certificate("cascade")));
    let changed = later + 301;
    world.stand.at(changed);
    let renewed = token(WARM, "twill", "cascade");
    let mut body = verification_of(renewed.value(UnixTime::from_seconds(changed)));
    body["verificationRequest"]["time"] = changed.into();
    assert_eq!(world.stand.verification(&body)["verstat"], "TN-Validation-Passed");
    assert_eq!(requests().len(), 3);
}
