//! Calls of a busy switch for benches, two million a day, in the order that they end: our sixteen columns, no tokens.
#![allow(dead_code, reason = "each bench takes what it needs")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench writes its files and stops at a fault")]

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;

use stirtrace::cdr::{Format, Settings};
use stirtrace::lake::{IngestOptions, Ingested, Input, LakeWriter, Pieces, pieces};
use stirtrace::time::UnixTime;

/// The network whose calls they are.
pub(crate) const NETWORK: &str = "Cascade Transit";
const FIRST_SECOND: i64 = 1_777_852_800;
const CALLS_A_DAY: u64 = 2_000_000;

/// Who called whom, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) calling: u64,
    pub(crate) called: u64,
    pub(crate) start: UnixTime,
}

/// Writes so many calls as CSV and gives about as many of them as are wanted, spread evenly.
pub(crate) fn generate(path: &Path, rows: usize, wanted: usize) -> Vec<Called> {
    let mut out = BufWriter::new(fs::File::create(path).unwrap());
    let mut random = Random(7);
    let mut kept = Vec::with_capacity(wanted);
    writeln!(out, "{}", COLUMNS.join(",")).unwrap();
    for row in 0..rows {
        let at = |second: u64| UnixTime::from_seconds(FIRST_SECOND + i64::try_from(second).unwrap());
        let begun = u64::try_from(row).unwrap() * 86_400 / CALLS_A_DAY + random.below(90);
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
        if wanted > 0 && row % (rows / wanted).max(1) == 0 {
            kept.push(Called { calling, called, start: at(begun) });
        }
    }
    out.flush().unwrap();
    kept
}

/// Takes the calls of `calls.csv` in a folder into the lake beside it.
pub(crate) fn ingest(folder: &Path) -> Ingested {
    let open = |source: Box<dyn Read + Send>| -> Result<Box<dyn Pieces>, String> {
        let format = Format::named("stirtrace").unwrap();
        Ok(pieces(&format, source, Settings::default()).unwrap())
    };
    let input = Input::new(NETWORK, "sbc", "calls.csv", folder.join("calls.csv"), &open);
    let mut writer = LakeWriter::open(&folder.join("lake")).unwrap();
    let ingested = writer.ingest(&[input], IngestOptions::default(), &|_| {}).unwrap();
    assert_eq!(ingested.added, ingested.records);
    ingested
}

/// What a command prints; nothing where it cannot be run or fails.
pub(crate) fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The interpreter that `--python` names.
pub(crate) fn python(arguments: &[String]) -> &str {
    named(arguments, "--python").unwrap_or("python3")
}

/// What stands behind a flag.
pub(crate) fn named<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|own| own == flag)?;
    arguments.get(at + 1).map(String::as_str)
}

/// A script beside the benches.
pub(crate) fn script(name: &str) -> String {
    format!("{}/benches/duckdb/{name}", env!("CARGO_MANIFEST_DIR"))
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
