//! The calls of a world, a quarter of an hour at a time: each slot is made by itself, from its own chance.

use super::call::{Call, Failure, Outcome, Signing};
use super::cast::{
    ALDER, BIRCH, CASCADE, COBALT, CUSTOMERS, DIALERS, FERN, FICTIONAL, HARBOR, JUNIPER, LARKSPUR, MAPLE, PRAIRIE,
    PROVIDERS, QUARRY, SALTMARSH, TWILL, UPLAND, YARROW, ZEPHYR, british, customers_of, fictional, home_of,
    unassignable,
};
use super::random::{Random, hash, part};
use super::settings::Settings;
use super::world::World;

/// How long a slot is, in milliseconds.
pub(super) const SLOT: i64 = 15 * 60 * 1000;

/// All the calls of a world.
#[derive(Debug)]
pub(super) struct Traffic<'w> {
    world: &'w World,
    campaigns: Vec<Campaign>,
    identity: u64,
    total: u64,
    /// The weight of all slots up to each, itself included.
    weights: Vec<u64>,
}

/// A dialer's calls: many called numbers, callers in rotation.
#[derive(Clone, Debug)]
pub(super) struct Campaign {
    pub(super) name: &'static str,
    pub(super) customer: usize,
    /// Callers in rotation.
    pool: Vec<u64>,
    /// Plays one token again and again.
    pub(super) replays: bool,
    spoofs: bool,
}

impl<'w> Traffic<'w> {
    /// The calls of a world that leave about as many lines as the settings want.
    pub(super) fn new(world: &'w World, settings: &Settings) -> Self {
        let campaigns = (0..settings.campaigns).map(|place| Campaign::new(world.root, place)).collect();
        let slots = usize::try_from(world.length / SLOT).unwrap_or(0);
        let weights = (0..slots).scan(0, |sum, slot| {
            *sum += BY_HOUR[slot / 4 % 24];
            Some(*sum)
        });
        let weights = weights.collect();
        let mut traffic = Self { world, campaigns, identity: u64::from(settings.identity), total: 0, weights };
        traffic.total = traffic.calls_for(settings.records);
        traffic
    }

    pub(super) const fn slots(&self) -> usize {
        self.weights.len()
    }

    /// How many calls are planned; redials come on top.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// The slot in which the call of that place stands.
    pub(super) fn slot_of(&self, place: u64) -> usize {
        self.weights.partition_point(|weight| self.calls_up_to(*weight) <= place).min(self.slots() - 1)
    }

    /// The calls that begin in a slot, and the redials of these.
    pub(super) fn slot(&self, slot: usize) -> Vec<Call> {
        let before = slot.checked_sub(1).map_or(0, |before| self.calls_until(before));
        let from = self.world.start + i64::try_from(slot).unwrap_or(0) * SLOT;
        let mut calls = Vec::new();
        for ordinal in 0..self.calls_until(slot) - before {
            let mut random = Random::of(&[self.world.root, part(slot), ordinal]);
            let id = part(slot) << 32 | ordinal << 4;
            let at = from + random.between(0, SLOT - 1);
            let call = self.call(id, at, slot / 4 % 24, &mut random);
            let again = call.campaign.is_some() && random.chance(50);
            calls.push(call);
            if let (true, Some(first)) = (again, calls.last()) {
                let redial = self.redial(first, &mut random);
                calls.push(redial);
            }
        }
        calls
    }

    /// From a sample: how many calls leave so many lines.
    fn calls_for(&self, records: u64) -> u64 {
        let mut random = Random::of(&[self.world.root, 0xca11b]);
        let sample = (0..SAMPLE).map(|id| self.call(id, self.world.start, 18, &mut random));
        let lines: u64 = sample.map(|call| part(call.lines(self.world).len())).sum();
        (records.saturating_mul(SAMPLE) / lines.max(1)).max(1)
    }

    fn calls_until(&self, slot: usize) -> u64 {
        self.calls_up_to(self.weights[slot])
    }

    fn calls_up_to(&self, weight: u64) -> u64 {
        let all = self.weights.last().copied().unwrap_or(1);
        let calls = u128::from(self.total) * u128::from(weight) / u128::from(all);
        u64::try_from(calls).unwrap_or(0)
    }

    fn call(&self, id: u64, at: i64, hour: usize, random: &mut Random) -> Call {
        // Dialers keep office hours, roughly, somewhere in the country.
        let dialing = (13..24).contains(&hour) || hour < 2;
        let campaign = (dialing && random.chance(350)).then(|| random.index(self.campaigns.len()));
        let called = fictional(random.below(FICTIONAL));
        let (customer, first, caller) = match campaign {
            Some(place) => {
                let own = &self.campaigns[place];
                let caller = own.pool[random.index(own.pool.len())];
                (Some(own.customer), CUSTOMERS[own.customer].provider, caller)
            }
            None => background(random),
        };
        let mut call = Call {
            id,
            at,
            customer,
            path: route(first, home_of(called), random),
            caller,
            called,
            rewritten: None,
            diverted: None,
            failure: None,
            outcome: outcome(campaign.is_some(), random),
            campaign,
            signing: None,
            is_redial: false,
        };
        divert(&mut call, random);
        rewrite(&mut call, random);
        fail(&mut call, random);
        call.signing = self.signing(&call, random);
        call
    }

    /// The same pair again: soon after or later, by the same way or another one.
    fn redial(&self, first: &Call, random: &mut Random) -> Call {
        let later =
            if random.chance(600) { random.between(15_000, 100_000) } else { random.between(300_000, 2_400_000) };
        let mut call = Call { id: first.id | 1, at: first.at + later, is_redial: true, ..first.clone() };
        if random.chance(500) {
            call.path = route(first.path[0], home_of(first.called), random);
            (call.rewritten, call.diverted, call.failure) = (None, None, None);
            if let Some((_, number)) = first.diverted {
                call.path = route(first.path[0], home_of(number), random);
                call.called = number;
            }
        }
        call.outcome = outcome(true, random);
        call.signing = self.signing(&call, random);
        call
    }

    fn signing(&self, call: &Call, random: &mut Random) -> Option<Signing> {
        let share = if call.campaign.is_some() { self.identity.saturating_mul(4) } else { self.identity };
        if random.below(1_000_000) >= share || call.caller == 0 {
            return None;
        }
        let by = |hop: usize, attest: char, origin: u64| {
            let signer = call.path[hop];
            PROVIDERS[signer].leaf.map(|_| Signing { hop, signer, attest, origin, replayed: None })
        };
        let Some(customer) = call.customer else {
            return by(1, 'C', 7 + part(call.path[0]));
        };
        let campaign = call.campaign.and_then(|place| self.campaigns.get(place));
        let is_diligent = campaign.is_some() || !hash(&[self.world.root, part(customer), 0x516]).is_multiple_of(4);
        if is_diligent && let Some(own) = by(0, attestation(customer, campaign), 100 + part(customer)) {
            let replayed = call.campaign.filter(|_| campaign.is_some_and(|own| own.replays));
            return Some(Signing { replayed, ..own });
        }
        // Who takes an unsigned call signs it: properly with C, improperly with B.
        let hop = call.path.iter().position(|own| matches!(*own, CASCADE | HARBOR)).filter(|hop| *hop > 0)?;
        let attest = if random.chance(600) { 'C' } else { 'B' };
        if random.chance(400) { by(hop, attest, 50 + part(call.path[hop - 1])) } else { None }
    }
}

fn attestation(customer: usize, campaign: Option<&Campaign>) -> char {
    match customer {
        _ if campaign.is_some_and(|own| own.spoofs) => 'A',
        0..6 => 'B',
        place if hash(&[part(place), 0xa77]).is_multiple_of(3) => 'B',
        _ => 'A',
    }
}

impl Campaign {
    fn new(root: u64, place: usize) -> Self {
        let customer = DIALERS[place % DIALERS.len()];
        let mut random = Random::of(&[root, 0xca3, part(place)]);
        let spoofs = CUSTOMERS[customer].provider == LARKSPUR;
        let size = random.between(12, 80);
        let number = |random: &mut Random| {
            if spoofs { unassignable(random.below(1000)) } else { fictional(random.below(FICTIONAL)) }
        };
        let pool = (0..size).map(|_| number(&mut random)).collect();
        Self { name: NAMES[place % NAMES.len()], customer, pool, replays: place % 8 == 4, spoofs }
    }

    /// The caller and the called party that a replayed token speaks of.
    pub(super) fn replayed(&self) -> (u64, u64) {
        (self.pool[0], fictional(hash(&[self.pool[0]]) % FICTIONAL))
    }
}

const NAMES: &[&str] = &[
    "Mortgage relief",
    "Vehicle warranty",
    "Utility discount",
    "Prize notification",
    "Medical brace",
    "Student loans",
    "Debt consolidation",
    "Travel voucher",
];

/// Calls by the hour of the day in UTC: America sleeps from 6 to 11.
const BY_HOUR: [u64; 24] =
    [60, 52, 44, 36, 28, 22, 16, 14, 14, 15, 20, 32, 55, 78, 92, 100, 100, 98, 98, 100, 96, 88, 78, 68];

const SAMPLE: u64 = 4000;

/// Somebody calls somebody: the customer, the provider, the caller.
fn background(random: &mut Random) -> (Option<usize>, usize, u64) {
    let first = *random.pick(ORIGINS).unwrap_or(&PRAIRIE);
    let caller = match random.below(100) {
        0..3 => 0,
        _ => fictional(random.below(FICTIONAL)),
    };
    if matches!(first, MAPLE | COBALT) {
        let caller = if random.chance(500) { british(random.below(1000)) } else { caller };
        return (None, first, caller);
    }
    let customers = customers_of(first);
    (random.pick(&customers).copied(), first, caller)
}

/// By weight.
const ORIGINS: &[usize] = &[
    PRAIRIE, PRAIRIE, PRAIRIE, PRAIRIE, PRAIRIE, QUARRY, QUARRY, QUARRY, QUARRY, LARKSPUR, LARKSPUR, UPLAND, UPLAND,
    YARROW, YARROW, ALDER, TWILL, TWILL, BIRCH, CASCADE, HARBOR, SALTMARSH, ZEPHYR, ZEPHYR, MAPLE, COBALT,
];

fn route(first: usize, home: usize, random: &mut Random) -> Vec<usize> {
    let mut path = vec![first];
    if matches!(first, MAPLE | COBALT) {
        path.push(JUNIPER);
    } else if first == home {
        return path;
    }
    let between = match random.below(100) {
        0..12 => 0,
        12..60 => 1,
        60..90 => 2,
        _ => 3,
    };
    let mut wholesalers: Vec<usize> =
        [CASCADE, HARBOR, SALTMARSH, FERN].into_iter().filter(|own| *own != first).collect();
    for _ in 0..between {
        let place = random.index(wholesalers.len());
        path.push(wholesalers.swap_remove(place));
    }
    // A wholesaler sells the call on, and buys it back.
    if between == 2 && random.chance(8) {
        path.push(path[path.len() - 2]);
    }
    path.push(home);
    path
}

/// The subscriber had it sent on to another network's subscriber.
fn divert(call: &mut Call, random: &mut Random) {
    if !random.chance(12) || call.path.len() < 2 {
        return;
    }
    let hop = call.path.len() - 1;
    let carriers = [CASCADE, HARBOR].into_iter().find(|own| !call.path.contains(own));
    let target = fictional(random.below(FICTIONAL));
    if let Some(carrier) = carriers.filter(|_| !call.path.contains(&home_of(target))) {
        call.diverted = Some((hop, call.called));
        call.path.extend([carrier, home_of(target)]);
        call.called = target;
    }
}

/// Saltmarsh has customers who like a caller from next door.
fn rewrite(call: &mut Call, random: &mut Random) {
    let hop = call.path.iter().position(|own| *own == SALTMARSH);
    if let Some(hop) = hop.filter(|hop| *hop + 1 < call.path.len() && call.diverted.is_none() && call.caller != 0) {
        let neighbour = call.called - call.called % 100 + random.below(100);
        if random.chance(120) && neighbour != call.called && neighbour != call.caller {
            call.rewritten = Some((hop, neighbour));
        }
    }
}

/// The cheapest route does not always work.
fn fail(call: &mut Call, random: &mut Random) {
    let last = call.path.len() - 1;
    let hops = (0..last).filter(|hop| matches!(call.path[*hop], CASCADE | HARBOR | SALTMARSH | TWILL | JUNIPER));
    let hops: Vec<usize> = hops.collect();
    let peers = [HARBOR, CASCADE, SALTMARSH].into_iter().find(|own| !call.path.contains(own));
    if let (true, Some(hop), Some(peer)) = (random.chance(90), random.pick(&hops).copied(), peers) {
        call.failure = Some(Failure { hop, peer, lasts: random.between(900, 6000), went_on: random.chance(500) });
    }
}

fn outcome(is_dialer: bool, random: &mut Random) -> Outcome {
    let rings = random.between(1500, 24_000);
    let (answered, longest) = if is_dialer { (450, 25_000) } else { (680, 420_000) };
    if random.chance(answered) {
        let talks = random.between(1000, longest).max(random.between(1000, longest) / 3);
        return Outcome { rings, talks: Some(talks), status: 200, q850: 16 };
    }
    let (status, q850) = *random.pick(&[(480, 18), (486, 17), (487, 16), (603, 21), (404, 1)]).unwrap_or(&(480, 18));
    Outcome { rings, talks: None, status, q850 }
}
