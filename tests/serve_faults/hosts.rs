//! Hosts of certificates, each with a fault of its own, and a service that may fetch from them.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stirtrace::fetch::{Fetcher, Limits, Resolver, Resolving, Settings};
use stirtrace::service::Loaded;

use crate::load::{Load, is_passed};
use crate::server::{Conduct, Names, Server, Shown, certificate, ok};
use crate::stand::{NOW, Request, Setup, Stand, VERIFICATION, now, verification_of};
use crate::token::Token;

/// How long a fetch may take.
pub(crate) const FETCH_TIME: Duration = Duration::from_secs(3);
/// What a cold call may take beyond that, on a machine with far too much to do.
pub(crate) const SLACK: Duration = Duration::from_secs(4);
/// The host of the warm calls.
pub(crate) const WARM: &str = "warm.example";

/// What a host does.
pub(crate) enum Host {
    /// It serves, after showing this in TLS.
    Serves(Shown, Conduct),
    /// Its TLS leads to a root that nobody here knows.
    OfUnknownRoot(Conduct),
    /// Nobody listens.
    Closed,
    /// DNS does not know it.
    Unknown,
    /// DNS does not answer.
    Silent,
}

/// A service, and the hosts that its calls name.
pub(crate) struct World {
    pub(crate) stand: Stand,
    pub(crate) dns: Arc<Dns>,
    servers: Vec<(&'static str, Server)>,
    began: Instant,
}

impl World {
    /// With a host for warm calls besides.
    pub(crate) fn new(hosts: Vec<(&'static str, Host)>) -> Self {
        Self::with(hosts, "")
    }

    /// The same with `[service]` and what stands below it.
    pub(crate) fn with(mut hosts: Vec<(&'static str, Host)>, toml: &str) -> Self {
        hosts.push((WARM, Host::Serves(Shown::Good, ok("", &certificate("twill")))));
        let mut settings = Settings { system_roots: false, limits: limits(), ..Settings::default() };
        let mut servers = Vec::new();
        let mut known = Vec::new();
        let mut silent = Vec::new();
        for (name, host) in hosts {
            settings.allowances.push(format!("{name}=127.0.0.0/8").parse().unwrap());
            let (shown, conduct, is_known) = match host {
                Host::Serves(shown, conduct) => (shown, conduct, true),
                Host::OfUnknownRoot(conduct) => (Shown::Good, conduct, false),
                Host::Closed => {
                    // A port of the system's own, where nobody listens on a machine that tests.
                    known.push((name, SocketAddr::from((Ipv4Addr::LOCALHOST, 1))));
                    continue;
                }
                Host::Unknown => continue,
                Host::Silent => {
                    silent.push(name);
                    continue;
                }
            };
            let server = Server::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), name, shown, conduct);
            if is_known {
                settings.tls_roots.push(server.root.clone());
            }
            known.push((name, server.address));
            servers.push((name, server));
        }
        let dns = Arc::new(Dns { names: Names::new(&known), silent, asked_in_vain: AtomicUsize::new(0) });
        settings.resolver = Some(dns.clone());
        let loaded = loaded(toml, Fetcher::new(settings).unwrap());
        Self { stand: Stand::start(move |_| Ok(loaded.clone()), None), dns, servers, began: Instant::now() }
    }

    pub(crate) fn server(&self, name: &str) -> &Server {
        &self.servers.iter().find(|(own, _)| *own == name).unwrap().1
    }

    /// Lets the service's clock show what has gone by: a failure is remembered from when it happened.
    pub(crate) fn tick(&self) {
        self.stand.at(NOW + i64::try_from(self.began.elapsed().as_secs()).unwrap());
    }

    /// Warm calls, from the first one on.
    pub(crate) fn load(&self) -> Load {
        let body = call(WARM, "twill", "twill");
        let result = self.stand.verification(&body);
        assert_eq!(result["verstat"], "TN-Validation-Passed", "{result}");
        let request = Request::new(VERIFICATION, body.to_string().as_bytes()).bytes();
        Load::start(self.stand.address, &request, is_passed)
    }
}

/// Nothing at hand: every certificate is fetched.
fn loaded(toml: &str, fetcher: Fetcher) -> Loaded {
    let mut loaded = Setup::new(toml).loaded();
    loaded.archive = None;
    loaded.fetcher = Some(fetcher);
    loaded
}

fn limits() -> Limits {
    Limits { certificate_time: FETCH_TIME, ..Limits::default() }
}

/// The URL of a certificate.
fn url(host: &str, name: &str) -> String {
    format!("https://{host}/{name}.pem")
}

/// A verificationRequest whose token names a certificate of this host, and is signed by this signer's key.
pub(crate) fn call(host: &str, name: &str, signer: &str) -> Value {
    verification_of(token(host, name, signer).value(now()))
}

/// The same call as `/v1/verify` takes it.
pub(crate) fn whole_call(host: &str, name: &str, signer: &str) -> Value {
    let token = token(host, name, signer).value(now());
    json!({"identity": [token], "from": "12155550112", "to": "12155550131", "date": NOW,
        "call_id": format!("{name}@twill.example")})
}

pub(crate) fn token(host: &str, name: &str, signer: &str) -> Token {
    Token { signer: signer.to_owned(), x5u: Some(url(host, name)), ..Token::default() }
}

/// DNS, of which some names get no answer.
pub(crate) struct Dns {
    names: Names,
    silent: Vec<&'static str>,
    /// How often such a name was asked for.
    pub(crate) asked_in_vain: AtomicUsize,
}

impl Resolver for Dns {
    fn resolve(&self, name: &str) -> Resolving {
        if self.silent.contains(&name) {
            self.asked_in_vain.fetch_add(1, Ordering::SeqCst);
            return Box::pin(pending());
        }
        self.names.resolve(name)
    }
}
