//! What the service counts, as Prometheus reads it: requests, errors and duration by route; verdicts by reason; what the
//! verdicts rest on.

use std::fmt;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::service::treatment::Action;

/// The counts of one service; nothing process-wide.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    passed: Counter,
    signed: Counter,
    not_signed: Counter,
    continued: Counter,
    tagged: Counter,
    rejected: Counter,
    /// By [`Route`].
    seconds: [Histogram; Route::ALL.len()],
    /// By [`Route`]: those answered with 200.
    good: [Counter; Route::ALL.len()],
    /// Requests that are being answered.
    pub(crate) in_flight: Gauge,
    /// Connections that are open.
    pub(crate) connections: Gauge,
}

/// The routes by the names that they are counted under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    Verification,
    Signing,
    Verify,
    Document,
    Health,
    Ready,
    Metrics,
    Other,
}

impl Route {
    const ALL: [Self; 8] = [
        Self::Verification,
        Self::Signing,
        Self::Verify,
        Self::Document,
        Self::Health,
        Self::Ready,
        Self::Metrics,
        Self::Other,
    ];

    /// The route of a path.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/stir/v1/verification" => Self::Verification,
            "/stir/v1/signing" => Self::Signing,
            "/v1/verify" => Self::Verify,
            "/openapi.json" => Self::Document,
            "/health" => Self::Health,
            "/ready" => Self::Ready,
            "/metrics" => Self::Metrics,
            _ => Self::Other,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Signing => "signing",
            Self::Verify => "verify",
            Self::Document => "openapi",
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
            Self::Other => "other",
        }
    }

    /// Whether those ask for it who look after the service.
    pub(crate) const fn is_watched(self) -> bool {
        matches!(self, Self::Health | Self::Ready | Self::Metrics)
    }

    /// Its path; none where it is nobody's, for that may be anything.
    pub(crate) const fn template(self) -> Option<&'static str> {
        Some(match self {
            Self::Verification => "/stir/v1/verification",
            Self::Signing => "/stir/v1/signing",
            Self::Verify => "/v1/verify",
            Self::Document => "/openapi.json",
            Self::Health => "/health",
            Self::Ready => "/ready",
            Self::Metrics => "/metrics",
            Self::Other => return None,
        })
    }

    const fn index(self) -> usize {
        match self {
            Self::Verification => 0,
            Self::Signing => 1,
            Self::Verify => 2,
            Self::Document => 3,
            Self::Health => 4,
            Self::Ready => 5,
            Self::Metrics => 6,
            Self::Other => 7,
        }
    }
}

/// From what a warm verification takes to what a request may take.
const SECONDS: [f64; 12] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new();
        // Only an empty list is refused.
        let builder = builder.set_buckets(&SECONDS).unwrap_or_default();
        let recorder = builder.build_recorder();
        describe(&recorder);
        let verdict = |verdict, reason| counter(&recorder, VERDICTS, &[("verdict", verdict), ("reason", reason)]);
        let signatures = |outcome| counter(&recorder, "stirtrace_signatures_total", &[("outcome", outcome)]);
        let treatments = |action| counter(&recorder, "stirtrace_treatments_total", &[("action", action)]);
        Self {
            passed: verdict("passed", ""),
            signed: signatures("signed"),
            not_signed: signatures("refused"),
            continued: treatments("continue"),
            tagged: treatments("tag"),
            rejected: treatments("reject"),
            seconds: Route::ALL
                .map(|route| recorder.register_histogram(&key(SECONDS_NAME, &[("route", route.as_str())]), &METADATA)),
            good: Route::ALL.map(|route| counter(&recorder, REQUESTS, &[("route", route.as_str()), ("code", "200")])),
            in_flight: recorder.register_gauge(&key("stirtrace_requests_in_flight", &[]), &METADATA),
            connections: recorder.register_gauge(&key("stirtrace_connections", &[]), &METADATA),
            handle: recorder.handle(),
            recorder,
        }
    }

    /// A request was answered.
    pub(crate) fn count_request(&self, route: Route, code: u16, took: Duration) {
        if let Some(seconds) = self.seconds.get(route.index()) {
            seconds.record(took.as_secs_f64());
        }
        match self.good.get(route.index()).filter(|_| code == 200) {
            Some(good) => good.increment(1),
            None => {
                let code = code.to_string();
                let key =
                    Key::from_parts(REQUESTS, vec![Label::new("route", route.as_str()), Label::new("code", code)]);
                self.recorder.register_counter(&key, &METADATA).increment(1);
            }
        }
    }

    /// A call was judged; `reason` is the error's kind, empty where there is none.
    pub(crate) fn count_verdict(&self, verdict: &'static str, reason: &'static str) {
        if verdict == "passed" {
            self.passed.increment(1);
        } else {
            counter(&self.recorder, VERDICTS, &[("verdict", verdict), ("reason", reason)]).increment(1);
        }
    }

    /// A call was signed, or was not.
    pub(crate) fn count_signature(&self, signed: bool) {
        if signed { self.signed.increment(1) } else { self.not_signed.increment(1) }
    }

    /// A verdict was followed by what the policy makes of it.
    pub(crate) fn count_treatment(&self, action: Action) {
        match action {
            Action::Continue => self.continued.increment(1),
            Action::Reject => self.rejected.increment(1),
            Action::Tag => self.tagged.increment(1),
        }
    }

    /// A signer's private key gave no signature.
    pub(crate) fn count_key_failure(&self, signer: &str, why: &'static str) {
        let labels = vec![Label::new("signer", signer.to_owned()), Label::new("why", why)];
        self.recorder.register_counter(&Key::from_parts(KEY_FAILURES, labels), &METADATA).increment(1);
    }

    /// A client went away before it had its answer.
    pub(crate) fn count_abandoned(&self, route: Route) {
        counter(&self.recorder, "stirtrace_abandoned_total", &[("route", route.as_str())]).increment(1);
    }

    /// A request was turned away before it was looked at.
    pub(crate) fn count_refusal(&self, why: &'static str) {
        counter(&self.recorder, "stirtrace_refused_total", &[("why", why)]).increment(1);
    }

    /// A connection could not be accepted.
    pub(crate) fn count_accept_failure(&self) {
        counter(&self.recorder, "stirtrace_accept_failures_total", &[]).increment(1);
    }

    /// What is counted elsewhere, so far.
    pub(crate) fn set_counter(&self, name: &'static str, labels: &[(&'static str, &'static str)], total: u64) {
        counter(&self.recorder, name, labels).absolute(total);
    }

    /// The same, with labels that are not known beforehand.
    pub(crate) fn set_total(&self, name: &'static str, labels: &[(&'static str, String)], total: u64) {
        let labels = labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect::<Vec<_>>();
        self.recorder.register_counter(&Key::from_parts(name, labels), &METADATA).absolute(total);
    }

    /// The service read its files anew, or could not.
    pub(crate) fn count_reload(&self, good: bool) {
        let outcome = if good { "good" } else { "refused" };
        counter(&self.recorder, "stirtrace_reloads_total", &[("outcome", outcome)]).increment(1);
    }

    /// How something stands at the moment.
    pub(crate) fn set(&self, name: &'static str, labels: &[(&'static str, String)], value: f64) {
        let labels = labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect::<Vec<_>>();
        self.recorder.register_gauge(&Key::from_parts(name, labels), &METADATA).set(value);
    }

    /// The page that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Takes in what was recorded since; without it, durations would heap up between two readings of the page.
    pub(crate) fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

const REQUESTS: &str = "stirtrace_requests_total";
const SECONDS_NAME: &str = "stirtrace_request_seconds";
const KEY_FAILURES: &str = "stirtrace_signing_key_failures_total";
const VERDICTS: &str = "stirtrace_verdicts_total";
const METADATA: Metadata<'static> = Metadata::new("stirtrace", Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
    Key::from_parts(name, labels.iter().map(|(name, value)| Label::new(*name, *value)).collect::<Vec<_>>())
}

fn counter(recorder: &PrometheusRecorder, name: &'static str, labels: &[(&'static str, &'static str)]) -> Counter {
    recorder.register_counter(&key(name, labels), &METADATA)
}

fn describe(recorder: &PrometheusRecorder) {
    for (name, description) in COUNTERS {
        recorder.describe_counter(name.into(), None, SharedString::const_str(description));
    }
    for (name, description) in GAUGES {
        recorder.describe_gauge(name.into(), None, SharedString::const_str(description));
    }
    let seconds = SharedString::const_str("From a request's header to its answer");
    recorder.describe_histogram(SECONDS_NAME.into(), None, seconds);
}

const COUNTERS: [(&str, &str); 32] = [
    (REQUESTS, "Requests by route and HTTP status"),
    (VERDICTS, "Calls judged, by verdict and the error's kind"),
    ("stirtrace_signatures_total", "Calls signed, and refused to be"),
    (KEY_FAILURES, "Signatures that a signer's private key did not give, by why"),
    ("stirtrace_treatments_total", "What the policy makes of judged calls"),
    ("stirtrace_refused_total", "Requests turned away before they were looked at"),
    ("stirtrace_abandoned_total", "Requests whose client went away before the answer, by route"),
    ("stirtrace_accept_failures_total", "Connections that the system could not give us"),
    ("stirtrace_log_lost_total", "Lines of the log that could not be written, or not fast enough"),
    ("stirtrace_reloads_total", "How often files were read anew, and whether that went well"),
    ("stirtrace_certificates_read_total", "Certificates taken apart: once for each body, whatever is read anew"),
    ("stirtrace_evidence_written_total", "Verdicts kept as evidence"),
    ("stirtrace_evidence_dropped_total", "Verdicts not kept, for the disk was too slow or full"),
    ("stirtrace_evidence_lake_records_total", "Kept verdicts that were added to the lake"),
    ("stirtrace_evidence_lake_set_aside_total", "Lines of evidence that broke off, and are no records"),
    ("stirtrace_evidence_lake_failures_total", "Attempts to take evidence into the lake that failed"),
    ("stirtrace_fetches_total", "What was asked for over HTTPS, by what came of it"),
    ("stirtrace_fetch_failures_total", "What was refused to be fetched, or failed, by why"),
    ("stirtrace_fetch_disk_failures_total", "What was fetched and could not be kept, in the cache or the archive"),
    ("stirtrace_fetch_damaged_total", "Files of the cache that were not as they were written"),
    ("stirtrace_replays_total", "Tokens that came with another call"),
    ("stirtrace_replay_forgotten_early_total", "Tokens forgotten before their time, for the memory was full"),
    ("stirtrace_replay_shared_failures_total", "Tokens that the shared memory gave no answer to in time"),
    (
        "stirtrace_replay_shared_skipped_total",
        "Tokens that the shared memory was not asked about, for it had just failed",
    ),
    ("stirtrace_spans_total", "Spans of traces, by what became of them"),
    ("stirtrace_sip_requests_total", "SIP requests by listener and method, repetitions left out"),
    ("stirtrace_sip_responses_total", "SIP responses by listener and code, repetitions left out"),
    ("stirtrace_sip_ignored_total", "What a SIP listener did not answer, by why"),
    ("stirtrace_sip_repeated_total", "SIP responses sent again"),
    ("stirtrace_sip_forgotten_total", "SIP transactions forgotten before their time, for there were too many"),
    ("stirtrace_sip_connections_refused_total", "SIP connections refused, for there were too many"),
    ("stirtrace_sip_connections_broken_total", "SIP connections that broke, stalled or did not read"),
];

const GAUGES: [(&str, &str); 20] = [
    ("stirtrace_requests_in_flight", "Requests being answered"),
    ("stirtrace_connections", "Connections open"),
    ("stirtrace_trust_anchors", "Trusted roots"),
    ("stirtrace_trust_list_expires_seconds", "When the STI-PA's list ends, in seconds since 1970"),
    ("stirtrace_signing_key_up", "Whether a signer's private key gave the last signature that it was asked for"),
    ("stirtrace_crl_age_seconds", "How old a CRL is, by its thisUpdate"),
    ("stirtrace_crl_next_update_seconds", "When a CRL is to be replaced, in seconds since 1970"),
    ("stirtrace_loaded_seconds", "When the files were read that are in use, in seconds since 1970"),
    ("stirtrace_evidence_lake_age_seconds", "Since when no evidence was taken into the lake"),
    ("stirtrace_evidence_lake_waiting", "Finished files of evidence that are not in the lake"),
    ("stirtrace_fetches_in_flight", "Fetches under way or waiting"),
    ("stirtrace_fetched_disk_bytes", "What the cache of fetched answers takes on the disk"),
    ("stirtrace_certificate_urls", "URLs that a certificate of the archive, or its lack, is remembered of"),
    ("stirtrace_certificates", "Certificates held ready to judge with"),
    ("stirtrace_replay_tokens", "Tokens remembered by this process"),
    ("stirtrace_replay_shared_up", "Whether the shared memory of tokens answers"),
    ("stirtrace_sip_connections", "SIP connections open"),
    ("stirtrace_sip_transactions", "SIP transactions remembered"),
    ("stirtrace_sip_pending", "SIP calls that wait for their outcome"),
    ("stirtrace_key_tables_bytes", "Memory of the tables that make signatures of busy keys cheap"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_ask_for_what_is_counted() {
        let alerts = include_str!("../../examples/service/alerts.yml");
        let known: Vec<&str> = COUNTERS.iter().chain(&GAUGES).map(|(name, _)| *name).chain([SECONDS_NAME]).collect();
        let word = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
        let asked: Vec<String> = alerts.match_indices("stirtrace_").filter_map(|(at, _)| word(&alerts[at..])).collect();
        assert!(asked.len() > 15);
        for name in asked {
            assert!(known.contains(&name.trim_end_matches("_bucket")), "{name}");
        }
        let reasons = alerts.match_indices("reason=\"").filter_map(|(at, found)| word(&alerts[at + found.len()..]));
        for reason in reasons {
            assert!(crate::verify::Error::KINDS.contains(&reason.as_str()), "{reason}");
        }
    }
}
