//! What a network replies to a request: the object that `stirtrace trace` prints. Names never change.

use serde::Serialize;

use crate::cdr::Stated;
use crate::number::TelephoneNumber;
use crate::time::UnixTime;
use crate::traceback::candidate::{Parts, Tier};
use crate::traceback::finding::Finding;
use crate::traceback::hop::Hop;
use crate::traceback::passage::Why;
use crate::traceback::role::Role;
use crate::verify::{Error, Signer, Verdict};

/// The answer to one request.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// What was asked.
    pub request: Asked,
    /// Whether the call was found.
    pub status: Status,
    /// Why the status is what it is, in a sentence.
    pub because: String,
    /// The network that answers.
    pub network: Option<String>,
    /// Its service provider code.
    pub spc: Option<String>,
    /// What it is to the call; none where its records do not tell whether the call ended there.
    pub role: Option<Role>,
    /// Who handed it the call.
    pub upstream: Option<Upstream>,
    /// Whom it handed the call to.
    pub downstream: Option<Upstream>,
    /// The calls that may be the one, the best first.
    pub matches: Vec<Matched>,
    /// What the best match's signature says, verified as of the call; none where the record carries none.
    pub signature: Option<Signature>,
    /// The hops from the origin on, as far as they can be seen.
    pub chain: Vec<Hop>,
    /// Who to ask next.
    pub next: Option<Next>,
    /// What an investigator must see.
    pub findings: Vec<Finding>,
    /// What was searched.
    pub searched: Searched,
    /// When the answer is due, with the office's offset.
    pub due: Option<String>,
    /// The steps that led there.
    pub due_because: Vec<String>,
    /// The rules they follow.
    pub ruleset: &'static str,
}

/// The request as understood.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Asked {
    /// The asker's name for it.
    pub id: String,
    /// Who called: canonical, or as it stood where it is no number.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// When; the first second of what was asked for.
    pub time: UnixTime,
    /// How many seconds the asked-for time is long: 60 where seconds were missing.
    pub time_seconds: i64,
    /// The campaign.
    pub campaign: Option<String>,
    /// When it came in.
    pub received: Option<UnixTime>,
    /// Who asks.
    pub source: Option<String>,
}

/// Whether the call was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// One call.
    Found,
    /// Several calls, of several upstreams.
    Ambiguous,
    /// None, and the records are complete.
    NotFound,
    /// None, and the records are not complete.
    CannotSay,
}

impl Status {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Ambiguous => "ambiguous",
            Self::NotFound => "not-found",
            Self::CannotSay => "cannot-say",
        }
    }
}

/// Another side of a call: the peer where the map names one, and what the record says.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Upstream {
    /// The peer's name.
    pub name: Option<String>,
    /// Provider or customer.
    pub kind: Option<&'static str>,
    /// Its service provider code.
    pub spc: Option<String>,
    /// Its number in the Robocall Mitigation Database.
    pub rmd: Option<String>,
    /// Its FCC registration number.
    pub frn: Option<String>,
    /// Its country.
    pub country: Option<String>,
    /// The trunk, as recorded.
    pub trunk: Option<String>,
    /// The address, as recorded.
    pub address: Option<String>,
}

/// One call that may be the one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Matched {
    /// How it agrees with the request.
    pub tier: Tier,
    /// How sure, from 0 to 1.
    pub score: f64,
    /// What the score is made of.
    pub parts: Parts,
    /// Who handed us that call.
    pub upstream: Upstream,
    /// The line.
    pub record: RecordPlace,
    /// Other lines about the same call, and why each is.
    pub also: Vec<Also>,
    /// When the call began, as recorded.
    pub time: UnixTime,
    /// What the line says.
    pub call: RecordedCall,
}

/// Another line about the same call.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Also {
    /// Where it stands.
    #[serde(flatten)]
    pub record: RecordPlace,
    /// Why it is about the same call.
    pub why: Why,
}

/// Where a line stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordPlace {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The file's SHA-256.
    pub sha256: String,
}

/// What a line says about its call.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordedCall {
    /// Who calls, as it stood.
    pub calling: String,
    /// Who is called, as it stood.
    pub called: String,
    /// Who was called before a diversion, as it stood.
    pub original_called: Option<String>,
    /// When it was answered.
    pub answer: Option<UnixTime>,
    /// When it ended.
    pub end: Option<UnixTime>,
    /// The Call-ID that came in.
    pub ingress_call_id: Option<String>,
    /// The Call-ID that went out.
    pub egress_call_id: Option<String>,
    /// The final SIP response.
    pub sip_status: Option<u16>,
    /// The release cause.
    pub q850: Option<u16>,
    /// What the switch states about a signature that it saw or made; none where it states nothing. Never believed.
    pub stated: Option<StatedSignature>,
}

/// What a switch states about a signature, in its own words.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StatedSignature {
    /// The outcome of its verification.
    pub verstat: Option<String>,
    /// The attestation.
    pub attest: Option<String>,
    /// The origination identifier.
    pub origid: Option<String>,
    /// The signer's service provider code.
    pub spc: Option<String>,
}

impl StatedSignature {
    pub(super) fn of(stated: &Stated) -> Option<Self> {
        let Stated { verstat, attest, origid, spc } = stated.clone();
        let is_silent = *stated == Stated::default();
        (!is_silent).then_some(Self { verstat, attest, origid, spc })
    }
}

/// What the record's PASSporTs say.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Signature {
    /// `passed`, `none` or `failed`.
    pub verdict: &'static str,
    /// The attestation, as claimed.
    pub attest: Option<&'static str>,
    /// The origination identifier, as claimed.
    pub origid: Option<String>,
    /// Who signed, as far as the certificate tells.
    pub signer: Option<Signer>,
    /// Why the verdict is not passed.
    pub error: Option<Error>,
    /// The instant judged: when the call began.
    pub at: UnixTime,
}

impl Signature {
    pub(super) fn of(verdict: &Verdict) -> Self {
        Self {
            verdict: verdict.conclusion.as_str(),
            attest: verdict.attest.map(crate::passport::Attestation::as_str),
            origid: verdict.origid.clone(),
            signer: verdict.signer.clone(),
            error: verdict.error().cloned(),
            at: verdict.at,
        }
    }
}

/// Who to ask next.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Next {
    /// The provider, or our customer; none where nobody is known.
    pub ask: Option<String>,
    /// Why.
    pub because: String,
    /// Who may be asked at once besides: a signer further up, which skips the hops between.
    pub shortcut: Option<Shortcut>,
}

/// A provider further up the chain that the signature names.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Shortcut {
    /// Who.
    pub ask: String,
    /// Why.
    pub because: String,
}

/// What was searched: what a negative stands on.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Searched {
    /// Records read.
    pub records: u64,
    /// Files read.
    pub files: u64,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// The first record.
    pub from: Option<UnixTime>,
    /// The last record.
    pub to: Option<UnixTime>,
    /// Silences longer than the source's gap.
    pub gaps: Vec<Gap>,
}

/// A silence of one source.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Gap {
    /// The source's files.
    pub source: String,
    /// The last record before it.
    pub from: UnixTime,
    /// The first record after it.
    pub to: UnixTime,
}

/// The most gaps that one answer lists; the nearest to the time asked for.
pub const MAX_GAPS: usize = 20;

/// A number as the answer gives it.
pub(super) fn shown(canonical: Option<&TelephoneNumber>, raw: &str) -> String {
    canonical.map_or_else(|| raw.to_owned(), ToString::to_string)
}
