//! The `[service]` table of a `stirtrace.toml`: what the service does and what it allows. Paths stand as written,
//! relative to the folder of the file.

mod reader;
mod signers;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::fetch::address::Allowance;
use crate::service::attestation::SigningSettings;
use crate::service::fault::Error;
use crate::service::replay::ReplaySettings;
use crate::service::sip::{Endpoint, SipSettings, Transport};
use crate::service::treatment::TreatmentSettings;
use crate::verify::Policy;

/// The whole table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// `listen`: where it listens for HTTP.
    pub listen: Vec<SocketAddr>,
    /// `open`: others than this machine may ask without showing who they are.
    pub open: bool,
    /// `fetch`: whether certificates may be fetched that the archive lacks.
    pub fetch: bool,
    /// `fetch_rich_call_data`: whether the pictures and cards are fetched, too, that rich call data names (RFC 9795).
    pub fetch_rich_call_data: bool,
    /// `fetch_cache`: the folder that what was fetched is kept in.
    pub fetch_cache: Option<String>,
    /// `fetch_archive`: the archive that every certificate is added to that was used, with the time.
    pub fetch_archive: Option<String>,
    /// `fetch_root`: PEM files of roots that TLS trusts besides the system's, for fetching only.
    pub fetch_root: Vec<String>,
    /// `fetch_allow`: hosts that may lie at special addresses.
    pub fetch_allow: Vec<Allowance>,
    /// `workers`: how many threads work; none means one for each processor.
    pub workers: Option<usize>,
    /// `[service.verification]`: what a verifier accepts.
    pub policy: Policy,
    /// `[service.atis82]`
    pub atis82: Atis82Settings,
    /// `[service.limits]`
    pub limits: Limits,
    /// `[service.tls]`
    pub tls: Option<TlsSettings>,
    /// `[service.tokens]`
    pub tokens: Option<TokenSettings>,
    /// `[[service.signer]]`
    pub signers: Vec<SignerSettings>,
    /// `[service.sip]`: where it listens for SIP, and how it answers there.
    pub sip: SipSettings,
    /// `[service.signing]`: what is signed of whose calls. Without it, whoever may ask over HTTP says what to sign, and
    /// nothing is signed over SIP.
    pub signing: Option<SigningSettings>,
    /// `[service.treatment]`: what becomes of calls after their verdict.
    pub treatment: TreatmentSettings,
    /// `[service.replay]`: how tokens are remembered, if they are; a change needs a new start.
    pub replay: Option<ReplaySettings>,
    /// `[service.log]`
    pub log: LogSettings,
    /// `[service.evidence]`
    pub evidence: Option<EvidenceSettings>,
    /// `[service.telemetry]`: where traces are sent, if they are.
    pub telemetry: Option<TelemetrySettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))],
            open: false,
            fetch: false,
            fetch_rich_call_data: false,
            fetch_cache: None,
            fetch_archive: None,
            fetch_root: Vec::new(),
            fetch_allow: Vec::new(),
            workers: None,
            policy: Policy::default(),
            atis82: Atis82Settings::default(),
            limits: Limits::default(),
            tls: None,
            tokens: None,
            signers: Vec::new(),
            sip: SipSettings::default(),
            signing: None,
            treatment: TreatmentSettings::default(),
            replay: None,
            log: LogSettings::default(),
            evidence: None,
            telemetry: None,
        }
    }
}

impl Settings {
    /// Reads the `[service]` table of the bytes of a `stirtrace.toml`; without one, the defaults.
    ///
    /// # Errors
    /// Every fault of the table, in the order of its lines.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Error>> {
        reader::read(bytes)
    }

    /// Where SIP is to be spoken over TLS, if there is no `[service.tls]` to do it by.
    #[must_use]
    pub fn sip_without_tls(&self) -> Option<&Endpoint> {
        let mut secured = self.sip.endpoints.iter().filter(|endpoint| endpoint.transport == Transport::Tls);
        if self.tls.is_none() { secured.next() } else { None }
    }

    /// The keys that differ in `other` and that only a new start puts into force.
    #[must_use]
    pub fn fixed_keys_changed(&self, other: &Self) -> Vec<&'static str> {
        let limits =
            |own: &Self| (own.limits.connections, own.limits.requests, own.limits.headers, own.limits.header_time);
        // How long tokens are remembered goes by how old they may be.
        let replay = |own: &Self| own.replay.clone().map(|replay| (replay, own.policy.max_age));
        let changed = [
            ("listen", self.listen != other.listen),
            ("workers", self.workers != other.workers),
            ("fetch", self.fetch != other.fetch),
            ("fetch_cache", self.fetch_cache != other.fetch_cache),
            ("fetch_archive", self.fetch_archive != other.fetch_archive),
            ("fetch_root", self.fetch_root != other.fetch_root),
            ("fetch_allow", self.fetch_allow != other.fetch_allow),
            ("limits", limits(self) != limits(other)),
            ("sip", self.sip != other.sip),
            ("replay", replay(self) != replay(other)),
            ("log", self.log != other.log),
            ("evidence", self.evidence != other.evidence),
            ("telemetry", self.telemetry != other.telemetry),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }
}

/// How ATIS-1000082 is spoken where its versions differ (F31).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Atis82Settings {
    /// `reason_names`: how members of a result are spelled.
    pub reason_names: ReasonNames,
    /// `attestation`: whether a result also carries `attest` and `origid`, as some vendors have it.
    pub attestation: bool,
    /// `attestation_reason`: whether a signing answer tells its client which rule gave the attestation, or none.
    pub attestation_reason: bool,
}

/// How the members of a verification result are spelled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReasonNames {
    /// `reasonCode`, as later versions and 3GPP have it.
    #[default]
    Camel,
    /// `reasoncode`, as the first version has it.
    Lower,
}

/// How much one client and all together may ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// `body`: the most octets of a request's body.
    pub body: usize,
    /// `headers`: the most header fields of a request.
    pub headers: usize,
    /// `connections`: the most connections at a time; each is an open file of the process.
    pub connections: usize,
    /// `requests`: the most requests at a time.
    pub requests: usize,
    /// `header_seconds`: how long the header of a request may take, and a connection idle.
    pub header_time: Duration,
    /// `request_seconds`: how long a request may take from its header to its answer; more than fetching a certificate
    /// may.
    pub request_time: Duration,
    /// `drain_seconds`: how long requests under way may go on once the service is told to stop.
    pub drain_time: Duration,
    /// `rate`: how many requests a second one client may send; none sets no limit.
    pub rate: Option<u32>,
    /// `burst`: how many it may send at once.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            headers: 64,
            connections: 1024,
            requests: 512,
            header_time: Duration::from_secs(10),
            request_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(20),
            rate: None,
            burst: 100,
        }
    }
}

/// `[service.tls]`
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TlsSettings {
    /// `certificate`: PEM, the service's certificate first.
    pub certificate: String,
    /// `key`: its private key in PEM.
    pub key: String,
    /// `client_ca`: PEM of the authorities whose certificates clients must show.
    pub client_ca: Option<String>,
}

/// `[service.tokens]`: the bearer tokens that clients must show (RFC 6750, RFC 7519).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TokenSettings {
    /// `keys`: PEM files of public keys, or JWK sets (RFC 7517).
    pub keys: Vec<String>,
    /// `algorithms`: which are accepted; `none` and shared secrets are not among those that exist here.
    pub algorithms: Vec<String>,
    /// `issuer`: what `iss` must be.
    pub issuer: Vec<String>,
    /// `audience`: what `aud` must hold.
    pub audience: Vec<String>,
    /// `leeway_seconds`: how far clocks may differ.
    pub leeway: u64,
}

/// `[[service.signer]]`
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SignerSettings {
    /// `name`: what rules call it.
    pub name: String,
    /// `key` or `[service.signer.pkcs11]`: where its private key lies.
    pub key: KeySettings,
    /// `certificate`: in PEM.
    pub certificate: String,
    /// `x5u`: where verifiers find the certificate.
    pub x5u: String,
    /// `rph`: the namespaces of which it may authorise priorities, such as `ets`; none unless they stand here.
    pub rph: Vec<String>,
    /// `rph_clients`: for whom, by the subject of their token or the SHA-256 of their certificate; none stands for
    /// everybody who has the call signed by the rules of `[service.signing]`, or where there are none for everybody.
    pub rph_clients: Vec<String>,
}

/// Where the private key of a signer lies.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySettings {
    /// `key`: a file in PEM.
    File(String),
    /// `[service.signer.pkcs11]`: a security module.
    Pkcs11(Pkcs11Settings),
}

/// `[service.signer.pkcs11]`: a private key in a security module, reached by its library (PKCS #11).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Pkcs11Settings {
    /// `module`: the library that leads to the security module.
    pub module: String,
    /// `token`: the label of the token that holds the key.
    pub token: String,
    /// `serial`: the token's serial number, where several have the label.
    pub serial: Option<String>,
    /// `key` or `key_id`: which of the token's keys.
    pub key: KeyName,
    /// `pin_file` or `pin_variable`: where its PIN stands; none for a token that wants none or asks for it by itself.
    pub pin: Option<PinSource>,
    /// `sessions`: how many signatures it makes at a time.
    pub sessions: usize,
    /// `wait_seconds`: how long a call waits for its signature.
    pub wait: Duration,
}

/// Which key of a token.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyName {
    /// `key_id`: by its identifier (CKA_ID), in hexadecimal digits.
    Id(Vec<u8>),
    /// `key`: by its label (CKA_LABEL).
    Label(String),
}

/// Where a PIN stands; never in the configuration itself.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PinSource {
    /// `pin_file`: a file that holds nothing else; the end of its line is none of it.
    File(String),
    /// `pin_variable`: a variable of the environment.
    Variable(String),
}

/// `[service.log]`
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LogSettings {
    /// `level`
    pub level: LogLevel,
    /// `numbers`: whether telephone numbers stand in the log in full.
    pub numbers: bool,
}

/// What is logged.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum LogLevel {
    /// What keeps the service from working.
    Error,
    /// What somebody should look at.
    Warn,
    /// Start, stop, reload.
    #[default]
    Info,
    /// Every request.
    Requests,
}

/// `[service.evidence]`: where verdicts are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EvidenceSettings {
    /// `folder`: where the files go.
    pub folder: String,
    /// `bytes`: how long a file may become before the next begins; a new day begins one, too, where no lake is named.
    pub bytes: u64,
    /// `queue`: how many verdicts may wait for the disk before more are dropped.
    pub queue: usize,
    /// `checks`: whether the whole verdict is kept, with every check, or only what it comes to.
    pub checks: bool,
    /// `lake`, and what belongs to it: where finished files are taken in, if they are.
    pub lake: Option<LakeSettings>,
}

/// How evidence gets into a lake.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LakeSettings {
    /// `lake`: the lake's folder.
    pub folder: String,
    /// `network`: the network whose records they are, by its name.
    pub network: String,
    /// `source`: the source of the network that they are of.
    pub source: String,
    /// `lake_seconds`: when a file is finished, and taken in, by its age.
    pub every: Duration,
    /// `lake_records`: the same by its records, whichever comes first.
    pub records: u64,
}

/// `[service.telemetry]`: traces, as OpenTelemetry has them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TelemetrySettings {
    /// `otlp`: the collector's URL (OTLP over HTTP, in protobuf); `/v1/traces` is added where it names no path.
    pub otlp: String,
    /// `name`: what the service calls itself.
    pub name: String,
    /// `every`: of requests that come without a trace of their client's, one in so many is recorded.
    pub every: u64,
    /// `queue`: how many spans may wait for the collector before more are dropped.
    pub queue: usize,
}
