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
    #[must_use]
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
    #[must_use]
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
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn number(text: &str) -> TelephoneNumber {
        text.parse().unwrap()
    }

    fn spc(text: &str) -> TnEntry {
        TnEntry::Spc(ServiceProviderCode::new(text).unwrap())
    }

    fn range(start: &str, count: u64) -> TnEntry {
        TnEntry::Range { start: number(start), count }
    }

    fn list(entries: Vec<TnEntry>) -> TnAuthList {
        TnAuthList::new(entries).unwrap()
    }

    fn error(hex: &str) -> (usize, DerFault) {
        let error = TnAuthList::parse(&bytes(hex)).unwrap_err();
        (error.offset, error.fault)
    }

    #[test]
    fn the_vectors_of_c2_are_read_and_written() {
        for (hex, entry) in [
            ("3008a006160431323334", spc("1234")),
            ("3008a006160438313848", spc("818H")),
            ("300fa20d160b3132313535353531323132", TnEntry::One(number("12155551212"))),
            ("3015a1133011160b3132313235353531303030020203e8", range("12125551000", 1000)),
        ] {
            let parsed = TnAuthList::parse(&bytes(hex)).unwrap();
            assert_eq!(parsed.entries(), std::slice::from_ref(&entry), "{hex}");
            assert_eq!(parsed.to_der(), bytes(hex), "{hex}");
            assert_eq!(TnAuthList::parse_strict(&bytes(hex)), Ok(parsed));
        }
    }

    #[test]
    fn a_missing_length_octet_is_named_at_the_string_that_lacks_it() {
        // Seen in real certificates (G19).
        let fault = DerFault::MissingLength { element: Tag::IA5_STRING, character: '5' };
        assert_eq!(error("3008a006163535384a"), (4, fault));
    }

    #[test]
    fn a_bare_string_in_place_of_an_entry_is_named() {
        let choice = "a TNEntry ([0], [1] or [2])";
        assert_eq!(error("300613043632374b"), (2, DerFault::UnexpectedChoice { choice, found: Tag(0x13) }));
        // C2: an implicit tag is wrong, and a raw URI is no list (peers 6).
        assert_eq!(error("3006800431323334"), (2, DerFault::UnexpectedChoice { choice, found: Tag(0x80) }));
        assert_eq!(error("68747470733a2f2f782e6578616d706c65").0, 0);
    }

    #[test]
    fn every_cut_of_a_list_is_refused_with_an_offset_inside_it() {
        let whole = bytes("3015a1133011160b3132313235353531303030020203e8");
        for length in 0..whole.len() {
            let error = TnAuthList::parse(&whole[..length]).unwrap_err();
            assert!(error.offset <= length, "{length}: {error}");
        }
    }

    #[test]
    fn what_the_grammar_forbids_is_refused() {
        assert_eq!(error("3000"), (0, DerFault::Empty { place: "the TNAuthList" }));
        assert_eq!(error("3004a0021600"), (4, DerFault::Empty { place: "the service provider code" }));
        assert_eq!(
            error("3005a203160161"),
            (6, DerFault::CharacterNotAllowed { octet: b'a', place: "a telephone number" })
        );
        assert_eq!(error("3014a2121610").0, 4);
        assert_eq!(error("3014a212161031323334353637383930313233343536"), (4, DerFault::TooMany { limit: 15 }));
        assert_eq!(
            error("300ca00616043132333400000000"),
            (10, DerFault::UnexpectedChoice { choice: "a TNEntry ([0], [1] or [2])", found: Tag(0) })
        );
        assert_eq!(error("3008a00616043132333400"), (10, DerFault::TrailingOctets { count: 1 }));
        assert_eq!(error("300aa0081604313233340000").0, 10);
    }

    #[test]
    fn ranges_keep_the_rules_of_c3() {
        let parse = |start: &str, count: u64| {
            let mut der = Vec::new();
            TnEntry::Range { start: number(start), count }.write(&mut der);
            let mut whole = Vec::new();
            write_element(&mut whole, Tag::SEQUENCE, &der);
            let fault = |result: Result<TnAuthList, DerError>| result.map(|_| ()).map_err(|error| error.fault);
            (fault(TnAuthList::parse(&whole)), fault(TnAuthList::parse_strict(&whole)))
        };
        assert_eq!(parse("10", 89), (Ok(()), Ok(())));
        assert_eq!(parse("10", 90), (Ok(()), Err(DerFault::RangeTooLong)));
        assert_eq!(parse("10", 91), (Err(DerFault::RangeTooLong), Err(DerFault::RangeTooLong)));
        assert_eq!(parse("10", u64::MAX).0, Err(DerFault::RangeTooLong));
        assert_eq!(parse("10", 1).0, Err(DerFault::CountTooSmall));
        assert_eq!(parse("10", 0).0, Err(DerFault::CountTooSmall));
        let star = DerFault::CharacterNotAllowed { octet: b'*', place: "the start of a range" };
        assert_eq!(parse("1*", 2).0, Err(star));
    }

    #[test]
    fn a_count_beyond_64_bits_and_a_negative_one_are_refused() {
        assert_eq!(error("3013a111300f1602313002090100000000000000ff").0, 10);
        assert_eq!(error("300ba1093007160231300201ff"), (10, DerFault::BadInteger));
    }

    #[test]
    fn fields_after_the_count_are_ignored_unless_strict() {
        // C2: the SEQUENCE is extensible.
        let der = bytes("300da10b3009160231300201020500");
        assert_eq!(TnAuthList::parse(&der).unwrap().entries(), [range("10", 2)]);
        assert_eq!(TnAuthList::parse_strict(&der).unwrap_err().fault, DerFault::TrailingOctets { count: 2 });
    }

    #[test]
    fn a_range_covers_its_numbers_and_no_others() {
        let list = list(vec![range("12125551000", 1000), TnEntry::One(number("*67"))]);
        for text in ["12125551000", "12125551500", "12125551999", "*67"] {
            assert_eq!(list.covers(&number(text)), Coverage::Named, "{text}");
        }
        for text in ["12125550999", "12125552000", "2125551500", "012125551500", "67", "1212555100*"] {
            assert_eq!(list.covers(&number(text)), Coverage::Outside, "{text}");
        }
        let with_code = TnAuthList::new(vec![spc("1234"), range("12125551000", 2)]).unwrap();
        assert_eq!(with_code.covers(&number("12125551001")), Coverage::Named);
        assert_eq!(with_code.covers(&number("12125551002")), Coverage::ByProviderCode);
    }

    #[test]
    fn a_range_with_leading_zeros_counts_within_its_digits() {
        let list = list(vec![range("0098", 2)]);
        assert_eq!(list.covers(&number("0099")), Coverage::Named);
        assert_eq!(list.covers(&number("99")), Coverage::Outside);
    }

    #[test]
    fn a_child_within_its_parent_is_encompassed() {
        // C14; the parent's entries are taken together (C4).
        let parent =
            list(vec![range("12125551000", 500), range("12125551500", 500), TnEntry::One(number("12125552000"))]);
        assert_eq!(parent.encompasses(&list(vec![range("12125551400", 200)])), Encompassing::Whole);
        assert_eq!(parent.encompasses(&list(vec![range("12125551990", 11)])), Encompassing::Whole);
        assert_eq!(parent.encompasses(&parent), Encompassing::Whole);
        let outside = range("12125551990", 12);
        assert_eq!(parent.encompasses(&list(vec![outside.clone()])), Encompassing::Exceeded { entry: outside });
        assert_eq!(parent.encompasses(&list(vec![spc("1234")])), Encompassing::Exceeded { entry: spc("1234") });
    }

    #[test]
    fn numbers_under_a_provider_code_need_number_data() {
        let parent = list(vec![spc("1234")]);
        let one = TnEntry::One(number("12125551000"));
        assert_eq!(parent.encompasses(&list(vec![one.clone()])), Encompassing::NeedsNumberData { entry: one.clone() });
        assert_eq!(parent.encompasses(&list(vec![spc("1234")])), Encompassing::Whole);
        let foreign = list(vec![one, spc("771C")]);
        assert_eq!(parent.encompasses(&foreign), Encompassing::Exceeded { entry: spc("771C") });
    }

    #[test]
    fn entries_print_as_json_with_their_names() {
        let all = list(vec![spc("1234"), range("12125551000", 1000), TnEntry::One(number("12155551212"))]);
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(json, r#"[{"spc":"1234"},{"range":{"start":"12125551000","count":1000}},{"one":"12155551212"}]"#);
    }

    proptest::proptest! {
        #[test]
        fn what_strict_reading_accepts_is_written_back(der in proptest::collection::vec(proptest::num::u8::ANY, 0..48)) {
            if let Ok(list) = TnAuthList::parse_strict(&der) {
                proptest::prop_assert_eq!(list.to_der(), der);
            }
        }

        #[test]
        fn a_damaged_list_is_read_or_refused_and_what_strict_accepts_is_written_back(
            at in 0usize..31, octet in proptest::num::u8::ANY,
        ) {
            let mut der = bytes("301da006160431323334a1133011160b3132313235353531303030020203e8");
            if let Some(slot) = der.get_mut(at) {
                *slot = octet;
            }
            let _ = TnAuthList::parse(&der);
            if let Ok(list) = TnAuthList::parse_strict(&der) {
                proptest::prop_assert_eq!(list.to_der(), der);
            }
        }

        #[test]
        fn covering_agrees_with_counting(first in 0u64..9_000, count in 2u64..900, probe in 0u64..10_000) {
            let list = list(vec![range(&format!("{first:04}"), count)]);
            let expected = if (first..first + count).contains(&probe) { Coverage::Named } else { Coverage::Outside };
            proptest::prop_assert_eq!(list.covers(&number(&format!("{probe:04}"))), expected);
        }

        #[test]
        fn encompassing_agrees_with_counting(
            parents in proptest::collection::vec((0u64..60, 2u64..20), 1..5), child in 0u64..60, count in 2u64..20,
        ) {
            let parent = list(parents.iter().map(|(start, count)| range(&format!("{start:02}"), *count)).collect());
            let inside = (child..child + count).all(|n| parents.iter().any(|(start, count)| (*start..start + count).contains(&n)));
            let outcome = parent.encompasses(&list(vec![range(&format!("{child:02}"), count)]));
            proptest::prop_assert_eq!(outcome == Encompassing::Whole, inside);
        }
    }
}
