//! What verification concludes, and what a switch does with it (RFC 8224 §6.2.2, RFC 9410, ATIS-1000082).

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::certificate::Certificate;
use crate::number::Identity;
use crate::passport::{Attestation, Passport};
use crate::rich_call_data::Resource;
use crate::time::UnixTime;
use crate::verify::detail::Detail;
use crate::verify::error::Error;
use crate::verify::priority::Priority;
use crate::verify::rich_call_data::RichCallDataReport;
use crate::verify::rules::Rule;

/// Everything that verification concluded about one call.
///
/// It serialises as the object that `stirtrace verify` prints (without `source`, which the reader of the input adds).
#[derive(Clone, Debug, Serialize)]
#[must_use = "a verdict that nobody looks at protects nobody"]
#[non_exhaustive]
pub struct Verdict {
    /// The call as the signalling has it.
    pub call: CallSummary,
    /// The conclusion.
    #[serde(rename = "verdict")]
    pub conclusion: Conclusion,
    /// What the called party's device is told (F9).
    pub verstat: Verstat,
    /// The response that a switch sends if its policy rejects the call.
    pub sip: Option<SipResponse>,
    /// The attestation, as claimed; `None` where nothing attests.
    pub attest: Option<Attestation>,
    /// The origination identifier, as claimed.
    pub origid: Option<String>,
    /// Who signed, as far as the certificate tells; believed only when the conclusion is passed.
    pub signer: Option<Signer>,
    /// What became of the call's priority; none where it asks for none and nobody signed one (RFC 8443).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Box<Priority>>,
    /// One report for each Identity header, in their order.
    pub passports: Vec<PassportReport>,
    /// The RFC 9410 Reason values that a switch would send, one for each PASSporT in error.
    pub reasons: Vec<Reason>,
    /// What each PASSporT with rich call data says of its caller, and whether it may be shown (RFC 9795); left out of the
    /// output where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rich_call_data: Vec<RichCallDataReport>,
    /// Checks of the call as a whole.
    pub checks: Vec<Check>,
    /// The instant judged.
    pub at: UnixTime,
    /// Which PASSporT a passed verdict rests on.
    #[serde(skip)]
    pub(super) passing: Option<usize>,
    /// Which PASSporT's error decided.
    #[serde(skip)]
    pub(super) deciding: Option<usize>,
}

impl Verdict {
    /// The PASSporT that a passed verdict rests on, with the proof that it does; `None` for every other verdict.
    #[must_use]
    pub fn verified(&self) -> Option<Verified<&Passport>> {
        self.passports.get(self.passing?)?.passport().map(Verified)
    }

    /// What the rich call data of valid PASSporTs names by URL and nobody has handed in. With it in the materials
    /// ([`Materials::add_resource`]), the call is to be judged again, and again where that made a card known that leads to
    /// pictures: twice at most.
    ///
    /// [`Materials::add_resource`]: crate::verify::Materials::add_resource
    pub fn missing_resources(&self) -> impl Iterator<Item = &Resource> {
        self.rich_call_data.iter().flat_map(|report| &report.missing)
    }

    /// The first error in header order, if there is any.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.passports.iter().find_map(|report| report.error.as_ref())
    }

    /// The PASSporT that the verdict comes from: the one that passed, or the one whose error decided.
    #[must_use]
    pub fn decisive(&self) -> Option<&PassportReport> {
        self.passports.get(self.passing.or(self.deciding)?)
    }
}

/// A thing whose checks all passed. Only a passed [`Verdict`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The thing itself.
    pub const fn get(&self) -> &T {
        &self.0
    }
}

/// What to conclude about a call. "Could not check" is not "failed".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Conclusion {
    /// A valid, trusted PASSporT of this call.
    Passed,
    /// Nothing to judge, or no means to judge it (H2, H3, H9, H32).
    None,
    /// Everything else.
    Failed,
}

impl Conclusion {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::None => "none",
            Self::Failed => "failed",
        }
    }
}

/// The `verstat` values of TS 24.229 §7.2A.20 (F9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Verstat {
    /// `No-TN-Validation`
    NoTnValidation,
    /// `TN-Validation-Failed`
    TnValidationFailed,
    /// `TN-Validation-Passed`
    TnValidationPassed,
}

impl Verstat {
    /// The parameter's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoTnValidation => "No-TN-Validation",
            Self::TnValidationFailed => "TN-Validation-Failed",
            Self::TnValidationPassed => "TN-Validation-Passed",
        }
    }
}

/// Which of two columns of table H gives the SIP response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// RFC 8224 and ATIS-1000074.
    #[default]
    Rfc,
    /// ATIS-1000082.
    Atis,
}

/// A SIP response code with its phrase.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SipResponse {
    /// 403, 428, 436, 437 or 438.
    pub code: u16,
    /// The phrase of the standard that the profile follows.
    #[serde(rename = "reason")]
    pub phrase: &'static str,
}

impl SipResponse {
    pub(super) const fn new(code: u16, phrase: &'static str) -> Self {
        Self { code, phrase }
    }
}

impl fmt::Display for SipResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.phrase)
    }
}

/// The result of ATIS-1000082's verification (F34), or the HTTP status and exception of a request it cannot judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Atis82 {
    /// `reasonCode`
    pub code: u16,
    /// The case of the standard's table, `E3` to `E19`, or the exception's id; none where it has no case.
    pub case: Option<&'static str>,
}

impl Atis82 {
    pub(super) const fn new(code: u16, case: &'static str) -> Self {
        Self { code, case: Some(case) }
    }

    pub(super) const fn without_case(code: u16) -> Self {
        Self { code, case: None }
    }
}

/// The value of a Reason header field (RFC 9410 §4; E21, E23).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reason {
    /// The response that it stands for.
    pub response: SipResponse,
    /// The PASSporT in error in compact form, as RFC 9410 recommends.
    pub ppi: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STIR ;cause={} ;text=\"{}\"", self.response.code, self.response.phrase)?;
        match &self.ppi {
            Some(ppi) => write!(f, " ;ppi=\"{ppi}\""),
            None => Ok(()),
        }
    }
}

/// Who signed, named by the certificate (I1: the SPC of the TNAuthList, not the CN).
///
/// It serialises as an object of `spc`, `organization`, `common_name`, `certificate_sha256` and `x5u`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Signer {
    pub(super) certificate: Option<Certificate>,
    pub(super) x5u: Option<String>,
}

impl Signer {
    /// The certificate, where it was had.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The service provider code of the TNAuthList.
    #[must_use]
    pub fn spc(&self) -> Option<&str> {
        self.certificate.as_ref()?.spc()
    }

    /// The subject's organization.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.certificate.as_ref()?.organization()
    }

    /// The subject's common name.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.certificate.as_ref()?.common_name()
    }

    /// What people call it: the organization, else the common name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.organization().or_else(|| self.common_name())
    }

    /// SHA-256 of the certificate's DER, in hex.
    #[must_use]
    pub fn certificate_sha256(&self) -> Option<&str> {
        self.certificate.as_ref().map(Certificate::sha256_hex)
    }

    /// Where the certificate lies.
    #[must_use]
    pub fn x5u(&self) -> Option<&str> {
        self.x5u.as_deref()
    }
}

impl Serialize for Signer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(5))?;
        object.serialize_entry("spc", &self.spc())?;
        object.serialize_entry("organization", &self.organization())?;
        object.serialize_entry("common_name", &self.common_name())?;
        object.serialize_entry("certificate_sha256", &self.certificate_sha256())?;
        object.serialize_entry("x5u", &self.x5u())?;
        object.end()
    }
}

/// The call as the signalling has it, for the output.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallSummary {
    /// Call-ID
    pub call_id: Option<String>,
    /// Who calls: P-Asserted-Identity if it stands there, else From.
    pub from: Option<Identity>,
    /// Who is called: To.
    pub to: Option<Identity>,
    /// Date
    pub date: Option<UnixTime>,
}

/// What was found out about one Identity header.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PassportReport {
    /// The type: of the token, else of the header's parameter; `None` for a base PASSporT.
    pub ppt: Option<String>,
    /// Valid or not.
    pub status: Status,
    /// The first failing stage's reason.
    pub error: Option<Error>,
    /// Every failed check's error, in order of stages.
    pub errors: Vec<Error>,
    /// What a switch would send for it.
    pub sip: Option<SipResponse>,
    /// What the ATIS-1000082 service would answer for it; only where it is in error.
    pub atis82: Option<Atis82>,
    /// Every check, in order of stages.
    pub checks: Vec<Check>,
    /// The attestation it claims.
    pub attest: Option<Attestation>,
    /// The origination identifier it claims.
    pub origid: Option<String>,
    /// Who signed it, as far as the certificate tells.
    pub signer: Option<Signer>,
    /// The token as read, where it could be.
    pub passport: Option<Box<Passport>>,
    /// The certificates from the signer's to the root.
    pub path: Vec<PathElement>,
}

/// One certificate of the path.
///
/// It serialises as an object of `sha256`, `subject`, `not_before` and `not_after`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathElement(pub(super) Certificate);

impl PathElement {
    /// The certificate itself.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.0
    }

    /// SHA-256 of the certificate's DER, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        self.0.sha256_hex()
    }

    /// Its subject.
    #[must_use]
    pub fn subject(&self) -> String {
        self.0.subject().to_string()
    }

    /// When it begins.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.0.not_before()
    }

    /// When it ends.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.0.not_after()
    }
}

impl Serialize for PathElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(4))?;
        object.serialize_entry("sha256", self.sha256())?;
        object.serialize_entry("subject", &self.subject())?;
        object.serialize_entry("not_before", &self.not_before())?;
        object.serialize_entry("not_after", &self.not_after())?;
        object.end()
    }
}

impl Serialize for PassportReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("ppt", &self.ppt)?;
        object.serialize_entry("status", &self.status)?;
        object.serialize_entry("error", &self.error)?;
        object.serialize_entry("sip", &self.sip)?;
        object.serialize_entry("atis82", &self.atis82)?;
        object.serialize_entry("attest", &self.attest)?;
        object.serialize_entry("origid", &self.origid)?;
        object.serialize_entry("signer", &self.signer)?;
        object.serialize_entry("path", &self.path)?;
        object.serialize_entry("checks", &self.checks)?;
        object.serialize_entry("header", &self.passport().map(Passport::header_members))?;
        object.serialize_entry("claims", &self.passport().map(Passport::claim_members))?;
        object.end()
    }
}

/// What became of one PASSporT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// Every check that a PASSporT must pass was passed.
    Valid,
    /// A check failed.
    Invalid,
    /// Its type is not supported: it says nothing, for or against (A23, B-V1).
    Unsupported,
    /// A check that it needs could not be made.
    Unchecked,
}

impl Status {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Unchecked => "unchecked",
        }
    }
}

/// One check with its clause.
///
/// It serialises as an object of `check`, its name, `clause`, `result` and `detail`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// Its name, which never changes, and the clause that demands it.
    pub rule: Rule,
    /// What came of it.
    pub result: CheckResult,
    /// What was compared.
    pub detail: Detail,
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(4))?;
        object.serialize_entry("check", self.rule.name())?;
        object.serialize_entry("clause", self.rule.clause())?;
        object.serialize_entry("result", &self.result)?;
        object.serialize_entry("detail", &self.detail)?;
        object.end()
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CheckResult {
    /// As the clause wants it.
    Pass,
    /// Not as the clause wants it, but no reason to refuse the call.
    Warn,
    /// A reason to refuse the call.
    Fail,
    /// What it needs is not there.
    Skip,
}

impl CheckResult {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// The words of these enums are their JSON.
macro_rules! serialize_as_word {
    ($($word:ty),*) => {$(
        impl Serialize for $word {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl fmt::Display for $word {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

serialize_as_word!(CheckResult, Conclusion, Status, Verstat);

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
