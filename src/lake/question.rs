//! The words of the three questions: what is wanted, what was found, what is held.

use std::sync::Arc;

use aws_lc_rs::digest;

use super::data::day_name;
use super::packed::first_full_form;
use crate::cdr::Record;
use crate::number::TelephoneNumber;
use crate::time::UnixTime;
use crate::traceback::Span;

/// Records that are wanted: those that have all of what is named, and start in the span.
///
/// A number of ten digits stands for every number that ends in them, and every number that is longer also for its
/// last ten digits written alone, as requests and records without a country code have them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Wanted {
    /// The calling number.
    pub calling: Option<TelephoneNumber>,
    /// The called number, or one that the record shows the call to have been for (`Record::destinations`).
    pub called: Option<TelephoneNumber>,
    /// A PASSporT among the record's, by [`Wanted::token_key`].
    pub token: Option<i64>,
    /// When the call began; either of the two instants counts where a local clock repeats an hour.
    pub span: Span,
}

impl Wanted {
    /// All records of a span, until more is named.
    #[must_use]
    pub const fn within(span: Span) -> Self {
        Self { calling: None, called: None, token: None, span }
    }

    /// Only those of this calling number.
    #[must_use]
    pub const fn with_calling(self, calling: TelephoneNumber) -> Self {
        Self { calling: Some(calling), ..self }
    }

    /// Only those for this called number.
    #[must_use]
    pub const fn with_called(self, called: TelephoneNumber) -> Self {
        Self { called: Some(called), ..self }
    }

    /// Only those that carry the PASSporT of this key.
    #[must_use]
    pub const fn with_token(self, key: i64) -> Self {
        Self { token: Some(key), ..self }
    }

    /// The key of a PASSporT: the first eight bytes of the SHA-256 of its text, the parameters behind it left out.
    ///
    /// It takes a bare token and a whole Identity header value alike.
    #[must_use]
    pub fn token_key(token: &str) -> i64 {
        let token = token.split(';').next().unwrap_or_default().trim();
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        let first = hash.as_ref().first_chunk::<8>().copied().unwrap_or_default();
        i64::from_be_bytes(first)
    }

    /// Whether a record is one of them.
    #[must_use]
    pub fn fits(&self, record: &Record) -> bool {
        let within = |start: UnixTime| self.span.from <= start && start <= self.span.to;
        let calling = |wanted: TelephoneNumber| record.calling.canonical.is_some_and(|own| wanted.may_be(&own));
        let called = |wanted: TelephoneNumber| record.destinations().any(|own| wanted.may_be(own));
        let token = |key: i64| record.identity.iter().any(|value| Self::token_key(value) == key);
        (within(record.start) || record.start_repeated.is_some_and(within))
            && self.calling.is_none_or(calling)
            && self.called.is_none_or(called)
            && self.token.is_none_or(token)
    }
}

/// A record that fits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// Which of those wanted, by its place.
    pub wanted: usize,
    /// The network that the record is one of.
    pub network: Arc<str>,
    /// The source, by its label.
    pub source: Arc<str>,
    /// The file that it stood in; the record's `place` gives the line, and no file.
    pub file: Arc<RecordFile>,
    /// The record.
    pub record: Record,
}

impl Found {
    /// A record of a file of a source of a network.
    #[must_use]
    pub const fn new(
        wanted: usize,
        network: Arc<str>,
        source: Arc<str>,
        file: Arc<RecordFile>,
        record: Record,
    ) -> Self {
        Self { wanted, network, source, file, record }
    }
}

/// A file of records, as it was when it was read.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct RecordFile {
    /// Its name, relative to the folder of the `stirtrace.toml`.
    pub name: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

impl RecordFile {
    /// A file by its name and its SHA-256.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256: impl Into<String>) -> Self {
        Self { name: name.into(), sha256: sha256.into() }
    }
}

/// What is held of one source of a network.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Held {
    /// The source, by its label.
    pub source: String,
    /// Files that were read.
    pub files: u64,
    /// Records kept.
    pub records: u64,
    /// Lines that could not be read.
    pub set_aside: u64,
    /// Spans that hold records without a silence of a minute or more, in order; from the first record to the last.
    pub spans: Vec<Span>,
    /// Where lines lie that could not be read.
    pub unread: Vec<Span>,
    /// Whether no file of it has columns that say where calls went.
    pub lacks_egress: bool,
}

/// A column that records are counted by, or filtered by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Field {
    /// Whether the call was answered: `yes`, `no`.
    Answered,
    /// The attestation, as the PASSporT or the switch states it.
    Attest,
    /// The day the call began, in UTC: `2026-05-04`.
    Day,
    /// The address that the call came from.
    IngressAddress,
    /// The trunk that the call came by.
    IngressTrunk,
    /// The network.
    Network,
    /// The origination identifier, as the PASSporT or the switch states it.
    Origid,
    /// How long the answered call lasted: `0`, `1-6`, `7-15`, `16-60`, `61-` seconds; none where it was not answered.
    Seconds,
    /// The signer's x5u or service provider code, as the PASSporT or the switch states it.
    Signer,
    /// The source.
    Source,
}

impl Field {
    /// Its value for a record of a source of a network.
    #[must_use]
    pub fn value(self, network: &str, source: &str, record: &Record) -> Option<String> {
        let passport = || first_full_form(&record.identity);
        let stated = &record.stated;
        match self {
            Self::Answered => Some(if record.answer.is_some() { "yes" } else { "no" }.to_owned()),
            Self::Attest => passport().and_then(|own| own.claims().attest.clone()).or_else(|| stated.attest.clone()),
            Self::Day => Some(day_name(record.start)),
            Self::IngressAddress => record.ingress.address.clone(),
            Self::IngressTrunk => record.ingress.trunk.clone(),
            Self::Network => Some(network.to_owned()),
            Self::Origid => passport().and_then(|own| own.claims().origid.clone()).or_else(|| stated.origid.clone()),
            Self::Seconds => conversation(record).map(|seconds| seconds_class(seconds).to_owned()),
            Self::Signer => passport().and_then(|own| own.header().x5u.clone()).or_else(|| stated.spc.clone()),
            Self::Source => Some(source.to_owned()),
        }
    }
}

/// Seconds of conversation, where the call was answered and ended.
fn conversation(record: &Record) -> Option<u64> {
    Some(u64::try_from(record.end?.seconds_since(record.answer?)).unwrap_or_default())
}

/// How long a call lasted, in the classes that tell dialers from people.
pub(super) const fn seconds_class(seconds: u64) -> &'static str {
    match seconds {
        0 => "0",
        1..=6 => "1-6",
        7..=15 => "7-15",
        16..=60 => "16-60",
        61.. => "61-",
    }
}

/// Counts by a few columns over a span.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// The columns, in the order of the answer's.
    pub by: Vec<Field>,
    /// When the calls began.
    pub span: Span,
    /// What the records must have; all of it.
    pub filter: Vec<Filter>,
}

impl Tally {
    /// Counts by these columns over a span, of all records until more is said.
    #[must_use]
    pub fn by(columns: impl Into<Vec<Field>>, span: Span) -> Self {
        Self { by: columns.into(), span, filter: Vec::new() }
    }

    /// Only of records that have this value in this column; `None` for none.
    #[must_use]
    pub fn only(mut self, field: Field, value: Option<&str>) -> Self {
        self.filter.push(Filter { field, value: value.map(str::to_owned) });
        self
    }
}

/// A value that a column must have; `None` for none.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// The column.
    pub field: Field,
    /// Its value.
    pub value: Option<String>,
}

impl Filter {
    /// A column and its value.
    #[must_use]
    pub fn new(field: Field, value: Option<String>) -> Self {
        Self { field, value }
    }
}

/// One line of a tally.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Tallied {
    /// The values of the columns asked for, in that order; `None` where records have none.
    pub values: Vec<Option<String>>,
    /// How many records.
    pub records: u64,
    /// Seconds of conversation among them.
    pub seconds: u64,
    /// The first of them.
    pub from: UnixTime,
    /// The last of them.
    pub to: UnixTime,
}

impl Tallied {
    /// A line of a tally.
    #[must_use]
    pub const fn new(values: Vec<Option<String>>, records: u64, seconds: u64, span: Span) -> Self {
        Self { values, records, seconds, from: span.from, to: span.to }
    }

    /// Counts one more record.
    pub fn add(&mut self, record: &Record) {
        self.records += 1;
        self.seconds = self.seconds.saturating_add(conversation(record).unwrap_or_default());
        self.from = self.from.min(record.start);
        self.to = self.to.max(record.start);
    }
}
