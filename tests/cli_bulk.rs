//! `stirtrace verify` on all cores: the same bytes as on one, from every kind of input, from pipes at once, and over the
//! lake.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod command;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use command::{Desk, Run, certs, invite};
use serde_json::{Value, json};

const TRUST: [&str; 4] = ["--trust", "lab/certs/roots.pem", "--certs", "lab/certs/archive"];

/// A desk with calls of every kind, more than a few chunks of them: good and bad, some seen again, some unreadable.
fn desk() -> Desk {
    let desk = Desk::new();
    let run = desk.run(["lab", "calls", "lab", "--pcap", "700", "--seed", "11"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let capture = fs::read(desk.path("lab/calls.pcap")).unwrap();
    // All calls once more, as somebody who captures in two places has them.
    desk.write("calls/a.pcap", [&capture[..], &capture[24..]].concat());
    let objects = verify(&desk, &["calls/a.pcap", "--at", "date"], b"").objects();
    assert_eq!(objects.len(), 700);
    let (mut lines, mut values, mut messages) = (String::new(), String::new(), String::new());
    for (place, object) in objects.iter().enumerate() {
        let value = value_of(object);
        let (from, to) = (&object["call"]["from"], &object["call"]["to"]);
        let at = &object["call"]["date"];
        writeln!(lines, "{}", json!({"identity": [value], "from": from, "to": to, "date": at, "n": place})).unwrap();
        writeln!(values, "{value}").unwrap();
        messages += &invite(&[&value]);
        if place % 97 == 0 {
            lines += "{\"identity\": 7}\n\n";
            values += &"x".repeat(if place == 97 { (1 << 20) + 1 } else { 0 });
            values += "\n";
            messages += "no SIP\r\n";
        }
    }
    desk.write("calls/b.jsonl", lines).write("calls/c.txt", values).write("calls/d.sip", messages);
    fs::copy(certs().join("roots.pem"), desk.path("calls/e.pem")).unwrap();
    desk
}

/// The Identity value of a call that was shown.
fn value_of(object: &Value) -> String {
    let own = &object["passports"][0];
    let encode = |members: &Value| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(members.to_string())
    };
    // Somebody else's signature over it: what cannot be verified is judged the same too.
    let token = format!("{}.{}.{}", encode(&own["header"]), encode(&own["claims"]), "A".repeat(86));
    format!("{token};info=<{}>;ppt=shaken", own["signer"]["x5u"].as_str().unwrap())
}

fn verify(desk: &Desk, args: &[&str], input: &[u8]) -> Run {
    let args: Vec<&str> = ["verify"].into_iter().chain(TRUST).chain(args.iter().copied()).collect();
    desk.run_with(&args, input)
}

#[test]
fn all_cores_give_the_bytes_of_one() {
    let desk = desk();
    let outputs: [&[&str]; 7] = [
        &["--format", "json"],
        &["--format", "json", "--redact"],
        &["--format", "csv"],
        &["--format", "text"],
        &["--format", "text", "-v", "--color", "always"],
        &["--format", "json", "--summary"],
        &["--format", "text", "--summary"],
    ];
    for output in outputs {
        let run = |threads: &str| {
            let args: Vec<&str> =
                ["calls", "--at", "date", "--threads", threads].into_iter().chain(output.iter().copied()).collect();
            let run = verify(&desk, &args, b"");
            assert!(run.out.len() > 500, "{}", run.err);
            run.all()
        };
        let one = run("1");
        for threads in ["2", "5"] {
            let other = run(threads);
            let differing = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            assert!(other == one, "{output:?} on {threads} threads: {differing:?}");
        }
    }
}

#[test]
fn what_was_seen_before_is_known_whichever_core_saw_it() {
    let desk = desk();
    let run = verify(&desk, &["calls/a.pcap", "--threads", "4", "--all"], b"");
    let objects = run.objects();
    let calls: Vec<&Value> = objects.iter().filter(|own| !own["passports"].as_array().unwrap().is_empty()).collect();
    // Of what is sent again over TCP, the connection takes nothing twice.
    let again: Vec<&&Value> = calls.iter().filter(|own| !own["captured"]["retransmission_of"].is_null()).collect();
    assert_eq!((calls.len(), again.len()), (1050, 350));
    for own in again {
        let first = calls.iter().find(|first| first["call"]["call_id"] == own["call"]["call_id"]).unwrap();
        assert_eq!(own["captured"]["retransmission_of"], first["source"]["frame"]);
    }
}

#[test]
fn what_comes_by_a_pipe_is_printed_before_more_of_it_comes() {
    let desk = desk();
    let capture = fs::read(desk.path("calls/a.pcap")).unwrap();
    let lines = fs::read(desk.path("calls/b.jsonl")).unwrap();
    let values = fs::read(desk.path("calls/c.txt")).unwrap();
    // Of Identity lines the last may go on, folded, so that it waits for the next.
    for (input, about) in [(capture, 20_000), (lines, 5_000), (values, 5_000)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .args(["verify", "-", "--format", "json", "--threads", "3"])
            .current_dir(desk.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stdin, mut lines) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        stdin.write_all(&input[..about]).unwrap();
        stdin.flush().unwrap();
        // Were it not printed at once, this would wait for ever: nothing more is written.
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(first["source"]["file"], "-");
        let writer = thread::spawn(move || stdin.write_all(&input[about..]));
        assert!(lines.count() > 600);
        writer.join().unwrap().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn who_reads_no_more_ends_it() {
    let desk = desk();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
        .args(["verify", "calls", "calls", "calls", "--format", "json", "--threads", "4"])
        .current_dir(desk.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'));
    let output = child.wait_with_output().unwrap();
    // Nobody is trusted here, which is said; that nobody reads is no news.
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && talk.lines().all(|line| line.starts_with("warning: nobody")), "{talk}");
}

/// The shipped example with a lake, its files taken in.
fn lake() -> Desk {
    let desk = Desk::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dialer");
    let copied = Command::new("cp").arg("-r").arg(format!("{}/.", example.display())).arg(desk.path(".")).status();
    assert!(copied.unwrap().success());
    let config = fs::read_to_string(desk.path("stirtrace.toml")).unwrap();
    let config = config.replace("../../certs", certs().to_str().unwrap());
    desk.write("stirtrace.toml", format!("lake = \"lake\"\n{config}"));
    assert_eq!(desk.run(["ingest", "-q"]).code, 0);
    desk
}

#[test]
fn the_lake_s_records_are_judged_again_as_of_their_calls() {
    let desk = lake();
    let all = desk.run(["verify", "--lake", "--threads", "1"]);
    let objects = all.objects();
    assert!(!objects.is_empty() && objects.iter().any(|own| own["verdict"] == "passed"), "{}", all.out);
    for own in &objects {
        // Each by its line, as of its call, which its own record names.
        assert!(
            own["source"]["line"].as_u64() >= Some(2) && own["source"]["file"].as_str().unwrap().starts_with("cdr/")
        );
        assert_eq!(own["at"], own["record"]["time"]);
        assert!(own["record"]["network"].is_string(), "{own}");
        assert_ne!(own["passports"][0]["error"]["kind"], "StaleIat");
    }
    let again = desk.run(["verify", "--lake", "--threads", "4"]);
    assert_eq!((again.out, again.code), (all.out, all.code));
    let days = ["--since", "2026-05-04", "--until", "2026-05-04"];
    let args: Vec<&str> = ["verify", "--lake"].into_iter().chain(days).collect();
    let of_a_day = desk.run_with(&args, b"").objects();
    let expected: Vec<&Value> =
        objects.iter().filter(|own| own["at"].as_str().unwrap().starts_with("2026-05-04")).collect();
    assert!(of_a_day.iter().eq(expected.iter().copied()) && of_a_day.len() < objects.len());
    let network = objects[0]["record"]["network"].as_str().unwrap();
    let own = desk.run(["verify", "--lake", "--network", network]).objects();
    assert!(!own.is_empty() && own.iter().all(|own| own["record"]["network"] == network));
    let summary = desk.run(["verify", "--lake", "--summary"]).objects();
    assert_eq!(summary[0]["calls"], objects.len());
    assert!(!summary[0]["sources"].as_array().unwrap().is_empty());
}

#[test]
fn what_cannot_be_asked_of_the_lake_is_said_with_what_to_do() {
    let desk = lake();
    for (args, words) in [
        (&["--lake", "--network", "Nobody"][..], "has no network of that name"),
        (&["--lake", "--since", "2026-06", "--until", "2026-05"], "is after --until"),
        (&["--lake", "--since", "yesterday"], "write a day (2026-05-04)"),
        (&["--lake", "calls.pcap"], "cannot be used with"),
        (&["--since", "2026-05"], "--lake"),
        (&["--lake", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["--threads", "0"], "--threads"),
    ] {
        let args: Vec<&str> = ["verify"].into_iter().chain(args.iter().copied()).collect();
        let run = desk.run_with(&args, b"");
        assert!(run.code == 2 && run.out.is_empty() && run.err.contains(words), "{args:?}: {}", run.err);
    }
    fs::remove_dir_all(desk.path("lake")).unwrap();
    let run = desk.run(["verify", "--lake"]);
    assert!(run.code == 2 && run.err.contains("lake"), "{}", run.err);
}

#[test]
fn speed_measures_every_setting_that_was_asked_for() {
    let desk = Desk::new();
    let args = ["speed", "--seconds", "0.01", "--keys", "1", "--keys", "3", "--threads", "1", "--threads", "2"];
    let objects = desk.run(args).objects();
    let settings: Vec<_> = objects.iter().map(|own| (own["keys"].as_u64(), own["threads"].as_u64())).collect();
    let expected = [(1, 1), (1, 2), (3, 1), (3, 2)].map(|(keys, threads)| (Some(keys), Some(threads)));
    assert_eq!(settings, expected);
    for own in &objects {
        let number = |name: &str| own[name].as_f64().unwrap();
        for name in ["backend_us", "single_us", "batch_us", "verify_backend_us", "verify_us", "verify_batch_us"] {
            assert!(number(name) > 0.0, "{own}");
        }
        // Medians of ratios and ratios of medians differ, but not by much.
        let ratio = number("backend_us") / number("single_us");
        assert!(number("ratio_single") > ratio / 10.0 && number("ratio_single") < ratio * 10.0, "{own}");
        assert_eq!(number("table_bytes"), number("keys") * 851_968.0);
    }
    let text = desk.run(["speed", "--seconds", "0.01", "--keys", "1", "--threads", "1", "--format", "text"]);
    assert!(text.out.starts_with("1 key, 1 thread  tables of 832 KiB\n"), "{}", text.out);
    assert_eq!(text.out.lines().filter(|line| line.contains("/s")).count(), 6);
}
