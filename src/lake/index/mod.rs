//! The side index of a Parquet file: at which rows a called number or a PASSporT stands.
//!
//! The Parquet file is sorted by the calling number; everybody else that a call concerns is found here. The index is
//! derived: without it, or with one that does not hold together, the same rows are found by reading the columns.
//!
//! ```text
//! blocks of 4096 bytes   entries of called numbers, sorted; then those of PASSporTs
//!     checksum u64 · entries u16 · width of a key u8 · 5 zero bytes
//!     each entry: key less the block's first (width) · start less the base · row
//! fences                 the first key (u64) and start (u32) of each block
//! steps                  calling number (i64) and start (u32) of every 256th row
//! countries              calling numbers without their last ten digits (i64), each once
//! footer of 128 bytes    counts, widths, base, the Parquet file's identity, checksums
//! ```
//!
//! Integers are little-endian. A number's key is that of its last ten digits, so that forms with and without a country
//! code meet; a PASSporT's is [`Wanted::token_key`](super::Wanted).

mod build;
mod footer;
mod lookup;
#[cfg(test)]
mod tests;

pub(in crate::lake) use build::{IndexBuilder, IndexedRow};
pub(in crate::lake) use lookup::{CallingNumber, Index, IndexFault, Keyed, united};

/// The identity of the Parquet file that an index belongs to: the SHA-256 in its name.
pub(in crate::lake) type DataId = [u8; 32];

/// Bytes of a block: what the system reads at once anyway.
const BLOCK: usize = 4096;
/// Bytes before a block's entries.
const BLOCK_HEAD: usize = 16;
/// Bytes of a fence or a step.
const FENCE: usize = 12;
/// Rows from one step to the next.
const STEP: u32 = 256;
/// More countries are not listed; numbers of ten digits are then looked for among all rows.
const MAX_COUNTRIES: usize = 1024;
/// The calling number of rows that have none: they stand first.
const NO_NUMBER: i64 = i64::MIN;
/// Ten digits.
const TEN_DIGITS: i64 = 10_000_000_000;

/// Tells damage, not malice: who can write the index can write the records. Any one changed word is seen.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0x9e37_79b9_7f4a_7c15 ^ u64::try_from(bytes.len()).unwrap_or_default();
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    for word in words.iter().chain([&last]) {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29);
    }
    sum
}
