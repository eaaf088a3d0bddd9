//! The requests about a world's calls, with what may be answered: by the rules of matching, from what really was.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write as _;

use rayon::prelude::*;

use super::call::Call;
use super::cast::{FICTIONAL, PROVIDERS, fictional};
use super::folder::Place;
use super::held::Held;
use super::plan::{Kind, Plan};
use super::random::{Random, part};
use super::slot::{Picked, PickedLine, is_lost, picked_line};
use super::traffic::Traffic;
use super::truth::{Part, Truth, findings};
use super::world::{HOUR, World};
use crate::time::UnixTime;

/// A call that is asked about, and where its lines came to stand.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) picked: Picked,
    /// As many as the picked lines; none where one is lost.
    pub(super) places: Vec<Option<Place>>,
}

/// A request as it is printed.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) truth: Truth,
}

/// What is asked.
struct Asked {
    from: u64,
    to: u64,
    /// Seconds.
    earliest: i64,
    latest: i64,
    how: &'static str,
}

/// Lines of other calls for a number that is asked about.
type Others = HashMap<u64, Vec<Other>>;

/// When called numbers are asked about, in seconds.
type Times = HashMap<u64, Vec<i64>>;

#[derive(Clone, Debug)]
struct Other {
    call: u64,
    caller: u64,
    line: PickedLine,
}

/// Makes the requests.
pub(super) struct Clerk<'a> {
    pub(super) world: &'a World,
    pub(super) traffic: &'a Traffic<'a>,
    pub(super) plan: &'a Plan,
    pub(super) held: &'a [(usize, usize, Held)],
}

impl Clerk<'_> {
    /// As many requests as wanted, where so many are fair.
    pub(super) fn requests(&self, located: Vec<Located>, wanted: usize) -> Vec<Request> {
        let mut by_candidate: HashMap<usize, Located> =
            located.into_iter().map(|own| (own.picked.candidate, own)).collect();
        let candidates = self.plan.candidates.iter().enumerate();
        let asked: Vec<(usize, Asked, Option<Located>)> = candidates
            .filter_map(|(place, own)| {
                let located = by_candidate.remove(&place);
                let mut random = Random::of(&[self.world.root, 0xa5c, part(place)]);
                let asked = match (&located, own.kind) {
                    (Some(own), _) => ask_about(&own.picked.call, &mut random),
                    (None, Kind::Never) => self.ask_in_vain(&mut random),
                    (None, _) => return None,
                };
                Some((place, asked, located))
            })
            .collect();
        let mut times: Times = HashMap::new();
        for (_, asked, _) in &asked {
            times.entry(asked.to).or_default().push(asked.earliest);
        }
        let others = self.others(&times);
        let mut requests: Vec<Request> = Vec::new();
        for (place, asked, located) in asked {
            if requests.len() == wanted {
                break;
            }
            let kind = self.plan.candidates[place].kind;
            if let Some(mut truth) = self.truth(&asked, kind, located.as_ref(), &others) {
                truth.id = format!("TB-{:06}", requests.len() + 1);
                let campaign = located.as_ref().and_then(|own| own.picked.call.campaign);
                let campaign = campaign.map_or("", |place| self.traffic.campaigns()[place].name);
                let line = print(&truth.id, &asked, campaign, place);
                requests.push(Request { line, truth });
            }
        }
        requests
    }

    /// Everything else that was said about these called numbers: the calls are made once more, and not kept.
    fn others(&self, times: &Times) -> Others {
        let slots: Vec<Vec<(u64, Other)>> =
            (0..self.traffic.slots()).into_par_iter().map(|slot| self.others_of(slot, times)).collect();
        let mut others: Others = HashMap::new();
        for (number, other) in slots.into_iter().flatten() {
            others.entry(number).or_default().push(other);
        }
        others
    }

    fn others_of(&self, slot: usize, times: &Times) -> Vec<(u64, Other)> {
        let mut found = Vec::new();
        for call in self.traffic.slot(slot) {
            let original = call.diverted.map(|(_, number)| number);
            for number in std::iter::once(call.called).chain(original) {
                let Some(asked) = times.get(&number) else { continue };
                if asked.iter().all(|asked| (call.at / 1000 - asked).abs() > FAR) {
                    continue;
                }
                for line in call.lines(self.world) {
                    let switch = &self.world.networks[line.network].switches[line.switch];
                    let picked = picked_line(&line, switch);
                    if picked.is_for(number) && !is_lost(&line, switch) {
                        found.push((number, Other { call: call.id, caller: line.caller, line: picked }));
                    }
                }
            }
        }
        found
    }

    /// What may be answered; none where the request would not be fair.
    fn truth(&self, asked: &Asked, kind: Kind, located: Option<&Located>, others: &Others) -> Option<Truth> {
        let own = located.map(|own| own.picked.call.id);
        // Whoever knows which clocks are wrong may set them right, or not.
        let tiers = |caller: u64, line: &PickedLine| {
            let switch = &self.world.networks[line.network].switches[line.switch];
            [tier(asked, caller, line.start), tier(asked, caller, line.start - switch.offset / 1000)]
        };
        let rivals: Vec<(&Other, [Option<Tier>; 2])> = others
            .get(&asked.to)
            .into_iter()
            .flatten()
            .filter(|other| Some(other.call) != own)
            .map(|other| (other, tiers(other.caller, &other.line)))
            .filter(|(_, tiers)| tiers.iter().any(Option::is_some))
            .collect();
        let mut truth = Truth::new(kind.as_str(), asked.how);
        let answering = located.and_then(|own| Some((own, answering(own, asked.to)?)));
        let Some((located, (network, hop))) = answering else {
            // Nobody may have anything that looks like it.
            let status = if self.is_whole(asked) { "not-found" } else { "cannot-say" };
            truth.status = vec![status];
            return rivals.is_empty().then_some(truth);
        };
        let call = &located.picked.call;
        let lines = || {
            located.picked.places.iter().zip(&located.places).filter(|(line, _)| {
                line.network == network && line.hop.is_some() == hop.is_some() && line.is_for(asked.to)
            })
        };
        let present = || lines().filter(|(_, place)| place.is_some());
        let best = |clock: usize| present().filter_map(|(line, _)| tiers(call.caller_in(line.hop), line)[clock]).min();
        let (mine, righted) = (best(0)?, best(1)?);
        // Where the call ends, that network answers, whatever others have; else one of them might be the nearer.
        let is_end = hop.is_some_and(|hop| hop + 1 == call.path.len());
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            rivals.into_iter().partition(|(other, _)| other.line.network == network);
        if !is_end && !elsewhere.is_empty() {
            return None;
        }
        let mut as_good: Vec<&Other> = Vec::new();
        for (other, tiers) in here {
            let compared = [(tiers[0], mine), (tiers[1], righted)];
            let [one, two] =
                compared.map(|(theirs, mine)| theirs.map_or(Ordering::Greater, |theirs| theirs.cmp(&mine)));
            match one {
                // One that fits better, or only with clocks set right: nobody could tell.
                _ if one != two || one == Ordering::Less => return None,
                Ordering::Equal => as_good.push(other),
                _ => {}
            }
        }
        let here = as_good;
        let shown = lines().filter(|(_, place)| place.is_some()).min_by_key(|(line, _)| line.hop)?.0;
        let is_same = |other: &&Other| other.line.upstream == shown.upstream;
        truth.network = Some(PROVIDERS[network].name);
        truth.upstream = Some(shown.upstream);
        truth.tier = Some(mine.as_str());
        truth.records = lines().filter_map(|(_, place)| place.clone()).collect();
        truth.networks = Part::all(located);
        truth.alone = here.is_empty();
        truth.status = if here.iter().all(is_same) { vec!["found"] } else { vec!["ambiguous"] };
        // Sold on and bought back: the network has the call twice, from two upstreams.
        if truth.status == ["found"] && lines().any(|(line, place)| place.is_some() && line.hop != hop) {
            truth.status.push("ambiguous");
        }
        truth.chain = call.path.iter().map(|own| PROVIDERS[*own].name).collect();
        truth.customer = call.customer.map(|own| super::cast::CUSTOMERS[own].name);
        if let Some(signing) = call.signing.filter(|_| shown.is_signed) {
            truth.attest = Some(signing.attest);
            truth.signer = PROVIDERS[signing.signer].spc;
        }
        truth.findings = findings(call, located, self.world);
        Some(truth)
    }

    /// Whether every switch holds what lies a quarter of an hour around the time.
    fn is_whole(&self, asked: &Asked) -> bool {
        let (from, to) = (asked.earliest - NEAR, asked.latest + NEAR);
        self.held.iter().all(|(_, _, held)| held.is_whole(from, to))
    }

    /// A call that nobody made.
    fn ask_in_vain(&self, random: &mut Random) -> Asked {
        let (start, length) = (self.world.start, self.world.length);
        let holes: Vec<(i64, i64)> =
            self.world.networks.iter().flat_map(|own| own.switches.iter().filter_map(|switch| switch.hole)).collect();
        let (how, at) = match random.below(100) {
            0..55 => ("never", random.between(start + 3 * HOUR, start + length - 3 * HOUR)),
            55..65 => ("outside", start - random.between(20, 90) * HOUR),
            65..75 => ("outside", start + length + random.between(20, 90) * HOUR),
            _ => match random.pick(&holes) {
                Some((from, until)) => ("hole", random.between(*from, *until)),
                None => ("never", random.between(start + 3 * HOUR, start + length - 3 * HOUR)),
            },
        };
        let at = at / 1000;
        Asked {
            from: fictional(random.below(FICTIONAL)),
            to: fictional(random.below(FICTIONAL)),
            earliest: at,
            latest: at,
            how,
        }
    }
}

/// The network and the hop nearest the called party that has a line with that number; where no hop has one, the network
/// that was tried in vain, which has the call too.
fn answering(located: &Located, called: u64) -> Option<(usize, Option<usize>)> {
    let lines = located.picked.places.iter().zip(&located.places);
    let having = lines.filter(|(line, place)| place.is_some() && line.is_for(called));
    having.map(|(line, _)| (line.hop, line.network)).max().map(|(hop, network)| (network, hop))
}

/// As the called party's provider has it, at a time that is more or less right.
fn ask_about(call: &Call, random: &mut Random) -> Asked {
    let last = call.path.len() - 1;
    let at = call.reached(last).div_euclid(1000);
    let (from, to) = (call.caller_at(last), call.called);
    let asked = |earliest, latest, how| Asked { from, to, earliest, latest, how };
    match random.below(100) {
        0..45 => {
            let at = at + random.between(-2, 2);
            asked(at, at, "exact")
        }
        45..70 => {
            let at = at + random.between(-90, 90);
            asked(at, at, "seconds")
        }
        70..92 => {
            let minute = at.div_euclid(60) * 60;
            asked(minute, minute + 59, "minute")
        }
        _ => {
            let away = random.between(420, 720);
            let at = if random.chance(500) { at + away } else { at - away };
            asked(at, at, "near")
        }
    }
}

fn print(id: &str, asked: &Asked, campaign: &str, place: usize) -> String {
    let number = |number: u64, style: usize| match (number, style) {
        (0, _) => "anonymous".to_owned(),
        (_, 0) => format!("+{number}"),
        (_, 1) => format!("{number}"),
        (10_000_000_000..20_000_000_000, _) => {
            let text = number.to_string();
            format!("({}) {}-{}", &text[1..4], &text[4..7], &text[7..])
        }
        _ => format!("+{number}"),
    };
    let utc = UnixTime::from_seconds(asked.earliest).to_string();
    let time = match (asked.how, place % 3) {
        ("minute", _) => format!("{} {} +0000", &utc[..10], &utc[11..16]),
        (_, 0) => utc,
        (_, 1) => utc.replace('T', " ").replace('Z', " +0000"),
        _ => {
            let local = UnixTime::from_seconds(asked.earliest - 5 * 3600).to_string();
            local.replace('Z', "-05:00")
        }
    };
    let received = UnixTime::from_seconds(asked.earliest + 3 * 86_400);
    let mut line = String::new();
    let _ = writeln!(
        line,
        "{id},{},{},{time},{campaign},{received},Consortium",
        number(asked.from, place % 3),
        number(asked.to, place / 3 % 3)
    );
    line
}

/// The columns of the requests.
pub(super) const HEADER: &str = "id,from,to,time,campaign,received,source\n";

/// How well a line fits a request, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Tier {
    Exact,
    Near,
    Clock,
    CalledOnly,
}

impl Tier {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Clock => "clock",
            Self::CalledOnly => "called-only",
        }
    }
}

/// Two minutes, a quarter of an hour, half hours up to twelve hours within two minutes: traceback 4.10.
fn tier(asked: &Asked, caller: u64, start: i64) -> Option<Tier> {
    let away = if start < asked.earliest { asked.earliest - start } else { (start - asked.latest).max(0) };
    if caller != asked.from {
        return (away <= EXACT).then_some(Tier::CalledOnly);
    }
    let beyond = away % HALF_HOUR;
    match away {
        ..=EXACT => Some(Tier::Exact),
        _ if away <= NEAR => Some(Tier::Near),
        _ if away <= 24 * HALF_HOUR + EXACT && (beyond <= EXACT || beyond >= HALF_HOUR - EXACT) => Some(Tier::Clock),
        _ => None,
    }
}

const EXACT: i64 = 120;
const NEAR: i64 = 900;
const HALF_HOUR: i64 = 1800;
/// No line of a call further off can fit: twelve hours, a wrong clock, a long ring and a route that failed.
const FAR: i64 = 15 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiers_end_where_the_design_says() {
        let asked = Asked { from: 1, to: 2, earliest: 100_000, latest: 100_059, how: "minute" };
        for (caller, start, expected) in [
            (1, 100_179, Some(Tier::Exact)),
            (1, 100_180, Some(Tier::Near)),
            (1, 99_100, Some(Tier::Near)),
            (1, 99_099, None),
            (1, 100_059 + 1680, Some(Tier::Clock)),
            (1, 100_000 - 43_320, Some(Tier::Clock)),
            (1, 100_000 - 45_000, None),
            (3, 99_880, Some(Tier::CalledOnly)),
            (3, 99_879, None),
        ] {
            assert_eq!(tier(&asked, caller, start), expected, "{start}");
        }
    }
}
