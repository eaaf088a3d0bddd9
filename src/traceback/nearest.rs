//! Which of several networks that have a call is the nearest to the called party: the one that answers.

use std::cmp::Reverse;

use crate::cdr::Record;
use crate::network::{Peer, PeerKind};
use crate::time::UnixTime;
use crate::traceback::candidate::{EXACT_SECONDS, Tier};
use crate::traceback::chain::{View, is_same};
use crate::traceback::passage::Why;
use crate::traceback::search::Search;

/// The place of the nearest one among views of one call, one a network.
///
/// Those with another call where one has a better one, those that somebody tried in vain, and those that handed the call
/// to another of them, are not it. Of several such, the one where the call ends; then the one that answered; then the one whose record agrees best; then the one that had it
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
    let last = among(tried, &|view, other| is_above(view, other) || is_all_above(views, view, other));
    last.into_iter().min_by_key(|place| order(&views[*place]))
}

/// Whether a view is of another call than the other view, which agrees better: another caller's, or one of the same pair
/// at another time. Nothing must tie the two.
fn is_another_s(view: &View<'_>, other: &View<'_>) -> bool {
    let (own, better) = (&view.found.candidate.standing, &other.found.candidate.standing);
    if own.judged <= better.judged || view.is_tied_to(other) || other.is_tied_to(view) {
        return false;
    }
    let is_elsewhen = || own.start.seconds_since(better.start).abs() > EXACT_SECONDS;
    own.judged == Tier::CalledOnly || is_elsewhen() && !is_above(view, other) && !is_above(other, view)
}

/// Either of the two says so, by a Call-ID or by the map of peers; or both name the one that stood between them.
fn is_above(above: &View<'_>, below: &View<'_>) -> bool {
    let taken_from = below.upstream.is_some_and(|peer| is_same(above.network, peer));
    let handed_to = above.downstream.is_some_and(|peer| is_same(below.network, peer));
    let between = || above.downstream.zip(below.upstream_provider()).is_some_and(|(one, other)| one.is_same(other));
    // A proxy hands the Call-ID on as it came: then it ties the two and does not tell which was first.
    let is_tied = above.is_tied_to(below) && !below.is_tied_to(above);
    is_tied || handed_to || taken_from || between()
}

/// Whether all that lies above a view is known, up to the customer that made the call, and the other view is none of it:
/// then that one lies below, where the call may have gone on.
fn is_all_above(views: &[View<'_>], view: &View<'_>, other: &View<'_>) -> bool {
    let goes_on = matches!(End::of(view), End::Further | End::Untold | End::Origin);
    let is_below = || way_from_customer(views, view).is_some_and(|way| !way.contains(&other.index));
    goes_on && !fails(other.record()) && is_below() && way_from_customer(views, other).is_none()
}

/// The networks that a call came through, from a view up to the one whose customer made it; none where somebody between
/// has no view.
fn way_from_customer(views: &[View<'_>], view: &View<'_>) -> Option<Vec<usize>> {
    let (mut at, mut way) = (view, vec![view.index]);
    while at.customer().is_none() {
        let peer = at.upstream_provider()?;
        at = views.iter().find(|own| is_same(own.network, peer) && !way.contains(&own.index))?;
        way.push(at.index);
    }
    Some(way)
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
        && search.handed_to(request, above.index, &above.found).into_iter().any(is_below)
}

/// Nobody would take it from here: a gateway tries the next way then (RFC 3261 21.5), also where only the cause says so.
fn fails(record: &Record) -> bool {
    let is_failure = match (record.sip_status, record.q850) {
        (Some(status), _) => (500..600).contains(&status),
        (None, Some(cause)) => FAILURES.contains(&cause),
        (None, None) => false,
    };
    record.answer.is_none() && is_failure
}

/// Release causes that a gateway passes on as a 5xx response (RFC 3398 7.2.4.1).
const FAILURES: [u16; 11] = [34, 38, 41, 42, 47, 58, 79, 88, 102, 111, 127];

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
    /// The source's records never say whom calls were handed to.
    Untold,
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
            _ if view.lacks_egress => Self::Untold,
            _ => Self::Unsaid,
        }
    }
}
