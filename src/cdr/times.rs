//! Times as switches write them: spelled out, counted since 1970, or by a pattern of theirs.

use crate::time::UnixTime;
use crate::zone::{Clock, Moment, MomentError, civil_seconds};

/// How a layout writes its times.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TimeForm {
    /// RFC 3339, and every other spelling that means only one day.
    Rfc3339,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// Microseconds since 1970.
    UnixUs,
    /// As `strftime` writes it.
    Pattern(Pattern),
}

impl TimeForm {
    /// The form of that name, else the pattern.
    ///
    /// # Errors
    /// When the pattern holds a directive that is not read, or does not tell a whole time.
    pub fn named(name: &str) -> Result<Self, InvalidPattern> {
        match name {
            "rfc3339" => Ok(Self::Rfc3339),
            "unix" => Ok(Self::Unix),
            "unix_ms" => Ok(Self::UnixMs),
            "unix_us" => Ok(Self::UnixUs),
            pattern => Pattern::parse(pattern).map(Self::Pattern),
        }
    }

    /// Reads a time; `abbreviations` are the layout's own, in seconds ahead of UTC.
    pub(super) fn read(
        &self,
        text: &str,
        clock: &mut Clock,
        abbreviations: &[(String, i32)],
    ) -> Result<Moment, MomentError> {
        match self {
            Self::Rfc3339 => clock.moment(text),
            Self::Unix => counted(text, 1),
            Self::UnixMs => counted(text, 1_000),
            Self::UnixUs => counted(text, 1_000_000),
            Self::Pattern(pattern) => pattern.read(text, clock, abbreviations),
        }
    }

    /// Whether times are counts since 1970.
    #[must_use]
    pub const fn is_count(&self) -> bool {
        matches!(self, Self::Unix | Self::UnixMs | Self::UnixUs)
    }

    /// Whether every time names its zone.
    #[must_use]
    pub fn names_zone(&self) -> bool {
        let names = |item: &Item| matches!(item, Item::Offset | Item::Abbreviation);
        matches!(self, Self::Pattern(pattern) if pattern.items.iter().any(names))
    }
}

/// Counts as `0`, and dates of zeros only, stand for no time.
pub(super) fn is_no_time(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0' | b'-' | b':' | b' ' | b'.' | b'/'))
}

fn counted(text: &str, per_second: i64) -> Result<Moment, MomentError> {
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, fraction)| if fraction.bytes().all(|c| c.is_ascii_digit()) { whole } else { text });
    let is_count = !whole.is_empty() && whole.bytes().all(|c| c.is_ascii_digit());
    let seconds = whole.parse::<i64>().ok().filter(|_| is_count).map(|count| count / per_second);
    let seconds = seconds.filter(|seconds| *seconds <= LAST_SECOND);
    let instant = seconds.ok_or_else(|| MomentError::NotATime { text: text.chars().take(40).collect() })?;
    Ok(Moment::exact(UnixTime::from_seconds(instant)))
}

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A pattern of `strftime`, ready to read with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Item {
    Literal(char),
    /// Any white space, or none.
    Space,
    Year,
    Month,
    MonthName,
    Day,
    DayName,
    Hour,
    Hour12,
    HalfDay,
    Minute,
    Second,
    Offset,
    Abbreviation,
}

/// Why a text is no pattern of times.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPattern {
    /// A directive that is not read.
    #[error("%{directive} is none of %Y %m %b %d %e %a %H %I %p %M %S %z %Z %F %T %R")]
    Directive {
        /// Its letter.
        directive: String,
    },
    /// Not enough of a time.
    #[error("it does not tell {what}; write rfc3339, unix, unix_ms, unix_us, or a pattern such as %Y-%m-%d %H:%M:%S")]
    Incomplete {
        /// What it lacks.
        what: &'static str,
    },
    /// Longer than any pattern.
    #[error("longer than {limit} characters")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
}

impl Pattern {
    const MAX_LENGTH: usize = 100;

    fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidPattern::TooLong { limit: Self::MAX_LENGTH });
        }
        let mut items = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                items.push(if c.is_whitespace() { Item::Space } else { Item::Literal(c) });
                continue;
            }
            directive(characters.next(), &mut items)?;
        }
        let has = |wanted: &[Item]| items.iter().any(|item| wanted.contains(item));
        let lacks = [
            (has(&[Item::Year]), "the year"),
            (has(&[Item::Month, Item::MonthName]), "the month"),
            (has(&[Item::Day]), "the day"),
            (has(&[Item::Hour]) || has(&[Item::Hour12]) && has(&[Item::HalfDay]), "the hour"),
            (has(&[Item::Minute]), "the minute"),
        ];
        match lacks.iter().find(|(there, _)| !there) {
            Some((_, what)) => Err(InvalidPattern::Incomplete { what }),
            None => Ok(Self { items }),
        }
    }

    fn read(&self, text: &str, clock: &mut Clock, known: &[(String, i32)]) -> Result<Moment, MomentError> {
        let no_time = || MomentError::NotATime { text: text.chars().take(80).collect() };
        let mut rest = Rest(text.trim());
        let mut read = Read::default();
        for item in &self.items {
            read.take(*item, &mut rest).ok_or_else(no_time)?;
        }
        if !rest.0.trim().is_empty() {
            return Err(no_time());
        }
        let hour = match read.is_afternoon {
            Some(_) if !(1..=12).contains(&read.hour) => return Err(no_time()),
            Some(afternoon) => read.hour % 12 + if afternoon { 12 } else { 0 },
            None => read.hour,
        };
        // A leap second counts as the last second of its minute.
        let second = if read.second == 60 { 59 } else { read.second };
        let local = civil_seconds((read.year, read.month, read.day), (hour, read.minute, second));
        let local = local.ok_or_else(no_time)?;
        match (read.offset, read.abbreviation) {
            (Some(offset), _) => Ok(Moment::exact(UnixTime::from_seconds(local - offset))),
            (None, Some(name)) => abbreviated(local, name, clock, known)
                .ok_or_else(|| MomentError::AmbiguousZone { text: text.to_owned(), name: name.to_owned() }),
            (None, None) => clock.local(local, text),
        }
    }
}

/// `UTC`; else what the source's own zone calls that time; else what the layout says.
fn abbreviated(local: i64, name: &str, clock: &Clock, known: &[(String, i32)]) -> Option<Moment> {
    let utc = ["UTC", "GMT", "Z"].iter().any(|own| own.eq_ignore_ascii_case(name)).then_some(0);
    let instant = match utc {
        Some(_) => UnixTime::from_seconds(local),
        None => clock.abbreviated(local, name).or_else(|| {
            let (_, offset) = known.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
            Some(UnixTime::from_seconds(local - i64::from(*offset)))
        })?,
    };
    Some(Moment::exact(instant))
}

fn directive(letter: Option<char>, items: &mut Vec<Item>) -> Result<(), InvalidPattern> {
    let own: &[Item] = match letter {
        Some('Y') => &[Item::Year],
        Some('m') => &[Item::Month],
        Some('b' | 'B' | 'h') => &[Item::MonthName],
        Some('d' | 'e') => &[Item::Day],
        Some('a' | 'A') => &[Item::DayName],
        Some('H' | 'k') => &[Item::Hour],
        Some('I' | 'l') => &[Item::Hour12],
        Some('p' | 'P') => &[Item::HalfDay],
        Some('M') => &[Item::Minute],
        Some('S') => &[Item::Second],
        Some('z') => &[Item::Offset],
        Some('Z') => &[Item::Abbreviation],
        Some('F') => &[Item::Year, Item::Literal('-'), Item::Month, Item::Literal('-'), Item::Day],
        Some('T') => &[Item::Hour, Item::Literal(':'), Item::Minute, Item::Literal(':'), Item::Second],
        Some('R') => &[Item::Hour, Item::Literal(':'), Item::Minute],
        Some('%') => &[Item::Literal('%')],
        other => return Err(InvalidPattern::Directive { directive: other.map(String::from).unwrap_or_default() }),
    };
    items.extend_from_slice(own);
    Ok(())
}

/// What was read so far.
#[derive(Default)]
struct Read<'a> {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    is_afternoon: Option<bool>,
    offset: Option<i64>,
    abbreviation: Option<&'a str>,
}

impl<'a> Read<'a> {
    fn take(&mut self, item: Item, rest: &mut Rest<'a>) -> Option<()> {
        match item {
            Item::Literal(c) => rest.0 = rest.0.strip_prefix(c)?,
            Item::Space => rest.0 = rest.0.trim_start(),
            Item::Year => self.year = rest.number(4, 4)?,
            Item::Month => self.month = rest.number(1, 2)?,
            Item::MonthName => self.month = rest.name(&MONTHS)?,
            Item::Day => {
                // %e pads with a space.
                rest.0 = rest.0.trim_start();
                self.day = rest.number(1, 2)?;
            }
            Item::DayName => {
                rest.name(&DAYS)?;
            }
            Item::Hour | Item::Hour12 => self.hour = rest.number(1, 2)?,
            Item::HalfDay => self.is_afternoon = Some(rest.name(&["am", "pm"])? == 2),
            Item::Minute => self.minute = rest.number(2, 2)?,
            Item::Second => {
                self.second = rest.number(2, 2)?;
                if let Some(fraction) = rest.0.strip_prefix(['.', ',']) {
                    rest.0 = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                }
            }
            Item::Offset => self.offset = Some(rest.offset()?),
            Item::Abbreviation => {
                let letters = rest.word();
                self.abbreviation = Some(letters).filter(|letters| !letters.is_empty());
                self.abbreviation?;
            }
        }
        Some(())
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is left of a text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (figures, rest) = self.0.split_at_checked(length).filter(|_| length >= least)?;
        self.0 = rest;
        figures.parse().ok()
    }

    fn word(&mut self) -> &'a str {
        let length = self.0.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = self.0.split_at_checked(length).unwrap_or(("", self.0));
        self.0 = rest;
        word
    }

    /// Which of the names begins the next word, from 1.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let word = self.word();
        let begins = |name: &&str| word.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
        i64::try_from(names.iter().position(begins)? + 1).ok()
    }

    /// `Z`, `+0000` or `+00:00`, in seconds ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        if let Some(rest) = self.0.strip_prefix(['Z', 'z']) {
            self.0 = rest;
            return Some(0);
        }
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.0 = self.0.strip_prefix(['+', '-'])?;
        let hours = self.number(2, 2)?;
        self.0 = self.0.strip_prefix(':').unwrap_or(self.0);
        let minutes = self.number(2, 2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}
