//! The checks by name, clause and stage: what the output and ARCHITECTURE.md list.

use crate::verify::error::Stage;

/// One check that a PASSporT is put to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name in the output; never changes.
    pub name: &'static str,
    /// The clause that demands it.
    pub clause: &'static str,
    /// Where it stands in the order that decides.
    pub stage: Stage,
}

impl Rule {
    const fn new(stage: Stage, name: &'static str, clause: &'static str) -> Self {
        Self { name, clause, stage }
    }
}

pub(super) const IDENTITY_SYNTAX: Rule = Rule::new(Stage::Form, "identity-syntax", "RFC 8224 4");
pub(super) const TOKEN_FORM: Rule = Rule::new(Stage::Form, "token-form", "RFC 8225 6, RFC 7515 7.1");
pub(super) const FULL_FORM: Rule = Rule::new(Stage::Form, "full-form", "RFC 8588 3, ATIS-1000074 5.3.3");
pub(super) const INFO: Rule = Rule::new(Stage::Form, "info-present", "RFC 8224 4");
pub(super) const COUNT: Rule = Rule::new(Stage::Form, "identity-count", "RFC 8224 9");
pub(super) const PPT_SUPPORTED: Rule = Rule::new(Stage::Ppt, "ppt-supported", "RFC 8224 6.2 step 1");
pub(super) const PPT_AGREES: Rule = Rule::new(Stage::Ppt, "ppt-agrees", "RFC 8224 4.1");
pub(super) const TYP: Rule = Rule::new(Stage::Header, "typ", "RFC 8225 4.1");
pub(super) const ALG: Rule = Rule::new(Stage::Header, "alg", "RFC 8225 4.2, RFC 8224 4.1");
pub(super) const X5U_EQUALS_INFO: Rule = Rule::new(Stage::Header, "x5u-equals-info", "RFC 8224 4.1");
pub(super) const X5U_ALLOWED: Rule = Rule::new(Stage::Header, "x5u-allowed", "ATIS-1000074 5.3.1");
pub(super) const CLAIMS: Rule = Rule::new(Stage::Claims, "claims", "RFC 8225 5, RFC 8588 4");
pub(super) const ATTEST: Rule = Rule::new(Stage::Claims, "attest", "RFC 8588 4");
pub(super) const ORIGID: Rule = Rule::new(Stage::Claims, "origid", "RFC 8588 5");
pub(super) const CANONICAL: Rule = Rule::new(Stage::Claims, "canonical-form", "RFC 8225 9");
pub(super) const DATE: Rule = Rule::new(Stage::Freshness, "date-fresh", "RFC 8224 6.2 step 4");
pub(super) const IAT: Rule = Rule::new(Stage::Freshness, "iat-fresh", "RFC 8224 6.2 step 4");
pub(super) const REPLAY: Rule = Rule::new(Stage::Freshness, "replay", "RFC 8224 12.1");
pub(super) const ORIG: Rule = Rule::new(Stage::Numbers, "orig-matches", "RFC 8224 6.2 step 2");
pub(super) const DEST: Rule = Rule::new(Stage::Numbers, "dest-matches", "RFC 8225 10.1");
pub(super) const DIV_CHAIN: Rule = Rule::new(Stage::Numbers, "div-chain", "RFC 8946 4.2");
pub(super) const CREDENTIAL: Rule = Rule::new(Stage::Credential, "credential", "RFC 8224 6.2 step 3");
pub(super) const PATH: Rule = Rule::new(Stage::Path, "path", "RFC 5280 6.1, ATIS-1000080 6.4.1");
pub(super) const VALIDITY: Rule = Rule::new(Stage::Path, "validity", "RFC 8224 6.2 step 4, RFC 5280 6.1.3");
pub(super) const REVOCATION: Rule = Rule::new(Stage::Revocation, "revocation", "RFC 5280 6.3, ATIS-1000080 6.4.1");
pub(super) const KEY: Rule = Rule::new(Stage::Scope, "key", "RFC 8225 4.2, RFC 8226 4");
pub(super) const TN_AUTH_LIST: Rule = Rule::new(Stage::Scope, "tn-auth-list", "RFC 8226 9");
pub(super) const DELEGATION: Rule = Rule::new(Stage::Scope, "delegation", "RFC 9060 4");
pub(super) const AUTHORITY: Rule = Rule::new(Stage::Scope, "number-authority", "RFC 8226 9");
pub(super) const CONSTRAINTS: Rule = Rule::new(Stage::Scope, "claim-constraints", "RFC 8226 8, RFC 9118 4");
pub(super) const PROFILE: Rule = Rule::new(Stage::Scope, "certificate-profile", "ATIS-1000080 6.4.1");
pub(super) const SIGNATURE: Rule = Rule::new(Stage::Signature, "signature", "RFC 8224 6.2 step 5");
pub(super) const REQUIRED_PPT: Rule = Rule::new(Stage::Ppt, "required-ppt", "RFC 8224 6.2.2");
pub(super) const AGREEMENT: Rule = Rule::new(Stage::Claims, "passports-agree", "RFC 8224 6.2.1");

/// Every rule, in the order of stages.
pub const RULES: [Rule; 34] = [
    COUNT,
    IDENTITY_SYNTAX,
    TOKEN_FORM,
    FULL_FORM,
    INFO,
    PPT_SUPPORTED,
    PPT_AGREES,
    REQUIRED_PPT,
    TYP,
    ALG,
    X5U_EQUALS_INFO,
    X5U_ALLOWED,
    CLAIMS,
    ATTEST,
    ORIGID,
    CANONICAL,
    AGREEMENT,
    DATE,
    IAT,
    REPLAY,
    ORIG,
    DEST,
    DIV_CHAIN,
    CREDENTIAL,
    PATH,
    VALIDITY,
    REVOCATION,
    KEY,
    TN_AUTH_LIST,
    DELEGATION,
    AUTHORITY,
    CONSTRAINTS,
    PROFILE,
    SIGNATURE,
];

/// The check's name and clause for a spelling that the field has and the standard has not (spec G, by rule).
pub(super) fn deviation(rule: &str) -> Rule {
    let (stage, name, clause) = match rule {
        "G1" => (Stage::Claims, "iat-number", "RFC 8225 5.1.1"),
        "G2" => (Stage::Claims, "identity-shape", "RFC 8225 5.2.1"),
        "G3" => (Stage::Claims, "canonical-number", "RFC 8224 8.3"),
        "G7" => (Stage::Ppt, "ppt-parameter", "RFC 8224 4.1"),
        "G9" => (Stage::Form, "base64url", "RFC 7515 2"),
        "A17" => (Stage::Claims, "iat-number", "RFC 8225 9"),
        _ => (Stage::Form, "identity-grammar", "RFC 8224 4"),
    };
    Rule::new(stage, name, clause)
}
