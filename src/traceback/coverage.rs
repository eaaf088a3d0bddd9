//! What was held when the search was made: spans, gaps, and lines that could not be read.
//!
//! "Not our call" stands up only where records are held without a gap around the time asked for, of every source.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

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
    /// All of time.
    pub const ALWAYS: Self = Self::new(UnixTime::from_seconds(i64::MIN), UnixTime::from_seconds(i64::MAX));

    /// A span from an instant to another.
    #[must_use]
    pub const fn new(from: UnixTime, to: UnixTime) -> Self {
        Self { from, to }
    }

    /// Where a line lies that could not be read: between the records that stand around it in its file. At an end of
    /// the file it may be as far off as the source is ever silent; in a file without a record, anywhere.
    #[must_use]
    pub fn of_unread(before: Option<UnixTime>, after: Option<UnixTime>, gap: i64) -> Self {
        match (before, after) {
            (Some(one), Some(other)) => Self::new(one.min(other), one.max(other)),
            (Some(before), None) => Self::new(before, before.plus_seconds(gap)),
            (None, Some(after)) => Self::new(after.plus_seconds(-gap), after),
            (None, None) => Self::ALWAYS,
        }
    }

    fn touches(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// What somebody keeps of one source, and need not show record by record.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Kept {
    /// Files that were read.
    pub files: u64,
    /// Records kept.
    pub records: u64,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// Spans that hold records without a silence of more than [`Coverage::LEAST_GAP`].
    pub spans: Vec<Span>,
    /// Where lines lie that could not be read ([`Span::of_unread`]).
    pub unread: Vec<Span>,
    /// Whether files are named and none is there.
    pub lacks_files: bool,
    /// Whether the records never say where calls went ([`Search::lack_egress`](crate::traceback::Search::lack_egress)).
    pub lacks_egress: bool,
}

/// What is held of one source, whatever order its records come in.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// First and last record of each stretch without a longer silence than `silence`.
    spans: BTreeMap<i64, i64>,
    silence: i64,
    gap: i64,
    files: Option<u64>,
    records: u64,
    set_aside: u64,
    lacks_files: bool,
    lacks_egress: bool,
    /// Where lines lie that could not be read.
    unread: Vec<Span>,
}

/// With more stretches than this, longer silences are passed over, and nothing can be said about any.
const MAX_SPANS: usize = 500_000;
/// Beyond this the lines that could not be read are one span.
const MAX_UNREAD: usize = 10_000;

impl Coverage {
    /// A shorter silence is never a gap: what is kept of records tells no shorter ones.
    pub const LEAST_GAP: i64 = 60;

    /// Nothing held yet of a source whose silences are gaps from so many seconds on, at least [`Self::LEAST_GAP`].
    #[must_use]
    pub const fn new(gap: i64) -> Self {
        let gap = if gap < Self::LEAST_GAP { Self::LEAST_GAP } else { gap };
        Self {
            spans: BTreeMap::new(),
            silence: gap,
            gap,
            files: None,
            records: 0,
            set_aside: 0,
            lacks_files: false,
            lacks_egress: false,
            unread: Vec::new(),
        }
    }

    /// What somebody keeps of a source: the same as if every record had been shown.
    #[must_use]
    pub fn of(gap: i64, kept: &Kept) -> Self {
        let mut coverage = Self::new(gap);
        kept.spans.iter().for_each(|span| coverage.join(span.from.seconds(), span.to.seconds()));
        kept.unread.iter().for_each(|span| coverage.note_unread(*span));
        coverage.files = Some(kept.files);
        coverage.records = kept.records;
        coverage.set_aside = kept.set_aside;
        coverage.lacks_files = kept.lacks_files;
        coverage.lacks_egress = kept.lacks_egress;
        coverage
    }

    /// Notes a record.
    pub fn add(&mut self, start: UnixTime) {
        self.records += 1;
        self.join(start.seconds(), start.seconds());
    }

    /// Joins a stretch to those that are no further off than a silence.
    fn join(&mut self, from: i64, to: i64) {
        let (mut from, mut to) = (from.min(to), from.max(to));
        if let Some((first, last)) = self.spans.range(..=from).next_back() {
            if *last >= to {
                return;
            }
            if from.saturating_sub(*last) <= self.silence {
                from = *first;
            }
        }
        while let Some((first, last)) = self.spans.range((Excluded(from), Unbounded)).next() {
            if first.saturating_sub(to) > self.silence {
                break;
            }
            to = to.max(*last);
            let first = *first;
            self.spans.remove(&first);
        }
        self.spans.insert(from, to);
        if self.spans.len() > MAX_SPANS {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        while self.spans.len() > MAX_SPANS / 2 {
            self.silence = self.silence.saturating_mul(2);
            let spans = std::mem::take(&mut self.spans);
            spans.into_iter().for_each(|(from, to)| self.join(from, to));
        }
    }

    /// Notes a line that could not be read, between the records that stand around it in the file.
    pub fn set_aside(&mut self, before: Option<UnixTime>, after: Option<UnixTime>) {
        self.set_aside += 1;
        self.note_unread(Span::of_unread(before, after, self.gap));
    }

    fn note_unread(&mut self, span: Span) {
        let full = self.unread.len() >= MAX_UNREAD;
        match self.unread.last_mut() {
            Some(last) if *last == span => {}
            Some(last) if full => {
                *last = Span::new(last.from.min(span.from), last.to.max(span.to));
            }
            _ => self.unread.push(span),
        }
    }

    /// Notes a file that cannot be read, or not to its end: what it would hold may lie anywhere.
    pub fn miss_file(&mut self) {
        self.note_unread(Span::ALWAYS);
    }

    /// Notes that files are named and none is there: what they would hold is not known.
    pub const fn lack_files(&mut self) {
        self.lacks_files = true;
    }

    /// Notes that the records never say where calls went.
    pub const fn lack_egress(&mut self) {
        self.lacks_egress = true;
    }

    /// Whether the records never say where calls went.
    #[must_use]
    pub const fn lacks_egress(&self) -> bool {
        self.lacks_egress
    }

    /// Files read, where whoever keeps the records said so.
    #[must_use]
    pub const fn files(&self) -> Option<u64> {
        self.files
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
        let (first, last) = (self.spans.keys().next()?, self.spans.values().next_back()?);
        Some(Span::new(UnixTime::from_seconds(*first), UnixTime::from_seconds(*last)))
    }

    /// The silences within the span that are longer than the source's gap.
    pub fn gaps(&self) -> impl Iterator<Item = Span> + '_ {
        let pairs = self.spans.values().zip(self.spans.keys().skip(1));
        pairs.map(|(last, first)| Span::new(UnixTime::from_seconds(*last), UnixTime::from_seconds(*first)))
    }

    /// Why nothing can be said about a span; `None` when it is held without a gap.
    #[must_use]
    pub fn doubt(&self, wanted: &Span) -> Option<Doubt> {
        let Some(held) = self.span() else { return Some(Doubt::Nothing) };
        if self.lacks_files {
            return Some(Doubt::FilesMissing);
        }
        // A gap may have been passed over.
        if self.silence > self.gap {
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

    #[test]
    fn a_silence_of_less_than_a_minute_is_never_a_gap() {
        let mut coverage = Coverage::new(5);
        [0, 60, 121, 130].iter().for_each(|second| coverage.add(at(*second)));
        assert_eq!(coverage.gaps().collect::<Vec<_>>(), [Span::new(at(60), at(121))]);
    }

    proptest! {
        #[test]
        fn what_is_kept_by_the_minute_covers_as_the_records_do(
            mut seconds in prop::collection::vec(0i64..20_000, 1..200),
            gap in 0i64..4000,
            from in 0i64..20_000,
        ) {
            let mut shown = Coverage::new(gap);
            seconds.iter().for_each(|second| shown.add(at(*second)));
            seconds.sort_unstable();
            let runs = seconds.chunk_by(|left, right| right - left < 60);
            let spans = runs.map(|run| Span::new(at(run[0]), at(run[run.len() - 1]))).collect();
            let told = Coverage::of(gap, &Kept { spans, records: shown.records(), ..Kept::default() });
            prop_assert_eq!(shown.gaps().collect::<Vec<_>>(), told.gaps().collect::<Vec<_>>());
            prop_assert_eq!((shown.span(), shown.records()), (told.span(), told.records()));
            let wanted = Span::new(at(from), at(from + 1800));
            prop_assert_eq!(shown.doubt(&wanted), told.doubt(&wanted));
        }

        #[test]
        fn the_order_of_records_does_not_matter(mut seconds in prop::collection::vec(0i64..200_000, 1..60)) {
            let gaps: Vec<Span> = held(&seconds).gaps().collect();
            seconds.sort_unstable();
            let expected: Vec<Span> = seconds.windows(2).filter(|w| w[1] - w[0] > 7200).map(|w| Span::new(at(w[0]), at(w[1]))).collect();
            prop_assert_eq!(gaps, expected);
        }
    }
}
