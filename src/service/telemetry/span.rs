//! A span and what it carries, in the words of OpenTelemetry where it has them (semantic conventions for HTTP).

use std::borrow::Cow;
use std::time::Duration;

use super::context::Context;
use crate::redaction::Redactor;
use crate::verify::{Error, Verdict};

/// A part of a request, or the whole of it, when it is over.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "read where it is exported"))]
pub(super) struct Span {
    pub(super) name: &'static str,
    pub(super) side: Side,
    pub(super) context: Context,
    pub(super) parent: Option<[u8; 8]>,
    /// Since 1970.
    pub(super) began: Duration,
    pub(super) ended: Duration,
    pub(super) attributes: Attributes,
}

/// Which side of a conversation a span is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Internal,
    Server,
}

/// What is told of a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(super) named: Vec<(&'static str, Value)>,
    /// Whether it failed, by a fault of ours or of whom it asked.
    pub(super) failed: bool,
}

/// What an attribute says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    /// Who calls or is called.
    Party(String),
    Text(Cow<'static, str>),
}

impl Attributes {
    pub(crate) fn word(&mut self, name: &'static str, word: &'static str) {
        self.named.push((name, Value::Text(Cow::Borrowed(word))));
    }

    /// A text that came from outside: numbers in it are masked unless they may be seen.
    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        self.named.push((name, Value::Text(Cow::Owned(text.chars().take(MAX_CHARACTERS).collect()))));
    }

    pub(crate) fn integer(&mut self, name: &'static str, integer: impl TryInto<i64>) {
        self.named.push((name, Value::Integer(integer.try_into().unwrap_or(i64::MAX))));
    }

    /// It failed, by a fault of ours or of whom it asked; this is the kind of fault.
    pub(crate) fn fault(&mut self, kind: &'static str) {
        self.failed = true;
        self.word("error.type", kind);
    }

    /// What a verdict came to.
    pub(crate) fn verdict(&mut self, verdict: &Verdict) {
        self.word("stirtrace.verdict", verdict.conclusion.as_str());
        if let Some(error) = verdict.decisive().and_then(|report| report.error.as_ref()) {
            self.word("stirtrace.reason", Error::kind(error));
        }
        if let Some(attest) = verdict.attest {
            self.word("stirtrace.attest", attest.as_str());
        }
        if let Some(spc) = verdict.signer.as_ref().and_then(|signer| signer.spc()) {
            self.text("stirtrace.signer.spc", spc);
        }
        for (name, party) in [("stirtrace.call.from", &verdict.call.from), ("stirtrace.call.to", &verdict.call.to)] {
            if let Some(party) = party {
                self.named.push((name, Value::Party(party.to_string())));
            }
        }
    }

    /// Leaves the parties out, and masks what looks like a number in what else came from outside.
    pub(super) fn hide_numbers(&mut self) {
        self.named.retain(|(_, value)| !matches!(value, Value::Party(_)));
        for (_, value) in &mut self.named {
            if let Value::Text(Cow::Owned(text)) = value
                && let Cow::Owned(masked) = Redactor::default().mask(text)
            {
                *text = masked;
            }
        }
    }
}

/// What came from outside may be as long as it likes; what is told of it is not.
const MAX_CHARACTERS: usize = 200;
