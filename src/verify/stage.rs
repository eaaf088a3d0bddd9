//! Where in a header, and where in the course of verification, a fault lies (RFC 8224 §6.2, spec table H).

/// The part of an Identity header that could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// The header field's own grammar, or the token's segments.
    Value,
    /// The JOSE header.
    JoseHeader,
    /// The claims.
    Payload,
}

/// Where a check stands in the order that decides: the first failing stage does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Stage {
    /// The header field and the token can be read.
    Form,
    /// The PASSporT's type is known and the header says the same as the token.
    Ppt,
    /// typ, alg, x5u.
    Header,
    /// The claims are there and well formed.
    Claims,
    /// Date and iat.
    Freshness,
    /// orig and dest.
    Numbers,
    /// The certificate can be had and read.
    Credential,
    /// It leads to a trusted root, at the instant judged.
    Path,
    /// Nobody who may has revoked it.
    Revocation,
    /// It may speak for this call.
    Scope,
    /// Its key signed these bytes.
    Signature,
    /// What rich call data names is what was signed.
    RichCallData,
}
