//! Clocks that are wrong by a multiple of half an hour: what the calls of a whole run say about each source.
//!
//! One call an hour off may be a redial, or the asker's mistake. Where the calls of most requests are off by the same, and
//! few are found at their own time, it is the source's clock, and its records are judged by the right time.

use std::collections::{BTreeSet, HashMap};

use crate::cdr::Record;
use crate::time::UnixTime;
use crate::traceback::candidate::{CLOCK_LIMIT, CLOCK_STEP, Rank, first_passport};
use crate::traceback::origin::Origin;

/// What the run's requests say about a source's clock around a day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct SourceClock {
    /// Seconds that the clock is ahead, which most of the requests agree on; 0 where they don't.
    pub(super) ahead: i64,
    /// How many requests agree on that.
    pub(super) agreeing: u32,
    /// Of how many whose calls may be there.
    pub(super) of: u32,
}

impl SourceClock {
    /// Seconds to take from every record of the source: two requests must agree, for one may be a redial.
    pub(super) const fn correction(&self) -> i64 {
        if self.agreeing >= MIN_AGREEING { self.ahead } else { 0 }
    }
}

const MIN_AGREEING: u32 = 2;
/// Clocks that follow the season change their offset: requests further away say nothing.
const DAYS: i64 = 7;
const DAY: i64 = 24 * 60 * 60;
/// Offsets from -12 to 12 hours, by half an hour.
const OFFSETS: usize = 49;
const NONE: usize = 24;

/// The clocks of all sources, by the day.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceClocks {
    clocks: HashMap<(Origin, i64), SourceClock>,
}

/// The candidates of one request that have both its numbers: how far off each is, by source.
#[derive(Debug, Default)]
pub(super) struct Votes {
    by_source: HashMap<Origin, u64>,
}

impl Votes {
    pub(super) fn add(&mut self, origin: Origin, rank: &Rank, record: &Record) {
        let Some(steps) = rank.clock_steps() else { return };
        // Signed when the record says that it began: no wrong clock put it there.
        let steps = if steps != 0 && is_signed_at_its_start(record) { 0 } else { steps };
        *self.by_source.entry(origin).or_default() |= 1 << offset(steps);
    }
}

/// Counts of one source and day, or of several days.
#[derive(Clone, Debug)]
struct Count {
    requests: u32,
    /// Requests with a call that far off.
    off: [u32; OFFSETS],
    /// Those of them with another at its own time.
    both: [u32; OFFSETS],
}

impl Default for Count {
    fn default() -> Self {
        Self { requests: 0, off: [0; OFFSETS], both: [0; OFFSETS] }
    }
}

/// The votes of all requests.
#[derive(Debug, Default)]
pub(super) struct Poll {
    counts: HashMap<(Origin, i64), Count>,
}

impl Poll {
    /// Adds a request's votes on the sources of one network.
    pub(super) fn add(&mut self, time: UnixTime, votes: &Votes) {
        let at_its_time: Vec<Origin> =
            votes.by_source.iter().filter(|(_, mask)| *mask & 1 << NONE != 0).map(|(origin, _)| *origin).collect();
        for (origin, mask) in &votes.by_source {
            // Found at its time in another source: that is the call, and what is here may be a redial.
            if at_its_time.iter().any(|other| other != origin) && !at_its_time.contains(origin) {
                continue;
            }
            let count = self.counts.entry((*origin, day(time))).or_default();
            count.requests += 1;
            for offset in (0..OFFSETS).filter(|offset| mask & 1 << offset != 0) {
                count.off[offset] += 1;
                count.both[offset] += u32::from(mask & 1 << NONE != 0);
            }
        }
    }

    /// What the votes come to around each day that a record may be of.
    pub(super) fn close(&self) -> SourceClocks {
        let days: BTreeSet<(Origin, i64)> = self
            .counts
            .keys()
            .flat_map(|(origin, day)| (day - DAYS - 1..=day + DAYS + 1).map(|near| (*origin, near)))
            .collect();
        let clocks = days.into_iter().map(|key| (key, self.around(key)));
        SourceClocks { clocks: clocks.filter(|(_, clock)| clock.of > 0).collect() }
    }

    fn around(&self, (origin, day): (Origin, i64)) -> SourceClock {
        let mut sum = Count::default();
        for count in (day - DAYS..=day + DAYS).filter_map(|day| self.counts.get(&(origin, day))) {
            sum.requests += count.requests;
            for offset in 0..OFFSETS {
                sum.off[offset] += count.off[offset];
                sum.both[offset] += count.both[offset];
            }
        }
        sum.verdict()
    }
}

impl Count {
    /// One offset explains more than half of the requests, more than any other does, and more than twice as many as the
    /// right time does where both do not.
    fn verdict(&self) -> SourceClock {
        let nobody = SourceClock { ahead: 0, agreeing: 0, of: self.requests };
        let Some(best) = (0..OFFSETS).filter(|own| *own != NONE).max_by_key(|own| self.off[*own]) else {
            return nobody;
        };
        let agreeing = self.off[best];
        let rivals = (0..OFFSETS).filter(|own| *own != NONE && *own != best).any(|own| self.off[own] == agreeing);
        let right = self.off[NONE].saturating_sub(self.both[best]);
        let wrong = agreeing.saturating_sub(self.both[best]);
        if rivals || agreeing * 2 <= self.requests || wrong <= right.saturating_mul(2) {
            return nobody;
        }
        SourceClock { ahead: seconds(best), agreeing, of: self.requests }
    }
}

impl SourceClocks {
    /// What is known of a source's clock when it wrote that instant.
    pub(super) fn at(&self, origin: Origin, written: UnixTime) -> SourceClock {
        self.clocks.get(&(origin, day(written))).copied().unwrap_or_default()
    }
}

fn day(instant: UnixTime) -> i64 {
    instant.seconds().div_euclid(DAY)
}

fn offset(steps: i64) -> usize {
    let limit = CLOCK_LIMIT / CLOCK_STEP;
    usize::try_from(steps.clamp(-limit, limit) + limit).unwrap_or(NONE)
}

fn seconds(offset: usize) -> i64 {
    (i64::try_from(offset).unwrap_or_default() - CLOCK_LIMIT / CLOCK_STEP) * CLOCK_STEP
}

/// A signer stamps the INVITE within this.
const SIGNED_NOW: i64 = 60;

/// Whether the record's PASSporT was made when the record says that the call began.
pub(super) fn is_signed_at_its_start(record: &Record) -> bool {
    let iat = first_passport(record).and_then(|passport| passport.claims().iat);
    iat.is_some_and(|iat| iat.seconds_since(record.start).abs() <= SIGNED_NOW)
}
