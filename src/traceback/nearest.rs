//! Which of several networks that have a call is the nearest to the called party: the one that answers.

use std::cmp::Reverse;

use crate::cdr::Record;
use crate::network::{Peer, PeerKind};
use crate::time::UnixTime;
use crate::traceback::candidate::Tier;
use crate::traceback::chain::{View, is_same};
use crate::traceback::passage::Why;
use crate::traceback::search::Search;

/// The place of the nearest one among views of one call, one a network.
///
/// Those with another caller's call where one has the caller's own, those that somebody tried in vain, and those that
/// handed the call to another of them, are not it. Of several such, the
/// one where the call ends; then the one that answered; then the one whose record agrees best; then the one that had it
/// last.
pub(super) fn nearest(search: &Search<'_>, request: usize, views: &[View<'_>]) -> Option<usize> {
    let all: Vec<usize> = (0..views.len()).collect();
    let among = |places: Vec<usize>, is_it: &dyn Fn(&View<'_>, &View<'_>) -> bool| {
        let others = |own: usize| places.iter().filter(move |other| **other != own);
        let kept: Vec<usize> = places
            .iter()
            .copied()
            .filter(|own| !others(*own).any(|other| is_it(&views[*own], &views[*other])))
            .collect();
        if kept.is_empty() { places } else { kept }
    };
    let own = among(all, &is_another_s);
    let tried = among(own, &|view, other| was_given_up(search, request, other, view));
    let last = among(tried, &is_above);
    last.into_iter().min_by_key(|place| order(&views[*place]))
}

/// Whether a view is of another caller's call, which nothing ties to the one that the other view is of.
fn is_another_s(view: &View<'_>, other: &View<'_>) -> bool {
    let is_by_called_alone = |view: &View<'_>| view.found.candidate.standing.judged == Tier::CalledOnly;
    is_by_called_alone(view) && !is_by_called_alone(other) && !view.is_tied_to(other) && !other.is_tied_to(view)
}

/// Either of the two says so, by a Call-ID or by the map of peers; or both name the one that stood between them.
fn is_above(above: &View<'_>, below: &View<'_>) -> bool {
    let taken_from = below.upstream.is_some_and(|peer| is_same(above.network, peer));
    let handed_to = above.downstream.is_some_and(|peer| is_same(below.network, peer));
    let between = || above.downstream.zip(below.upstream_provider()).is_some_and(|(one, other)| is_one(one, other));
    above.is_tied_to(below) || handed_to || taken_from || between()
}

/// Whether two maps mean the same provider.
fn is_one(left: &Peer, right: &Peer) -> bool {
    match (&left.spc, &right.spc) {
        (Some(left), Some(right)) => left == right,
        _ => left.name == right.name,
    }
}

/// The smallest is the nearest.
fn order(view: &View<'_>) -> (End, bool, Tier, Reverse<UnixTime>) {
    let standing = &view.found.candidate.standing;
    (End::of(view), view.record().answer.is_none(), standing.judged, Reverse(standing.start))
}

/// Whether a network tried the other one, and handed the call to somebody else in the end.
fn was_given_up(search: &Search<'_>, request: usize, above: &View<'_>, below: &View<'_>) -> bool {
    let is_below = |peer: &Peer| is_same(below.network, peer);
    let went_elsewhere =
        || above.record().answer.is_some() || above.found.also.iter().any(|own| own.why == Why::Attempt);
    if fails(below.record()) && is_above(above, below) && went_elsewhere() {
        return true;
    }
    above.downstream.is_some_and(|peer| !is_below(peer))
        && !above.handed_to(below.network)
        && search.handed_to(request, above.index).into_iter().any(is_below)
}

/// Nobody would take it from here: a gateway tries the next way then (RFC 3261 21.5).
fn fails(record: &Record) -> bool {
    record.answer.is_none() && record.sip_status.is_some_and(|status| (500..600).contains(&status))
}

/// How sure it is that the call ended in a network; the surest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum End {
    /// It was handed to a customer.
    Customer,
    /// It was handed to nobody that the record says. An attempt that was given up looks so too, and a switch that never
    /// says it: what else there is decides.
    Unsaid,
    /// It was handed to somebody whose records are not held.
    Further,
    /// Nobody would take it.
    Nowhere,
    /// It began here.
    Origin,
}

impl End {
    fn of(view: &View<'_>) -> Self {
        let record = view.record();
        match view.downstream.map(|peer| peer.kind) {
            Some(PeerKind::Customer) => Self::Customer,
            _ if view.customer().is_some() => Self::Origin,
            _ if fails(record) => Self::Nowhere,
            _ if view.went_on() => Self::Further,
            _ => Self::Unsaid,
        }
    }
}
