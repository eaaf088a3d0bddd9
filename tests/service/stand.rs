//! A service on a port of its own, in this process, with the lab's PKI and a clock that stands still; and a client that
//! writes what it is told, byte for byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stirtrace::certificate::crl::Crl;
use stirtrace::service::http::{App, Server, Stopper};
use stirtrace::service::tls::TlsFiles;
use stirtrace::service::{Engine, Evidence, Loaded, NamedSigner, Settings, Telemetry};
use stirtrace::sign::Signer;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use tokio::runtime::Runtime;

use crate::lab;
use crate::token::Token;

/// The instant that the clock shows: 2026-05-04T12:00:01Z.
pub(crate) const NOW: i64 = 1_777_896_001;

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

/// How a service is set up.
pub(crate) struct Setup {
    toml: String,
    trusted: bool,
    signers: Vec<&'static str>,
    /// The namespaces of which they may authorise priorities, and for whom.
    rph: (Vec<&'static str>, Vec<&'static str>),
    token_keys: Vec<(String, Vec<u8>)>,
    tls: Option<TlsFiles>,
    evidence: Option<Evidence>,
    telemetry: Option<Telemetry>,
}

impl Setup {
    /// `[service]` and what stands below it.
    pub(crate) fn new(toml: &str) -> Self {
        Self {
            toml: toml.to_owned(),
            trusted: true,
            signers: vec!["twill"],
            rph: (Vec::new(), Vec::new()),
            token_keys: Vec::new(),
            tls: None,
            evidence: None,
            telemetry: None,
        }
    }

    pub(crate) fn without_trust(self) -> Self {
        Self { trusted: false, ..self }
    }

    pub(crate) fn without_signers(self) -> Self {
        Self { signers: Vec::new(), ..self }
    }

    pub(crate) fn with_signers(self, signers: &[&'static str]) -> Self {
        Self { signers: signers.to_vec(), ..self }
    }

    pub(crate) fn authorising(self, namespaces: &[&'static str], clients: &[&'static str]) -> Self {
        Self { rph: (namespaces.to_vec(), clients.to_vec()), ..self }
    }

    pub(crate) fn with_token_keys(self, name: &str, bytes: &[u8]) -> Self {
        Self { token_keys: vec![(name.to_owned(), bytes.to_vec())], ..self }
    }

    pub(crate) fn with_tls(self, tls: TlsFiles) -> Self {
        Self { tls: Some(tls), ..self }
    }

    pub(crate) fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence: Some(evidence), ..self }
    }

    #[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "traces are a feature"))]
    pub(crate) fn with_telemetry(self, telemetry: Telemetry) -> Self {
        Self { telemetry: Some(telemetry), ..self }
    }

    /// What a loader reads.
    pub(crate) fn loaded(&self) -> Loaded {
        let mut loaded = Loaded::new(Settings::parse(self.toml.as_bytes()).unwrap());
        if self.trusted {
            loaded.trust.set_anchors(lab::roots());
        }
        loaded.trust.add_crl(Crl::from_bytes(&lab::file("crl/indirect.pem")).unwrap());
        for signer in TrustAnchors::from_pem(&lab::file("crl-signer.pem")).unwrap().certificates() {
            loaded.trust.add_crl_signer(signer.clone());
        }
        loaded.archive = Some(Arc::new(|url: &str| lab::archived(url).ok_or_else(|| "not in the archive".to_owned())));
        for name in &self.signers {
            let entry = lab::entry(name);
            let signer = Signer::new(&lab::file(&entry.key), &lab::file(&entry.archive), &entry.x5u).unwrap();
            let clients = self.rph.1.iter().map(|name| (*name).to_owned()).collect();
            loaded.signers.push(NamedSigner::new(*name, signer).authorising(&self.rph.0, clients));
        }
        loaded.token_keys.clone_from(&self.token_keys);
        loaded.tls.clone_from(&self.tls);
        loaded
    }

    pub(crate) fn start(mut self) -> Stand {
        let (evidence, telemetry) = (self.evidence.take(), self.telemetry.take());
        Stand::start_with(
            move |_| Ok(self.loaded()),
            |engine| {
                let engine = match evidence {
                    Some(evidence) => engine.with_evidence(evidence),
                    None => engine,
                };
                match telemetry {
                    Some(telemetry) => engine.with_telemetry(telemetry),
                    None => engine,
                }
            },
        )
    }
}

/// A service that runs.
pub(crate) struct Stand {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    pub(crate) stopper: Stopper,
    clock: Arc<AtomicI64>,
    served: Option<tokio::task::JoinHandle<bool>>,
    runtime: Runtime,
}

impl Stand {
    /// A service as it comes.
    pub(crate) fn plain() -> Self {
        Setup::new("").start()
    }

    pub(crate) fn start(
        loader: impl Fn(UnixTime) -> Result<Loaded, String> + Send + Sync + 'static,
        evidence: Option<Evidence>,
    ) -> Self {
        Self::start_with(loader, |engine| match evidence {
            Some(evidence) => engine.with_evidence(evidence),
            None => engine,
        })
    }

    /// The same with whatever more the engine gets.
    pub(crate) fn start_with(
        loader: impl Fn(UnixTime) -> Result<Loaded, String> + Send + Sync + 'static,
        equip: impl FnOnce(Engine) -> Engine,
    ) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let own = Arc::clone(&clock);
        let tell = move || UnixTime::from_seconds(own.load(Ordering::Relaxed));
        let engine = Engine::new(Box::new(loader), tell).unwrap();
        let engine = Arc::new(equip(engine));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = runtime.block_on(Server::bind(App::new(Arc::clone(&engine)), &[any])).unwrap();
        let (address, stopper) = (server.addresses()[0], server.stopper());
        let served = Some(runtime.spawn(server.run()));
        Self { address, engine, stopper, clock, served, runtime }
    }

    /// Moves the clock.
    pub(crate) fn at(&self, seconds: i64) {
        self.clock.store(seconds, Ordering::Relaxed);
    }

    /// Stops it; whether all answers were given.
    pub(crate) fn stop(mut self) -> bool {
        self.stopper.stop();
        let served = self.served.take().unwrap();
        self.runtime.block_on(served).unwrap()
    }

    pub(crate) fn wait(&mut self) -> bool {
        let served = self.served.take().unwrap();
        self.runtime.block_on(served).unwrap()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(self.address).unwrap())
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &Request<'_>) -> Answer {
        let mut connection = self.connect();
        connection.send(&request.bytes());
        connection.answer()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&Request { method: "GET", ..Request::new(path, b"") })
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(&Request::new(path, body.to_string().as_bytes()))
    }

    /// The result of a verification: what stands in `verificationResponse`.
    pub(crate) fn verification(&self, body: &Value) -> Value {
        let answer = self.post(VERIFICATION, body);
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.json()["verificationResponse"].clone()
    }
}

pub(crate) const VERIFICATION: &str = "/stir/v1/verification";
pub(crate) const SIGNING: &str = "/stir/v1/signing";

/// A verificationRequest of the tests' usual call.
pub(crate) fn verification_of(identity: impl Into<Value>) -> Value {
    json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]}, "time": NOW,
        "identity": identity.into()}})
}

/// The usual good Identity value.
pub(crate) fn good() -> String {
    Token::default().value(now())
}

/// An Identity value as its JSON describes it.
pub(crate) fn identity(odd: Value) -> String {
    Token::from_json(odd).value(now())
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Header fields; `Content-Type` and `Content-Length` are added where none of that name is here.
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: &'a [u8],
    /// Leaves out a header field that would be added.
    pub(crate) without: &'a str,
}

impl<'a> Request<'a> {
    pub(crate) fn new(path: &'a str, body: &'a [u8]) -> Self {
        Self { method: "POST", path, headers: Vec::new(), body, without: "" }
    }

    pub(crate) fn with(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(self, name: &'a str) -> Self {
        Self { without: name, ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: stirtrace.example\r\n", self.method, self.path);
        let named = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = self.body.len().to_string();
        for (name, value) in [("Content-Type", "application/json"), ("Content-Length", &length)] {
            let wanted = self.method == "POST" || (name == "Content-Length" && !self.body.is_empty());
            if wanted && !named(name) && !self.without.eq_ignore_ascii_case(name) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        [head.as_bytes(), b"\r\n", self.body].concat()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|reason| panic!("{reason}: {}", self.text()))
    }

    /// The exception's id, its text and its variables.
    pub(crate) fn exception(&self) -> (String, String, Vec<String>) {
        let body = self.json();
        let (kind, exception) = body["requestError"].as_object().unwrap().iter().next().unwrap();
        let id = exception["messageId"].as_str().unwrap().to_owned();
        assert_eq!(kind.starts_with("service"), id.starts_with("SVC"), "{body}");
        let variables = exception["variables"].as_array().unwrap().iter();
        let variables = variables.map(|value| value.as_str().unwrap().to_owned()).collect();
        (id, exception["text"].as_str().unwrap().to_owned(), variables)
    }
}

/// A connection that stays open.
pub(crate) struct Connection<S = TcpStream> {
    pub(crate) stream: S,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // A server that has answered may have closed already.
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().expect("the connection ended without an answer")
    }

    /// The next answer; none where the connection ends.
    pub(crate) fn try_answer(&mut self) -> Option<Answer> {
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.more()?;
        };
        let head = String::from_utf8(self.read[..head_end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let code = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let begin = head_end + 4;
        while self.read.len() < begin + length {
            self.more()?;
        }
        let body = self.read[begin..begin + length].to_vec();
        self.read.drain(..begin + length);
        Some(Answer { code, headers, body })
    }

    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 65_536];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(length) => {
                self.read.extend(&buffer[..length]);
                Some(())
            }
        }
    }
}
