//! Signing keys that lie elsewhere: what they do wrong costs signatures, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::json;
use stirtrace::service::signer::{Key, KeyFailure, Signing};
use stirtrace::service::{Loaded, NamedSigner};
use stirtrace::sign::SigningCertificate;
use stirtrace::time::UnixTime;

use crate::lab;
use crate::signing::request;
use crate::stand::{SIGNING, Setup, Stand, good, verification_of};

/// A key that does as it is told from outside.
#[derive(Debug)]
struct Conducted {
    key: SigningKey,
    conduct: Arc<AtomicU8>,
}

const SIGNS: u8 = 0;
const SIGNS_SOMETHING_ELSE: u8 = 1;
const REFUSES: u8 = 2;
const NEVER_ANSWERS: u8 = 3;
const CUTS_SHORT: u8 = 4;

impl Key for Conducted {
    fn sign(&self, digest: [u8; 32]) -> Signing<'_> {
        Box::pin(async move {
            let signature = |digest: &[u8]| {
                let signature: Signature = self.key.sign_prehash(digest).unwrap();
                signature.to_bytes().to_vec()
            };
            match self.conduct.load(Ordering::Relaxed) {
                SIGNS => Ok(signature(&digest)),
                SIGNS_SOMETHING_ELSE => Ok(signature(&[7; 32])),
                CUTS_SHORT => Ok(signature(&digest)[..63].to_vec()),
                REFUSES => Err(KeyFailure::Refused { reason: "no".to_owned() }),
                _ => std::future::pending().await,
            }
        })
    }
}

fn stand(toml: &'static str) -> (Stand, Arc<AtomicU8>) {
    let conduct = Arc::new(AtomicU8::new(SIGNS));
    let own = Arc::clone(&conduct);
    (Stand::start(move |_| Ok(loaded(toml, "twill", &own)), None), conduct)
}

/// What a loader reads whose signer `twill` has a certificate of the lab, and a key that is conducted.
fn loaded(toml: &str, certificate: &str, conduct: &Arc<AtomicU8>) -> Loaded {
    let entry = lab::entry(certificate);
    let mut loaded = Setup::new(toml).loaded();
    let pem = String::from_utf8(lab::file(&entry.key)).unwrap();
    let key = Conducted { key: SigningKey::from_pkcs8_pem(&pem).unwrap(), conduct: Arc::clone(conduct) };
    let certificate = SigningCertificate::new(&lab::file(&entry.archive), &entry.x5u).unwrap();
    loaded.signers = vec![NamedSigner::elsewhere("twill", certificate, Arc::new(key))];
    loaded
}

/// By turns: the signer, one of its name with another certificate, and the first with another place for its key.
fn loader(
    conduct: Arc<AtomicU8>,
    turn: impl Fn() -> u8 + Send + Sync + 'static,
) -> impl Fn(UnixTime) -> Result<Loaded, String> + Send + Sync + 'static {
    let signer = |key: &str| {
        format!(
            "[[service.signer]]\nname=\"twill\"\nkey=\"{key}\"\ncertificate=\"c.pem\"\nx5u=\"https://x.example/c\"\n"
        )
    };
    move |_| {
        Ok(match turn() {
            0 => loaded(&signer("a.pem"), "twill", &conduct),
            1 => loaded(&signer("a.pem"), "cascade", &conduct),
            _ => loaded(&signer("b.pem"), "twill", &conduct),
        })
    }
}

#[test]
fn what_a_key_elsewhere_signs_verifies() {
    let (stand, _) = stand("");
    let answer = stand.post(SIGNING, &request());
    assert_eq!(answer.code, 200, "{answer:?}");
    let identity = answer.json()["signingResponse"]["identity"].clone();
    assert_eq!(stand.verification(&verification_of(identity)), json!({"verstat": "TN-Validation-Passed"}));
}

#[test]
fn a_wrong_signature_is_not_given_out_and_each_failure_is_counted_by_its_kind() {
    let (stand, conduct) = stand("");
    let count = |why: &str, wanted: u32| {
        let line = format!("stirtrace_signing_key_failures_total{{signer=\"twill\",why=\"{why}\"}} {wanted}");
        let page = stand.get("/metrics").text();
        assert!(page.contains(&line), "{line}: {page}");
    };
    for (own, why, wanted) in
        [(SIGNS_SOMETHING_ELSE, "wrong-signature", 1), (CUTS_SHORT, "wrong-signature", 2), (REFUSES, "refused", 1)]
    {
        conduct.store(own, Ordering::Relaxed);
        let answer = stand.post(SIGNING, &request());
        assert_eq!((answer.code, answer.exception().0.as_str()), (500, "POL5000"), "{why}");
        count(why, wanted);
        assert!(stand.get("/metrics").text().contains("stirtrace_signing_key_up{signer=\"twill\"} 0"));
    }
    conduct.store(SIGNS, Ordering::Relaxed);
    assert_eq!(stand.post(SIGNING, &request()).code, 200);
    assert!(stand.get("/metrics").text().contains("stirtrace_signing_key_up{signer=\"twill\"} 1"));
}

#[test]
fn a_key_that_fails_goes_on_failing_when_everything_is_read_anew() {
    let turn = Arc::new(AtomicU8::new(0));
    let (conduct, own) = (Arc::new(AtomicU8::new(REFUSES)), Arc::clone(&turn));
    let stand = Stand::start(loader(Arc::clone(&conduct), move || own.load(Ordering::Relaxed)), None);
    let is_up = || {
        let page = stand.get("/metrics").text();
        page.lines().find_map(|line| line.strip_prefix("stirtrace_signing_key_up{signer=\"twill\"} ")) == Some("1")
    };
    assert!(is_up(), "it was not asked yet");
    assert_eq!(stand.post(SIGNING, &request()).code, 500);
    for _ in 0..2 {
        stand.engine.reload().unwrap();
        assert!(!is_up());
    }
    // Another certificate is another key; what is known of the one says nothing of the other.
    turn.store(1, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert!(is_up());
    turn.store(0, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert_eq!(stand.post(SIGNING, &request()).code, 500);
    // The same certificate, and the configuration has its key elsewhere.
    turn.store(2, Ordering::Relaxed);
    stand.engine.reload().unwrap();
    assert!(is_up());
    assert_eq!(stand.post(SIGNING, &request()).code, 500);
    stand.engine.reload().unwrap();
    conduct.store(SIGNS, Ordering::Relaxed);
    assert!(!is_up());
    assert_eq!(stand.post(SIGNING, &request()).code, 200);
    assert!(is_up());
}

#[test]
fn a_key_that_never_answers_keeps_no_call_from_being_verified() {
    let (stand, conduct) = stand("[service.limits]\nrequest_seconds = 3\n");
    conduct.store(NEVER_ANSWERS, Ordering::Relaxed);
    std::thread::scope(|scope| {
        // More than there are threads.
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| stand.post(SIGNING, &request()).code)).collect();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            assert_eq!(stand.verification(&verification_of(good()))["verstat"], "TN-Validation-Passed");
        }
        assert!(waiting.iter().all(|signing| !signing.is_finished()));
        waiting.into_iter().for_each(|signing| assert_eq!(signing.join().unwrap(), 408));
    });
}

#[test]
fn a_request_that_may_not_be_signed_does_not_reach_the_key() {
    let (stand, conduct) = stand("");
    conduct.store(REFUSES, Ordering::Relaxed);
    let mut stale = request();
    stale["signingRequest"]["iat"] = json!(1);
    assert_eq!(stand.post(SIGNING, &stale).code, 400);
    assert!(!stand.get("/metrics").text().contains("stirtrace_signing_key_failures_total{"));
}
