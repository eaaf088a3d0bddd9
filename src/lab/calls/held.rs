//! What a reader can know to be held of each switch: from the recorded starts alone, silences and damaged lines.

use std::collections::BTreeMap;

/// What is held of a switch. Seconds by its own clock.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// First and last start of each minute.
    minutes: BTreeMap<i64, (i64, i64)>,
    /// Where damaged lines lie.
    damaged: Vec<(i64, i64)>,
    /// The start before, in the file that is being written.
    before: Option<i64>,
    /// Damaged lines since.
    waiting: bool,
    pub(super) damaged_lines: u64,
    pub(super) records: u64,
}

/// Silences longer than this are gaps: what `stirtrace.toml` means where it says nothing.
const GAP: i64 = 2 * 3600;

impl Held {
    pub(super) fn add(&mut self, start: Option<i64>) {
        let Some(start) = start else {
            self.damaged_lines += 1;
            self.waiting = true;
            return;
        };
        self.records += 1;
        let minute = self.minutes.entry(start.div_euclid(60)).or_insert((start, start));
        *minute = (minute.0.min(start), minute.1.max(start));
        if std::mem::take(&mut self.waiting) {
            let before = self.before.unwrap_or(start - GAP);
            self.damaged.push((before.min(start), before.max(start)));
        }
        self.before = Some(start);
    }

    /// A new file begins, or the last one ends.
    pub(super) fn turn(&mut self) {
        if std::mem::take(&mut self.waiting) {
            self.damaged.push(self.before.map_or((i64::MIN, i64::MAX), |before| (before, before + GAP)));
        }
        self.before = None;
    }

    /// Whether everything from one second to another is held, as far as a reader can know.
    pub(super) fn is_whole(&self, from: i64, to: i64) -> bool {
        let (Some(first), Some(last)) = (self.minutes.values().next(), self.minutes.values().next_back()) else {
            return false;
        };
        let touches = |span: (i64, i64)| span.0 <= to && from <= span.1;
        let mut pairs = self.minutes.values().zip(self.minutes.values().skip(1));
        let has_gap = pairs.any(|(left, right)| right.0 - left.1 > GAP && touches((left.1, right.0)));
        first.0 <= from && to <= last.1 && !has_gap && !self.damaged.iter().any(|span| touches(*span))
    }
}
