//! TNAuthList: the providers and numbers that a certificate may speak for (RFC 8226 §9, RFC 9060 §4.1).

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::certificate::der::{DerError, DerFault, Element, Reader, Tag};
use crate::certificate::der::{innermost_truncation, write_element, write_unsigned};
use crate::number::TelephoneNumber;

/// The entries of a TNAuthList; what they cover is their union (C4).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TnAuthList {
    entries: Vec<TnEntry>,
}

impl TnAuthList {
    /// The most entries that a list may have.
    pub const MAX_ENTRIES: usize = 10_000;

    /// The object identifier of the certificate extension, id-pe 26 (C1).
    pub const OBJECT_IDENTIFIER: &'static str = "1.3.6.1.5.5.7.1.26";

    /// A list of these entries.
    ///
    /// # Errors
    /// When there is none, or more than [`Self::MAX_ENTRIES`], or a range that no list may hold.
    pub fn new(entries: Vec<TnEntry>) -> Result<Self, DerError> {
        if entries.is_empty() {
            return Err(DerError::new(0, DerFault::Empty { place: "the TNAuthList" }));
        }
        if entries.len() > Self::MAX_ENTRIES {
            return Err(DerError::new(0, DerFault::TooMany { limit: Self::MAX_ENTRIES }));
        }
        for entry in &entries {
            entry.check(Reading::Lenient).map_err(|fault| DerError::new(0, fault))?;
        }
        Ok(Self { entries })
    }

    /// Reads the DER of a list, as a certificate's extension holds it.
    ///
    /// # Errors
    /// Says at which byte of `der` the list is wrong.
    pub fn parse(der: &[u8]) -> Result<Self, DerError> {
        Self::read(der, Reading::Lenient).map_err(|error| innermost_truncation(der, error))
    }

    /// As [`Self::parse`], and refuses what the text of RFC 8226 forbids or leaves to future versions: a range that
    /// ends with the last number of its digits (C3), and fields after a range's count.
    ///
    /// # Errors
    /// Says at which byte of `der` the list is wrong.
    pub fn parse_strict(der: &[u8]) -> Result<Self, DerError> {
        Self::read(der, Reading::Strict).map_err(|error| innermost_truncation(der, error))
    }

    /// The DER of the list.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for entry in &self.entries {
            entry.write(&mut content);
        }
        let mut der = Vec::new();
        write_element(&mut der, Tag::SEQUENCE, &content);
        der
    }

    /// The entries in their order.
    #[must_use]
    pub fn entries(&self) -> &[TnEntry] {
        &self.entries
    }

    /// The first service provider code: who the signer is (F18 wants exactly one).
    #[must_use]
    pub fn spc(&self) -> Option<&ServiceProviderCode> {
        self.spcs().next()
    }

    /// All service provider codes.
    pub fn spcs(&self) -> impl Iterator<Item = &ServiceProviderCode> {
        self.entries.iter().filter_map(|entry| match entry {
            TnEntry::Spc(spc) => Some(spc),
            TnEntry::One(_) | TnEntry::Range { .. } => None,
        })
    }

    /// Whether the list names numbers, by range or one by one.
    #[must_use]
    pub fn has_numbers(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry, TnEntry::Spc(_)))
    }

    /// Whether a number is one of the list's; a provider code stands for all of its provider's numbers, which only a
    /// numbering database knows.
    pub fn covers(&self, number: &TelephoneNumber) -> Coverage {
        if self.entries.iter().any(|entry| entry.names(number)) {
            Coverage::Named
        } else if self.spc().is_some() {
            Coverage::ByProviderCode
        } else {
            Coverage::Outside
        }
    }

    /// Whether everything in `child` lies within this list (RFC 9060 §4, C14).
    pub fn encompasses(&self, child: &Self) -> Encompassing {
        let intervals = self.merged_intervals();
        let mut open = None;
        for entry in &child.entries {
            if self.holds(entry, &intervals) {
                continue;
            }
            // A provider may delegate any of its numbers, but no other provider's code.
            if matches!(entry, TnEntry::Spc(_)) || self.spc().is_none() {
                return Encompassing::Exceeded { entry: entry.clone() };
            }
            open.get_or_insert_with(|| entry.clone());
        }
        open.map_or(Encompassing::Whole, |entry| Encompassing::NeedsNumberData { entry })
    }

    fn read(der: &[u8], reading: Reading) -> Result<Self, DerError> {
        let mut reader = Reader::new(der);
        let sequence = reader.expect(Tag::SEQUENCE)?;
        reader.finish()?;
        let mut inside = sequence.reader();
        let mut entries = Vec::new();
        while !inside.is_empty() {
            let element = inside.next()?;
            if entries.len() == Self::MAX_ENTRIES {
                return Err(element.error(DerFault::TooMany { limit: Self::MAX_ENTRIES }));
            }
            entries.push(TnEntry::read(element, reading)?);
        }
        if entries.is_empty() {
            return Err(sequence.error(DerFault::Empty { place: "the TNAuthList" }));
        }
        Ok(Self { entries })
    }

    fn holds(&self, wanted: &TnEntry, intervals: &[Interval]) -> bool {
        match (wanted, wanted.interval()) {
            (TnEntry::Spc(spc), _) => self.spcs().any(|own| own == spc),
            (_, Some(wanted)) => {
                let after = intervals.partition_point(|own| (own.digits, own.first) <= (wanted.digits, wanted.first));
                after.checked_sub(1).and_then(|index| intervals.get(index)).is_some_and(|own| own.contains(&wanted))
            }
            (entry, None) => self.entries.contains(entry),
        }
    }

    /// The numbers as intervals in ascending order, neighbours joined.
    fn merged_intervals(&self) -> Vec<Interval> {
        let mut intervals: Vec<Interval> = self.entries.iter().filter_map(TnEntry::interval).collect();
        intervals.sort_unstable_by_key(|interval| (interval.digits, interval.first));
        let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            match merged.last_mut() {
                Some(last) if last.digits == interval.digits && interval.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(interval.last);
                }
                _ => merged.push(interval),
            }
        }
        merged
    }
}

/// One entry of a TNAuthList.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TnEntry {
    /// One number; it may hold `*` and `#`.
    One(TelephoneNumber),
    /// `count` numbers from `start` on.
    Range {
        /// The first number; digits only.
        start: TelephoneNumber,
        /// How many, at least 2.
        count: u64,
    },
    /// A provider, for all of its numbers.
    Spc(ServiceProviderCode),
}

impl TnEntry {
    fn read(element: Element<'_>, reading: Reading) -> Result<Self, DerError> {
        let mut inside = element.reader();
        let entry = match element.tag {
            tag if tag == Tag::constructed(0) => Self::Spc(ServiceProviderCode::read(inside.expect(Tag::IA5_STRING)?)?),
            tag if tag == Tag::constructed(1) => Self::read_range(inside.expect(Tag::SEQUENCE)?, reading)?,
            tag if tag == Tag::constructed(2) => Self::One(read_number(inside.expect(Tag::IA5_STRING)?)?),
            found => {
                return Err(element.error(DerFault::UnexpectedChoice { choice: "a TNEntry ([0], [1] or [2])", found }));
            }
        };
        inside.finish()?;
        Ok(entry)
    }

    fn read_range(sequence: Element<'_>, reading: Reading) -> Result<Self, DerError> {
        let mut fields = sequence.reader();
        let start = read_number(fields.expect(Tag::IA5_STRING)?)?;
        let count_field = fields.expect(Tag::INTEGER)?;
        // More than 2^64 numbers are more than 15 digits can name.
        let count = count_field.small_integer()?.ok_or_else(|| count_field.error(DerFault::RangeTooLong))?;
        // The SEQUENCE is extensible: what follows belongs to a later version (C2).
        if reading == Reading::Strict {
            fields.finish()?;
        }
        while !fields.is_empty() {
            fields.next()?;
        }
        let entry = Self::Range { start, count };
        entry.check(reading).map_err(|fault| sequence.error(fault))?;
        Ok(entry)
    }

    /// The rules that the grammar cannot say (C3).
    fn check(&self, reading: Reading) -> Result<(), DerFault> {
        match self {
            Self::Spc(_) => Ok(()),
            Self::One(number) => check_length(number),
            Self::Range { start, count } => {
                check_length(start)?;
                if let Some(octet) = start.as_str().bytes().find(|octet| !octet.is_ascii_digit()) {
                    return Err(DerFault::CharacterNotAllowed { octet, place: "the start of a range" });
                }
                if *count < 2 {
                    return Err(DerFault::CountTooSmall);
                }
                let (first, limit) = (value_of(start), power_of_ten(start.as_str().len()));
                let end = first.checked_add(*count).ok_or(DerFault::RangeTooLong)?;
                // NOTE: RFC 8226 wants start + count < 10^D, which shuts out a range whose last number is 99..9.
                let fits = match reading {
                    Reading::Lenient => end <= limit,
                    Reading::Strict => end < limit,
                };
                if fits { Ok(()) } else { Err(DerFault::RangeTooLong) }
            }
        }
    }

    fn write(&self, output: &mut Vec<u8>) {
        let mut inner = Vec::new();
        let number = match self {
            Self::Spc(spc) => {
                write_element(&mut inner, Tag::IA5_STRING, spc.as_str().as_bytes());
                0
            }
            Self::Range { start, count } => {
                let mut fields = Vec::new();
                write_element(&mut fields, Tag::IA5_STRING, start.as_str().as_bytes());
                write_unsigned(&mut fields, *count);
                write_element(&mut inner, Tag::SEQUENCE, &fields);
                1
            }
            Self::One(number) => {
                write_element(&mut inner, Tag::IA5_STRING, number.as_str().as_bytes());
                2
            }
        };
        write_element(output, Tag::constructed(number), &inner);
    }

    fn names(&self, number: &TelephoneNumber) -> bool {
        match self {
            Self::Spc(_) => false,
            Self::One(own) => own == number,
            Self::Range { start, .. } => {
                let same_digits = start.as_str().len() == number.as_str().len() && number.is_digits();
                same_digits && self.interval().is_some_and(|interval| interval.holds(value_of(number)))
            }
        }
    }

    /// The numbers of a range, or the single one; `None` for a provider and for a number that is no integer.
    fn interval(&self) -> Option<Interval> {
        let (start, count) = match self {
            Self::One(number) if number.is_digits() => (number, 1),
            Self::Range { start, count } => (start, *count),
            Self::One(_) | Self::Spc(_) => return None,
        };
        let first = value_of(start);
        Some(Interval { digits: start.as_str().len(), first, last: first.saturating_add(count.saturating_sub(1)) })
    }
}

impl fmt::Display for TnEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(number) => write!(f, "number {number}"),
            Self::Range { start, count } => write!(f, "{count} numbers from {start}"),
            Self::Spc(spc) => write!(f, "SPC {spc}"),
        }
    }
}

impl Serialize for TnEntry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Range<'a> {
            start: &'a TelephoneNumber,
            count: u64,
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::One(number) => map.serialize_entry("one", number)?,
            Self::Range { start, count } => map.serialize_entry("range", &Range { start, count: *count })?,
            Self::Spc(spc) => map.serialize_entry("spc", spc)?,
        }
        map.end()
    }
}

/// A service provider code as a certificate spells it: ASCII, at least one character.
///
/// ATIS-1000080 admits capital letters and digits only (F18); certificates with others exist, so that is a finding of
/// the profile and not of this type.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ServiceProviderCode(String);

impl ServiceProviderCode {
    /// A code; `None` when the text is empty or not ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.is_ascii()).then(|| Self(text.to_owned()))
    }

    /// The code's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(element: Element<'_>) -> Result<Self, DerError> {
        let text = element.ascii("a service provider code")?;
        Self::new(text).ok_or_else(|| element.error(DerFault::Empty { place: "the service provider code" }))
    }
}

impl fmt::Display for ServiceProviderCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a list covers a number.
#[must_use]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Coverage {
    /// The list names a provider; whether the number is that provider's, only number-to-provider data can say.
    ByProviderCode,
    /// The list names the number, alone or in a range.
    Named,
    /// The list names neither the number nor any provider.
    Outside,
}

/// Whether a list lies within its parent's.
#[must_use]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Encompassing {
    /// This entry is none of the parent's.
    Exceeded {
        /// The first such entry.
        entry: TnEntry,
    },
    /// This entry's numbers may be those of the parent's provider: number-to-provider data would have to say.
    NeedsNumberData {
        /// The first such entry.
        entry: TnEntry,
    },
    /// Every entry is within the parent's.
    Whole,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Reading {
    Lenient,
    Strict,
}

/// Numbers of so many digits, from first to last.
struct Interval {
    digits: usize,
    first: u64,
    last: u64,
}

impl Interval {
    const fn holds(&self, value: u64) -> bool {
        self.first <= value && value <= self.last
    }

    const fn contains(&self, other: &Self) -> bool {
        self.digits == other.digits && self.first <= other.first && other.last <= self.last
    }
}

/// TelephoneNumber ::= IA5String (SIZE (1..15)) (FROM ("0123456789#*"))
fn read_number(element: Element<'_>) -> Result<TelephoneNumber, DerError> {
    let place = "a telephone number";
    if element.content.is_empty() {
        return Err(element.error(DerFault::Empty { place }));
    }
    if element.content.len() > MAX_NUMBER {
        return Err(element.error(DerFault::TooMany { limit: MAX_NUMBER }));
    }
    let allowed = |octet: &u8| octet.is_ascii_digit() || matches!(octet, b'#' | b'*');
    if let Some(index) = element.content.iter().position(|octet| !allowed(octet)) {
        let fault = DerFault::CharacterNotAllowed { octet: element.content[index], place };
        return Err(DerError::new(element.content_offset + index, fault));
    }
    element.ascii(place)?.parse().map_err(|_| element.error(DerFault::Empty { place }))
}

fn check_length(number: &TelephoneNumber) -> Result<(), DerFault> {
    if number.as_str().len() > MAX_NUMBER { Err(DerFault::TooMany { limit: MAX_NUMBER }) } else { Ok(()) }
}

/// The digits as an integer; those of a list are at most 15, longer ones are no list's.
fn value_of(number: &TelephoneNumber) -> u64 {
    number.to_integer().and_then(|value| u64::try_from(value).ok()).unwrap_or(u64::MAX)
}

fn power_of_ten(digits: usize) -> u64 {
    u32::try_from(digits).ok().and_then(|digits| 10u64.checked_pow(digits)).unwrap_or(u64::MAX)
}

const MAX_NUMBER: usize = 15;

#[cfg(test)]
mod tests;
