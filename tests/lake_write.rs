//! What an ingest keeps, and what it does not keep twice (README "The lake"): through the public API, read back with the
//! Parquet crate alone, without our own columns.
#![cfg(feature = "lake")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test writes its files and stops at a fault")]

#[path = "lake_write/crash.rs"]
mod crash;
#[path = "lake_write/world.rs"]
mod world;

use std::fs;

use stirtrace::lake::{Error, IngestOptions, LakeWriter, Outcome, ParquetLake};
use stirtrace::time::UnixTime;

use world::{HEADER, World, line};

#[test]
fn the_same_file_again_adds_nothing() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(2, 60)]);
    let first = world.ingest(&["a.csv"]);
    assert_eq!((first.files, first.records, first.added, first.set_aside), (1, 2, 2, 0));
    let before = world.rows();
    let again = world.ingest(&["a.csv"]);
    assert_eq!((again.files, again.records, again.added), (0, 0, 0));
    assert_eq!(again.outcomes, [Outcome::Known]);
    assert_eq!(world.rows(), before);
}

#[test]
fn an_ingest_that_adds_nothing_leaves_the_manifest_as_it_is() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    world.ingest(&["a.csv"]);
    let manifest = fs::read(world.lake().join("manifest.json")).unwrap();
    world.ingest(&["a.csv"]);
    assert_eq!(fs::read(world.lake().join("manifest.json")).unwrap(), manifest);
}

#[test]
fn the_same_lines_in_another_file_add_nothing() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(2, 60), line(3, 90)]);
    world.write("b.csv", &[line(3, 90), line(1, 0), line(4, 95)]);
    world.ingest(&["a.csv"]);
    let other = world.ingest(&["b.csv"]);
    assert_eq!((other.records, other.added), (3, 1));
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn the_same_lines_in_two_files_of_one_ingest_are_kept_once() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(2, 60)]);
    world.write("b.csv", &[line(2, 60), line(3, 90)]);
    let both = world.ingest(&["a.csv", "b.csv"]);
    assert_eq!((both.files, both.records, both.added), (2, 4, 3));
    assert!(world.rows().iter().any(|row| row.contains("a.csv:3")), "{:?}", world.rows());
    assert_eq!(world.rows().len(), 3);
}

#[test]
fn a_file_that_has_grown_adds_its_new_lines() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(2, 60)]);
    world.ingest(&["a.csv"]);
    world.write("a.csv", &[line(1, 0), line(2, 60), line(2, 60), line(3, 90)]);
    let grown = world.ingest(&["a.csv"]);
    assert_eq!((grown.records, grown.added), (4, 2));
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_long_file_is_known_again_though_it_is_hashed_while_it_is_read() {
    let world = World::new();
    let mut lines: Vec<String> = (0..120_000).map(|n| line(n, n % 80_000)).collect();
    world.write("a.csv", &lines);
    world.write("b.csv", &lines);
    let bytes = fs::read(world.path().join("a.csv")).unwrap();
    assert!(bytes.len() > 8 * 1024 * 1024, "{}", bytes.len());
    // Of the same length: which of them is the other is known only by their hashes.
    let both = world.ingest(&["a.csv", "b.csv"]);
    assert_eq!((both.added, &both.outcomes[1]), (120_000, &Outcome::Known));
    lines.push(line(7, 7));
    world.write("c.csv", &lines);
    assert_eq!(world.ingest(&["c.csv"]).added, 1);
    assert_eq!(world.ingest(&["c.csv"]).outcomes, [Outcome::Known]);
    let bytes = fs::read(world.path().join("c.csv")).unwrap();
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let sha256: String = sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(world.printed_rows().iter().filter(|row| row.contains(&sha256)).count(), 1);
    lines.push(line(8, 8));
    world.write("c.csv", &lines);
    assert_eq!(world.ingest(&["c.csv"]).added, 1);
}

#[test]
fn two_equal_lines_in_one_file_are_two_attempts() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(1, 0), line(1, 0)]);
    world.write("b.csv", &[line(1, 0), line(1, 0), line(1, 0), line(1, 0)]);
    assert_eq!(world.ingest(&["a.csv"]).added, 3);
    assert_eq!(world.ingest(&["b.csv"]).added, 1);
    let mut occurrences = world.occurrences();
    occurrences.sort_unstable();
    assert_eq!(occurrences, [0, 1, 2, 3]);
}

#[test]
fn equal_lines_far_apart_in_a_file_are_counted_across_runs() {
    let world = World::new();
    // Each run holds few records: the equal lines stand in different ones, some on the disk by then.
    let mut lines = Vec::new();
    for round in 0..40 {
        lines.push(line(7, 0));
        lines.extend((0..2500).map(|n| line(1000 + round * 2500 + n, n % 3600)));
    }
    world.write("a.csv", &lines);
    let options = IngestOptions::default().with_memory(1);
    let read = world.ingest_with(&["a.csv"], options);
    assert_eq!((read.records, read.added), (100_040, 100_040));
    assert!(world.data_files().len() > 3, "it was one run");
    let mut sevens: Vec<i32> = world.occurrences().into_iter().filter(|own| *own > 0).collect();
    sevens.sort_unstable();
    assert_eq!(sevens, (1..40).collect::<Vec<_>>());
    // The same lines from another file, in runs of another size: none is new.
    lines.reverse();
    world.write("b.csv", &lines);
    assert_eq!(world.ingest(&["b.csv"]).added, 0);
}

#[test]
fn the_lake_does_not_depend_on_the_number_of_threads() {
    let lines: Vec<String> = (0..30_000).map(|n| line(n % 997, n * 7 % 90_000)).collect();
    let rows = [1, 2, 5].map(|threads| {
        let world = World::new();
        world.write("a.csv", &lines);
        world.ingest_with(&["a.csv"], IngestOptions::default().with_threads(threads).with_memory(8_000_000));
        world.rows()
    });
    assert_eq!(rows[0].len(), 30_000);
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0], rows[2]);
}

#[test]
fn the_same_lines_of_two_networks_are_kept_for_both() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    let mut writer = LakeWriter::open(&world.lake()).unwrap();
    let own = [world.input("a.csv", "Cascade Transit", "sbc"), world.input("a.csv", "Alder Telecom", "sbc")];
    assert_eq!(writer.ingest(&own, IngestOptions::default(), &|_| {}).unwrap().added, 2);
    drop(writer);
    let mut networks: Vec<String> = world.rows().iter().map(|row| row.split('|').next().unwrap().to_owned()).collect();
    networks.sort();
    assert_eq!(networks, ["Alder Telecom", "Cascade Transit"]);
}

#[test]
fn a_file_has_the_records_of_one_day_sorted_by_caller_and_start() {
    let world = World::new();
    // Around midnight, callers and starts mixed.
    let lines: Vec<String> = (0..500).map(|n| line(n * 37 % 91, 42_900 + n * 13 % 600)).collect();
    world.write("a.csv", &lines);
    world.ingest(&["a.csv"]);
    let files = world.data_files();
    assert_eq!(files.len(), 2);
    for (path, rows) in files {
        let day = path.split("day=").nth(1).unwrap()[..10].to_owned();
        let keys: Vec<(i64, i64)> = rows.iter().map(|row| (row.calling, row.start)).collect();
        assert!(keys.is_sorted(), "{path}");
        assert!(rows.iter().all(|row| UnixTime::from_seconds(row.start / 1000).to_string().starts_with(&day)));
    }
}

#[test]
fn a_bad_line_is_kept_aside_and_the_rest_goes_in() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), "soon,12155550100,12155550199".to_owned(), line(2, 60)]);
    let read = world.ingest(&["a.csv"]);
    assert_eq!((read.records, read.added, read.set_aside), (2, 2, 1));
    let Outcome::Read { lines, .. } = &read.outcomes[0] else { panic!("{read:?}") };
    assert_eq!(lines[0].place.line, 3);
    let status = ParquetLake::open(&world.lake()).unwrap().status().unwrap();
    let aside = &status.sources[0].lines[0];
    assert_eq!((aside.file.as_str(), aside.line), ("a.csv", 3));
    assert!(aside.reason.contains("soon"), "{}", aside.reason);
}

#[test]
fn lines_set_aside_in_a_file_that_grows_count_once() {
    let world = World::new();
    let bad = || "soon,12155550100,12155550199".to_owned();
    world.write("a.csv", &[line(1, 0), bad()]);
    world.ingest(&["a.csv"]);
    world.write("a.csv", &[line(1, 0), bad(), line(2, 60), bad()]);
    assert_eq!(world.ingest(&["a.csv"]).added, 1);
    let source = &ParquetLake::open(&world.lake()).unwrap().status().unwrap().sources[0];
    assert_eq!((source.files, source.records, source.set_aside), (1, 2, 2));
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_back_and_is_remembered() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    world.write_raw("c.csv", b"colour,size\nred,7\n");
    let read = world.ingest(&["a.csv", "missing.csv", "c.csv"]);
    assert_eq!((read.files, read.added), (1, 1));
    assert!(matches!(&read.outcomes[1..], [Outcome::Unreadable { .. }, Outcome::Unreadable { .. }]), "{read:?}");
    let status = ParquetLake::open(&world.lake()).unwrap().status().unwrap();
    let names: Vec<&str> = status.sources[0].unreadable.iter().map(|own| own.file.as_str()).collect();
    assert_eq!(names, ["missing.csv", "c.csv"]);
    // Once it can be read, nothing is missing any more.
    world.write("c.csv", &[line(2, 60)]);
    world.write("missing.csv", &[line(3, 90)]);
    world.ingest(&["a.csv", "missing.csv", "c.csv"]);
    assert!(ParquetLake::open(&world.lake()).unwrap().status().unwrap().sources[0].unreadable.is_empty());
}

#[test]
fn a_file_understood_otherwise_is_not_read_again() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    world.ingest(&["a.csv"]);
    let mut writer = LakeWriter::open(&world.lake()).unwrap();
    let other = world.input("a.csv", "Cascade Transit", "sbc").with_reading("stirtrace, America/Chicago");
    let read = writer.ingest(&[other], IngestOptions::default(), &|_| {}).unwrap();
    assert_eq!(read.outcomes, [Outcome::KnownOtherwise { before: "stirtrace".to_owned() }]);
}

#[test]
fn forgetting_drops_what_began_before_and_it_does_not_come_back() {
    let world = World::new();
    // Three days of calls, one an hour.
    let lines: Vec<String> = (0..72).map(|n| line(n, n * 3600)).collect();
    world.write("a.csv", &lines);
    world.ingest(&["a.csv"]);
    let all = world.rows();
    let horizon = UnixTime::parse_rfc3339("2026-05-05T18:00:00Z").unwrap();
    let forgotten = LakeWriter::open(&world.lake()).unwrap().forget(horizon).unwrap();
    let kept: Vec<String> = all.iter().filter(|row| world::start_of(row) >= horizon.seconds()).cloned().collect();
    assert_eq!(world.rows(), kept);
    assert_eq!(forgotten.records, 72 - world::count(&kept));
    // The same file, and the same rows in another.
    world.write("b.csv", &[lines.clone(), vec![line(99, 71 * 3600)]].concat());
    assert_eq!(world.ingest(&["a.csv", "b.csv"]).added, 1);
    assert_eq!(world.rows().len(), kept.len() + 1);
    let source = &ParquetLake::open(&world.lake()).unwrap().status().unwrap().sources[0];
    assert_eq!(source.records, world::count(&kept) + 1);
    assert!(source.span.unwrap().from >= horizon);
    // An earlier date brings nothing back and forgets nothing more.
    assert_eq!(LakeWriter::open(&world.lake()).unwrap().forget(UnixTime::from_seconds(0)).unwrap().records, 0);
    assert_eq!(world.rows().len(), kept.len() + 1);
}

#[test]
fn compacting_keeps_every_row_and_parts_files_by_caller() {
    let world = World::new();
    for file in 0..12 {
        let lines: Vec<String> = (0..400).map(|n| line((n * 31 + file) % 200, n * 170)).collect();
        world.write(&format!("{file}.csv"), &lines);
        world.ingest(&[&format!("{file}.csv")]);
    }
    let before = world.rows();
    let many = world.data_files().len();
    let compacted = LakeWriter::open(&world.lake()).unwrap().compact_to(1000, &|_| {}).unwrap();
    assert_eq!(world.rows(), before);
    let files = world.data_files();
    assert!(files.len() < many, "{} files of {many}", files.len());
    assert_eq!((compacted.before, compacted.after), (world::count(&vec![(); many]), world::count(&files)));
    // A caller stands in one file of a day, or in two that follow each other.
    for caller in [0, 57, 199] {
        let number = 12_155_550_000 + caller;
        let of_day = |file: &&(String, Vec<world::Row>)| {
            file.0.contains("2026-05-04") && file.1.iter().any(|row| row.calling == number)
        };
        assert!(files.iter().filter(of_day).count() <= 2);
    }
    // Nothing is left to do, and what was read stays known.
    let again = LakeWriter::open(&world.lake()).unwrap().compact_to(1000, &|_| {}).unwrap();
    assert_eq!(again.before, 0);
    world.write("all.csv", &[line(0, 0)]);
    assert_eq!(world.ingest(&["all.csv", "3.csv"]).added, 0);
}

#[test]
fn a_reader_beside_a_writer_sees_what_its_manifest_names() {
    let world = World::new();
    for file in ["a.csv", "b.csv"] {
        world.write(file, &[line(1, 0), line(i64::from(file.as_bytes()[0]), 60)]);
        world.ingest(&[file]);
    }
    let before = world.manifest();
    LakeWriter::open(&world.lake()).unwrap().compact_to(1000, &|_| {}).unwrap();
    // What the reader's manifest names is still there, until the writer after the next has been.
    for path in world::named(&before) {
        assert!(world.lake().join(&path).exists(), "{path}");
    }
    world.write("c.csv", &[line(5, 500)]);
    world.ingest(&["c.csv"]);
    assert!(world::named(&before).iter().any(|path| !world.lake().join(path).exists()));
    for path in world::named(&world.manifest()) {
        assert!(world.lake().join(&path).exists(), "{path}");
    }
}

#[test]
fn of_two_writers_the_second_is_told_who_the_first_is() {
    let world = World::new();
    let first = LakeWriter::open(&world.lake()).unwrap();
    let error = LakeWriter::open(&world.lake()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())) && text.contains("wait"), "{text}");
    drop(first);
    LakeWriter::open(&world.lake()).unwrap();
}

#[test]
fn what_an_interrupted_writer_left_is_removed() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    world.ingest(&["a.csv"]);
    let day = world.lake().join("calls/day=2026-05-04");
    let strange = [day.join("run-0-0.parquet.tmp"), day.join("00ff.parquet"), world.lake().join("held/old.json")];
    strange.iter().for_each(|path| fs::write(path, b"torn").unwrap());
    LakeWriter::open(&world.lake()).unwrap();
    assert!(strange.iter().all(|path| !path.exists()));
    assert_eq!(world.rows().len(), 1);
}

#[test]
fn a_lake_of_a_newer_version_is_left_alone() {
    let world = World::new();
    fs::create_dir_all(world.lake()).unwrap();
    fs::write(world.lake().join("manifest.json"), br#"{"version":7,"anything":true}"#).unwrap();
    let newer = |error: &Error| matches!(error, Error::Version { found: 7, known: 1, .. });
    assert!(newer(&ParquetLake::open(&world.lake()).unwrap_err()));
    assert!(newer(&LakeWriter::open(&world.lake()).unwrap_err()));
    fs::write(world.lake().join("manifest.json"), b"{\"version\":1").unwrap();
    assert!(matches!(LakeWriter::open(&world.lake()).unwrap_err(), Error::Manifest { .. }));
}

#[test]
fn no_lake_is_an_error_that_says_what_makes_one() {
    let world = World::new();
    let error = ParquetLake::open(&world.lake()).unwrap_err().to_string();
    assert!(error.contains("stirtrace ingest"), "{error}");
}

#[test]
fn a_folder_that_is_a_file_is_an_error_with_its_path() {
    let world = World::new();
    world.write_raw("lake", b"no folder");
    let error = LakeWriter::open(&world.lake()).unwrap_err().to_string();
    assert!(error.contains("lake"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_keeps_nothing_and_says_so() {
    // Every file is opened for writing as usual, and every byte fails.
    let world = World::new();
    world.write("a.csv", &[line(1, 0)]);
    world.ingest(&["a.csv"]);
    let before = world.rows();
    world.write("b.csv", &(0..2000).map(|n| line(n, n)).collect::<Vec<_>>());
    let day = world.lake().join("calls/day=2026-05-04");
    let mut writer = LakeWriter::open(&world.lake()).unwrap();
    std::os::unix::fs::symlink("/dev/full", day.join("run-0-0.parquet.tmp")).unwrap();
    let error = writer.ingest(&[world.input("b.csv", "Cascade Transit", "sbc")], IngestOptions::default(), &|_| {});
    assert!(matches!(error, Err(Error::Full { .. })), "{error:?}");
    drop(writer);
    assert_eq!(world.rows(), before);
    assert_eq!(world.ingest(&["b.csv"]).added, 2000);
}

#[test]
fn other_engines_read_the_columns() {
    let world = World::new();
    world.write("a.csv", &[line(1, 0), line(2, 60), line(2, 60)]);
    world.ingest(&["a.csv"]);
    // Read with Parquet's own record reader, which knows nothing of our columns.
    let rows = world.printed_rows();
    assert_eq!(rows.len(), 3);
    let first = &rows[0];
    for part in
        ["network: \"Cascade Transit\"", "source: \"sbc\"", "file: \"a.csv\"", "line: 2", "calling: 12155550001"]
    {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(first.contains("2026-05-04 12:00:00"), "{first}");
    world.ask_python();
    assert!(HEADER.starts_with("start,"));
}
