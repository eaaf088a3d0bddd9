//! Signatures alone: by tables, one by one and in batches, beside aws-lc-rs with a parsed key, in one run.
//!
//! `cargo bench --bench es256`. SHA-256 of a token's 327 bytes is in every figure; a batch's figure is for one
//! signature of it. The figures of ARCHITECTURE.md are ratios from this.

#![expect(clippy::unwrap_used, reason = "a bench stops at a fault")]

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature as Signed, SigningKey};
use stirtrace::es256::{Batch, Digest, KeyTable, PublicKey, Signature, Width};

/// A signed message and the keys that its signature is checked with.
struct Case {
    message: Vec<u8>,
    signature: Vec<u8>,
    key: usize,
}

struct Keys {
    points: Vec<Vec<u8>>,
    cases: Vec<Case>,
}

impl Keys {
    /// Messages in an order in which no key comes twice in short time.
    fn new(count: usize) -> Self {
        let signer = |index: usize| {
            let mut secret = [7; 32];
            secret[24..].copy_from_slice(&(index + 1).to_be_bytes());
            SigningKey::from_slice(&secret).unwrap()
        };
        let signers: Vec<SigningKey> = (0..count).map(signer).collect();
        let case = |index: usize| {
            let key = index * 611 % count;
            let message = format!("{index:0327}").into_bytes();
            let signature: Signed = signers[key].sign(&message);
            Case { message, signature: signature.to_bytes().to_vec(), key }
        };
        Self {
            points: signers.iter().map(|s| s.verifying_key().to_sec1_point(false).as_bytes().to_vec()).collect(),
            cases: (0..count.max(256)).map(case).collect(),
        }
    }

    fn tables(&self, width: Width) -> Vec<KeyTable> {
        self.points.iter().map(|point| KeyTable::new(&PublicKey::from_uncompressed(point).unwrap(), width)).collect()
    }
}

fn signatures(c: &mut Criterion) {
    for (name, count) in [("1 key", 1), ("1000 keys", 1_000)] {
        let keys = Keys::new(count);
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1));

        let parse = |point: &Vec<u8>| ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap();
        let parsed: Vec<ParsedPublicKey> = keys.points.iter().map(parse).collect();
        let mut cases = keys.cases.iter().cycle();
        group.bench_function("aws-lc-rs, parsed key", |b| {
            b.iter(|| {
                let case = cases.next().unwrap();
                parsed[case.key].verify_sig(black_box(&case.message), &case.signature).unwrap();
            });
        });

        for width in [Width::Five, Width::Six, Width::Eight, Width::Ten] {
            let tables = keys.tables(width);
            let bytes: usize = tables.iter().map(KeyTable::bytes).sum();
            let megabytes = bytes.div_ceil(1 << 20);
            group.bench_function(format!("single, {width:?} ({megabytes} MiB)"), |b| {
                b.iter(|| {
                    let case = cases.next().unwrap();
                    tables[case.key].verify(black_box(&case.message), &case.signature).unwrap();
                });
            });
            let mut batch = Batch::new();
            group.throughput(Throughput::Elements(32));
            group.bench_function(format!("batch of 32, {width:?} ({megabytes} MiB)"), |b| {
                b.iter(|| {
                    for case in cases.by_ref().take(32) {
                        let signature = Signature::from_bytes(&case.signature).unwrap();
                        batch.push(&tables[case.key], Digest::of(black_box(&case.message)), signature);
                    }
                    assert!(batch.verify().iter().all(Result::is_ok));
                });
            });
            group.throughput(Throughput::Elements(1));
        }
        group.finish();
    }
}

fn tables(c: &mut Criterion) {
    let keys = Keys::new(1);
    let key = PublicKey::from_uncompressed(&keys.points[0]).unwrap();
    let mut group = c.benchmark_group("table");
    for width in [Width::Five, Width::Six, Width::Eight, Width::Ten] {
        group.bench_function(format!("{width:?}"), |b| {
            b.iter_batched(|| (), |()| KeyTable::new(black_box(&key), width), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, signatures, tables);
criterion_main!(benches);
