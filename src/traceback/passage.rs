//! Which lines of a network are about one call: attempts, forks, legs and exports of one passage through it, and
//! passages of a call that left and came in again.

use serde::{Serialize, Serializer};

use crate::cdr::{Link, Record};
use crate::network::{Network, Peer};
use crate::time::UnixTime;
use crate::traceback::candidate::NEAR_SECONDS;
use crate::traceback::search::Candidate;

/// Why a line is about the same call as another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// Another try: by another route, or by the upstream at another of our switches.
    Attempt,
    /// The same line, exported again.
    Export,
    /// Another branch that rang at the same time.
    Fork,
    /// The call left for a peer, and came in again.
    Hairpin,
    /// Another part of the same way through the network: its other side, or another switch of ours.
    Leg,
}

impl Why {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Export => "export",
            Self::Fork => "fork",
            Self::Hairpin => "hairpin",
            Self::Leg => "leg",
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A candidate with what the map of peers says about both of its sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) candidate: &'a Candidate,
    /// The peer that the call came in from.
    pub(super) enters: Option<&'a Peer>,
    /// The peer that it was handed to.
    pub(super) leaves: Option<&'a Peer>,
}

/// Call-IDs of careless dialers come again; one call's lines are all within this.
pub(super) const CALL_ID_LIFETIME: i64 = NEAR_SECONDS;
/// A route that does not answer is given up within this.
const RETRY_SECONDS: i64 = 30;
/// From one switch to the next it takes no longer.
const HAND_OVER_SECONDS: i64 = 5;

impl<'a> Line<'a> {
    pub(super) fn new(network: &'a Network, candidate: &'a Candidate) -> Self {
        let (record, began) = (&candidate.record, candidate.standing.began);
        let (enters, leaves) =
            (network.peer_of(&record.ingress_name(), began), network.peer_of(&record.egress.name(), began));
        Self { candidate, enters, leaves }
    }

    pub(super) fn record(&self) -> &'a Record {
        &self.candidate.record
    }

    /// When the call began, as far as the source's clock is known.
    pub(super) fn start(&self) -> UnixTime {
        self.candidate.standing.start
    }

    /// Why two lines are about one call; `None` where nothing says so.
    pub(super) fn same_call(&self, other: &Self) -> Option<Why> {
        let (first, second) = if other.start() < self.start() { (other, self) } else { (self, other) };
        let apart = second.start().seconds_since(first.start());
        if apart > CALL_ID_LIFETIME {
            return None;
        }
        if first.record().says_the_same(second.record()) {
            let same_file = first.record().place.file == second.record().place.file;
            return Some(if same_file { Why::Attempt } else { Why::Export });
        }
        let same_ingress = is_same_link(&first.record().ingress, &second.record().ingress);
        match (first.is_tied(second), first.same_incoming_id(second)) {
            (_, Some(true)) if same_ingress => Some(if first.overlaps(second) { Why::Fork } else { Why::Attempt }),
            (true, _) => first.handed_over(second),
            // Two Call-IDs came in by one link: two calls.
            (false, Some(false)) if same_ingress => None,
            (false, _) => first.without_call_id(second, same_ingress, apart),
        }
    }

    /// Whether both have the Call-ID that came in, and whether it is the same.
    fn same_incoming_id(&self, other: &Self) -> Option<bool> {
        Some(self.record().ingress.call_id.as_ref()? == other.record().ingress.call_id.as_ref()?)
    }

    /// A Call-ID of either side stands in the other line too, or a token that is made for one call only.
    fn is_tied(&self, other: &Self) -> bool {
        let same_id = has_common_call_id(self.record(), other.record());
        let same_token = || self.record().identity.iter().any(|own| other.record().identity.contains(own));
        same_id || same_token() && self.has_same_numbers(other) && self.apart(other) <= RETRY_SECONDS
    }

    fn apart(&self, other: &Self) -> i64 {
        self.start().seconds_since(other.start()).abs()
    }

    fn has_same_numbers(&self, other: &Self) -> bool {
        let (one, two) = (self.record(), other.record());
        one.calling.canonical == two.calling.canonical
            && one.called.canonical == two.called.canonical
            && one.calling.raw.is_empty() == two.calling.raw.is_empty()
    }

    /// Whether both were under way at once, as far as the lines tell: neither had ended when the other began.
    fn overlaps(&self, later: &Self) -> bool {
        let other_exit = !is_same_link(&self.record().egress, &later.record().egress);
        other_exit && self.record().end.is_some_and(|end| self.corrected(end) > later.start())
    }

    fn corrected(&self, instant: UnixTime) -> UnixTime {
        instant.plus_seconds(self.start().seconds_since(self.record().start))
    }

    /// The first line's call is tied to the second's, by another way in.
    fn handed_over(&self, later: &Self) -> Option<Why> {
        let ended = self.record().end.is_some_and(|end| self.corrected(end) <= later.start());
        match (self.enters, self.leaves, later.enters) {
            // It left for a peer and comes from one: from where it went, or by the same caller while it still was under way.
            (_, Some(to), Some(from)) if to.is_same(from) || !ended && self.has_same_numbers(later) => {
                Some(Why::Hairpin)
            }
            (Some(one), _, Some(other)) if one.is_same(other) => Some(Why::Attempt),
            // Somebody further up tried us by two ways.
            (_, _, Some(_)) if self.leaves.is_some() => None,
            // By ways that the map does not name, into the same switch: out and in again, or it is not to be told.
            _ if self.candidate.origin == later.candidate.origin && !self.is_half_of(later) => {
                (!self.record().egress.is_empty() && later.enters.is_some() && !ended).then_some(Why::Hairpin)
            }
            _ => Some(Why::Leg),
        }
    }

    /// One line has the way in and no way out, the other the way out and no way in: a switch that writes a line a leg.
    fn is_half_of(&self, other: &Self) -> bool {
        let bare = |link: &Link| link.trunk.is_none() && link.address.is_none();
        let (one, two) = (self.record(), other.record());
        bare(&one.egress) && !bare(&one.ingress) && bare(&two.ingress)
            || bare(&two.egress) && !bare(&two.ingress) && bare(&one.ingress)
    }

    fn without_call_id(&self, later: &Self, same_ingress: bool, apart: i64) -> Option<Why> {
        if !self.has_same_numbers(later) || apart > RETRY_SECONDS {
            return None;
        }
        let lacks_id = self.same_incoming_id(later).is_none();
        if lacks_id && self.candidate.origin == later.candidate.origin && self.is_half_of(later) {
            return Some(Why::Leg);
        }
        // Seconds apart, and only one of them answered.
        if lacks_id && same_ingress && (self.record().answer.is_none() || later.record().answer.is_none()) {
            return Some(Why::Attempt);
        }
        // From one of our switches, where a peer's call came in, to another, which has it from none.
        let (edge, core) = if later.enters.is_some() { (later, self) } else { (self, later) };
        let is_hand_over = edge.enters.is_some() && edge.leaves.is_none() && core.enters.is_none();
        (is_hand_over && edge.candidate.origin != core.candidate.origin && apart <= HAND_OVER_SECONDS)
            .then_some(Why::Leg)
    }

    /// Lines of one passage, the one that tells most first: where the call came in from a peer, the best tier, answered.
    pub(super) fn telling(&self) -> (bool, bool, crate::traceback::candidate::Tier, bool) {
        let ingress = &self.record().ingress;
        let is_bare = ingress.trunk.is_none() && ingress.address.is_none();
        let standing = &self.candidate.standing;
        (self.enters.is_none(), is_bare, standing.judged, self.record().answer.is_none())
    }
}

fn is_same_link(left: &Link, right: &Link) -> bool {
    left.trunk == right.trunk && left.ip() == right.ip()
}

/// Whether the Call-ID that came in is the same, or one that left is the other's that came in.
fn has_common_call_id(left: &Record, right: &Record) -> bool {
    let same = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
    same(&left.ingress.call_id, &right.ingress.call_id)
        || same(&left.egress.call_id, &right.ingress.call_id)
        || same(&left.ingress.call_id, &right.egress.call_id)
}

/// Whether two records can be lines about one call, whatever the map of peers says: the same line, a common Call-ID, or
/// attempts.
pub(super) fn may_be_one_call(left: &Record, right: &Record) -> bool {
    if left.says_the_same(right) {
        return true;
    }
    let apart = left.start.seconds_since(right.start).abs();
    if has_common_call_id(left, right) {
        return apart <= CALL_ID_LIFETIME;
    }
    let same_numbers =
        left.calling.canonical == right.calling.canonical && left.called.canonical == right.called.canonical;
    let lacks_id = left.ingress.call_id.is_none() || right.ingress.call_id.is_none();
    lacks_id && same_numbers && apart <= RETRY_SECONDS
}

/// Lines of one passage, by their places among those given, with why each belongs there.
pub(super) type PassageLines = Vec<(usize, Option<Why>)>;

/// The lines of each call; each passage's in order, the passages in order of time.
pub(super) fn calls(lines: &[Line<'_>]) -> Vec<Vec<PassageLines>> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|place| (lines[*place].start(), *place));
    let (mut passages, mut whole) = (Groups::new(lines.len()), Groups::new(lines.len()));
    let mut why: Vec<Option<Why>> = vec![None; lines.len()];
    for (place, first) in order.iter().enumerate() {
        for second in &order[place + 1..] {
            if lines[*second].start().seconds_since(lines[*first].start()) > CALL_ID_LIFETIME {
                break;
            }
            let Some(reason) = lines[*first].same_call(&lines[*second]) else { continue };
            whole.join(*first, *second);
            if reason != Why::Hairpin {
                passages.join(*first, *second);
                why[*first].get_or_insert(reason);
                why[*second].get_or_insert(reason);
            }
        }
    }
    let gather = |groups: &mut Groups, members: &[usize]| {
        let mut gathered: Vec<(usize, Vec<usize>)> = Vec::new();
        for member in members {
            let root = groups.root(*member);
            match gathered.iter_mut().find(|(own, _)| *own == root) {
                Some((_, group)) => group.push(*member),
                None => gathered.push((root, vec![*member])),
            }
        }
        gathered.into_iter().map(|(_, group)| group).collect::<Vec<_>>()
    };
    let calls = gather(&mut whole, &order);
    let split = calls.into_iter().map(|call| {
        let groups = gather(&mut passages, &call);
        groups.into_iter().map(|group| passage(lines, group, &why)).collect()
    });
    split.collect()
}

/// The lines of one passage: the one that tells most first, the others with their reason.
fn passage(lines: &[Line<'_>], mut group: Vec<usize>, why: &[Option<Why>]) -> Vec<(usize, Option<Why>)> {
    group.sort_unstable();
    let Some(best) = group.iter().copied().min_by_key(|place| (lines[*place].telling(), *place)) else {
        return Vec::new();
    };
    let others = group.iter().filter(|place| **place != best).map(|place| {
        let reason = lines[best].same_call(&lines[*place]).filter(|reason| *reason != Why::Hairpin);
        (*place, reason.or(why[*place]))
    });
    std::iter::once((best, None)).chain(others).collect()
}

/// Sets that are joined.
struct Groups {
    above: Vec<usize>,
}

impl Groups {
    fn new(size: usize) -> Self {
        Self { above: (0..size).collect() }
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.above[place] != place {
            self.above[place] = self.above[self.above[place]];
            place = self.above[place];
        }
        place
    }

    fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.root(left), self.root(right));
        self.above[left.max(right)] = left.min(right);
    }
}
