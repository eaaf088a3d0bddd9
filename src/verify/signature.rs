//! The ES256 signature of a PASSporT (RFC 7518 §3.4; A3, G10).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use crate::es256::{Signature, TableCache};
use crate::verify::error::Error;

/// Whether `signature` is the key's over `signing_input`: by the key's table where it has one, else by the library.
///
/// `key` is the uncompressed point of a P-256 key. With `cross_check` the library judges beside the table.
///
/// # Errors
/// What is known of a signature that is not: its form where that is wrong, else that it does not verify. The same
/// whichever way it was verified.
pub(super) fn check(
    key: &[u8; 65],
    signing_input: &[u8],
    signature: &[u8],
    tables: &TableCache,
    cross_check: bool,
) -> Result<(), Error> {
    if signature.len() != Signature::BYTES {
        return Err(Error::InvalidSignature { reason: wrong_length(key, signing_input, signature) });
    }
    let by_library = || UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(signing_input, signature).is_ok();
    let holds = match tables.table(key).map(|table| table.verify(signing_input, signature).is_ok()) {
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
