//! `stirtrace serve`: the verification and authentication service, until it is told to stop.

mod intake;
mod open_files;
mod signers;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::cli::args::{ConfigArgs, CrlPolicyName, FetchArgs, RevocationArgs, TrustArgs};
use crate::cli::configuration::Configured;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::fetching::{Fetching, Part};
use crate::cli::files::read_named;
use crate::cli::printer::Printer;
use crate::cli::serve::intake::IntoLake;
use crate::cli::settings::crl_policy;
use crate::cli::trust::Trust;
use crate::clock;
use crate::fetch::Event;
use crate::service::evidence::Intake;
use crate::service::fault::Fault;
use crate::service::http::{App, Server, Stopper};
use crate::service::log;
use crate::service::pkcs11::TokenKeys;
use crate::service::settings::{LogLevel, TelemetrySettings, TlsSettings};
use crate::service::sip::{Endpoint, EngineAnswers, Role, SipService};
use crate::service::tls::TlsFiles;
use crate::service::{Engine, Evidence, Loaded, Settings, Telemetry};
use crate::time::UnixTime;

/// `stirtrace serve`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  stirtrace serve --trust roots.pem --certs archive/
  stirtrace serve --config examples/service/stirtrace.toml
  stirtrace serve --config stirtrace.toml --sip udp:127.0.0.1:5065,tcp:127.0.0.1:5065
  curl -s localhost:8080/v1/verify -H 'Content-Type: message/sip' --data-binary @invite.sip

Over HTTP it speaks ATIS-1000082 (POST /stir/v1/verification, /stir/v1/signing) and
gives whole verdicts (POST /v1/verify); GET /openapi.json describes it all. GET
/health, /ready and /metrics are for those who run it. Over SIP (--sip; UDP, TCP,
TLS) it is a redirect server: an INVITE gets a 302 with its Identity signed, or with
what verification found, or the final response that [service.treatment] wants.

What it may do stands in the table [service] of stirtrace.toml. It listens on this
machine only, speaks SIP nowhere, and fetches nothing, unless that table or an
option says otherwise. Signing keys lie in PEM files, or in a security module
(PKCS #11).

SIGHUP reads keys, trust, CRLs and configuration anew, and keeps the old ones if
anything is wrong with the new; the log names what only a new start changes.
SIGTERM and SIGINT stop it: what is under way is answered first. The log is one
JSON object a line on stderr, or text on a terminal; numbers are masked unless
[service.log] says numbers = true.

Exit codes: 0 stopped as it was told, 1 stopped before all was answered, 2 misuse,
or something unreadable.")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Where to listen; repeatable [default: what stirtrace.toml says, else 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Where to answer SIP by redirects: calls with Identity are verified, others signed
    #[arg(long, value_name = "udp|tcp|tls:ADDR:PORT", value_delimiter = ',')]
    pub(crate) sip: Vec<String>,
    /// Where to answer SIP by redirects and sign every call
    #[arg(long, value_name = "udp|tcp|tls:ADDR:PORT", value_delimiter = ',')]
    pub(crate) sip_sign: Vec<String>,
    /// Where to answer SIP by redirects and verify every call
    #[arg(long, value_name = "udp|tcp|tls:ADDR:PORT", value_delimiter = ',')]
    pub(crate) sip_verify: Vec<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) revocation: RevocationArgs,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// Fetch the pictures and cards, too, that rich call data names (RFC 9795); a call waits for them as for a certificate
    #[arg(long, help_heading = "Fetching")]
    pub(crate) fetch_rich_call_data: bool,
}

/// Runs `stirtrace serve`.
pub(crate) fn run(args: ServeArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let token_keys = Arc::new(TokenKeys::default());
    let outcome = run_with(args, &token_keys, printer);
    token_keys.close();
    outcome
}

fn run_with(args: ServeArgs, token_keys: &Arc<TokenKeys>, printer: &mut Printer) -> Result<Exit, Stop> {
    let configured = Configured::find_any(args.config.config.as_deref(), printer)?;
    let mut files = Files { args, configured, fetching: None, token_keys: Arc::clone(token_keys) };
    let settings = files.settings()?;
    let quiet = if printer.is_quiet() { LogLevel::Error } else { settings.log.level };
    let numbers = settings.log.numbers && !printer.is_redacted();
    let _log = log::start(log::Options::new(quiet, numbers, printer.talks_text()));
    open_files::allow(&settings);
    let name = |part| files.named(part);
    files.fetching = Fetching::for_service(&files.fetch_args(&settings), log_fetching, &name)?.map(Arc::new);
    let evidence = files.evidence(&settings)?;
    let loader = files.clone();
    let engine = Engine::new(
        Box::new(move |now: UnixTime| loader.load(now).map_err(|complaint| complaint.to_string())),
        clock::now,
    );
    let engine = engine.map_err(|reason| Complaint::new(reason).hint("put it right and start again"))?;
    let engine = match evidence {
        Some(evidence) => engine.with_evidence(evidence),
        None => engine,
    };
    let engine = match &settings.telemetry {
        Some(own) => engine.with_telemetry(telemetry(own, &settings, printer)?),
        None => engine,
    };
    if engine.standing().trust().anchors().is_empty() {
        printer.warn("nobody is trusted, so no call can pass: name the roots with --trust PATH");
    }
    let engine = Arc::new(engine);
    let runtime = runtime(&settings)?;
    let drained = runtime.block_on(serve(Arc::clone(&engine), &settings))?;
    if let Some(evidence) = engine.evidence() {
        evidence.close();
    }
    if let Some(telemetry) = engine.telemetry() {
        telemetry.close();
    }
    if let Some(fetcher) = engine.standing().fetcher() {
        let settled = async { tokio::time::timeout(LAST_WRITES, fetcher.settle()).await };
        if runtime.block_on(settled).is_err() {
            tracing::warn!("what was fetched last is not kept: the disk does not answer");
        }
    }
    // A look-up of DNS that nobody waits for any more does not keep the process from ending, nor does a disk.
    runtime.shutdown_background();
    Ok(if drained { Exit::Good } else { Exit::Bad })
}

fn telemetry(own: &TelemetrySettings, settings: &Settings, printer: &Printer) -> Result<Telemetry, Complaint> {
    // What may stand in the log may stand in traces.
    let started = Telemetry::start(own, settings.log.numbers && !printer.is_redacted());
    started.map_err(|reason| Complaint::new(format!("service.telemetry: {reason}")))
}

fn runtime(settings: &Settings) -> Result<Runtime, Complaint> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = settings.workers {
        builder.worker_threads(workers);
    }
    let runtime = builder.thread_name("service").enable_all().build();
    runtime.map_err(|reason| Complaint::new(format!("threads cannot be started: {reason}")))
}

async fn serve(engine: Arc<Engine>, settings: &Settings) -> Result<bool, Complaint> {
    // Before anybody is told that it runs: whoever hears that may send one.
    let signals = Signals::receive();
    let server = Server::bind(App::new(Arc::clone(&engine)), &settings.listen).await;
    let server = server.map_err(|reason| {
        Complaint::new(reason.to_string()).hint("name another with --listen ADDR:PORT, or end what holds it")
    })?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    for address in server.addresses() {
        tracing::info!(url = %format_args!("{scheme}://{address}"), "listening");
    }
    let sip = start_sip(&engine, settings).await?;
    let signals = tokio::spawn(follow(signals, Arc::clone(&engine), server.stopper()));
    let fetcher = engine.standing().fetcher().cloned();
    let tending = fetcher.map(|fetcher| tokio::spawn(async move { fetcher.tend_forever().await }));
    let refreshing = tokio::spawn(refresh(engine));
    let stopper = server.stopper();
    // Both front ends answer what is under way at the same time.
    let sip_drains = async {
        stopper.told().await;
        sip.stop(settings.limits.drain_time).await;
    };
    let (drained, ()) = tokio::join!(server.run(), sip_drains);
    [Some(signals), Some(refreshing), tending].iter().flatten().for_each(JoinHandle::abort);
    tracing::info!(drained, "stopped");
    Ok(drained)
}

/// The listeners for SIP, if there are any, and the memory of tokens that others share.
async fn start_sip(engine: &Arc<Engine>, settings: &Settings) -> Result<SipService, Complaint> {
    if let Some(replay) = engine.replay()
        && let Err(reason) = replay.connect().await
    {
        tracing::warn!(reason, "the shared memory of tokens does not answer; calls are judged without it");
    }
    let answers = Arc::new(EngineAnswers::new(Arc::clone(engine)));
    let started = SipService::start(&settings.sip, settings.policy.number_plan, answers).await;
    let sip = started.map_err(|reason| {
        Complaint::new(reason.to_string()).hint("name another with --sip udp:ADDR:PORT, or end what holds it")
    })?;
    for endpoint in sip.endpoints() {
        tracing::info!(%endpoint, "listening for SIP");
    }
    engine.show_sip(sip.counter());
    Ok(sip)
}

/// What the system's service managers ask for reload and stop with.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn receive() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// Reloads and stops as it is told to.
async fn follow(signals: io::Result<Signals>, engine: Arc<Engine>, stopper: Stopper) {
    let mut signals = match signals {
        Ok(signals) => signals,
        Err(reason) => {
            tracing::error!(%reason, "signals cannot be received; only a kill will stop the service");
            return;
        }
    };
    loop {
        tokio::select! {
            Some(()) = signals.hangup.recv() => reload(Arc::clone(&engine)).await,
            Some(()) = signals.terminate.recv() => break,
            Some(()) = signals.interrupt.recv() => break,
            else => return,
        }
    }
    tracing::info!("stopping: what is under way is answered first");
    stopper.stop();
}

/// A trust list and CRLs that lie at URLs are fetched anew when their time is over; so is what others replace on the disk.
async fn refresh(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(REFRESH_EVERY).await;
        let own = Arc::clone(&engine);
        if let Ok(Err(reason)) = tokio::task::spawn_blocking(move || own.reload()).await {
            tracing::error!(%reason, "not read anew; what was loaded before stays");
        }
    }
}

/// What a fetcher tells, for the log.
fn log_fetching(event: &Event) {
    match event {
        Event::Fetched(fetched) => tracing::debug!(url = &*fetched.url, bytes = fetched.body.len(), "fetched"),
        Event::Revalidated(fetched) => tracing::debug!(url = &*fetched.url, "still there"),
        Event::NotFetched { url, why, .. } => tracing::warn!(url = &**url, %why, "not fetched"),
        Event::Damaged { path } => tracing::warn!(path = %path.display(), "damaged, and passed over"),
        Event::DiskFailed { path, why } => {
            tracing::error!(path = %path.display(), %why, "what is fetched is not kept");
        }
        Event::DiskWorks => tracing::info!("what is fetched is kept again"),
    }
}

async fn reload(engine: Arc<Engine>) {
    let before = engine.standing();
    let read = tokio::task::spawn_blocking(move || engine.reload().map(|()| engine.standing())).await;
    let read = read.unwrap_or_else(|reason| Err(reason.to_string()));
    match read {
        Ok(standing) => {
            tracing::info!(
                anchors = standing.trust().anchors().certificates().len(),
                crls = standing.trust().crls().len(),
                "keys, trust, CRLs and configuration are read anew"
            );
            for key in before.settings().fixed_keys_changed(standing.settings()) {
                tracing::warn!(key = %format_args!("service.{key}"), "changed, and in force only after a new start");
            }
        }
        Err(reason) => tracing::error!(%reason, "not read anew; what was loaded before stays"),
    }
}

/// Where everything lies that the service works with.
#[derive(Clone, Debug)]
struct Files {
    args: ServeArgs,
    configured: Option<Configured>,
    fetching: Option<Arc<Fetching>>,
    /// Keys of security modules, which stay open when everything else is read anew.
    token_keys: Arc<TokenKeys>,
}

impl Files {
    fn settings(&self) -> Result<Settings, Complaint> {
        let mut settings = self.configured.as_ref().map(Configured::service).transpose()?.unwrap_or_default();
        if !self.args.listen.is_empty() {
            settings.listen.clone_from(&self.args.listen);
        }
        let roles = [
            ("--sip", &self.args.sip, Role::ByIdentity),
            ("--sip-sign", &self.args.sip_sign, Role::Sign),
            ("--sip-verify", &self.args.sip_verify, Role::Verify),
        ];
        if roles.iter().any(|(_, places, _)| !places.is_empty()) {
            settings.sip.endpoints.clear();
        }
        for (option, places, role) in roles {
            for place in places {
                let endpoint = Endpoint::parse(place, role)
                    .map_err(|fault| Complaint::new(format!("{option} {place}: {fault}")))?;
                settings.sip.endpoints.push(endpoint);
            }
        }
        settings.fetch_rich_call_data |= self.args.fetch_rich_call_data;
        if self.args.revocation.crl_policy != CrlPolicyName::default() {
            settings.policy.crl = crl_policy(self.args.revocation.crl_policy);
        }
        self.check_times(&settings)?;
        match settings.sip_without_tls() {
            None => Ok(settings),
            Some(endpoint) => Err(Complaint::new(Fault::SipWithoutTls { endpoint: endpoint.to_string() }.to_string())),
        }
    }

    /// A certificate that does not come is a result (H9), which has to be given before the request is given up (408).
    fn check_times(&self, settings: &Settings) -> Result<(), Complaint> {
        let fetching = self.fetch_args(settings);
        let (fetch, request) = (fetching.fetch_timeout, settings.limits.request_time.as_secs());
        if !fetching.fetch || fetch < request {
            return Ok(());
        }
        let key = ["service", "limits", "request_seconds"];
        let key = self.configured.as_ref().map_or_else(|| format!("{}:", key.join(".")), |own| own.named(&key, 0));
        let why = format!("a request may take {request} s, and its certificate {fetch} s (--fetch-timeout)");
        Err(Complaint::new(format!("{key} {why}: it would be answered 408, where a result belongs"))
            .hint("allow requests some seconds more, or fetching less"))
    }

    /// Everything as it stands on the disk now.
    fn load(&self, now: UnixTime) -> Result<Loaded, Complaint> {
        let configured = self.configured.as_ref().map(Configured::again).transpose()?;
        let now_files = Self { configured, ..self.clone() };
        let settings = now_files.settings()?;
        let (trust, revocation) = match &now_files.configured {
            Some(own) => (own.trust(self.args.trust.clone()), own.revocation(self.args.revocation.clone())),
            None => (self.args.trust.clone(), self.args.revocation.clone()),
        };
        let fetching = self.fetching.as_deref();
        let trust = Trust::resolve(&trust, fetching, now)?.with_revocation(&revocation, fetching)?;
        let mut loaded = Loaded::new(settings);
        loaded.trust = trust.to_trust();
        loaded.trust_list_expires = trust.list_expires;
        if let Some(archive) = trust.archive {
            loaded.archive = Some(Arc::new(move |url: &str| archive.read(url).map_err(|reason| reason.to_string())));
        }
        loaded.fetcher = fetching.map(Fetching::fetcher);
        for own in &loaded.settings.signers {
            loaded.signers.push(now_files.signer(own)?);
        }
        for name in loaded.settings.tokens.iter().flat_map(|tokens| &tokens.keys) {
            let bytes = read_named("service.tokens.keys", &now_files.path(name), MAX_FILE)?;
            loaded.token_keys.push((name.clone(), bytes));
        }
        loaded.tls = loaded.settings.tls.as_ref().map(|tls| now_files.tls(tls)).transpose()?;
        Ok(loaded)
    }

    /// The options, and for each that was left out what the file says.
    fn fetch_args(&self, settings: &Settings) -> FetchArgs {
        let mut args = self.args.fetch.clone();
        args.fetch |= settings.fetch && !args.offline;
        let path = |text: &Option<String>| text.as_deref().map(|text| self.path(text));
        args.fetch_cache = args.fetch_cache.or_else(|| path(&settings.fetch_cache));
        args.fetch_archive = args.fetch_archive.or_else(|| path(&settings.fetch_archive));
        if args.fetch_root.is_empty() {
            args.fetch_root = settings.fetch_root.iter().map(|text| self.path(text)).collect();
        }
        if args.fetch_allow.is_empty() {
            args.fetch_allow.clone_from(&settings.fetch_allow);
        }
        args
    }

    /// A part of fetching by who says it: the option, else the file.
    fn named(&self, part: Part) -> String {
        let own = &self.args.fetch;
        let (is_option, key, element) = match part {
            Part::Archive => (own.fetch_archive.is_some(), "fetch_archive", 0),
            Part::Cache => (own.fetch_cache.is_some(), "fetch_cache", 0),
            Part::Root(place) => (!own.fetch_root.is_empty(), "fetch_root", place),
        };
        match self.configured.as_ref().filter(|_| !is_option) {
            Some(configured) => configured.named(&["service", key], element),
            None => part.option().to_owned(),
        }
    }

    fn tls(&self, own: &TlsSettings) -> Result<TlsFiles, Complaint> {
        let certificate = read_named("service.tls.certificate", &self.path(&own.certificate), MAX_FILE)?;
        let key = read_named("service.tls.key", &self.path(&own.key), MAX_FILE)?;
        let client_ca = own.client_ca.as_deref();
        let client_ca = client_ca.map(|name| read_named("service.tls.client_ca", &self.path(name), MAX_FILE));
        Ok(TlsFiles::new(certificate, key, client_ca.transpose()?))
    }

    fn evidence(&self, settings: &Settings) -> Result<Option<Evidence>, Complaint> {
        let Some(own) = &settings.evidence else { return Ok(None) };
        let folder = self.path(&own.folder);
        let intake: Option<Box<dyn Intake>> = match (&own.lake, &self.configured) {
            (Some(lake), Some(configured)) => Some(Box::new(IntoLake::new(lake, configured)?)),
            _ => None,
        };
        let evidence = Evidence::open_into(&folder, own, intake).map_err(|reason| {
            Complaint::new(format!("service.evidence.folder {}: {reason}", folder.display()))
                .hint("name a folder that may be written to")
        })?;
        Ok(Some(evidence))
    }

    /// A path of the configuration, relative to its folder.
    fn path(&self, text: &str) -> PathBuf {
        self.configured.as_ref().map_or_else(|| PathBuf::from(text), |configured| configured.path(text))
    }
}

/// How often files and URLs are looked at again without being told to.
const REFRESH_EVERY: Duration = Duration::from_secs(300);
/// How long the last writes may take.
const LAST_WRITES: Duration = Duration::from_secs(5);
/// Keys and certificates are small.
const MAX_FILE: usize = 1024 * 1024;
