//! The workers of this program: stirtrace, and the Rust libraries.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::DecodePublicKey;
use stirtrace::number::Identity;
use stirtrace::passport::Passport;
use stirtrace::sip::Call;
use stirtrace::time::UnixTime;
use stirtrace::trust::TrustAnchors;
use stirtrace::verify::{Conclusion, Materials, Policy, Verifier};

use crate::tokens::{CALLED, CALLER, NOW, Tokens, URL};

pub(crate) const SINGLE: &str = "stirtrace, header to verdict";
pub(crate) const BATCH: &str = "stirtrace, header to verdict, 32 together";
const JWT_AWS: &str = "jsonwebtoken (aws_lc_rs) decode";
const JWT_RUST: &str = "jsonwebtoken (rust_crypto) decode";
const AWS: &str = "aws-lc-rs, signature only, key parsed";
const RING: &str = "ring, signature only";
const P256: &str = "p256, signature only, key parsed";
#[cfg(feature = "openssl")]
const OPENSSL: &str = "openssl, signature only, key parsed";

pub(crate) const NAMES: &[&str] = &[
    SINGLE,
    BATCH,
    JWT_AWS,
    JWT_RUST,
    AWS,
    RING,
    P256,
    #[cfg(feature = "openssl")]
    OPENSSL,
];

/// Verifies all tokens once.
type Pass<'a> = Box<dyn FnMut() + 'a>;

pub(crate) fn work(name: &str, folder: &str) {
    let tokens = Tokens::read(folder);
    let mut pass = pass(name, &tokens);
    // Tables are built, and grown.
    (0..8).for_each(|_| pass());
    println!("ready");
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let passes: u32 = line.trim().parse().expect("a number of passes");
        let began = Instant::now();
        (0..passes).for_each(|_| pass());
        let tokens = f64::from(passes) * tokens.values.len() as f64;
        let _ = writeln!(out, "{}", began.elapsed().as_secs_f64() * 1e6 / tokens).and_then(|()| out.flush());
    }
}

fn pass<'a>(name: &str, tokens: &'a Tokens) -> Pass<'a> {
    match name {
        SINGLE => header_to_verdict(tokens, 1),
        BATCH => header_to_verdict(tokens, 32),
        JWT_AWS => jsonwebtoken(tokens, &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER),
        JWT_RUST => jsonwebtoken(tokens, &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER),
        AWS => {
            use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(tokens)).expect("a key");
            signatures(tokens, move |input, signature| key.verify_sig(input, signature).is_ok())
        }
        RING => {
            let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point(tokens));
            signatures(tokens, move |input, signature| key.verify(input, signature).is_ok())
        }
        P256 => {
            let key = p256::ecdsa::VerifyingKey::from_public_key_pem(text(&tokens.public_pem)).expect("a key");
            signatures(tokens, move |input, signature| {
                p256::ecdsa::Signature::from_slice(signature).is_ok_and(|own| key.verify(input, &own).is_ok())
            })
        }
        #[cfg(feature = "openssl")]
        OPENSSL => by_openssl(tokens),
        other => panic!("no worker is called {other:?}"),
    }
}

/// Everything that a verdict takes, but certificates, which are read once.
fn header_to_verdict(tokens: &Tokens, together: usize) -> Pass<'_> {
    let verifier = Verifier::new(Policy::default());
    let mut materials = Materials::new();
    materials.set_anchors(TrustAnchors::from_pem(&tokens.roots).expect("roots"));
    materials.add_certificate(URL, &tokens.certificates);
    let party = |number: &str| Identity::Number(number.parse().expect("a number"));
    let call = move |value: &String| {
        Call::bare([black_box(value).as_str()]).with_from(party(CALLER)).with_to(party(CALLED))
    };
    Box::new(move || {
        for values in tokens.values.chunks(together) {
            let calls: Vec<Call> = values.iter().map(call).collect();
            if let [alone] = calls.as_slice() {
                assert_eq!(verifier.verify(alone, &materials, NOW).conclusion, Conclusion::Passed);
                continue;
            }
            let calls: Vec<(&Call, UnixTime)> = calls.iter().map(|call| (call, NOW)).collect();
            let verdicts = verifier.verify_batch(&calls, &materials);
            assert!(verdicts.iter().all(|verdict| verdict.conclusion == Conclusion::Passed));
        }
    })
}

/// Signature and claims; no chain, no call.
fn jsonwebtoken<'a>(tokens: &'a Tokens, provider: &'static CryptoProvider) -> Pass<'a> {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "decoded, not looked at")]
    struct Claims {
        attest: String,
        iat: i64,
        origid: String,
    }
    provider.install_default().expect("one provider a process");
    let key = DecodingKey::from_ec_pem(&tokens.public_pem).expect("a key");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let bare = tokens.bare();
    Box::new(move || bare.iter().for_each(|token| assert!(decode::<Claims>(black_box(token), &key, &validation).is_ok())))
}

/// The signatures alone: segments are decoded beforehand.
fn signatures<'a>(tokens: &'a Tokens, verify: impl Fn(&[u8], &[u8]) -> bool + 'a) -> Pass<'a> {
    let read: Vec<Passport> = tokens.bare().iter().map(|token| Passport::parse(token).expect("a token")).collect();
    Box::new(move || {
        for passport in &read {
            assert!(verify(black_box(passport.signing_input()), passport.signature()));
        }
    })
}

#[cfg(feature = "openssl")]
fn by_openssl(tokens: &Tokens) -> Pass<'_> {
    use openssl::bn::BigNum;
    use openssl::ecdsa::EcdsaSig;
    let key = openssl::pkey::PKey::public_key_from_pem(&tokens.public_pem).and_then(|key| key.ec_key()).expect("a key");
    signatures(tokens, move |input, signature| {
        let part = |bytes: &[u8]| BigNum::from_slice(bytes).expect("a number");
        let own = EcdsaSig::from_private_components(part(&signature[..32]), part(&signature[32..])).expect("two");
        own.verify(&openssl::sha::sha256(input), &key).is_ok_and(|holds| holds)
    })
}

fn point(tokens: &Tokens) -> Vec<u8> {
    let key = p256::ecdsa::VerifyingKey::from_public_key_pem(text(&tokens.public_pem)).expect("a key");
    key.to_sec1_point(false).as_bytes().to_vec()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("PEM is text")
}
