//! How fast a lake answers, beside DuckDB on the same Parquet files and the same cores: one request whose caller is known,
//! one by the called number alone, and ten thousand requests in one pass.
//!
//! `cargo bench --bench lake -- [ROWS] [--python PYTHON] [--folder FOLDER]`; without Python's `duckdb` package only our
//! own figures are printed. Both sides are warm: they have opened the files, and answered once. Both must find the same
//! rows. A lake in the folder is asked as it is, and stays.
#![expect(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures")]

mod calls;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use calls::{Called, NETWORK, generate, named, python, said, script};
use stirtrace::lake::{Lake, ParquetLake, Wanted};
use stirtrace::network::{Configuration, Network};
use stirtrace::number::{NumberPlan, TelephoneNumber};
use stirtrace::time::UnixTime;
use stirtrace::traceback::{Request, Search, Span};

const ROUNDS: usize = 3;
const REQUESTS: usize = 10_000;
const PLAN: NumberPlan = NumberPlan::NORTH_AMERICAN;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|own| own != "--bench").collect();
    let rows = arguments.iter().find_map(|own| own.replace('_', "").parse().ok()).unwrap_or(2_000_000);
    let temporary = tempfile::tempdir().unwrap();
    let folder = named(&arguments, "--folder").map_or_else(|| temporary.path(), Path::new);
    let is_there = folder.join("lake").is_dir();
    let csv = if is_there { PathBuf::from("/dev/null") } else { folder.join("calls.csv") };
    let kept = generate(&csv, rows, REQUESTS);
    if !is_there {
        let began = Instant::now();
        calls::ingest(folder);
        println!("{rows} rows taken in in {:.1} s", began.elapsed().as_secs_f64());
    }
    let lake = ParquetLake::open(&folder.join("lake")).unwrap();
    for question in Question::all(&kept) {
        question.measure(&lake, folder, python(&arguments));
    }
}

/// What is asked, several times: each ask is timed, and all that is wanted at once is one ask.
struct Question {
    name: &'static str,
    asks: Vec<Vec<Ask>>,
}

/// A window: who is looked for, and when.
struct Ask {
    calling: Option<TelephoneNumber>,
    called: Option<TelephoneNumber>,
    span: Span,
}

impl Question {
    fn all(kept: &[Called]) -> Vec<Self> {
        let some = || kept.iter().step_by(kept.len() / 40);
        let half_a_day = |own: &Called| around(own.start, 12 * 3600);
        let caller = |own: &Called| {
            vec![Ask { calling: number(own.calling), called: number(own.called), span: half_a_day(own) }]
        };
        let called = |own: &Called| vec![Ask { calling: None, called: number(own.called), span: half_a_day(own) }];
        vec![
            Self { name: "one request, the caller known", asks: some().map(caller).collect() },
            Self { name: "one request, by the called number alone", asks: some().map(called).collect() },
            Self { name: "10,000 requests, as trace asks them", asks: vec![windows(kept)] },
        ]
    }

    fn measure(&self, lake: &ParquetLake, folder: &Path, python: &str) {
        println!("{}", self.name);
        let path = folder.join("windows.csv");
        fs::write(&path, self.csv()).unwrap();
        let (mut own, mut other) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            let (milliseconds, rows) = self.ask(lake);
            println!("  stirtrace  {milliseconds:.2} ms, {rows} rows");
            own = own.min(milliseconds);
            let Some(line) = said(Command::new(python).arg(script("lake.py")).arg(folder)) else {
                println!("  duckdb     not there: name a Python that has it with --python");
                continue;
            };
            println!("  duckdb     {line}");
            let mut figures = line.split_whitespace();
            other = other.min(figures.next().unwrap().parse().unwrap());
            assert_eq!(figures.nth(1).unwrap().parse::<usize>().unwrap(), rows, "both find the same rows");
        }
        if other < f64::MAX {
            println!("  {:.1} times as fast", other / own);
        }
    }

    /// The median of the asks in milliseconds, and how many rows were found in all.
    fn ask(&self, lake: &ParquetLake) -> (f64, usize) {
        let mut times = Vec::new();
        let mut rows = 0;
        let wanted: Vec<Vec<Wanted>> = self.asks.iter().map(|asks| asks.iter().map(Ask::wanted).collect()).collect();
        for round in 0..2 {
            rows = 0;
            for wanted in &wanted {
                let began = Instant::now();
                lake.candidates(wanted, &mut |_| rows += 1).unwrap();
                if round > 0 {
                    times.push(began.elapsed().as_secs_f64() * 1000.0);
                }
            }
        }
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], rows)
    }

    fn csv(&self) -> String {
        let mut csv = "ask,calling,called,from,to\n".to_owned();
        for (place, asks) in self.asks.iter().enumerate() {
            for ask in asks {
                let text = |number: Option<TelephoneNumber>| number.map(|own| own.to_string()).unwrap_or_default();
                let (calling, called) = (text(ask.calling), text(ask.called));
                writeln!(csv, "{place},{calling},{called},{},{}", ask.span.from, ask.span.to).unwrap();
            }
        }
        csv
    }
}

impl Ask {
    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::within(self.span);
        wanted.calling = self.calling;
        wanted.called = self.called;
        wanted
    }
}

fn around(at: UnixTime, seconds: i64) -> Span {
    Span::new(at.plus_seconds(-seconds), at.plus_seconds(seconds))
}

fn number(digits: u64) -> Option<TelephoneNumber> {
    digits.to_string().parse().ok()
}

/// What `trace` asks of a lake for requests about these calls.
fn windows(kept: &[Called]) -> Vec<Ask> {
    let requests: Vec<Request> = kept
        .iter()
        .enumerate()
        .map(|(place, own)| {
            let (from, to) = (own.calling.to_string(), own.called.to_string());
            Request::new(&place.to_string(), &from, &to, &own.start.to_string(), PLAN).unwrap()
        })
        .collect();
    let networks: Vec<Network> =
        Configuration::parse(format!("[[network]]\nname=\"{NETWORK}\"\n").as_bytes()).unwrap().networks;
    let search = Search::new(&requests, &networks);
    let windows = search.windows();
    windows.iter().map(|own| Ask { calling: own.calling, called: Some(own.called), span: own.span }).collect()
}
