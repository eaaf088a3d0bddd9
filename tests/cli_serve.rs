//! `stirtrace serve`, run as whoever runs it runs it: help, faults, signals, the log, and evidence that `trace` finds.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

#[expect(dead_code, reason = "calls are made by other tests, too")]
mod command;
#[path = "command/served.rs"]
mod served;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, SystemTime};

use command::{Desk, assert_snapshot, certs};
use serde_json::{Value, json};
use served::Served;

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn configuration(more: &str) -> String {
    let certs = certs().display().to_string();
    format!(
        "trust = [\"{certs}/roots.pem\"]\ncertificates = \"{certs}/archive\"\n\
         [service]\nlisten = \"127.0.0.1:0\"\n\
         [[service.signer]]\nname = \"twill\"\nkey = \"{certs}/keys/twill.pem\"\n\
         certificate = \"{certs}/archive/certificates.lab.example/twill.pem\"\n\
         x5u = \"https://certificates.lab.example/twill.pem\"\n{more}"
    )
}

fn signing() -> Value {
    json!({"signingRequest": {"attest": "A", "orig": {"tn": "12155550112"}, "dest": {"tn": ["12155550131"]},
        "iat": now(), "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}})
}

fn verification(identity: &Value) -> Value {
    json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]}, "time": now(),
        "identity": identity}, "callId": "7@twill.example"})
}

#[test]
fn help_says_what_it_is_and_how_to_begin() {
    assert_snapshot("help-serve", &Desk::new().run(["serve", "--help"]).out);
}

#[test]
fn what_is_wrong_with_the_configuration_is_told_with_its_place() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", "[service]\nlisten = \"8080\"\nratio = 2\n[service.limits]\nbody = 1\n");
    assert_snapshot("serve-faults", &desk.run(["serve", "--config", "stirtrace.toml"]).all());
    let open = configuration("").replace("127.0.0.1:0", "192.0.2.1:80");
    desk.write("open.toml", &open);
    assert_snapshot("serve-open", &desk.run(["serve", "--config", "open.toml"]).all());
    desk.write("no-key.toml", configuration("").replace("keys/twill.pem", "keys/nobody.pem"));
    assert_snapshot("serve-no-key", &desk.run(["serve", "--config", "no-key.toml"]).all());
    desk.write("other-key.toml", configuration("").replace("keys/twill.pem", "keys/cascade.pem"));
    assert_snapshot("serve-other-key", &desk.run(["serve", "--config", "other-key.toml"]).all());
}

#[test]
fn faults_of_fetching_name_who_says_it() {
    let desk = Desk::new();
    desk.write("call.sip", "no PEM");
    let text = |more: &str| configuration("").replace("[service]\n", &format!("[service]\nfetch = true\n{more}"));
    let faults = |more: &str, args: &[&str]| {
        desk.write("stirtrace.toml", text(more));
        desk.run_with(&[&["serve", "--config", "stirtrace.toml"], args].concat(), b"").all()
    };
    let roots = format!("fetch_root = [\"{}/roots.pem\",\n  \"nobody.pem\"]\n", certs().display());
    let told = [
        faults(&roots, &[]),
        faults("fetch_root = \"call.sip\"\n", &[]),
        faults("fetch_cache = \"call.sip\"\n", &[]),
        faults("fetch_archive = \"call.sip\"\n", &[]),
        // An option outdoes the file, and is what is told.
        faults(&roots, &["--fetch", "--fetch-root", "call.sip"]),
    ];
    assert_snapshot("serve-fetch-faults", &told.join("\n"));
}

#[test]
fn a_fetch_may_not_take_as_long_as_a_request() {
    // H9: a certificate that does not come is a result (436), which a 408 would hide.
    let desk = Desk::new();
    let fetching = configuration("[service.limits]\nbody = 4096\nrequest_seconds = 2\n")
        .replace("[service]\n", "[service]\nfetch = true\n");
    desk.write("stirtrace.toml", &fetching);
    assert_snapshot("serve-fetch-time", &desk.run(["serve", "--config", "stirtrace.toml"]).all());
    desk.write("usual.toml", configuration(""));
    let run = desk.run(["serve", "--config", "usual.toml", "--fetch", "--fetch-timeout", "10"]);
    assert!(run.err.contains("usual.toml: service.limits.request_seconds: a request may take 10 s"), "{}", run.err);
    // What is fetched not at all, or in less time, is no fault; and a file with the fault is not taken on.
    desk.write("stirtrace.toml", fetching.replace("fetch = true", "fetch = false"));
    assert_eq!(Served::start(&desk.path("."), &[]).ask("GET", "/ready", "").0, 200);
    desk.write("stirtrace.toml", &fetching);
    let mut served = Served::start(&desk.path("."), &["--fetch", "--fetch-timeout", "1"]);
    desk.write("stirtrace.toml", fetching.replace("request_seconds = 2", "request_seconds = 1"));
    served.signal("HUP");
    let refused = served.says("what was loaded before stays");
    assert!(refused["reason"].as_str().unwrap().contains("line 13, column 19"), "{refused}");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration(""));
    let served = Served::start(&desk.path("."), &[]);
    let run = desk.run_with(&["serve", "--config", "stirtrace.toml", "--listen", &served.address], b"");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot be listened on") && run.err.contains("--listen ADDR:PORT"), "{}", run.err);
}

#[test]
#[cfg(target_os = "linux")]
fn as_many_files_may_be_open_as_connections_want() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration("[service.limits]\nconnections = 300\n"));
    let warns = |served: Served| {
        served.signal("TERM");
        served.wait().1.contains("fewer files may be open")
    };
    let raised = Served::start_after("ulimit -S -n 100", &desk.path("."));
    assert!((500..700).contains(&raised.open_files()), "{}", raised.open_files());
    assert!(!warns(raised));
    let bound = Served::start_after("ulimit -n 400", &desk.path("."));
    assert_eq!(bound.open_files(), 400);
    assert!(warns(bound));
    let plenty = Served::start_after("ulimit -S -n 900", &desk.path("."));
    assert_eq!(plenty.open_files(), 900);
    assert!(!warns(plenty));
}

#[test]
fn it_signs_verifies_reads_anew_and_stops() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration("[service.log]\nlevel = \"requests\"\n"));
    let mut served = Served::start(&desk.path("."), &[]);
    let signed = served.post("/stir/v1/signing", &signing());
    let identity = &signed["signingResponse"]["identity"];
    let result = served.post("/stir/v1/verification", &verification(identity));
    assert_eq!(result, json!({"verificationResponse": {"verstat": "TN-Validation-Passed"}}));
    // The log names the call, with its numbers masked.
    let logged = loop {
        let logged = served.says("request");
        if logged["route"] == "verification" {
            break logged;
        }
    };
    assert_eq!((&logged["from"], &logged["verdict"]), (&json!("1215xxxxxxx"), &json!("passed")), "{logged}");
    // A new file with a fault changes nothing; a good one counts.
    desk.write("stirtrace.toml", configuration("[service.nonsense]\n"));
    served.signal("HUP");
    let refused = served.says("what was loaded before stays");
    assert!(refused["reason"].as_str().unwrap().contains("service.nonsense"), "{refused}");
    assert_eq!(served.post("/stir/v1/verification", &verification(identity)), result);
    desk.write("stirtrace.toml", configuration("").replace("roots.pem", "authorities/root-fake.pem"));
    served.signal("HUP");
    served.says("are read anew");
    // The log's level went back to what it is by itself: that waits for a new start.
    assert_eq!(served.says("only after a new start")["key"], "service.log");
    let distrusted = served.post("/stir/v1/verification", &verification(identity));
    assert_eq!(distrusted["verificationResponse"]["reasonCode"], 437);
    served.signal("TERM");
    served.says("stopped");
    assert_eq!(served.wait().0, 0);
}

#[test]
fn why_a_call_is_not_signed_stands_in_the_log_alone() {
    let desk = Desk::new();
    let rules = "[service.log]\nlevel = \"requests\"\n[[service.signing.trunk]]\nname = \"tg-secret\"\n\
        addresses = \"127.0.0.0/8\"\n[[service.signing.rule]]\ntrunk = \"tg-secret\"\nattest = \"none\"\n";
    desk.write("stirtrace.toml", configuration(rules));
    let mut served = Served::start(&desk.path("."), &[]);
    let (code, answer) = served.ask("POST", "/stir/v1/signing", &signing().to_string());
    assert!(code == 403 && !answer.contains("tg-secret"), "{answer}");
    let logged = served.says("request");
    assert!(logged["because"].as_str().unwrap().contains("trunk tg-secret"), "{logged}");
    assert_eq!((&logged["code"], &logged["from"]), (&json!(403), &json!("1215xxxxxxx")), "{logged}");
}

#[test]
fn the_environment_sends_no_traces_anywhere() {
    let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", collector.local_addr().unwrap());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &url),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("http_proxy", &url),
        ("ALL_PROXY", &url),
    ];
    // Not even where traces are wanted, for they are wanted elsewhere.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let named = format!("[service.telemetry]\notlp = \"http://{}\"\n", elsewhere.local_addr().unwrap());
    for (more, wanted) in [("", false), (&named, true)] {
        let desk = Desk::new();
        desk.write("stirtrace.toml", configuration(more));
        let served = Served::start_with(&desk.path("."), &[], &variables);
        assert!(served.post("/stir/v1/signing", &signing())["signingResponse"].is_object());
        served.signal("TERM");
        assert_eq!(served.wait().0, 0);
        for (listener, came) in [(&collector, false), (&elsewhere, wanted)] {
            listener.set_nonblocking(true).unwrap();
            assert_eq!(listener.accept().is_ok(), came, "{more}");
        }
    }
}

#[test]
fn what_was_verified_live_is_found_by_trace() {
    let desk = Desk::new();
    let network = "[[network]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\ntime_zone = \"America/Chicago\"\n\
        [[network.source]]\nname = \"live\"\nfiles = \"evidence/*.jsonl\"\nformat = \"jsonl\"\ntime_zone = \"UTC\"\n";
    desk.write("stirtrace.toml", configuration(&format!("[service.evidence]\nfolder = \"evidence\"\n{network}")));
    let served = Served::start(&desk.path("."), &[]);
    let signed = served.post("/stir/v1/signing", &signing());
    served.post("/stir/v1/verification", &verification(&signed["signingResponse"]["identity"]));
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
    let kept = fs::read_dir(desk.path("evidence")).unwrap().count();
    assert_eq!(kept, 1);
    let time = stirtrace::time::UnixTime::from_seconds(i64::try_from(now()).unwrap()).to_string();
    let traced = desk.run_with(
        &[
            "trace",
            "--config",
            "stirtrace.toml",
            "--from",
            "12155550112",
            "--to",
            "12155550131",
            "--time",
            &time,
            "--format",
            "json",
        ],
        b"",
    );
    let answer = &traced.objects()[0];
    assert_eq!(answer["status"], "found", "{}{}", traced.out, traced.err);
    assert_eq!(
        (&answer["signature"]["verdict"], &answer["signature"]["signer"]["spc"]),
        (&json!("passed"), &json!("552D"))
    );
}

#[test]
fn what_a_reload_cannot_change_is_named() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration(""));
    let mut served = Served::start(&desk.path("."), &[]);
    let more = "[service.sip]\nlisten = \"udp:127.0.0.1:0\"\n[service.replay]\n[service.treatment]\nreason = \"SIP\"\n";
    desk.write(
        "stirtrace.toml",
        configuration(more).replace("127.0.0.1:0\"\n[[service.signer]]", "127.0.0.1:9\"\n[[service.signer]]"),
    );
    served.signal("HUP");
    for key in ["service.listen", "service.sip", "service.replay"] {
        assert_eq!(served.says("only after a new start")["key"], key);
    }
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
}

#[test]
fn sip_ends_while_http_still_answers() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration("[service.limits]\ndrain_seconds = 10\n"));
    let mut served = Served::start(&desk.path("."), &["--sip", "udp:127.0.0.1:0"]);
    let endpoint = served.says("listening for SIP")["endpoint"].as_str().unwrap().to_owned();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(endpoint.trim_start_matches("udp:")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let options = || {
        let from = socket.local_addr().unwrap();
        let text = format!(
            "OPTIONS sip:{endpoint} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
             To: <sip:b@b.example>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send(text.as_bytes()).ok()?;
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).chars().take(11).collect::<String>())
    };
    assert_eq!(options().as_deref(), Some("SIP/2.0 200"));
    let body = signing().to_string();
    let head = format!(
        "POST /stir/v1/signing HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut half = TcpStream::connect(&served.address).unwrap();
    half.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    half.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    served.signal("TERM");
    served.says("stopping");
    // Nothing waits for its outcome over SIP: it is over at once, with HTTP still at it.
    std::thread::sleep(Duration::from_millis(500));
    assert!(options().is_none_or(|line| line == "SIP/2.0 503"), "it takes nothing new");
    half.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(served.wait().0, 0);
}

const PRAIRIE: &str = "[[network]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\ntime_zone = \"America/Chicago\"\n";

/// A configuration whose verdicts go into the lake, every second.
fn into_the_lake() -> String {
    let evidence = "[service.evidence]\nfolder = \"evidence\"\nlake = \"lake\"\nnetwork = \"Prairie Telephone\"\n\
        lake_seconds = 1\n";
    "lake = \"lake\"\n".to_owned() + &configuration(&format!("{evidence}{PRAIRIE}"))
}

impl Served {
    /// A call, signed and verified here.
    fn call(&self) {
        let signed = self.post("/stir/v1/signing", &signing());
        let identity = &signed["signingResponse"]["identity"];
        let result = self.post("/stir/v1/verification", &verification(identity));
        assert_eq!(result["verificationResponse"]["verstat"], "TN-Validation-Passed");
    }

    fn count(&self, name: &str) -> Option<u64> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Waits until a count has come so far.
    fn until(&self, name: &str, least: u64) {
        for _ in 0..400 {
            if self.count(name).is_some_and(|count| count >= least) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{name} is {:?} and never {least}", self.count(name));
    }
}

/// How many records the lake holds of the live source, and what `trace` finds without reading a file.
fn held(desk: &Desk) -> (u64, Value) {
    let status = desk.run_with(&["lake", "status", "--config", "stirtrace.toml", "--format", "json"], b"");
    let live = status.objects().into_iter().find(|own| own["source"] == "live");
    let records = live.map_or(0, |own| own["records"].as_u64().unwrap());
    let time = stirtrace::time::UnixTime::from_seconds(i64::try_from(now()).unwrap()).to_string();
    let arguments = ["trace", "--no-ingest", "--config", "stirtrace.toml", "--format", "json", "--time", &time];
    let call = ["--from", "12155550112", "--to", "12155550131"];
    let traced = desk.run_with(&[&arguments[..], &call[..]].concat(), b"");
    (records, traced.objects()[0].clone())
}

#[test]
fn verdicts_go_into_the_lake_while_it_serves() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", into_the_lake());
    let served = Served::start(&desk.path("."), &[]);
    served.call();
    served.until("stirtrace_evidence_lake_records_total", 1);
    let (records, answer) = held(&desk);
    assert_eq!((records, &answer["status"]), (1, &json!("found")), "{answer}");
    assert_eq!(answer["signature"]["signer"]["spc"], "552D");
    // What is not taken in yet is so when it stops.
    served.call();
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
    assert_eq!(held(&desk).0, 2);
    // A source that names the same files under the same name takes nothing in twice.
    let source = "[[network.source]]\nname = \"live\"\nfiles = \"evidence/*.jsonl\"\nformat = \"jsonl\"\n";
    desk.write("stirtrace.toml", into_the_lake() + source);
    let ingested = desk.run_with(&["ingest", "--config", "stirtrace.toml", "--format", "json"], b"");
    assert_eq!(
        (&ingested.objects()[0]["added"], &ingested.objects()[0]["known"]),
        (&json!(0), &json!(2)),
        "{}",
        ingested.err
    );
    let served = Served::start(&desk.path("."), &[]);
    served.call();
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
    assert_eq!(held(&desk).0, 3);
}

#[test]
fn what_a_kill_kept_out_of_the_lake_the_next_start_takes_in() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", into_the_lake().replace("lake_seconds = 1", "lake_seconds = 3600"));
    let served = Served::start(&desk.path("."), &[]);
    served.call();
    served.until("stirtrace_evidence_written_total", 1);
    served.signal("KILL");
    drop(served);
    assert_eq!(held(&desk).0, 0);
    let served = Served::start(&desk.path("."), &[]);
    served.until("stirtrace_evidence_lake_records_total", 1);
    assert_eq!(held(&desk).0, 1);
}

#[test]
fn a_lake_that_somebody_else_writes_to_costs_no_call_and_no_verdict() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", into_the_lake());
    fs::create_dir(desk.path("lake")).unwrap();
    let lock = fs::File::create(desk.path("lake/lake.lock")).unwrap();
    lock.lock().unwrap();
    let mut served = Served::start(&desk.path("."), &[]);
    served.call();
    let told = served.says("evidence waits for the lake");
    assert!(told["reason"].as_str().unwrap().contains("another stirtrace is writing"), "{told}");
    assert!(served.count("stirtrace_evidence_lake_failures_total") >= Some(1));
    assert_eq!(served.count("stirtrace_evidence_lake_waiting"), Some(1));
    served.call();
    drop(lock);
    served.signal("TERM");
    served.says("evidence is taken into the lake again");
    assert_eq!(served.wait().0, 0);
    assert_eq!(held(&desk).0, 2);
}

#[test]
fn a_lake_that_breaks_is_told_and_the_files_stay() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", into_the_lake());
    let mut served = Served::start(&desk.path("."), &[]);
    fs::remove_dir_all(desk.path("lake")).unwrap();
    desk.write("lake", "no folder");
    served.call();
    served.says("evidence waits for the lake");
    served.call();
    served.signal("TERM");
    assert_eq!(served.wait().0, 0);
    let files =
        fs::read_dir(desk.path("evidence")).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    assert_eq!(files.map(|text| text.lines().count()).sum::<usize>(), 2);
    // And at the start it is refused.
    let run = desk.run(["serve", "--config", "stirtrace.toml"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("service.evidence.lake"), "{}", run.err);
    let other = into_the_lake().replace("network = \"Prairie Telephone\"", "network = \"Prairie\"");
    desk.write("stirtrace.toml", other);
    let run = desk.run(["serve", "--config", "stirtrace.toml"]);
    assert!(
        run.err.contains("service.evidence.network Prairie: ") && run.err.contains("it has: Prairie Telephone"),
        "{}",
        run.err
    );
}
