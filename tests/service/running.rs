//! A service that runs: what it tells of itself, what it keeps, how it reads its files anew, and how it stops.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stirtrace::service::Evidence;
use stirtrace::service::evidence::{Intake, TakenIn};
use stirtrace::service::settings::Settings;

use crate::stand::{NOW, Request, SIGNING, Setup, Stand, VERIFICATION, good, identity, verification_of};

#[test]
fn it_is_ready_when_it_can_judge_calls() {
    let stand = Stand::plain();
    assert_eq!(stand.get("/health").json(), json!({"status": "ok", "loaded": "2026-05-04T12:00:01Z"}));
    let ready = stand.get("/ready");
    assert_eq!((ready.code, ready.json()), (200, json!({"ready": true, "because": []})));
    let blind = Setup::new("").without_trust().start();
    let ready = blind.get("/ready");
    let because = json!({"ready": false, "because": ["nobody is trusted: no roots are loaded"]});
    assert_eq!((ready.code, ready.json()), (503, because));
    assert_eq!(blind.get("/health").code, 200);
}

#[test]
fn it_is_not_ready_on_what_has_ended() {
    // F21: a list that has ended says nothing; F23: the policy wants a fresh CRL.
    let setup = Setup::new("[service.verification]\ncrl_policy = \"require-fresh\"");
    let mut loaded = setup.loaded();
    loaded.trust_list_expires = Some(stirtrace::time::UnixTime::from_seconds(NOW + 10));
    let stand = Stand::start(move |_| Ok(loaded.clone()), None);
    assert_eq!(stand.get("/ready").code, 200);
    stand.at(NOW + 40 * 366 * 86_400);
    let because = stand.get("/ready").json()["because"].to_string();
    assert!(
        because.contains("the STI-PA's list ended at 2026-05-04T12:00:11Z") && because.contains("no CRL is fresh"),
        "{because}"
    );
}

#[test]
fn counts_are_told_as_prometheus_reads_them() {
    let stand = Stand::plain();
    stand.verification(&verification_of(good()));
    stand.verification(&verification_of(identity(json!({"iat": -90}))));
    stand.verification(&verification_of(identity(json!({"mutate": ["flip-signature-bit"]}))));
    stand.post(VERIFICATION, &json!({}));
    stand.post(
        SIGNING,
        &json!({"signingRequest": {"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": NOW,
        "orig": {"tn": "12155550112"}, "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}}),
    );
    let page = stand.get("/metrics");
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = page.text();
    for line in [
        "stirtrace_requests_total{route=\"verification\",code=\"200\"} 3",
        "stirtrace_requests_total{route=\"verification\",code=\"400\"} 1",
        "stirtrace_request_seconds_count{route=\"verification\"} 4",
        "stirtrace_verdicts_total{verdict=\"passed\",reason=\"\"} 1",
        "stirtrace_verdicts_total{verdict=\"failed\",reason=\"StaleIat\"} 1",
        "stirtrace_verdicts_total{verdict=\"failed\",reason=\"InvalidSignature\"} 1",
        "stirtrace_signatures_total{outcome=\"signed\"} 1",
        "stirtrace_trust_anchors 3",
        "stirtrace_certificate_urls 1",
        "stirtrace_certificates 1",
        "stirtrace_requests_in_flight 1",
    ] {
        assert!(page.lines().any(|own| own == line), "{line} in\n{page}");
    }
    assert!(page.contains("stirtrace_crl_age_seconds{issuer=\""), "{page}");
    assert!(!page.contains("12155550"), "no number in it");
}

#[test]
fn what_it_reads_anew_counts_from_then_on_and_what_is_wrong_does_not() {
    let turn = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&turn);
    let stand = Stand::start(
        move |_| match own.load(Ordering::Relaxed) {
            0 => Ok(Setup::new("").loaded()),
            1 => Err("roots.pem: not there".to_owned()),
            2 => Ok(Setup::new("").without_trust().loaded()),
            _ => Ok(Setup::new("[service.tokens]\nkeys=\"k\"\nissuer=\"i\"\naudience=\"a\"")
                .with_token_keys("k", b"rubbish")
                .loaded()),
        },
        None,
    );
    let request = verification_of(good());
    assert_eq!(stand.verification(&request)["verstat"], "TN-Validation-Passed");
    turn.store(1, Ordering::Relaxed);
    assert_eq!(stand.engine.reload(), Err("roots.pem: not there".to_owned()));
    assert_eq!(stand.verification(&request)["verstat"], "TN-Validation-Passed");
    turn.store(3, Ordering::Relaxed);
    let reason = stand.engine.reload().unwrap_err();
    assert_eq!(reason, "service.tokens.keys: k: neither a public key in PEM nor a JWK set");
    assert_eq!(stand.verification(&request)["verstat"], "TN-Validation-Passed");
    turn.store(2, Ordering::Relaxed);
    assert_eq!(stand.engine.reload(), Ok(()));
    assert_eq!(stand.post(VERIFICATION, &request).code, 500);
    assert!(stand.get("/metrics").text().contains("stirtrace_reloads_total{outcome=\"refused\"} 2"));
}

#[test]
fn certificates_are_taken_apart_once_whatever_is_read_anew() {
    // Design 7: what is held is what a body says, by its hash; whom to trust is judged anew for each call.
    let turn = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&turn);
    let stand = Stand::start(
        move |_| {
            let mut loaded = Setup::new("").loaded();
            match own.load(Ordering::Relaxed) {
                // Nobody is trusted; then another certificate lies at the URL.
                1 => loaded.trust = stirtrace::verify::Trust::new(),
                2 => {
                    let other = crate::lab::file(&crate::lab::entry("cascade").archive);
                    loaded.archive = Some(Arc::new(move |_: &str| Ok(other.clone())));
                }
                _ => {}
            }
            Ok(loaded)
        },
        None,
    );
    let read = || {
        let page = stand.get("/metrics").text();
        let line = page.lines().find_map(|line| line.strip_prefix("stirtrace_certificates_read_total "));
        line.map(str::to_owned).unwrap()
    };
    let verdict = || {
        let answer = stand.post(VERIFICATION, &verification_of(good()));
        let word = answer.json()["verificationResponse"]["verstat"].as_str().map(str::to_owned);
        (answer.code, word.unwrap_or_default())
    };
    let passed = || (200, "TN-Validation-Passed".to_owned());
    assert_eq!((verdict(), read().as_str()), (passed(), "1"));
    for _ in 0..3 {
        stand.engine.reload().unwrap();
        assert_eq!((verdict(), read().as_str()), (passed(), "1"));
    }
    turn.store(1, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert_eq!((verdict().0, read().as_str()), (500, "1"), "what is held is not trusted for that");
    turn.store(2, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert_eq!((verdict(), read().as_str()), ((200, "TN-Validation-Failed".to_owned()), "2"));
    turn.store(0, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert_eq!((verdict(), read().as_str()), (passed(), "2"));
}

#[test]
fn no_call_is_lost_while_it_reads_anew() {
    let stand = Arc::new(Stand::plain());
    let body = verification_of(good()).to_string();
    let request = Request::new(VERIFICATION, body.as_bytes()).bytes();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = stand.connect();
                    (0..200).all(|_| {
                        connection.send(&request);
                        let answer = connection.answer();
                        answer.code == 200 && answer.text().contains("TN-Validation-Passed")
                    })
                })
            })
            .collect();
        for _ in 0..30 {
            stand.engine.reload().unwrap();
        }
        assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    });
}

#[test]
fn told_to_stop_it_answers_what_is_under_way() {
    let mut stand = Stand::plain();
    let body = verification_of(good()).to_string();
    let whole = Request::new(VERIFICATION, body.as_bytes()).bytes();
    let (first, rest) = whole.split_at(whole.len() - 10);
    let mut under_way = stand.connect();
    under_way.send(first);
    let mut idle = stand.connect();
    idle.send(&Request { method: "GET", ..Request::new("/health", b"") }.bytes());
    assert_eq!(idle.answer().code, 200);
    // The half request has been seen.
    thread::sleep(Duration::from_millis(200));
    stand.stopper.stop();
    thread::sleep(Duration::from_millis(200));
    under_way.send(rest);
    let answer = under_way.answer();
    assert_eq!((answer.code, answer.header("connection")), (200, Some("close")));
    assert!(idle.try_answer().is_none(), "an idle connection is closed");
    assert!(stand.wait(), "all was answered");
    assert!(std::net::TcpStream::connect(stand.address).is_err(), "nobody listens any more");
}

#[test]
fn whoever_never_ends_does_not_keep_it_from_stopping() {
    let stand = Setup::new("[service.limits]\ndrain_seconds = 1\nrequest_seconds = 60\nheader_seconds = 60").start();
    let mut never = stand.connect();
    never.send(b"POST /stir/v1/verification HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
    thread::sleep(Duration::from_millis(200));
    assert!(!stand.stop(), "not all was answered, and it says so");
}

#[test]
fn every_verdict_is_kept_as_a_call_record() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::parse(b"[service.evidence]\nfolder = \"e\"\nbytes = 4096").unwrap().evidence.unwrap();
    let place = folder.path().join("evidence");
    let stand = Setup::new("").with_evidence(Evidence::open(&place, &settings).unwrap()).start();
    let mut request = verification_of(good());
    request["callId"] = json!("7@twill.example");
    stand.verification(&request);
    let bad = verification_of(identity(json!({"mutate": ["flip-signature-bit"]})));
    for _ in 0..9 {
        stand.verification(&bad);
    }
    stand.engine.evidence().unwrap().close();
    assert_eq!((stand.engine.evidence().unwrap().written(), stand.engine.evidence().unwrap().dropped()), (10, 0));
    let mut names: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 2 && names.iter().any(|name| name.ends_with("verdicts-2026-05-04-2.jsonl")), "{names:?}");
    let mut lines = Vec::new();
    for name in &names {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(name).unwrap();
        assert!(metadata.len() <= 4096 && metadata.permissions().mode() & 0o777 == 0o600, "{name:?}");
        let text = std::fs::read_to_string(name).unwrap();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert_eq!(lines.len(), 10);
    let passed = lines.iter().find(|line| line["verstat"] == "TN-Validation-Passed").unwrap();
    assert_eq!(
        (&passed["calling"], &passed["called"], &passed["ingress_call_id"]),
        (&json!("12155550112"), &json!("12155550131"), &json!("7@twill.example"))
    );
    assert_eq!((&passed["identity"], &passed["spc"], &passed["attest"]), (&json!(good()), &json!("552D"), &json!("A")));
    let failed = lines.iter().find(|line| line["verstat"] == "TN-Validation-Failed").unwrap();
    assert_eq!(failed["verdict"]["errors"][0]["kind"], "InvalidSignature");
}

/// An intake that does what it is told, and notes what it was given.
struct Scripted {
    turns: Vec<Result<TakenIn, String>>,
    given: Arc<Mutex<Vec<Vec<PathBuf>>>>,
}

impl Intake for Scripted {
    fn take_in(&mut self, files: &[PathBuf]) -> Result<TakenIn, String> {
        self.given.lock().unwrap().push(files.to_vec());
        assert!(!self.turns.is_empty(), "a fault of ours");
        self.turns.remove(0)
    }
}

#[test]
fn finished_files_are_handed_over_until_they_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    // What an earlier run left, and what is none of ours.
    std::fs::write(file("verdicts-2026-05-03.jsonl"), "{}\n").unwrap();
    std::fs::write(file("notes.jsonl"), "{}\n").unwrap();
    let text = b"[service.evidence]\nfolder = \"e\"\nlake = \"l\"\nnetwork = \"n\"\nlake_records = 2\n";
    let settings = Settings::parse(text).unwrap().evidence.unwrap();
    let given = Arc::new(Mutex::new(Vec::new()));
    let mut taken = TakenIn::default();
    (taken.added, taken.set_aside) = (3, 1);
    taken.refused.push("verdicts-2026-05-03.jsonl: known as another's".to_owned());
    let turns = vec![Err("the lake's disk is full".to_owned()), Ok(taken)];
    let intake = Scripted { turns, given: Arc::clone(&given) };
    let evidence = Evidence::open_into(folder.path(), &settings, Some(Box::new(intake))).unwrap();
    let stand = Setup::new("").with_evidence(evidence).start();
    for _ in 0..5 {
        assert_eq!(stand.verification(&verification_of(good()))["verstat"], "TN-Validation-Passed");
    }
    let evidence = stand.engine.evidence().unwrap();
    evidence.close();
    let given = given.lock().unwrap();
    let own: Vec<PathBuf> = ["", "-2", "-3"].map(|number| file(&format!("verdicts-2026-05-04{number}.jsonl"))).into();
    let all = [&[file("verdicts-2026-05-03.jsonl")], own.as_slice()].concat();
    // What failed is not tried again at once, but before the end.
    assert_eq!((given.len(), &given[1]), (2, &all), "{given:?}");
    let lines = |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(own.iter().map(lines).collect::<Vec<_>>(), [2, 2, 1]);
    let counts = evidence.intake().unwrap();
    assert_eq!((counts.added, counts.set_aside, counts.failures, counts.waiting), (3, 1, 2, 0));
    let page = stand.get("/metrics").text();
    for line in ["lake_records_total 3", "lake_set_aside_total 1", "lake_failures_total 2", "lake_waiting 0"] {
        assert!(page.contains(&format!("stirtrace_evidence_{line}")), "{line} in\n{page}");
    }
    assert!(page.contains("stirtrace_evidence_lake_age_seconds 0"), "{page}");
}

#[test]
fn days_that_come_in_turns_do_not_make_a_file_each() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"[service.evidence]\nfolder = \"e\"\nlake = \"l\"\nnetwork = \"n\"\n";
    let settings = Settings::parse(text).unwrap().evidence.unwrap();
    let intake = Scripted { turns: vec![Ok(TakenIn::default())], given: Arc::default() };
    let given = Arc::clone(&intake.given);
    let evidence = Evidence::open_into(folder.path(), &settings, Some(Box::new(intake))).unwrap();
    let stand = Setup::new("").with_evidence(evidence).start();
    let midnight = NOW / 86_400 * 86_400;
    stand.at(midnight);
    for second in [-1, 0, -1, 0] {
        let mut request = verification_of(good());
        request["verificationRequest"]["time"] = json!(midnight + second);
        assert_eq!(stand.verification(&request)["reasonCode"], 403, "long before it was signed");
    }
    stand.engine.evidence().unwrap().close();
    let name = folder.path().join("verdicts-2026-05-03.jsonl");
    assert_eq!(*given.lock().unwrap(), [vec![name.clone()]]);
    assert_eq!(std::fs::read_to_string(name).unwrap().lines().count(), 4);
}

#[test]
fn an_intake_that_panics_costs_an_attempt() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("verdicts-2026-05-03.jsonl"), "{}\n").unwrap();
    let text = b"[service.evidence]\nfolder = \"e\"\nlake = \"l\"\nnetwork = \"n\"\n";
    let settings = Settings::parse(text).unwrap().evidence.unwrap();
    let intake = Scripted { turns: Vec::new(), given: Arc::default() };
    let evidence = Evidence::open_into(folder.path(), &settings, Some(Box::new(intake))).unwrap();
    evidence.close();
    let counts = evidence.intake().unwrap();
    assert_eq!((counts.failures, counts.waiting), (2, 1), "at the start, and at the end");
}

#[test]
fn a_disk_that_takes_nothing_costs_evidence_and_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::parse(b"[service.evidence]\nfolder = \"e\"").unwrap().evidence.unwrap();
    let stand = Setup::new("").with_evidence(Evidence::open(folder.path(), &settings).unwrap()).start();
    // The day's file is a folder: nothing can be written to it.
    std::fs::create_dir(folder.path().join("verdicts-2026-05-04.jsonl")).unwrap();
    for _ in 0..5 {
        assert_eq!(stand.verification(&verification_of(good()))["verstat"], "TN-Validation-Passed");
    }
    stand.engine.evidence().unwrap().close();
    assert_eq!(stand.engine.evidence().unwrap().dropped(), 5);
    assert!(stand.get("/metrics").text().contains("stirtrace_evidence_dropped_total 5"));
}
