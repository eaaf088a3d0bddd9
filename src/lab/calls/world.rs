//! The world that calls run through: the networks whose records are held, their links to peers, their switches.

use std::net::Ipv4Addr;

use super::cast::{
    ALDER, CASCADE, CUSTOMERS, HARBOR, LARKSPUR, PROVIDERS, Trade, UPLAND, YARROW, ZEPHYR, customers_of,
};
use super::random::{Random, hash, part};
use super::settings::{Refused, Settings};
use super::write::Layout;
use crate::lab::key::Seed;
use crate::zone::Zone;

/// Everything that is decided before the first call.
#[derive(Debug)]
pub(super) struct World {
    /// What all chance comes from.
    pub(super) root: u64,
    /// The first instant, in milliseconds since 1970.
    pub(super) start: i64,
    /// How long it lasts, in milliseconds: whole days.
    pub(super) length: i64,
    /// Midnight in the middle: a trunk changes hands.
    pub(super) changeover: i64,
    /// The networks whose records are held; the provider is the place in the cast.
    pub(super) networks: Vec<Network>,
}

/// A network whose records are held.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) provider: usize,
    pub(super) links: Vec<Link>,
    pub(super) switches: Vec<Switch>,
}

/// Whom a link leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Party {
    Provider(usize),
    Customer(usize),
}

impl Party {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Provider(place) => PROVIDERS[place].name,
            Self::Customer(place) => CUSTOMERS[place].name,
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::Provider(place) => PROVIDERS[place].slug,
            Self::Customer(place) => CUSTOMERS[place].slug,
        }
    }

    /// As a part of a hash.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Provider(place) => part(place),
            Self::Customer(place) => 1000 + part(place),
        }
    }

    /// Its 16 addresses among those for documentation (RFC 5737).
    fn block(self) -> usize {
        match self {
            Self::Provider(place) => place,
            Self::Customer(place) => PROVIDERS.len() + place,
        }
    }
}

/// One way to a party.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) party: Party,
    pub(super) trunk: String,
    /// What its calls' called numbers begin with, before a `#`.
    pub(super) tech_prefix: Option<&'static str>,
    pub(super) address: Ipv4Addr,
    /// When it is this party's, in milliseconds.
    pub(super) from: Option<i64>,
    pub(super) until: Option<i64>,
    /// The switch that its calls come in by.
    pub(super) switch: usize,
    /// Whether the addresses around it are the party's, too.
    pub(super) is_leased: bool,
}

impl Link {
    /// Whether it is the party's at that time, some hours off its ends.
    fn serves(&self, at: i64) -> bool {
        self.from.is_none_or(|from| from + 3 * HOUR <= at) && self.until.is_none_or(|until| at <= until - 3 * HOUR)
    }
}

/// A switch that writes call records.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) name: String,
    pub(super) layout: Layout,
    /// The zone of its times, where the layout writes local time.
    pub(super) zone: Zone,
    /// How far its clock is off by whole half hours, in milliseconds.
    pub(super) offset: i64,
    /// How far it is off besides.
    pub(super) skew: i64,
    pub(super) spelling: Spelling,
    pub(super) rotation: Rotation,
    pub(super) is_compressed: bool,
    /// The records of this span are lost, in milliseconds.
    pub(super) hole: Option<(i64, i64)>,
    /// When a line comes out damaged.
    pub(super) damage: Vec<i64>,
}

/// How a switch writes numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spelling {
    /// `+12155550112`
    Plus,
    /// `12155550112`
    Whole,
    /// `2155550112`; foreign ones with `011`.
    Ten,
    /// `0012155550112`
    Zeros,
    /// `01112155550112`
    International,
}

/// When a switch begins a new file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rotation {
    Never,
    Daily,
    EverySixHours,
}

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

impl World {
    pub(super) fn new(settings: &Settings) -> Result<Self, Refused> {
        settings.check()?;
        let bytes = Seed::new(&settings.seed).bytes("calls");
        let root = bytes.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let start = settings.start.seconds().div_euclid(86_400) * DAY;
        let length = i64::from(settings.days()) * DAY;
        let changeover = start + i64::from(settings.days().div_ceil(2)) * DAY;
        let mut world = Self { root, start, length, changeover, networks: Vec::new() };
        let switches = settings.networks.max(settings.layouts.len());
        let mut first = 0;
        for provider in 0..settings.networks {
            let count = switches / settings.networks + usize::from(provider < switches % settings.networks);
            let made = (first..first + count).map(|place| world.switch(place, provider, first, settings));
            let network = Network { provider, links: world.links(provider, count), switches: made.collect() };
            first += count;
            world.networks.push(network);
        }
        Ok(world)
    }

    /// The held network of a provider.
    pub(super) fn network_of(&self, provider: usize) -> Option<&Network> {
        self.networks.get(provider)
    }

    fn switch(&self, place: usize, provider: usize, first: usize, settings: &Settings) -> Switch {
        let mut random = Random::of(&[self.root, 0x5317, part(place)]);
        let layout = settings.layouts[place % settings.layouts.len()];
        let zone = random.pick(ZONES).copied().unwrap_or("UTC");
        let zone = if layout.is_universal() { "UTC" } else { zone };
        let spelling = random.pick(SPELLINGS).copied().unwrap_or(Spelling::Plus);
        let sign = if random.chance(500) { 1 } else { -1 };
        let offset = match place {
            _ if place % 7 == 3 => sign * HOUR,
            _ if place % 11 == 8 => sign * HOUR / 2,
            _ => 0,
        };
        let skew = random.between(-25_000, 25_000);
        let rotation =
            *random.pick(&[Rotation::Daily, Rotation::Never, Rotation::EverySixHours]).unwrap_or(&Rotation::Daily);
        let hole = (place % 3 == 1).then(|| {
            let from = self.start + self.length / 2 + random.between(0, self.length / HOUR / 2 - 8) * HOUR;
            (from, from + random.between(3, 6) * HOUR)
        });
        let damaged = 2 + settings.records / 400_000;
        let damage = (0..damaged).map(|_| self.start + random.between(HOUR, self.length - HOUR)).collect();
        Switch {
            name: format!("{}-{}", PROVIDERS[provider].slug, place - first + 1),
            layout,
            zone: Zone::named(zone).unwrap_or_else(|_| Zone::utc()),
            offset,
            skew,
            spelling,
            rotation,
            is_compressed: settings.compressed && random.chance(400),
            hole,
            damage,
        }
    }

    fn links(&self, provider: usize, switches: usize) -> Vec<Link> {
        let mut links = Vec::new();
        let others = (0..PROVIDERS.len()).filter(|other| *other != provider && may_meet(provider, *other));
        let customers = customers_of(provider).into_iter().map(Party::Customer);
        for party in others.map(Party::Provider).chain(customers) {
            let ways = 1 + usize::from(hash(&[self.root, part(provider), party.number(), 1]).is_multiple_of(3));
            for way in 0..ways {
                let switch = switch_of(&[self.root, part(provider), party.number(), 2, part(way)], switches);
                links.push(Link {
                    party,
                    trunk: trunk_name(provider, party, way),
                    tech_prefix: None,
                    address: address(party.block(), way),
                    from: None,
                    until: None,
                    switch,
                    is_leased: false,
                });
            }
        }
        if provider == CASCADE {
            self.lease(&mut links, switches);
        }
        if provider == HARBOR {
            self.share(&mut links, switches);
        }
        links
    }

    /// A trunk and its addresses that change hands in the middle of the world.
    fn lease(&self, links: &mut Vec<Link>, switches: usize) {
        let leased = |party, from, until| Link {
            party: Party::Provider(party),
            trunk: "LEASED_IN_09".to_owned(),
            tech_prefix: None,
            address: address(LEASED_BLOCK, 1),
            from,
            until,
            switch: switch_of(&[self.root, 0x1ea5e], switches),
            is_leased: true,
        };
        links.push(leased(LARKSPUR, None, Some(self.changeover)));
        links.push(leased(UPLAND, Some(self.changeover), None));
    }

    /// A trunk that three peers share, two of them told apart by what their called numbers begin with.
    fn share(&self, links: &mut Vec<Link>, switches: usize) {
        for (party, tech_prefix) in [(YARROW, Some("4401")), (UPLAND, Some("4402")), (ALDER, None)] {
            let party = Party::Provider(party);
            links.push(Link {
                party,
                trunk: "2999".to_owned(),
                tech_prefix,
                address: address(party.block(), 7),
                from: None,
                until: None,
                switch: switch_of(&[self.root, 0x57a2e], switches),
                is_leased: false,
            });
        }
    }
}

impl Network {
    /// A link to a party at a time.
    pub(super) fn link(&self, party: Party, at: i64, chance: u64) -> Option<&Link> {
        let usable: Vec<&Link> = self.links.iter().filter(|link| link.party == party && link.serves(at)).collect();
        let place = chance % part(usable.len()).max(1);
        usable.get(usize::try_from(place).unwrap_or(0)).copied()
    }
}

/// The addresses of a peer as its `[[network.peer]]` names them.
pub(super) fn ranges(party: Party, is_leased: bool) -> Vec<String> {
    let block = if is_leased { LEASED_BLOCK } else { party.block() };
    let mut ranges = vec![format!("{}/28", address(block, usize::MAX))];
    // A wide range around the narrow ones of others: the longest prefix wins.
    if party == Party::Provider(ZEPHYR) {
        ranges.push("192.0.2.0/24".to_owned());
    }
    ranges
}

fn address(block: usize, way: usize) -> Ipv4Addr {
    let [a, b, c] = NETS[block / 16 % NETS.len()];
    let host = if way == usize::MAX { 0 } else { 1 + way % 14 };
    Ipv4Addr::new(a, b, c, u8::try_from(block % 16 * 16 + host).unwrap_or(0))
}

const NETS: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
/// Nobody else's.
const LEASED_BLOCK: usize = 44;

/// Only gateways meet providers abroad.
fn may_meet(provider: usize, other: usize) -> bool {
    PROVIDERS[other].trade != Trade::Foreign || PROVIDERS[provider].trade == Trade::Gateway
}

fn switch_of(parts: &[u64], switches: usize) -> usize {
    usize::try_from(hash(parts) % part(switches).max(1)).unwrap_or(0)
}

/// Every network names its trunks in its own way.
fn trunk_name(provider: usize, party: Party, way: usize) -> String {
    let way = way + 1;
    match provider % 4 {
        0 => format!("tg-{}-{way}", party.slug()),
        1 => format!("{}_IN_{way:02}", party.slug().to_uppercase().replace('-', "_")),
        2 => format!("{}", 2000 + party.number() % 1000 * 10 + party.number() / 1000 * 500 + part(way)),
        _ => format!("{}.peer{way}", party.slug()),
    }
}

const ZONES: &[&str] = &["UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"];
const SPELLINGS: &[Spelling] = &[
    Spelling::Plus,
    Spelling::Whole,
    Spelling::Ten,
    Spelling::Whole,
    Spelling::Plus,
    Spelling::Zeros,
    Spelling::International,
];
