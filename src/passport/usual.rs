//! The payload that nearly every signer prints: RFC 8588's five claims with telephone numbers, in RFC 8225 §9's form.
//!
//! It is read straight into [`Claims`]. Whatever is one byte different is not read here but by the JSON reader, so this
//! may refuse anything, and must never accept what that one would read in another way.

use super::claims::{Claims, Destination, MAX_DESTINATIONS, Party};
use crate::time::UnixTime;

/// The claims, if the payload is of the usual form to the byte.
pub(super) fn parse(payload: &[u8]) -> Option<Claims> {
    let mut rest = Rest(std::str::from_utf8(payload).ok()?);
    rest.skip(r#"{"attest":""#)?;
    let attest = rest.string()?.to_owned();
    rest.skip(r#","dest":{"tn":[""#)?;
    let mut numbers = vec![rest.filled()?];
    while rest.skip(r#",""#).is_some() {
        if numbers.len() == MAX_DESTINATIONS {
            return None;
        }
        numbers.push(rest.filled()?);
    }
    rest.skip(r#"]},"iat":"#)?;
    let iat = rest.seconds()?;
    rest.skip(r#","orig":{"tn":""#)?;
    let orig = rest.filled()?;
    rest.skip(r#"},"origid":""#)?;
    let origid = rest.string()?.to_owned();
    (rest.0 == "}").then(|| Claims {
        attest: Some(attest),
        dest: Some(Destination::new(numbers, Vec::new())),
        iat: Some(UnixTime::from_seconds(iat)),
        orig: Some(Party::Number(orig)),
        origid: Some(origid),
        canonical: true,
        ..Claims::default()
    })
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Up to the closing quotation mark: no escapes, no controls.
    fn string(&mut self) -> Option<&'a str> {
        let end = self.0.bytes().position(|c| c < 0x20 || c == b'"' || c == b'\\')?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    fn filled(&mut self) -> Option<String> {
        self.string().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A whole number as JSON has it, up to 18 digits.
    fn seconds(&mut self) -> Option<i64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (text, rest) = self.0.split_at(digits);
        if digits > 18 || (digits > 1 && text.starts_with('0')) {
            return None;
        }
        self.0 = rest;
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL: &str = r#"{"attest":"A","dest":{"tn":["12155550131","12155550132"]},"iat":1777896001,"orig":{"tn":"12155550112"},"origid":"123e4567-e89b-12d3-a456-426655440000"}"#;

    #[test]
    fn the_usual_form_is_read_here() {
        let claims = parse(USUAL.as_bytes()).unwrap();
        assert_eq!(claims, Claims::parse_any(USUAL.as_bytes()).unwrap());
        assert_eq!(claims.to_canonical_json(), USUAL);
    }

    #[test]
    fn other_spellings_are_left_to_the_json_reader() {
        // A14 to A18, G1, G2: order, white space, escapes, repeated names, numbers of other forms.
        for (from, to) in [
            (r#"{"attest""#, r#"{ "attest""#),
            (r#""A""#, r#""\u0041""#),
            ("1777896001", "01777896001"),
            ("1777896001", "1777896001.0"),
            ("1777896001", "-1"),
            ("1777896001", ""),
            ("1777896001", "9999999999999999999"),
            (r#"["12155550131","12155550132"]"#, "[]"),
            (r#"["12155550131","12155550132"]"#, r#"[""]"#),
            (r#""tn":"12155550112""#, r#""tn":"""#),
            (r#""tn":"12155550112""#, r#""uri":"sip:a@b.example""#),
            ("0000\"}", "0000\"} "),
            ("0000\"}", "0000\",\"origid\":\"x\"}"),
            ("0000\"}", "0000\""),
        ] {
            let text = USUAL.replacen(from, to, 1);
            assert_ne!(text, USUAL, "{from}");
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        let many = format!("[{}]", vec![r#""12155550131""#; MAX_DESTINATIONS + 1].join(","));
        assert_eq!(parse(USUAL.replacen(r#"["12155550131","12155550132"]"#, &many, 1).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn what_is_read_here_reads_the_same_there(
            attest in r#"[A-D"\\\x00-\x7fé]{0,2}"#,
            numbers in prop::collection::vec(r#"[0-9*#"\\]{0,4}"#, 0..4),
            iat in prop_oneof!["[0-9]{0,20}", any::<i64>().prop_map(|n| n.to_string()), "[0-9.eE-]{1,6}"],
            orig in r#"[0-9"\\ ]{0,6}"#,
            origid in r#"[^"\\]{0,8}"#,
        ) {
            let dest = numbers.iter().map(|number| format!("\"{number}\"")).collect::<Vec<_>>().join(",");
            let text = format!(
                r#"{{"attest":"{attest}","dest":{{"tn":[{dest}]}},"iat":{iat},"orig":{{"tn":"{orig}"}},"origid":"{origid}"}}"#
            );
            if let Some(claims) = parse(text.as_bytes()) {
                prop_assert_eq!(claims, Claims::parse_any(text.as_bytes()).unwrap());
            }
        }

        #[test]
        fn a_byte_changed_never_reads_differently(place in 0..USUAL.len(), byte in any::<u8>()) {
            let mut bytes = USUAL.as_bytes().to_vec();
            bytes[place] = byte;
            if let Some(claims) = parse(&bytes) {
                prop_assert_eq!(claims, Claims::parse_any(&bytes).unwrap());
            }
        }
    }
}
