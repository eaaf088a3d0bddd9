//! Who may ask, and how much: bearer tokens, TLS and the certificates of clients, rates, and places.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use stirtrace::service::tls::TlsFiles;

use crate::lab;
use crate::stand::{Answer, Connection, NOW, Request, SIGNING, Setup, Stand, VERIFICATION, good, verification_of};

pub(crate) const TOKENS: &str = "[service.tokens]\nkeys = \"gateway.pem\"\nissuer = \"https://login.carrier.example\"\n\
    audience = \"stirtrace\"\nalgorithms = [\"ES256\"]\nleeway_seconds = 5";

pub(crate) fn public_key(name: &str) -> String {
    lab::key(name).verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}

pub(crate) fn claims(scope: &str) -> Value {
    json!({"iss": "https://login.carrier.example", "aud": ["stirtrace", "other"], "sub": "sbc-1", "exp": NOW + 60,
        "scope": scope})
}

pub(crate) fn token(claims: &Value) -> String {
    let key = EncodingKey::from_ec_pem(&lab::file(&lab::entry("quarry").key)).unwrap();
    encode(&Header::new(Algorithm::ES256), claims, &key).unwrap()
}

fn guarded() -> Stand {
    Setup::new(TOKENS).with_token_keys("gateway.pem", public_key("quarry").as_bytes()).start()
}

fn ask(stand: &Stand, path: &str, authorization: &str) -> Answer {
    let body = verification_of(good()).to_string();
    let request = Request::new(path, body.as_bytes());
    let request = if authorization.is_empty() { request } else { request.with("Authorization", authorization) };
    stand.ask(&request)
}

#[test]
fn a_token_grants_what_its_scope_says_and_no_more() {
    let stand = guarded();
    let verify = format!("Bearer {}", token(&claims("openid verify")));
    assert_eq!(ask(&stand, VERIFICATION, &verify).code, 200);
    assert_eq!(ask(&stand, "/v1/verify", &verify).code, 200);
    let refused = ask(&stand, SIGNING, &verify);
    assert_eq!((refused.code, refused.exception().0.as_str()), (403, "POL0001"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\""));
    // Let through, it is a request that asks for nothing.
    assert_eq!(ask(&stand, SIGNING, &format!("bearer {}", token(&claims("sign")))).exception().0, "SVC4001");
    // Who looks after the service has no token.
    for path in ["/health", "/ready", "/metrics", "/openapi.json"] {
        assert_eq!(stand.get(path).code, 200, "{path}");
    }
}

#[test]
fn a_token_that_is_not_for_us_is_refused() {
    // RFC 8725: the algorithm is ours to choose; iss, aud and exp are there and right.
    let stand = guarded();
    let with = |name: &str, value: Value| {
        let mut claims = claims("verify");
        claims[name] = value;
        format!("Bearer {}", token(&claims))
    };
    let without = |name: &str| {
        let mut claims = claims("verify");
        claims.as_object_mut().unwrap().remove(name);
        format!("Bearer {}", token(&claims))
    };
    let none = {
        use base64::Engine;
        let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("Bearer {}.{}.", encode(r#"{"alg":"none","typ":"JWT"}"#), encode(&claims("verify").to_string()))
    };
    let secret = EncodingKey::from_secret(public_key("quarry").as_bytes());
    let by_public_text =
        format!("Bearer {}", encode(&Header::new(Algorithm::HS256), &claims("verify"), &secret).unwrap());
    let stranger = EncodingKey::from_ec_pem(&lab::file(&lab::entry("twill").key)).unwrap();
    let by_stranger =
        format!("Bearer {}", encode(&Header::new(Algorithm::ES256), &claims("verify"), &stranger).unwrap());
    let cases = [
        ("none at all", String::new()),
        ("another scheme", "Basic dXNlcjpwYXNz".to_owned()),
        ("no token", "Bearer ".to_owned()),
        ("no JWT", "Bearer abc".to_owned()),
        ("issuer", with("iss", json!("https://login.other.example"))),
        ("audience", with("aud", json!("other"))),
        ("expired", with("exp", json!(NOW - 5))),
        ("not yet", with("nbf", json!(NOW + 60))),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no end", without("exp")),
        ("alg none", none),
        ("the public key as a secret", by_public_text),
        ("another's key", by_stranger),
        ("altered", with("scope", json!("verify")) + "A"),
        ("too long", format!("Bearer {}", "a".repeat(20_000))),
    ];
    for (name, authorization) in cases {
        let answer = ask(&stand, VERIFICATION, &authorization);
        assert_eq!((answer.code, answer.exception().0.as_str()), (401, "POL0001"), "{name}: {answer:?}");
        assert!(answer.header("www-authenticate").is_some(), "{name}");
    }
    let answer = ask(&stand, "/v1/verify", "");
    assert_eq!((answer.code, &answer.json()["error"]["kind"]), (401, &json!("unauthorized")));
}

#[test]
fn a_token_that_was_good_ends_when_it_says() {
    // It is remembered, and its end is judged each time.
    let stand = guarded();
    let good = format!("Bearer {}", token(&claims("verify")));
    assert_eq!(ask(&stand, "/v1/verify", &good).code, 200);
    stand.at(NOW + 64);
    assert_eq!(ask(&stand, "/v1/verify", &good).code, 200);
    stand.at(NOW + 65);
    assert_eq!(ask(&stand, "/v1/verify", &good).code, 401);
}

#[test]
fn a_jwk_set_is_read_and_a_shared_secret_in_it_is_refused() {
    use base64::Engine;
    let point = lab::key("quarry").verifying_key().to_sec1_point(false);
    let coordinate = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (coordinate(point.x().unwrap()), coordinate(point.y().unwrap()));
    let set =
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "use": "sig"}]}).to_string();
    let stand = Setup::new(TOKENS).with_token_keys("keys.json", set.as_bytes()).start();
    assert_eq!(ask(&stand, "/v1/verify", &format!("Bearer {}", token(&claims("verify")))).code, 200);
    let shared = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string();
    let loaded = Setup::new(TOKENS).with_token_keys("keys.json", shared.as_bytes()).loaded();
    let refused =
        stirtrace::service::Engine::new(Box::new(move |_| Ok(loaded.clone())), crate::stand::now).unwrap_err();
    assert_eq!(refused, "service.tokens.keys: keys.json: a shared secret, where public keys belong");
}

#[test]
fn one_client_may_send_its_burst_and_then_its_rate() {
    let stand = Setup::new("[service.limits]\nrate = 1\nburst = 3").start();
    let answers: Vec<Answer> = (0..40).map(|_| ask(&stand, VERIFICATION, "")).collect();
    let codes: Vec<u16> = answers.iter().map(|answer| answer.code).collect();
    assert_eq!(codes[..3], [200, 200, 200], "{codes:?}");
    let refused = answers.iter().find(|answer| answer.code == 429).expect("never too fast");
    assert_eq!((refused.exception().0.as_str(), refused.header("retry-after")), ("POL0001", Some("1")));
    // The watch goes on.
    assert_eq!(stand.get("/health").code, 200);
    assert!(stand.get("/metrics").text().contains("stirtrace_refused_total{why=\"rate\"}"));
}

#[test]
fn requests_beyond_the_places_there_are_are_told_to_come_again() {
    let stand = Setup::new("[service.limits]\nrequests = 1").start();
    let mut slow = stand.connect();
    slow.send(b"POST /stir/v1/verification HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
    // It has the only place before others ask for it, and holds it until its body is there.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let busy = (0..200).map(|_| ask(&stand, VERIFICATION, "")).find(|answer| answer.code == 503).expect("never busy");
    assert_eq!((busy.exception().0.as_str(), busy.header("retry-after")), ("POL0001", Some("1")));
    slow.send(b"         }");
    assert_eq!(slow.answer().code, 400);
    assert_eq!(ask(&stand, VERIFICATION, "").code, 200);
}

/// An authority with a server below it, and clients.
struct Pki {
    authority: CertifiedIssuer<'static, KeyPair>,
    files: TlsFiles,
}

impl Pki {
    fn new(ask_clients: bool) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let (certificate, key) = Self::leaf(&authority, "127.0.0.1");
        let client_ca = ask_clients.then(|| authority.pem().into_bytes());
        let files = TlsFiles::new(certificate.into_bytes(), key.into_bytes(), client_ca);
        Self { authority, files }
    }

    fn leaf(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
    }

    /// A client, with a certificate below `shown` if there is one.
    fn connect(
        &self,
        stand: &Stand,
        shown: Option<&CertifiedIssuer<'static, KeyPair>>,
    ) -> Connection<impl Read + Write> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let (certificate, key) = Self::leaf(authority, "sbc-1.carrier.example");
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TcpStream::connect(stand.address).unwrap();
        Connection::over(StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream))
    }
}

#[test]
fn tls_serves_the_same_answers() {
    let pki = Pki::new(false);
    let stand = Setup::new("").with_tls(pki.files.clone()).start();
    let mut connection = pki.connect(&stand, None);
    let body = verification_of(good()).to_string();
    for _ in 0..2 {
        connection.send(&Request::new(VERIFICATION, body.as_bytes()).bytes());
        assert_eq!(connection.answer().json(), json!({"verificationResponse": {"verstat": "TN-Validation-Passed"}}));
    }
    // In the clear there is no answer.
    let mut clear = stand.connect();
    clear.send(&Request::new(VERIFICATION, body.as_bytes()).bytes());
    assert!(clear.try_answer().is_none());
}

#[test]
fn where_clients_must_show_a_certificate_nobody_else_gets_in() {
    let pki = Pki::new(true);
    let stand = Setup::new("").with_tls(pki.files.clone()).start();
    let ask = |mut connection: Connection<_>| {
        connection.send(&Request { method: "GET", ..Request::new("/health", b"") }.bytes());
        connection.try_answer().map(|answer| answer.code)
    };
    assert_eq!(ask(pki.connect(&stand, Some(&pki.authority))), Some(200));
    assert_eq!(ask(pki.connect(&stand, None)), None);
    let stranger = Pki::new(true);
    assert_eq!(ask(pki.connect(&stand, Some(&stranger.authority))), None);
    assert_eq!(ask(pki.connect(&stand, Some(&pki.authority))), Some(200));
}
