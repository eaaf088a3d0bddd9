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

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use stirtrace::cdr::{Format, Settings};
use stirtrace::lake::{IngestOptions, Input, LakeWriter, Pieces, pieces};
use stirtrace::time::UnixTime;

/// A child of this process: what it does, and where.
const CHILD: &str = "STIRTRACE_BENCH_CHILD";
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|own| own != "--bench").collect();
    if let Ok(folder) = env::var(CHILD) {
        ingest(Path::new(&folder));
        return;
    }
    let named = arguments.iter().position(|own| own == "--python").and_then(|at| arguments.get(at + 1));
    let python = named.map_or("python3", String::as_str);
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|own| own.replace('_', "").parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![2_000_000, 5_000_000];
    }
    for rows in sizes {
        measure(rows, python);
    }
}

fn measure(rows: usize, python: &str) {
    let folder = tempfile::tempdir().unwrap();
    generate(&folder.path().join("calls.csv"), rows);
    let bytes = fs::metadata(folder.path().join("calls.csv")).unwrap().len();
    println!("{rows} rows, {} MB of CSV", bytes / 1_000_000);
    let mut own = f64::MAX;
    let mut other = f64::MAX;
    for _ in 0..ROUNDS {
        let _ = fs::remove_dir_all(folder.path().join("lake"));
        let line = said(Command::new(env::current_exe().unwrap()).env(CHILD, folder.path())).unwrap();
        println!("  stirtrace  {line}");
        own = own.min(seconds(&line));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/duckdb/ingest.py");
        match said(Command::new(python).arg(script).arg(folder.path())) {
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

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
    let open = |source: Box<dyn Read + Send>| -> Result<Box<dyn Pieces>, String> {
        let format = Format::named("stirtrace").unwrap();
        Ok(pieces(&format, source, Settings::default()).unwrap())
    };
    let input = Input::new("Cascade Transit", "sbc", "calls.csv", folder.join("calls.csv"), &open);
    let began = Instant::now();
    let mut writer = LakeWriter::open(&folder.join("lake")).unwrap();
    let ingested = writer.ingest(&[input], IngestOptions::default(), &|_| {}).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(ingested.added, ingested.records);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{seconds:.3} s, {} rows, peak of memory {peak}", ingested.added);
}

/// Calls of a busy switch, two million a day, in the order that they end: our sixteen columns, no tokens.
fn generate(path: &Path, rows: usize) {
    let mut out = BufWriter::new(fs::File::create(path).unwrap());
    let mut random = Random(7);
    writeln!(out, "{}", COLUMNS.join(",")).unwrap();
    for row in 0..rows {
        let at = |second: u64| UnixTime::from_seconds(1_777_852_800 + i64::try_from(second).unwrap());
        let begun = u64::try_from(row).unwrap() * 86_400 / 2_000_000 + random.below(90);
        let answered = random.below(10) < 6;
        let (ring, talk) = (1 + random.below(20), random.below(400));
        let answer = if answered { at(begun + ring).to_string() } else { String::new() };
        let end = at(begun + ring + if answered { talk } else { 0 });
        let calling = 12_000_000_000 + random.below(200_000) * 41;
        let called = 13_000_000_000 + random.below(4_000_000_000);
        let (peer, next) = (random.below(40), random.below(12));
        writeln!(
            out,
            "{},{answer},{end},+{calling},+{called},,tg-in-{peer},198.51.100.{peer}:5060,{:016x}@in.example,\
             tg-out-{next},203.0.113.{next},{:016x}@out.example,{},{},,",
            at(begun),
            random.next(),
            random.next(),
            if answered { 200 } else { 486 },
            if answered { 16 } else { 17 },
        )
        .unwrap();
    }
    out.flush().unwrap();
}

const COLUMNS: [&str; 16] = [
    "start",
    "answer",
    "end",
    "calling",
    "called",
    "original_called",
    "ingress_trunk",
    "ingress_address",
    "ingress_call_id",
    "egress_trunk",
    "egress_address",
    "egress_call_id",
    "sip_status",
    "q850",
    "identity",
    "diversion",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
