//! The checks by name, clause and stage: what the output and ARCHITECTURE.md list.

use std::fmt;

use crate::verify::stage::Stage;

/// One check that a PASSporT is put to: a place in the table below.
// A byte, because a verdict holds some thirty of them.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Rule(u8);

impl Rule {
    /// Its name in the output; never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The clause that demands it.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        self.facts().clause
    }

    /// Where it stands in the order that decides.
    #[must_use]
    pub const fn stage(self) -> Stage {
        self.facts().stage
    }

    #[expect(clippy::as_conversions, reason = "usize::from is no const function")]
    const fn facts(self) -> &'static Facts {
        &TABLE[self.0 as usize]
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.name())
    }
}

struct Facts {
    stage: Stage,
    name: &'static str,
    clause: &'static str,
}

/// Makes the table, and a constant for each place in it.
macro_rules! rules {
    ($($rule:ident: $stage:ident, $name:literal, $clause:literal;)*) => {
        const TABLE: &[Facts] = &[$(Facts { stage: Stage::$stage, name: $name, clause: $clause }),*];
        rules!(@places 0; $($rule)*);
    };
    (@places $place:expr;) => {};
    (@places $place:expr; $rule:ident $($rest:ident)*) => {
        pub(super) const $rule: Rule = Rule($place);
        rules!(@places $place + 1; $($rest)*);
    };
}

rules! {
    COUNT: Form, "identity-count", "RFC 8224 9";
    IDENTITY_SYNTAX: Form, "identity-syntax", "RFC 8224 4";
    TOKEN_FORM: Form, "token-form", "RFC 8225 6, RFC 7515 7.1";
    FULL_FORM: Form, "full-form", "RFC 8588 3, ATIS-1000074 5.3.3";
    INFO: Form, "info-present", "RFC 8224 4";
    PPT_SUPPORTED: Ppt, "ppt-supported", "RFC 8224 6.2 step 1";
    PPT_AGREES: Ppt, "ppt-agrees", "RFC 8224 4.1";
    REQUIRED_PPT: Ppt, "required-ppt", "RFC 8224 6.2.2";
    TYP: Header, "typ", "RFC 8225 4.1";
    ALG: Header, "alg", "RFC 8225 4.2, RFC 8224 4.1";
    X5U_EQUALS_INFO: Header, "x5u-equals-info", "RFC 8224 4.1";
    X5U_ALLOWED: Header, "x5u-allowed", "ATIS-1000074 5.3.1";
    CLAIMS: Claims, "claims", "RFC 8225 5, RFC 8588 4";
    ATTEST: Claims, "attest", "RFC 8588 4";
    ORIGID: Claims, "origid", "RFC 8588 5";
    SPH: Claims, "callback", "RFC 9027 4";
    CANONICAL: Claims, "canonical-form", "RFC 8225 9";
    AGREEMENT: Claims, "passports-agree", "RFC 8224 6.2.1";
    DATE: Freshness, "date-fresh", "RFC 8224 6.2 step 4";
    IAT: Freshness, "iat-fresh", "RFC 8224 6.2 step 4";
    REPLAY: Freshness, "replay", "RFC 8224 12.1";
    ORIG: Numbers, "orig-matches", "RFC 8224 6.2 step 2";
    DEST: Numbers, "dest-matches", "RFC 8225 10.1";
    DIV_CHAIN: Numbers, "div-chain", "RFC 8946 4.2";
    PRIORITY: Numbers, "priority-matches", "RFC 8443 4.2";
    CREDENTIAL: Credential, "credential", "RFC 8224 6.2 step 3";
    PATH: Path, "path", "RFC 5280 6.1, ATIS-1000080 6.4.1";
    VALIDITY: Path, "validity", "RFC 8224 6.2 step 4, RFC 5280 6.1.3";
    REVOCATION: Revocation, "revocation", "RFC 5280 6.3, ATIS-1000080 6.4.1";
    KEY: Scope, "key", "RFC 8225 4.2, RFC 8226 4";
    TN_AUTH_LIST: Scope, "tn-auth-list", "RFC 8226 9";
    DELEGATION: Scope, "delegation", "RFC 9060 4";
    AUTHORITY: Scope, "number-authority", "RFC 8226 9";
    NAMESPACE: Scope, "namespace-authority", "RFC 8443 4.1";
    CONSTRAINTS: Scope, "claim-constraints", "RFC 8226 8, RFC 9118 4";
    PROFILE: Scope, "certificate-profile", "ATIS-1000080 6.4.1";
    SIGNATURE: Signature, "signature", "RFC 8224 6.2 step 5";
    RICH_CALL_DATA: RichCallData, "rich-call-data", "RFC 9795 5, 6";
    // Spellings that the field has and the standard has not (spec G).
    IAT_NUMBER: Claims, "iat-number", "RFC 8225 5.1.1";
    IAT_FRACTION: Claims, "iat-number", "RFC 8225 9";
    IDENTITY_SHAPE: Claims, "identity-shape", "RFC 8225 5.2.1";
    CANONICAL_NUMBER: Claims, "canonical-number", "RFC 8224 8.3";
    PPT_PARAMETER: Ppt, "ppt-parameter", "RFC 8224 4.1";
    BASE64URL: Form, "base64url", "RFC 7515 2";
    IDENTITY_GRAMMAR: Form, "identity-grammar", "RFC 8224 4";
}

/// Every rule but those of spellings (spec G), in the order of stages.
#[expect(clippy::as_conversions, reason = "usize::from is no const function")]
pub const RULES: [Rule; RICH_CALL_DATA.0 as usize + 1] = {
    let mut rules = [COUNT; RICH_CALL_DATA.0 as usize + 1];
    let mut place = 0;
    while place <= RICH_CALL_DATA.0 {
        rules[place as usize] = Rule(place);
        place += 1;
    }
    rules
};

/// The check for a spelling that the field has and the standard has not (spec G, by rule).
pub(super) fn deviation(rule: &str) -> Rule {
    match rule {
        "G1" => IAT_NUMBER,
        "G2" => IDENTITY_SHAPE,
        "G3" => CANONICAL_NUMBER,
        "G7" => PPT_PARAMETER,
        "G9" => BASE64URL,
        "A17" => IAT_FRACTION,
        _ => IDENTITY_GRAMMAR,
    }
}
