//! What every switch writes in a quarter of an hour: made by itself, so that many are made at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::call::{Call, Line};
use super::random::{hash, part};
use super::signing::Keys;
use super::traffic::{SLOT, Traffic};
use super::world::{Spelling, Switch, World};
use super::write::{Entry, Side, spell};

/// What a switch wrote in a slot.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Whole lines; a gzip member where the switch compresses.
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
    pub(super) records: u64,
    /// The recorded starts of the lines in their order, in seconds; none for a damaged line.
    pub(super) starts: Vec<Option<i64>>,
}

/// A call that is asked about, and where its lines stand.
#[derive(Debug)]
pub(super) struct Picked {
    /// Which of the planned requests wants it.
    pub(super) candidate: usize,
    pub(super) call: Call,
    pub(super) places: Vec<PickedLine>,
}

/// A line about a call that is asked about.
#[derive(Clone, Debug)]
pub(super) struct PickedLine {
    pub(super) network: usize,
    pub(super) switch: usize,
    pub(super) hop: Option<usize>,
    /// Its place among the slot's lines of the switch, from 0; none where it is lost.
    pub(super) position: Option<u64>,
    /// Who handed it over.
    pub(super) upstream: &'static str,
    /// By the switch's clock, in seconds.
    pub(super) start: i64,
    pub(super) is_signed: bool,
    /// Every number that it says the call was for.
    numbers: [Option<u64>; 3],
}

impl PickedLine {
    /// Whether it says that the call was for a number.
    pub(super) fn is_for(&self, number: u64) -> bool {
        self.numbers.contains(&Some(number))
    }
}

/// Everything of a slot, switch after switch, network after network.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) outputs: Vec<Output>,
    pub(super) picked: Vec<Picked>,
}

/// A line with what belongs to its call.
struct Noted<'a> {
    line: Line<'a>,
    call: usize,
}

impl Slot {
    /// Makes a slot; `wanted` says which candidates want which of its calls.
    pub(super) fn make(
        slot: usize,
        traffic: &Traffic<'_>,
        world: &World,
        keys: &Keys,
        wanted: &[(usize, usize)],
    ) -> Self {
        let calls = traffic.slot(slot);
        let asked: BTreeSet<usize> = wanted.iter().map(|(_, call)| *call).collect();
        let mut by_switch: BTreeMap<(usize, usize), Vec<Noted<'_>>> = BTreeMap::new();
        let mut identities: Vec<Option<String>> = Vec::with_capacity(calls.len());
        let mut places: BTreeMap<usize, Vec<(PickedLine, u64)>> = BTreeMap::new();
        for (index, call) in calls.iter().enumerate() {
            let lines = call.lines(world);
            let carries = |line: &Line<'_>| {
                line.is_signed && world.networks[line.network].switches[line.switch].layout.records_identities()
            };
            identities.push(if lines.iter().any(carries) { keys.sign(call, traffic) } else { None });
            for line in lines {
                let switch = &world.networks[line.network].switches[line.switch];
                if asked.contains(&index) {
                    places.entry(index).or_default().push((picked_line(&line, switch), line.egress_leg));
                }
                if !is_lost(&line, switch) {
                    by_switch.entry((line.network, line.switch)).or_default().push(Noted { line, call: index });
                }
            }
        }
        let mut outputs = Vec::new();
        for (network, own) in world.networks.iter().enumerate() {
            for (place, switch) in own.switches.iter().enumerate() {
                let mut noted = by_switch.remove(&(network, place)).unwrap_or_default();
                noted.sort_by_key(|own| (own.line.end, calls[own.call].id, own.line.start, own.line.hop));
                let mut pen = Pen { switch, slot, world, output: Output::default(), text: String::new() };
                for (index, own) in noted.iter().enumerate() {
                    pen.damage(index, &noted, &calls, &identities);
                    if let Some(picked) = places.get_mut(&own.call) {
                        let is_own = |(line, leg): &&mut (PickedLine, u64)| {
                            line.network == network && line.hop == own.line.hop && *leg == own.line.egress_leg
                        };
                        if let Some((line, _)) = picked.iter_mut().find(is_own) {
                            line.position = Some(pen.output.lines);
                        }
                    }
                    pen.write(own, calls[own.call].id, identities[own.call].as_deref());
                }
                outputs.push(pen.finish());
            }
        }
        let picked = wanted.iter().map(|(candidate, call)| Picked {
            candidate: *candidate,
            call: calls[*call].clone(),
            places: places.get(call).into_iter().flatten().map(|(line, _)| line.clone()).collect(),
        });
        let picked = picked.collect();
        Self { outputs, picked }
    }
}

/// A line as the plan of requests knows it; where it stands is found when it is written.
pub(super) fn picked_line(line: &Line<'_>, switch: &Switch) -> PickedLine {
    PickedLine {
        network: line.network,
        switch: line.switch,
        hop: line.hop,
        position: None,
        upstream: line.ingress.party.name(),
        start: line.recorded_start(switch).div_euclid(1000),
        is_signed: line.is_signed && switch.layout.records_identities(),
        numbers: [Some(line.called), line.original, line.diversion],
    }
}

/// Whether a line lies in the span whose records are lost.
pub(super) fn is_lost(line: &Line<'_>, switch: &Switch) -> bool {
    switch.hole.is_some_and(|(from, until)| (from..until).contains(&line.start))
}

/// Writes for one switch.
struct Pen<'a> {
    switch: &'a Switch,
    slot: usize,
    world: &'a World,
    output: Output,
    text: String,
}

impl Pen<'_> {
    fn write(&mut self, noted: &Noted<'_>, id: u64, identity: Option<&str>) {
        let before = self.text.len();
        self.entry(noted, id, identity);
        let lines = self.text.as_bytes()[before..].iter().filter(|c| **c == b'\n').count();
        self.output.lines += part(lines);
        self.output.records += 1;
        self.output.starts.push(Some(noted.line.recorded_start(self.switch).div_euclid(1000)));
    }

    fn entry(&mut self, noted: &Noted<'_>, id: u64, identity: Option<&str>) {
        let (line, switch) = (&noted.line, self.switch);
        let clock = |at: i64| at + switch.offset + switch.skew;
        let number = |number: u64| {
            let mut text = String::new();
            spell(number, switch.spelling, &mut text);
            text
        };
        let calling = number(line.caller);
        let mut called = number(line.called);
        if let Some(prefix) = line.ingress.tech_prefix {
            called.insert_str(0, &format!("{prefix}#"));
        } else if line.called % 7 == 3 && switch.spelling == Spelling::Plus && switch.layout.takes_parameters() {
            // A ported number, looked up on the way.
            called.push_str(&format!(";npdi;rn=+{}", line.called - line.called % 10_000 + 199));
        }
        let (original, diversion) = (line.original.map(number), line.diversion.map(number));
        let address = |link: &super::world::Link| link.address.to_string();
        let (from, to) = (address(line.ingress), line.egress.map(address));
        let call_id = |leg: u64, host: &str| format!("{leg:016x}@{host}");
        let ingress_id = call_id(line.ingress_leg, &from);
        let egress_id = call_id(line.egress_leg, &format!("{}.example", switch.name));
        let entry = Entry {
            zone: &switch.zone,
            switch: &switch.name,
            id: hash(&[id, part(line.network), part(line.switch), line.egress_leg]),
            start: clock(line.start),
            answer: line.answer.map(clock),
            end: clock(line.end),
            calling: &calling,
            called: &called,
            original: original.as_deref(),
            diversion: diversion.as_deref(),
            ingress: Side { trunk: &line.ingress.trunk, address: &from, call_id: &ingress_id },
            egress: line.egress.zip(to.as_deref()).map(|(link, address)| Side {
                trunk: &link.trunk,
                address,
                call_id: &egress_id,
            }),
            status: line.status,
            q850: line.q850,
            identity: identity.filter(|_| line.is_signed),
            is_final: line.is_final,
        };
        switch.layout.write(&entry, &mut self.text);
    }

    /// Puts a damaged copy of the next line where one is due.
    fn damage(&mut self, index: usize, noted: &[Noted<'_>], calls: &[Call], identities: &[Option<String>]) {
        let from = self.world.start + i64::try_from(self.slot).unwrap_or(0) * SLOT;
        let next = &noted[index];
        let earlier = index.checked_sub(1).map_or(from, |before| noted[before].line.end.max(from));
        let until = next.line.end.min(from + SLOT).max(earlier);
        for at in self.switch.damage.iter().filter(|at| (earlier..until).contains(at)) {
            let before = self.text.len();
            self.entry(next, calls[next.call].id, identities[next.call].as_deref());
            let whole = self.text.split_off(before);
            let first = whole.lines().next().unwrap_or_default();
            if at % 2 == 0 {
                // The disk was full for a moment.
                self.text.push_str(&first[..first.len() / 5]);
            } else {
                self.text.push_str(&first.replace(|c: char| c.is_ascii_digit(), "\u{0}"));
            }
            self.text.push('\n');
            self.output.lines += 1;
            self.output.starts.push(None);
        }
    }

    fn finish(mut self) -> Output {
        self.output.bytes = if self.switch.is_compressed && !self.text.is_empty() {
            compressed(self.text.as_bytes())
        } else {
            self.text.into_bytes()
        };
        self.output
    }
}

/// A gzip member: several after one another are one file.
pub(super) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A Vec takes everything.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
