//! `stirtrace trace`, run as its users run it: what it prints, and what it says of bad input (design 4, 5).
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test stops at a fault")]

#[expect(dead_code, reason = "calls are signed by other tests")]
mod command;

use std::fs;

use command::{Desk, Run, assert_snapshot};

const NETWORK: &str = "[[network]]\nname = \"Cascade Transit\"\nspc = \"771C\"\ncountry = \"US\"\n\
    time_zone = \"America/Chicago\"\n\n[[network.source]]\nname = \"core\"\nfiles = \"calls.csv\"\nformat = \"stirtrace\"\n\n\
    [[network.peer]]\nname = \"Twill Communications\"\nspc = \"552D\"\ntrunks = [\"tg-twill\"]\n\n\
    [[network.peer]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\ntrunks = [\"tg-prairie\"]\n";
const CALLS: &str = "start,end,calling,called,ingress_trunk,egress_trunk\n\
    2026-05-04T11:00:00Z,2026-05-04T11:00:40Z,12155550190,12155550191,tg-twill,tg-prairie\n\
    2026-05-04T12:00:04Z,2026-05-04T12:01:00Z,12155550112,12155550131,tg-twill,tg-prairie\n\
    2026-05-04T13:00:00Z,2026-05-04T13:00:10Z,12155550192,12155550193,tg-twill,tg-prairie\n";
const REQUESTS: &str = "id,from,to,time,received\n\
    TB-1,12155550112,12155550131,2026-05-04T12:00:01Z,2026-05-05T15:00:00Z\n\
    TB-2,12155550112,12155550132,2026-05-04T12:00:01Z,2026-05-05T15:00:00Z\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("stirtrace.toml", NETWORK).write("calls.csv", CALLS).write("requests.csv", REQUESTS);
    desk
}

fn of(config: &str) -> Run {
    let desk = desk();
    desk.write("stirtrace.toml", config);
    desk.run(["trace", "requests.csv"])
}

#[test]
fn an_answer_is_a_page_a_line_a_row_and_a_drawing() {
    let desk = desk();
    for format in ["text", "csv", "mermaid", "dot"] {
        let run = desk.run(["trace", "requests.csv", "--format", format]);
        assert_eq!(run.code, 1, "{}", run.err);
        assert_snapshot(&format!("trace-{format}"), &run.all());
    }
    let objects = desk.run(["trace", "requests.csv"]).objects();
    assert_eq!((&objects[0]["status"], &objects[1]["status"]), (&"found".into(), &"not-found".into()));
}

#[test]
fn a_bad_line_of_the_requests_is_named_and_the_rest_is_answered() {
    let desk = desk();
    desk.write(
        "requests.csv",
        "id,from,to,time\nTB-1,12155550112,12155550131,2026-05-04T12:00:01Z\n\
         TB-2,12155550112,12155550131,2026-05-04 12:00:01\nTB-3,nobody,,2026-05-04T12:00:01Z\n",
    );
    let run = desk.run(["trace", "requests.csv", "--format", "json"]);
    assert_eq!(run.code, 2);
    let objects = run.objects();
    assert_eq!(objects[0]["status"], "found");
    assert_eq!(objects[1]["source"], serde_json::json!({"file": "requests.csv", "line": 3}));
    assert!(objects[1]["error"]["detail"].as_str().unwrap().contains("zone"), "{}", objects[1]);
    assert_eq!(objects[2]["source"]["line"], 4);
}

#[test]
fn requests_that_are_none_say_what_is_missing() {
    let desk = desk();
    let cases = [
        ("id,caller,to,time\nA,1,2,3\n", "no column \"from\"; the header has id,caller,to,time; say --map from=NAME"),
        ("", "there is no line in it"),
        ("id,from,to,time\n", "there is no request in it"),
    ];
    for (text, words) in cases {
        desk.write("requests.csv", text);
        let run = desk.run(["trace", "requests.csv"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{text:?}: {}", run.err);
        assert!(run.err.contains(words), "{text:?}: {}", run.err);
    }
    // A line each: no zone, a slip in a number, a quote that is never closed, no number at all.
    desk.write(
        "requests.csv",
        "id,from,to,time\nA,12155550112,12155550131,2026-05-04 12:00:01\nB,2155550ll2,12155550131,2026-05-04T12:00:01Z\n\
         C,12155550112,\"12155550131,2026-05-04T12:00:01Z\nD,12155550112,x,2026-05-04T12:00:01Z\n",
    );
    let run = desk.run(["trace", "requests.csv", "--format", "json"]);
    let errors: Vec<String> =
        run.objects().iter().map(|own| own["error"]["detail"].as_str().unwrap().to_owned()).collect();
    for (error, words) in
        errors.iter().zip(["names no time zone", "from: \"2155550ll2\" is no", "a quote", "to: \"x\" is no"])
    {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!((run.code, errors.len()), (2, 4));
}

/// Runs `trace` as somebody whom permissions bind: as nobody, where the tests run as root.
#[cfg(target_os = "linux")]
fn trace_as_nobody(desk: &Desk) -> std::process::Output {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stirtrace"));
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        // Nobody may not be let into the folder that the tests are built in.
        fs::copy(env!("CARGO_BIN_EXE_stirtrace"), desk.path("stirtrace")).unwrap();
        fs::set_permissions(desk.path("."), fs::Permissions::from_mode(0o755)).unwrap();
        command = std::process::Command::new(desk.path("stirtrace"));
        command.uid(65534).gid(65534);
    }
    command.args(["trace", "requests.csv", "--format", "json"]).current_dir(desk.path(".")).output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_and_a_file_that_may_not_be_read_leave_no_negative() {
    use std::os::unix::fs::PermissionsExt;
    let desk = desk();
    desk.write("stirtrace.toml", NETWORK.replace("calls.csv", "cdr/*.csv")).write("cdr/calls.csv", CALLS);
    desk.write("cdr/more.csv", CALLS.replace("555019", "555018"));
    for (name, mode) in [("cdr", 0o755), ("cdr/more.csv", 0o644)] {
        fs::set_permissions(desk.path(name), fs::Permissions::from_mode(0o000)).unwrap();
        let output = trace_as_nobody(&desk);
        fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(err.contains(name) && err.contains("Permission denied"), "{name}: {err}");
        assert!(!out.contains("not-found"), "{name}: {out}");
        assert_ne!(output.status.code(), Some(0), "{name}: {err}");
    }
    assert!(String::from_utf8(trace_as_nobody(&desk).stdout).unwrap().contains("not-found"));
}

#[cfg(target_os = "linux")]
#[test]
fn answers_that_cannot_be_written_are_an_error() {
    let desk = desk();
    for format in ["text", "json", "csv"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stirtrace"));
        command.args(["trace", "requests.csv", "--format", format]).current_dir(desk.path("."));
        let output = command.stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("stdout cannot be written") && err.contains("is the disk full?"), "{err}");
    }
}

#[test]
fn a_bad_configuration_is_named_with_its_place_and_what_to_do() {
    let cases = [
        ("config-syntax", NETWORK.replace("country = \"US\"", "country = US")),
        ("config-unknown-key", NETWORK.replace("trunks", "trunk_groups")),
        ("config-wrong-type", NETWORK.replace("files = \"calls.csv\"", "files = 7")),
        ("config-unknown-format", NETWORK.replace("\"stirtrace\"", "\"metaswitch\"")),
        ("config-bad-zone", NETWORK.replace("America/Chicago", "America/Chicgo")),
        ("config-no-file", NETWORK.replace("calls.csv", "missing/*.csv")),
    ];
    for (name, config) in cases {
        assert_snapshot(name, &of(&config).all());
    }
}

#[test]
fn a_bad_mapping_file_is_named_with_its_place() {
    let desk = desk();
    desk.write("stirtrace.toml", NETWORK.replace("\"stirtrace\"", "\"switch.toml\""));
    assert_snapshot("mapping-missing", &desk.run(["trace", "requests.csv"]).all());
    desk.write(
        "switch.toml",
        "kind = \"csv\"\nheader = true\n[columns]\nstart = { column = \"t\", extract = \"(\" }\n",
    );
    assert_snapshot("mapping-bad-regex", &desk.run(["trace", "requests.csv"]).all());
}

#[test]
fn a_damaged_line_is_counted_and_makes_a_negative_near_it_impossible() {
    let desk = desk();
    desk.write("calls.csv", CALLS.replace("2026-05-04T12:00:04Z", "\0"));
    let run = desk.run(["trace", "requests.csv", "--format", "json"]);
    let objects = run.objects();
    assert!(objects.iter().all(|own| own["status"] == "cannot-say"), "{}", run.out);
    assert!(run.err.contains("calls.csv: line 3: start:"), "{}", run.err);
    fs::remove_file(desk.path("calls.csv")).unwrap();
    assert_snapshot("trace-no-records", &desk.run(["trace", "requests.csv"]).all());
}
