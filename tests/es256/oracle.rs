//! One question, asked of every way there is to verify; all must give one answer.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature as Other, VerifyingKey};
use stirtrace::es256::{Batch, Digest, KeyTable, PublicKey, Signature, Width};

/// A key as every library has it.
pub(crate) struct Key {
    point: Vec<u8>,
    tables: Vec<KeyTable>,
    other: VerifyingKey,
}

impl Key {
    pub(crate) fn new(point: &[u8]) -> Self {
        let key = PublicKey::from_uncompressed(point).unwrap();
        let tables = [Width::Five, Width::Six, Width::Eight, Width::Ten].map(|width| KeyTable::new(&key, width)).into();
        Self { point: point.to_vec(), tables, other: VerifyingKey::from_sec1_bytes(point).unwrap() }
    }

    /// Whether the signature is the key's, by every width, alone and in batches, and by both other libraries.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        let ours = self.accepts_digest(&Digest::of(message), signature);
        assert!(self.tables.iter().all(|table| table.verify(message, signature).is_ok() == ours));
        let backend = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point).verify(message, signature);
        assert_eq!(backend.is_ok(), ours, "aws-lc-rs differs on {signature:02x?}");
        ours
    }

    /// The same over a digest, which aws-lc-rs does not take.
    pub(crate) fn accepts_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        let read = Signature::from_bytes(signature);
        let mut results: Vec<bool> = self
            .tables
            .iter()
            .map(|table| read.as_ref().is_ok_and(|read| table.verify_digest(digest, read).is_ok()))
            .collect();
        if let Ok(read) = &read {
            let mut batch = Batch::new();
            // Twice: so few as the widths are would be verified one by one.
            self.tables.iter().chain(&self.tables).for_each(|table| batch.push(table, *digest, *read));
            results.extend(batch.verify().iter().map(Result::is_ok));
        }
        let other = Other::from_slice(signature);
        results.push(other.is_ok_and(|other| self.other.verify_prehash(digest.as_bytes(), &other).is_ok()));
        assert!(results.iter().all(|result| *result == results[0]), "{results:?} on {signature:02x?} over {digest:?}");
        results[0]
    }
}
