//! sipp calls, Kamailio passes calls on, tcpdump captures, and tshark finds the same INVITEs and Identity values as we do.
//! Skipped, with a word, where one of them is missing.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod command;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use command::Desk;
use serde_json::Value;

/// Programs that are needed; `unshare -n` gives them a network of their own, which not everybody may have.
const PROGRAMS: [&str; 6] = ["tshark", "sipp", "kamailio", "tcpdump", "ip", "timeout"];

fn lacking() -> Option<String> {
    let runs = |words: &[&str]| Command::new(words[0]).args(&words[1..]).output().is_ok_and(|out| out.status.success());
    let found = |program: &&str| runs(&["sh", "-c", &format!("command -v {program}")]);
    let missing = PROGRAMS.iter().find(|program| !found(program)).map(|program| format!("{program} is not installed"));
    missing.or_else(|| (!runs(&["unshare", "-n", "true"])).then(|| "unshare -n is not allowed".to_owned()))
}

fn theirs(desk: &Desk, file: &str) -> Vec<String> {
    let tshark = Command::new("tshark")
        // An ICMP error quotes the packet that it is about: that is no INVITE.
        .args(["-r", file, "-Y", "sip.Method == \"INVITE\" && !icmp", "-T", "fields"])
        .args(["-e", "frame.number", "-e", "sip.Call-ID", "-e", "sip.Identity"])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    String::from_utf8(tshark.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn ours(desk: &Desk, file: &str) -> Vec<String> {
    let objects = desk.run(["inspect", file]).objects();
    let invites = objects.iter().filter(|object| object["start_line"].as_str().unwrap().starts_with("INVITE "));
    let field = |object: &Value, name: &str| {
        let fields = object["fields"].as_array().unwrap().iter();
        fields.clone().find(|field| field["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    invites
        .map(|object| {
            format!("{}\t{}\t{}", object["source"]["frame"], field(object, "Call-ID"), field(object, "Identity"))
        })
        .collect()
}

#[test]
fn captures_of_sipp_and_kamailio_give_what_tshark_finds() {
    if let Some(reason) = lacking() {
        writeln!(std::io::stderr(), "SKIPPED: {reason}").unwrap();
        return;
    }
    let desk = Desk::new();
    let identity = desk.sign("twill", &[]);
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles");
    let caller = fs::read_to_string(scenario.join("caller.xml")).unwrap();
    let caller = caller.replace("IDENTITY", &identity).replace("PADDING", &"x".repeat(900));
    desk.write("caller.xml", caller);
    let run = Command::new("unshare").arg("-n").arg("sh").arg(scenario.join("capture.sh")).arg(desk.path(".")).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for file in ["lo.pcap", "any.pcap"] {
        let theirs = theirs(&desk, file);
        // Two ways directly, two through a proxy, which gives each INVITE twice.
        assert!(theirs.len() >= 300, "{} INVITEs in {file}", theirs.len());
        assert!(theirs.iter().all(|line| line.ends_with(&identity)));
        assert_eq!(theirs, ours(&desk, file));
    }
    let fragments = Command::new("tshark")
        .args(["-r", "lo.pcap", "-Y", "ip.flags.mf == 1"])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    assert!(fragments.stdout.iter().filter(|byte| **byte == b'\n').count() >= 100, "too little was fragmented");
}
