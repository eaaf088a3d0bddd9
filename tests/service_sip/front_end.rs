//! The front end in this process, calls signed a moment ago by the lab, and sipp.

use std::fs;
use std::future::Future;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::Attestation;
use stirtrace::service::attestation::{AttestationRule, NumberSet, SigningSettings, SigningTrunk};
use stirtrace::service::sip::{
    Answering, Endpoint, EngineAnswers, Job, ListenerCounts, Outcome, Role, SipService, SipSettings,
};
use stirtrace::service::tls::{Tls, TlsFiles};
use stirtrace::service::treatment::{Action, Conditions, TreatmentRule};
use stirtrace::service::{Engine, Loaded, NamedSigner};
use stirtrace::sign::{SignRequest, Signer};
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Trust};
use tokio::runtime::Runtime;

pub(crate) const URL: &str = "https://certificates.lab.example/twill.pem";
/// Who calls whom, usually.
pub(crate) const CALLER: &str = "12155550112";
pub(crate) const CALLED: &str = "12155550131";
/// Whoever calls this number waits for the answer.
pub(crate) const SLOW: &str = "12155550199";

pub(crate) fn now() -> UnixTime {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixTime::from_seconds(elapsed.as_secs().cast_signed())
}

pub(crate) fn file(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

pub(crate) fn signer() -> Signer {
    let certificate = file("certs/archive/certificates.lab.example/twill.pem");
    Signer::new(&file("certs/keys/twill.pem"), &certificate, URL).unwrap()
}

/// Signs for the tests' caller, trusts the lab, and rejects what was forged.
pub(crate) fn engine(tls: Arc<Mutex<Option<TlsFiles>>>) -> Engine {
    let load = move |_: UnixTime| -> Result<Loaded, String> {
        let mut loaded = Loaded::default();
        loaded.tls.clone_from(&tls.lock().unwrap());
        loaded.trust = Trust::default();
        loaded.trust.set_anchors(TrustAnchors::from_pem(&file("certs/roots.pem")).unwrap());
        loaded.archive = Some(Arc::new(|url: &str| match url {
            URL => Ok(file("certs/archive/certificates.lab.example/twill.pem")),
            _ => Err("not in the archive".to_owned()),
        }));
        loaded.signers = vec![NamedSigner::new("twill", signer())];
        let mut rule = AttestationRule::default();
        rule.numbers = Some(NumberSet::of(["121555501*"], &NumberPlan::NORTH_AMERICAN).unwrap());
        rule.customer = Some("twill".to_owned());
        rule.attest = Some(Attestation::A);
        let mut signing = SigningSettings::default();
        signing.rules = vec![rule];
        let here = vec!["127.0.0.0/8".parse().unwrap()];
        signing.trunks = vec![SigningTrunk::new("tg-twill", Some("twill".to_owned()), here)];
        loaded.settings.signing = Some(signing);
        let mut conditions = Conditions::default();
        conditions.verdict = vec![Conclusion::Failed];
        conditions.error = vec!["InvalidSignature".to_owned()];
        loaded.settings.treatment.general.rules = vec![TreatmentRule::new(conditions, Action::Reject, None)];
        Ok(loaded)
    };
    Engine::new(Box::new(load), now).unwrap()
}

/// The engine's answers, late for one number.
struct Answers(EngineAnswers);

impl Answering for Answers {
    fn answer(&self, job: Box<Job>) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            if job.call.to.as_ref().is_some_and(|to| to.to_string() == SLOW) {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            self.0.answer(job).await
        })
    }

    fn tls(&self) -> Option<Tls> {
        self.0.tls()
    }
}

/// The front end, on ports of its own.
pub(crate) struct FrontEnd {
    pub(crate) runtime: Runtime,
    pub(crate) service: Option<SipService>,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) tls: SocketAddr,
    engine: Arc<Engine>,
    files: Arc<Mutex<Option<TlsFiles>>>,
}

impl FrontEnd {
    pub(crate) fn start(change: impl FnOnce(&mut SipSettings)) -> Self {
        Self::secured(None, change)
    }

    /// With what secures the connections of its third listener.
    pub(crate) fn secured(tls: Option<TlsFiles>, change: impl FnOnce(&mut SipSettings)) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut settings = SipSettings::default();
        settings.endpoints =
            Endpoint::parse_list("udp:127.0.0.1:0,tcp:127.0.0.1:0,tls:127.0.0.1:0", Role::ByIdentity).unwrap();
        change(&mut settings);
        let files = Arc::new(Mutex::new(tls));
        let engine = Arc::new(engine(Arc::clone(&files)));
        let answers = Arc::new(Answers(EngineAnswers::new(Arc::clone(&engine))));
        let starting = SipService::start(&settings, NumberPlan::NORTH_AMERICAN, answers);
        let service = runtime.block_on(starting).unwrap();
        let [udp, tcp, tls] = service.endpoints()[..] else { panic!("three listeners") };
        Self { runtime, udp: udp.address, tcp: tcp.address, tls: tls.address, engine, files, service: Some(service) }
    }

    /// Other files lie there, and are read.
    pub(crate) fn read_anew(&self, tls: TlsFiles) {
        *self.files.lock().unwrap() = Some(tls);
        self.engine.reload().unwrap();
    }

    pub(crate) fn counts(&self) -> Vec<ListenerCounts> {
        self.service.as_ref().unwrap().counts()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tcp).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    pub(crate) fn socket(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.udp).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket
    }
}

impl Drop for FrontEnd {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            self.runtime.block_on(service.stop(Duration::from_secs(1)));
        }
    }
}

/// A shaken Identity for the usual call or another called number, signed so many seconds ago.
pub(crate) fn identity(attest: Attestation, called: &str, age: i64) -> String {
    let number = |digits: &str| Identity::Number(digits.parse().unwrap());
    // Each is a token of its own, also within one second: the same one for two calls would be a replay.
    static SIGNED: AtomicU32 = AtomicU32::new(0);
    let origid = format!("6a2f0f6e-2c5c-4f0e-9b1c-0d9d{:08x}", SIGNED.fetch_add(1, Ordering::Relaxed));
    let request = SignRequest::shaken(attest, &origid, number(CALLER), vec![number(called)]);
    signer().sign(&request, now().plus_seconds(-age)).unwrap().to_string()
}

/// The same with another signature.
pub(crate) fn forged(identity: &str) -> String {
    let (token, rest) = identity.split_once(';').unwrap();
    format!("{}.{};{rest}", token.rsplit_once('.').unwrap().0, "Q".repeat(86))
}

/// A diversion of the usual caller's call.
pub(crate) fn diversion(from: &str, to: &str) -> String {
    let header = format!(r#"{{"alg":"ES256","ppt":"div","typ":"passport","x5u":"{URL}"}}"#);
    let iat = now().seconds();
    let claims =
        format!(r#"{{"dest":{{"tn":["{to}"]}},"div":{{"tn":"{from}"}},"iat":{iat},"orig":{{"tn":"{CALLER}"}}}}"#);
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let key = SigningKey::from_pkcs8_pem(std::str::from_utf8(&file("certs/keys/twill.pem")).unwrap()).unwrap();
    let signature: Signature = key.sign(input.as_bytes());
    format!("{input}.{};info=<{URL}>;ppt=div", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// Runs sipp against an address; none where it is not installed.
pub(crate) fn sipp(scenario: &str, to: SocketAddr, more: &[&str]) -> Option<()> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scenario.xml"), scenario).unwrap();
    let run = Command::new("sipp")
        .args([
            "-sf",
            "scenario.xml",
            &to.to_string(),
            "-i",
            "127.0.0.1",
            "-nostdin",
            "-timeout",
            "60",
            "-timeout_error",
            "-max_socket",
            "1000",
        ])
        .args(more)
        .args(["-trace_err", "-error_file", "errors.log"])
        .current_dir(folder.path())
        .output();
    let run = match run {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: sipp is not installed");
            return None;
        }
        run => run.unwrap(),
    };
    let errors = fs::read_to_string(folder.path().join("errors.log")).unwrap_or_default();
    assert!(run.status.success(), "{:?}\n{errors}\n{}", run.status, String::from_utf8_lossy(&run.stdout));
    Some(())
}

pub(crate) fn scenario(name: &str) -> String {
    String::from_utf8(file(&format!("tests/oracles/{name}.xml"))).unwrap()
}
