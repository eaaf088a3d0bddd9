//! Why an answer is what it is, in a sentence.

use crate::traceback::answer::Status;
use crate::traceback::candidate::Tier;
use crate::traceback::chain::View;
use crate::traceback::search::{MAX_CANDIDATES, Search};

impl Search<'_> {
    /// The sentence for an answer with matches.
    pub(super) fn because(&self, request: usize, status: Status, views: &[View<'_>]) -> String {
        let Some(best) = views.first() else { return String::new() };
        let tier = best.found.candidate.standing.tier.as_str();
        let mut words = match (status, views) {
            (_, [only]) if only.found.candidate.standing.tier == Tier::Clock => self.by_clock(only),
            (_, [_]) => format!("one call agrees, in the tier {tier}, and none better"),
            (Status::Ambiguous, [first, second, ..]) => format!(
                "{} different calls agree equally well ({tier}) and came from different upstreams; {}",
                views.len(),
                told_apart(first, second)
            ),
            (_, [first, second, ..]) => format!(
                "{} calls agree equally well ({tier}), all from the same upstream; {}",
                views.len(),
                told_apart(first, second)
            ),
            (_, []) => String::new(),
        };
        if self.has_most_candidates(request, best.index) {
            words += &format!("; more than {MAX_CANDIDATES} records may be the call, of which the best were compared");
        }
        words
    }

    fn by_clock(&self, only: &View<'_>) -> String {
        let candidate = &only.found.candidate;
        let clock = self.clock(candidate.origin, candidate.record.start);
        let source = self.source_name(candidate.origin);
        let offset = candidate.standing.parts.clock_offset_minutes;
        if clock.ahead != 0 && clock.ahead / 60 == offset {
            return format!(
                "one call agrees once the clock of {source} is set right, by what {} of {} requests agree on",
                clock.agreeing, clock.of
            );
        }
        if clock.correction() != 0 {
            return format!(
                "one call agrees if the clock of {source} is {offset} minutes off here, and {} minutes elsewhere; none agrees without that",
                clock.ahead / 60
            );
        }
        let words = "one call agrees if the clocks are a multiple of half an hour apart, and none agrees without that";
        let doubt = "; nothing else shows that clock to be wrong: the request's time may be, or it is another call";
        format!("{words}{}", if clock.of > 0 { doubt } else { "" })
    }
}

/// What tells two calls apart that agree equally well.
fn told_apart(left: &View<'_>, right: &View<'_>) -> String {
    let ids = (&left.record().ingress.call_id, &right.record().ingress.call_id);
    let apart = left.found.candidate.standing.start.seconds_since(right.found.candidate.standing.start).abs();
    let mut reasons = Vec::new();
    if matches!(ids, (Some(one), Some(other)) if one != other) {
        reasons.push("have different Call-IDs".to_owned());
    }
    if apart > 0 {
        reasons.push(format!("began {apart} s apart"));
    }
    let link = |view: &View<'_>| (view.record().ingress.trunk.clone(), view.record().ingress.ip());
    if link(left) != link(right) {
        reasons.push("came in by different links".to_owned());
    }
    if reasons.is_empty() {
        reasons.push("are both answered, and have no Call-IDs that could be compared".to_owned());
    }
    format!("the first two {}", reasons.join(", "))
}
