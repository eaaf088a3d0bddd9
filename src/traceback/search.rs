//! Many requests, one pass: records go by, candidates stay.

use std::collections::HashMap;

use crate::cdr::{Place, Record};
use crate::network::Network;
use crate::number::TelephoneNumber;
use crate::time::UnixTime;
use crate::traceback::candidate::{Standing, Tier, are_one_call};
use crate::traceback::coverage::Coverage;
use crate::traceback::request::Request;

/// Which source of which network a record comes from, by their places in the configuration.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Origin {
    /// The network.
    pub network: usize,
    /// The source among the network's.
    pub source: usize,
}

impl Origin {
    /// A source of a network.
    #[must_use]
    pub const fn new(network: usize, source: usize) -> Self {
        Self { network, source }
    }
}

/// A file that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SourceFile {
    /// Its name, as the answer shall give it.
    pub name: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Where it belongs.
    pub origin: Origin,
}

impl SourceFile {
    /// A file of a source.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256: impl Into<String>, origin: Origin) -> Self {
        Self { name: name.into(), sha256: sha256.into(), origin }
    }
}

/// A search for the calls of many requests in one pass over the records. Only candidates are kept.
#[derive(Debug)]
pub struct Search<'a> {
    requests: &'a [Request],
    networks: &'a [Network],
    /// Requests by the last ten characters of their called number.
    by_called: HashMap<u64, Vec<usize>>,
    /// Candidates of each request.
    held: Vec<Vec<Candidate>>,
    coverage: HashMap<Origin, Coverage>,
    files: Vec<SourceFile>,
}

/// A record that may be the call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// How it agrees with the request.
    pub standing: Standing,
    /// The record.
    pub record: Record,
    /// Where it comes from.
    pub origin: Origin,
}

impl Candidate {
    /// The best first; among equals the earlier, and then the one that stands first. Total, so that the order in which
    /// records are read does not matter.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let tier = self.standing.tier.cmp(&other.standing.tier);
        let score = other.standing.score.total_cmp(&self.standing.score);
        let start = self.record.start.cmp(&other.record.start);
        tier.then(score).then(start).then(self.record.place.cmp(&other.record.place))
    }
}

/// One call that may be the one: a record and the other lines about the same call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The line that tells most: the answered attempt of those that agree best, else the first of them.
    pub candidate: Candidate,
    /// The other lines.
    pub also: Vec<Place>,
}

/// More candidates are not kept for a request: the best stay.
pub const MAX_CANDIDATES: usize = 256;

impl<'a> Search<'a> {
    /// A search for these requests in the records of these networks.
    #[must_use]
    pub fn new(requests: &'a [Request], networks: &'a [Network]) -> Self {
        let mut by_called: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, request) in requests.iter().enumerate() {
            if let Some(called) = &request.to.canonical {
                by_called.entry(key(called)).or_default().push(index);
            }
        }
        let coverage = networks.iter().enumerate().flat_map(|(network, own)| {
            let sources = own.sources.iter().enumerate();
            sources.map(move |(source, own)| (Origin { network, source }, Coverage::new(own.gap)))
        });
        Self {
            requests,
            networks,
            by_called,
            held: vec![Vec::new(); requests.len()],
            coverage: coverage.collect(),
            files: Vec::new(),
        }
    }

    /// The requests searched for.
    #[must_use]
    pub const fn requests(&self) -> &'a [Request] {
        self.requests
    }

    /// The networks whose records are searched.
    #[must_use]
    pub const fn networks(&self) -> &'a [Network] {
        self.networks
    }

    /// Shows the search a record.
    pub fn see(&mut self, origin: Origin, record: &Record) {
        self.cover(origin).add(record.start);
        // A number may stand in several fields; each request is asked once.
        let mut asked: Vec<u64> = Vec::new();
        for number in record.destinations() {
            let key = key(number);
            if asked.contains(&key) {
                continue;
            }
            asked.push(key);
            for index in self.by_called.get(&key).into_iter().flatten() {
                if let Some(standing) = Standing::of(&self.requests[*index], record) {
                    keep(&mut self.held[*index], Candidate { standing, record: record.clone(), origin });
                }
            }
        }
    }

    /// Tells the search of a line that could not be read, and of the records around it.
    pub fn set_aside(&mut self, origin: Origin, before: Option<UnixTime>, after: Option<UnixTime>) {
        self.cover(origin).set_aside(before, after);
    }

    /// Tells the search that a source names files and none is there.
    pub fn lack_files(&mut self, origin: Origin) {
        self.cover(origin).lack_files();
    }

    /// Tells the search of a file that was read to its end; its place in the list is that of its records.
    pub fn add_file(&mut self, file: SourceFile) {
        self.files.push(file);
    }

    /// The files that were read.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// What is held of a network, source by source.
    pub fn coverage(&self, network: usize) -> impl Iterator<Item = (usize, &Coverage)> {
        let sources = 0..self.networks.get(network).map_or(0, |own| own.sources.len());
        sources.filter_map(move |source| Some((source, self.coverage.get(&Origin { network, source })?)))
    }

    /// The calls of the best tier that a network has for a request, the best first.
    #[must_use]
    pub fn matches(&self, request: usize, network: usize) -> Vec<Match> {
        let of_network = |candidate: &&Candidate| candidate.origin.network == network;
        let mut candidates: Vec<&Candidate> = self.held[request].iter().filter(of_network).collect();
        candidates.sort_by(|left, right| left.order(right));
        let best = candidates.first().map(|candidate| candidate.standing.tier);
        let mut calls: Vec<Vec<&Candidate>> = Vec::new();
        for candidate in candidates {
            let same =
                |call: &&mut Vec<&Candidate>| call.iter().any(|own| are_one_call(&own.record, &candidate.record));
            match calls.iter_mut().find(same) {
                Some(call) => call.push(candidate),
                None if Some(candidate.standing.tier) == best => calls.push(vec![candidate]),
                None => {}
            }
        }
        calls.into_iter().map(|call| fold(&call)).collect()
    }

    /// Whether another request's call stands in the source with the right time, within a day of that instant: then the
    /// source's clock is right.
    pub(super) fn has_right_clock(&self, origin: Origin, at: UnixTime, but: usize) -> bool {
        let others = self.held.iter().enumerate().filter(|(request, _)| *request != but);
        let mut candidates = others.flat_map(|(_, held)| held).filter(|candidate| candidate.origin == origin);
        candidates.any(|candidate| {
            candidate.standing.tier == Tier::Exact && candidate.record.start.seconds_since(at).abs() <= DAY
        })
    }

    fn cover(&mut self, origin: Origin) -> &mut Coverage {
        self.coverage.entry(origin).or_insert_with(|| Coverage::new(crate::network::Source::DEFAULT_GAP))
    }
}

const DAY: i64 = 24 * 60 * 60;

/// The lines of one call as one match.
fn fold(call: &[&Candidate]) -> Match {
    let best = |candidate: &&Candidate| candidate.standing.tier == call[0].standing.tier;
    let answered = call.iter().position(|own| own.record.answer.is_some() && best(own)).unwrap_or(0);
    let also = call.iter().enumerate().filter(|(index, _)| *index != answered).map(|(_, own)| own.record.place);
    let mut also: Vec<Place> = also.collect();
    also.sort_unstable();
    Match { candidate: call[answered].clone(), also }
}

fn keep(held: &mut Vec<Candidate>, candidate: Candidate) {
    held.push(candidate);
    if held.len() >= 2 * MAX_CANDIDATES {
        held.sort_by(Candidate::order);
        held.truncate(MAX_CANDIDATES);
    }
}

/// The last ten characters, four bits each: the same for a number with and without its country code.
fn key(number: &TelephoneNumber) -> u64 {
    let text = number.as_str().as_bytes();
    let tail = &text[text.len().saturating_sub(10)..];
    tail.iter().fold(1, |key, c| {
        let value = match c {
            b'0'..=b'9' => c - b'0',
            b'#' => 10,
            _ => 11,
        };
        key << 4 | u64::from(value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cdr::Dialed;
    use crate::number::NumberPlan;

    fn requests() -> Vec<Request> {
        vec![
            Request::new("1", "12155550112", "12155550131", "2026-05-04T12:00:01Z", NumberPlan::NORTH_AMERICAN)
                .unwrap(),
        ]
    }

    fn record(calling: &str, called: &str, start: i64, line: u64) -> Record {
        let dialed = |text| Dialed::read(text, NumberPlan::NORTH_AMERICAN);
        let mut record = Record {
            calling: dialed(calling),
            called: dialed(called),
            start: UnixTime::from_seconds(1_777_896_001 + start),
            place: Place::new(0, line),
            ..Record::default()
        };
        record.ingress.call_id = Some(format!("{line}@x"));
        record
    }

    fn lines(records: &[Record]) -> Vec<(Tier, u64)> {
        let (requests, networks) = (requests(), [Network::new("X")]);
        let mut search = Search::new(&requests, &networks);
        records.iter().for_each(|record| search.see(Origin::default(), record));
        let matches = search.matches(0, 0);
        matches.iter().map(|m| (m.candidate.standing.tier, m.candidate.record.place.line)).collect()
    }

    #[test]
    fn an_exact_match_beats_a_near_and_a_shifted_one() {
        let records = [
            record("12155550112", "12155550131", 3600, 2),
            record("12155550112", "12155550131", 400, 3),
            record("12155550112", "12155550131", 5, 4),
            record("12155550199", "12155550131", 0, 5),
        ];
        assert_eq!(lines(&records), [(Tier::Exact, 4)]);
        assert_eq!(lines(&records[..2]), [(Tier::Near, 3)]);
        assert_eq!(lines(&records[..1]), [(Tier::Clock, 2)]);
        assert_eq!(lines(&records[3..]), [(Tier::CalledOnly, 5)]);
    }

    #[test]
    fn attempts_over_several_routes_are_one_match_and_the_answered_one_is_shown() {
        let mut attempts = [record("12155550112", "12155550131", 1, 2), record("12155550112", "12155550131", 9, 3)];
        attempts.iter_mut().for_each(|own| own.ingress.call_id = Some("same@x".to_owned()));
        attempts[1].answer = Some(attempts[1].start);
        assert_eq!(lines(&attempts), [(Tier::Exact, 3)]);
        // One that agrees less well does not make the call a worse match.
        attempts[1] = record("12155550112", "12155550131", 130, 3);
        attempts[1].ingress.call_id = Some("same@x".to_owned());
        attempts[1].answer = Some(attempts[1].start);
        assert_eq!(lines(&attempts), [(Tier::Exact, 2)]);
    }

    fn any_record() -> impl Strategy<Value = (bool, bool, i64)> {
        (any::<bool>(), any::<bool>(), -3000i64..3000)
    }

    fn records_of(facts: &[(bool, bool, i64)]) -> Vec<Record> {
        let number = |same, own| if same { own } else { "12155550177" };
        let made = facts.iter().zip(2..).map(|((from, to, start), line)| {
            record(number(*from, "12155550112"), number(*to, "12155550131"), *start, line)
        });
        made.collect()
    }

    proptest! {
        #[test]
        fn the_order_of_records_does_not_matter(facts in prop::collection::vec(any_record(), 0..12), seed: usize) {
            let records = records_of(&facts);
            let mut turned = records.clone();
            turned.rotate_left(if records.is_empty() { 0 } else { seed % records.len() });
            turned.reverse();
            prop_assert_eq!(lines(&records), lines(&turned));
        }

        #[test]
        fn unrelated_records_change_nothing(facts in prop::collection::vec(any_record(), 0..8), starts in prop::collection::vec(-3000i64..3000, 0..8)) {
            let mut records = records_of(&facts);
            let alone = lines(&records);
            let others = starts.iter().zip(100..).map(|(start, line)| record("12155550112", "12155550155", *start, line));
            records.splice(0..0, others);
            prop_assert_eq!(lines(&records), alone);
        }
    }
}
