//! `stirtrace ingest`, `lake` and `trace` over a lake, run as their users run them (design 6).
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

#[expect(dead_code, reason = "calls are signed by other tests")]
mod command;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use command::{Desk, assert_snapshot};
use stirtrace::lab::calls::{Settings, write_world};

const FORMATS: [&str; 3] = ["text", "csv", "dot"];
const TRACE: [&str; 4] = ["trace", "--format", "json", "requests.csv"];

/// A practice world in the desk's folder, with a lake named.
fn world(seed: &str) -> Desk {
    let desk = Desk::new();
    let settings = Settings { seed: seed.to_owned(), records: 4000, compressed: seed == "2", ..Settings::default() };
    write_world(&settings, &desk.path("world")).unwrap();
    fs::read_dir(desk.path("world")).unwrap().for_each(|entry| {
        let entry = entry.unwrap();
        fs::rename(entry.path(), desk.path(entry.file_name().to_str().unwrap())).unwrap();
    });
    desk
}

/// The example that is shipped, in the desk's folder.
fn dialer() -> Desk {
    let desk = Desk::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dialer");
    let copied = Command::new("cp").arg("-r").arg(format!("{}/.", example.display())).arg(desk.path(".")).status();
    assert!(copied.unwrap().success());
    let config = fs::read_to_string(desk.path("stirtrace.toml")).unwrap();
    let certs = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs");
    desk.write("stirtrace.toml", config.replace("../../certs", certs.to_str().unwrap()));
    desk
}

fn name_a_lake(desk: &Desk) {
    let config = fs::read_to_string(desk.path("stirtrace.toml")).unwrap();
    desk.write("stirtrace.toml", format!("lake = \"lake\"\n{config}"));
}

#[test]
fn files_and_lake_give_the_same_answers_byte_for_byte_and_give_them_again() {
    for desk in [dialer(), world("1"), world("2")] {
        let files = desk.run(TRACE);
        assert!(files.out.lines().count() >= 8, "{}", files.err);
        let others = FORMATS.map(|format| desk.run(["trace", "--format", format, "requests.csv"]).out);
        name_a_lake(&desk);
        assert_eq!(desk.run(TRACE).out, files.out, "the files are taken in first");
        let again = |what: &str| {
            assert_eq!(desk.run(["trace", "--no-ingest", "--format", "json", "requests.csv"]).out, files.out, "{what}");
            for (format, out) in FORMATS.iter().zip(&others) {
                let run = desk.run(["trace", "--no-ingest", "--format", format, "requests.csv"]);
                assert_eq!(&run.out, out, "{what}, as {format}");
            }
        };
        again("at once");
        let compacted = desk.run(["lake", "compact"]);
        assert_eq!(compacted.code, 0, "{}", compacted.err);
        again("after compaction");
        // The lake alone knows all of it.
        fs::remove_dir_all(desk.path("cdr")).unwrap();
        again("without the files");
    }
}

#[test]
fn the_same_files_add_nothing() {
    let desk = world("1");
    name_a_lake(&desk);
    let first = desk.run(["ingest", "--format", "json"]).objects().pop().unwrap();
    let again = desk.run(["ingest", "--format", "json"]).objects().pop().unwrap();
    assert!(first["added"].as_u64() > Some(3000), "{first}");
    assert_eq!(first["added"], first["records"]);
    assert_eq!(again["added"], 0);
    // The same file by another name is known; the same rows in another file add nothing.
    let first_file = fs::read_dir(desk.path("cdr/saltmarsh")).unwrap().next().unwrap().unwrap().path();
    let copy = first_file.with_file_name("saltmarsh-1-copy.csv");
    fs::copy(&first_file, &copy).unwrap();
    let copied = desk.run(["ingest", "--format", "json"]).objects().pop().unwrap();
    assert_eq!((&copied["added"], &copied["files"]), (&0.into(), &0.into()), "{copied}");
    let text = fs::read_to_string(&first_file).unwrap();
    let (shorter, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(&copy, format!("{shorter}\n")).unwrap();
    let fewer = desk.run(["ingest", "--format", "json"]).objects().pop().unwrap();
    assert_eq!((&fewer["added"], &fewer["files"]), (&0.into(), &1.into()), "{fewer}");
}

#[test]
fn another_parquet_reader_finds_the_rows_that_were_written() {
    let desk = dialer();
    name_a_lake(&desk);
    let ingested = desk.run(["ingest", "--format", "json"]).objects().pop().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/lake_rows.py");
    let python = std::env::var("STIRTRACE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let read = match Command::new(python).arg(script).arg(desk.path("lake")).output() {
        Ok(output) if output.status.code() != Some(3) => output,
        _ => {
            writeln!(
                std::io::stderr(),
                "SKIPPED: Python with pyarrow or duckdb is not there (pip install pyarrow; STIRTRACE_PYTHON)"
            )
            .unwrap();
            return;
        }
    };
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read = String::from_utf8(read.stdout).unwrap();
    assert!(!read.contains("unsorted"), "{read}");
    let mut lines = read.lines();
    assert_eq!(lines.next().unwrap(), ingested["records"].to_string());
    let rows: Vec<&str> = lines.collect();
    // Each answer's record stands there as the answer has it.
    let answers = desk.run(["trace", "--no-ingest", "--format", "json", "requests.csv"]).objects();
    let found: Vec<_> = answers.iter().filter(|own| own["status"] == "found").collect();
    assert!(found.len() >= 2);
    for answer in found {
        let one = &answer["matches"][0];
        let time: jiff::Timestamp = one["time"].as_str().unwrap().parse().unwrap();
        let file = one["record"]["file"].as_str().unwrap();
        let stands = format!("|{file}|{}|{}|", one["record"]["line"], time.as_second());
        assert!(rows.iter().any(|row| row.contains(&stands)), "{stands}");
    }
}

#[test]
fn the_lake_says_what_it_holds_and_forgets_what_it_is_told() {
    let desk = dialer();
    name_a_lake(&desk);
    assert_snapshot("lake-none", &desk.run(["lake", "status", "--format", "text"]).all());
    desk.run(["ingest"]);
    assert_snapshot("lake-status", &desk.run(["lake", "status", "--format", "text"]).all());
    let dry = desk.run(["lake", "forget", "--before", "2026-05-04", "--dry-run", "--format", "text"]);
    assert_snapshot("lake-forget-dry", &dry.all());
    let before = desk.run(["lake", "status", "--format", "json"]).out;
    let forgot = desk.run(["lake", "forget", "--before", "2026-05-05", "--format", "json"]);
    assert_eq!(forgot.code, 0, "{}", forgot.err);
    assert_ne!(desk.run(["lake", "status", "--format", "json"]).out, before);
}

#[test]
fn a_lake_that_cannot_be_written_or_believed_is_said_and_stays_as_it_was() {
    let desk = dialer();
    let config = fs::read_to_string(desk.path("stirtrace.toml")).unwrap();
    desk.write("in-the-way", "no folder");
    desk.write("stirtrace.toml", format!("lake = \"in-the-way\"\n{config}"));
    assert_snapshot("lake-in-the-way", &desk.run(["ingest"]).all());
    assert_eq!(fs::read_to_string(desk.path("in-the-way")).unwrap(), "no folder");
    // The smallest file system there is: it is always full.
    #[cfg(target_os = "linux")]
    {
        std::os::unix::fs::symlink("/proc/self", desk.path("nowhere")).unwrap();
        desk.write("stirtrace.toml", format!("lake = \"nowhere/lake\"\n{config}"));
        let run = desk.run(["ingest"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    }
    desk.write("stirtrace.toml", format!("lake = \"lake\"\n{config}"));
    desk.run(["ingest"]);
    desk.write("lake/manifest.json", "{\"version\":");
    let damaged = desk.run(["trace", "--no-ingest", "requests.csv"]);
    assert_snapshot("lake-damaged", &damaged.all());
    desk.write("lake/manifest.json", "{\"version\":7,\"generation\":1,\"sources\":[],\"data\":[]}");
    assert_snapshot("lake-newer", &desk.run(["ingest"]).all());
}

#[test]
fn a_damaged_data_file_is_named_with_what_to_do_and_answers_nothing() {
    let desk = dialer();
    name_a_lake(&desk);
    desk.run(["ingest"]);
    let mut files: Vec<_> = fs::read_dir(desk.path("lake/calls"))
        .unwrap()
        .flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let whole = fs::read(&files[0]).unwrap();
    for damaged in [&whole[..whole.len() / 2], &b""[..], &vec![0; whole.len()]] {
        fs::write(&files[0], damaged).unwrap();
        let run = desk.run(["trace", "--no-ingest", "requests.csv"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
        let name = files[0].file_name().unwrap().to_str().unwrap();
        assert!(run.err.contains(name) && run.err.contains("make the lake anew"), "{}", run.err);
    }
}

#[test]
fn two_writers_do_not_mix() {
    let desk = dialer();
    name_a_lake(&desk);
    desk.run(["ingest"]);
    let lock = fs::OpenOptions::new().write(true).open(desk.path("lake/lake.lock")).unwrap();
    lock.lock().unwrap();
    assert_snapshot("lake-locked", &desk.run(["lake", "compact"]).all());
    // Readers go on.
    assert_eq!(desk.run(["trace", "--no-ingest", "requests.csv"]).out.lines().count(), 8);
    // Whoever comes second waits a while for a turn: a service that writes is soon done.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            lock.unlock().unwrap();
        });
        assert_eq!(desk.run(["ingest"]).code, 0);
    });
}
