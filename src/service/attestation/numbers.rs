//! A set of telephone numbers as rules name it: single ones, prefixes, ranges; canonical (RFC 8224 §8.3).

use std::collections::{BTreeMap, BTreeSet};

use crate::number::{NumberPlan, TelephoneNumber};
use crate::service::fault::Fault;

/// Numbers, prefixes and ranges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NumberSet {
    prefixes: BTreeSet<String>,
    /// Last number by first, of one length each, none touching another.
    ranges: BTreeMap<Span, TelephoneNumber>,
}

/// Numbers of one length stand together, in the order of their digits.
type Span = (usize, TelephoneNumber);

impl NumberSet {
    /// The set of these parts: `12155550100` is one number, `1215555*` a prefix, `12155550100-12155550199` a range.
    ///
    /// # Errors
    /// When one of them is none of these.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>, plan: &NumberPlan) -> Result<Self, Fault> {
        let mut set = Self::default();
        parts.into_iter().try_for_each(|part| set.add(part, plan))?;
        Ok(set)
    }

    /// Adds one part.
    pub(super) fn add(&mut self, part: &str, plan: &NumberPlan) -> Result<(), Fault> {
        if let Some(prefix) = part.strip_suffix('*') {
            let digits: String = prefix.trim_start_matches('+').chars().filter(|c| !" -.()".contains(*c)).collect();
            let is_prefix =
                (1..=TelephoneNumber::MAX_LENGTH).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
            if !is_prefix {
                return Err(Fault::Numbers("a prefix is digits before the '*'"));
            }
            self.prefixes.insert(digits);
            return Ok(());
        }
        let number = |text: &str| {
            let number = plan.canonicalise(text).filter(TelephoneNumber::is_digits);
            number.ok_or(Fault::Numbers("a number is digits"))
        };
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        if first.as_str().len() != last.as_str().len() {
            return Err(Fault::Numbers("'-' stands in a range only, whose first and last number have as many digits"));
        }
        if last < first {
            return Err(Fault::Numbers("the last number lies before the first"));
        }
        self.add_range(first, last);
        Ok(())
    }

    /// Ranges that overlap become one, so that the one before a number is the only one that may hold it.
    fn add_range(&mut self, mut first: TelephoneNumber, mut last: TelephoneNumber) {
        let length = first.as_str().len();
        while let Some((span, end)) = self.ranges.range(..=(length, last)).next_back().map(|(span, end)| (*span, *end))
        {
            if span.0 != length || end < first {
                break;
            }
            self.ranges.remove(&span);
            (first, last) = (first.min(span.1), last.max(end));
        }
        self.ranges.insert((length, first), last);
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.ranges.is_empty()
    }

    /// What of the set holds a number, in words; none when nothing does.
    #[must_use]
    pub fn find(&self, number: &TelephoneNumber) -> Option<String> {
        let text = number.as_str();
        let range = self.ranges.range(..=(text.len(), *number)).next_back();
        if let Some(((length, first), last)) = range
            && *length == text.len()
            && number <= last
        {
            return Some(if first == last { format!("number {first}") } else { format!("range {first}-{last}") });
        }
        let prefix = (1..=text.len()).rev().find_map(|end| self.prefixes.get(text.get(..end)?))?;
        Some(format!("prefix {prefix}*"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(parts: &[&str]) -> NumberSet {
        NumberSet::of(parts.iter().copied(), &NumberPlan::NORTH_AMERICAN).unwrap()
    }

    fn find(set: &NumberSet, number: &str) -> Option<String> {
        set.find(&number.parse().unwrap())
    }

    #[test]
    fn numbers_prefixes_and_ranges_hold_what_they_say() {
        let set = set(&["+1 (215) 555.0100", "1312555*", "12155550110-12155550119", "2155550115-2155550129", "911"]);
        for (number, found) in [
            ("12155550100", Some("number 12155550100")),
            ("12155550101", None),
            ("12155550109", None),
            ("12155550110", Some("range 12155550110-12155550129")),
            ("12155550129", Some("range 12155550110-12155550129")),
            ("12155550130", None),
            ("13125550199", Some("prefix 1312555*")),
            ("131255", None),
            ("1215555011", None),
            ("911", Some("number 911")),
        ] {
            assert_eq!(find(&set, number).as_deref(), found, "{number}");
        }
        assert_eq!(find(&NumberSet::default(), "911"), None);
    }

    #[test]
    fn what_is_no_number_is_named() {
        for part in
            ["", "*", "acme", "12155550100-", "12155550199-12155550100", "12155550100-911", "+1-215-555-0100*x", "1*5*"]
        {
            assert!(NumberSet::of([part], &NumberPlan::NORTH_AMERICAN).is_err(), "{part}");
        }
    }

    proptest! {
        #[test]
        fn a_set_holds_what_any_of_its_ranges_holds(ranges in prop::collection::vec((0u32..400, 0u32..40), 1..20), number in 0u32..500) {
            let parts: Vec<String> = ranges.iter().map(|(first, more)| format!("44{:04}-44{:04}", first, first + more)).collect();
            let set = NumberSet::of(parts.iter().map(String::as_str), &NumberPlan::INTERNATIONAL).unwrap();
            let held = ranges.iter().any(|(first, more)| (*first..=first + more).contains(&number));
            prop_assert_eq!(set.find(&format!("44{number:04}").parse().unwrap()).is_some(), held);
        }
    }
}
