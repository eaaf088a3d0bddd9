//! Many requests against many records in one pass, also where all of them are for one number.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a bench talks to whoever runs it")]

use std::hint::black_box;
use std::time::Instant;

use stirtrace::cdr::{Dialed, Fingerprint, Place, Record};
use stirtrace::network::{Configuration, Network};
use stirtrace::number::NumberPlan;
use stirtrace::time::UnixTime;
use stirtrace::traceback::{Origin, Replying, Request, Search};

const NOON: i64 = 1_777_896_000;
const PLAN: NumberPlan = NumberPlan::NORTH_AMERICAN;

fn main() {
    // `cargo bench --bench trace -- 100000 1000000`: requests and records.
    let mut sizes = std::env::args().filter_map(|own| own.parse::<u64>().ok());
    let (requests, records) = (sizes.next().unwrap_or(20_000), sizes.next().unwrap_or(200_000));
    let networks = networks();
    for (name, case) in [
        ("numbers of their own", Case { callers: 1_000_000, called: 1_000_000, seconds: 86_400 }),
        ("one called number", Case { callers: 1_000_000, called: 1, seconds: 86_400 }),
        ("one pair of numbers", Case { callers: 1, called: 1, seconds: 86_400 }),
        ("one call", Case { callers: 1, called: 1, seconds: 1 }),
    ] {
        for part in [4, 2, 1] {
            case.run(name, requests / part, records / part, &networks);
        }
    }
}

fn networks() -> Vec<Network> {
    let toml = "[[network]]\nname=\"X\"\n[[network.source]]\nfiles=\"x.csv\"\nformat=\"stirtrace\"\n\
        [[network.peer]]\nname=\"P\"\ntrunks=[\"p\"]\n";
    Configuration::parse(toml.as_bytes()).unwrap().networks
}

struct Case {
    callers: u64,
    called: u64,
    seconds: u64,
}

impl Case {
    fn run(&self, name: &str, requests: u64, records: u64, networks: &[Network]) {
        let asked: Vec<Request> = (0..requests).map(|index| self.request(index)).collect();
        let shown: Vec<Record> = (0..records).map(|index| self.record(index)).collect();
        let start = Instant::now();
        let mut search = Search::new(&asked, networks);
        let windows = search.windows().len();
        shown.iter().for_each(|record| search.see(Origin::default(), record));
        let seen = start.elapsed();
        let answers = (0..asked.len()).map(|index| search.answer(index, Replying::default(), &mut |_, _| None));
        let matches: usize = answers.map(|answer| black_box(answer).matches.len()).sum();
        let whole = start.elapsed();
        println!(
            "{name}: {requests} requests, {records} records: {windows} windows, seen in {seen:.1?}, answered in {:.1?}, {matches} matches",
            whole.checked_sub(seen).unwrap_or_default()
        );
    }

    fn facts(&self, seed: u64) -> (String, String, i64) {
        let mix = |value: u64| {
            let z = value.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
        };
        let second = i64::try_from(mix(seed ^ 0xabcd) % self.seconds).unwrap();
        let from = 12_150_000_000 + 2_000_000 + mix(seed) % self.callers;
        let to = 13_120_000_000 + 2_000_000 + mix(seed ^ 0x77) % self.called;
        (from.to_string(), to.to_string(), second)
    }

    fn request(&self, index: u64) -> Request {
        let (from, to, second) = self.facts(index);
        let time = UnixTime::from_seconds(NOON + second).to_string();
        Request::new(&index.to_string(), &from, &to, &time, PLAN).unwrap()
    }

    fn record(&self, index: u64) -> Record {
        let (from, to, second) = self.facts(index);
        let mut record = Record::default();
        record.calling = Dialed::read(&from, PLAN);
        record.called = Dialed::read(&to, PLAN);
        record.start = UnixTime::from_seconds(NOON + second + 3);
        record.ingress.trunk = Some("p".to_owned());
        record.ingress.call_id = Some(format!("{index}@x"));
        record.place = Place::new(0, index + 2);
        record.fingerprint = Fingerprint(u128::from(index + 1).to_be_bytes());
        record
    }
}
