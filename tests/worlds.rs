//! `stirtrace trace` over practice worlds, scored against their truth (traceback 4.10).

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files of their own")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use stirtrace::lab::calls::{Settings, write_world};

#[path = "../examples/score.rs"]
#[expect(dead_code, reason = "its main is the example's")]
mod score;

use score::Score;

fn settings(seed: &str) -> Settings {
    Settings { seed: seed.to_owned(), ..Settings::default() }
}

fn answered(folder: &Path, settings: &Settings) -> Score {
    write_world(settings, folder).unwrap();
    let config = folder.join("stirtrace.toml");
    let requests = folder.join("requests.csv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stirtrace"));
    command.args(["trace", "--format", "json", "--config", config.to_str().unwrap(), requests.to_str().unwrap()]);
    let output = command.output().unwrap();
    let truth = fs::read_to_string(folder.join("truth.jsonl")).unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let score = Score::of(&truth, &answers);
    score.unwrap_or_else(|reason| panic!("{reason}\n{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn worlds_of_every_format_are_answered_as_they_were() {
    let mut misses = String::new();
    for seed in ["1", "2", "3"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { compressed: seed == "2", ..settings(seed) };
        let score = answered(folder.path(), &settings);
        assert_eq!(score.requests, 60, "seed {seed}");
        if !score.is_good() {
            misses += &format!("seed {seed}: {}\n", score.table());
        }
    }
    assert!(misses.is_empty(), "{misses}");
}

#[test]
fn one_network_alone_is_answered_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { networks: 1, records: 5000, ..settings("alone") };
    let score = answered(folder.path(), &settings);
    assert!(score.is_good(), "{}", score.table());
}

/// Upper tried Failing in vain and handed the call to a carrier whose records nobody holds, from whom Lower had it.
#[test]
fn the_network_that_nobody_took_the_call_from_answers_and_not_one_that_was_tried_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let network = |name: &str, spc: &str, peers: &[(&str, &str, &str)]| {
        let peers = peers.iter().map(|(peer, spc, trunk)| {
            format!("[[network.peer]]\nname = \"{peer}\"\nspc = \"{spc}\"\ntrunks = [\"{trunk}\"]\n")
        });
        format!(
            "[[network]]\nname = \"{name}\"\nspc = \"{spc}\"\n[[network.source]]\nfiles = \"{spc}.csv\"\n\
             format = \"stirtrace\"\n{}",
            peers.collect::<String>()
        )
    };
    let toml = [
        network("Failing", "318X", &[("Upper", "771C", "up")]),
        network(
            "Upper",
            "771C",
            &[("Caller's", "552D", "in"), ("Failing", "318X", "bad"), ("Carrier", "948F", "good")],
        ),
        network("Lower", "904P", &[("Carrier", "948F", "from")]),
    ];
    fs::write(folder.path().join("stirtrace.toml"), toml.concat()).unwrap();
    let header = "start,answer,end,calling,called,ingress_trunk,ingress_call_id,egress_trunk,sip_status\n";
    let row = |second: u32, trunk: &str, id: &str, egress: &str, status: u32| {
        let minute = "2026-05-04T12:00";
        format!("{minute}:{second:02}Z,,{minute}:59Z,12155550112,12155550131,{trunk},{id},{egress},{status}\n")
    };
    let upper = [row(1, "in", "a", "bad", 503), row(3, "in", "a", "good", 486)].concat();
    for (spc, rows) in [("771C", upper), ("318X", row(2, "up", "b", "", 503)), ("904P", row(1, "from", "c", "", 486))] {
        fs::write(folder.path().join(format!("{spc}.csv")), format!("{header}{rows}")).unwrap();
    }
    let config = folder.path().join("stirtrace.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stirtrace"));
    command.args(["trace", "--format", "json", "--config", config.to_str().unwrap()]);
    command.args(["--from", "12155550112", "--to", "12155550131", "--time", "2026-05-04T12:00:02Z"]);
    let output = command.output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["network"], &answer["upstream"]["name"]), (&"Lower".into(), &"Carrier".into()), "{answer}");
}

#[test]
fn the_same_settings_give_the_same_bytes_and_another_seed_others() {
    let make = |seed: &str| {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { records: 3000, requests: 20, compressed: true, ..settings(seed) };
        write_world(&settings, folder.path()).unwrap();
        let mut files = BTreeMap::new();
        read(folder.path(), folder.path(), &mut files);
        files
    };
    let (one, again, other) = (make("a"), make("a"), make("b"));
    assert!(one.len() > 20, "{} files", one.len());
    assert!(one == again, "the same seed gave other bytes");
    assert!(one["requests.csv"] != other["requests.csv"]);
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "three years").unwrap();
    let error = write_world(&settings("1"), folder.path()).unwrap_err();
    assert!(error.to_string().contains("holds other things"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
