//! A call as it really was, and the lines that the networks on its way write about it.

use super::cast::{FERN, subscribers};
use super::random::{hash, part};
use super::world::{Link, Party, Switch, World};

/// A call as it really was. Times are milliseconds since 1970 by the right clock.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Nobody else's.
    pub(super) id: u64,
    /// When the caller's provider took it.
    pub(super) at: i64,
    /// Whose customer called; nobody known for calls from abroad.
    pub(super) customer: Option<usize>,
    /// The providers from the caller's to the called party's.
    pub(super) path: Vec<usize>,
    /// 0 where it is withheld.
    pub(super) caller: u64,
    /// Who was reached, or should have been.
    pub(super) called: u64,
    /// A hop hands on another caller.
    pub(super) rewritten: Option<(usize, u64)>,
    /// The hop whose subscriber had the call sent on, and the subscriber's number.
    pub(super) diverted: Option<(usize, u64)>,
    /// A first route that failed.
    pub(super) failure: Option<Failure>,
    pub(super) outcome: Outcome,
    /// The campaign that it belongs to.
    pub(super) campaign: Option<usize>,
    pub(super) signing: Option<Signing>,
    /// Whether it is the same pair again, by chance over another way.
    pub(super) is_redial: bool,
}

/// A route that a hop tried first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) hop: usize,
    pub(super) peer: usize,
    /// How long until it was given up.
    pub(super) lasts: i64,
    /// Whether the peer found somebody to hand the call to.
    pub(super) went_on: bool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Until it was answered or refused.
    pub(super) rings: i64,
    /// How long it lasted, where it was answered.
    pub(super) talks: Option<i64>,
    pub(super) status: u16,
    pub(super) q850: u16,
}

/// Who signed a call, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Signing {
    pub(super) hop: usize,
    pub(super) signer: usize,
    pub(super) attest: char,
    /// What the origid is made from.
    pub(super) origin: u64,
    /// The campaign whose one token is played again and again.
    pub(super) replayed: Option<usize>,
}

/// What a network's switch notes of a call, or of one attempt to hand it on.
#[derive(Clone, Debug)]
pub(super) struct Line<'w> {
    /// The network, by its place among those held.
    pub(super) network: usize,
    pub(super) switch: usize,
    /// Its place on the way; none for a route that failed.
    pub(super) hop: Option<usize>,
    pub(super) start: i64,
    pub(super) answer: Option<i64>,
    pub(super) end: i64,
    pub(super) caller: u64,
    pub(super) called: u64,
    /// Whom it was for before it was diverted here.
    pub(super) original: Option<u64>,
    /// Whom it was for before somebody diverted it.
    pub(super) diversion: Option<u64>,
    pub(super) ingress: &'w Link,
    pub(super) egress: Option<&'w Link>,
    pub(super) ingress_leg: u64,
    pub(super) egress_leg: u64,
    pub(super) status: u16,
    pub(super) q850: u16,
    /// Whether a PASSporT comes with it.
    pub(super) is_signed: bool,
    pub(super) is_final: bool,
}

impl Line<'_> {
    /// When the switch says that it began, by the switch's clock, in milliseconds.
    pub(super) const fn recorded_start(&self, switch: &Switch) -> i64 {
        let began = if switch.layout.notes_the_response() {
            match self.answer {
                Some(answer) => answer,
                None => self.end,
            }
        } else {
            self.start
        };
        began + switch.offset + switch.skew
    }
}

impl Call {
    /// Every line that the networks held write about it, lost ones too.
    pub(super) fn lines<'w>(&self, world: &'w World) -> Vec<Line<'w>> {
        let mut lines = Vec::new();
        for hop in 0..self.path.len() {
            self.hop(hop, world, &mut lines);
        }
        if let Some(failure) = self.failure {
            lines.extend(self.failed_peer(failure, world));
        }
        lines
    }

    /// When a hop took the call.
    pub(super) fn reached(&self, hop: usize) -> i64 {
        let delays: i64 = (0..hop).map(|own| self.delay(own)).sum();
        let failed = self.failure.filter(|failure| failure.hop < hop).map_or(0, |failure| failure.lasts);
        self.at + delays + failed
    }

    /// Who calls, as a hop's ingress has it.
    pub(super) fn caller_at(&self, hop: usize) -> u64 {
        self.rewritten.filter(|(own, _)| *own < hop).map_or(self.caller, |(_, number)| number)
    }

    /// Who calls, as a line has it: one of a hop, or of the route that failed.
    pub(super) fn caller_in(&self, hop: Option<usize>) -> u64 {
        let failed = || self.failure.map_or(0, |failure| failure.hop + 1);
        self.caller_at(hop.unwrap_or_else(failed))
    }

    /// Whether its PASSporT comes as far as that hop.
    pub(super) fn is_signed_at(&self, hop: usize) -> bool {
        let is_kept = |from: usize| (from + 1..=hop).all(|own| self.path.get(own) != Some(&FERN));
        self.signing.is_some_and(|own| own.hop <= hop && is_kept(own.hop))
    }

    fn delay(&self, hop: usize) -> i64 {
        60 + i64::try_from(hash(&[self.id, part(hop), 3]) % 500).unwrap_or(0)
    }

    fn hop<'w>(&self, hop: usize, world: &'w World, lines: &mut Vec<Line<'w>>) {
        let Some(network) = world.network_of(self.path[hop]) else { return };
        let chance = |purpose| hash(&[self.id, part(hop), purpose]);
        let before = hop.checked_sub(1).map(|before| Party::Provider(self.path[before]));
        let Some(from) = before.or_else(|| self.customer.map(Party::Customer)) else { return };
        let start = self.reached(hop);
        let Some(ingress) = network.link(from, self.at, chance(4)) else { return };
        let after = self.path.get(hop + 1).map(|after| Party::Provider(*after));
        // One of the access networks notes its subscribers' side, the others do not.
        let to = after.or_else(|| {
            subscribers(network.provider)
                .filter(|_| network.provider % 2 == 0 && network.provider != 0)
                .map(Party::Customer)
        });
        let ending = self.reached(self.path.len() - 1) + self.outcome.rings;
        let diverted = self.diverted.filter(|(own, _)| *own <= hop).map(|(_, number)| number);
        let whole = Line {
            network: network.provider,
            switch: ingress.switch,
            hop: Some(hop),
            start,
            answer: self.outcome.talks.map(|_| ending),
            end: ending + self.outcome.talks.unwrap_or(0),
            caller: self.caller_at(hop),
            called: self.called_at(hop),
            original: self.diverted.filter(|(own, _)| *own == hop).map(|(_, number)| number),
            diversion: diverted,
            ingress,
            egress: to.and_then(|to| network.link(to, self.at, chance(5))),
            ingress_leg: self.leg(hop, 0),
            egress_leg: self.leg(hop + 1, 0),
            status: self.outcome.status,
            q850: self.outcome.q850,
            is_signed: self.is_signed_at(hop),
            is_final: true,
        };
        match self.failure.filter(|failure| failure.hop == hop) {
            Some(failure) => {
                let tried = network.link(Party::Provider(failure.peer), self.at, chance(6));
                lines.push(Line { egress: tried, ..whole.attempt(start, failure.lasts, self.leg(hop + 1, 1)) });
                lines.push(Line { start: start + failure.lasts, ..whole });
            }
            None => lines.push(whole),
        }
    }

    /// What the peer of a failed route noted, where its records are held.
    fn failed_peer<'w>(&self, failure: Failure, world: &'w World) -> Option<Line<'w>> {
        let network = world.network_of(failure.peer)?;
        let chance = |purpose| hash(&[self.id, 0xfa11, purpose]);
        let ingress = network.link(Party::Provider(self.path[failure.hop]), self.at, chance(4))?;
        let next = Party::Provider(*self.path.last()?);
        let egress = network.link(next, self.at, chance(5)).filter(|_| failure.went_on);
        let hop = failure.hop + 1;
        let start = self.reached(failure.hop) + 90;
        let line = Line {
            network: network.provider,
            switch: ingress.switch,
            hop: None,
            start,
            answer: None,
            end: start,
            caller: self.caller_at(hop),
            called: self.called_at(failure.hop),
            original: None,
            diversion: self.diverted.filter(|(own, _)| *own <= failure.hop).map(|(_, number)| number),
            ingress,
            egress,
            ingress_leg: self.leg(hop, 1),
            egress_leg: self.leg(hop, 2),
            status: 503,
            q850: 34,
            is_signed: self.is_signed_at(failure.hop) && network.provider != FERN,
            is_final: true,
        };
        Some(Line { is_final: true, egress, ..line.attempt(start, failure.lasts - 150, line.egress_leg) })
    }

    pub(super) fn called_at(&self, hop: usize) -> u64 {
        self.diverted.filter(|(own, _)| hop < *own).map_or(self.called, |(_, number)| number)
    }

    /// What the Call-ID of a leg is made from.
    fn leg(&self, hop: usize, attempt: u64) -> u64 {
        hash(&[self.id, part(hop), attempt, 0x1e6])
    }
}

impl<'w> Line<'w> {
    /// An attempt that came to nothing.
    fn attempt(&self, start: i64, lasts: i64, egress_leg: u64) -> Self {
        Self {
            start,
            answer: None,
            end: start + lasts,
            status: 503,
            q850: 34,
            is_final: false,
            egress_leg,
            ..self.clone()
        }
    }
}
