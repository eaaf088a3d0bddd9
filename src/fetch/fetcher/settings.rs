//! How a fetcher fetches.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::certificate::bundle;
use crate::certificate::crl::Crl;
use crate::fetch::address::Allowance;
use crate::fetch::fetcher::fetched::{Event, Kind};
use crate::fetch::fetcher::guard::Resolver;
use crate::fetch::freshness::Rule;
use crate::trust::sti_pa::StiPaList;

/// How to fetch, and where to keep it. The default keeps nothing on disk.
#[derive(Clone)]
pub struct Settings {
    /// Where answers are kept across restarts.
    pub cache: Option<PathBuf>,
    /// Where every certificate is kept that ever was used, with the time; also as `host/path`, which `--certs` reads.
    pub archive: Option<PathBuf>,
    /// How much of anything there may be.
    pub limits: Limits,
    /// How long certificates, CRLs and lists are kept.
    pub rules: Rules,
    /// Whether TLS trusts the roots of the system.
    pub system_roots: bool,
    /// Roots that TLS trusts besides, in PEM.
    pub tls_roots: Vec<Vec<u8>>,
    /// Hosts that may lie at special addresses.
    pub allowances: Vec<Allowance>,
    /// What asks DNS; none is the system.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// Who is told what happens.
    pub tell: Option<Tell>,
}

/// Who is told what happens; it must not wait for anything.
pub type Tell = Arc<dyn Fn(&Event) + Send + Sync>;

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: None,
            archive: None,
            limits: Limits::default(),
            rules: Rules::default(),
            system_roots: true,
            tls_roots: Vec::new(),
            allowances: Vec::new(),
            resolver: None,
            tell: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Settings");
        shown.field("cache", &self.cache).field("archive", &self.archive).field("limits", &self.limits);
        shown.field("rules", &self.rules).field("system_roots", &self.system_roots);
        shown.field("tls_roots", &self.tls_roots.len()).field("allowances", &self.allowances).finish_non_exhaustive()
    }
}

/// How much of anything there may be: whatever a signer or a server can lengthen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of a certificate's answer (G29).
    pub certificate_bytes: usize,
    /// Bytes of a CRL.
    pub crl_bytes: usize,
    /// Bytes of a trust list.
    pub trust_list_bytes: usize,
    /// Bytes of a picture or a card that an `rcd` claim names.
    pub rich_call_data_bytes: usize,
    /// How long a certificate may take, from DNS to the last byte (G29).
    pub certificate_time: Duration,
    /// How long a CRL or a list may take.
    pub document_time: Duration,
    /// How many connections there may be at once.
    pub connections: usize,
    /// How many connections at once to one host, and to all hosts below the name that a registry gave away
    /// ([`Host::zone`](crate::fetch::location::Host::zone)), for whoever holds it makes as many as he likes; further fetches
    /// wait for one.
    pub of_one_host: usize,
    /// How many fetches may be under way or waiting; a quarter of them from such hosts.
    pub waiting: usize,
    /// Bytes of answers held in memory.
    pub memory_bytes: u64,
    /// Bytes of answers kept on disk.
    pub disk_bytes: u64,
    /// How many failures are remembered.
    pub failures: u64,
    /// How long a failure is remembered the first time; each further one doubles it.
    pub retry: Duration,
    /// How long at most.
    pub retry_most: Duration,
    /// How soon a certificate that failed a signature may be asked for again (G21).
    pub again: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            certificate_bytes: bundle::Limits::UNTRUSTED.octets,
            crl_bytes: Crl::MAX_LENGTH,
            trust_list_bytes: StiPaList::MAX_LENGTH,
            rich_call_data_bytes: 256 * 1024,
            certificate_time: Duration::from_secs(2),
            document_time: Duration::from_secs(30),
            connections: 32,
            of_one_host: 8,
            waiting: 1024,
            memory_bytes: 64 * 1024 * 1024,
            disk_bytes: 512 * 1024 * 1024,
            failures: 20_000,
            retry: Duration::from_secs(30),
            retry_most: Duration::from_secs(600),
            again: Duration::from_secs(300),
        }
    }
}

impl Limits {
    pub(super) const fn bytes(&self, kind: Kind) -> usize {
        match kind {
            Kind::Certificate => self.certificate_bytes,
            Kind::Crl => self.crl_bytes,
            Kind::TrustList => self.trust_list_bytes,
            Kind::RichCallData => self.rich_call_data_bytes,
        }
    }

    pub(super) const fn time(&self, kind: Kind) -> Duration {
        match kind {
            // A call waits for both.
            Kind::Certificate | Kind::RichCallData => self.certificate_time,
            Kind::Crl | Kind::TrustList => self.document_time,
        }
    }
}

/// How long each kind is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Certificates.
    pub certificate: Rule,
    /// CRLs.
    pub crl: Rule,
    /// Trust lists.
    pub trust_list: Rule,
    /// Pictures and cards of `rcd` claims.
    pub rich_call_data: Rule,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            certificate: Rule::CERTIFICATE,
            crl: Rule::CRL,
            trust_list: Rule::TRUST_LIST,
            rich_call_data: Rule::CERTIFICATE,
        }
    }
}

impl Rules {
    pub(super) const fn of(&self, kind: Kind) -> &Rule {
        match kind {
            Kind::Certificate => &self.certificate,
            Kind::Crl => &self.crl,
            Kind::TrustList => &self.trust_list,
            Kind::RichCallData => &self.rich_call_data,
        }
    }
}
