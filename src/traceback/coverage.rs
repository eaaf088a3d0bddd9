//! What was held when the search was made: spans, gaps, and lines that could not be read.
//!
//! "Not our call" stands up only where records are held without a gap around the time asked for, of every source.

use std::collections::BTreeMap;

use crate::time::UnixTime;

/// A span of time, both ends in it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Span {
    /// Its first instant.
    pub from: UnixTime,
    /// Its last instant.
    pub to: UnixTime,
}

impl Span {
    /// A span from an instant to another.
    #[must_use]
    pub const fn new(from: UnixTime, to: UnixTime) -> Self {
        Self { from, to }
    }

    fn touches(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// What is held of one source, whatever order its records come in.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// First and last record of each slice of time that has any.
    slices: BTreeMap<i64, (i64, i64)>,
    slice_seconds: i64,
    gap: i64,
    records: u64,
    set_aside: u64,
    lacks_files: bool,
    /// Where lines lie that could not be read.
    unread: Vec<Span>,
}

/// Slices grow when there are more: memory stays bounded, and gaps are still found to the second.
const MAX_SLICES: usize = 500_000;
/// Beyond this the lines that could not be read are one span.
const MAX_UNREAD: usize = 10_000;

impl Coverage {
    /// Nothing held yet of a source whose silences are gaps from so many seconds on.
    #[must_use]
    pub const fn new(gap: i64) -> Self {
        Self {
            slices: BTreeMap::new(),
            slice_seconds: 60,
            gap,
            records: 0,
            set_aside: 0,
            lacks_files: false,
            unread: Vec::new(),
        }
    }

    /// Notes a record.
    pub fn add(&mut self, start: UnixTime) {
        self.records += 1;
        let second = start.seconds();
        let slice = self.slices.entry(second.div_euclid(self.slice_seconds)).or_insert((second, second));
        *slice = (slice.0.min(second), slice.1.max(second));
        if self.slices.len() > MAX_SLICES {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.slice_seconds *= 2;
        let mut coarse: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (first, last) in std::mem::take(&mut self.slices).into_values() {
            let slice = coarse.entry(first.div_euclid(self.slice_seconds)).or_insert((first, last));
            *slice = (slice.0.min(first), slice.1.max(last));
        }
        self.slices = coarse;
    }

    /// Notes a line that could not be read, between the records that stand around it in the file. At an end of the
    /// file it may be as far off as the source is ever silent; in a file without a record, anywhere.
    pub fn set_aside(&mut self, before: Option<UnixTime>, after: Option<UnixTime>) {
        self.set_aside += 1;
        let span = match (before, after) {
            (Some(one), Some(other)) => Span::new(one.min(other), one.max(other)),
            (Some(before), None) => Span::new(before, before.plus_seconds(self.gap)),
            (None, Some(after)) => Span::new(after.plus_seconds(-self.gap), after),
            (None, None) => Span::new(UnixTime::from_seconds(i64::MIN), UnixTime::from_seconds(i64::MAX)),
        };
        let full = self.unread.len() >= MAX_UNREAD;
        match self.unread.last_mut() {
            Some(last) if *last == span => {}
            Some(last) if full => {
                *last = Span::new(last.from.min(span.from), last.to.max(span.to));
            }
            _ => self.unread.push(span),
        }
    }

    /// Notes that files are named and none is there: what they would hold is not known.
    pub const fn lack_files(&mut self) {
        self.lacks_files = true;
    }

    /// Records read.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Lines that could not be read.
    #[must_use]
    pub const fn lines_set_aside(&self) -> u64 {
        self.set_aside
    }

    /// From the first record to the last.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let (first, last) = (self.slices.values().next()?, self.slices.values().next_back()?);
        Some(Span::new(UnixTime::from_seconds(first.0), UnixTime::from_seconds(last.1)))
    }

    /// The silences within the span that are longer than the source's gap.
    pub fn gaps(&self) -> impl Iterator<Item = Span> + '_ {
        let pairs = self.slices.values().zip(self.slices.values().skip(1));
        pairs
            .filter(|(left, right)| right.0.saturating_sub(left.1) > self.gap)
            .map(|(left, right)| Span::new(UnixTime::from_seconds(left.1), UnixTime::from_seconds(right.0)))
    }

    /// Why nothing can be said about a span; `None` when it is held without a gap.
    #[must_use]
    pub fn doubt(&self, wanted: &Span) -> Option<Doubt> {
        let Some(held) = self.span() else { return Some(Doubt::Nothing) };
        if self.lacks_files {
            return Some(Doubt::FilesMissing);
        }
        // A slice as long as a gap could hide one.
        if self.slice_seconds > self.gap {
            return Some(Doubt::Gap(held));
        }
        if wanted.from < held.from || held.to < wanted.to {
            return Some(Doubt::Outside(held));
        }
        if let Some(gap) = self.gaps().find(|gap| gap.touches(wanted)) {
            return Some(Doubt::Gap(gap));
        }
        self.unread.iter().find(|span| span.touches(wanted)).map(|_| Doubt::Unread)
    }
}

/// Why a negative does not stand up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// Files are named, and none is there.
    FilesMissing,
    /// There is a gap.
    Gap(Span),
    /// No record at all is held.
    Nothing,
    /// Records are held, of another time.
    Outside(Span),
    /// A line there could not be read: it may be the call.
    Unread,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> UnixTime {
        UnixTime::from_seconds(second)
    }

    fn held(seconds: &[i64]) -> Coverage {
        let mut coverage = Coverage::new(7200);
        seconds.iter().for_each(|second| coverage.add(at(*second)));
        coverage
    }

    #[test]
    fn a_silence_longer_than_the_gap_is_one() {
        let coverage = held(&[0, 7200, 14_401, 14_500]);
        assert_eq!(coverage.gaps().collect::<Vec<_>>(), [Span::new(at(7200), at(14_401))]);
        assert_eq!(coverage.doubt(&Span::new(at(100), at(1900))), None);
        assert_eq!(coverage.doubt(&Span::new(at(7000), at(8800))), Some(Doubt::Gap(Span::new(at(7200), at(14_401)))));
    }

    #[test]
    fn outside_of_what_is_held_nothing_can_be_said() {
        let coverage = held(&[0, 3600]);
        assert!(matches!(coverage.doubt(&Span::new(at(-1), at(10))), Some(Doubt::Outside(_))));
        assert!(matches!(coverage.doubt(&Span::new(at(3000), at(3601))), Some(Doubt::Outside(_))));
        assert_eq!(held(&[]).doubt(&Span::new(at(0), at(1))), Some(Doubt::Nothing));
    }

    #[test]
    fn a_line_that_could_not_be_read_spoils_its_own_neighbourhood_only() {
        let mut coverage = held(&[0, 3600, 7200]);
        coverage.set_aside(Some(at(3600)), Some(at(3700)));
        assert_eq!(coverage.doubt(&Span::new(at(3650), at(4000))), Some(Doubt::Unread));
        assert_eq!(coverage.doubt(&Span::new(at(5000), at(6000))), None);
        assert_eq!(coverage.lines_set_aside(), 1);
    }

    #[test]
    fn a_line_at_an_end_of_its_file_spoils_what_lies_beyond_it_for_as_long_as_the_source_is_ever_silent() {
        let mut coverage = held(&(0..20).map(|hour| hour * 3600).collect::<Vec<_>>());
        coverage.set_aside(None, Some(at(36_000)));
        assert_eq!(coverage.doubt(&Span::new(at(30_000), at(31_800))), Some(Doubt::Unread));
        assert_eq!(coverage.doubt(&Span::new(at(20_000), at(21_800))), None);
        coverage.set_aside(Some(at(40_000)), None);
        assert_eq!(coverage.doubt(&Span::new(at(46_000), at(47_800))), Some(Doubt::Unread));
        assert_eq!(coverage.doubt(&Span::new(at(50_000), at(51_800))), None);
    }

    #[test]
    fn a_file_without_a_readable_line_and_one_that_is_not_there_spoil_all() {
        let mut unread = held(&[0, 3600]);
        unread.set_aside(None, None);
        assert_eq!(unread.doubt(&Span::new(at(100), at(1900))), Some(Doubt::Unread));
        let mut lacking = held(&[0, 3600]);
        lacking.lack_files();
        assert_eq!(lacking.doubt(&Span::new(at(100), at(1900))), Some(Doubt::FilesMissing));
    }

    proptest! {
        #[test]
        fn the_order_of_records_does_not_matter(mut seconds in prop::collection::vec(0i64..200_000, 1..60)) {
            let gaps: Vec<Span> = held(&seconds).gaps().collect();
            seconds.sort_unstable();
            let expected: Vec<Span> = seconds.windows(2).filter(|w| w[1] - w[0] > 7200).map(|w| Span::new(at(w[0]), at(w[1]))).collect();
            prop_assert_eq!(gaps, expected);
        }
    }
}
