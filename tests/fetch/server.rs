//! A TLS server of one's own: certificates of any kind, and answers to the byte.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use stirtrace::fetch::{Event, Fetcher, Limits, Resolver, Resolving, Settings};
use stirtrace::time::UnixTime;

/// The host whose certificate the server has.
pub(crate) const HOST: &str = "certificates.example";
/// The URL of the tests.
pub(crate) const URL: &str = "https://certificates.example/twill.pem";
/// The instant at which tests begin.
pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_777_896_001);
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The lab's certificate: what an `x5u` has.
pub(crate) fn certificate(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("certs/archive/certificates.lab.example");
    std::fs::read(folder.join(format!("{name}.pem"))).unwrap()
}

/// What becomes of a connection.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// These bytes are the answer.
    Answer(Vec<u8>),
    /// An answer of its own for each path; 404 for all others.
    Routes(Vec<(&'static str, Vec<u8>)>),
    /// Bytes, a pause before each piece.
    Dribble(Vec<u8>, Duration),
    /// These bytes, and then the last piece again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, once so many ask at a time.
    Gathered(Arc<Gathering>, Vec<u8>),
    /// Taken, and nothing said, TLS neither.
    Mute,
    /// Reset before TLS.
    Reset,
    /// Reset after the request.
    ResetLater,
    /// No TLS: these bytes at once.
    Plain(Vec<u8>),
}

/// Requests that are answered only together: whoever sends one after the other gets none of them answered.
pub(crate) struct Gathering {
    gate: Barrier,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Gathering {
    /// Opens whenever there are so many.
    pub(crate) fn of(number: usize) -> Arc<Self> {
        Arc::new(Self { gate: Barrier::new(number), inside: AtomicUsize::new(0), most: AtomicUsize::new(0) })
    }

    /// How many there were at a time at most.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// A request is over before its answer is sent: who asked cannot have begun another by then.
    fn pass(&self) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.gate.wait();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An answer for those who ask together.
pub(crate) fn gathered(gathering: &Arc<Gathering>, conduct: Conduct) -> Conduct {
    match conduct {
        Conduct::Answer(bytes) => Conduct::Gathered(Arc::clone(gathering), bytes),
        other => other,
    }
}

/// An answer 200 with these fields and this body.
pub(crate) fn ok(fields: &str, body: &[u8]) -> Conduct {
    answer("200 OK", fields, body)
}

pub(crate) fn answer(status: &str, fields: &str, body: &[u8]) -> Conduct {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{fields}Connection: close\r\n\r\n");
    Conduct::Answer([head.as_bytes(), body].concat())
}

/// A server that goes on until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The root that its certificate leads to.
    pub(crate) root: Vec<u8>,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    conduct: Arc<Mutex<Conduct>>,
}

/// What the server shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    Good,
    Expired,
    OtherName,
    SelfSigned,
}

impl Server {
    pub(crate) fn new(conduct: Conduct) -> Self {
        Self::showing(Shown::Good, conduct)
    }

    pub(crate) fn showing(shown: Shown, conduct: Conduct) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self::on(listener, HOST, shown, conduct)
    }

    pub(crate) fn on(listener: TcpListener, host: &str, shown: Shown, conduct: Conduct) -> Self {
        let (config, root) = tls(host, shown);
        let server = Self {
            address: listener.local_addr().unwrap(),
            root,
            connections: Arc::default(),
            requests: Arc::default(),
            conduct: Arc::new(Mutex::new(conduct)),
        };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let conduct = Arc::clone(&server.conduct);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (config, requests) = (Arc::clone(&config), Arc::clone(&requests));
                let conduct = conduct.lock().unwrap().clone();
                // A client that goes away is what many tests are about.
                thread::spawn(move || drop(serve(stream, &config, conduct, &requests)));
            }
        });
        server
    }

    pub(crate) fn conduct(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Settings with which this server, and no other place of this machine, can be reached.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            tls_roots: vec![self.root.clone()],
            system_roots: false,
            allowances: vec![format!("{HOST}=127.0.0.0/8").parse().unwrap()],
            resolver: Some(Arc::new(Names::new(&[(HOST, self.address)]))),
            // Longer than a busy machine needs: only those tests wait for an end of time that are about it.
            limits: Limits { certificate_time: Duration::from_secs(60), ..Limits::default() },
            ..Settings::default()
        }
    }

    /// The same, for servers that are slow.
    pub(crate) fn hasty(&self) -> Settings {
        let settings = self.settings();
        Settings { limits: Limits { certificate_time: Duration::from_millis(700), ..settings.limits }, ..settings }
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.settings()).unwrap()
    }
}

/// Events as they are told.
pub(crate) fn listen(settings: &mut Settings) -> Arc<Mutex<Vec<Event>>> {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let sink = Arc::clone(&events);
    settings.tell = Some(Arc::new(move |event| sink.lock().unwrap().push(event.clone())));
    events
}

/// A resolver that knows what it was told; whoever is asked again gives the next answer, and the last for ever.
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>,
    pub(crate) asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new(known: &[(&str, SocketAddr)]) -> Self {
        let answers = known.iter().map(|(name, address)| ((*name).to_owned(), vec![vec![*address]]));
        Self { answers: Mutex::new(answers.collect()), asked: AtomicUsize::new(0) }
    }

    /// The same with answers, in their order, for one more name.
    pub(crate) fn with(self, name: &str, answers: &[&[SocketAddr]]) -> Self {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
        self
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(name).map(|answers| {
            if answers.len() > 1 { answers.remove(0) } else { answers.first().cloned().unwrap_or_default() }
        });
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn tls(host: &str, shown: Shown) -> (Arc<ServerConfig>, Vec<u8>) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "Root of the tests");
    let root = authority.self_signed(&authority_key).unwrap().pem().into_bytes();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let name = if shown == Shown::OtherName { "other.example" } else { host };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if shown == Shown::Expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = match shown {
        Shown::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, &issuer),
    };
    let chain = vec![CertificateDer::from(certificate.unwrap().der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    (Arc::new(config.with_single_cert(chain, key).unwrap()), root)
}

fn serve(
    mut stream: TcpStream,
    config: &Arc<ServerConfig>,
    conduct: Conduct,
    requests: &Mutex<Vec<String>>,
) -> io::Result<()> {
    match &conduct {
        Conduct::Mute => {
            let mut nothing = [0; 1024];
            while stream.read(&mut nothing)? > 0 {}
            return Ok(());
        }
        Conduct::Reset => return reset(&stream),
        Conduct::Plain(bytes) => {
            stream.write_all(bytes)?;
            let mut nothing = [0; 1024];
            return stream.read(&mut nothing).map(drop);
        }
        _ => {}
    }
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let request = head(&mut stream)?;
    requests.lock().unwrap().push(request.clone());
    match conduct {
        Conduct::Answer(bytes) => stream.write_all(&bytes)?,
        Conduct::Gathered(gathering, bytes) => {
            gathering.pass();
            stream.write_all(&bytes)?;
        }
        Conduct::Routes(routes) => {
            let path = request.split(' ').nth(1).unwrap_or_default();
            let found = routes.iter().find(|(own, _)| *own == path).map(|(_, body)| ok("", body));
            if let Conduct::Answer(bytes) = found.unwrap_or_else(|| answer("404 Not Found", "", b"")) {
                stream.write_all(&bytes)?;
            }
        }
        Conduct::Dribble(bytes, pause) => {
            for byte in bytes {
                thread::sleep(pause);
                stream.write_all(&[byte])?;
                stream.flush()?;
            }
        }
        Conduct::Endless(bytes, again) => {
            stream.write_all(&bytes)?;
            loop {
                stream.write_all(&again)?;
            }
        }
        Conduct::ResetLater => return reset(&stream.sock),
        Conduct::Mute | Conduct::Plain(_) | Conduct::Reset => {}
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// Closes with bytes unread, which the system answers with a reset.
fn reset(stream: &TcpStream) -> io::Result<()> {
    thread::sleep(Duration::from_millis(20));
    stream.shutdown(std::net::Shutdown::Both)
}

fn head(stream: &mut impl Read) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A listener on loopback at a port that URLs may name, on an address that no other test has.
pub(crate) fn listener_on_8443() -> TcpListener {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::SeqCst) + usize::try_from(std::process::id()).unwrap() * 7;
        let [.., a, b] = u16::try_from(number % 60_000 + 300).unwrap().to_be_bytes();
        // Elsewhere there is but one loopback address.
        let address = if cfg!(target_os = "linux") { Ipv4Addr::new(127, 77, a, b) } else { Ipv4Addr::LOCALHOST };
        if let Ok(listener) = TcpListener::bind((IpAddr::V4(address), 8443)) {
            return listener;
        }
    }
}
