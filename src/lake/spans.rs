//! When a source's records begin: spans without a silence of a minute, whatever order the records come in.

use std::collections::BTreeMap;

/// Spans of seconds; any two are a minute or more apart.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Spans {
    /// First second to last.
    spans: BTreeMap<i64, i64>,
    coarse: bool,
}

/// A silence this long is seen.
const SILENCE: i64 = 60;

/// More spans are never kept: the shortest silences are forgotten then, and [`Spans::is_coarse`] says so.
const MAX_SPANS: usize = 500_000;

impl Spans {
    /// The spans as they were kept.
    pub(super) fn of(kept: &[[i64; 2]], coarse: bool) -> Self {
        let mut spans = Self { spans: BTreeMap::new(), coarse };
        kept.iter().for_each(|[from, to]| spans.add(*from, *to));
        spans
    }

    /// The spans of the starts of records.
    pub(super) fn of_starts(starts: &mut [i64]) -> Self {
        starts.sort_unstable();
        let mut spans = Self::default();
        let mut starts = starts.iter().copied();
        let Some(first) = starts.next() else { return spans };
        let (mut from, mut to) = (first, first);
        for start in starts {
            if start.saturating_sub(to) >= SILENCE {
                spans.spans.insert(from, to);
                from = start;
            }
            to = start;
        }
        spans.spans.insert(from, to);
        spans
    }

    /// Adds a span.
    pub(super) fn add(&mut self, mut from: i64, mut to: i64) {
        // Those that begin before it ends, latest first: none of them reaches beyond its successor.
        while let Some((&near, &end)) = self.spans.range(..to.saturating_add(SILENCE)).next_back() {
            if from.saturating_sub(end) >= SILENCE {
                break;
            }
            self.spans.remove(&near);
            from = from.min(near);
            to = to.max(end);
        }
        self.spans.insert(from, to);
        if self.spans.len() > MAX_SPANS {
            self.coarsen();
        }
    }

    /// Adds others.
    pub(super) fn extend(&mut self, others: &Self) {
        others.spans.iter().for_each(|(from, to)| self.add(*from, *to));
        self.coarse |= others.coarse;
    }

    /// Forgets what lies before a second.
    pub(super) fn cut(&mut self, before: i64) {
        let kept = std::mem::take(&mut self.spans);
        self.spans =
            kept.into_iter().filter(|(_, to)| *to >= before).map(|(from, to)| (from.max(before), to)).collect();
    }

    /// Whether silences may be hidden.
    pub(super) const fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// First and last second of each, in order.
    pub(super) fn to_vec(&self) -> Vec<[i64; 2]> {
        self.spans.iter().map(|(from, to)| [*from, *to]).collect()
    }

    /// Joins every two neighbours, until half of them are left.
    fn coarsen(&mut self) {
        let all: Vec<(i64, i64)> = std::mem::take(&mut self.spans).into_iter().collect();
        let joined = all.chunks(2).filter_map(|pair| Some((pair.first()?.0, pair.last()?.1)));
        self.spans = joined.collect();
        self.coarse = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_minute_of_silence_parts_two_spans() {
        assert_eq!(Spans::of_starts(&mut [0, 59, 120, 119]).to_vec(), [[0, 59], [119, 120]]);
        let mut spans = Spans::of(&[[0, 10], [100, 110]], false);
        spans.add(60, 60);
        assert_eq!(spans.to_vec(), [[0, 110]]);
    }

    proptest! {
        #[test]
        fn parts_in_any_order_make_the_same_spans(starts in prop::collection::vec(-500..5000_i64, 1..60), at in 0..60_usize) {
            let whole = Spans::of_starts(&mut starts.clone());
            let (left, right) = starts.split_at(at.min(starts.len()));
            let mut parts = Spans::of_starts(&mut right.to_vec());
            parts.extend(&Spans::of_starts(&mut left.to_vec()));
            prop_assert_eq!(&parts, &whole);
            let mut one_by_one = Spans::default();
            starts.iter().for_each(|start| one_by_one.add(*start, *start));
            prop_assert_eq!(&one_by_one, &whole);
        }
    }
}
