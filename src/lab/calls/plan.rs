//! Which calls of a world will be asked about: decided before any of them is made, so that none has to be kept.

use std::collections::BTreeMap;

use super::random::{Random, part};
use super::traffic::Traffic;
use super::world::World;

/// What kind of call a request is to be about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A dialer's.
    Campaign,
    /// Anybody's.
    Background,
    /// One that was dialed again.
    Redial,
    /// One that never was.
    Never,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Background => "background",
            Self::Redial => "redial",
            Self::Never => "never-made",
        }
    }
}

/// A request to be, with a call or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    /// The call, by its place among all.
    place: u64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) candidates: Vec<Candidate>,
    by_slot: BTreeMap<usize, Vec<usize>>,
}

impl Plan {
    /// More than are asked for: some make no fair request.
    pub(super) fn new(world: &World, traffic: &Traffic<'_>, requests: usize) -> Self {
        let mut plan = Self { candidates: Vec::new(), by_slot: BTreeMap::new() };
        for place in 0..requests * 2 + 8 {
            let mut random = Random::of(&[world.root, 0x91a2, part(place)]);
            let kind = match random.below(100) {
                0..52 => Kind::Campaign,
                52..78 => Kind::Background,
                78..88 => Kind::Redial,
                _ => Kind::Never,
            };
            let candidate = Candidate { kind, place: random.below(traffic.total()) };
            if kind != Kind::Never {
                plan.by_slot.entry(traffic.slot_of(candidate.place)).or_default().push(place);
            }
            plan.candidates.push(candidate);
        }
        plan
    }

    /// Which of a slot's calls are wanted, and by which candidate.
    pub(super) fn wanted(&self, slot: usize, traffic: &Traffic<'_>) -> Vec<(usize, usize)> {
        let Some(candidates) = self.by_slot.get(&slot) else { return Vec::new() };
        let calls = traffic.slot(slot);
        let mut wanted = Vec::new();
        for candidate in candidates {
            let own = self.candidates[*candidate];
            let fits = |index: &usize| {
                let call = &calls[*index];
                match own.kind {
                    Kind::Campaign => call.campaign.is_some() && !call.is_redial,
                    Kind::Background => call.campaign.is_none(),
                    Kind::Redial => calls.get(*index + 1).is_some_and(|next| next.is_redial),
                    Kind::Never => false,
                }
            };
            let first = usize::try_from(own.place % part(calls.len()).max(1)).unwrap_or(0);
            let around = (0..calls.len()).map(|step| (first + step) % calls.len());
            wanted.extend(around.into_iter().find(fits).map(|call| (*candidate, call)));
        }
        wanted
    }
}
