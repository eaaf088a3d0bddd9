//! Why a PASSporT is not valid, and what each reason means on the wire (spec table H).

use crate::time::UnixTime;
use crate::verify::stage::{Part, Stage};
use crate::verify::verdict::{Atis82, Profile, SipResponse, Verstat};

/// Why a PASSporT is not valid. The variant's name is the `kind` of the JSON output and never changes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// H21: a certificate of the path ended before the instant judged.
    #[error("the certificate {subject} expired on {not_after}, before {at}")]
    CertificateExpired {
        /// Whose certificate.
        subject: String,
        /// When it ended.
        not_after: UnixTime,
        /// The instant judged.
        at: UnixTime,
    },
    /// H21: a certificate of the path begins after the instant judged.
    #[error("the certificate {subject} is valid only from {not_before}, after {at}")]
    CertificateNotYetValid {
        /// Whose certificate.
        subject: String,
        /// When it begins.
        not_before: UnixTime,
        /// The instant judged.
        at: UnixTime,
    },
    /// H22: a CRL that may say so lists a certificate of the path.
    #[error("the certificate {subject} was revoked on {revoked_at}{}", reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    CertificateRevoked {
        /// Whose certificate.
        subject: String,
        /// Since when.
        revoked_at: UnixTime,
        /// The CRL's reason code in words, if it gives one.
        reason: Option<String>,
    },
    /// H25: the claims break a constraint that the certificate sets (RFC 8226 §8, RFC 9118).
    #[error("the certificate's constraint on the claim {claim} is broken: {reason}")]
    ClaimConstraintViolated {
        /// Which claim.
        claim: String,
        /// How.
        reason: String,
    },
    /// H5: a compact PASSporT where the full form is required.
    #[error("the PASSporT is in compact form; the full form is required here")]
    CompactForm,
    /// H9: the certificate could not be had.
    #[error("the certificate at {url} could not be had: {reason}")]
    CredentialUnavailable {
        /// The URL of the `info` parameter.
        url: String,
        /// Why, and how to add it.
        reason: String,
    },
    /// H24: a delegate certificate reaches further than the one it comes from (RFC 9060 §4).
    #[error("the delegate certificate {subject} goes beyond its parent: {reason}")]
    DelegationExceeded {
        /// Whose certificate.
        subject: String,
        /// What lies outside.
        reason: String,
    },
    /// H18: the call is for somebody whom `dest` does not name.
    #[error("signed for {signed}, but the call is for {signalled}")]
    DestMismatch {
        /// What `dest` holds.
        signed: String,
        /// To and Request-URI.
        signalled: String,
    },
    /// H29: a link of the diversion chain is missing (RFC 8946 §4.2).
    #[error("the diversion chain has a gap: {reason}")]
    DivChainIncomplete {
        /// Which link.
        reason: String,
    },
    /// H28: the diversion chain contradicts itself (RFC 8946 §4.2).
    #[error("the diversion chain is invalid: {reason}")]
    DivChainInvalid {
        /// Where.
        reason: String,
    },
    /// H14: `attest` is none of A, B, C.
    #[error("attest is {attest:?}; only A, B and C exist")]
    InvalidAttestation {
        /// What stands there.
        attest: String,
    },
    /// H13: a claim has a value of the wrong type.
    #[error("the claim {claim} cannot be used: {reason}")]
    InvalidClaim {
        /// Which claim.
        claim: String,
        /// What is wrong with it.
        reason: String,
    },
    /// H26: the signature is not the certificate's key's over the bytes received.
    #[error("the signature is wrong: {reason}")]
    InvalidSignature {
        /// What is known of it.
        reason: String,
    },
    /// H23: no TNAuthList in the certificate, or one that cannot be read.
    #[error("the certificate's TNAuthList cannot be used: {reason}")]
    InvalidTnAuthList {
        /// Missing, or what is wrong and where.
        reason: String,
    },
    /// H4: the header or the token cannot be read.
    #[error("the Identity header cannot be read: {reason}")]
    MalformedIdentity {
        /// Which part of it.
        part: Part,
        /// What is wrong.
        reason: String,
        /// Bytes from the start of the header's value to the fault.
        offset: Option<usize>,
    },
    /// H13: a claim that must be there is not.
    #[error("the claim {claim} is missing")]
    MissingClaim {
        /// Which claim.
        claim: String,
    },
    /// H6: the header names no certificate.
    #[error("the header names no certificate: {reason}")]
    MissingInfo {
        /// Missing, or what is wrong with it.
        reason: String,
        /// Whether `info` stands there at all.
        malformed: bool,
    },
    /// H19: the signalling names nobody who calls, or someone anonymous.
    #[error("the call names no calling number to compare with: {reason}")]
    NoCallingIdentity {
        /// What stands there instead.
        reason: String,
    },
    /// H24: the certificate does not speak for the calling number.
    #[error("the certificate speaks for {authority}, not for {number}")]
    NumberNotAuthorized {
        /// The number that called.
        number: String,
        /// What the TNAuthList holds.
        authority: String,
    },
    /// H17: `orig` is not who calls.
    #[error("signed for a call from {signed}, but {signalled} calls")]
    OrigMismatch {
        /// What `orig` holds.
        signed: String,
        /// P-Asserted-Identity or From.
        signalled: String,
    },
    /// H12: the header's `ppt` and the token's disagree.
    #[error("ppt is {} in the header and {} in the token", shown(parameter.as_ref()), shown(header.as_ref()))]
    PptMismatch {
        /// The header field's parameter.
        parameter: Option<String>,
        /// The JOSE header's member.
        header: Option<String>,
    },
    /// H30: the call asks for another priority than was signed (RFC 8443 §4.2, RFC 9027 §4).
    #[error("signed for the priority {signed}, but the call has {signalled}")]
    PriorityMismatch {
        /// What `rph` or `sph` holds.
        signed: String,
        /// Resource-Priority, or Priority.
        signalled: String,
    },
    /// H30: the signer may not authorise a priority of this namespace (RFC 8443 §4.1; E8, E12).
    #[error("{signer} may not authorise priorities of {namespace}: {reason}")]
    PriorityNotAuthorized {
        /// The namespace, such as `ets`.
        namespace: String,
        /// Who signed.
        signer: String,
        /// Why not.
        reason: String,
    },
    /// H27: the same token came with another call.
    #[error("the same token came with another call before: {earlier}")]
    ReplayedToken {
        /// Which call.
        earlier: String,
    },
    /// H31: rich call data is not what its signer's digests say (RFC 9795 §6).
    #[error("the rich call data is not what was signed: {reason}")]
    RichCallDataMismatch {
        /// Which part of it.
        reason: String,
    },
    /// H15: Date and `iat` both lie outside the freshness window, or Date does and there is no `iat`.
    #[error("the call's Date {date} lies {} {at}; {max_age} s are allowed", span(*date, *at))]
    StaleDate {
        /// The Date field.
        date: UnixTime,
        /// The instant judged.
        at: UnixTime,
        /// The policy's window in seconds, to either side.
        max_age: i64,
    },
    /// H16: `iat` lies outside the freshness window.
    #[error("signed at {iat}, {} {at}; {max_age} s are allowed", span(*iat, *at))]
    StaleIat {
        /// The claim.
        iat: UnixTime,
        /// The instant judged.
        at: UnixTime,
        /// The policy's window in seconds, to either side.
        max_age: i64,
    },
    /// More Identity header fields than are judged.
    #[error("more than {limit} Identity header fields in one message")]
    TooManyIdentityHeaders {
        /// How many are.
        limit: usize,
    },
    /// H23: the certificate's key cannot sign ES256.
    #[error("the certificate's key is {key}; PASSporTs are signed with P-256")]
    UnsupportedKey {
        /// What it is.
        key: String,
    },
    /// H3: a PASSporT type that is not supported here.
    #[error("PASSporTs of type {ppt:?} are not verified here")]
    UnsupportedPpt {
        /// The type.
        ppt: String,
    },
    /// H20: no path of good signatures from the certificate to a trusted root.
    #[error("the certificate does not lead to a trusted root: {reason}")]
    UntrustedPath {
        /// Where the path ends.
        reason: String,
    },
    /// H10: what lies at the URL is no certificate that can be used.
    #[error("what {url} holds is no usable certificate: {reason}")]
    UnusableCredential {
        /// The URL of the `info` parameter.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// H26: our own verifier and the cryptographic library judge one signature differently, which must not be.
    #[error(
        "the signature cannot be judged: our tables {} it, the library does not agree; this is a fault of stirtrace, please report it with the token",
        if *tables { "accept" } else { "refuse" }
    )]
    VerifiersDisagree {
        /// Whether it verifies by our tables; by the library it is the other way round.
        tables: bool,
    },
    /// H11: `alg` is not ES256, or the header's parameter contradicts the token.
    #[error("alg is {}; PASSporTs are signed with ES256", shown(alg.as_ref()))]
    WrongAlgorithm {
        /// What stands there.
        alg: Option<String>,
    },
    /// H11: `typ` is not `passport`.
    #[error("typ is {}; a PASSporT says \"passport\"", shown(typ.as_ref()))]
    WrongType {
        /// What stands there.
        typ: Option<String>,
    },
    /// H7: `x5u` is missing, or not the very text of `info`.
    #[error("x5u is {}, info is {info}", shown(x5u.as_ref()))]
    X5uMismatch {
        /// The token's member.
        x5u: Option<String>,
        /// The header's parameter.
        info: String,
    },
    /// H8: a URL that may not be dereferenced (F8).
    #[error("the certificate's URL {url} is not allowed: {reason}")]
    X5uNotAllowed {
        /// The URL.
        url: String,
        /// Which rule it breaks.
        reason: String,
    },
}

impl Error {
    /// Every [`Error::kind`] there is.
    pub const KINDS: [&str; 37] = [
        "CertificateExpired",
        "CertificateNotYetValid",
        "CertificateRevoked",
        "ClaimConstraintViolated",
        "CompactForm",
        "CredentialUnavailable",
        "DelegationExceeded",
        "DestMismatch",
        "DivChainIncomplete",
        "DivChainInvalid",
        "InvalidAttestation",
        "InvalidClaim",
        "InvalidSignature",
        "InvalidTnAuthList",
        "MalformedIdentity",
        "MissingClaim",
        "MissingInfo",
        "NoCallingIdentity",
        "NumberNotAuthorized",
        "OrigMismatch",
        "PptMismatch",
        "PriorityMismatch",
        "PriorityNotAuthorized",
        "ReplayedToken",
        "RichCallDataMismatch",
        "StaleDate",
        "StaleIat",
        "TooManyIdentityHeaders",
        "UnsupportedKey",
        "UnsupportedPpt",
        "UntrustedPath",
        "UnusableCredential",
        "VerifiersDisagree",
        "WrongAlgorithm",
        "WrongType",
        "X5uMismatch",
        "X5uNotAllowed",
    ];

    /// The variant's name: `kind` in the JSON output.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CertificateExpired { .. } => "CertificateExpired",
            Self::CertificateNotYetValid { .. } => "CertificateNotYetValid",
            Self::CertificateRevoked { .. } => "CertificateRevoked",
            Self::ClaimConstraintViolated { .. } => "ClaimConstraintViolated",
            Self::CompactForm => "CompactForm",
            Self::CredentialUnavailable { .. } => "CredentialUnavailable",
            Self::DelegationExceeded { .. } => "DelegationExceeded",
            Self::DestMismatch { .. } => "DestMismatch",
            Self::DivChainIncomplete { .. } => "DivChainIncomplete",
            Self::DivChainInvalid { .. } => "DivChainInvalid",
            Self::InvalidAttestation { .. } => "InvalidAttestation",
            Self::InvalidClaim { .. } => "InvalidClaim",
            Self::InvalidSignature { .. } => "InvalidSignature",
            Self::InvalidTnAuthList { .. } => "InvalidTnAuthList",
            Self::MalformedIdentity { .. } => "MalformedIdentity",
            Self::MissingClaim { .. } => "MissingClaim",
            Self::MissingInfo { .. } => "MissingInfo",
            Self::NoCallingIdentity { .. } => "NoCallingIdentity",
            Self::NumberNotAuthorized { .. } => "NumberNotAuthorized",
            Self::OrigMismatch { .. } => "OrigMismatch",
            Self::PptMismatch { .. } => "PptMismatch",
            Self::PriorityMismatch { .. } => "PriorityMismatch",
            Self::PriorityNotAuthorized { .. } => "PriorityNotAuthorized",
            Self::ReplayedToken { .. } => "ReplayedToken",
            Self::RichCallDataMismatch { .. } => "RichCallDataMismatch",
            Self::StaleDate { .. } => "StaleDate",
            Self::StaleIat { .. } => "StaleIat",
            Self::TooManyIdentityHeaders { .. } => "TooManyIdentityHeaders",
            Self::UnsupportedKey { .. } => "UnsupportedKey",
            Self::UnsupportedPpt { .. } => "UnsupportedPpt",
            Self::UntrustedPath { .. } => "UntrustedPath",
            Self::UnusableCredential { .. } => "UnusableCredential",
            Self::VerifiersDisagree { .. } => "VerifiersDisagree",
            Self::WrongAlgorithm { .. } => "WrongAlgorithm",
            Self::WrongType { .. } => "WrongType",
            Self::X5uMismatch { .. } => "X5uMismatch",
            Self::X5uNotAllowed { .. } => "X5uNotAllowed",
        }
    }

    /// The stage that it belongs to.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::CompactForm
            | Self::MalformedIdentity { .. }
            | Self::MissingInfo { .. }
            | Self::TooManyIdentityHeaders { .. } => Stage::Form,
            Self::PptMismatch { .. } | Self::UnsupportedPpt { .. } => Stage::Ppt,
            Self::WrongAlgorithm { .. }
            | Self::WrongType { .. }
            | Self::X5uMismatch { .. }
            | Self::X5uNotAllowed { .. } => Stage::Header,
            Self::InvalidAttestation { .. } | Self::InvalidClaim { .. } | Self::MissingClaim { .. } => Stage::Claims,
            Self::ReplayedToken { .. } | Self::StaleDate { .. } | Self::StaleIat { .. } => Stage::Freshness,
            Self::DestMismatch { .. }
            | Self::DivChainIncomplete { .. }
            | Self::DivChainInvalid { .. }
            | Self::NoCallingIdentity { .. }
            | Self::OrigMismatch { .. }
            | Self::PriorityMismatch { .. } => Stage::Numbers,
            Self::CredentialUnavailable { .. } | Self::UnusableCredential { .. } => Stage::Credential,
            Self::CertificateExpired { .. } | Self::CertificateNotYetValid { .. } | Self::UntrustedPath { .. } => {
                Stage::Path
            }
            Self::CertificateRevoked { .. } => Stage::Revocation,
            Self::ClaimConstraintViolated { .. }
            | Self::DelegationExceeded { .. }
            | Self::InvalidTnAuthList { .. }
            | Self::NumberNotAuthorized { .. }
            | Self::PriorityNotAuthorized { .. }
            | Self::UnsupportedKey { .. } => Stage::Scope,
            Self::InvalidSignature { .. } | Self::VerifiersDisagree { .. } => Stage::Signature,
            Self::RichCallDataMismatch { .. } => Stage::RichCallData,
        }
    }

    /// The row of table H.
    #[must_use]
    pub const fn row(&self) -> &'static str {
        match self {
            Self::UnsupportedPpt { .. } => "H3",
            Self::MalformedIdentity { .. } | Self::TooManyIdentityHeaders { .. } => "H4",
            Self::CompactForm => "H5",
            Self::MissingInfo { .. } => "H6",
            Self::X5uMismatch { .. } => "H7",
            Self::X5uNotAllowed { .. } => "H8",
            Self::CredentialUnavailable { .. } => "H9",
            Self::UnusableCredential { .. } => "H10",
            Self::WrongAlgorithm { .. } | Self::WrongType { .. } => "H11",
            Self::PptMismatch { .. } => "H12",
            Self::InvalidClaim { .. } | Self::MissingClaim { .. } => "H13",
            Self::InvalidAttestation { .. } => "H14",
            Self::StaleDate { .. } => "H15",
            Self::StaleIat { .. } => "H16",
            Self::OrigMismatch { .. } => "H17",
            Self::DestMismatch { .. } => "H18",
            Self::NoCallingIdentity { .. } => "H19",
            Self::UntrustedPath { .. } => "H20",
            Self::CertificateExpired { .. } | Self::CertificateNotYetValid { .. } => "H21",
            Self::CertificateRevoked { .. } => "H22",
            Self::InvalidTnAuthList { .. } | Self::UnsupportedKey { .. } => "H23",
            Self::DelegationExceeded { .. } | Self::NumberNotAuthorized { .. } => "H24",
            Self::ClaimConstraintViolated { .. } => "H25",
            Self::InvalidSignature { .. } | Self::VerifiersDisagree { .. } => "H26",
            Self::ReplayedToken { .. } => "H27",
            Self::DivChainInvalid { .. } => "H28",
            Self::DivChainIncomplete { .. } => "H29",
            Self::PriorityMismatch { .. } | Self::PriorityNotAuthorized { .. } => "H30",
            Self::RichCallDataMismatch { .. } => "H31",
        }
    }

    /// What the terminating side tells the called party's device.
    pub const fn verstat(&self) -> Verstat {
        match self.stage() {
            // H20 to H26: the call claims a signer, and the claim does not hold.
            Stage::Path | Stage::Revocation | Stage::Scope | Stage::Signature => Verstat::TnValidationFailed,
            Stage::Freshness if matches!(self, Self::ReplayedToken { .. }) => Verstat::TnValidationFailed,
            _ => Verstat::NoTnValidation,
        }
    }

    /// The response that a switch sends if its policy rejects the call; `None` where there is none to send.
    #[must_use]
    pub fn sip_response(&self, profile: Profile) -> Option<SipResponse> {
        match profile {
            Profile::Rfc => self.rfc_response(),
            Profile::Atis => self.atis_response(),
        }
    }

    /// Table H, the column of RFC 8224 §6.2.2 and ATIS-1000074.
    const fn rfc_response(&self) -> Option<SipResponse> {
        let response = match self.row().as_bytes() {
            b"H3" | b"H19" => return None,
            b"H15" | b"H16" => SipResponse::new(403, "Stale Date"),
            b"H6" | b"H7" | b"H8" | b"H9" => SipResponse::new(436, "Bad Identity Info"),
            b"H10" | b"H20" | b"H21" | b"H22" | b"H23" | b"H24" => SipResponse::new(437, "Unsupported Credential"),
            _ => SipResponse::new(438, "Invalid Identity Header"),
        };
        Some(response)
    }

    /// Table H, the column of ATIS-1000082, with that standard's phrases (F34).
    fn atis_response(&self) -> Option<SipResponse> {
        match self.atis82().code {
            403 => Some(SipResponse::new(403, "Stale Date")),
            436 => Some(SipResponse::new(436, "Bad identity Info")),
            437 => Some(SipResponse::new(437, "Unsupported credential")),
            438 => Some(SipResponse::new(438, "Invalid Identity Header")),
            // 400 is the HTTP answer to a request that cannot be judged; on SIP it is 438, or nothing (H19).
            _ if matches!(self, Self::NoCallingIdentity { .. }) => None,
            _ => Some(SipResponse::new(438, "Invalid Identity Header")),
        }
    }

    /// The result code and case of ATIS-1000082 (F33, F34).
    #[must_use]
    pub fn atis82(&self) -> Atis82 {
        match self {
            Self::MalformedIdentity { part: Part::Value, .. } | Self::TooManyIdentityHeaders { .. } => {
                Atis82::new(400, "SVC4005")
            }
            Self::NoCallingIdentity { .. } => Atis82::new(400, "SVC4001"),
            Self::StaleDate { .. } => Atis82::new(403, "E3"),
            Self::CompactForm => Atis82::new(438, "E4"),
            Self::UnsupportedPpt { .. } => Atis82::new(438, "E5"),
            Self::PptMismatch { parameter, .. } if parameter.as_deref() != Some("shaken") => Atis82::new(438, "E5"),
            Self::MissingInfo { malformed: false, .. } => Atis82::new(436, "E6"),
            Self::MissingInfo { .. } | Self::X5uNotAllowed { .. } => Atis82::new(436, "E7"),
            Self::CredentialUnavailable { .. } => Atis82::new(436, "E8"),
            Self::MalformedIdentity { part: Part::JoseHeader, .. }
            | Self::X5uMismatch { x5u: None, .. }
            | Self::WrongType { typ: None }
            | Self::WrongAlgorithm { alg: None }
            | Self::PptMismatch { header: None, .. } => Atis82::new(436, "E9"),
            Self::X5uMismatch { .. } => Atis82::new(436, "E10"),
            Self::WrongType { .. } => Atis82::new(437, "E11"),
            Self::WrongAlgorithm { .. } => Atis82::new(437, "E12"),
            Self::PptMismatch { .. } => Atis82::new(438, "E13"),
            Self::MalformedIdentity { .. } | Self::MissingClaim { .. } | Self::InvalidClaim { .. } => {
                Atis82::new(438, "E14")
            }
            Self::StaleIat { .. } => Atis82::new(403, "E15"),
            Self::OrigMismatch { .. } | Self::DestMismatch { .. } => Atis82::new(438, "E16"),
            Self::CertificateExpired { .. }
            | Self::CertificateNotYetValid { .. }
            | Self::CertificateRevoked { .. }
            | Self::DelegationExceeded { .. }
            | Self::InvalidTnAuthList { .. }
            | Self::NumberNotAuthorized { .. }
            | Self::UnsupportedKey { .. }
            | Self::UntrustedPath { .. }
            | Self::UnusableCredential { .. } => Atis82::new(437, "E17"),
            Self::ClaimConstraintViolated { .. } | Self::InvalidSignature { .. } | Self::VerifiersDisagree { .. } => {
                Atis82::new(438, "E18")
            }
            Self::InvalidAttestation { .. } => Atis82::new(438, "E19"),
            Self::DivChainIncomplete { .. }
            | Self::DivChainInvalid { .. }
            | Self::PriorityMismatch { .. }
            | Self::PriorityNotAuthorized { .. }
            | Self::ReplayedToken { .. }
            | Self::RichCallDataMismatch { .. } => Atis82::without_case(438),
        }
    }

    /// Bytes from the start of the header's value to the fault, where one byte can be named.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::MalformedIdentity { offset, .. } => *offset,
            _ => None,
        }
    }
}

impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Error", 2)?;
        object.serialize_field("kind", self.kind())?;
        object.serialize_field("detail", &self.to_string())?;
        object.end()
    }
}

fn shown(value: Option<&String>) -> String {
    value.map_or_else(|| "missing".to_owned(), |text| format!("{text:?}"))
}

fn span(moment: UnixTime, at: UnixTime) -> String {
    let seconds = moment.seconds_since(at);
    let side = if seconds < 0 { "before" } else { "after" };
    match seconds.unsigned_abs() {
        apart @ 0..=599 => format!("{apart} s {side}"),
        apart @ 600..=172_799 => format!("{} min {side}", apart / 60),
        apart => format!("{} days {side}", apart / 86_400),
    }
}
