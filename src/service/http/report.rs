//! What those who run the service look at: whether it lives, whether it can judge, and what it counts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::App;
use super::answer::json_response;
use crate::certificate::crl::Freshness;
use crate::fetch::Counts;
use crate::service::evidence::IntakeCounts;
use crate::service::log;
use crate::service::metrics::Metrics;
use crate::service::replay::ReplayCounts;
use crate::service::sip::{ListenerCounts, SipCounter};
use crate::service::standing::Standing;
use crate::service::telemetry::Telemetry;
use crate::time::UnixTime;
use crate::verify::CrlPolicy;

/// `GET /health`: it answers.
pub(super) async fn health(State(app): State<App>) -> Response {
    let standing = app.engine().standing();
    json_response(StatusCode::OK, &json!({"status": "ok", "loaded": standing.loaded_at().to_string()}))
}

/// `GET /ready`: it can judge calls, and is not about to stop.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let mut because = unready(&app.engine().standing(), app.now());
    if app.is_stopping() {
        because.push("it was told to stop".to_owned());
    }
    let status = if because.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &json!({"ready": because.is_empty(), "because": because}))
}

/// Why no call could pass at an instant.
fn unready(standing: &Standing, now: UnixTime) -> Vec<String> {
    let mut because = Vec::new();
    if standing.trust().anchors().is_empty() {
        because.push("nobody is trusted: no roots are loaded".to_owned());
    }
    // F21: a list that has ended says nothing any more.
    if let Some(expires) = standing.trust_list_expires().filter(|expires| now > *expires) {
        because.push(format!("the STI-PA's list ended at {expires}"));
    }
    let is_fresh = |at| standing.trust().crls().iter().any(|crl| !matches!(crl.freshness(at), Freshness::Stale { .. }));
    match standing.policy().crl {
        CrlPolicy::Require if standing.trust().crls().is_empty() => because.push("no CRL is loaded".to_owned()),
        CrlPolicy::RequireFresh if !is_fresh(now) => because.push("no CRL is fresh".to_owned()),
        _ => {}
    }
    because
}

/// `GET /metrics`: for Prometheus.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let metrics = app.metrics();
    let standing = app.engine().standing();
    let now = app.now();
    metrics.set("stirtrace_trust_anchors", &[], count(standing.trust().anchors().certificates().len()));
    metrics.set("stirtrace_loaded_seconds", &[], seconds(standing.loaded_at().seconds()));
    metrics.set("stirtrace_key_tables_bytes", &[], count(standing.verifier.tables().bytes()));
    metrics.set("stirtrace_certificate_urls", &[], count(standing.credentials.archived_urls()));
    metrics.set("stirtrace_certificates", &[], count(standing.credentials.held()));
    metrics.set_counter("stirtrace_certificates_read_total", &[], standing.credentials.read_bodies());
    if let Some(expires) = standing.trust_list_expires() {
        metrics.set("stirtrace_trust_list_expires_seconds", &[], seconds(expires.seconds()));
    }
    for signer in &standing.signers {
        let labels = [("signer", signer.name().to_owned())];
        metrics.set("stirtrace_signing_key_up", &labels, count(u8::from(signer.works())));
    }
    for crl in standing.trust().crls() {
        let labels = [("issuer", crl.issuer().to_string())];
        // Before its time by our clock it is new; no alarm takes a negative age for what it is.
        metrics.set("stirtrace_crl_age_seconds", &labels, seconds(now.seconds_since(crl.this_update()).max(0)));
        if let Some(next) = crl.next_update() {
            metrics.set("stirtrace_crl_next_update_seconds", &labels, seconds(next.seconds()));
        }
    }
    if let Some(fetcher) = standing.fetcher() {
        tell_fetches(metrics, &fetcher.counts());
    }
    if let Some(evidence) = app.evidence() {
        metrics.set_counter("stirtrace_evidence_written_total", &[], evidence.written());
        metrics.set_counter("stirtrace_evidence_dropped_total", &[], evidence.dropped());
        if let Some(counts) = evidence.intake() {
            show_intake(metrics, &counts);
        }
    }
    for (outcome, total) in app.engine().telemetry().map(Telemetry::counts).into_iter().flatten() {
        metrics.set_counter("stirtrace_spans_total", &[("outcome", outcome)], total);
    }
    metrics.set_counter("stirtrace_log_lost_total", &[], log::lost());
    if let Some(replay) = app.engine().replay() {
        show_replay(metrics, &replay.counts());
    }
    for counts in app.engine().sip().map(SipCounter::counts).unwrap_or_default() {
        show_sip(metrics, &counts);
    }
    let mut response = metrics.render().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

fn show_intake(metrics: &Metrics, counts: &IntakeCounts) {
    metrics.set_counter("stirtrace_evidence_lake_records_total", &[], counts.added);
    metrics.set_counter("stirtrace_evidence_lake_set_aside_total", &[], counts.set_aside);
    metrics.set_counter("stirtrace_evidence_lake_failures_total", &[], counts.failures);
    metrics.set("stirtrace_evidence_lake_age_seconds", &[], count(counts.age.as_secs()));
    metrics.set("stirtrace_evidence_lake_waiting", &[], count(counts.waiting));
}

fn show_replay(metrics: &Metrics, counts: &ReplayCounts) {
    metrics.set("stirtrace_replay_tokens", &[], count(counts.held));
    metrics.set("stirtrace_replay_shared_up", &[], count(u8::from(counts.shared_error.is_none())));
    metrics.set_counter("stirtrace_replays_total", &[], counts.replays);
    metrics.set_counter("stirtrace_replay_forgotten_early_total", &[], counts.forgotten_early);
    metrics.set_counter("stirtrace_replay_shared_failures_total", &[], counts.shared_failures);
    metrics.set_counter("stirtrace_replay_shared_skipped_total", &[], counts.shared_skipped);
}

fn show_sip(metrics: &Metrics, counts: &ListenerCounts) {
    let endpoint = || ("endpoint", counts.endpoint.to_string());
    let messages = &counts.messages;
    for (method, total) in &messages.requests {
        metrics.set_total("stirtrace_sip_requests_total", &[endpoint(), ("method", (*method).to_owned())], *total);
    }
    for (code, total) in &messages.responses {
        metrics.set_total("stirtrace_sip_responses_total", &[endpoint(), ("code", code.to_string())], *total);
    }
    for (why, total) in &messages.ignored {
        metrics.set_total("stirtrace_sip_ignored_total", &[endpoint(), ("why", why.as_str().to_owned())], *total);
    }
    metrics.set_total("stirtrace_sip_repeated_total", &[endpoint()], messages.repeated);
    metrics.set_total("stirtrace_sip_forgotten_total", &[endpoint()], messages.forgotten);
    metrics.set_total("stirtrace_sip_connections_refused_total", &[endpoint()], counts.connections_refused);
    metrics.set_total("stirtrace_sip_connections_broken_total", &[endpoint()], counts.connections_broken);
    metrics.set("stirtrace_sip_connections", &[endpoint()], count(counts.connections));
    metrics.set("stirtrace_sip_transactions", &[endpoint()], count(messages.transactions));
    metrics.set("stirtrace_sip_pending", &[endpoint()], count(messages.pending));
}

/// What the fetcher counts of itself.
fn tell_fetches(metrics: &Metrics, counts: &Counts) {
    let outcomes = [
        ("hit", counts.hits),
        ("stale", counts.stale),
        ("negative", counts.negative_hits),
        ("joined", counts.joined),
        ("disk", counts.disk_hits),
        ("fetched", counts.fetched),
        ("revalidated", counts.revalidated),
        ("unusable", counts.unusable),
        ("again", counts.again),
        ("prefetched", counts.prefetched),
    ];
    for (outcome, total) in outcomes {
        metrics.set_counter("stirtrace_fetches_total", &[("outcome", outcome)], total);
    }
    for (why, total) in counts.refused.iter().chain(&counts.failed) {
        metrics.set_counter("stirtrace_fetch_failures_total", &[("why", why)], *total);
    }
    metrics.set_counter("stirtrace_fetch_disk_failures_total", &[], counts.disk_failures);
    metrics.set_counter("stirtrace_fetch_damaged_total", &[], counts.damaged);
    metrics.set("stirtrace_fetches_in_flight", &[], count(counts.in_flight));
    metrics.set("stirtrace_fetched_disk_bytes", &[], count(counts.disk_bytes));
}

#[expect(clippy::as_conversions, reason = "a gauge is a float; seconds and counts are far below 2^53")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}

fn count(count: impl TryInto<i64>) -> f64 {
    seconds(count.try_into().unwrap_or(i64::MAX))
}
