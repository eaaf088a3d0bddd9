//! What signing a call takes, beside the bare signature of other libraries over the same bytes, in one run.
//!
//! `cargo bench --bench sign`. The nonces of p256 are those of RFC 6979, aws-lc-rs draws random ones.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench reads the lab's files and stops at a fault"
)]

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use stirtrace::number::{Identity, NumberPlan};
use stirtrace::passport::Attestation;
use stirtrace::sign::{SignRequest, Signer};
use stirtrace::time::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(1_777_896_001);

fn sign(c: &mut Criterion) {
    let lab = |name: &str| std::fs::read(format!("{}/certs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let pem = lab("keys/twill.pem");
    let certificate = lab("archive/certificates.lab.example/twill.pem");
    let signer = Signer::new(&pem, &certificate, "https://certificates.lab.example/twill.pem").unwrap();
    let number = |digits| Identity::Number(NumberPlan::NORTH_AMERICAN.canonicalise(digits).unwrap());
    let origid = "123e4567-e89b-12d3-a456-426655440000";
    let request = SignRequest::shaken(Attestation::A, origid, number("12155550112"), vec![number("12155550131")]);
    let token = signer.sign(&request, NOW).unwrap().token().to_owned();
    let (input, _) = token.rsplit_once('.').unwrap();
    let key = SigningKey::from_pkcs8_pem(std::str::from_utf8(&pem).unwrap()).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_bytes()).unwrap();
    let random = SystemRandom::new();

    let mut group = c.benchmark_group("sign");
    group.throughput(Throughput::Elements(1));
    group.bench_function("call to Identity", |b| b.iter(|| signer.sign(black_box(&request), NOW).unwrap()));
    group.bench_function("signature alone (p256)", |b| {
        b.iter(|| {
            let signature: Signature = key.sign(black_box(input.as_bytes()));
            signature
        });
    });
    group.bench_function("signature alone (aws-lc-rs)", |b| {
        b.iter(|| pair.sign(&random, black_box(input.as_bytes())).unwrap());
    });
    group.finish();
}

criterion_group!(benches, sign);
criterion_main!(benches);
