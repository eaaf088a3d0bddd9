//! Numbers as call records have them: prefixes that SIP never sees, and whole URIs (design of call-record numbers).
//!
//! Dropped are a technical prefix `digits#`, the international prefixes `011`, `00` and `001`, and `;npdi;rn=..` with
//! all other user parameters; ten digits of the North American plan get their country code.

use std::borrow::Cow;

use crate::cdr::record::Dialed;
use crate::number::{NumberPlan, TelephoneNumber};

impl Dialed {
    /// Reads a number of a call record. It never fails: what is no number has no canonical form.
    #[must_use]
    pub fn read(text: &str, plan: NumberPlan) -> Self {
        let raw = text.trim();
        let (tech_prefix, canonical) = parts(raw, plan);
        Self { raw: raw.to_owned(), tech_prefix: tech_prefix.map(str::to_owned), canonical }
    }

    /// Whether it says that the caller is withheld, in whatever word: nothing at all says so too.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        let user = user_part(&self.raw).trim_matches(['"', ' ']);
        self.canonical.is_none() && (user.is_empty() || WITHHELD.iter().any(|word| user.eq_ignore_ascii_case(word)))
    }
}

impl<'t> Dialed<Cow<'t, str>> {
    /// Reads a number of a call record, as [`Dialed::read`] does.
    pub(super) fn of(text: Cow<'t, str>, plan: NumberPlan) -> Self {
        let Cow::Borrowed(text) = text else {
            let Dialed { raw, tech_prefix, canonical } = Dialed::read(&text, plan);
            return Self { raw: Cow::Owned(raw), tech_prefix: tech_prefix.map(Cow::Owned), canonical };
        };
        let raw = text.trim();
        let (tech_prefix, canonical) = parts(raw, plan);
        Self { raw: Cow::Borrowed(raw), tech_prefix: tech_prefix.map(Cow::Borrowed), canonical }
    }
}

/// The technical prefix of a number, and the number.
fn parts(raw: &str, plan: NumberPlan) -> (Option<&str>, Option<TelephoneNumber>) {
    // Nearly all of them: nothing to take off, and no prefix that only call records have.
    if is_bare(raw.as_bytes()) && !raw.ends_with(ON_A_KEYPAD) {
        return (None, plan.canonicalise_digits(raw));
    }
    let user = user_part(raw);
    match user.split_once('#') {
        Some((prefix, rest)) if is_digits(prefix) && !rest.is_empty() => (Some(prefix), canonical(rest, plan)),
        _ => (None, canonical(user, plan)),
    }
}

/// What switches write for a caller who is withheld; the digits spell ANONYMOUS on a keypad.
const WITHHELD: [&str; 9] =
    ["anonymous", "restricted", "private", "unavailable", "unknown", "withheld", "blocked", ON_A_KEYPAD, "+266696687"];
const ON_A_KEYPAD: &str = "266696687";

/// Digits, or a `+` and digits, without an international prefix.
fn is_bare(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let has_prefix = digits.first() == Some(&b'0');
    !has_prefix && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn canonical(number: &str, plan: NumberPlan) -> Option<TelephoneNumber> {
    let number = number.split(';').next().unwrap_or_default();
    let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    if digits.strip_prefix('+').unwrap_or(&digits) == ON_A_KEYPAD {
        return None;
    }
    match international(&digits) {
        Some(global) => plan.canonicalise(&format!("+{global}")),
        None => plan.canonicalise(number),
    }
}

/// What stands behind an international prefix, when there is one and it leaves a whole number.
fn international(digits: &str) -> Option<&str> {
    let rest = digits.strip_prefix("00").or_else(|| digits.strip_prefix("011"))?;
    if !is_digits(rest) || rest.len() < SHORTEST_GLOBAL {
        return None;
    }
    // `001` is also an exit code; what follows it is North American when `1` and ten digits remain.
    let behind_001 = digits.strip_prefix("001").filter(|own| own.len() != 10 && own.len() >= SHORTEST_GLOBAL);
    Some(behind_001.unwrap_or(rest))
}

/// Shorter ones are service codes.
const SHORTEST_GLOBAL: usize = 8;

/// `sip:+12155550112;tgrp=x@host`, `"Name" <tel:+12155550112>;tag=1` and the bare number alike.
fn user_part(text: &str) -> &str {
    let inner = match (text.find('<'), text.rfind('>')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text,
    };
    let scheme =
        ["sips:", "sip:", "tel:"].into_iter().find(|s| inner.get(..s.len()).is_some_and(|p| p.eq_ignore_ascii_case(s)));
    let bare = scheme.map_or(inner, |scheme| &inner[scheme.len()..]);
    bare.split('@').next().unwrap_or_default()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        Dialed::read(text, NumberPlan::NORTH_AMERICAN).canonical.map(|number| number.to_string())
    }

    #[test]
    fn every_spelling_of_call_records_is_the_same_number() {
        for text in [
            "+12155550112",
            "12155550112",
            "2155550112",
            "0012155550112",
            "01112155550112",
            "99871#12155550112",
            "12155550112;npdi;rn=12155550199",
            "sip:+12155550112@sbc.example:5060;user=phone",
            "\"ACME\" <sip:+12155550112;tgrp=x@192.0.2.1>;tag=77",
            "tel:+1-215-555-0112",
        ] {
            assert_eq!(read(text).as_deref(), Some("12155550112"), "{text}");
        }
    }

    #[test]
    fn foreign_numbers_lose_only_their_prefix() {
        for text in ["+442071838750", "00442071838750", "011442071838750", "001442071838750"] {
            assert_eq!(read(text).as_deref(), Some("442071838750"), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_keeps_its_text() {
        for text in ["anonymous", "", "Restricted", "#", "12#", "00"] {
            let dialed = Dialed::read(text, NumberPlan::NORTH_AMERICAN);
            assert_eq!(dialed.raw, text);
            assert!(dialed.canonical.is_none_or(|number| number.as_str().len() <= 3), "{text}");
        }
        assert_eq!(Dialed::read("99871#12155550112", NumberPlan::NORTH_AMERICAN).tech_prefix.as_deref(), Some("99871"));
    }

    proptest! {
        #[test]
        fn digits_are_read_as_any_other_spelling(text in "\\+?[1-9][0-9]{0,40}") {
            for plan in [NumberPlan::NORTH_AMERICAN, NumberPlan::INTERNATIONAL] {
                prop_assert_eq!(Dialed::read(&text, plan).canonical, plan.canonicalise(&format!("{text}-")));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Dialed::read(&text, NumberPlan::NORTH_AMERICAN);
        }
    }
}
