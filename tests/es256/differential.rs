//! What signers never make: every way to verify must judge it alike.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{FieldBytes, ProjectivePoint, Scalar};
use proptest::prelude::*;
use stirtrace::es256::{Digest, KeyFault, PublicKey};

use crate::oracle::Key;

const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const P: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff,
];

/// Numbers at the edges of what r, s and a digest may be.
fn edges() -> Vec<[u8; 32]> {
    let near = |number: [u8; 32], add: i8| {
        let mut near = number;
        near[31] = near[31].wrapping_add_signed(add);
        near
    };
    let mut edges = vec![[0; 32], [0xff; 32], P, near(P, -1)];
    edges.extend((-2..=2).map(|add| near(N, add)));
    edges.extend((1..=4).map(|small| near([0; 32], small)));
    // 2^128, and half of n rounded both ways.
    let mut power = [0; 32];
    power[15] = 1;
    let mut half = N;
    (0..32).rev().for_each(|index| half[index] = half[index] >> 1 | if index > 0 { half[index - 1] << 7 } else { 0 });
    edges.extend([power, half, near(half, 1)]);
    edges
}

fn key_of(secret: Scalar) -> Key {
    Key::new((ProjectivePoint::GENERATOR * secret).to_affine().to_sec1_point(false).as_bytes())
}

fn scalar(number: u64) -> Scalar {
    Scalar::from(number)
}

fn reduced(bytes: &[u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(*bytes))
}

fn x_of(point: ProjectivePoint) -> [u8; 32] {
    let bytes = point.to_affine().to_sec1_point(false);
    bytes.as_bytes()[1..33].try_into().unwrap()
}

/// The signature with this nonce over this digest, as made by somebody who picks both.
fn signed(secret: Scalar, nonce: Scalar, digest: &[u8; 32]) -> Vec<u8> {
    let r = reduced(&x_of(ProjectivePoint::GENERATOR * nonce));
    let s = nonce.invert().unwrap() * (reduced(digest) + r * secret);
    [r.to_repr().as_slice(), s.to_repr().as_slice()].concat()
}

#[test]
fn r_s_and_digest_at_the_edges_of_their_ranges_are_judged_alike() {
    let edges = edges();
    for secret in [scalar(1), -scalar(1), scalar(2), scalar(0x1234_5678_9abc_def1)] {
        let key = key_of(secret);
        for (index, r) in edges.iter().enumerate() {
            for s in &edges {
                let digest = edges[(index * 7 + usize::from(s[31])) % edges.len()];
                let _ = key.accepts_digest(&Digest::from_bytes(digest), &[*r, *s].concat());
                let _ = key.accepts(&digest, &[*r, *s].concat());
            }
        }
    }
}

#[test]
fn r_or_s_of_zero_or_beyond_the_order_never_verifies() {
    let key = key_of(scalar(1));
    let good = signed(scalar(1), scalar(5), &[7; 32]);
    assert!(key.accepts_digest(&Digest::from_bytes([7; 32]), &good));
    for bad in [[0; 32], N, [0xff; 32]] {
        assert!(!key.accepts_digest(&Digest::from_bytes([7; 32]), &[&bad, &good[32..]].concat()));
        assert!(!key.accepts_digest(&Digest::from_bytes([7; 32]), &[&good[..32], &bad].concat()));
    }
}

/// FIPS 186-4 6.4.2 step 5: the sum may be a doubling (u1 G = u2 Q) or nothing at all (u1 G = -u2 Q).
#[test]
fn sums_that_are_doublings_or_infinity_are_judged_alike() {
    for number in [1, 2, 3, 5, 0x0123_4567_89ab_cdef] {
        for secret in [scalar(number), -scalar(number)] {
            let key = key_of(secret);
            for r_number in [3, 7, 0xffff_ffff_ffff] {
                let r = scalar(r_number);
                // z = r d gives u1 G = u2 Q, z = -r d gives u1 G = -u2 Q.
                for z in [r * secret, -(r * secret)] {
                    let digest = Digest::from_bytes(z.to_repr().into());
                    for s in [scalar(1), -scalar(1), scalar(9)] {
                        let _ = key.accepts_digest(&digest, &[r.to_repr(), s.to_repr()].concat());
                    }
                }
            }
            // A valid one whose sum is a doubling: 2 u2 Q = k G, with u2 = r/s.
            let nonce = scalar(11);
            let r = reduced(&x_of(ProjectivePoint::GENERATOR * nonce));
            let digest: [u8; 32] = (r * secret).to_repr().into();
            assert!(key.accepts_digest(&Digest::from_bytes(digest), &signed(secret, nonce, &digest)));
        }
    }
}

/// Small secrets, nonces and digests make the digits of both halves meet at equal points again and again.
#[test]
fn small_secrets_nonces_and_digests_verify() {
    for secret in 1..=9 {
        let key = key_of(scalar(secret));
        for nonce in [1, 2, 3, 64, 4096] {
            for digest in [scalar(0), scalar(1), scalar(secret), -scalar(1), scalar(1 << 12)] {
                let digest = digest.to_repr().into();
                let signature = signed(scalar(secret), scalar(nonce), &digest);
                // s may come out as zero: then it is no signature.
                let is_zero = signature[32..] == [0; 32];
                assert_eq!(key.accepts_digest(&Digest::from_bytes(digest), &signature), !is_zero);
            }
        }
    }
}

/// A digest of zero leaves Q's half alone.
#[test]
fn a_digest_of_zero_or_of_the_order_verifies() {
    let secret = scalar(0xfeed_f00d);
    for digest in [[0; 32], N, [0xff; 32]] {
        let signature = signed(secret, scalar(77), &digest);
        assert!(key_of(secret).accepts_digest(&Digest::from_bytes(digest), &signature));
    }
}

/// x of the nonce's point between n and p: r is x - n, and the check must try r + n (Wycheproof has a few too).
#[test]
fn a_nonce_whose_x_exceeds_the_order_verifies_by_its_second_number() {
    // The signature is made from the point: R with x = n + small, s = 1, z = 0, Q = R / r.
    let mut found = 0;
    for small in 0_u8..40 {
        let mut x = N;
        x[31] += small;
        let compressed = [&[2][..], &x].concat();
        let Ok(nonce_point) = p256::PublicKey::from_sec1_bytes(&compressed) else { continue };
        let r = reduced(&x);
        if r == scalar(0) {
            continue;
        }
        let public = nonce_point.to_projective() * r.invert().unwrap();
        let key = Key::new(public.to_affine().to_sec1_point(false).as_bytes());
        let signature = [r.to_repr(), scalar(1).to_repr()].concat();
        assert!(key.accepts_digest(&Digest::from_bytes([0; 32]), &signature), "x = n + {small}");
        found += 1;
    }
    assert!(found > 5, "only {found} points");
}

#[test]
fn points_that_are_no_keys_are_refused() {
    let good = (ProjectivePoint::GENERATOR * scalar(3)).to_affine().to_sec1_point(false).as_bytes().to_vec();
    assert!(PublicKey::from_uncompressed(&good).is_ok());
    let refused = |bytes: &[u8]| PublicKey::from_uncompressed(bytes).unwrap_err();
    let with = |index: usize, bytes: &[u8]| {
        let mut other = good.clone();
        other[index..index + bytes.len()].copy_from_slice(bytes);
        other
    };
    assert_eq!(refused(&with(64, &[good[64] ^ 1])), KeyFault::NotOnCurve);
    // SEC 1 §2.3.4: coordinates are below p. (0, sqrt b) + (p, 0) would be the same point, not reduced.
    assert_eq!(refused(&with(1, &P)), KeyFault::NotOnCurve);
    assert_eq!(refused(&with(33, &P)), KeyFault::NotOnCurve);
    assert_eq!(refused(&with(1, &[0; 64])), KeyFault::NotOnCurve);
    assert_eq!(refused(&with(0, &[3])), KeyFault::NotUncompressed);
    assert_eq!(refused(&[0]), KeyFault::NotUncompressed);
    assert_eq!(refused(&good[..64]), KeyFault::WrongLength { length: 64 });
    assert_eq!(refused(&[&good[..], &[0]].concat()), KeyFault::WrongLength { length: 66 });
}

/// The point with x = 0 is a key; the same with x = p is not, though it is the same modulo p.
#[test]
fn a_coordinate_that_is_not_reduced_is_refused() {
    let zero = [&[2][..], &[0; 32]].concat();
    let point = p256::PublicKey::from_sec1_bytes(&zero).unwrap().to_sec1_point(false).as_bytes().to_vec();
    assert!(PublicKey::from_uncompressed(&point).is_ok());
    let unreduced = [&[4][..], &P, &point[33..]].concat();
    assert_eq!(PublicKey::from_uncompressed(&unreduced), Err(KeyFault::NotOnCurve));
}

#[test]
fn a_batch_judges_each_signature_by_itself_in_order() {
    use stirtrace::es256::{Batch, KeyTable, Signature as Read, Width};
    let secrets: Vec<Scalar> = (1..=5).map(|number| scalar(number * 1_000_003)).collect();
    let tables: Vec<KeyTable> = secrets
        .iter()
        .map(|secret| {
            let point = (ProjectivePoint::GENERATOR * *secret).to_affine().to_sec1_point(false);
            KeyTable::new(&PublicKey::from_uncompressed(point.as_bytes()).unwrap(), Width::Five)
        })
        .collect();
    let mut batch = Batch::new();
    for round in 0..3 {
        let mut expected = Vec::new();
        for index in 0_u8..77 {
            let who = usize::from(index) % 5;
            let mut signature = signed(secrets[who], scalar(u64::from(index) + 1), &[index; 32]);
            let corrupt = usize::from(index) % (3 + round) == 0;
            signature[63] ^= u8::from(corrupt);
            batch.push(&tables[who], Digest::from_bytes([index; 32]), Read::from_bytes(&signature).unwrap());
            expected.push(!corrupt);
        }
        let results: Vec<bool> = batch.verify().iter().map(Result::is_ok).collect();
        assert_eq!(results, expected);
        assert!(batch.is_empty());
    }
    assert!(batch.verify().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Honest signatures verify; with one bit wrong anywhere, all agree (on refusal, but for s and n - s).
    #[test]
    fn honest_signatures_verify_and_corrupted_ones_are_judged_alike(
        secret in any::<[u8; 32]>(), message in any::<Vec<u8>>(), bits in proptest::collection::vec(0_usize..512, 4),
    ) {
        prop_assume!(SigningKey::from_slice(&secret).is_ok());
        let signer = SigningKey::from_slice(&secret).unwrap();
        let key = Key::new(signer.verifying_key().to_sec1_point(false).as_bytes());
        let signature: Signature = signer.sign(&message);
        let bytes = signature.to_bytes();
        prop_assert!(key.accepts(&message, &bytes));
        for bit in bits {
            let mut corrupt = bytes;
            corrupt[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!key.accepts(&message, &corrupt));
        }
        prop_assert!(!key.accepts(&[&message[..], b"."].concat(), &bytes));
    }
}
