//! Diversions: from whom the call was signed for to whom it reached (RFC 8946 §4.2; E5, F24).
//!
//! Each `div` PASSporT says "the call was for `div`, now it is for `dest`". It links to any PASSporT whose `dest`
//! holds its `div`. A chain is complete when links lead from a PASSporT that is no diversion to the call's target.

use crate::number::Identity;
use crate::sip::call::{Call, CallForm};
use crate::verify::call_checks::{called, target};
use crate::verify::detail::Detail;
use crate::verify::error::Error;
use crate::verify::rules;
use crate::verify::subject::{Kind, Subject};

/// How the PASSporTs of one call hang together. Indices are those of the subjects.
#[derive(Clone, Debug)]
pub(super) struct DivChain {
    /// For each subject, the diversions that link to it.
    followers: Vec<Vec<usize>>,
    /// For each subject, the PASSporTs that it links to; empty for all but diversions.
    leaders: Vec<Vec<usize>>,
}

impl DivChain {
    /// E5 (a): links by value, whatever the order of the header lines.
    pub(super) fn link(subjects: &[Subject]) -> Self {
        let mut chain = Self { followers: vec![Vec::new(); subjects.len()], leaders: vec![Vec::new(); subjects.len()] };
        for (index, subject) in subjects.iter().enumerate() {
            let (Kind::Div, Some(diverted)) = (subject.kind, &subject.div) else { continue };
            for (leader, other) in subjects.iter().enumerate() {
                if leader != index && leads(other, diverted) {
                    chain.leaders[index].push(leader);
                    chain.followers[leader].push(index);
                }
            }
        }
        chain
    }

    /// E5 (e): whether sound diversions, the last of them fresh, carry the call from this PASSporT to its target, so
    /// that its own `iat` may be older. A diversion that anybody could have written carries nothing.
    pub(super) fn is_carried(
        &self,
        index: usize,
        subjects: &[Subject],
        call: &Call,
        age: impl Fn(&Subject) -> Age,
    ) -> bool {
        let (own, Some(target)) = (&subjects[index], target(call)) else { return false };
        let carries = |other: usize| {
            flaw(own, std::iter::once(&subjects[other])).is_none() && age(&subjects[other]) != Age::Stale
        };
        let arrives = |other: usize| {
            other != index && subjects[other].dest.contains(target) && age(&subjects[other]) == Age::Fresh
        };
        !own.dest.contains(target) && walk(index, &self.followers, carries, arrives).is_some()
    }

    /// Judges every diversion, and every other PASSporT's `dest`. All other checks must have been made.
    pub(super) fn judge(&self, subjects: &mut [Subject], call: &Call) {
        let diversions: Vec<usize> = (0..subjects.len()).filter(|index| subjects[*index].kind == Kind::Div).collect();
        let outcomes: Vec<_> =
            diversions.iter().map(|index| (*index, self.diversion(*index, subjects, call))).collect();
        let destinations: Vec<_> = (0..subjects.len())
            .filter(|index| matches!(subjects[*index].kind, Kind::Base | Kind::Rcd | Kind::Rph | Kind::Shaken))
            .map(|index| (index, self.destination(index, subjects, call)))
            .collect();
        for (index, outcome) in outcomes {
            subjects[index].note_diversion(outcome);
        }
        for (index, outcome) in destinations {
            subjects[index].note_destination(outcome);
        }
    }

    /// RFC 8946 §4.2 for one diversion: it is anchored in a PASSporT that is none, leads to the target, and every
    /// member of its chain is sound and names the same `orig`.
    fn diversion(&self, index: usize, subjects: &[Subject], call: &Call) -> Diversion {
        let own = &subjects[index];
        let Some(diverted) = &own.div else { return Diversion::Unreadable };
        if own.dest.contains(diverted) {
            // E1: a diversion changes who is called.
            return Diversion::Invalid(format!("it diverts the call from {diverted} to the same number"));
        }
        let is_anchor = |other: usize| match subjects[other].kind {
            Kind::Base | Kind::Shaken => true,
            // H30: one that does not hold fails no call, so no diversion either.
            Kind::Rph => flaw(own, std::iter::once(&subjects[other])).is_none(),
            Kind::Div | Kind::Rcd | Kind::Unsupported => false,
        };
        let is_rcd = |other: usize| subjects[other].kind == Kind::Rcd;
        let anchored = best_walk(index, &self.leaders, subjects, is_anchor);
        // H31: what is wrong with rich call data is nobody's matter where another PASSporT begins the chain.
        let Some(origin) = anchored.or_else(|| best_walk(index, &self.leaders, subjects, is_rcd)) else {
            let is_foreign = |other: usize| matches!(subjects[other].kind, Kind::Unsupported | Kind::Rph);
            return match walk(index, &self.leaders, |_| true, is_foreign) {
                // E5 (f): an innermost PASSporT of an unsupported type makes the chain nobody's business.
                Some(_) => Diversion::Unsupported,
                None => self.unanchored(index, diverted),
            };
        };
        let Some(target) = target(call) else { return Diversion::NoTarget };
        let arrives = |other: usize| subjects[other].dest.contains(target);
        let Some(onward) = best_walk(index, &self.followers, subjects, arrives) else {
            let ends = list(&own.dest);
            let reason = format!("it leads to {ends}, the call is for {target}, and nothing leads on from there");
            return Diversion::Incomplete(reason);
        };
        let members = origin.iter().chain(onward.iter().skip(1)).filter(|member| **member != index);
        match flaw(own, members.map(|member| &subjects[*member])) {
            Some(Flaw::Broken(reason)) => Diversion::Invalid(reason),
            Some(Flaw::Unchecked(reason)) => Diversion::Unchecked(reason),
            None => Diversion::Complete(format!("from {diverted} to {}", list(&own.dest))),
        }
    }

    /// Why no PASSporT stands at a diversion's beginning.
    fn unanchored(&self, index: usize, diverted: &Identity) -> Diversion {
        let circle =
            self.leaders[index].iter().any(|leader| walk(*leader, &self.leaders, |_| true, |o| o == index).is_some());
        if circle {
            return Diversion::Invalid(format!("the diversions from {diverted} lead in a circle"));
        }
        Diversion::Incomplete(format!("no PASSporT of this call is for {diverted}, whom the call was diverted from"))
    }

    /// Whether the call is for whom this PASSporT names, or was diverted from there by a complete, sound chain.
    fn destination(&self, index: usize, subjects: &[Subject], call: &Call) -> Destined {
        let own = &subjects[index];
        if own.passport.is_none() || own.dest.is_empty() {
            return Destined::Unreadable;
        }
        if let Some((field, identity)) = called(call).find(|(_, identity)| own.dest.contains(identity)) {
            return Destined::Match(Detail::as_in(identity, field));
        }
        let Some(target) = target(call) else {
            return match call.form {
                CallForm::Bare => Destined::Unknown("nothing says who is called; give it with --to"),
                _ => Destined::Nobody(list(&own.dest)),
            };
        };
        let onward = best_walk(index, &self.followers, subjects, |other| subjects[other].dest.contains(target));
        let signalled: Vec<_> = called(call).map(|(field, identity)| format!("{identity} in {field}")).collect();
        let mismatch =
            |more: &str| Destined::Mismatch { signed: list(&own.dest), signalled: signalled.join(", ") + more };
        match onward {
            None => mismatch(""),
            Some(members) => match flaw(own, members[1..].iter().map(|member| &subjects[*member])) {
                Some(Flaw::Broken(reason)) => mismatch(&format!(" (diverted, but {reason})")),
                Some(Flaw::Unchecked(reason)) => Destined::Unchecked(reason),
                None => {
                    Destined::Match(format!("{target}, through {} verified diversion(s)", members.len() - 1).into())
                }
            },
        }
    }
}

/// What became of one diversion.
#[derive(Clone, Debug)]
enum Diversion {
    Complete(String),
    Incomplete(String),
    Invalid(String),
    NoTarget,
    Unchecked(String),
    Unreadable,
    Unsupported,
}

/// What became of one PASSporT's `dest`.
#[derive(Clone, Debug)]
enum Destined {
    Match(Detail),
    Mismatch { signed: String, signalled: String },
    Nobody(String),
    Unchecked(String),
    Unknown(&'static str),
    Unreadable,
}

impl Subject {
    fn note_diversion(&mut self, outcome: Diversion) {
        let examination = &mut self.examination;
        match outcome {
            Diversion::Complete(detail) => examination.pass(rules::DIV_CHAIN, detail),
            Diversion::Incomplete(reason) => examination.fail(rules::DIV_CHAIN, Error::DivChainIncomplete { reason }),
            Diversion::Invalid(reason) => examination.fail(rules::DIV_CHAIN, Error::DivChainInvalid { reason }),
            Diversion::Unchecked(reason) => examination.cannot(rules::DIV_CHAIN, reason),
            Diversion::NoTarget => examination.skip(rules::DIV_CHAIN, "nothing says who is called"),
            Diversion::Unreadable => examination.skip(rules::DIV_CHAIN, "there is no div that can be read"),
            Diversion::Unsupported => examination.cannot(
                rules::DIV_CHAIN,
                "it begins at a PASSporT of a type that is not verified here, or at an rph that does not hold",
            ),
        }
    }

    fn note_destination(&mut self, outcome: Destined) {
        let examination = &mut self.examination;
        match outcome {
            Destined::Match(detail) => examination.pass(rules::DEST, detail),
            Destined::Mismatch { signed, signalled } => {
                examination.fail(rules::DEST, Error::DestMismatch { signed, signalled });
            }
            Destined::Nobody(signed) => {
                let signalled = "nobody that To or the Request-URI names in a way that can be read".to_owned();
                examination.fail(rules::DEST, Error::DestMismatch { signed, signalled });
            }
            Destined::Unchecked(reason) => examination.cannot(rules::DEST, reason),
            Destined::Unknown(reason) => examination.skip(rules::DEST, reason),
            Destined::Unreadable => {
                if self.passport.is_some() {
                    examination.skip(rules::DEST, "there is no dest that can be read");
                }
            }
        }
    }
}

/// Why a chain does not hold.
enum Flaw {
    Broken(String),
    Unchecked(String),
}

/// E5 (d), (f): every other member of a chain names the same `orig` and is sound by itself.
fn flaw<'a>(own: &Subject, others: impl Iterator<Item = &'a Subject>) -> Option<Flaw> {
    for other in others {
        if let (Some(first), Some(orig)) = (&own.orig, &other.orig)
            && first != orig
        {
            return Some(Flaw::Broken(format!("the calling number changes along the chain, from {first} to {orig}")));
        }
        if let Some(diverted) = other.div.as_ref().filter(|diverted| other.dest.contains(diverted)) {
            // E1: a diversion changes who is called.
            return Some(Flaw::Broken(format!("one diverts the call from {diverted} to the same number")));
        }
        if other.examination.is_sound_but_for_numbers() {
            continue;
        }
        let which = match &other.div {
            Some(diverted) => format!("the diversion from {diverted}"),
            None => format!("the PASSporT for {}", list(&other.dest)),
        };
        return Some(match other.examination.error() {
            Some(reason @ (Error::CredentialUnavailable { .. } | Error::NoCallingIdentity { .. })) => {
                Flaw::Unchecked(format!("{which} cannot be checked: {reason}"))
            }
            Some(reason) => Flaw::Broken(format!("{which} does not hold: {reason}")),
            None => Flaw::Unchecked(format!("{which} cannot be checked")),
        });
    }
    None
}

/// Whether a PASSporT may be what a diversion from `diverted` links to.
fn leads(other: &Subject, diverted: &Identity) -> bool {
    other.passport.is_some() && other.dest.contains(diverted)
}

/// How old a PASSporT is, by the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Age {
    /// Within the window.
    Fresh,
    /// Older, but no older than a PASSporT may be that was diverted since.
    Late,
    /// Neither.
    Stale,
}

/// The way that holds, if any does; else one that shows what is wrong. Headers have no order (RFC 8946 §3), so a
/// diversion that is worth nothing must not stand in the way of one that is.
fn best_walk(
    start: usize,
    edges: &[Vec<usize>],
    subjects: &[Subject],
    wanted: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let own = &subjects[start];
    let sound = |other: usize| flaw(own, std::iter::once(&subjects[other])).is_none();
    walk(start, edges, sound, &wanted).or_else(|| walk(start, edges, |_| true, &wanted))
}

/// The shortest way from `start` along `edges` over what is `passable` to one that `wanted` accepts, both ends
/// included.
///
/// At most as many steps as there are PASSporTs, which are few (`MAX_IDENTITY_HEADERS`).
fn walk(
    start: usize,
    edges: &[Vec<usize>],
    passable: impl Fn(usize) -> bool,
    wanted: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let mut came_from: Vec<Option<usize>> = vec![None; edges.len()];
    let mut seen = vec![false; edges.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    seen[start] = true;
    while let Some(at) = queue.pop_front() {
        if wanted(at) {
            let way: Vec<usize> = std::iter::successors(Some(at), |step| came_from[*step]).collect();
            return Some(way.into_iter().rev().collect());
        }
        for next in &edges[at] {
            if !seen[*next] && passable(*next) {
                seen[*next] = true;
                came_from[*next] = Some(at);
                queue.push_back(*next);
            }
        }
    }
    None
}

fn list(identities: &[Identity]) -> String {
    identities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
