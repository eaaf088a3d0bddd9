//! Rich call data in PASSporTs of its own type and beside `shaken` (RFC 9795, ATIS-1000094; E13-E19, H31).
//!
//! What is wrong with it is wrong with an `rcd` PASSporT; a shaken or base one stands, and only what it says of its caller
//! is not shown.

use serde::Serialize;
use serde::ser::Serializer;

use crate::rich_call_data::{self, Resource, RichCallData};
use crate::verify::error::Error;
use crate::verify::materials::Materials;
use crate::verify::rules;
use crate::verify::subject::{Kind, Subject};
use crate::verify::verdict::{PassportReport, Status};

/// What one PASSporT says of its caller besides the number, as claimed; to be shown only where the status is verified.
///
/// Whether the call is to be believed, the verdict says beside it: rich call data makes no call pass.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RichCallDataReport {
    /// Which of the verdict's `passports` it came in, counted from 0.
    pub passport: usize,
    /// Whether it may be shown.
    pub status: RichCallDataStatus,
    /// Why not.
    pub reason: Option<String>,
    /// `nam`: the caller's name.
    pub name: Option<String>,
    /// `apn`: the number to show instead of the calling one.
    pub alternate_number: Option<String>,
    /// `crn`: why the caller calls.
    pub call_reason: Option<String>,
    /// `icn`: the URL of the caller's picture.
    pub icon: Option<String>,
    /// `jcl`: the URL of the caller's card; a card in the claim itself stands among the PASSporT's claims.
    pub card: Option<String>,
    /// What has to be had before it can be verified; in the output, the URLs.
    #[serde(serialize_with = "urls")]
    pub missing: Vec<Resource>,
}

/// What became of rich call data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RichCallDataStatus {
    /// Its PASSporT is valid, and everything that it names is what was signed.
    Verified,
    /// Its PASSporT is not, or something in it is not what was signed (E17).
    Failed,
    /// Something is not there to be checked.
    Unchecked,
}

impl RichCallDataStatus {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Serialize for RichCallDataStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn urls<S: Serializer>(resources: &[Resource], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(resources.iter().map(Resource::url))
}

/// What the rich call data of one PASSporT came to, whatever becomes of the PASSporT.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// None where it has no form.
    data: Option<RichCallData>,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Holds,
    Fails(Error),
    Lacks { reason: String, missing: Vec<Resource> },
}

impl Subject {
    /// Holds its rich call data to the form and the digests that it has; of what lies elsewhere, to what was handed in.
    pub(super) fn check_rich_call_data(&mut self, materials: &Materials) {
        let Some(passport) = &self.passport else { return };
        let is_own = self.kind == Kind::Rcd;
        // E19. E2: in a diversion it has no business.
        let is_beside = passport.claims().has_rich_call_data && matches!(self.kind, Kind::Base | Kind::Shaken);
        if !(is_own || is_beside) {
            return;
        }
        let found = match RichCallData::read(&passport.claim_members()) {
            Ok(Some(data)) => Found { outcome: Outcome::of(&data, materials), data: Some(data) },
            // E14.
            Ok(None) => Found { data: None, outcome: Outcome::Fails(Error::MissingClaim { claim: "rcd".to_owned() }) },
            Err(reason) => Found { data: None, outcome: Outcome::Fails(error(&reason)) },
        };
        let examination = &mut self.examination;
        match &found.outcome {
            Outcome::Holds => examination.pass(rules::RICH_CALL_DATA, ""),
            Outcome::Lacks { reason, .. } => examination.skip(rules::RICH_CALL_DATA, reason.clone()),
            Outcome::Fails(error) if is_own => examination.fail(rules::RICH_CALL_DATA, error.clone()),
            // E17, H31: the shaken result stands.
            Outcome::Fails(error) => examination.warn(rules::RICH_CALL_DATA, format!("not to be shown: {error}")),
        }
        self.rich_call_data = Some(Box::new(found));
    }
}

impl Outcome {
    fn of(data: &RichCallData, materials: &Materials) -> Self {
        Self::examine(data, materials).unwrap_or_else(|reason| Self::Fails(error(&reason)))
    }

    fn examine(data: &RichCallData, materials: &Materials) -> Result<Self, rich_call_data::Error> {
        data.check_values()?;
        let (mut missing, mut reasons) = (Vec::new(), Vec::new());
        let mut open = data.resources()?;
        open.reverse();
        while let Some(resource) = open.pop() {
            match materials.resource(resource.url()) {
                Some(Ok(body)) => {
                    resource.check(body)?;
                    open.extend(data.within(&resource, body)?);
                }
                Some(Err(reason)) => reasons.push(format!("{resource} could not be had: {reason}")),
                None => {
                    reasons.push(format!("{resource} was not fetched"));
                    missing.push(resource);
                }
            }
        }
        Ok(if reasons.is_empty() { Self::Holds } else { Self::Lacks { reason: reasons.join("; "), missing } })
    }
}

/// H13 where a claim has the wrong form, H31 where a digest is wrong or missing.
fn error(reason: &rich_call_data::Error) -> Error {
    match reason.claim() {
        Some(claim) => Error::InvalidClaim { claim: claim.to_owned(), reason: reason.to_string() },
        None => Error::RichCallDataMismatch { reason: reason.to_string() },
    }
}

/// Takes from the subjects what was found, with their places.
pub(super) fn found(subjects: &mut [Subject]) -> Vec<(usize, Found)> {
    let places = subjects.iter_mut().enumerate();
    places.filter_map(|(place, subject)| Some((place, *subject.rich_call_data.take()?))).collect()
}

/// Draws the conclusion from what was found and what became of the PASSporTs. `doubt` is what the call as a whole lacks, so
/// that nothing of it is to be shown.
///
/// An `rcd` PASSporT of which something is missing cannot be called valid.
pub(super) fn conclude(
    found: Vec<(usize, Found)>,
    reports: &mut [PassportReport],
    doubt: Option<&str>,
) -> Vec<RichCallDataReport> {
    let report = |(passport, found): (usize, Found)| {
        let own = &mut reports[passport];
        let lacks = matches!(found.outcome, Outcome::Lacks { .. });
        let (status, reason, missing) = found.outcome.status(own, doubt);
        if lacks && own.ppt.as_deref() == Some("rcd") && own.status == Status::Valid {
            own.status = Status::Unchecked;
        }
        let text = |of: fn(&RichCallData) -> Option<&str>| found.data.as_ref().and_then(of).map(str::to_owned);
        RichCallDataReport {
            passport,
            status,
            reason,
            name: text(RichCallData::name),
            alternate_number: text(RichCallData::alternate_number),
            call_reason: text(RichCallData::call_reason),
            icon: text(RichCallData::icon),
            card: text(RichCallData::card_url),
            missing,
        }
    };
    found.into_iter().map(report).collect()
}

impl Outcome {
    fn status(self, own: &PassportReport, doubt: Option<&str>) -> (RichCallDataStatus, Option<String>, Vec<Resource>) {
        use RichCallDataStatus::{Failed, Unchecked, Verified};
        let because = |words: &str| match &own.error {
            Some(error) => Some(format!("its PASSporT {words}: {error}")),
            None => Some(format!("its PASSporT {words}")),
        };
        match (self, own.status) {
            (Self::Fails(error), _) => (Failed, Some(error.to_string()), Vec::new()),
            (_, Status::Invalid) => (Failed, because("is not valid"), Vec::new()),
            (_, Status::Unchecked | Status::Unsupported) => (Unchecked, because("could not be checked"), Vec::new()),
            (_, Status::Valid) if doubt.is_some() => (Unchecked, doubt.map(str::to_owned), Vec::new()),
            // Nothing is fetched for a PASSporT that is not known to be good.
            (Self::Lacks { reason, missing }, Status::Valid) => (Unchecked, Some(reason), missing),
            (Self::Holds, Status::Valid) => (Verified, None, Vec::new()),
        }
    }
}
