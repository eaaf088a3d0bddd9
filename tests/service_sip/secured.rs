//! SIP within TLS: the same answers, to those who may have them, and nobody who stalls in a handshake holds up others
//! (RFC 3261 §26.3.1).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use stirtrace::service::tls::TlsFiles;

use crate::front_end::FrontEnd;
use crate::request;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn files(authority: &Authority, asks_clients: bool) -> TlsFiles {
    let (certificate, key) = leaf(authority, "127.0.0.1");
    let client_ca = asks_clients.then(|| authority.pem().into_bytes());
    TlsFiles::new(certificate.into_bytes(), key.into_bytes(), client_ca)
}

/// A client that speaks `protocol`, with a certificate below `shown` if there is one.
fn client(
    front_end: &FrontEnd,
    authority: &Authority,
    shown: Option<&Authority>,
    protocol: Option<&[u8]>,
) -> impl Read + Write + use<> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let (certificate, key) = leaf(authority, "sbc-1.carrier.example");
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    config.alpn_protocols.extend(protocol.map(<[u8]>::to_vec));
    let stream = TcpStream::connect(front_end.tls).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// The answer to an INVITE, without the 100; none where the connection ends first.
fn ask(stream: &mut (impl Read + Write), number: usize) -> Option<String> {
    let invite = request("INVITE", number, "12155550131").replace("SIP/2.0/TCP", "SIP/2.0/TLS");
    stream.write_all(invite.as_bytes()).ok()?;
    let (mut text, mut buffer) = (String::new(), [0; 65_536]);
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        text += std::str::from_utf8(&buffer[..length]).unwrap();
        let whole = text.split_terminator("\r\n\r\n").find(|answer| !answer.starts_with("SIP/2.0 100 "));
        if let Some(answer) = whole.filter(|_| text.ends_with("\r\n\r\n")) {
            return Some(answer.to_owned());
        }
    }
}

#[test]
fn calls_are_signed_within_tls() {
    let pki = authority();
    let front_end = FrontEnd::secured(Some(files(&pki, false)), |_| {});
    for (number, protocol) in [(1, None), (2, Some(&b"sip/2"[..]))] {
        let mut stream = client(&front_end, &pki, None, protocol);
        for turn in 0..3 {
            let answer = ask(&mut stream, number * 10 + turn).unwrap();
            assert!(answer.starts_with("SIP/2.0 302 ") && answer.contains("\r\nIdentity: "), "{answer}");
            assert!(answer.contains("\r\nVia: SIP/2.0/TLS 127.0.0.1:9;"), "{answer}");
        }
    }
    // Whoever wants HTTP here has the wrong port (RFC 7301 §3.2).
    assert_eq!(ask(&mut client(&front_end, &pki, None, Some(b"http/1.1")), 90), None);
    let counts = &front_end.counts()[2];
    assert_eq!((counts.endpoint.to_string(), counts.messages.pending), (format!("tls:{}", front_end.tls), 0));
    assert_eq!(counts.messages.responses.get(&302), Some(&6), "{counts:?}");
}

#[test]
fn who_shows_no_certificate_where_one_is_wanted_gets_no_answer() {
    let (pki, stranger) = (authority(), authority());
    let front_end = FrontEnd::secured(Some(files(&pki, true)), |_| {});
    assert_eq!(ask(&mut client(&front_end, &pki, None, None), 1), None);
    assert_eq!(ask(&mut client(&front_end, &pki, Some(&stranger), None), 2), None);
    assert!(ask(&mut client(&front_end, &pki, Some(&pki), None), 3).unwrap().starts_with("SIP/2.0 302 "));
    assert_eq!(front_end.counts()[2].messages.requests.get("INVITE"), Some(&1), "only one got through");
}

#[test]
fn who_stalls_in_a_handshake_is_cut_off_and_others_are_served() {
    let pki = authority();
    let front_end = FrontEnd::secured(Some(files(&pki, false)), |settings| {
        settings.limits.message = Duration::from_secs(1);
        settings.limits.idle = Duration::from_secs(100);
    });
    let mut silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(front_end.tls).unwrap()).collect();
    let mut clear = TcpStream::connect(front_end.tls).unwrap();
    clear.write_all(request("INVITE", 1, "12155550131").as_bytes()).unwrap();
    assert!(ask(&mut client(&front_end, &pki, None, None), 2).unwrap().starts_with("SIP/2.0 302 "));
    for stream in silent.iter_mut().chain([&mut clear]) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // An alert, perhaps, and the end.
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
        assert!(!rest.starts_with(b"SIP/2.0"), "an answer in the clear");
    }
    // A connection is counted a moment after its end.
    let is_counted = || front_end.counts()[2].connections_broken == 21;
    let waited = (0..100).any(|_| {
        is_counted() || {
            std::thread::sleep(Duration::from_millis(50));
            false
        }
    });
    assert!(waited, "{:?}", front_end.counts()[2]);
}

#[test]
fn a_certificate_that_was_read_anew_is_shown_to_the_next_and_costs_nobody_his_connection() {
    let (old, new) = (authority(), authority());
    let front_end = FrontEnd::secured(Some(files(&old, false)), |_| {});
    let mut before = client(&front_end, &old, None, None);
    assert!(ask(&mut before, 1).unwrap().starts_with("SIP/2.0 302 "));
    front_end.read_anew(files(&new, false));
    assert_eq!(ask(&mut client(&front_end, &old, None, None), 2), None, "who knows the old authority alone");
    assert!(ask(&mut client(&front_end, &new, None, None), 3).unwrap().starts_with("SIP/2.0 302 "));
    assert!(ask(&mut before, 4).unwrap().starts_with("SIP/2.0 302 "));
}

#[test]
fn without_a_certificate_of_ours_nothing_is_served() {
    let pki = authority();
    let front_end = FrontEnd::start(|_| {});
    assert_eq!(ask(&mut client(&front_end, &pki, None, None), 1), None);
    assert!(front_end.counts()[2].messages.requests.is_empty());
}
