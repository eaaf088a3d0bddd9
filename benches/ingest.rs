//! How fast call records become a lake, beside DuckDB's CSV -> sorted Parquet on the same file and the same cores.
//!
//! `cargo bench --bench ingest -- [ROWS]... [--python PYTHON]`; without Python's `duckdb` package only our own figures are
//! printed. Each measurement is a process of its own, so that its peak of memory is its own.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench writes its files, prints its figures and stops at a fault"
)]

mod calls;

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use calls::{generate, python, said, script};

/// A child of this process: what it does, and where.
const CHILD: &str = "STIRTRACE_BENCH_CHILD";
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|own| own != "--bench").collect();
    if let Ok(folder) = env::var(CHILD) {
        ingest(Path::new(&folder));
        return;
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|own| own.replace('_', "").parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![2_000_000, 5_000_000];
    }
    for rows in sizes {
        measure(rows, python(&arguments));
    }
}

fn measure(rows: usize, python: &str) {
    let folder = tempfile::tempdir().unwrap();
    generate(&folder.path().join("calls.csv"), rows, 0);
    let bytes = fs::metadata(folder.path().join("calls.csv")).unwrap().len();
    println!("{rows} rows, {} MB of CSV", bytes / 1_000_000);
    let mut own = f64::MAX;
    let mut other = f64::MAX;
    for _ in 0..ROUNDS {
        let _ = fs::remove_dir_all(folder.path().join("lake"));
        let line = said(Command::new(env::current_exe().unwrap()).env(CHILD, folder.path())).unwrap();
        println!("  stirtrace  {line}");
        own = own.min(seconds(&line));
        match said(Command::new(python).arg(script("ingest.py")).arg(folder.path())) {
            Some(line) => {
                println!("  duckdb     {line}");
                other = other.min(seconds(&line));
            }
            None => println!("  duckdb     not there: name a Python that has it with --python"),
        }
    }
    let length = |below: &str| length_of(&folder.path().join(below)) / 1_000_000;
    println!(
        "  lake {} MB, side index {} MB, duckdb {} MB",
        length("lake/calls"),
        length("lake/index"),
        length("duckdb.parquet")
    );
    if other < f64::MAX {
        println!("  stirtrace takes {:.2} of duckdb's time: {:.2} times as fast", own / other, other / own);
    }
}

fn seconds(line: &str) -> f64 {
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn length_of(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| length_of(&entry.unwrap().path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |own| own.len()),
    }
}

/// What the child does.
fn ingest(folder: &Path) {
    let began = Instant::now();
    let ingested = calls::ingest(folder);
    let seconds = began.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{seconds:.3} s, {} rows, peak of memory {peak}", ingested.added);
}
