//! `--redact`: no number leaves the command, on stdout or stderr, whatever it is written like and wherever it stands.
#![cfg(feature = "cli")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod command;

use command::{Desk, Run};

const TOML: &str = "[[network]]\nname = \"X\"\nspc = \"771C\"\n[[network.source]]\nfiles = \"*.csv\"\nformat = \"stirtrace\"\n\
    [[network.peer]]\nname = \"P\"\nspc = \"552D\"\nrmd = \"RMD0001234\"\nfrn = \"0012345678\"\ntrunks = [\"t\"]\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("stirtrace.toml", TOML).write(
        "records.csv",
        "start,calling,called,ingress_trunk,ingress_call_id\n\
         2026-05-04T12:00:01Z,+1-215-555-0112,\"(215) 555-0131\",t,12155550112-77@198.51.100.7\n\
         2026-05-04T12:00:09Z,nobody 215.555.0112,nobody 215 555 0131,t,x\n",
    );
    desk
}

/// The last seven digits of every number of these tests, however they are written.
fn assert_masked(run: &Run) {
    for text in [&run.out, &run.err] {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        for number in ["5550112", "5550131", "5550199"] {
            assert!(!digits.contains(number), "{text}");
        }
    }
}

#[test]
fn requests_that_cannot_be_read_are_masked_too() {
    for to in
        ["215-555-0112 x99", "(215) 555-0112 x99", "215.555.0112 x99", "215 555 0112 x99", "sip:%2B1215555%30112@"]
    {
        let desk = desk();
        desk.write("requests.txt", format!("id,from,to,time\nTB-1,2155550199,\"{to}\",2026-05-04T12:00:01Z\n"));
        for format in ["json", "csv", "text"] {
            let run = desk.run(["trace", "requests.txt", "--redact", "--format", format]);
            assert_masked(&run);
            assert!(run.out.contains("215"), "the start of the number stays: {}", run.out);
        }
    }
}

#[test]
fn campaigns_and_call_ids_are_masked_and_what_names_nobody_is_not() {
    let desk = desk();
    let campaign = "press 1 or call 1 (215) 555-0199";
    desk.write(
        "requests.txt",
        format!("id,from,to,time,campaign\nTB-1,2155550112,2155550131,2026-05-04T12:00:01Z,{campaign}\n"),
    );
    for format in ["json", "csv", "text", "dot", "mermaid"] {
        let run = desk.run(["trace", "requests.txt", "--redact", "--format", format]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert_masked(&run);
    }
    let text = desk.run(["trace", "requests.txt", "--redact", "--format", "text"]).out;
    for legible in ["2026-05-04T12:00:01Z", "552D", "RMD0001234", "FRN 0012345678", "records.csv:2", "press 1 or call"]
    {
        assert!(text.contains(legible), "{legible}: {text}");
    }
    let hash = desk.run(["trace", "requests.txt"]).objects()[0]["matches"][0]["record"]["sha256"].clone();
    assert!(text.contains(hash.as_str().unwrap()), "{text}");
}

#[test]
fn what_is_said_on_stderr_is_masked() {
    let desk = desk();
    for arguments in [
        ["trace", "--redact", "--from", "2155550131", "--to", "215 555 0112 x", "--time", "2026-05-04T12:00:01Z"],
        ["trace", "--redact", "--from", "2155550112", "--to", "2155550131", "--time", "at 215-555-0199"],
        ["trace", "--redact", "--config", "2155550112.toml", "-q", "-q", "-q", "x"],
        ["verify", "--redact", "--max-age", "215-555-0112", "-q", "x", "y", "z"],
    ] {
        let run = desk.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(!run.err.is_empty());
        assert_masked(&run);
    }
}

#[test]
fn members_keep_their_order_when_numbers_are_masked() {
    let desk = desk();
    let arguments = ["trace", "--from", "2155550112", "--to", "2155550131", "--time", "2026-05-04T12:00:01Z"];
    let plain = desk.run_with(&arguments, b"").out;
    let masked = desk.run_with(&[&arguments[..], &["--redact"]].concat(), b"").out;
    let names = |text: &str| {
        let names = text.split('"').zip(text.split('"').skip(1)).filter(|(_, after)| after.starts_with(':'));
        names.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert!(names(&plain).len() > 30);
    assert_eq!(names(&plain), names(&masked));
}

#[test]
fn a_signed_token_is_not_printed_where_numbers_are_to_be_masked() {
    let run = desk().run([
        "sign",
        "--redact",
        "--key",
        "k",
        "--certificate",
        "c",
        "--x5u",
        "u",
        "--orig",
        "2155550112",
        "--dest",
        "2155550131",
    ]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("--redact"), "{}", run.err);
}
