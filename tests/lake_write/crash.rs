//! A writer that is stopped at any point leaves the lake as it was; the same ingest again gives the same lake.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{env, fs, thread};

use stirtrace::lake::{IngestOptions, LakeWriter};
use stirtrace::time::UnixTime;

use crate::world::{World, input, line, rows};

/// What a stopped child does, and after how many steps on the disk it stops.
const FOLDER: &str = "STIRTRACE_TEST_LAKE";
const WORK: &str = "STIRTRACE_TEST_WORK";
const STOP: &str = "STIRTRACE_TEST_STOP";

/// Not a test of its own: what the children of the tests below run.
#[test]
fn child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let stop: u64 = env::var(STOP).unwrap().parse().unwrap();
    let steps = AtomicU64::new(0);
    let watch = move |_: &Path| {
        if steps.fetch_add(1, Ordering::SeqCst) == stop {
            std::process::abort();
        }
    };
    let folder = Path::new(&folder);
    let mut writer = LakeWriter::open_watched(&folder.join("lake"), Box::new(watch)).unwrap();
    work(&mut writer, folder, &env::var(WORK).unwrap());
}

fn work(writer: &mut LakeWriter, folder: &Path, what: &str) {
    match what {
        "compact" => drop(writer.compact_to(10_000, &|_| {}).unwrap()),
        "forget" => drop(writer.forget(UnixTime::from_seconds(1_777_896_000 + 40_000)).unwrap()),
        _ => {
            let inputs = ["b.csv", "c.csv"].map(|name| input(folder, name, "Cascade Transit", "sbc"));
            let options = IngestOptions::default().with_memory(1_000_000);
            drop(writer.ingest(&inputs, options, &|_| {}).unwrap());
        }
    }
}

fn spawn(world: &World, what: &str, stop: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "crash::child", "--nocapture"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(FOLDER, world.path()).env(WORK, what).env(STOP, stop.to_string()).spawn().unwrap()
}

/// A lake with a file in it, and two more files beside it.
fn world() -> World {
    let world = World::new();
    let lines = |from: i64, to: i64| (from..to).map(|n| line(n % 900, n * 67 % 90_000)).collect::<Vec<_>>();
    world.write("a.csv", &lines(0, 800));
    world.write("b.csv", &lines(600, 2400));
    world.write("c.csv", &lines(2200, 3600));
    world.ingest(&["a.csv"]);
    world
}

fn copy(world: &World) -> World {
    let other = World::new();
    copy_folder(world.path(), other.path());
    other
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

/// What a manifest says, but for how often it was replaced.
fn said(world: &World) -> serde_json::Value {
    let mut manifest = world.manifest();
    let own = manifest.as_object_mut().unwrap();
    own.remove("generation");
    own.remove("retired");
    manifest
}

/// The work done in one go.
fn finished(before: &World, what: &str) -> World {
    let whole = copy(before);
    work(&mut LakeWriter::open(&whole.lake()).unwrap(), whole.path(), what);
    whole
}

fn stopped_anywhere_and_done_again(what: &str, every: usize) {
    let before = world();
    if what == "compact" {
        before.ingest(&["b.csv"]);
        before.ingest(&["c.csv"]);
    }
    let whole = finished(&before, what);
    let (old, new) = (rows(&before.lake()), rows(&whole.lake()));
    assert!(what == "compact" || old != new, "nothing happened");
    let mut stops = 0;
    for stop in (0..).step_by(every) {
        let world = copy(&before);
        let status = spawn(&world, what, stop).wait().unwrap();
        if status.success() {
            break;
        }
        stops += 1;
        let now = rows(&world.lake());
        assert!(now == old || now == new, "half a lake after {stop} steps of {what}");
        work(&mut LakeWriter::open(&world.lake()).unwrap(), world.path(), what);
        assert_eq!(rows(&world.lake()), new, "after {stop} steps of {what}");
        assert_eq!(said(&world), said(&whole), "after {stop} steps of {what}");
        assert_eq!(leftovers(&world), Vec::<String>::new(), "after {stop} steps of {what}");
    }
    assert!(stops > 5, "{what} was stopped only {stops} times");
}

/// Files that no manifest names and no reader needs.
fn leftovers(world: &World) -> Vec<String> {
    let manifest = world.manifest().to_string();
    let mut found = Vec::new();
    let mut folders = vec![world.lake()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let name = entry.file_name().into_string().unwrap();
            if !manifest.contains(&name) && name != "manifest.json" && name != "lake.lock" {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn an_ingest_stopped_at_any_step_is_none_and_done_again_is_the_same() {
    stopped_anywhere_and_done_again("ingest", 3);
}

#[test]
fn a_compaction_stopped_at_any_step_is_none_and_done_again_is_the_same() {
    stopped_anywhere_and_done_again("compact", 2);
}

#[test]
fn a_forgetting_stopped_at_any_step_is_none_and_done_again_is_the_same() {
    stopped_anywhere_and_done_again("forget", 2);
}

#[cfg(unix)]
#[test]
fn an_ingest_that_is_killed_at_any_time_is_none_and_done_again_is_the_same() {
    let before = world();
    let whole = finished(&before, "ingest");
    let (old, new) = (rows(&before.lake()), rows(&whole.lake()));
    let mut killed = 0;
    let begun = Instant::now();
    assert!(spawn(&copy(&before), "ingest", u64::MAX).wait().unwrap().success());
    // Over as long as it takes here, whatever that is.
    let step = begun.elapsed() / 16;
    for round in 0..16 {
        let world = copy(&before);
        let mut child = spawn(&world, "ingest", u64::MAX);
        thread::sleep(step * round);
        // SIGKILL: nothing of the child runs after it.
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let now = rows(&world.lake());
        assert!(now == old || now == new, "half a lake in round {round}");
        work(&mut LakeWriter::open(&world.lake()).unwrap(), world.path(), "ingest");
        assert_eq!(rows(&world.lake()), new);
        assert_eq!(said(&world), said(&whole));
    }
    assert!(killed > 0, "only {killed} were killed in time");
}
