//! Runs of digits that look like telephone numbers, however they are written; times, hashes and addresses do not.

use crate::passport::is_uuid;
use crate::redaction::characters::is_unsafe;

/// The text with the runs masked; nothing where there is none.
pub(super) fn mask_runs(text: &str) -> Option<String> {
    let may_hold = |c: char| c.is_numeric() || c == '%';
    if text.chars().filter(|c| may_hold(*c)).count() < SHORTEST {
        return None;
    }
    let (mut masked, mut copied) = (String::with_capacity(text.len()), 0);
    for (start, end) in digits_to_mask(text) {
        masked.push_str(&text[copied..start]);
        masked.push('x');
        copied = end;
    }
    if copied == 0 {
        return None;
    }
    masked.push_str(&text[copied..]);
    Some(masked)
}

/// The digits masked but for the first few; what stands between them stays.
pub(super) fn mask_digits(number: &str) -> String {
    let mut seen = 0;
    let mask = |c: char| {
        seen += usize::from(c.is_ascii_digit());
        if c.is_ascii_digit() && seen > KEPT_DIGITS { 'x' } else { c }
    };
    number.chars().map(mask).collect()
}

/// Hexadecimal octets with those masked that are the text of a number; nothing where there is none.
pub(super) fn mask_hexadecimal(text: &str) -> Option<String> {
    let mut octets: Vec<&[u8]> = text.as_bytes().chunks(2).collect();
    let mut masked = false;
    let mut start = 0;
    while start < octets.len() {
        let is_digit = |octet: &&[u8]| matches!(octet, [b'3', b'0'..=b'9']);
        let length = octets[start..].iter().take_while(|octet| is_digit(octet)).count();
        if length >= SHORTEST {
            masked = true;
            octets[start + KEPT_DIGITS..start + length].fill(b"xx");
        }
        start += length.max(1);
    }
    masked.then(|| octets.concat().into_iter().map(char::from).collect())
}

/// The digits, each by its place, of all runs: a run has so many digits that it can be a number of somebody, with
/// little between them.
fn digits_to_mask(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut run = Run::default();
    let (mut at, mut in_word) = (0, false);
    while let Some(character) = text[at..].chars().next() {
        if !in_word && let Some(length) = legible(&text[at..]) {
            run.end(&mut found);
            at += length;
            in_word = true;
            continue;
        }
        let (piece, length) = piece(&text[at..], character);
        match piece {
            Piece::Digit => run.digits.push((at, at + length)),
            Piece::Joint if run.joints < MAX_JOINTS => run.joints += 1,
            Piece::Joint | Piece::Other => run.end(&mut found),
        }
        if piece == Piece::Digit {
            run.joints = 0;
        }
        in_word = character.is_alphanumeric();
        at += length;
    }
    run.end(&mut found);
    found
}

/// Digits in a row, and how many separators stand since the last.
#[derive(Debug, Default)]
struct Run {
    digits: Vec<(usize, usize)>,
    joints: usize,
}

impl Run {
    fn end(&mut self, found: &mut Vec<(usize, usize)>) {
        if self.digits.len() >= SHORTEST {
            found.extend(&self.digits[KEPT_DIGITS..]);
        }
        self.digits.clear();
        self.joints = 0;
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    Digit,
    /// What people, URIs and tricksters put between the digits of a number.
    Joint,
    Other,
}

/// What the text begins with, and how many bytes of it; an escape of URIs (RFC 3986 §2.1) counts as what it says.
fn piece(text: &str, first: char) -> (Piece, usize) {
    let escaped = (first == '%').then(|| text.get(1..3)).flatten();
    let escaped = escaped.filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
    let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
    let (character, length) = escaped.map_or_else(|| (first, first.len_utf8()), |character| (character, 3));
    match character {
        c if c.is_numeric() => (Piece::Digit, length),
        ' ' | '-' | '.' | '(' | ')' | '/' | '_' | '+' | '~' | '\u{a0}' | '\u{b7}' => (Piece::Joint, length),
        '\u{2000}'..='\u{200a}' | '\u{2010}'..='\u{2015}' | '\u{202f}' | '\u{2212}' => (Piece::Joint, length),
        c if is_unsafe(c) => (Piece::Joint, length),
        _ => (Piece::Other, first.len_utf8()),
    }
}

/// How many bytes at the start of a word are digits that name nobody: a time, a date, an IP address, a UUID, a hash, or
/// the clause of a standard.
fn legible(text: &str) -> Option<usize> {
    let word = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    let length = if HASHES.contains(&word) && mask_hexadecimal(&text[..word]).is_none() {
        Some(word)
    } else if text.get(..36).is_some_and(is_uuid) {
        Some(36)
    } else {
        time(text).or_else(|| address(text)).or_else(|| clause(text))
    }?;
    let ends = !text[length..].starts_with(|c: char| c.is_alphanumeric());
    ends.then_some(length)
}

/// MD5, SHA-1, SHA-2.
const HASHES: [usize; 6] = [32, 40, 56, 64, 96, 128];

/// A date with or without a time, as RFC 3339, ISO 8601, logs and file names have it: `2026-05-04T12:00:01.5Z`,
/// `2026/05/04 12:00`, `20260504-120001`; or `5/4/2026 12:00:01`.
fn time(text: &str) -> Option<usize> {
    let mut rest = Pattern(text);
    let date = rest.year_first().or_else(|| {
        rest = Pattern(text);
        rest.year_last()
    });
    date?;
    let date = rest.0;
    if rest.clock().is_none() || rest.0.starts_with(char::is_alphanumeric) {
        rest = Pattern(date);
    }
    Some(text.len() - rest.0.len())
}

/// An IPv4 address; its port is none of our business.
fn address(text: &str) -> Option<usize> {
    let mut rest = Pattern(text);
    for index in 0..4 {
        if index > 0 {
            rest.one_of(&['.'])?;
        }
        let digits = rest.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.0.len());
        let octet: u16 = rest.0[..digits].parse().ok()?;
        if octet > 255 || digits > 1 && rest.0.starts_with('0') {
            return None;
        }
        rest.0 = &rest.0[digits..];
    }
    // More dots and digits are no address.
    let goes_on = rest.0.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_numeric()));
    (!goes_on).then(|| text.len() - rest.0.len())
}

/// A clause as checks cite it: `RFC 8225 10.1`, `ATIS-1000080 6.4.1`.
fn clause(text: &str) -> Option<usize> {
    let rfc = text.strip_prefix("RFC ").map(|rest| (rest, 4));
    let (rest, digits) = rfc.or_else(|| text.strip_prefix("ATIS-1000").map(|rest| (rest, 3)))?;
    let mut rest = Pattern(rest);
    rest.number(digits, 0, 9999)?;
    let document = rest.0;
    let is_section = |text: &str| text.split('.').all(|part| matches!(part.len(), 1 | 2)) && text.len() <= 8;
    if rest.one_of(&[' ']).is_some() {
        let length = rest.0.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.0.len());
        let section = rest.0[..length].trim_end_matches('.');
        if is_section(section) {
            return Some(text.len() - rest.0.len() + section.len());
        }
    }
    Some(text.len() - document.len())
}

/// What is left of a text to be recognised.
struct Pattern<'a>(&'a str);

impl Pattern<'_> {
    /// A number of so many digits, within bounds.
    fn number(&mut self, digits: usize, least: u16, most: u16) -> Option<()> {
        let text = self.0.get(..digits).filter(|text| text.bytes().all(|c| c.is_ascii_digit()))?;
        let value: u16 = text.parse().ok()?;
        self.0 = &self.0[digits..];
        (least..=most).contains(&value).then_some(())
    }

    fn one_of(&mut self, characters: &[char]) -> Option<char> {
        let character = self.0.chars().next().filter(|c| characters.contains(c))?;
        self.0 = &self.0[character.len_utf8()..];
        Some(character)
    }

    fn year_first(&mut self) -> Option<()> {
        self.number(4, 1990, 2099)?;
        let separator = self.one_of(&['-', '/', '.']);
        self.number(2, 1, 12)?;
        if separator.is_some() && self.one_of(&['-', '/', '.']) != separator {
            return None;
        }
        self.number(2, 1, 31)
    }

    fn year_last(&mut self) -> Option<()> {
        for most in [12, 31] {
            let digits = self.0.find('/').filter(|digits| (1..=2).contains(digits))?;
            self.number(digits, 1, most)?;
            self.one_of(&['/'])?;
        }
        self.number(4, 1990, 2099)
    }

    /// The time after a date, its fraction and its zone.
    fn clock(&mut self) -> Option<()> {
        let _ = self.one_of(&['T', 't', ' ', '-', '_']);
        self.number(2, 0, 23)?;
        let colon = self.one_of(&[':']);
        self.number(2, 0, 59)?;
        if colon.is_none() || self.one_of(&[':']).is_some() {
            self.number(2, 0, 60)?;
        }
        if self.0.starts_with('.') {
            let fraction = &self.0[1..];
            let digits = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            self.0 = if (1..=9).contains(&digits) { &fraction[digits..] } else { self.0 };
        }
        let zoned = self.0;
        if self.one_of(&['Z', 'z']).is_none() && self.offset().is_none() {
            self.0 = zoned;
        }
        Some(())
    }

    fn offset(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(' ').unwrap_or(self.0);
        self.one_of(&['+', '-'])?;
        self.number(2, 0, 14)?;
        let _ = self.one_of(&[':']);
        self.number(2, 0, 59)
    }
}

/// Shorter ones are service codes, which name nobody.
const SHORTEST: usize = super::SHORTEST;
/// How many digits stay.
const KEPT_DIGITS: usize = 4;
/// More separators than these part two numbers.
const MAX_JOINTS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        mask_runs(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_number_is_masked_however_it_is_written() {
        for (text, expected) in [
            ("neither 12155550112, nor +442079460000.", "neither 1215xxxxxxx, nor +4420xxxxxxxx."),
            ("215-555-0112 x99", "215-5xx-xxxx x99"),
            ("(215) 555-0112", "(215) 5xx-xxxx"),
            ("215.555.0112", "215.5xx.xxxx"),
            ("215 555 0112", "215 5xx xxxx"),
            ("215/555-0112", "215/5xx-xxxx"),
            ("215\u{2011}555\u{a0}0112", "215\u{2011}5xx\u{a0}xxxx"),
            ("215\u{200b}555\u{202e}0112", "215\u{200b}5xx\u{202e}xxxx"),
            ("555-0112", "555-0xxx"),
            ("sip:%2B1215%2D555%2D0112@x.example", "sip:%2B1215%2Dxxx%2Dxxxx@x.example"),
            ("sip:%32%31%35%35%35%35%30%31%31%32@x", "sip:%32%31%35%35xxxxxx@x"),
            ("tel:+1-215-555-0112;ext=7", "tel:+1-215-xxx-xxxx;ext=7"),
            ("７１２３４５６７８", "７１２３xxxxx"),
            ("tg12155550112", "tg1215xxxxxxx"),
            ("campaign 1-215-555-0112 press 1", "campaign 1-215-xxx-xxxx press 1"),
            ("2026-05-04T12:00:01Z 12155550112@h", "2026-05-04T12:00:01Z 1215xxxxxxx@h"),
            ("1.215.555.0112", "1.215.xxx.xxxx"),
            ("RFC 2155550112", "RFC 2155xxxxxx"),
            ("RFC 8225 2155550112", "RFC 8225 2155xxxxxx"),
            ("198.51.100.7.12155550112", "198.5x.xxx.x.xxxxxxxxxxx"),
            ("2026-05-0412155550112", "2026-xx-xxxxxxxxxxxxx"),
            ("2026-05-04 12155550112", "2026-05-04 1215xxxxxxx"),
            ("12155550112a84b4c76e66710d0a76500", "1215xxxxxxxa84b4c76e66710d0a76500"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn what_names_nobody_stays_legible() {
        for text in [
            "2026-05-04T12:00:01Z",
            "2026-05-04T12:00:01.123456-05:00",
            "2026-05-04 12:00:01 +0000",
            "2026/05/04 12:00",
            "core-2026-05-04.csv:59",
            "cdr_20260504_120001.csv, cdr-20260504.csv",
            "5/4/2026 12:00:01",
            "Mon, 04 May 2026 12:00:01 GMT",
            "https://a.example/20260504000001.pem",
            "12345678-1234-1234-1234-123456789012",
            "sha256 0f2600ba4c2912345678901280da04d7b8cb7ca6b4ac55cea6bb9f25a876f8fd",
            "198.51.100.200:5060, 2001:db8::1, 203.0.113.128/25",
            "0.98 (exact)  calling number the same, 26,000,000 records in 12 files",
            "SPC 552D, 1234; line 4711, column 12",
            "*67, 911, 112",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_hash_whose_octets_are_the_text_of_a_number_is_none() {
        let octets: String = "12155550112".bytes().map(|octet| format!("{octet:02x}")).collect();
        let hash = format!("{octets}{}", "00".repeat(21));
        assert!(!masked(&hash).contains(&octets), "{}", masked(&hash));
    }

    proptest! {
        #[test]
        fn no_ten_digits_pass_whatever_stands_between_them(
            digits in prop::collection::vec(0u8..10, 10..16),
            joints in prop::collection::vec("[-. ()/_]{0,3}|%20|\u{200b}", 16),
        ) {
            let text: String = digits.iter().zip(&joints).map(|(digit, joint)| format!("{digit}{joint}")).collect();
            let left = masked(&text).replace("%20", "").chars().filter(char::is_ascii_digit).count();
            // An address or a date may stand at the start.
            prop_assert!(left <= 4 || time(&text).is_some() || address(&text).is_some()
                || (0..text.len()).any(|at| text.is_char_boundary(at) && legible(&text[at..]).is_some()), "{} {}", text, masked(&text));
        }

        #[test]
        fn any_text_is_masked_without_losing_a_word(text: String) {
            let kept = |text: &str| text.chars().filter(|c| c.is_alphabetic() && !c.is_numeric() && *c != 'x').collect::<String>();
            let result = masked(&text);
            if !text.contains('%') {
                prop_assert_eq!(kept(&result), kept(&text));
            }
            prop_assert_eq!(masked(&result), result);
        }
    }
}
