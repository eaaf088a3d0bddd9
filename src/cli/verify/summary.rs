//! `verify --summary`: calls counted by signer, attestation, verdict and reason, source address, and (SPC, origid).

use std::collections::HashMap;

use serde::Serialize;

use crate::cli::captures::Captured;
use crate::cli::printer::Present;
use crate::cli::recorded::Recorded;
use crate::cli::text::{Text, Tone, grouped};
use crate::cli::verify::Judged;
use crate::verify::{Conclusion, Signer};

/// Calls counted in five ways. The same call on other legs counts once.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    calls: u64,
    passed: u64,
    failed: u64,
    /// What could not be checked.
    none: u64,
    /// Calls of captures that nobody signed.
    without_identity: u64,
    /// The same call seen between others.
    legs: u64,
    signers: Groups,
    attestations: Groups,
    verdicts: Groups,
    sources: Groups,
    origins: Groups,
}

impl Summary {
    /// Takes a call.
    pub(super) fn count(&mut self, judged: &Judged<'_>) {
        let verdict = &judged.verdict;
        if let Some(origin) = judged.recorded.as_ref().and_then(Recorded::origin) {
            self.sources.count(without_port(origin), verdict.conclusion);
        }
        if let Some(captured) = &judged.captured {
            self.sources.count(without_port(captured.source()), verdict.conclusion);
            if captured.repeats() {
                self.legs += 1;
                return;
            }
        }
        self.calls += 1;
        match verdict.conclusion {
            Conclusion::Passed => self.passed += 1,
            Conclusion::Failed => self.failed += 1,
            Conclusion::None => self.none += 1,
        }
        let signer = verdict.signer.as_ref();
        let spc = signer.and_then(Signer::spc);
        let name = signer.and_then(Signer::name);
        let name = match (name, spc) {
            (Some(name), Some(spc)) => format!("{name} ({spc})"),
            (Some(name), None) => name.to_owned(),
            (None, Some(spc)) => spc.to_owned(),
            (None, None) => UNKNOWN.to_owned(),
        };
        self.signers.count(&name, verdict.conclusion);
        let attest = verdict.attest.map_or_else(|| UNKNOWN.to_owned(), |attest| attest.to_string());
        self.attestations.count(&attest, verdict.conclusion);
        let reason = match verdict.error() {
            Some(error) => format!("{} {}", verdict.conclusion, error.kind()),
            None => verdict.conclusion.to_string(),
        };
        self.verdicts.count(&reason, verdict.conclusion);
        if let Some(origid) = &verdict.origid {
            self.origins.count(&format!("{} {origid}", spc.unwrap_or(UNKNOWN)), verdict.conclusion);
        }
    }

    /// Adds the calls of another one, which came after these.
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.passed += other.passed;
        self.failed += other.failed;
        self.none += other.none;
        self.without_identity += other.without_identity;
        self.legs += other.legs;
        self.signers.add(other.signers);
        self.attestations.add(other.attestations);
        self.verdicts.add(other.verdicts);
        self.sources.add(other.sources);
        self.origins.add(other.origins);
    }

    /// Takes a call that nobody signed.
    pub(super) fn count_unsigned(&mut self, captured: &Captured) {
        self.without_identity += 1;
        self.sources.count_unsigned(without_port(captured.source()));
    }
}

/// What has no name.
const UNKNOWN: &str = "unknown";

/// An address of IPv6 has brackets where a port stands behind it.
fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((bare, _)) if !bare.contains(':') || bare.ends_with(']') => bare,
        _ => address,
    }
}

/// Counts by name; hostile calls may bring a new name each, so that there are only so many: those that came first.
#[derive(Debug, Default)]
struct Groups {
    places: HashMap<String, usize>,
    /// In the order in which they came.
    groups: Vec<(String, Group)>,
    others: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Group {
    calls: u64,
    passed: u64,
    failed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    without_identity: u64,
}

impl Group {
    const fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.passed += other.passed;
        self.failed += other.failed;
        self.without_identity += other.without_identity;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The most names that are counted one by one.
const MAX_GROUPS: usize = 100_000;

impl Groups {
    fn group(&mut self, name: &str) -> Option<&mut Group> {
        if let Some(place) = self.places.get(name) {
            return self.groups.get_mut(*place).map(|(_, group)| group);
        }
        if self.groups.len() >= MAX_GROUPS {
            return None;
        }
        self.places.insert(name.to_owned(), self.groups.len());
        self.groups.push((name.to_owned(), Group::default()));
        self.groups.last_mut().map(|(_, group)| group)
    }

    fn add(&mut self, other: Self) {
        self.others += other.others;
        for (name, counted) in other.groups {
            match self.group(&name) {
                Some(group) => group.add(&counted),
                None => self.others += counted.calls,
            }
        }
    }

    fn count(&mut self, name: &str, conclusion: Conclusion) {
        let Some(group) = self.group(name) else {
            self.others += 1;
            return;
        };
        group.calls += 1;
        match conclusion {
            Conclusion::Passed => group.passed += 1,
            Conclusion::Failed => group.failed += 1,
            Conclusion::None => {}
        }
    }

    fn count_unsigned(&mut self, name: &str) {
        let Some(group) = self.group(name) else {
            self.others += 1;
            return;
        };
        group.calls += 1;
        group.without_identity += 1;
    }

    /// Most calls first; what counts the same by name, so that the same input gives the same output.
    fn sorted(&self) -> Vec<(&str, Group)> {
        let mut sorted: Vec<_> = self.groups.iter().map(|(name, group)| (name.as_str(), *group)).collect();
        sorted.sort_by(|one, other| other.1.calls.cmp(&one.1.calls).then(one.0.cmp(other.0)));
        sorted
    }

    fn print(&self, title: &str, text: &mut Text) {
        let sorted = self.sorted();
        let Some((_, largest)) = sorted.first() else { return };
        text.put(Tone::Strong, title).end();
        for (name, group) in sorted.iter().take(SHOWN) {
            let width = group.calls.saturating_mul(BAR).div_ceil(largest.calls.max(1));
            let bar = "█".repeat(usize::try_from(width).unwrap_or(0));
            text.plain(format_args!("  {:>11}  ", grouped(group.calls)));
            text.put(Tone::Name, format_args!("{bar:<20}"));
            text.put_legible(Tone::Plain, format_args!("  {name}"));
            if group.failed > 0 && group.failed < group.calls {
                text.put(Tone::Bad, format_args!("  {} failed", grouped(group.failed)));
            }
            if group.without_identity > 0 {
                text.put(Tone::Doubt, format_args!("  {} without Identity", grouped(group.without_identity)));
            }
            text.end();
        }
        if sorted.len() > SHOWN || self.others > 0 {
            let more = u64::try_from(sorted.len().saturating_sub(SHOWN)).unwrap_or(u64::MAX);
            text.plain(format_args!("  and {} more, which --format json names", grouped(more))).end();
        }
        text.end();
    }
}

/// More names are not shown to people; how long a bar is.
const SHOWN: usize = 20;
const BAR: u64 = 20;

impl Serialize for Groups {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            name: &'a str,
            #[serde(flatten)]
            group: Group,
        }
        serializer.collect_seq(self.sorted().into_iter().map(|(name, group)| Named { name, group }))
    }
}

impl Present for Summary {
    const COLUMNS: &'static [&'static str] = &[
        "calls",
        "passed",
        "failed",
        "none",
        "without_identity",
        "legs",
        "signers.name",
        "signers.calls",
        "attestations.name",
        "attestations.calls",
        "verdicts.name",
        "verdicts.calls",
        "sources.name",
        "sources.calls",
        "origins.name",
        "origins.calls",
    ];

    fn text(&self, text: &mut Text) {
        text.put(Tone::Strong, format_args!("{} signed calls", grouped(self.calls))).end();
        let kinds = [
            ("passed", self.passed, Tone::Good),
            ("failed", self.failed, Tone::Bad),
            ("unchecked", self.none, Tone::Doubt),
            ("unsigned", self.without_identity, Tone::Plain),
            ("other legs", self.legs, Tone::Faint),
        ];
        for (name, count, tone) in kinds.into_iter().filter(|(_, count, _)| *count > 0) {
            text.name(name).put(tone, grouped(count)).end();
        }
        text.end();
        self.signers.print("by signer", text);
        self.attestations.print("by attestation", text);
        self.verdicts.print("by verdict and reason", text);
        self.sources.print("by source address", text);
        self.origins.print("by SPC and origid", text);
    }
}
