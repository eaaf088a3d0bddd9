//! Many requests, one pass: records go by, candidates stay.

use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::cdr::{Fingerprint, Place, Record};
use crate::network::{Network, Peer, Source};
use crate::time::UnixTime;
use crate::traceback::candidate::{Rank, Standing};
use crate::traceback::coverage::Coverage;
use crate::traceback::index::{Index, Window};
use crate::traceback::origin::{Origin, SourceFile};
use crate::traceback::passage::{Line, Why, calls};
use crate::traceback::request::Request;
use crate::traceback::source_clock::{Poll, SourceClock, SourceClocks, Votes};

/// A search for the calls of many requests. Records come in one pass over files ([`Search::see`]), or from somebody who
/// keeps them and was asked for them ([`Search::windows`], [`Search::offer`], [`Search::hold`]): the answers are the
/// same. Only candidates are kept.
#[derive(Debug)]
pub struct Search<'a> {
    requests: &'a [Request],
    networks: &'a [Network],
    index: Index,
    /// Candidates of each request in each network; requests for the same call share them.
    held: HashMap<(usize, usize), Vec<Kept>>,
    coverage: HashMap<Origin, Coverage>,
    files: Vec<SourceFile>,
    file_places: HashMap<SourceFile, usize>,
    /// What all candidates together say about their sources.
    sources: OnceLock<Sources>,
}

/// What the candidates of all requests say about their sources.
#[derive(Debug, Default)]
struct Sources {
    clocks: SourceClocks,
    /// Those that record identities: some candidate has one.
    with_identities: HashSet<Origin>,
}

/// A record that may be the call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// How it agrees with the request.
    pub standing: Standing,
    /// The record.
    pub record: Arc<Record>,
    /// Where it comes from.
    pub origin: Origin,
}

/// One call that may be the one: a record and the other lines about the same call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The line that tells most of the call's first way through the network: where it came in from a peer, of those the
    /// best, of those the answered attempt.
    pub candidate: Candidate,
    /// The record that shows where it went, if another line does.
    pub exit: Option<Arc<Record>>,
    /// The other lines, and why each is about the same call.
    pub also: Vec<Folded>,
    /// The further ways of a call that left and came in again.
    pub again: Vec<Passage>,
}

impl Match {
    fn has_line(&self, place: Place) -> bool {
        self.candidate.record.place == place || self.also.iter().any(|own| own.place == place)
    }
}

/// A line about the same call as another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Folded {
    /// Where it stands.
    pub place: Place,
    /// Why it is about the same call.
    pub why: Why,
}

/// One way of a call through the network.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Passage {
    /// The line that tells most of it.
    pub candidate: Candidate,
    /// The record that shows where it went, if another line does.
    pub exit: Option<Arc<Record>>,
}

/// More candidates of one network are not kept for a request: the best stay.
pub const MAX_CANDIDATES: usize = 256;

/// A candidate as it is kept: small, since there may be very many.
#[derive(Clone, Debug)]
struct Kept {
    rank: Rank,
    record: Arc<Record>,
    origin: Origin,
}

impl Kept {
    /// The best first, the earlier among equals. It needs nothing but the lines themselves, so that neither the order
    /// in which records come nor where they come from matters.
    fn order(&self, other: &Self) -> Ordering {
        let line = |own: &Self| (own.record.fingerprint, own.origin, own.record.place);
        let rank = self.rank.cmp(&other.rank).then(self.record.start.cmp(&other.record.start));
        rank.then_with(|| line(self).cmp(&line(other)))
    }

    fn is_same_line(&self, other: &Self) -> bool {
        self.origin == other.origin && self.record.place == other.record.place
    }
}

impl<'a> Search<'a> {
    /// A search for these requests in the records of these networks.
    #[must_use]
    pub fn new(requests: &'a [Request], networks: &'a [Network]) -> Self {
        let coverage = networks.iter().enumerate().flat_map(|(network, own)| {
            let sources = own.sources.iter().enumerate();
            sources.map(move |(source, own)| (Origin { network, source }, Coverage::new(own.gap)))
        });
        Self {
            requests,
            networks,
            index: Index::new(requests),
            held: HashMap::new(),
            coverage: coverage.collect(),
            files: Vec::new(),
            file_places: HashMap::new(),
            sources: OnceLock::new(),
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

    /// The source of that label of the network of that name, as somebody who keeps records knows them.
    #[must_use]
    pub fn origin(&self, network: &str, source: &str) -> Option<Origin> {
        let (network, own) = self.networks.iter().enumerate().find(|(_, own)| own.name == network)?;
        Some(Origin { network, source: own.sources.iter().position(|own| own.label() == source)? })
    }

    /// What to ask for, of whoever keeps records; no record that may be the call lies outside.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        self.index.windows(self.requests)
    }

    /// Shows the search a record: it is a candidate or not, and it covers its time.
    pub fn see(&mut self, origin: Origin, record: &Record) {
        self.cover(origin).add(record.start);
        self.offer(origin, record);
    }

    /// Offers the search a record that may be a candidate, of a source whose coverage it is told otherwise
    /// ([`Search::hold`]). A record that is offered again changes nothing.
    pub fn offer(&mut self, origin: Origin, record: &Record) {
        let Self { index, requests, held, sources, .. } = self;
        // Shared by all requests that it may answer.
        let mut shared: Option<Arc<Record>> = None;
        index.requests_for(record, |request| {
            if let Some(rank) = requests.get(request).and_then(|own| Rank::of(own, record)) {
                let record = Arc::clone(shared.get_or_insert_with(|| Arc::new(record.clone())));
                keep(held.entry((request, origin.network)).or_default(), Kept { rank, record, origin });
                sources.take();
            }
        });
    }

    /// Tells the search what is held of a source, all at once.
    pub fn hold(&mut self, origin: Origin, coverage: Coverage) {
        self.coverage.insert(origin, coverage);
    }

    /// Tells the search of a line that could not be read, and of the records around it.
    pub fn set_aside(&mut self, origin: Origin, before: Option<UnixTime>, after: Option<UnixTime>) {
        self.cover(origin).set_aside(before, after);
    }

    /// Tells the search that a source names files and none is there.
    pub fn lack_files(&mut self, origin: Origin) {
        self.cover(origin).lack_files();
    }

    /// Tells the search of a file that cannot be read, or not to its end: what it would hold may lie anywhere.
    pub fn miss_file(&mut self, origin: Origin) {
        self.cover(origin).miss_file();
    }

    /// Tells the search of a file that records stand in, and gives the place that their [`Place::file`] must have. A file
    /// that it knows keeps its place.
    pub fn add_file(&mut self, file: SourceFile) -> usize {
        let Self { files, file_places, .. } = self;
        *file_places.entry(file).or_insert_with_key(|file| {
            files.push(file.clone());
            files.len() - 1
        })
    }

    /// The files that were named.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// What is held of a network, source by source.
    pub fn coverage(&self, network: usize) -> impl Iterator<Item = (usize, &Coverage)> {
        let sources = 0..self.networks.get(network).map_or(0, |own| own.sources.len());
        sources.filter_map(move |source| Some((source, self.coverage.get(&Origin { network, source })?)))
    }

    /// Tells the search that the records of a source never say where calls went: that one names nobody is no end then.
    pub fn lack_egress(&mut self, origin: Origin) {
        self.cover(origin).lack_egress();
    }

    /// Whether the records of a source never say where calls went.
    pub(super) fn lacks_egress(&self, origin: Origin) -> bool {
        self.coverage.get(&origin).is_some_and(Coverage::lacks_egress)
    }

    /// How many files of a source were read.
    pub(super) fn files_of(&self, origin: Origin) -> u64 {
        let told = self.coverage.get(&origin).and_then(Coverage::files);
        let named = || self.files.iter().filter(|file| file.origin == origin).count();
        told.unwrap_or_else(|| u64::try_from(named()).unwrap_or(u64::MAX))
    }

    /// The calls of the best tier that a network has for a request, the best first.
    #[must_use]
    pub fn matches(&self, request: usize, network: usize) -> Vec<Match> {
        let candidates = self.candidates(request, network);
        let (Some(own), Some(best)) = (self.networks.get(network), candidates.first()) else { return Vec::new() };
        let best = best.standing.judged;
        let lines: Vec<Line<'_>> = candidates.iter().map(|candidate| Line::new(own, candidate)).collect();
        let is_best = |place: usize| lines[place].candidate.standing.judged == best;
        let mut calls = calls(&lines);
        calls.retain(|call| call.iter().flatten().any(|(place, _)| is_best(*place)));
        calls.sort_by_key(|call| call.iter().flatten().map(|(place, _)| *place).min());
        calls.iter().filter_map(|call| self.matched_call(&lines, call)).collect()
    }

    /// The lines of one call as one match.
    fn matched_call(&self, lines: &[Line<'_>], call: &[Vec<(usize, Option<Why>)>]) -> Option<Match> {
        let mut passages = call.iter().filter_map(|lines_of| passage(lines, lines_of));
        let first = passages.next()?;
        let again: Vec<Passage> = passages.collect();
        let of_main = call.iter().flatten().skip(1).map(|(place, why)| (place, why.unwrap_or(Why::Hairpin)));
        let mut also: Vec<(&Candidate, Why)> = of_main.map(|(place, why)| (lines[*place].candidate, why)).collect();
        also.sort_by(|(left, _), (right, _)| {
            self.stands(left.origin, left.record.place).cmp(&self.stands(right.origin, right.record.place))
        });
        let also = also.into_iter().map(|(own, why)| Folded { place: own.record.place, why }).collect();
        Some(Match { candidate: first.candidate, exit: first.exit, also, again })
    }

    /// Everybody that a network tried to hand a call to, that is one of its matches for a request.
    pub(super) fn handed_to(&self, request: usize, network: usize, call: &Match) -> Vec<&'a Peer> {
        let Some(own) = self.networks.get(network) else { return Vec::new() };
        let mut candidates = self.candidates(request, network);
        candidates.retain(|candidate| call.has_line(candidate.record.place));
        let leaves = |own: &'a Network, candidate: &Candidate| {
            own.peer_of(&candidate.record.egress.name(), candidate.standing.began)
        };
        candidates.iter().filter_map(|candidate| leaves(own, candidate)).collect()
    }

    /// What a network has for a request: the best first, and among equals the earlier, and then the one that stands
    /// first.
    fn candidates(&self, request: usize, network: usize) -> Vec<Candidate> {
        let Some(asked) = self.requests.get(request) else { return Vec::new() };
        let held = self.held.get(&(self.index.same(request), network)).map_or(&[][..], Vec::as_slice);
        let judged = best(held).into_iter().filter_map(|own| {
            let ahead = self.clock(own.origin, own.record.start).correction();
            let standing = Standing::by_clock(asked, &own.record, ahead)?;
            Some(Candidate { standing, record: Arc::clone(&own.record), origin: own.origin })
        });
        let mut judged: Vec<Candidate> = judged.collect();
        judged.sort_by(|left, right| {
            let tier = left.standing.judged.cmp(&right.standing.judged);
            let score = right.standing.score.total_cmp(&left.standing.score);
            let start = left.standing.start.cmp(&right.standing.start);
            tier.then(score).then(start).then_with(|| {
                self.stands(left.origin, left.record.place).cmp(&self.stands(right.origin, right.record.place))
            })
        });
        let mut copies = Copies::default();
        judged.retain(|own| copies.is_first(own));
        judged
    }

    /// Whether there are as many candidates as are kept.
    pub(super) fn has_most_candidates(&self, request: usize, network: usize) -> bool {
        let held = self.held.get(&(self.index.same(request), network)).map_or(&[][..], Vec::as_slice);
        held.len() >= MAX_CANDIDATES && best(held).len() == MAX_CANDIDATES
    }

    /// The order of lines: by source, file and line, in whatever order the files were named.
    fn stands(&self, origin: Origin, place: Place) -> (Origin, &str, usize, u64) {
        let name = self.files.get(place.file).map_or("", |file| file.name.as_str());
        (origin, name, place.file, place.line)
    }

    /// What the run says about a source's clock when it wrote that instant.
    pub(super) fn clock(&self, origin: Origin, written: UnixTime) -> SourceClock {
        self.sources().clocks.at(origin, written)
    }

    /// Whether a source is known to record identities.
    pub(super) fn records_identities(&self, origin: Origin) -> bool {
        self.sources().with_identities.contains(&origin)
    }

    fn sources(&self) -> &Sources {
        self.sources.get_or_init(|| {
            let mut poll = Poll::default();
            let mut with_identities = HashSet::new();
            for ((request, _), held) in &self.held {
                let Some(request) = self.requests.get(*request) else { continue };
                let mut votes = Votes::default();
                for own in best(held) {
                    votes.add(own.origin, &own.rank, &own.record);
                    if !own.record.identity.is_empty() {
                        with_identities.insert(own.origin);
                    }
                }
                poll.add(request.time.earliest, &votes);
            }
            Sources { clocks: poll.close(), with_identities }
        })
    }

    fn cover(&mut self, origin: Origin) -> &mut Coverage {
        self.coverage.entry(origin).or_insert_with(|| Coverage::new(Source::DEFAULT_GAP))
    }
}

/// The lines of one way through the network: the one that tells most, and the one that shows where the call went.
fn passage(lines: &[Line<'_>], of: &[(usize, Option<Why>)]) -> Option<Passage> {
    let own = &lines[of.first()?.0];
    // Where it went in the end: by the attempt that was answered, else by the last one.
    let in_the_end = |place: &&(usize, Option<Why>)| {
        let line = &lines[place.0];
        (line.record().answer.is_none(), Reverse(line.start()))
    };
    let leaving = of.iter().filter(|(place, _)| lines[*place].leaves.is_some()).min_by_key(in_the_end);
    let other =
        leaving.filter(|(place, _)| *place != of[0].0 && (own.leaves.is_none() || own.record().answer.is_none()));
    let exit = other.map(|(place, _)| Arc::clone(&lines[*place].candidate.record));
    Some(Passage { candidate: own.candidate.clone(), exit })
}

/// The same row in another file of its source is no other line: the row is the source, what it says, and which of equal
/// lines of its file it is. Those who keep records keep it once.
#[derive(Default)]
struct Copies {
    in_file: HashMap<(Origin, Fingerprint, usize), u32>,
    seen: HashSet<(Origin, Fingerprint, u32)>,
}

impl Copies {
    fn is_first(&mut self, own: &Candidate) -> bool {
        let fingerprint = own.record.fingerprint;
        if fingerprint == Fingerprint::default() {
            return true;
        }
        let occurrence = self.in_file.entry((own.origin, fingerprint, own.record.place.file)).or_default();
        *occurrence += 1;
        self.seen.insert((own.origin, fingerprint, *occurrence))
    }
}

/// The best of what is kept, each line once.
fn best(held: &[Kept]) -> Vec<&Kept> {
    let mut held: Vec<&Kept> = held.iter().collect();
    held.sort_by(|left, right| left.order(right));
    held.dedup_by(|left, right| left.is_same_line(right));
    held.truncate(MAX_CANDIDATES);
    held
}

fn keep(held: &mut Vec<Kept>, candidate: Kept) {
    // Several windows may hold it.
    if held.last().is_some_and(|last| last.is_same_line(&candidate)) {
        return;
    }
    held.push(candidate);
    if held.len() >= 2 * MAX_CANDIDATES {
        held.sort_by(Kept::order);
        held.dedup_by(|left, right| left.is_same_line(right));
        held.truncate(MAX_CANDIDATES);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cdr::Dialed;
    use crate::number::NumberPlan;
    use crate::traceback::candidate::Tier;

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
