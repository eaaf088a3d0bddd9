//! DER as certificates need it (X.690 §10): a strict reader that names the byte where it stopped, and a writer.

use std::fmt;

use crate::time::UnixTime;

/// What is wrong with a DER value, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("byte {offset}: {fault}")]
#[non_exhaustive]
pub struct DerError {
    /// The byte that is wrong, counted from the start of the value that was parsed.
    pub offset: usize,
    /// What is wrong there.
    pub fault: DerFault,
}

impl DerError {
    pub(crate) const fn new(offset: usize, fault: DerFault) -> Self {
        Self { offset, fault }
    }
}

/// The ways in which a DER value can be wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DerFault {
    /// A BOOLEAN that is neither 00 nor FF.
    #[error("a BOOLEAN is neither 00 nor FF")]
    BadBoolean,
    /// An INTEGER without octets, not in its shortest form, or negative where it must not be.
    #[error("an INTEGER is empty, negative or not in its shortest form")]
    BadInteger,
    /// An OBJECT IDENTIFIER that does not decode.
    #[error("an OBJECT IDENTIFIER does not decode")]
    BadObjectIdentifier,
    /// A time that is no UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 wants it.
    #[error("not a time in the form that RFC 5280 wants")]
    BadTime,
    /// A character that the string's type or purpose does not admit.
    #[error("character 0x{octet:02x} is not allowed in {place}")]
    CharacterNotAllowed {
        /// The octet.
        octet: u8,
        /// The string it stands in.
        place: &'static str,
    },
    /// A `count` below 2 (RFC 8226 §9).
    #[error("the count of a range is below 2")]
    CountTooSmall,
    /// Nothing where at least one thing must be.
    #[error("{place} is empty")]
    Empty {
        /// What is empty.
        place: &'static str,
    },
    /// An indefinite length, or one of more than four octets.
    #[error("a length that DER does not allow, or that no certificate needs")]
    LengthForm,
    /// A length in more octets than it needs.
    #[error("a length is not in its shortest form")]
    LengthNotMinimal,
    /// The octet after a tag can only be the value's first character: the length was left out.
    #[error("the length octet of this {element} is missing: the octet after its tag is the character {character:?}")]
    MissingLength {
        /// What the tag says the element is.
        element: Tag,
        /// The character that stands where the length should.
        character: char,
    },
    /// A field that must be there is not.
    #[error("{field} is missing")]
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// A range that goes on after its last number of that many digits (C3).
    #[error("the range reaches beyond its numbers' digits")]
    RangeTooLong,
    /// More elements than the named limit.
    #[error("more than {limit} elements")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// Octets after the end of the value.
    #[error("{count} octets follow the end of the value")]
    TrailingOctets {
        /// How many.
        count: usize,
    },
    /// An element that goes on after the end of what holds it.
    #[error("{needed} octets are announced and {left} are there")]
    Truncated {
        /// What its length says.
        needed: usize,
        /// What there is.
        left: usize,
    },
    /// None of the alternatives of a CHOICE.
    #[error("{found} where {choice} is expected")]
    UnexpectedChoice {
        /// The CHOICE and its tags.
        choice: &'static str,
        /// What stands here.
        found: Tag,
    },
    /// Another element than the one expected.
    #[error("{found} where {expected} is expected")]
    UnexpectedTag {
        /// What may stand here.
        expected: Tag,
        /// What does.
        found: Tag,
    },
    /// A BIT STRING whose count of unused bits is wrong.
    #[error("a BIT STRING has a wrong count of unused bits")]
    UnusedBits,
}

/// A tag octet, printed as the type that it stands for.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Tag(pub(crate) u8);

impl Tag {
    pub(crate) const BOOLEAN: Self = Self(0x01);
    pub(crate) const INTEGER: Self = Self(0x02);
    pub(crate) const BIT_STRING: Self = Self(0x03);
    pub(crate) const OCTET_STRING: Self = Self(0x04);
    pub(crate) const NULL: Self = Self(0x05);
    pub(crate) const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub(crate) const ENUMERATED: Self = Self(0x0a);
    pub(crate) const UTF8_STRING: Self = Self(0x0c);
    pub(crate) const SEQUENCE: Self = Self(0x30);
    pub(crate) const SET: Self = Self(0x31);
    pub(crate) const IA5_STRING: Self = Self(0x16);
    pub(crate) const UTC_TIME: Self = Self(0x17);
    pub(crate) const GENERALIZED_TIME: Self = Self(0x18);

    /// The context tag `[number]` around a whole element (EXPLICIT), or of a constructed type (IMPLICIT).
    pub(crate) const fn constructed(number: u8) -> Self {
        Self(0xa0 | number)
    }

    /// The context tag `[number]` of a primitive type (IMPLICIT).
    pub(crate) const fn primitive(number: u8) -> Self {
        Self(0x80 | number)
    }

    /// The tag octet.
    #[must_use]
    pub const fn octet(self) -> u8 {
        self.0
    }

    const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0x01 => "BOOLEAN",
            0x02 => "INTEGER",
            0x03 => "BIT STRING",
            0x04 => "OCTET STRING",
            0x05 => "NULL",
            0x06 => "OBJECT IDENTIFIER",
            0x0a => "ENUMERATED",
            0x0c => "UTF8String",
            0x13 => "PrintableString",
            0x16 => "IA5String",
            0x17 => "UTCTime",
            0x18 => "GeneralizedTime",
            0x30 => "SEQUENCE",
            0x31 => "SET",
            octet if octet & 0xe0 == 0xa0 => return write!(f, "[{}]", octet & 0x1f),
            octet if octet & 0xe0 == 0x80 => return write!(f, "a primitive [{}]", octet & 0x1f),
            octet => return write!(f, "tag 0x{octet:02x}"),
        };
        f.write_str(name)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag(0x{:02x})", self.0)
    }
}

/// One element: its tag, and where it and its content stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// Where its tag is, from the start of the whole value.
    pub(crate) offset: usize,
    /// Where its content begins.
    pub(crate) content_offset: usize,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// A reader over the content of a constructed element.
    pub(crate) const fn reader(&self) -> Reader<'a> {
        Reader { input: self.content, position: 0, base: self.content_offset }
    }

    pub(crate) const fn error(&self, fault: DerFault) -> DerError {
        DerError::new(self.offset, fault)
    }

    pub(crate) fn expect(self, expected: Tag) -> Result<Self, DerError> {
        if self.tag == expected {
            return Ok(self);
        }
        Err(self.error(DerFault::UnexpectedTag { expected, found: self.tag }))
    }

    pub(crate) fn boolean(&self) -> Result<bool, DerError> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.error(DerFault::BadBoolean)),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without leading zeros (zero is no octets).
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], DerError> {
        match self.content {
            [] | [0x80..=0xff, ..] | [0, 0x00..=0x7f, ..] => Err(self.error(DerFault::BadInteger)),
            octets => Ok(without_leading_zeros(octets)),
        }
    }

    /// A small INTEGER; `None` when it does not fit.
    pub(crate) fn small_integer(&self) -> Result<Option<u64>, DerError> {
        let octets = self.unsigned()?;
        if octets.len() > 8 {
            return Ok(None);
        }
        Ok(Some(octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet))))
    }

    /// The bits of a BIT STRING and how many of the last octet are unused.
    pub(crate) fn bits(&self) -> Result<(&'a [u8], u8), DerError> {
        match self.content {
            [unused @ 0..=7, octets @ ..] if *unused == 0 || !octets.is_empty() => Ok((octets, *unused)),
            _ => Err(self.error(DerFault::UnusedBits)),
        }
    }

    /// The octets of a BIT STRING that holds whole octets, as keys and signatures do.
    pub(crate) fn whole_octets(&self) -> Result<&'a [u8], DerError> {
        match self.bits()? {
            (octets, 0) => Ok(octets),
            _ => Err(self.error(DerFault::UnusedBits)),
        }
    }

    /// The text of an IA5String, checked to be ASCII.
    pub(crate) fn ascii(&self, place: &'static str) -> Result<&'a str, DerError> {
        if let Some(index) = self.content.iter().position(|octet| !octet.is_ascii()) {
            let fault = DerFault::CharacterNotAllowed { octet: self.content[index], place };
            return Err(DerError::new(self.content_offset + index, fault));
        }
        self.utf8(place)
    }

    /// The text of a UTF8String.
    pub(crate) fn utf8(&self, place: &'static str) -> Result<&'a str, DerError> {
        std::str::from_utf8(self.content).map_err(|error| {
            let index = error.valid_up_to();
            let octet = self.content.get(index).copied().unwrap_or_default();
            DerError::new(self.content_offset + index, DerFault::CharacterNotAllowed { octet, place })
        })
    }

    /// An OBJECT IDENTIFIER in dotted form.
    pub(crate) fn dotted(&self) -> Result<String, DerError> {
        let wrong = || self.error(DerFault::BadObjectIdentifier);
        if self.content.last().is_none_or(|octet| octet & 0x80 != 0) || self.content.len() > MAX_OBJECT_IDENTIFIER {
            return Err(wrong());
        }
        let mut text = String::new();
        let mut arc: u64 = 0;
        let mut begins = true;
        for octet in self.content {
            // X.690 §8.19.2: an arc begins with no octet that adds nothing, or one identifier had many spellings.
            if begins && *octet == 0x80 {
                return Err(wrong());
            }
            begins = octet & 0x80 == 0;
            arc = arc.checked_mul(128).ok_or_else(wrong)? | u64::from(octet & 0x7f);
            if octet & 0x80 != 0 {
                continue;
            }
            if text.is_empty() {
                let first = (arc / 40).min(2);
                text = format!("{first}.{}", arc - first * 40);
            } else {
                text.push_str(&format!(".{arc}"));
            }
            arc = 0;
        }
        Ok(text)
    }

    /// A UTCTime or GeneralizedTime in UTC with seconds (RFC 5280 §4.1.2.5).
    pub(crate) fn time(&self) -> Result<UnixTime, DerError> {
        let wrong = || self.error(DerFault::BadTime);
        let digits = self.content.strip_suffix(b"Z").ok_or_else(wrong)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong());
        }
        let number = |part: &[u8]| part.iter().fold(0, |value: i64, digit| value * 10 + i64::from(digit - b'0'));
        let (year, rest) = match (self.tag, digits.len()) {
            (Tag::UTC_TIME, 12) => {
                let year = number(&digits[..2]);
                (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
            }
            (Tag::GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
            _ => return Err(wrong()),
        };
        let field = |index: usize| number(&rest[index * 2..index * 2 + 2]);
        seconds_of(year, [field(0), field(1), field(2), field(3), field(4)])
            .map(UnixTime::from_seconds)
            .ok_or_else(wrong)
    }
}

/// A strict reader: definite, shortest lengths; low tag numbers; offsets counted from the start of the whole value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    position: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0, base: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.base + self.position
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.position >= self.input.len()
    }

    pub(crate) fn peek(&self) -> Option<Tag> {
        self.input.get(self.position).copied().map(Tag)
    }

    /// The next element, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, DerError> {
        let start = self.position;
        let left = self.input.get(start..).unwrap_or_default();
        let (tag, length, header) = read_header(left, self.base + start)?;
        let body = left.get(header..).unwrap_or_default();
        let Some(content) = body.get(..length) else {
            let fault = DerFault::Truncated { needed: length, left: body.len() };
            return Err(DerError::new(self.base + start, fault));
        };
        self.position = start + header + length;
        Ok(Element {
            tag,
            offset: self.base + start,
            content_offset: self.base + start + header,
            content,
            raw: &left[..header + length],
        })
    }

    /// The next element, which must have the tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<Element<'a>, DerError> {
        if self.is_empty() {
            return Err(DerError::new(self.offset(), DerFault::Truncated { needed: 2, left: 0 }));
        }
        self.next()?.expect(tag)
    }

    /// The next element if it has the tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The single element inside an EXPLICIT tag, if the tag is next.
    pub(crate) fn optional_explicit(&mut self, tag: Tag, inner: Tag) -> Result<Option<Element<'a>>, DerError> {
        let Some(outer) = self.optional(tag)? else { return Ok(None) };
        let mut reader = outer.reader();
        let element = reader.expect(inner)?;
        reader.finish()?;
        Ok(Some(element))
    }

    /// Nothing may be left.
    pub(crate) fn finish(&self) -> Result<(), DerError> {
        match self.input.len().saturating_sub(self.position) {
            0 => Ok(()),
            count => Err(DerError::new(self.offset(), DerFault::TrailingOctets { count })),
        }
    }
}

/// The single element that `input` is.
pub(crate) fn single(input: &[u8], tag: Tag) -> Result<Element<'_>, DerError> {
    let mut reader = Reader::new(input);
    let element = reader.expect(tag)?;
    reader.finish()?;
    Ok(element)
}

/// The innermost element that does not fit into what holds it: where a missing or wrong length octet shows.
///
/// `error` is what the reader found, which is the outermost one.
pub(crate) fn innermost_truncation(input: &[u8], error: DerError) -> DerError {
    if !matches!(error.fault, DerFault::Truncated { .. }) {
        return error;
    }
    let mut found = error;
    let mut offset = found.offset;
    while let Some(left) = input.get(offset..).filter(|left| !left.is_empty()) {
        let Ok((tag, length, header)) = read_header(left, offset) else { break };
        let body = left.len() - header;
        if length <= body {
            break;
        }
        let character = char::from(left[1]);
        let fault = if !tag.is_constructed() && character.is_ascii_graphic() {
            DerFault::MissingLength { element: tag, character }
        } else {
            DerFault::Truncated { needed: length, left: body }
        };
        if tag != Tag::SEQUENCE && tag.0 & 0xc0 != 0x80 && offset == 0 {
            break;
        }
        found = DerError::new(offset, fault);
        if !tag.is_constructed() {
            break;
        }
        offset += header;
    }
    found
}

pub(crate) fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// Appends an element.
pub(crate) fn write_element(output: &mut Vec<u8>, tag: Tag, content: &[u8]) {
    output.push(tag.0);
    let length = content.len().to_be_bytes();
    match without_leading_zeros(&length) {
        [] => output.push(0),
        [short @ 0..=0x7f] => output.push(*short),
        long => {
            output.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            output.extend_from_slice(long);
        }
    }
    output.extend_from_slice(content);
}

/// Appends an INTEGER that is not negative.
pub(crate) fn write_unsigned(output: &mut Vec<u8>, value: u64) {
    let octets = value.to_be_bytes();
    let mut content = without_leading_zeros(&octets).to_vec();
    if content.first().is_none_or(|octet| octet & 0x80 != 0) {
        content.insert(0, 0);
    }
    write_element(output, Tag::INTEGER, &content);
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        text.push(char::from(HEXADECIMAL_DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(HEXADECIMAL_DIGITS[usize::from(octet & 0x0f)]));
        text
    })
}

const HEXADECIMAL_DIGITS: &[u8; 16] = b"0123456789abcdef";
const MAX_OBJECT_IDENTIFIER: usize = 64;

/// Tag, length and octets of the header at the start of `left`, which stands at `offset`.
fn read_header(left: &[u8], offset: usize) -> Result<(Tag, usize, usize), DerError> {
    let (tag, first) = match left {
        [tag, first, ..] => (*tag, *first),
        _ => return Err(DerError::new(offset, DerFault::Truncated { needed: 2, left: left.len() })),
    };
    if tag & 0x1f == 0x1f {
        let fault = DerFault::UnexpectedTag { expected: Tag::SEQUENCE, found: Tag(tag) };
        return Err(DerError::new(offset, fault));
    }
    if first < 0x80 {
        return Ok((Tag(tag), usize::from(first), 2));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(DerError::new(offset + 1, DerFault::LengthForm));
    }
    let Some(octets) = left.get(2..2 + count) else {
        return Err(DerError::new(offset, DerFault::Truncated { needed: count, left: left.len() - 2 }));
    };
    let length = octets.iter().fold(0, |length: usize, octet| length << 8 | usize::from(*octet));
    if length < 0x80 || octets[0] == 0 {
        return Err(DerError::new(offset + 1, DerFault::LengthNotMinimal));
    }
    Ok((Tag(tag), length, 2 + count))
}

/// Seconds since 1970 of a civil time in UTC; `None` when there is no such time.
fn seconds_of(year: i64, [month, day, hour, minute, second]: [i64; 5]) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from 1 March of year 0, whose months are 153 days every five.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    let days = shifted_year * 365 + leap_days + (153 * shifted_month + 2) / 5 + day - 1 - DAYS_TO_1970;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// From 1 March of year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

#[cfg(test)]
mod tests;
