//! What a practice world is made from.

use super::cast::{DIALERS, MAX_HELD};
use super::write::Layout;
use crate::time::UnixTime;

/// What a practice world is made from: the same settings give the same bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Everything that looks like chance comes from this text.
    pub seed: String,
    /// The day on which it begins, at midnight UTC.
    pub start: UnixTime,
    /// How many days it lasts; by the number of records where none is given.
    pub days: Option<u32>,
    /// About how many call records there are in all.
    pub records: u64,
    /// How many traceback requests there are.
    pub requests: usize,
    /// Of how many networks the records are held.
    pub networks: usize,
    /// What the switches write, one after the other.
    pub layouts: Vec<Layout>,
    /// How many campaigns run.
    pub campaigns: usize,
    /// How many calls in a million carry a PASSporT, where their provider signs; of campaigns four times as many.
    pub identity: u32,
    /// Whether some switches compress what they write.
    pub compressed: bool,
}

impl Settings {
    /// 2026-05-04T00:00:00Z, the day that the lab's PKI foretells.
    pub const DEFAULT_START: UnixTime = UnixTime::from_seconds(1_777_852_800);
    /// The most records of one world.
    pub const MAX_RECORDS: u64 = 1_000_000_000;
    /// The most requests of one world: the calls asked about are held in memory.
    pub const MAX_REQUESTS: usize = 1_000_000;
    const MAX_DAYS: u32 = 400;

    pub(super) fn days(&self) -> u32 {
        let enough = u32::try_from(self.records / 150_000).unwrap_or(u32::MAX);
        self.days.unwrap_or_else(|| enough.clamp(2, 30))
    }

    pub(super) fn check(&self) -> Result<(), Refused> {
        within("records", self.records, 1000, Self::MAX_RECORDS)?;
        within("requests", count(self.requests), 0, count(Self::MAX_REQUESTS))?;
        within("networks", count(self.networks), 1, count(MAX_HELD))?;
        within("formats", count(self.layouts.len()), 1, 100)?;
        within("campaigns", count(self.campaigns), 1, count(DIALERS.len()) * 100)?;
        within("days", u64::from(self.days()), 1, u64::from(Self::MAX_DAYS))?;
        within("identity", u64::from(self.identity), 0, 1_000_000)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: "1".to_owned(),
            start: Self::DEFAULT_START,
            days: None,
            records: 20_000,
            requests: 60,
            networks: 8,
            layouts: Layout::ALL.to_vec(),
            campaigns: 6,
            identity: 200_000,
            compressed: false,
        }
    }
}

/// A setting that makes no world.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{name} may be {least} to {most}, not {found}")]
#[non_exhaustive]
pub struct Refused {
    /// Which.
    pub name: &'static str,
    /// What was asked for.
    pub found: u64,
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

fn within(name: &'static str, found: u64, least: u64, most: u64) -> Result<(), Refused> {
    if (least..=most).contains(&found) { Ok(()) } else { Err(Refused { name, found, least, most }) }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
