//! Private keys in PEM: PKCS#8 (RFC 5958) and SEC1 (RFC 5915), P-256 only (C7).

use p256::SecretKey;
use p256::ecdsa::SigningKey;
use p256::pkcs8::DecodePrivateKey as _;

use crate::certificate::bundle::blocks;
use crate::sign::Error;

/// The first private key of a PEM text; other blocks, such as OpenSSL's EC PARAMETERS, are passed over.
pub(super) fn read(pem: &[u8]) -> Result<SigningKey, Error> {
    if pem.len() > MAX_BYTES {
        return Err(Error::PrivateKeyTooLong { limit: MAX_BYTES });
    }
    let block = blocks(pem).find(|block| block.label.ends_with("PRIVATE KEY")).ok_or(Error::NoPrivateKey)?;
    if block.label == "ENCRYPTED PRIVATE KEY" {
        return Err(Error::EncryptedPrivateKey);
    }
    let unusable = |reason: String| Error::UnusablePrivateKey { reason };
    // OpenSSL's older encrypted form has header lines in the block, which are no base64.
    let der = block.decode().map_err(|_| unusable("the block is no base64, or encrypted".to_owned()))?;
    let key = match block.label.as_str() {
        "PRIVATE KEY" => SecretKey::from_pkcs8_der(&der).map_err(|error| unusable(error.to_string()))?,
        "EC PRIVATE KEY" => SecretKey::from_sec1_der(&der).map_err(|error| unusable(error.to_string()))?,
        label => return Err(unusable(format!("it is an {label}"))),
    };
    Ok(SigningKey::from(key))
}

/// A P-256 key has some 250 bytes in PEM; text may stand around it.
const MAX_BYTES: usize = 64 * 1024;
