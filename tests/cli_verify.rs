//! `stirtrace verify`, run as its users run it.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test reads its files and stops at a fault")]

mod command;

use command::{DATE, Desk, Run, assert_snapshot, invite};

/// The options of a verifier that trusts the lab.
const TRUST: [&str; 5] = ["verify", "--trust", "{certs}/roots.pem", "--certs", "{certs}/archive"];

fn verify(desk: &Desk, more: &[&str]) -> Run {
    verify_piped(desk, more, "")
}

fn verify_piped(desk: &Desk, more: &[&str], input: &str) -> Run {
    let args: Vec<&str> = TRUST.into_iter().chain(more.iter().copied()).collect();
    desk.run_with(&args, input.as_bytes())
}

#[test]
fn a_good_call_passes_and_says_who_signed_it() {
    let desk = Desk::new();
    desk.write("good.sip", invite(&[&desk.sign("twill", &[])]));
    let run = verify(&desk, &["good.sip", "--at", "date", "--format", "text"]);
    assert_snapshot("verify-good", &run.all());
    let run = verify(&desk, &["good.sip", "--at", "date", "-v", "--format", "text"]);
    assert_snapshot("verify-good-verbose", &run.all());
}

#[test]
fn the_json_object_has_the_members_of_the_design() {
    let desk = Desk::new();
    desk.write("good.sip", invite(&[&desk.sign("twill", &[])]));
    let object = verify(&desk, &["good.sip", "--at", "date"]).objects().remove(0);
    assert_eq!(object["source"], serde_json::json!({"file": "good.sip", "line": 1}));
    assert_eq!(
        object["call"],
        serde_json::json!({"call_id": "7f1@twill.example", "from": "12155550112", "to": "12155550131", "date": DATE})
    );
    assert_eq!(object["verdict"], "passed");
    assert_eq!(object["verstat"], "TN-Validation-Passed");
    assert_eq!(object["sip"], serde_json::Value::Null);
    assert_eq!(object["attest"], "A");
    assert_eq!(object["signer"]["spc"], "552D");
    assert_eq!(object["signer"]["x5u"], "https://certificates.lab.example/twill.pem");
    let passport = &object["passports"][0];
    assert_eq!((&passport["ppt"], &passport["status"]), (&"shaken".into(), &"valid".into()));
    assert_eq!(passport["claims"]["orig"]["tn"], "12155550112");
    assert!(passport["checks"].as_array().unwrap().iter().all(|check| check["clause"].is_string()));
}

#[test]
fn a_call_for_somebody_else_fails_and_the_text_says_why() {
    let desk = Desk::new();
    desk.write("call.sip", invite(&[&desk.sign("twill", &["--dest", "12155550199"])]));
    let run = verify(&desk, &["call.sip", "--at", "date", "--format", "text"]);
    assert_eq!(run.code, 1);
    assert_snapshot("verify-other-destination", &run.all());
}

#[test]
fn a_header_that_breaks_off_is_shown_with_a_caret() {
    let desk = Desk::new();
    let good = desk.sign("twill", &[]);
    let bad = format!("Identity: {}\u{7}{}\n", &good[..300], &good[300..]);
    let run = verify_piped(&desk, &["--format", "text"], &bad);
    assert_eq!(run.code, 1);
    assert_snapshot("verify-malformed", &run.all());
}

#[test]
fn a_missing_certificate_says_which_and_where_to_put_it() {
    let desk = Desk::new();
    let header = desk.sign("twill", &[]).replace("certificates.lab.example", "certificates.other.example");
    desk.write("call.sip", invite(&[&desk.sign("twill", &[])]));
    let run = desk.run(["verify", "call.sip", "--trust", "{certs}/roots.pem", "--at", "date", "--format", "text"]);
    assert_eq!(run.code, 2);
    assert_snapshot("verify-no-archive", &run.all());
    // The token still names the lab: the header's other URL is H7, not a lookup.
    desk.write("call.sip", invite(&[&header]));
    assert_eq!(
        verify(&desk, &["call.sip", "--at", "date"]).objects()[0]["passports"][0]["error"]["kind"],
        "X5uMismatch"
    );
}

#[test]
fn an_old_call_hints_that_its_own_date_can_be_judged() {
    let desk = Desk::new();
    desk.write("old.sip", invite(&[&desk.sign("twill", &[])]));
    let run = verify(&desk, &["old.sip", "--at", "2026-06-01T00:00:00Z", "--format", "text"]);
    assert_eq!(run.code, 1);
    assert_snapshot("verify-stale", &run.all());
    assert_eq!(verify(&desk, &["old.sip", "--at", "date"]).code, 0);
    assert_eq!(verify(&desk, &["old.sip", "--at", "2026-05-04T12:01:00Z"]).code, 0);
    assert_eq!(verify(&desk, &["old.sip", "--at", "2026-05-04T12:01:00Z", "--max-age", "30"]).code, 1);
}

#[test]
fn a_revoked_certificate_fails_from_its_revocation_on() {
    let desk = Desk::new();
    desk.write("call.sip", invite(&[&desk.sign("revoked", &[])]));
    let crl =
        ["call.sip", "--at", "date", "--crl", "{certs}/crl/indirect.pem", "--crl-signer", "{certs}/crl-signer.pem"];
    let run = verify(&desk, &crl);
    assert_eq!((run.code, &run.objects()[0]["passports"][0]["error"]["kind"]), (1, &"CertificateRevoked".into()));
    // Whoever signs the CRL must be pinned; without CRLs, require refuses.
    assert_eq!(verify(&desk, &crl[..5]).code, 0);
    assert_eq!(verify(&desk, &["call.sip", "--at", "date", "--crl-policy", "require"]).code, 1);
}

#[test]
fn an_unreadable_crl_is_an_error_never_silence() {
    let desk = Desk::new();
    desk.write("call.sip", invite(&[&desk.sign("twill", &[])]));
    desk.write("bad.crl", "no CRL");
    for crl in ["bad.crl", "missing.crl"] {
        let run = verify(&desk, &["call.sip", "--crl", crl]);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains(crl) && run.err.contains("hint:"), "{}", run.err);
    }
}

#[test]
fn the_signed_trust_list_counts_only_with_its_signer_pinned() {
    let desk = Desk::new();
    desk.write("call.sip", invite(&[&desk.sign("twill", &[])]));
    let run = |list: &str, more: &[&str]| {
        let list = format!("{{certs}}/{list}");
        let mut args = vec!["verify", "call.sip", "--at", "date", "--certs", "{certs}/archive", "--trust", &list];
        args.extend(more);
        desk.run_with(&args, b"")
    };
    for signer in ["{certs}/trust-signer.pem", "{certs}/trust-signer-root.pem"] {
        assert_eq!(run("trust-list.jwt", &["--trust-signer", signer]).code, 0);
        for list in ["expired", "by-stranger", "damaged"] {
            let run = run(&format!("trust-list/{list}.jwt"), &["--trust-signer", signer]);
            assert_eq!((run.code, run.out.as_str()), (2, ""), "{list}: {}", run.err);
        }
    }
    let unpinned = run("trust-list.jwt", &[]);
    assert!(unpinned.code == 2 && unpinned.err.contains("--trust-signer"), "{}", unpinned.err);
}

#[test]
fn exit_codes_follow_the_table() {
    let desk = Desk::new();
    let good = invite(&[&desk.sign("twill", &[])]);
    let bad = invite(&[&desk.sign("twill", &["--dest", "12155550199"])]);
    let unsigned = invite(&[]);
    for (input, code) in [
        (good.clone(), 0),
        (format!("{good}{good}"), 0),
        (format!("{good}{bad}"), 1),
        (format!("{good}{unsigned}"), 2),
        (format!("{bad}{unsigned}"), 1),
        (unsigned, 2),
        (String::new(), 2),
    ] {
        assert_eq!(verify_piped(&desk, &["--at", "date"], &input).code, code);
    }
    // Misuse.
    for args in [
        &["--at", "yesterday"][..],
        &["--from", "nobody at all"],
        &["--profile", "x"],
        &["--fetch", "--offline"],
        &["nowhere"],
    ] {
        assert_eq!(verify_piped(&desk, args, &good).code, 2, "{args:?}");
    }
}

#[test]
fn an_answer_belongs_to_no_call_and_spoils_no_exit_code() {
    let desk = Desk::new();
    let trying = "SIP/2.0 100 Trying\r\nCall-ID: 7f1@twill.example\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    let input = format!("{}{trying}", invite(&[&desk.sign("twill", &[])]));
    let run = verify_piped(&desk, &["--at", "date"], &input);
    assert_eq!((run.code, run.objects().len()), (0, 2));
    assert_eq!(verify_piped(&desk, &["--at", "date"], trying).code, 2);
}

#[test]
fn input_is_known_by_its_content() {
    let desk = Desk::new();
    let header = desk.sign("twill", &[]);
    let message = invite(&[&header]);
    let line = serde_json::json!({"identity": header, "from": "+1 215 555 0112", "to": "tel:+12155550131", "time": 1_777_896_001});
    desk.write("calls/1.sip", format!("\r\n{message}{message}"))
        .write("calls/2.jsonl", format!("{line}\n\n{line}\n"))
        .write("calls/deep/3.txt", format!("Identity: {header}\r\ny: {header}\r\n\r\n{header}\r\n"))
        .write("calls/4.pem", std::fs::read(command::certs().join("roots.pem")).unwrap())
        .write("calls/.hidden", "x");
    let run = verify(&desk, &["calls", "--at", "date", "--from", "12155550112", "--to", "12155550131"]);
    let sources: Vec<_> = run
        .objects()
        .iter()
        .map(|object| {
            format!(
                "{}:{} {} {}",
                object["source"]["file"],
                object["source"]["line"],
                object["verdict"],
                object["passports"].as_array().unwrap().len()
            )
        })
        .collect();
    assert_eq!(
        sources,
        [
            "\"calls/1.sip\":2 \"passed\" 1",
            "\"calls/1.sip\":12 \"passed\" 1",
            "\"calls/2.jsonl\":1 \"passed\" 1",
            "\"calls/2.jsonl\":3 \"passed\" 1",
            "\"calls/deep/3.txt\":1 \"passed\" 2",
            "\"calls/deep/3.txt\":4 \"passed\" 1",
        ]
    );
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn what_cannot_be_read_gives_its_object_and_the_rest_goes_on() {
    let desk = Desk::new();
    let header = desk.sign("twill", &[]);
    desk.write("a.pcapng", b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00")
        .write("b.gz", b"\x1f\x8b\x08\x00")
        .write("c.bin", [0u8, 1, 2, 3, 4, 5, 0, 0])
        .write("d.txt", b"\xff\xfea\x00")
        .write("e.jsonl", "{\"identity\":7}\n{\"from\":\"x y\"}\n[]\n")
        .write("f.empty", "")
        .write("g.sip", invite(&[&header]));
    let run = verify(&desk, &[".", "missing", "--at", "date", "--format", "json"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.objects().last().unwrap()["error"]["kind"], "Unreadable");
    let errors: String =
        run.objects().iter().map(|object| format!("{} {}\n", object["source"], object["error"])).collect();
    assert_snapshot("verify-unreadable", &errors);
}

#[test]
fn hostile_input_is_refused_in_bounded_time() {
    let desk = Desk::new();
    let long = "A".repeat(1 << 20);
    let deep = format!("{{\"identity\":{}\"x\"{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let many: Vec<String> = (0..1_000).map(|index| format!("a.b.c{index};info=<https://x.example/{index}>")).collect();
    let many = invite(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let good = desk.sign("twill", &[]);
    let mut inputs = vec![
        format!("Identity: {long}\n"),
        format!("{long}{long}\n{good}\n"),
        invite(&[&long]),
        deep,
        many,
        format!("{}\u{0}{}", &good[..40], &good[40..]),
        "\0".repeat(5_000),
        "Identity:\n".repeat(20_000),
        "\n\t".repeat(50_000),
        format!("Identity: {}\n", "a\n b".repeat(50_000)),
        "INVITE sip:x@y SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
    ];
    inputs.extend((0..good.len()).step_by(97).map(|length| good[..length].to_owned()));
    for input in inputs {
        let run = verify_piped(&desk, &["--at", "date"], &input);
        let start = input.chars().take(60).collect::<String>();
        assert!(run.code == 1 || run.code == 2, "{start}: {}", run.code);
        assert!(run.out.contains("error") || run.err.contains("error"), "{start}");
    }
}

#[test]
fn nothing_that_others_wrote_steers_the_terminal() {
    let desk = Desk::new();
    let evil = invite(&[&desk.sign("twill", &[])]).replace("7f1@", "7\x1b[31m\u{9b}2J\u{202e}@");
    for format in ["text", "json", "csv"] {
        let run = verify_piped(&desk, &["--at", "date", "--format", format], &evil);
        let is_control = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert!(!run.out.contains(is_control), "{format}: {:?}", run.out);
        assert!(run.out.contains("u202e") || run.out.contains("u{202e}"), "{format}: {}", run.out);
    }
}

#[test]
fn colour_is_asked_for_or_not_there() {
    let desk = Desk::new();
    let call = invite(&[&desk.sign("twill", &[])]);
    let run = |color: &str| verify_piped(&desk, &["--at", "date", "--format", "text", "--color", color], &call).out;
    assert!(run("always").contains("\x1b[32m"));
    assert!(!run("auto").contains('\x1b') && !run("never").contains('\x1b'));
}

#[test]
fn redaction_masks_the_numbers_in_every_format() {
    let desk = Desk::new();
    let call = invite(&[&desk.sign("twill", &["--dest", "12155550199"])]);
    for format in ["text", "json", "csv"] {
        for input in [call.clone(), format!("{}\u{1}", &call), desk.sign("twill", &[])[..200].to_owned()] {
            let run = verify_piped(&desk, &["--at", "date", "--redact", "--format", format], &input);
            for number in ["2155550112", "2155550131", "2155550199", "5550112", "5550131", "5550199"] {
                assert!(!run.out.contains(number) && !run.err.contains(number), "{format}: {}", run.out);
            }
            let run = desk.run_with(&["inspect", "--redact", "--format", format], input.as_bytes());
            assert!(!run.out.contains("555011") && !run.out.contains("555013"), "{format}: {}", run.out);
        }
    }
    let run = verify_piped(&desk, &["--at", "date", "--redact", "--format", "text"], &call);
    assert_snapshot("verify-redacted", &run.all());
}

#[test]
fn csv_has_the_members_as_dotted_columns_and_one_header() {
    let desk = Desk::new();
    let header = desk.sign("twill", &[]);
    let input = format!(
        "{{\"identity\":7}}\n{}\n",
        serde_json::json!({"identity": header, "from": "=1+1@x", "call_id": "=cmd()"})
    );
    let input = input.replace("\"=1+1@x\"", "\"sip:=1+1@x.example\"");
    let run = verify_piped(&desk, &["--at", "date", "--format", "csv"], &input);
    let mut reader = csv::Reader::from_reader(run.out.as_bytes());
    let columns = reader.headers().unwrap().clone();
    assert_eq!(
        &columns.iter().take(7).collect::<Vec<_>>().join(","),
        "source.file,source.line,call.call_id,call.from,call.to,call.date,verdict"
    );
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    let cell = |row: usize, name: &str| rows[row][columns.iter().position(|column| column == name).unwrap()].to_owned();
    assert_eq!(cell(0, "error.kind"), "Unreadable");
    assert_eq!(cell(1, "call.call_id"), "'=cmd()");
    assert_eq!(cell(1, "passports.ppt"), "shaken");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_quietly() {
    let desk = Desk::new();
    let header = desk.sign("twill", &[]);
    desk.write("many.txt", format!("{header}\n").repeat(2_000));
    let script = format!(
        "'{}' verify many.txt --trust '{}' 2>err | head -c 100 >/dev/null; cat err",
        env!("CARGO_BIN_EXE_stirtrace"),
        command::certs().join("roots.pem").display()
    );
    let output = std::process::Command::new("sh").arg("-c").arg(script).current_dir(desk.path("")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn stirtrace_toml_says_whom_to_trust_and_is_named() {
    let desk = Desk::new();
    desk.write("case/call.sip", invite(&[&desk.sign("twill", &[])]));
    let certs = command::certs();
    let toml = format!("trust = [\"roots.pem\"]\ncertificates = {:?}\ncrl = []\n", certs.join("archive"));
    desk.write("stirtrace.toml", toml).write("roots.pem", std::fs::read(certs.join("roots.pem")).unwrap());
    let above = std::process::Command::new(env!("CARGO_BIN_EXE_stirtrace"))
        .args(["verify", "call.sip", "--at", "date"])
        .current_dir(desk.path("case"))
        .output()
        .unwrap();
    assert_eq!(above.status.code(), Some(0), "{}", String::from_utf8_lossy(&above.stderr));
    assert!(String::from_utf8_lossy(&above.stderr).contains("note: using"));
    let named = desk.run(["verify", "case/call.sip", "--at", "date", "--config", "stirtrace.toml"]);
    assert_eq!((named.code, named.err.as_str()), (0, ""));
    // An option replaces what the file says; a file with faults stops.
    assert_eq!(
        desk.run(["verify", "case/call.sip", "--at", "date", "--trust", "{certs}/authorities/root-fake.pem"]).code,
        1
    );
    desk.write("stirtrace.toml", "trsut = []\n");
    let run = desk.run(["verify", "case/call.sip"]);
    assert!(run.code == 2 && run.err.contains("line 1") && run.err.contains("trsut"), "{}", run.err);
}

#[test]
fn a_diverted_call_passes_for_its_new_target() {
    // RFC 8946 §4.2; E3: the diverting network signs for the number that it diverts.
    let desk = Desk::new();
    let shaken = desk.sign("twill", &[]);
    let div = desk.sign_as("prairie", &["--ppt", "div", "--div", "12155550131", "--dest", "12155550132"]);
    let message = invite(&[&shaken, &div]).replace("+12155550131@", "+12155550132@");
    desk.write("call.sip", &message);
    let run = desk.run_with(
        &["verify", "call.sip", "--trust", "{certs}/roots.pem", "--certs", "{certs}/archive", "--at", "date"],
        b"",
    );
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(run.objects()[0]["passports"][1]["claims"]["div"]["tn"], "12155550131");
    // E1, and every type has its own claims.
    for (more, word) in [
        (&["--ppt", "div", "--div", "12155550131"][..], "is for 12155550131 before and after"),
        (&["--ppt", "div"], "whom the call was for"),
        (&["--ppt", "rph"], "no priority is named"),
        (&["--ppt", "rph", "--rph", "ets"], "no namespace and priority"),
        (&["--ppt", "rph", "--rph", "ets.0", "--callback"], "esnet"),
        (&["--ppt", "rph", "--rph", "ets.0", "--attest", "A"], "has no attest"),
        (&["--ppt", "base", "--origid", "x"], "has no origid"),
        (&["--ppt", "div", "--div", "12155550131", "--rph", "ets.0"], "has no rph"),
        (&["--div", "12155550132", "--attest", "A"], "type shaken has no div"),
    ] {
        let args = [
            "sign",
            "--key",
            "{certs}/keys/prairie.pem",
            "--certificate",
            "{certs}/archive/certificates.lab.example/prairie.pem",
            "--x5u",
            "https://certificates.lab.example/prairie.pem",
            "--orig",
            "12155550112",
            "--dest",
            "12155550131",
        ];
        let run = desk.run_with(&[&args, more].concat(), b"");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{more:?}");
        assert!(run.err.contains(word), "{}", run.err);
    }
}

#[test]
fn a_priority_is_judged_in_words_of_its_own() {
    // E8 to E10, H30: for the text, the object and the columns.
    let desk = Desk::new();
    let shaken = desk.sign("twill", &[]);
    let rph = desk.sign_as("twill", &["--ppt", "rph", "--rph", "ets.0", "--rph", "wps.0"]);
    let asking =
        |asked: &str| invite(&[&shaken, &rph]).replace("CSeq:", &format!("Resource-Priority: {asked}\r\nCSeq:"));
    desk.write("authorised.sip", asking("wps.0, ets.0")).write("raised.sip", asking("ets.3"));
    let verify = |more: &[&str]| {
        let args = [
            "verify",
            "authorised.sip",
            "raised.sip",
            "--trust",
            "{certs}/roots.pem",
            "--certs",
            "{certs}/archive",
            "--at",
            "date",
        ];
        desk.run_with(&[&args, more].concat(), b"")
    };
    assert_snapshot("verify-priority", &verify(&["--format", "text"]).all());
    let run = verify(&[]);
    let objects = run.objects();
    assert_eq!(run.code, 0, "a wrong priority fails no call");
    let expected = serde_json::json!({"verstat": "RPH-Validation-Passed", "requested": ["ets.0", "wps.0"],
        "authorized": ["ets.0", "wps.0"], "callback": false});
    assert_eq!(objects[0]["priority"], expected);
    assert_eq!(
        (&objects[1]["priority"]["verstat"], &objects[1]["verdict"]),
        (&"RPH-Validation-Failed".into(), &"passed".into())
    );
    let columns = verify(&["--format", "csv"]).out;
    assert!(columns.contains(",RPH-Validation-Failed,ets.3,,false"), "{columns}");
    // E12: whom the policy names, and nobody else.
    for (signer, verstat) in [("552D=wps,ETS", "RPH-Validation-Passed"), ("771C=ets,wps", "RPH-Validation-Failed")] {
        assert_eq!(verify(&["--rph-signer", signer]).objects()[0]["priority"]["verstat"], verstat, "{signer}");
    }
    assert!(verify(&["--rph-signer", "552D"]).err.contains("write it as 552D=ets,wps"));
    let inspected = desk.run_with(&["inspect", "--format", "text"], rph.as_bytes());
    assert!(inspected.out.contains("authorises the priority ets.0, wps.0"), "{}", inspected.out);
}

#[test]
fn policies_have_their_names() {
    let desk = Desk::new();
    let shaken = desk.sign("twill", &[]);
    let without_ppt = shaken.replace(";ppt=shaken", "");
    desk.write("call.sip", invite(&[&without_ppt]));
    assert_eq!(verify(&desk, &["call.sip", "--at", "date"]).code, 0);
    assert_eq!(verify(&desk, &["call.sip", "--at", "date", "--strict"]).code, 1);
    desk.write(
        "call.sip",
        invite(&[&shaken.replace("info=<https://certificates.lab.example", "info=<https://x.example")]),
    );
    let code =
        |profile: &str| verify(&desk, &["call.sip", "--at", "date", "--profile", profile]).objects()[0]["sip"].clone();
    assert_eq!(code("rfc")["code"], 436);
    assert_eq!(code("atis")["code"], 436);
    let compact = format!("..{}", shaken.split('.').nth(2).unwrap());
    desk.write("call.sip", invite(&[&compact]));
    assert_eq!(verify(&desk, &["call.sip", "--at", "date", "--require", "shaken"]).code, 1);
}
