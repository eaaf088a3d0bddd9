//! Where the time of a verification goes, beside the libraries that do the same work, in one run.
//!
//! `cargo bench --bench verify`. The figures of ARCHITECTURE.md are ratios from this.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench reads the lab's files and stops at a fault"
)]

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use stirtrace::certificate::bundle::{Bundle, Limits};
use stirtrace::certificate::chain::{LinkCache, Path};
use stirtrace::es256::TableCache;
use stirtrace::identity_header::IdentityHeader;
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::{Passport, Token};
use stirtrace::sip::{Call, Message};
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Materials, Policy, Verifier};

const NOW: UnixTime = UnixTime::from_seconds(1_777_896_001);
const URL: &str = "https://certificates.lab.example/twill.pem";

/// One signed call, and all that judging it takes.
struct Case {
    invite: Vec<u8>,
    value: String,
    token: String,
    body: Vec<u8>,
    anchors: TrustAnchors,
    key_pem: Vec<u8>,
}

impl Case {
    fn new() -> Self {
        let lab = |name: &str| std::fs::read(format!("{}/certs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let key = SigningKey::from_pkcs8_pem(std::str::from_utf8(&lab("keys/twill.pem")).unwrap()).unwrap();
        let token = token(&key);
        let value = format!("{token};info=<{URL}>;alg=ES256;ppt=shaken");
        let invite = format!(
            "INVITE sip:+12155550131@cascade.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:+12155550112@twill.example;user=phone>;tag=1\r\nTo: <sip:+12155550131@cascade.example>\r\n\
             Call-ID: 7@twill.example\r\nCSeq: 1 INVITE\r\nDate: Mon, 04 May 2026 12:00:01 GMT\r\n\
             Identity: {value}\r\nContent-Length: 0\r\n\r\n"
        );
        Self {
            invite: invite.into_bytes(),
            value,
            token,
            body: lab("archive/certificates.lab.example/twill.pem"),
            anchors: TrustAnchors::from_pem(&lab("roots.pem")).unwrap(),
            key_pem: {
                use p256::pkcs8::EncodePublicKey;
                key.verifying_key().to_public_key_pem(Default::default()).unwrap().into_bytes()
            },
        }
    }
}

fn token(key: &SigningKey) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{URL}"}}"#);
    let claims = format!(
        r#"{{"attest":"A","dest":{{"tn":["12155550131"]}},"iat":{},"orig":{{"tn":"12155550112"}},"origid":"123e4567-e89b-12d3-a456-426655440000"}}"#,
        NOW.seconds()
    );
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature: Signature = key.sign(input.as_bytes());
    Passport::token_of(&input, &signature.to_bytes())
}

fn stirtrace(c: &mut Criterion) {
    let case = Case::new();
    let mut group = c.benchmark_group("stirtrace");

    group.bench_function("sip message to call", |b| {
        b.iter(|| {
            let (message, _) = Message::parse(black_box(&case.invite)).unwrap();
            Call::from_message(&message, &NumberPlan::NORTH_AMERICAN)
        });
    });
    group.bench_function("header value", |b| b.iter(|| IdentityHeader::parse(black_box(&case.value)).unwrap()));
    group.bench_function("token: base64, JSON, claims", |b| b.iter(|| Token::parse(black_box(&case.token)).unwrap()));
    group.bench_function("certificates: PEM to types", |b| {
        b.iter(|| Bundle::read(black_box(&case.body), &Limits::UNTRUSTED).unwrap());
    });

    let bundle = Bundle::read(&case.body, &Limits::UNTRUSTED).unwrap();
    let find = |links: &LinkCache| {
        Path::find(bundle.leaf(), &bundle.certificates, case.anchors.certificates(), NOW, links).unwrap()
    };
    group.bench_function("chain, nothing cached", |b| b.iter(|| find(&LinkCache::new(0))));
    let links = LinkCache::default();
    group.bench_function("chain, links cached", |b| b.iter(|| find(&links)));

    let passport = Passport::parse(&case.token).unwrap();
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bundle.leaf().p256_point().unwrap()).unwrap();
    group.bench_function("signature (aws-lc-rs raw, parsed key)", |b| {
        b.iter(|| key.verify_sig(black_box(passport.signing_input()), passport.signature()).unwrap());
    });

    let verifier = Verifier::new(Policy::default());
    let by_library = Verifier::new(Policy::default()).with_tables(Arc::new(TableCache::new(0)));
    let mut materials = Materials::new();
    materials.set_anchors(case.anchors.clone());
    materials.add_certificate(URL, &case.body);
    let (message, _) = Message::parse(&case.invite).unwrap();
    let call = Call::from_message(&message, &NumberPlan::NORTH_AMERICAN);
    // The tables are built, and grown.
    for _ in 0..12_000 {
        assert_eq!(verifier.verify(&call, &materials, NOW).conclusion, Conclusion::Passed);
    }
    group.bench_function("verify, signature by aws-lc-rs", |b| {
        b.iter(|| by_library.verify(black_box(&call), &materials, NOW));
    });
    group.bench_function("verify, signature by table", |b| {
        b.iter(|| verifier.verify(black_box(&call), &materials, NOW));
    });
    let bare = || {
        let call = Call::bare([black_box(&case.value).as_str()]);
        let number = |digits: &str| Identity::Number(digits.parse().unwrap());
        call.with_from(number("12155550112")).with_to(number("12155550131"))
    };
    group.bench_function("header text to verdict", |b| {
        b.iter(|| verifier.verify(&bare(), &materials, NOW));
    });
    group.throughput(Throughput::Elements(32));
    group.bench_function("header text to verdict, 32 together", |b| {
        b.iter(|| {
            let calls: Vec<Call> = (0..32).map(|_| bare()).collect();
            let calls: Vec<(&Call, UnixTime)> = calls.iter().map(|call| (call, NOW)).collect();
            verifier.verify_batch(&calls, &materials)
        });
    });
    group.finish();
}

/// The same token through a JWT library: signature and claims, no header parameters, no chain, no call.
fn peers(c: &mut Criterion) {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    let case = Case::new();
    let key = DecodingKey::from_ec_pem(&case.key_pem).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "decoded, not looked at")]
    struct Claims {
        attest: String,
        iat: i64,
        origid: String,
    }

    let mut group = c.benchmark_group("peers");
    group.bench_function("jsonwebtoken (aws_lc_rs) decode, key parsed", |b| {
        b.iter(|| decode::<Claims>(black_box(&case.token), &key, &validation).unwrap());
    });
    group.finish();
}

criterion_group!(benches, stirtrace, peers);
criterion_main!(benches);
