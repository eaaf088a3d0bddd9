//! `stirtrace trace` over the dialer example, and over files that are not as they should be.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files of their own")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

// The example's generator, so that what is committed can be held against it.
#[path = "../examples/dialer/main.rs"]
#[expect(dead_code, reason = "its main is the example's")]
mod dialer;

const CONFIG: &str = "examples/dialer/stirtrace.toml";
const REQUESTS: &str = "examples/dialer/requests.csv";

fn stirtrace(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stirtrace"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).env_remove("NO_COLOR").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn objects(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn dialer_answers() -> Vec<Value> {
    objects(&stirtrace(&["trace", "--config", CONFIG, REQUESTS]))
}

/// A folder with a network of one peer and these records.
fn case(records: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let toml = "[[network]]\nname = \"X\"\nspc = \"771C\"\n[[network.source]]\nfiles = \"*.csv\"\nformat = \"stirtrace\"\n\
        [[network.peer]]\nname = \"P\"\nspc = \"552D\"\ntrunks = [\"t\"]\n";
    fs::write(folder.path().join("stirtrace.toml"), toml).unwrap();
    fs::write(folder.path().join("records.csv"), records).unwrap();
    folder
}

fn ask(folder: &Path, time: &str) -> Output {
    let config = folder.join("stirtrace.toml");
    stirtrace(&[
        "trace",
        "--config",
        config.to_str().unwrap(),
        "--from",
        "12155550112",
        "--to",
        "12155550131",
        "--time",
        time,
    ])
}

#[test]
fn the_example_s_records_are_what_its_generator_writes() {
    for (name, text) in dialer::files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dialer/cdr").join(&name);
        assert!(fs::read_to_string(&path).unwrap() == text, "{name}: run `cargo run --example dialer`");
    }
}

#[test]
fn the_first_answer_names_the_cpaas_with_its_evidence() {
    let answer = dialer_answers().remove(0);
    assert_eq!(answer["status"], "found");
    assert_eq!(answer["role"], "intermediate");
    assert_eq!(answer["upstream"]["name"], "Twill Communications");
    assert_eq!(answer["upstream"]["spc"], "552D");
    assert_eq!(answer["upstream"]["trunk"], "tg-twill-1");
    assert_eq!(answer["signature"]["verdict"], "passed");
    assert_eq!(answer["signature"]["attest"], "B");
    assert_eq!(answer["signature"]["signer"]["spc"], "552D");
    assert_eq!(answer["chain"][0]["spc"], "552D");
    assert_eq!(answer["chain"][0]["role"], "originating");
    assert_eq!(answer["next"]["ask"], "Twill Communications");
    assert_eq!(answer["findings"], Value::Array(Vec::new()));
    assert_eq!(answer["due"], "2026-05-11T15:00:00-05:00");
    let matched = &answer["matches"][0];
    assert_eq!((&matched["tier"], &matched["parts"]["seconds"]), (&Value::from("exact"), &Value::from(-3)));
    let file =
        fs::read_to_string(Path::new("examples/dialer").join(matched["record"]["file"].as_str().unwrap())).unwrap();
    let line = usize::try_from(matched["record"]["line"].as_u64().unwrap()).unwrap();
    assert!(
        file.lines().nth(line - 1).unwrap().contains("+12155550112,+12155550131"),
        "the line that is named is the call's"
    );
}

#[test]
fn every_request_of_the_example_has_its_answer() {
    let found: Vec<(String, String, String)> = dialer_answers()
        .iter()
        .map(|answer| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            (text(&answer["request"]["id"]), text(&answer["status"]), text(&answer["upstream"]["name"]))
        })
        .collect();
    let expected = [
        ("TB-2026-0001", "found", "Twill Communications"),
        ("TB-2026-0002", "found", "Harbor Wholesale"),
        ("TB-2026-0003", "found", "Larkspur Voice"),
        ("TB-2026-0004", "ambiguous", "-"),
        ("TB-2026-0005", "found", "Larkspur Voice"),
        ("TB-2026-0006", "not-found", "-"),
        ("TB-2026-0007", "cannot-say", "-"),
        ("TB-2026-0008", "found", "Bluestem Collections"),
    ];
    let found: Vec<_> = found.iter().map(|(id, status, name)| (id.as_str(), status.as_str(), name.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn findings_are_only_those_that_hold() {
    let findings: Vec<String> = dialer_answers()
        .iter()
        .flat_map(|answer| answer["findings"].as_array().unwrap().clone())
        .map(|finding| finding["finding"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(findings, ["number-rewritten"]);
}

#[test]
fn an_answer_replays_byte_for_byte() {
    let run = || stdout(&stirtrace(&["trace", "--config", CONFIG, REQUESTS]));
    assert_eq!(run(), run());
}

#[test]
fn the_page_of_each_answer() {
    let output = stirtrace(&["trace", "--config", CONFIG, REQUESTS, "--format", "text"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("page", stdout(&output));
}

#[test]
fn the_object_of_each_answer() {
    let answers = dialer_answers();
    insta::assert_json_snapshot!("object_found", answers[0]);
    insta::assert_json_snapshot!("object_cannot_say", answers[6]);
}

#[test]
fn the_chain_as_mermaid_and_dot() {
    let output = |format| stdout(&stirtrace(&["trace", "--config", CONFIG, REQUESTS, "--format", format]));
    insta::assert_snapshot!("mermaid", output("mermaid"));
    insta::assert_snapshot!("dot", output("dot"));
}

#[test]
fn csv_has_a_row_for_each_answer() {
    let text = stdout(&stirtrace(&["trace", "--config", CONFIG, REQUESTS, "--format", "csv"]));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "upstream.spc").unwrap();
    let spcs: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    assert_eq!(spcs, ["552D", "318X", "207L", "", "207L", "", "", ""]);
}

/// The dotted names of an object's members, as columns have them.
fn members(value: &Value, path: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            members(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, names);
        }),
        Value::Array(items) => items.iter().for_each(|item| members(item, path, names)),
        Value::Null => {}
        _ => {
            names.insert(path.to_owned());
        }
    }
}

#[test]
fn csv_has_a_column_for_every_member_of_an_answer() {
    let mut names = BTreeSet::new();
    dialer_answers().iter().for_each(|answer| members(answer, "", &mut names));
    let text = stdout(&stirtrace(&["trace", "--config", CONFIG, REQUESTS, "--format", "csv"]));
    let header: BTreeSet<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let lacking: Vec<&String> = names.difference(&header).collect();
    assert!(lacking.is_empty() && names.len() > 60, "{lacking:?}, of {}", names.len());
}

#[test]
fn redacted_answers_hold_no_number() {
    for format in ["text", "json", "csv", "mermaid", "dot"] {
        let text = stdout(&stirtrace(&["trace", "--config", CONFIG, REQUESTS, "--format", format, "--redact"]));
        assert!(!text.contains("5550112") && !text.contains("5550199"), "{format}");
        assert!(text.contains("552D"), "{format}");
    }
}

#[test]
fn a_time_without_a_zone_is_an_error_that_says_so() {
    let folder = case(b"start,calling,called\n2026-05-04T12:00:01Z,12155550112,12155550131\n");
    let output = ask(folder.path(), "2026-05-04 12:00:01");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--time: \"2026-05-04 12:00:01\" names no time zone"), "{}", stderr(&output));
}

#[test]
fn a_bad_request_line_gives_its_object_and_the_rest_goes_on() {
    let folder = case(b"start,calling,called,ingress_trunk\n2026-05-04T12:00:01Z,12155550112,12155550131,t\n");
    let requests = folder.path().join("requests.csv.txt");
    fs::write(&requests, "from,to,time\n1,nobody,2026-05-04T12:00:00Z\n12155550112,12155550131,2026-05-04T12:00:00Z\n")
        .unwrap();
    let config = folder.path().join("stirtrace.toml");
    let output = stirtrace(&["trace", "--config", config.to_str().unwrap(), requests.to_str().unwrap()]);
    let answers = objects(&output);
    assert_eq!((&answers[0]["source"]["line"], &answers[1]["status"]), (&Value::from(2), &Value::from("found")));
    assert_eq!(answers[0]["error"]["detail"], "line 2: to: \"nobody\" is no telephone number");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn records_that_are_not_as_they_should_be_cost_themselves_only() {
    // NUL bytes, wrong columns, no UTF-8, a quote never closed, a line of ten megabytes.
    let mut records = b"\xef\xbb\xbfstart,calling,called,ingress_trunk\r\n".to_vec();
    records.extend_from_slice(b"2026-05-04T12:00:00Z,12\x0055,12155550131,t\r\nx\r\n\xff,\xfe,\xfd,t\r\n");
    records.extend_from_slice(b"2026-05-04T12:00:00Z,\"12155550112,12155550131,t\r\n");
    records.extend(std::iter::repeat_n(b'9', 10_000_000));
    records.extend_from_slice(b"\r\n2026-05-04T12:00:03Z,+12155550112,12155550131,t\r\n");
    let folder = case(&records);
    let output = ask(folder.path(), "2026-05-04T12:00:01Z");
    let answer = &objects(&output)[0];
    assert_eq!((&answer["status"], &answer["matches"][0]["record"]["line"]), (&Value::from("found"), &Value::from(7)));
    assert_eq!(answer["searched"]["set_aside"], 5);
    assert!(stderr(&output).contains("records.csv: line 2: calling: a NUL byte"), "{}", stderr(&output));
    assert!(stderr(&output).contains("records.csv: line 5: a quote is opened and not closed"), "{}", stderr(&output));
    assert!(stderr(&output).contains("records.csv: line 6: longer than 1048576 bytes"), "{}", stderr(&output));
}

#[test]
fn a_line_that_could_not_be_read_near_the_time_leaves_the_negative_open() {
    let line = |time: &str, called: &str| format!("2026-05-04T{time}Z,12155550100,{called},t\n");
    let records = |bad: &str| {
        let head = format!(
            "start,calling,called,ingress_trunk\n{}{}",
            line("11:00:00", "12155550199"),
            line("11:59:00", "12155550199")
        );
        format!("{head}{bad}{}{}", line("12:05:00", "12155550199"), line("13:00:00", "12155550199"))
    };
    let status =
        |bad: &str| objects(&ask(case(records(bad).as_bytes()).path(), "2026-05-04T12:00:01Z"))[0]["status"].clone();
    assert_eq!(status(""), "not-found");
    assert_eq!(status("torn line\n"), "cannot-say");
}

#[test]
fn what_is_wrong_with_the_configuration_points_into_the_file() {
    let folder = case(b"");
    let config = folder.path().join("stirtrace.toml");
    fs::write(&config, "[[network]]\nname = \"X\"\ntimezone = \"UTC\"\n").unwrap();
    let output = ask(folder.path(), "2026-05-04T12:00:01Z");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("line 3, column 1: network.timezone: no such key; time_zone?"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_format_that_this_build_does_not_read_is_named_with_those_it_reads() {
    let folder = case(b"");
    let config = folder.path().join("stirtrace.toml");
    fs::write(&config, "[[network]]\nname=\"X\"\n[[network.source]]\nfiles=\"*.csv\"\nformat=\"sansai\"\n").unwrap();
    let output = ask(folder.path(), "2026-05-04T12:00:01Z");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no format \"sansai\" (sansay?); this build reads: asterisk, "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_named_file_that_is_not_there_and_one_without_a_readable_line_leave_the_negative_open() {
    let mut records = "start,calling,called,ingress_trunk\n".to_owned();
    for hour in 0..24 {
        records += &format!("2026-05-04T{hour:02}:00:00Z,12155550150,12155550151,t\n");
    }
    let folder = case(records.as_bytes());
    let status = |folder: &Path| objects(&ask(folder, "2026-05-04T12:30:00Z")).remove(0)["status"].clone();
    assert_eq!(status(folder.path()), "not-found");
    // Its times name no zone, and neither does its source.
    let local = "start,calling,called,ingress_trunk\n2026-05-04 12:30:00,12155550112,12155550131,t\n";
    fs::write(folder.path().join("local.csv"), local).unwrap();
    assert_eq!(status(folder.path()), "cannot-say");
    fs::remove_file(folder.path().join("local.csv")).unwrap();
    let config = folder.path().join("stirtrace.toml");
    let toml = fs::read_to_string(&config).unwrap().replace("\"*.csv\"", "[\"*.csv\", \"night/*.csv\"]");
    fs::write(&config, toml).unwrap();
    assert_eq!(status(folder.path()), "cannot-say");
}

#[test]
fn no_file_at_all_is_an_error_and_no_negative() {
    let folder = case(b"");
    fs::remove_file(folder.path().join("records.csv")).unwrap();
    let output = ask(folder.path(), "2026-05-04T12:00:01Z");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
}

#[test]
fn a_local_clock_that_nobody_declared_is_found_and_said() {
    let folder = case(b"start,calling,called,ingress_trunk\n2026-05-04T07:00:04Z,12155550112,12155550131,t\n");
    let answer = objects(&ask(folder.path(), "2026-05-04T12:00:01Z")).remove(0);
    assert_eq!((&answer["status"], &answer["matches"][0]["tier"]), (&Value::from("found"), &Value::from("clock")));
    assert_eq!(answer["findings"][0]["finding"], "clock-offset");
    assert!(answer["findings"][0]["detail"].as_str().unwrap().contains("5:00 hours behind"), "{answer}");
}

/// Two networks, one above the other: Cascade has the call from Harbor, and Harbor's record says from whom it came.
fn two_networks(upper: &str, lower: &str, harbor_peers: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let toml = format!(
        "[[network]]\nname=\"Cascade\"\nspc=\"771C\"\n[[network.source]]\nfiles=\"lower.csv\"\nformat=\"stirtrace\"\n\
        [[network.peer]]\nname=\"Harbor\"\nspc=\"318X\"\ntrunks=[\"h\"]\n\
        [[network]]\nname=\"Harbor\"\nspc=\"318X\"\n[[network.source]]\nfiles=\"upper.csv\"\nformat=\"stirtrace\"\n{harbor_peers}"
    );
    fs::write(folder.path().join("stirtrace.toml"), toml).unwrap();
    let header = "start,calling,called,ingress_trunk,egress_trunk\n";
    fs::write(folder.path().join("upper.csv"), format!("{header}{upper}\n")).unwrap();
    fs::write(folder.path().join("lower.csv"), format!("{header}{lower}\n")).unwrap();
    folder
}

const HARBOR_PEERS: &str = "[[network.peer]]\nname=\"Dialer\"\nkind=\"customer\"\ntrunks=[\"d\"]\n\
    [[network.peer]]\nname=\"Cascade\"\nspc=\"771C\"\ntrunks=[\"c\"]\n\
    [[network.peer]]\nname=\"Larkspur\"\nspc=\"207L\"\ntrunks=[\"l\"]\n";

#[test]
fn with_two_networks_the_chain_reaches_the_customer() {
    let upper = "2026-05-04T12:00:01Z,12155550112,12155550131,d,c";
    let folder = two_networks(upper, "2026-05-04T12:00:02Z,12155550112,12155550131,h,", HARBOR_PEERS);
    let answer = objects(&ask(folder.path(), "2026-05-04T12:00:01Z")).remove(0);
    assert_eq!((&answer["network"], &answer["role"]), (&Value::from("Cascade"), &Value::from("terminating")));
    let hop = |place: usize| (answer["chain"][place]["provider"].as_str(), answer["chain"][place]["role"].as_str());
    assert_eq!((hop(0), hop(1)), ((Some("Harbor"), Some("originating")), (Some("Cascade"), Some("terminating"))));
    assert_eq!(answer["chain"][0]["customer"], "Dialer");
    assert_eq!((&answer["next"]["ask"], &answer["findings"]), (&Value::from("Dialer"), &Value::Array(Vec::new())));
}

#[test]
fn neighbours_that_name_others_and_numbers_that_change_are_findings() {
    let lower = "2026-05-04T12:00:02Z,12155550112,12155550131,h,";
    let findings = |upper: &str| -> Vec<String> {
        let folder = two_networks(upper, lower, HARBOR_PEERS);
        let answer = objects(&ask(folder.path(), "2026-05-04T12:00:01Z")).remove(0);
        let findings = answer["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["finding"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(findings("2026-05-04T12:00:01Z,12155550177,12155550131,d,c"), ["number-rewritten"]);
    assert_eq!(findings("2026-05-04T12:00:01Z,12155550112,12155550131,d,l"), ["missing-hop"]);
    // Another caller, handed to somebody else: another call, whatever the time.
    assert_eq!(findings("2026-05-04T12:00:01Z,12155550177,12155550131,d,l"), [""; 0]);
}

#[test]
fn a_redial_in_a_source_whose_clock_is_right_is_no_clock_offset() {
    let folder = case(
        b"start,calling,called,ingress_trunk\n2026-05-04T13:00:01Z,12155550112,12155550131,t\n\
        2026-05-04T13:10:00Z,12155550113,12155550132,t\n",
    );
    let requests = folder.path().join("requests.txt");
    let text = "id,from,to,time\n1,12155550112,12155550131,2026-05-04T12:00:00Z\n2,12155550113,12155550132,2026-05-04T13:10:00Z\n";
    fs::write(&requests, text).unwrap();
    let config = folder.path().join("stirtrace.toml");
    let answers = objects(&stirtrace(&["trace", "--config", config.to_str().unwrap(), requests.to_str().unwrap()]));
    assert_eq!(
        (&answers[0]["matches"][0]["tier"], &answers[0]["findings"]),
        (&Value::from("clock"), &Value::Array(Vec::new()))
    );
}

/// The dialer's case with other records: one line of it, or several.
fn dialer_case(lines: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let toml = fs::read_to_string(root.join(CONFIG))
        .unwrap()
        .replace("../../certs", &root.join("certs").display().to_string());
    fs::create_dir(folder.path().join("cdr")).unwrap();
    fs::write(folder.path().join("stirtrace.toml"), toml).unwrap();
    let committed = fs::read_to_string(root.join("examples/dialer/cdr/core-2026-05-04.csv")).unwrap();
    let header = committed.lines().next().unwrap();
    fs::write(folder.path().join("cdr/core-1.csv"), format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    folder
}

fn signed_line() -> String {
    let committed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dialer/cdr/core-2026-05-04.csv"));
    committed.unwrap().lines().find(|line| line.contains("+12155550112,+12155550131")).unwrap().to_owned()
}

fn findings(folder: &Path, time: &str) -> (Value, Vec<String>) {
    let answer = objects(&ask(folder, time)).remove(0);
    let names = answer["findings"].as_array().unwrap().iter().map(|own| own["finding"].as_str().unwrap().to_owned());
    (answer["signature"]["verdict"].clone(), names.collect())
}

#[test]
fn a_damaged_signature_and_a_diverted_call_are_findings() {
    let time = "2026-05-04T16:21:08Z";
    let line = signed_line();
    let found = |line: String| findings(dialer_case(&[line]).path(), time);
    assert_eq!(found(line.clone()), ("passed".into(), vec![]));
    let (head, tail) = line.split_once(";info=").unwrap();
    // Another character well inside the signature.
    let (before, last) = head.split_at(head.len() - 20);
    let other = if last.starts_with('A') { "B" } else { "A" };
    let damaged = format!("{before}{other}{};info={tail}", &last[1..]);
    assert_eq!(found(damaged), ("failed".into(), vec!["signature-invalid".to_owned()]));
    let diverted = line.replacen("+12155550131,,", "+12155550155,+12155550131,", 1);
    assert_eq!(found(diverted), ("failed".into(), vec!["diverted-unverified".to_owned()]));
}

#[test]
fn our_own_a_or_b_on_a_provider_s_call_is_a_finding() {
    let committed = fs::read_to_string(Path::new("examples/dialer/cdr/core-2026-05-05.csv")).unwrap();
    let line = committed.lines().find(|line| line.contains("+12155550119,+12155550138")).unwrap();
    let line = line.replace("tg-bluestem,198.51.100.200", "tg-harbor,203.0.113.20");
    let folder = dialer_case(&[line]);
    let config = folder.path().join("stirtrace.toml");
    let arguments = ["trace", "--config", config.to_str().unwrap(), "--from", "12155550119", "--to", "12155550138"];
    let output = stirtrace(&[&arguments[..], &["--time", "2026-05-05T13:05:00Z"]].concat());
    let answer = objects(&output).remove(0);
    assert_eq!(answer["findings"][0]["finding"], "downstream-signed-a-or-b", "{answer}");
}

#[test]
fn a_token_that_comes_again_on_another_call_is_replayed_and_on_attempts_it_is_not() {
    let line = signed_line();
    let attempt = line.replace("16:21:08Z", "16:21:02Z");
    assert_eq!(findings(dialer_case(&[attempt, line.clone()]).path(), "2026-05-04T16:21:08Z").1, Vec::<String>::new());
    let later = line.replace("T16:", "T18:").replace("d1a1e50000000001", "d1a1e50000000099");
    assert_eq!(findings(dialer_case(&[line.clone(), later]).path(), "2026-05-04T16:21:08Z").1, ["replayed-token"]);
    let other = line.replacen("+12155550131", "+12155550155", 1).replace("d1a1e50000000001", "d1a1e50000000098");
    assert_eq!(findings(dialer_case(&[line, other]).path(), "2026-05-04T16:21:08Z").1, ["replayed-token"]);
}
