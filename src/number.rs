//! Canonical telephone numbers and SIP identities (RFC 8224 §8.1, §8.3, §8.5).

use std::fmt;
use std::str::FromStr;

/// A telephone number as RFC 8224 §8.3 spells it: digits, `#` and `*`, no `+` (`tn-spec`).
///
/// It is [`Copy`] and holds up to [`TelephoneNumber::MAX_LENGTH`] characters; a text that is longer or holds anything
/// else is no number.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TelephoneNumber {
    characters: [u8; Self::MAX_LENGTH],
    length: u8,
}

impl TelephoneNumber {
    /// E.164 stops at 15 digits; French portability prefixes reach 16, trunk prefixes a few more (G31).
    pub const MAX_LENGTH: usize = 31;

    /// The characters of the number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor admits ASCII only.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The number as an integer, when it holds digits only and at most 18 of them; leading zeros are lost.
    #[must_use]
    pub fn to_integer(&self) -> Option<i64> {
        if self.length > 18 {
            return None;
        }
        self.as_bytes()
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    }

    /// Whether the number holds digits only, as E.164 numbers do.
    #[must_use]
    pub fn is_digits(&self) -> bool {
        self.as_bytes().iter().all(u8::is_ascii_digit)
    }

    /// Whether the two end in the same ten digits: how a number without its country code still shows.
    #[must_use]
    pub fn same_last_ten(&self, other: &Self) -> bool {
        let (own, others) = (self.as_bytes(), other.as_bytes());
        own.len() >= 10 && others.len() >= 10 && own[own.len() - 10..] == others[others.len() - 10..]
    }

    /// Whether the two may be one number: they are equal, or one is the other's last ten digits without a country code.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        self == other || (self.length == 10 || other.length == 10) && self.same_last_ten(other)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.characters[..usize::from(self.length)]
    }

    /// Digits and nothing else; none where there are too many.
    fn from_digits(digits: &[u8]) -> Option<Self> {
        let mut number = Self { characters: [0; Self::MAX_LENGTH], length: u8::try_from(digits.len()).ok()? };
        number.characters.get_mut(..digits.len())?.copy_from_slice(digits);
        Some(number)
    }

    fn from_characters(characters: impl Iterator<Item = u8>) -> Result<Self, InvalidNumber> {
        let mut number = Self { characters: [0; Self::MAX_LENGTH], length: 0 };
        for (index, character) in characters.enumerate() {
            if !matches!(character, b'0'..=b'9' | b'#' | b'*') {
                return Err(InvalidNumber::Character { offset: index });
            }
            let Some(slot) = number.characters.get_mut(index) else {
                return Err(InvalidNumber::TooLong { limit: Self::MAX_LENGTH });
            };
            *slot = character;
            number.length += 1;
        }
        if number.length == 0 { Err(InvalidNumber::Empty) } else { Ok(number) }
    }
}

impl FromStr for TelephoneNumber {
    type Err = InvalidNumber;

    /// Reads a number that is canonical already; [`NumberPlan::canonicalise`] reads all the other spellings.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_characters(text.bytes())
    }
}

impl fmt::Display for TelephoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TelephoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TelephoneNumber({self})")
    }
}

impl serde::Serialize for TelephoneNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a text is no canonical telephone number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNumber {
    /// A character outside digits, `#` and `*`.
    #[error("byte {offset} is neither a digit nor '#' nor '*'")]
    Character {
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// Nothing is left of it.
    #[error("no digit in it")]
    Empty,
    /// More characters than any plan has.
    #[error("longer than {limit} characters")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
}

/// How numbers written for local use become global ones (RFC 8224 §8.3 step 2), and how long one may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NumberPlan {
    /// Whether 10 digits that look like NPA-NXX get the country code 1, and `011` is an international prefix (B16).
    pub north_american: bool,
    /// The most digits that count as a telephone number: 15 in E.164; 16 where portability prefixes travel (G31).
    pub max_digits: usize,
}

impl NumberPlan {
    /// The North American plan: 15 digits at most, ten-digit numbers mean country code 1.
    pub const NORTH_AMERICAN: Self = Self { north_american: true, max_digits: 15 };
    /// Numbers are taken as they stand, without `+` and separators.
    pub const INTERNATIONAL: Self = Self { north_american: false, max_digits: 15 };

    /// The canonical form of a number as people and switches write it: `+1 (215) 555-0112`, `2155550112`,
    /// `+12155550112;npdi;rn=+12155550199`. `None` when it is no number.
    ///
    /// User parameters are cut at the first `;` (RFC 4904, RFC 4694), `+` and visual separators dropped, and local
    /// forms completed as the plan says. Numbers that no plan completes (911, `*67`) stay as they are (B14).
    #[must_use]
    pub fn canonicalise(&self, text: &str) -> Option<TelephoneNumber> {
        let text = text.split(';').next().unwrap_or_default().trim();
        let (global, local) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !local.is_empty() && local.bytes().all(|c| c.is_ascii_digit()) {
            return self.of_plan(global, TelephoneNumber::from_digits(local.as_bytes())?);
        }
        let characters = local.bytes().filter(|c| !matches!(c, b'-' | b'.' | b'(' | b')' | b' '));
        self.of_plan(global, TelephoneNumber::from_characters(characters).ok()?)
    }

    /// The same of digits, behind a `+` or not: as nearly all numbers are written, and told to be by who calls it.
    #[cfg(feature = "traceback")]
    pub(crate) fn canonicalise_digits(&self, text: &str) -> Option<TelephoneNumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        self.of_plan(digits.len() < text.len(), TelephoneNumber::from_digits(digits.as_bytes())?)
    }

    fn of_plan(&self, global: bool, number: TelephoneNumber) -> Option<TelephoneNumber> {
        let number = if global { number } else { self.complete(number) };
        (usize::from(number.length) <= self.max_digits).then_some(number)
    }

    fn complete(&self, number: TelephoneNumber) -> TelephoneNumber {
        if !self.north_american || !number.is_digits() {
            return number;
        }
        let digits = number.as_bytes();
        let completed = match digits {
            [b'0', b'1', b'1', rest @ ..] if rest.len() >= 7 => TelephoneNumber::from_characters(rest.iter().copied()),
            [b'2'..=b'9', _, _, b'2'..=b'9', ..] if digits.len() == 10 => {
                TelephoneNumber::from_characters(std::iter::once(b'1').chain(digits.iter().copied()))
            }
            _ => return number,
        };
        completed.unwrap_or(number)
    }
}

impl Default for NumberPlan {
    fn default() -> Self {
        Self::NORTH_AMERICAN
    }
}

/// Who calls or is called, canonical: what `orig` and `dest` are compared with (RFC 8224 §8.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Identity {
    /// A telephone number.
    Number(TelephoneNumber),
    /// A SIP URI as RFC 8224 §8.5 normalises it: `scheme:user@host`, nothing else.
    Uri(String),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Uri(uri) => f.pad(uri),
        }
    }
}

impl serde::Serialize for Identity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_str(number.as_str()),
            Self::Uri(uri) => serializer.serialize_str(uri),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        NumberPlan::NORTH_AMERICAN.canonicalise(text).map(|number| number.to_string())
    }

    #[test]
    fn every_spelling_of_a_number_becomes_the_same_digits() {
        // B14, B16, G3, G4, G30.
        for text in [
            "+12155550112",
            "12155550112",
            "2155550112",
            "+1 (215) 555-0112",
            "+1.215.555.0112",
            "01112155550112",
            "+12155550112;npdi;rn=+12155550199",
            "2155550112;tgrp=x;trunk-context=y.example",
        ] {
            assert_eq!(canonical(text).as_deref(), Some("12155550112"), "{text}");
        }
    }

    #[test]
    fn short_codes_and_service_numbers_stay() {
        for text in ["911", "988", "*67", "#31#"] {
            assert_eq!(canonical(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "+", "alice", "1215555x112", "1234567890123456", "١٢٣", "++12155550112"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        let long = NumberPlan { max_digits: 16, ..NumberPlan::INTERNATIONAL };
        assert_eq!(long.canonicalise("3310200123456789").unwrap().as_str(), "3310200123456789");
    }

    #[test]
    fn integers_and_last_ten_digits() {
        let number: TelephoneNumber = "12155550112".parse().unwrap();
        assert_eq!(number.to_integer(), Some(12_155_550_112));
        assert_eq!("*67".parse::<TelephoneNumber>().unwrap().to_integer(), None);
        assert!(number.same_last_ten(&"2155550112".parse().unwrap()));
        assert!(!number.same_last_ten(&"5550112".parse().unwrap()));
    }
}
