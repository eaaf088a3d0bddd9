//! JWTClaimConstraints and EnhancedJWTClaimConstraints: which claims a certificate lets its holder sign
//! (RFC 8226 §8, RFC 9118).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::certificate::der::{DerError, DerFault, Element, Reader, Tag, write_element};

/// What a certificate demands of the claims that it signs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClaimConstraints {
    /// Claims that must be there, besides `iat`, `orig` and `dest`.
    pub must_include: Vec<String>,
    /// Claims that, when there, must have one of the listed values.
    pub permitted_values: Vec<PermittedValues>,
    /// Claims that must not be there; only the enhanced form has them.
    pub must_exclude: Vec<String>,
}

/// The values that one claim may have.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PermittedValues {
    /// The claim's name.
    pub claim: String,
    /// The values.
    pub permitted: Vec<String>,
}

impl ClaimConstraints {
    /// The object identifier of JWTClaimConstraints, id-pe 27 (C8).
    pub const OBJECT_IDENTIFIER: &'static str = "1.3.6.1.5.5.7.1.27";
    /// The object identifier of EnhancedJWTClaimConstraints, id-pe 33 (C9).
    pub const ENHANCED_OBJECT_IDENTIFIER: &'static str = "1.3.6.1.5.5.7.1.33";
    /// The most names and values that one extension may hold.
    pub const MAX_ELEMENTS: usize = 1_000;

    /// Reads the value of a JWTClaimConstraints extension.
    ///
    /// # Errors
    /// Says at which byte of `der` it is wrong.
    pub fn parse(der: &[u8]) -> Result<Self, DerError> {
        Self::read(der, false)
    }

    /// Reads the value of an EnhancedJWTClaimConstraints extension.
    ///
    /// # Errors
    /// Says at which byte of `der` it is wrong.
    pub fn parse_enhanced(der: &[u8]) -> Result<Self, DerError> {
        Self::read(der, true)
    }

    /// The DER; it is a JWTClaimConstraints as long as `must_exclude` is empty.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        write_names(&mut fields, 0, &self.must_include);
        if !self.permitted_values.is_empty() {
            let mut lists = Vec::new();
            for values in &self.permitted_values {
                let mut list = Vec::new();
                write_element(&mut list, Tag::IA5_STRING, values.claim.as_bytes());
                write_strings(&mut list, Tag::UTF8_STRING, &values.permitted);
                write_element(&mut lists, Tag::SEQUENCE, &list);
            }
            let mut sequence = Vec::new();
            write_element(&mut sequence, Tag::SEQUENCE, &lists);
            write_element(&mut fields, Tag::constructed(1), &sequence);
        }
        write_names(&mut fields, 2, &self.must_exclude);
        let mut der = Vec::new();
        write_element(&mut der, Tag::SEQUENCE, &fields);
        der
    }

    /// The claim that voids the constraints: a `mustExclude` of `iat`, `orig` or `dest` makes a verifier act as if the
    /// extension were absent (RFC 9118 §3 rule 3, C11).
    #[must_use]
    pub fn void_because_of(&self) -> Option<&str> {
        self.must_exclude.iter().map(String::as_str).find(|claim| matches!(*claim, "iat" | "orig" | "dest"))
    }

    /// Whether the claims of a PASSporT keep to the constraints (RFC 9118 §4, C10).
    ///
    /// A string claim must equal a permitted value character by character. Permitted values are text, so for any
    /// other claim (a number, a boolean, an object) the permitted value is read as JSON and must be the same value.
    ///
    /// # Errors
    /// Names the first rule that is violated, and the claim.
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), ConstraintViolation> {
        if self.void_because_of().is_some() {
            return Ok(());
        }
        if let Some(claim) = self.must_include.iter().find(|claim| !claims.contains_key(*claim)) {
            return Err(ConstraintViolation::Missing { claim: claim.clone() });
        }
        for values in &self.permitted_values {
            values.check(claims)?;
        }
        match self.must_exclude.iter().find(|claim| claims.contains_key(*claim)) {
            Some(claim) => Err(ConstraintViolation::Excluded { claim: claim.clone() }),
            None => Ok(()),
        }
    }

    fn read(der: &[u8], enhanced: bool) -> Result<Self, DerError> {
        let mut reader = Reader::new(der);
        let sequence = reader.expect(Tag::SEQUENCE)?;
        reader.finish()?;
        if sequence.content.is_empty() {
            return Err(sequence.error(DerFault::Empty { place: "the constraints' SEQUENCE" }));
        }
        let mut fields = sequence.reader();
        let mut budget = Self::MAX_ELEMENTS;
        let mut constraints = Self::default();
        if let Some(names) = fields.optional_explicit(Tag::constructed(0), Tag::SEQUENCE)? {
            constraints.must_include = read_strings(names, Tag::IA5_STRING, "mustInclude", &mut budget)?;
        }
        if let Some(lists) = fields.optional_explicit(Tag::constructed(1), Tag::SEQUENCE)? {
            constraints.permitted_values = read_lists(lists, &mut budget)?;
        }
        if enhanced && let Some(names) = fields.optional_explicit(Tag::constructed(2), Tag::SEQUENCE)? {
            constraints.must_exclude = read_strings(names, Tag::IA5_STRING, "mustExclude", &mut budget)?;
        }
        fields.finish()?;
        Ok(constraints)
    }
}

impl PermittedValues {
    fn check(&self, claims: &Map<String, Value>) -> Result<(), ConstraintViolation> {
        // NOTE: RFC 8226's second example wants the claim to be there; RFC 9118 §4, which is later, does not.
        let Some(value) = claims.get(&self.claim) else { return Ok(()) };
        if self.permitted.iter().any(|permitted| is_permitted(value, permitted)) {
            return Ok(());
        }
        Err(ConstraintViolation::NotPermitted { claim: self.claim.clone(), value: value.to_string() })
    }
}

/// The rule that a PASSporT's claims violate (C12).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintViolation {
    /// A claim of `mustExclude` is there.
    #[error("the certificate forbids the claim {claim:?} (mustExclude)")]
    Excluded {
        /// The claim.
        claim: String,
    },
    /// A claim of `mustInclude` is not there.
    #[error("the certificate demands the claim {claim:?} (mustInclude)")]
    Missing {
        /// The claim.
        claim: String,
    },
    /// A claim has a value that `permittedValues` does not list.
    #[error("the certificate does not permit {value} as the claim {claim:?} (permittedValues)")]
    NotPermitted {
        /// The claim.
        claim: String,
        /// Its value, as JSON.
        value: String,
    },
}

fn is_permitted(value: &Value, permitted: &str) -> bool {
    match value {
        Value::String(text) => text == permitted,
        other => serde_json::from_str::<Value>(permitted).is_ok_and(|permitted| permitted == *other),
    }
}

fn read_lists(lists: Element<'_>, budget: &mut usize) -> Result<Vec<PermittedValues>, DerError> {
    let mut reader = lists.reader();
    let mut all = Vec::new();
    while !reader.is_empty() {
        let list = reader.expect(Tag::SEQUENCE)?;
        spend(budget, &list)?;
        let mut fields = list.reader();
        let claim = fields.expect(Tag::IA5_STRING)?.ascii("a claim's name")?.to_owned();
        let values = fields.expect(Tag::SEQUENCE)?;
        fields.finish()?;
        let permitted = read_strings(values, Tag::UTF8_STRING, "the permitted values", budget)?;
        all.push(PermittedValues { claim, permitted });
    }
    if all.is_empty() { Err(lists.error(DerFault::Empty { place: "permittedValues" })) } else { Ok(all) }
}

fn read_strings(
    sequence: Element<'_>,
    tag: Tag,
    place: &'static str,
    budget: &mut usize,
) -> Result<Vec<String>, DerError> {
    let mut reader = sequence.reader();
    let mut strings = Vec::new();
    while !reader.is_empty() {
        let element = reader.expect(tag)?;
        spend(budget, &element)?;
        let text = if tag == Tag::IA5_STRING { element.ascii(place)? } else { element.utf8(place)? };
        strings.push(text.to_owned());
    }
    if strings.is_empty() { Err(sequence.error(DerFault::Empty { place })) } else { Ok(strings) }
}

fn spend(budget: &mut usize, element: &Element<'_>) -> Result<(), DerError> {
    let limit = ClaimConstraints::MAX_ELEMENTS;
    *budget = budget.checked_sub(1).ok_or_else(|| element.error(DerFault::TooMany { limit }))?;
    Ok(())
}

fn write_names(output: &mut Vec<u8>, number: u8, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let mut sequence = Vec::new();
    write_strings(&mut sequence, Tag::IA5_STRING, names);
    write_element(output, Tag::constructed(number), &sequence);
}

fn write_strings(output: &mut Vec<u8>, tag: Tag, strings: &[String]) {
    let mut content = Vec::new();
    for text in strings {
        write_element(&mut content, tag, text.as_bytes());
    }
    write_element(output, Tag::SEQUENCE, &content);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The extension of RFC 9118 figure 1 (C13).
    const FIGURE_1: &str = "3040a00e300c160a636f6e666964656e6365a120301e301c160a636f6e666964656e6365300e0c04686967680c066d656469756da20c300a16087072696f72697479";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn check(constraints: &ClaimConstraints, claims: &str) -> Result<(), ConstraintViolation> {
        constraints.check(&serde_json::from_str(claims).unwrap())
    }

    #[test]
    fn the_certificate_of_rfc9118_figure_1_constrains_confidence_and_priority() {
        // C10, C13.
        let constraints = ClaimConstraints::parse_enhanced(&bytes(FIGURE_1)).unwrap();
        assert_eq!(constraints.must_include, ["confidence"]);
        assert_eq!(constraints.permitted_values[0].claim, "confidence");
        assert_eq!(constraints.permitted_values[0].permitted, ["high", "medium"]);
        assert_eq!(constraints.must_exclude, ["priority"]);
        assert_eq!(constraints.to_der(), bytes(FIGURE_1));

        assert_eq!(check(&constraints, r#"{"confidence":"high","iat":1}"#), Ok(()));
        let claim = || "confidence".to_owned();
        assert_eq!(check(&constraints, r#"{"iat":1}"#), Err(ConstraintViolation::Missing { claim: claim() }));
        for value in [r#""High""#, r#""high ""#, r#"["high"]"#, "null", "1"] {
            let violation = ConstraintViolation::NotPermitted { claim: claim(), value: value.to_owned() };
            assert_eq!(check(&constraints, &format!(r#"{{"confidence":{value}}}"#)), Err(violation));
        }
        let violation = ConstraintViolation::Excluded { claim: "priority".to_owned() };
        assert_eq!(check(&constraints, r#"{"confidence":"high","priority":null}"#), Err(violation));
    }

    #[test]
    fn an_absent_claim_needs_no_permitted_value() {
        // C10: RFC 9118 §4 against the second example of RFC 8226.
        let permitted_values = vec![PermittedValues { claim: "attest".to_owned(), permitted: vec!["C".to_owned()] }];
        let constraints = ClaimConstraints { permitted_values, ..ClaimConstraints::default() };
        assert_eq!(check(&constraints, r#"{"iat":1}"#), Ok(()));
        assert!(check(&constraints, r#"{"attest":"A"}"#).is_err());
    }

    #[test]
    fn values_that_are_no_strings_are_compared_as_json() {
        let permitted = ["1", "true", r#"{ "nam": "Q" }"#].map(str::to_owned).to_vec();
        let permitted_values = vec![PermittedValues { claim: "x".to_owned(), permitted }];
        let constraints = ClaimConstraints { permitted_values, ..ClaimConstraints::default() };
        for value in ["1", "true", r#"{"nam":"Q"}"#, r#""1""#, r#""true""#] {
            assert_eq!(check(&constraints, &format!(r#"{{"x":{value}}}"#)), Ok(()), "{value}");
        }
        for value in ["2", "1.5", "false", r#"{"nam":"R"}"#, "null"] {
            assert!(check(&constraints, &format!(r#"{{"x":{value}}}"#)).is_err(), "{value}");
        }
    }

    #[test]
    fn excluding_a_baseline_claim_voids_the_extension() {
        // C11.
        for claim in ["iat", "orig", "dest"] {
            let must_exclude = vec![claim.to_owned()];
            let must_include = vec!["confidence".to_owned()];
            let constraints = ClaimConstraints { must_include, must_exclude, ..ClaimConstraints::default() };
            assert_eq!(constraints.void_because_of(), Some(claim));
            assert_eq!(check(&constraints, r#"{"iat":1}"#), Ok(()));
        }
    }

    #[test]
    fn the_plain_extension_has_no_must_exclude() {
        // C8.
        let error = ClaimConstraints::parse(&bytes(FIGURE_1)).unwrap_err();
        assert_eq!((error.offset, error.fault), (52, DerFault::TrailingOctets { count: 14 }));
    }

    #[test]
    fn empty_and_cut_constraints_are_refused() {
        let fault = |hex: &str| ClaimConstraints::parse_enhanced(&bytes(hex)).unwrap_err().fault;
        assert_eq!(fault("3000"), DerFault::Empty { place: "the constraints' SEQUENCE" });
        assert_eq!(fault("3004a0023000"), DerFault::Empty { place: "mustInclude" });
        assert_eq!(fault("3004a1023000"), DerFault::Empty { place: "permittedValues" });
        let whole = bytes(FIGURE_1);
        for length in 0..whole.len() {
            assert!(ClaimConstraints::parse_enhanced(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn more_names_than_the_limit_are_refused() {
        let must_include = vec!["x".to_owned(); ClaimConstraints::MAX_ELEMENTS + 1];
        let der = ClaimConstraints { must_include, ..ClaimConstraints::default() }.to_der();
        let fault = ClaimConstraints::parse(&der).unwrap_err().fault;
        assert_eq!(fault, DerFault::TooMany { limit: ClaimConstraints::MAX_ELEMENTS });
    }

    proptest::proptest! {
        #[test]
        fn damaged_constraints_are_read_or_refused(at in 0usize..66, octet in proptest::num::u8::ANY) {
            let mut der = bytes(FIGURE_1);
            der[at] = octet;
            if let Ok(constraints) = ClaimConstraints::parse_enhanced(&der) {
                proptest::prop_assert_eq!(constraints.to_der(), der);
            }
        }
    }
}
