//! `[service]` to [`Settings`], with every fault placed.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{
    Atis82Settings, EvidenceSettings, LakeSettings, Limits, LogLevel, LogSettings, ReasonNames, Settings,
    TelemetrySettings, TlsSettings, TokenSettings,
};
use crate::document::{self, Flaw, Table, elements};
use crate::service::attestation::SigningSettings;
use crate::service::fault::{Error, Fault};
use crate::service::replay::ReplaySettings;
use crate::service::sip::{Endpoint, SipSettings, Transport};
use crate::service::treatment::TreatmentSettings;
use crate::service::values::Reader;
use crate::verify::{CrlPolicy, Policy, PrioritySigner, PrioritySigners, Profile, Require};

/// No configuration that people keep by hand is longer.
const MAX_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn read(bytes: &[u8]) -> Result<Settings, Vec<Error>> {
    document::read(bytes, MAX_BYTES, |reader, root| match reader.table(root, "service") {
        Some(table) => reader.settings(&table),
        None => Settings::default(),
    })
}

/// The keys of `[service]`.
const KEYS: [&str; 22] = [
    "listen",
    "open",
    "fetch",
    "fetch_rich_call_data",
    "fetch_cache",
    "fetch_archive",
    "fetch_root",
    "fetch_allow",
    "workers",
    "verification",
    "atis82",
    "limits",
    "tls",
    "tokens",
    "signer",
    "signing",
    "sip",
    "treatment",
    "replay",
    "log",
    "evidence",
    "telemetry",
];

impl Reader<'_> {
    fn settings(&mut self, table: &Table<'_, '_>) -> Settings {
        self.known(table, &KEYS);
        let default = Settings::default();
        let plan = default.policy.number_plan;
        let section = |reader: &mut Self, name: &str| reader.table(table, name);
        let settings = Settings {
            listen: self.listen(table).unwrap_or(default.listen),
            open: self.flag(table, "open").unwrap_or_default(),
            fetch: self.flag(table, "fetch").unwrap_or_default(),
            fetch_rich_call_data: self.flag(table, "fetch_rich_call_data").unwrap_or_default(),
            fetch_cache: self.string(table, "fetch_cache"),
            fetch_archive: self.string(table, "fetch_archive"),
            fetch_root: self.strings(table, "fetch_root"),
            fetch_allow: self.parsed(table, "fetch_allow", |text| text.parse().map_err(Fault::Allowance)),
            workers: self.number(table, "workers", 1..=1024),
            policy: section(self, "verification").map(|own| self.policy(&own)).unwrap_or_default(),
            atis82: section(self, "atis82").map(|own| self.atis82(&own)).unwrap_or_default(),
            limits: section(self, "limits").map(|own| self.limits(&own)).unwrap_or_default(),
            tls: section(self, "tls").map(|own| self.tls(&own)),
            tokens: section(self, "tokens").map(|own| self.tokens(&own)),
            signers: self.signers(table),
            sip: section(self, "sip").map(|own| SipSettings::read(self, &own)).unwrap_or_default(),
            signing: section(self, "signing").map(|own| SigningSettings::read(self, &own, &plan)),
            treatment: section(self, "treatment").map(|own| TreatmentSettings::read(self, &own)).unwrap_or_default(),
            replay: section(self, "replay").map(|own| ReplaySettings::read(self, &own)),
            log: section(self, "log").map(|own| self.log(&own)).unwrap_or_default(),
            evidence: section(self, "evidence").map(|own| self.evidence(&own)),
            telemetry: section(self, "telemetry").map(|own| self.telemetry(&own)),
        };
        self.check_exposure(table, &settings);
        if let Some(endpoint) = settings.sip_without_tls() {
            self.fault_at(table, "sip", Fault::SipWithoutTls { endpoint: endpoint.to_string() });
        }
        settings
    }

    fn listen(&mut self, table: &Table<'_, '_>) -> Option<Vec<SocketAddr>> {
        table.get("listen")?;
        let addresses =
            self.parsed(table, "listen", |text| text.parse().map_err(|_| Fault::Address { text: text.to_owned() }));
        if addresses.is_empty() && self.is_clean() {
            self.fault_at(table, "listen", Flaw::Empty);
        }
        Some(addresses)
    }

    /// A signing service that anybody reaches signs anybody's calls.
    fn check_exposure(&mut self, table: &Table<'_, '_>, settings: &Settings) {
        let clients_show_certificates = settings.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        let is_open = |endpoint: &&Endpoint| {
            let is_asked = endpoint.transport == Transport::Tls && clients_show_certificates;
            !is_asked && !endpoint.address.ip().is_loopback()
        };
        let everybody = settings.sip.endpoints.iter().filter(|_| settings.sip.allow.is_empty() && !settings.open);
        if let Some(endpoint) = everybody.into_iter().find(is_open) {
            self.fault_at(table, "sip", Fault::SipOpen { address: endpoint.address });
        }
        let known = settings.tokens.is_some() || clients_show_certificates;
        let Some(address) = settings.listen.iter().copied().find(|address| !address.ip().is_loopback()) else { return };
        if !known && !settings.open {
            self.fault_at(table, "listen", Fault::Open { address });
        }
        if settings.tokens.is_some() && settings.tls.is_none() && !settings.open {
            self.fault_at(table, "tokens", Fault::TokensInTheClear { address });
        }
    }

    fn policy(&mut self, table: &Table<'_, '_>) -> Policy {
        self.known(
            table,
            &["max_age", "max_diverted_age", "profile", "strict", "require", "crl_policy", "cross_check", "rph_signer"],
        );
        let default = Policy::default();
        Policy {
            max_age: self.bounded(table, "max_age", 1, 86_400).unwrap_or(default.max_age),
            max_diverted_age: self.bounded(table, "max_diverted_age", 1, 86_400).unwrap_or(default.max_diverted_age),
            profile: self
                .word(table, "profile", &[("rfc", Profile::Rfc), ("atis", Profile::Atis)], "\"rfc\", \"atis\"")
                .unwrap_or_default(),
            strict: self.flag(table, "strict").unwrap_or_default(),
            require: self
                .word(table, "require", &[("any", Require::Any), ("shaken", Require::Shaken)], "\"any\", \"shaken\"")
                .unwrap_or_default(),
            crl: self.crl_policy(table),
            cross_check: self.flag(table, "cross_check").unwrap_or_default(),
            priority_signers: self.priority_signers(table),
            ..default
        }
    }

    /// `[[service.verification.rph_signer]]`; without one, every provider may.
    fn priority_signers(&mut self, parent: &Table<'_, '_>) -> PrioritySigners {
        if parent.get("rph_signer").is_none() {
            return PrioritySigners::AnyProvider;
        }
        let mut signers = Vec::new();
        for table in self.tables(parent, "rph_signer") {
            self.known(&table, &["spc", "namespaces"]);
            let namespaces = self.namespaces(&table, "namespaces");
            if table.get("namespaces").is_none() {
                self.missing(&table, "namespaces");
            }
            signers.push(PrioritySigner::new(self.required(&table, "spc"), namespaces));
        }
        PrioritySigners::Only(signers)
    }

    fn crl_policy(&mut self, table: &Table<'_, '_>) -> CrlPolicy {
        let words =
            [("use", CrlPolicy::Use), ("require", CrlPolicy::Require), ("require-fresh", CrlPolicy::RequireFresh)];
        self.word(table, "crl_policy", &words, "\"use\", \"require\", \"require-fresh\"").unwrap_or_default()
    }

    fn atis82(&mut self, table: &Table<'_, '_>) -> Atis82Settings {
        self.known(table, &["reason_names", "attestation", "attestation_reason"]);
        let names = [("reasonCode", ReasonNames::Camel), ("reasoncode", ReasonNames::Lower)];
        Atis82Settings {
            reason_names: self
                .word(table, "reason_names", &names, "\"reasonCode\", \"reasoncode\"")
                .unwrap_or_default(),
            attestation: self.flag(table, "attestation").unwrap_or_default(),
            attestation_reason: self.flag(table, "attestation_reason").unwrap_or_default(),
        }
    }

    fn limits(&mut self, table: &Table<'_, '_>) -> Limits {
        self.known(
            table,
            &[
                "body",
                "headers",
                "connections",
                "requests",
                "header_seconds",
                "request_seconds",
                "drain_seconds",
                "rate",
                "burst",
            ],
        );
        let default = Limits::default();
        Limits {
            body: self.number(table, "body", 1024..=16 << 20).unwrap_or(default.body),
            headers: self.number(table, "headers", 8..=1024).unwrap_or(default.headers),
            connections: self.number(table, "connections", 1..=1_000_000).unwrap_or(default.connections),
            requests: self.number(table, "requests", 1..=1_000_000).unwrap_or(default.requests),
            header_time: self.seconds(table, "header_seconds").unwrap_or(default.header_time),
            request_time: self.seconds(table, "request_seconds").unwrap_or(default.request_time),
            drain_time: self.seconds(table, "drain_seconds").unwrap_or(default.drain_time),
            rate: self.number(table, "rate", 1..=1_000_000),
            burst: self.number(table, "burst", 1..=1_000_000).unwrap_or(default.burst),
        }
    }

    fn tls(&mut self, table: &Table<'_, '_>) -> TlsSettings {
        self.known(table, &["certificate", "key", "client_ca"]);
        TlsSettings {
            certificate: self.required(table, "certificate"),
            key: self.required(table, "key"),
            client_ca: self.string(table, "client_ca"),
        }
    }

    fn tokens(&mut self, table: &Table<'_, '_>) -> TokenSettings {
        self.known(table, &["keys", "algorithms", "issuer", "audience", "leeway_seconds"]);
        let named = |reader: &mut Self, name: &'static str| {
            if table.get(name).is_none() {
                reader.missing(table, name);
            }
            reader.strings(table, name)
        };
        TokenSettings {
            keys: named(self, "keys"),
            algorithms: self.algorithms(table),
            issuer: named(self, "issuer"),
            audience: named(self, "audience"),
            leeway: self.number(table, "leeway_seconds", 0..=300).unwrap_or(5),
        }
    }

    /// RFC 8725 §3.1: which algorithms are taken is said here, never by the token.
    fn algorithms(&mut self, table: &Table<'_, '_>) -> Vec<String> {
        const WANTED: &str = "\"ES256\", \"ES384\", \"EdDSA\", \"RS256\", \"PS256\"";
        let mut algorithms = Vec::new();
        for value in elements(table, "algorithms") {
            let Some(found) = self.text(value, "service.tokens.algorithms") else { continue };
            if ["ES256", "ES384", "EdDSA", "RS256", "PS256"].contains(&found.as_str()) {
                algorithms.push(found);
            } else {
                self.fault(value.span().start, "service.tokens.algorithms", Flaw::Word { found, wanted: WANTED });
            }
        }
        if algorithms.is_empty() { vec!["ES256".to_owned()] } else { algorithms }
    }

    fn log(&mut self, table: &Table<'_, '_>) -> LogSettings {
        self.known(table, &["level", "numbers"]);
        let levels = [
            ("info", LogLevel::Info),
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("requests", LogLevel::Requests),
        ];
        LogSettings {
            level: self
                .word(table, "level", &levels, "\"error\", \"warn\", \"info\", \"requests\"")
                .unwrap_or_default(),
            numbers: self.flag(table, "numbers").unwrap_or_default(),
        }
    }

    fn evidence(&mut self, table: &Table<'_, '_>) -> EvidenceSettings {
        let keys = ["folder", "bytes", "queue", "checks", "lake", "network", "source", "lake_seconds", "lake_records"];
        self.known(table, &keys);
        EvidenceSettings {
            folder: self.required(table, "folder"),
            bytes: self.number(table, "bytes", 4096..=1 << 40).unwrap_or(256 << 20),
            queue: self.number(table, "queue", 1..=1_000_000).unwrap_or(10_000),
            checks: self.flag(table, "checks").unwrap_or_default(),
            lake: self.evidence_lake(table),
        }
    }

    fn evidence_lake(&mut self, table: &Table<'_, '_>) -> Option<LakeSettings> {
        ["lake", "network", "source", "lake_seconds", "lake_records"].iter().find(|key| table.get(key).is_some())?;
        Some(LakeSettings {
            folder: self.required(table, "lake"),
            network: self.required(table, "network"),
            source: self.string(table, "source").unwrap_or_else(|| "live".to_owned()),
            every: self.seconds(table, "lake_seconds").unwrap_or(Duration::from_secs(300)),
            records: self.number(table, "lake_records", 1..=100_000_000).unwrap_or(1_000_000),
        })
    }

    fn telemetry(&mut self, table: &Table<'_, '_>) -> TelemetrySettings {
        self.known(table, &["otlp", "name", "every", "queue"]);
        let url = self.required(table, "otlp");
        let otlp = collector(&url).map_err(|reason| self.fault_at(table, "otlp", Fault::Collector(reason)));
        if !cfg!(feature = "otel") {
            self.fault_at(table, "otlp", Fault::OpenTelemetryMissing);
        }
        TelemetrySettings {
            otlp: otlp.unwrap_or_default(),
            name: self.string(table, "name").unwrap_or_else(|| "stirtrace".to_owned()),
            every: self.number(table, "every", 1..=1_000_000).unwrap_or(1),
            queue: self.number(table, "queue", 1..=1_000_000).unwrap_or(4096),
        }
    }

    fn seconds(&mut self, table: &Table<'_, '_>, name: &str) -> Option<Duration> {
        self.number(table, name, 1..=3600).map(Duration::from_secs)
    }

    /// A number of a narrower type.
    fn number<T: TryFrom<i64>>(&mut self, table: &Table<'_, '_>, name: &str, bounds: RangeInclusive<i64>) -> Option<T> {
        T::try_from(self.bounded(table, name, *bounds.start(), *bounds.end())?).ok()
    }
}

/// Where spans are posted to, by the URL of a collector.
fn collector(text: &str) -> Result<String, &'static str> {
    let mut url = reqwest::Url::parse(text).map_err(|_| "it is no URL")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("it begins neither http:// nor https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("it has a user, a query or a fragment");
    }
    if url.path() == "/" {
        url.set_path("/v1/traces");
    }
    Ok(url.into())
}
