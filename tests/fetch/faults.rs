//! What a server does wrong: named, within the time, and nothing held of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stirtrace::fetch::{Fetcher, NotFetched, Settings};

use crate::server::{Conduct, HOST, NOW, Names, Server, Shown, URL, answer, certificate, ok};

async fn failure(server: &Server) -> NotFetched {
    failure_by(server.settings()).await
}

async fn failure_by(settings: Settings) -> NotFetched {
    let fetcher = Fetcher::new(settings).unwrap();
    let failed = fetcher.certificate(URL, NOW).await.unwrap_err();
    assert_eq!(fetcher.counts().held, 0, "{failed}");
    assert_eq!(fetcher.counts().in_flight, 0, "{failed}");
    let counts = fetcher.counts();
    let counted = counts.failed.get(failed.kind()).or_else(|| counts.refused.get(failed.kind()));
    assert_eq!(counted, Some(&1), "{failed}");
    assert!(!failed.advice().is_empty());
    failed
}

#[tokio::test]
async fn a_good_server_gives_its_certificate() {
    let server = Server::new(ok("Content-Type: application/pem-certificate-chain\r\n", &certificate("twill")));
    let fetched = server.fetcher().certificate(URL, NOW).await.unwrap();
    assert_eq!(&*fetched.body, certificate("twill"));
    assert_eq!((fetched.stale.clone(), fetched.unusable.clone()), (None, None));
    assert!(fetched.fetched_at.seconds_since(NOW) <= 1);
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /twill.pem HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
    assert!(request.contains(&format!("host: {HOST}\r\n")), "{request}");
    for unwanted in ["cookie", "authorization", "referer", "proxy"] {
        assert!(!request.to_lowercase().contains(unwanted), "{request}");
    }
}

#[tokio::test]
async fn whatever_the_content_type_says_pem_and_der_are_taken() {
    // G15, G16, G18.
    let pem = certificate("twill");
    let der = der_of(&pem);
    for (fields, body) in [("", &pem), ("Content-Type: text/html\r\n", &pem), ("Content-Type: x\r\n", &der)] {
        let server = Server::new(ok(fields, body));
        let fetched = server.fetcher().certificate(URL, NOW).await.unwrap();
        assert_eq!(fetched.unusable, None, "{fields}");
    }
}

fn der_of(pem: &[u8]) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem).unwrap().to_vec()
}

#[tokio::test]
async fn redirects_are_not_followed() {
    // F8, G14: to another place of the same server, where the certificate would be.
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "304 Not Modified",
        "300 x",
    ] {
        let server = Server::new(answer(status, "Location: https://certificates.example/other.pem\r\n", b""));
        let failed = failure(&server).await;
        let code: u16 = status[..3].parse().unwrap();
        assert!(matches!(&failed, NotFetched::Redirect { status, to: Some(_) } if *status == code), "{failed}");
        assert_eq!(server.connections(), 1, "{status}");
    }
}

#[tokio::test]
async fn answers_that_are_not_200_are_failures() {
    // F5, F8, H9.
    for status in [
        "201 Created",
        "204 No Content",
        "206 Partial Content",
        "400 x",
        "403 x",
        "404 x",
        "410 x",
        "500 x",
        "503 x",
        "999 x",
    ] {
        let server = Server::new(answer(status, "", if status.starts_with("204") { b"" } else { b"body" }));
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!(failure(&server).await, NotFetched::Status { status: code });
    }
}

#[tokio::test]
async fn tls_that_does_not_hold_is_named() {
    for (shown, word) in
        [(Shown::Expired, "xpired"), (Shown::OtherName, "not valid for name"), (Shown::SelfSigned, "UnknownIssuer")]
    {
        let server = Server::showing(shown, ok("", &certificate("twill")));
        let failed = failure(&server).await;
        assert!(matches!(&failed, NotFetched::Tls { why, .. } if why.contains(word)), "{shown:?}: {failed}");
        assert!(server.requests().is_empty(), "nothing was asked");
    }
    let server = Server::new(Conduct::Plain(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".to_vec()));
    let failed = failure(&server).await;
    assert!(matches!(&failed, NotFetched::Tls { .. }), "{failed}");
    // Whom TLS trusts is its own matter: the system's roots do not know this server.
    let server = Server::new(ok("", &certificate("twill")));
    let other = Server::new(ok("", b""));
    let settings = Settings { tls_roots: vec![other.root.clone()], ..server.settings() };
    let failed = Fetcher::new(settings).unwrap().certificate(URL, NOW).await.unwrap_err();
    assert!(matches!(&failed, NotFetched::Tls { .. }), "{failed}");
}

#[tokio::test]
async fn bodies_that_are_too_long_are_cut() {
    // G29.
    let limit = 64 * 1024;
    let exact = [certificate("twill"), vec![b'\n'; limit - certificate("twill").len()]].concat();
    let server = Server::new(ok("", &exact));
    assert_eq!(server.fetcher().certificate(URL, NOW).await.unwrap().body.len(), limit);
    let server = Server::new(ok("", &[&exact[..], b"\n"].concat()));
    assert_eq!(failure(&server).await, NotFetched::TooLong { limit });
    let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let server = Server::new(Conduct::Endless(endless, vec![b'x'; 16 * 1024]));
    assert_eq!(failure(&server).await, NotFetched::TooLong { limit });
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let server = Server::new(Conduct::Endless(chunked, [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat()));
    assert_eq!(failure(&server).await, NotFetched::TooLong { limit });
    // A length that is a lie, as far as nothing is read for it.
    let told = b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_vec();
    let server = Server::new(Conduct::Answer(told));
    let failed = failure(&server).await;
    assert!(matches!(failed, NotFetched::TooLong { .. } | NotFetched::Incomplete { .. }), "{failed}");
}

#[tokio::test]
async fn slow_servers_are_given_up() {
    // G29: one time for all of it, so that a byte now and then gains nothing.
    let pause = Duration::from_millis(50);
    let whole = [b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".as_slice(), &certificate("twill")].concat();
    let head = b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\nX-Slow: yes\r\nContent-Length: 2000\r\n\r\n".to_vec();
    for (what, conduct) in [
        ("head", Conduct::Dribble(head.repeat(20), pause)),
        ("body", Conduct::Dribble(whole, pause)),
        ("tls", Conduct::Mute),
    ] {
        let server = Server::new(conduct);
        assert_eq!(failure_by(server.hasty()).await, NotFetched::Timeout { milliseconds: 700 }, "{what}");
    }
    let endless = Conduct::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: of the same\r\n".to_vec());
    let failed = failure_by(Server::new(endless).hasty()).await;
    assert!(matches!(failed, NotFetched::Incomplete { .. } | NotFetched::Timeout { .. }), "{failed}");
}

#[tokio::test]
async fn answers_that_break_off_are_no_answers() {
    let body = certificate("twill");
    let short = [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() + 1).as_bytes(), &body].concat();
    let chunk =
        [format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()).as_bytes(), &body]
            .concat();
    for conduct in [
        Conduct::Answer(short),
        Conduct::Answer(chunk),
        Conduct::Answer(b"HTTP/1.1 200 OK\r\nContent-Len".to_vec()),
        Conduct::Answer(b"no HTTP at all\r\n\r\n".to_vec()),
        Conduct::Answer(Vec::new()),
        Conduct::ResetLater,
        Conduct::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".to_vec()),
    ] {
        let failed = failure(&Server::new(conduct)).await;
        assert!(matches!(failed, NotFetched::Incomplete { .. }), "{failed:?}");
    }
    let failed = failure(&Server::new(Conduct::Reset)).await;
    assert!(matches!(failed, NotFetched::Connect { .. } | NotFetched::Tls { .. }), "{failed:?}");
    assert_eq!(failure(&Server::new(ok("", b""))).await, NotFetched::Empty);
}

#[tokio::test]
async fn packed_answers_are_not_unpacked() {
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
        let server = Server::new(ok(&format!("Content-Encoding: {encoding}\r\n"), b"\x1f\x8b\x08\x00"));
        assert_eq!(failure(&server).await, NotFetched::Encoded { encoding: encoding.to_owned() });
    }
    let server = Server::new(ok("Content-Encoding: identity\r\n", &certificate("twill")));
    assert!(server.fetcher().certificate(URL, NOW).await.is_ok());
}

#[tokio::test]
async fn what_is_no_certificate_is_given_as_such_and_not_for_long() {
    // G15, H10: that is for the verdict to say.
    for body in [
        b"<html><title>Welcome</title></html>".as_slice(),
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        b"{}",
    ] {
        let server = Server::new(ok("Cache-Control: max-age=86400\r\n", body));
        let fetcher = server.fetcher();
        let fetched = fetcher.certificate(URL, NOW).await.unwrap();
        assert!(fetched.unusable.is_some());
        assert_eq!(&*fetched.body, body);
        server.conduct(ok("", &certificate("twill")));
        assert!(fetcher.certificate(URL, NOW.plus_seconds(5)).await.unwrap().unusable.is_some());
        assert_eq!(fetcher.certificate(URL, NOW.plus_seconds(60)).await.unwrap().unusable, None);
    }
}

#[tokio::test]
async fn names_that_lead_nowhere_are_failures_of_dns() {
    let server = Server::new(ok("", b""));
    let names: &[&[SocketAddr]] = &[&[]];
    let resolver = Names::new(&[]).with("empty.example", names);
    let settings = Settings { resolver: Some(Arc::new(resolver)), ..server.settings() };
    let fetcher = Fetcher::new(settings).unwrap();
    for url in ["https://unknown.example/a.pem", "https://empty.example/a.pem"] {
        let failed = fetcher.certificate(url, NOW).await.unwrap_err();
        assert!(matches!(failed, NotFetched::Dns { .. }), "{failed}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_no_connection() {
    let server = Server::new(ok("", b""));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings { resolver: Some(Arc::new(Names::new(&[(HOST, nobody)]))), ..server.settings() };
    let failed = Fetcher::new(settings).unwrap().certificate(URL, NOW).await.unwrap_err();
    assert!(matches!(failed, NotFetched::Connect { .. }), "{failed}");
}

#[tokio::test]
async fn dns_that_does_not_answer_is_given_up() {
    struct Silent;
    impl stirtrace::fetch::Resolver for Silent {
        fn resolve(&self, _: &str) -> stirtrace::fetch::Resolving {
            Box::pin(std::future::pending())
        }
    }
    let server = Server::new(ok("", b""));
    let settings = Settings { resolver: Some(Arc::new(Silent)), ..server.hasty() };
    let failed = Fetcher::new(settings).unwrap().certificate(URL, NOW).await.unwrap_err();
    assert_eq!(failed, NotFetched::Timeout { milliseconds: 700 });
}

#[test]
fn tls_roots_that_are_none_are_named() {
    use stirtrace::fetch::CannotFetch;
    let with =
        |tls_roots: Vec<Vec<u8>>| Fetcher::new(Settings { tls_roots, system_roots: false, ..Settings::default() });
    assert_eq!(with(vec![]).unwrap_err(), CannotFetch::NoTlsRoots);
    let good = Server::new(ok("", b"")).root;
    assert!(matches!(with(vec![good, b"nothing".to_vec()]).unwrap_err(), CannotFetch::BadTlsRoot { place: 2, .. }));
}
