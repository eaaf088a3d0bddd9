//! The DER shapes that certificates and CRLs are written with (X.690 §8, §10).

use crate::time::UnixTime;

/// The tags used, with their class and form bits (X.690 §8.1.2).
pub(super) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// A primitive context-specific tag: `[number] IMPLICIT` of a primitive type.
    pub(crate) const CONTEXT: u8 = 0x80;
    /// A constructed context-specific tag: `[number] EXPLICIT`, or `IMPLICIT` of a constructed type.
    pub(crate) const CONTEXT_CONSTRUCTED: u8 = 0xa0;
}

/// Tag, length, content.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    match length.as_slice() {
        [] => bytes.push(0),
        [short] if *short < 0x80 => bytes.push(*short),
        long => {
            // A length has at most eight bytes, so the count fits.
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            bytes.extend_from_slice(long);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(tag::SEQUENCE, &parts.concat())
}

/// `[number] EXPLICIT`, or `IMPLICIT` of a constructed type.
pub(super) fn context(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(tag::CONTEXT_CONSTRUCTED | number, content)
}

pub(super) fn oid(arcs: &[u64]) -> Vec<u8> {
    let (first, rest) = match arcs {
        [first, second, rest @ ..] => (first * 40 + second, rest),
        _ => (0, arcs),
    };
    let mut content = base_128(first);
    for arc in rest {
        content.extend(base_128(*arc));
    }
    tlv(tag::OBJECT_IDENTIFIER, &content)
}

fn base_128(mut value: u64) -> Vec<u8> {
    let mut groups = Vec::new();
    loop {
        let group = u8::try_from(value & 0x7f).unwrap_or_default();
        groups.push(if groups.is_empty() { group } else { 0x80 | group });
        value >>= 7;
        if value == 0 {
            break;
        }
    }
    groups.reverse();
    groups
}

/// A non-negative INTEGER of big-endian bytes, shortened and padded as DER wants it.
pub(super) fn integer(magnitude: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = magnitude.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    tlv(tag::INTEGER, &content)
}

pub(super) fn number(value: u64) -> Vec<u8> {
    integer(&value.to_be_bytes())
}

pub(super) fn boolean_true() -> Vec<u8> {
    tlv(tag::BOOLEAN, &[0xff])
}

pub(super) fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, content)
}

pub(super) fn bit_string(content: &[u8]) -> Vec<u8> {
    tlv(tag::BIT_STRING, &[&[0], content].concat())
}

/// A named BIT STRING of up to eight bits, trailing zeros dropped (X.690 §11.2.2).
pub(super) fn named_bits(bits: u8) -> Vec<u8> {
    let unused = u8::try_from(bits.trailing_zeros()).unwrap_or_default();
    tlv(tag::BIT_STRING, &[unused, bits])
}

/// UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5).
pub(super) fn time(moment: UnixTime) -> Vec<u8> {
    let digits: String = moment.to_string().chars().filter(char::is_ascii_digit).collect();
    let text = format!("{digits}Z");
    if text.as_str() < "2050" {
        tlv(tag::UTC_TIME, &text.as_bytes()[2..])
    } else {
        tlv(tag::GENERALIZED_TIME, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(tlv(4, &[]), [4, 0]);
        assert_eq!(tlv(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(tlv(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[7; 300])[..4], [4, 0x82, 1, 44]);
    }

    #[test]
    fn integers_are_shortened_and_never_negative() {
        assert_eq!(number(0), [2, 1, 0]);
        assert_eq!(number(1000), [2, 2, 3, 0xe8]);
        assert_eq!(integer(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
    }

    #[test]
    fn object_identifiers_are_base_128() {
        // id-pe-TNAuthList (C1) and the SHAKEN certificate policy (F16).
        assert_eq!(oid(&[1, 3, 6, 1, 5, 5, 7, 1, 26]), [6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 26]);
        assert_eq!(oid(&[2, 16, 840, 1, 114_569, 1, 1, 4]), [6, 10, 0x60, 0x86, 0x48, 1, 0x86, 0xff, 0x09, 1, 1, 4]);
    }

    #[test]
    fn times_change_form_in_2050() {
        let before = UnixTime::parse_rfc3339("2049-12-31T23:59:59Z").unwrap();
        assert_eq!(time(before)[2..], *b"491231235959Z");
        assert_eq!(time(before.plus_seconds(1))[2..], *b"20500101000000Z");
    }

    #[test]
    fn named_bits_drop_trailing_zeros() {
        assert_eq!(named_bits(0x80), [3, 2, 7, 0x80]);
        assert_eq!(named_bits(0x06), [3, 2, 1, 0x06]);
    }
}
