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
