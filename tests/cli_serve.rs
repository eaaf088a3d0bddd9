//! `stirtrace serve`, run as whoever runs it runs it: help, faults, signals, the log, and evidence that `trace` finds.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

#[expect(dead_code, reason = "calls are made by other tests, too")]
mod command;
#[path = "command/served.rs"]
mod served;

use std::fs;
use std::time::SystemTime;

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
fn an_address_that_is_taken_is_told() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration(""));
    let served = Served::start(&desk.path("."), &[]);
    let run = desk.run_with(&["serve", "--config", "stirtrace.toml", "--listen", &served.address], b"");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot be listened on") && run.err.contains("--listen ADDR:PORT"), "{}", run.err);
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
