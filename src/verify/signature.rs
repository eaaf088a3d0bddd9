//! The ES256 signature of a PASSporT (RFC 7518 §3.4; A3, G10).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// Whether `signature` is the key's over `signing_input`.
///
/// `key` is the uncompressed point of a P-256 key, 65 bytes.
///
/// # Errors
/// What is known of a signature that is not: its form where that is wrong, else that it does not verify.
pub(super) fn check(key: &[u8], signing_input: &[u8], signature: &[u8]) -> Result<(), String> {
    if signature.len() != SIGNATURE_BYTES {
        return Err(wrong_length(key, signing_input, signature));
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(signing_input, signature)
        .map_err(|_| "the certificate's key did not make it over these bytes".to_owned())
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

const SIGNATURE_BYTES: usize = 64;
