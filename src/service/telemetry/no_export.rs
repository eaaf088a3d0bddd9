//! Spans to nobody: this build has no OpenTelemetry in it.

use super::span::Span;
use crate::service::settings::TelemetrySettings;

/// Nothing: it cannot be made.
pub(super) enum Exporter {}

impl Exporter {
    pub(super) fn start(_: &TelemetrySettings) -> Result<Self, String> {
        Err("this build has no OpenTelemetry in it; build it with the feature otel".to_owned())
    }

    pub(super) fn send(&self, _: Span) {
        match *self {}
    }

    pub(super) fn close(&self) {
        match *self {}
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        match *self {}
    }
}
