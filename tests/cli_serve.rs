//! `stirtrace serve`, run as whoever runs it runs it: help, faults, signals, the log, and evidence that `trace` finds.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

#[expect(dead_code, reason = "calls are made by other tests, too")]
mod command;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, SystemTime};

use command::{Desk, assert_snapshot, certs};
use serde_json::{Value, json};

/// A service in a process of its own.
struct Served {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Served {
    fn start(desk: &Desk, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(["serve", "--format", "json", "--config", "stirtrace.toml"])
            .args(more)
            .current_dir(desk.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let listening = line_with(&mut log, "listening");
        let address = listening["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, log, address }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// The next line of the log that says so.
    fn says(&mut self, message: &str) -> Value {
        line_with(&mut self.log, message)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let (body, mut stream) = (body.to_string(), TcpStream::connect(&self.address).unwrap());
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn wait(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn line_with(log: &mut impl BufRead, message: &str) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended before {message:?}");
        if let Ok(object) = serde_json::from_str::<Value>(&line)
            && object["message"].as_str().is_some_and(|own| own.contains(message))
        {
            return object;
        }
    }
}

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
    let served = Served::start(&desk, &[]);
    let run = desk.run_with(&["serve", "--config", "stirtrace.toml", "--listen", &served.address], b"");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot be listened on") && run.err.contains("--listen ADDR:PORT"), "{}", run.err);
}

#[test]
fn it_signs_verifies_reads_anew_and_stops() {
    let desk = Desk::new();
    desk.write("stirtrace.toml", configuration("[service.log]\nlevel = \"requests\"\n"));
    let mut served = Served::start(&desk, &[]);
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
    assert_eq!(served.wait(), 0);
}

#[test]
fn what_was_verified_live_is_found_by_trace() {
    let desk = Desk::new();
    let network = "[[network]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\ntime_zone = \"America/Chicago\"\n\
        [[network.source]]\nname = \"live\"\nfiles = \"evidence/*.jsonl\"\nformat = \"jsonl\"\ntime_zone = \"UTC\"\n";
    desk.write("stirtrace.toml", configuration(&format!("[service.evidence]\nfolder = \"evidence\"\n{network}")));
    let served = Served::start(&desk, &[]);
    let signed = served.post("/stir/v1/signing", &signing());
    served.post("/stir/v1/verification", &verification(&signed["signingResponse"]["identity"]));
    served.signal("TERM");
    assert_eq!(served.wait(), 0);
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
