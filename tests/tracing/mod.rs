//! Networks, requests and records for the tests of traceback through its public API.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod signing;

use serde_json::Value;
use stirtrace::cdr::{Dialed, Fingerprint, Place, Record};
use stirtrace::network::{Configuration, Network};
use stirtrace::number::{NumberPlan, TelephoneNumber};
use stirtrace::time::UnixTime;
use stirtrace::traceback::{Coverage, Kept, Origin, Replays, Replying, Request, Search, SourceFile, Span};

pub(crate) const PLAN: NumberPlan = NumberPlan::NORTH_AMERICAN;
/// 2026-05-04T12:00:00Z.
pub(crate) const NOON: i64 = 1_777_896_000;

pub(crate) fn networks(toml: &str) -> Vec<Network> {
    Configuration::parse(toml.as_bytes()).unwrap().networks
}

pub(crate) fn at(second: i64) -> UnixTime {
    UnixTime::from_seconds(NOON + second)
}

/// A request for a call that many seconds after noon.
pub(crate) fn request(id: &str, from: &str, to: &str, second: i64) -> Request {
    Request::new(id, from, to, &at(second).to_string(), PLAN).unwrap()
}

/// A record of a source, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) origin: Origin,
    pub(crate) record: Record,
}

impl Line {
    pub(crate) fn new(network: usize, line: u64, from: &str, to: &str, second: i64) -> Self {
        Self::in_source(Origin::new(network, 0), line, from, to, second)
    }

    pub(crate) fn in_source(origin: Origin, line: u64, from: &str, to: &str, second: i64) -> Self {
        let mut record = Record::default();
        record.calling = Dialed::read(from, PLAN);
        record.called = Dialed::read(to, PLAN);
        record.start = at(second);
        record.place = Place::new(file_of(origin), line);
        record.fingerprint = fingerprint(origin, line);
        Self { origin, record }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        change(&mut self.record);
        self
    }

    pub(crate) fn from(self, trunk: &str) -> Self {
        self.with(|record| record.ingress.trunk = Some(trunk.to_owned()))
    }

    pub(crate) fn onto(self, trunk: &str) -> Self {
        self.with(|record| record.egress.trunk = Some(trunk.to_owned()))
    }

    pub(crate) fn id(self, call_id: &str) -> Self {
        self.with(|record| record.ingress.call_id = Some(call_id.to_owned()))
    }

    pub(crate) fn answered(self) -> Self {
        self.with(|record| record.answer = Some(record.start.plus_seconds(2)))
    }
}

/// One file a source.
fn file_of(origin: Origin) -> usize {
    origin.network * 10 + origin.source
}

fn fingerprint(origin: Origin, line: u64) -> Fingerprint {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&line.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    octets[15] = u8::try_from(file_of(origin)).unwrap();
    Fingerprint(octets)
}

fn source_file(file: usize) -> SourceFile {
    SourceFile::new(format!("cdr/{file:03}.csv"), format!("{file:064x}"), Origin::new(file / 10, file % 10))
}

/// A search that was shown every record, as one over files is.
pub(crate) fn shown<'a>(requests: &'a [Request], networks: &'a [Network], lines: &[Line]) -> Search<'a> {
    let mut search = Search::new(requests, networks);
    lines.iter().for_each(|line| search.see(line.origin, &line.record));
    (0..networks.len() * 10).for_each(|file| assert_eq!(search.add_file(source_file(file)), file));
    search
}

/// Answers of a search over files, as JSON, without any means to judge a signature.
pub(crate) fn answers(requests: &[Request], networks: &[Network], lines: &[Line]) -> Vec<Value> {
    let search = shown(requests, networks, lines);
    let decisive: Vec<_> = search.decisive(Replying::default()).collect();
    let mut replays = Replays::of(&decisive);
    lines.iter().for_each(|line| replays.see(line.origin, &line.record));
    all(&search, &replays)
}

/// The answer to the only request, judged with the lab's trust.
pub(crate) fn answer(request: &Request, networks: &[Network], lines: &[Line]) -> Value {
    judged(std::slice::from_ref(request), networks, lines).remove(0)
}

/// Answers of a search over files, signatures judged with the lab's trust.
pub(crate) fn judged(requests: &[Request], networks: &[Network], lines: &[Line]) -> Vec<Value> {
    let search = shown(requests, networks, lines);
    let decisive: Vec<_> = search.decisive(Replying::default()).collect();
    let mut replays = Replays::of(&decisive);
    lines.iter().for_each(|line| replays.see(line.origin, &line.record));
    let replying = Replying::default().with_replays(&replays);
    let answer = |index| serde_json::to_value(search.answer(index, replying, &mut signing::judge)).unwrap();
    (0..requests.len()).map(answer).collect()
}

/// The names of an answer's findings.
pub(crate) fn findings(answer: &Value) -> Vec<&str> {
    answer["findings"].as_array().unwrap().iter().map(|own| own["finding"].as_str().unwrap()).collect()
}

/// The lines that an answer's matches name: each with the other lines about its call and why.
pub(crate) fn matched(answer: &Value) -> Vec<(u64, Vec<(u64, &str)>)> {
    let also = |own: &Value| {
        let also = own["also"].as_array().unwrap().clone();
        also.iter().map(|own| (own["line"].as_u64().unwrap(), word(&own["why"]))).collect()
    };
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().map(|own| (own["record"]["line"].as_u64().unwrap(), also(own))).collect()
}

fn word(value: &Value) -> &'static str {
    let known = ["attempt", "export", "fork", "hairpin", "leg"];
    known.into_iter().find(|own| *value == **own).unwrap()
}

/// Answers of a search that asked somebody who keeps the records.
pub(crate) fn answers_from_kept(requests: &[Request], networks: &[Network], lines: &[Line]) -> Vec<Value> {
    let mut search = Search::new(requests, networks);
    let mut found: Vec<&Line> = Vec::new();
    for window in search.windows() {
        let fits = |line: &&Line| {
            let record = &line.record;
            let starts = std::iter::once(record.start).chain(record.start_repeated);
            starts.into_iter().any(|start| window.span.from <= start && start <= window.span.to)
                && record.destinations().any(|own| stands_for(&window.called, own))
                && window
                    .calling
                    .is_none_or(|calling| record.calling.canonical.is_some_and(|own| stands_for(&calling, &own)))
        };
        found.extend(lines.iter().filter(fits));
    }
    // In no particular order.
    found.reverse();
    // Every source has its file, whichever were heard of first.
    (0..networks.len() * 10).rev().for_each(|file| {
        search.add_file(source_file(file));
    });
    for line in found {
        let mut record = line.record.clone();
        record.place.file = search.add_file(source_file(record.place.file));
        search.offer(line.origin, &record);
    }
    for (network, own) in networks.iter().enumerate() {
        for (source, described) in own.sources.iter().enumerate() {
            let origin = Origin::new(network, source);
            search.hold(origin, Coverage::of(described.gap, &kept(lines, origin)));
        }
    }
    let decisive: Vec<_> = search.decisive(Replying::default()).collect();
    let mut replays = Replays::of(&decisive);
    let tokens: Vec<String> = replays.tokens().map(str::to_owned).collect();
    for line in lines
        .iter()
        .filter(|line| line.record.identity.iter().any(|own| tokens.iter().any(|token| own.starts_with(token))))
    {
        let mut record = line.record.clone();
        record.place.file = search.add_file(source_file(record.place.file));
        replays.see(line.origin, &record);
    }
    all(&search, &replays)
}

/// What is kept of a source: by stretches without a silence of a minute.
fn kept(lines: &[Line], origin: Origin) -> Kept {
    let mut starts: Vec<UnixTime> =
        lines.iter().filter(|line| line.origin == origin).map(|line| line.record.start).collect();
    starts.sort_unstable();
    let runs = starts.chunk_by(|left, right| right.seconds_since(*left) < 60);
    let mut kept = Kept::default();
    kept.files = 1;
    kept.records = u64::try_from(starts.len()).unwrap();
    kept.spans = runs.map(|run| Span::new(run[0], run[run.len() - 1])).collect();
    kept
}

fn stands_for(wanted: &TelephoneNumber, own: &TelephoneNumber) -> bool {
    let ten = |number: &TelephoneNumber| number.as_str().len() == 10;
    wanted == own || (ten(wanted) || ten(own)) && wanted.same_last_ten(own)
}

fn all(search: &Search<'_>, replays: &Replays) -> Vec<Value> {
    let replying = Replying::default().with_replays(replays);
    let answer = |index| serde_json::to_value(search.answer(index, replying, &mut |_, _| None)).unwrap();
    (0..search.requests().len()).map(answer).collect()
}
