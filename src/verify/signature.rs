//! The ES256 signature of a PASSporT (RFC 7518 §3.4; A3, G10).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use crate::es256::{Batch, Digest, KeyTable, Signature, TableCache, TableRef};
use crate::passport::Passport;
use crate::verify::error::Error;
use crate::verify::rules;
use crate::verify::subject::Subject;

/// What a signature is to be verified with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsettled {
    /// The uncompressed point of a P-256 key.
    pub(super) key: [u8; 65],
    /// Whether the key's chain holds: work and memory are for no others.
    pub(super) accepted: bool,
}

/// Verifies the signatures that are unsettled: by the key's table where it has one, all such together; else by the
/// library. With `cross_check` the library judges beside the tables.
pub(super) fn settle<'a>(subjects: impl Iterator<Item = &'a mut Subject>, tables: &TableCache, cross_check: bool) {
    let mut open: Vec<Open<'a>> = subjects.filter_map(|subject| Open::of(subject, tables)).collect();
    let by_tables = by_tables(&open);
    for (own, by_table) in open.iter_mut().zip(by_tables) {
        own.settle(by_table, tables, cross_check);
    }
}

/// An unsettled signature, and its key's table if there is one.
struct Open<'a> {
    subject: &'a mut Subject,
    key: Unsettled,
    table: Option<TableRef>,
}

impl<'a> Open<'a> {
    fn of(subject: &'a mut Subject, tables: &TableCache) -> Option<Self> {
        let key = subject.unsettled.take()?;
        let table = tables.table(&key.key);
        Some(Self { subject, key, table })
    }

    /// What the table is to judge.
    fn tabled(&self) -> Option<(&KeyTable, &Passport)> {
        Some((self.table.as_deref()?, self.subject.passport.as_deref()?))
    }

    fn settle(&mut self, by_table: Option<bool>, tables: &TableCache, cross_check: bool) {
        let Some(passport) = &self.subject.passport else { return };
        match check(&self.key.key, passport, by_table, cross_check) {
            Ok(()) => {
                self.subject.examination.pass(rules::SIGNATURE, "");
                if self.key.accepted {
                    tables.note_use(&self.key.key, self.table.as_ref());
                }
            }
            Err(error) => self.subject.examination.fail(rules::SIGNATURE, error),
        }
    }
}

/// What the tables say of each; nothing where there is none.
fn by_tables(open: &[Open<'_>]) -> Vec<Option<bool>> {
    if let [alone] = open {
        let verify = |(table, passport): (&KeyTable, &Passport)| {
            table.verify(passport.signing_input(), passport.signature()).is_ok()
        };
        return vec![alone.tabled().map(verify)];
    }
    let mut verdicts = vec![None; open.len()];
    let mut batch = Batch::new();
    let mut places = Vec::with_capacity(open.len());
    for (place, own) in open.iter().enumerate() {
        let Some((table, passport)) = own.tabled() else { continue };
        match Signature::from_bytes(passport.signature()) {
            Ok(signature) => {
                batch.push(table, Digest::of(passport.signing_input()), signature);
                places.push(place);
            }
            Err(_) => verdicts[place] = Some(false),
        }
    }
    for (place, outcome) in places.into_iter().zip(batch.verify()) {
        verdicts[place] = Some(outcome.is_ok());
    }
    verdicts
}

/// Whether a PASSporT's signature is the key's, of which a table may have judged.
///
/// # Errors
/// What is known of a signature that is not: its form where that is wrong, else that it does not verify. The same
/// whichever way it was verified.
fn check(key: &[u8; 65], passport: &Passport, by_table: Option<bool>, cross_check: bool) -> Result<(), Error> {
    let (signing_input, signature) = (passport.signing_input(), passport.signature());
    if signature.len() != Signature::BYTES {
        return Err(Error::InvalidSignature { reason: wrong_length(key, signing_input, signature) });
    }
    let by_library = || UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(signing_input, signature).is_ok();
    let holds = match by_table {
        Some(by_table) if cross_check => agreed(by_table, by_library())?,
        Some(by_table) => by_table,
        None => by_library(),
    };
    let mismatch =
        || Error::InvalidSignature { reason: "the certificate's key did not make it over these bytes".into() };
    holds.then_some(()).ok_or_else(mismatch)
}

/// What both say; a signature that they judge differently is nobody's.
const fn agreed(by_table: bool, by_library: bool) -> Result<bool, Error> {
    if by_table == by_library { Ok(by_table) } else { Err(Error::VerifiersDisagree { tables: by_table }) }
}

/// G10: OpenSSL's DER form is the usual mistake; say so, and whether it would verify.
fn wrong_length(key: &[u8], signing_input: &[u8], signature: &[u8]) -> String {
    let length = signature.len();
    let plain = format!("it has {length} bytes; ES256 has 64, r and s of 32 each");
    if signature.first() != Some(&0x30) || !(8..=72).contains(&length) {
        return plain;
    }
    let der = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(signing_input, signature);
    match der {
        Ok(()) => format!("{plain}. This is the DER form, and the key is right: write r and s raw"),
        Err(_) => format!("{plain}. This looks like the DER form, and the key did not make it either"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_two_verifiers_judge_differently_is_refused_loudly() {
        assert_eq!((agreed(true, true), agreed(false, false)), (Ok(true), Ok(false)));
        for tables in [true, false] {
            let error = agreed(tables, !tables).unwrap_err();
            assert_eq!((error.kind(), error.row()), ("VerifiersDisagree", "H26"));
            assert!(error.to_string().contains("fault of stirtrace"), "{error}");
        }
    }
}
