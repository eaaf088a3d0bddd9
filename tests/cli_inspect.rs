//! `stirtrace inspect`, `certificate`, `completions` and `man`, run as their users run them.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads its files and stops at a fault")]

mod command;

use std::path::PathBuf;

use command::{Desk, assert_snapshot, certs, invite};

#[test]
fn a_message_is_taken_apart() {
    let desk = Desk::new();
    desk.write("call.sip", invite(&[&desk.sign("twill", &[])]));
    assert_snapshot("inspect-message", &desk.run(["inspect", "call.sip", "--format", "text"]).all());
    let object = desk.run(["inspect", "call.sip"]).objects().remove(0);
    assert_eq!(object["kind"], "message");
    assert_eq!(object["identities"][0]["claims"]["orig"]["tn"], "12155550112");
    assert_eq!(object["fields"][2]["name"], "To");
}

#[test]
fn the_oddities_of_headers_are_named_with_their_rules() {
    let desk = Desk::new();
    let good = desk.sign("twill", &[]);
    let bare = good.split(';').next().unwrap();
    for (value, code, rules) in [
        (good.clone(), 0, vec![]),
        (good.replace("ppt=shaken", "ppt="), 0, vec!["G7"]),
        (good.replace("<https", "https").replace('>', ""), 0, vec!["B2"]),
        (bare.to_owned(), 1, vec!["H6", "G7"]),
        (good.replace(".pem>", ".other>"), 1, vec!["G8"]),
        (good.replace("ES256", "ES384"), 1, vec!["H11"]),
        (good[..good.len() - 25].to_owned(), 1, vec!["H6", "G7"]),
    ] {
        let run = desk.run_with(&["inspect"], value.as_bytes());
        let findings = run.objects()[0]["findings"].clone();
        let found: Vec<_> =
            findings.as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
        assert_eq!((run.code, &found), (code, &rules), "{value}");
    }
}

#[test]
fn certificates_and_crls_are_shown_and_keys_are_not() {
    let desk = Desk::new();
    let run = desk.run([
        "inspect",
        "{certs}/archive/certificates.lab.example/numbers-only.pem",
        "{certs}/crl/indirect.der",
        "--format",
        "text",
    ]);
    assert_snapshot("inspect-certificate-crl", &run.all());
    let run = desk.run(["inspect", "{certs}/keys/twill.pem"]);
    assert!(run.code == 2 && run.out.contains("PRIVATE KEY") && run.out.len() < 500, "{}", run.out);
}

#[test]
fn real_tokens_are_decoded_with_their_oddities() {
    let Some(folder) = std::env::var_os("STIRTRACE_REAL_DATA").map(PathBuf::from) else {
        eprintln!("STIRTRACE_REAL_DATA is not set: skipped");
        return;
    };
    let desk = Desk::new();
    let run = desk.run_with(&["inspect", folder.join("real-tokens").to_str().unwrap()], b"");
    let oddities = |file: &str, line: u64| {
        let objects = run.objects();
        let found = objects.iter().find(|object| {
            object["source"]["line"] == line && object["source"]["file"].as_str().unwrap().contains(file)
        });
        let findings = found.unwrap()["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(run.objects().len(), 10);
    assert_eq!(oddities("/009_", 1), ["G7"]);
    assert_eq!(oddities("/012_", 1), ["G7", "G13", "G13", "H31"]);
    assert_eq!(oddities("/012_", 2), ["H6", "G7", "G13", "G13", "H31"]);
    assert_eq!(oddities("/034_", 1), ["G7", "G8"]);
    assert_eq!(oddities("/061_", 1), Vec::<String>::new());
    assert_eq!(oddities("/061_", 2), ["B2"]);
    assert_eq!(oddities("/103_", 1), ["H13", "H13"]);
    assert_eq!(oddities("/107_", 1), ["H6", "G7", "G2", "G13", "F4", "G5"]);
}

#[test]
fn certificates_show_what_the_design_says() {
    let desk = Desk::new();
    let file = "{certs}/archive/certificates.lab.example/truncated-tn-auth-list.pem";
    let run = desk.run(["certificate", "show", file, "--format", "text"]);
    assert_snapshot("certificate-show", &run.all());
    let objects = desk.run(["certificate", "show", file]).objects();
    assert_eq!(objects[0]["index"], 1);
    assert_eq!(objects[0]["role"], "leaf");
    assert!(objects[0]["tn_auth_list"]["error"]["offset"].is_u64());
    assert_eq!(objects[1]["role"], "ca");
    let single = desk.run(["certificate", "show", "{certs}/archive/certificates.lab.example/body-der.der"]).objects();
    assert!(single[0].get("index").is_none() && single[0].get("path").is_none());
}

#[test]
fn lint_tells_good_from_odd_and_names_what_it_cannot_read() {
    let desk = Desk::new();
    let good =
        desk.run(["certificate", "lint", "{certs}/archive/certificates.lab.example/twill.pem", "--format", "text"]);
    assert_eq!((good.code, good.out.as_str()), (0, ""));
    let odd =
        desk.run(["certificate", "lint", "{certs}/archive/certificates.lab.example/two-spcs.pem", "--format", "text"]);
    assert_eq!(odd.code, 1);
    assert_snapshot("certificate-lint", &odd.all());
    let html =
        desk.run(["certificate", "lint", "{certs}/archive/certificates.lab.example/body-html.pem", "nowhere.pem"]);
    assert_eq!(html.code, 2);
    assert!(html.objects().iter().all(|object| object["file"].is_string() && object["error"]["detail"].is_string()));
}

#[test]
fn folders_are_linted_in_order_whatever_thread_was_first() {
    let desk = Desk::new();
    let files = || desk.run(["certificate", "lint", "{certs}/archive"]).out;
    let first = files();
    let names: Vec<_> = first
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].to_string())
        .collect();
    assert!(names.is_sorted() && names.len() > 60, "{names:?}");
    assert_eq!(first, files());
}

#[test]
fn paths_lead_to_trusted_roots_or_say_where_they_break() {
    let desk = Desk::new();
    let folder = certs().join("archive/certificates.lab.example");
    let path = |name: &str, more: &[&str]| {
        let file = folder.join(format!("{name}.pem"));
        let mut args = vec!["certificate", "path", file.to_str().unwrap(), "--trust", "{certs}/roots.pem"];
        args.extend(["--at", "2026-05-04T12:00:00Z"]);
        args.extend(more);
        let run = desk.run_with(&args, b"");
        (run.code, run.objects().remove(0))
    };
    let (code, object) = path("path-in-wrong-order", &[]);
    assert_eq!((code, &object["trusted"], &object["error"]), (0, &true.into(), &serde_json::Value::Null));
    assert_eq!(object["path"].as_array().unwrap().len(), 3);
    for (name, kind) in [
        ("under-fake-root-shown", "UntrustedPath"),
        ("under-leaf", "UntrustedPath"),
        ("path-without-intermediate", "UntrustedPath"),
        ("expired", "CertificateExpired"),
        ("not-yet-valid", "CertificateNotYetValid"),
    ] {
        let (code, object) = path(name, &[]);
        assert_eq!((code, &object["trusted"], &object["error"]["kind"]), (1, &false.into(), &kind.into()), "{name}");
    }
    // The archive's other files may hold the missing intermediate.
    assert_eq!(path("path-without-intermediate", &["--certs", "{certs}/archive"]).0, 0);
}

#[test]
fn every_real_certificate_is_shown() {
    let Some(folder) = std::env::var_os("STIRTRACE_REAL_DATA").map(PathBuf::from) else {
        eprintln!("STIRTRACE_REAL_DATA is not set: skipped");
        return;
    };
    let desk = Desk::new();
    let run = desk.run_with(&["certificate", "show", folder.join("real-certificates").to_str().unwrap()], b"");
    assert_eq!(run.objects().len(), 212);
    assert!(run.objects().iter().all(|object| object["sha256"].is_string()));
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = desk.run(["completions", shell]);
        assert!(run.code == 0 && run.out.contains("crl-signer"), "{shell}");
    }
    assert!(desk.run(["man"]).out.contains("stirtrace"));
    assert_eq!(desk.run(["man", "--out", "pages"]).code, 0);
    for page in ["stirtrace.1", "stirtrace-verify.1", "stirtrace-certificate-lint.1", "stirtrace-sign.1"] {
        assert!(desk.path("pages").join(page).is_file(), "{page}");
    }
}

#[test]
fn help_is_data_and_misuse_is_talk() {
    let desk = Desk::new();
    let help = desk.run(["--help"]);
    assert!(help.code == 0 && help.err.is_empty());
    assert_snapshot("help", &help.out);
    assert_snapshot("help-verify", &desk.run(["verify", "-h"]).out);
    let misuse = desk.run(["verfy"]);
    assert!(misuse.code == 2 && misuse.out.is_empty() && misuse.err.contains("verify"), "{}", misuse.err);
}
