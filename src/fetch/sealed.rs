//! Lines that carry their own SHA-256, so that a damaged one is known and passed over.

use std::fmt::Write;

use crate::certificate::der::hexadecimal;
use crate::certificate::sha256;

/// The line for a text without line ends: its hash, a blank, the text.
pub(super) fn seal(text: &str) -> String {
    let mut line = hexadecimal(&sha256(text.as_bytes()));
    // Writing to a string does not fail.
    let _ = write!(line, " {text}");
    line
}

/// The text of a line that is as it was sealed.
pub(super) fn unseal(line: &[u8]) -> Option<&str> {
    let (hash, rest) = line.split_at_checked(HASH_DIGITS)?;
    let text = rest.strip_prefix(b" ")?;
    (hexadecimal(&sha256(text)).as_bytes() == hash).then_some(text).and_then(|text| std::str::from_utf8(text).ok())
}

/// A hash as files are named by it.
pub(super) fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let is_hash = digits.len() == HASH_DIGITS && digits.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let mut hash = [0; 32];
    for (octet, pair) in hash.iter_mut().zip(text.get(..).filter(|_| is_hash)?.as_bytes().chunks_exact(2)) {
        *octet = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
    }
    Some(hash)
}

const HASH_DIGITS: usize = 64;
