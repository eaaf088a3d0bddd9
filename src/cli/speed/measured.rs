//! What was measured of one setting.

use serde::Serialize;

use crate::cli::printer::Present;
use crate::cli::text::{Text, Tone, grouped};

/// Microseconds for each signature or call, and how many times faster than the library that is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measured {
    pub(super) keys: u32,
    pub(super) threads: usize,
    /// A bare signature by the library, its key parsed.
    pub(super) backend_us: f64,
    /// A bare signature by the key's table.
    pub(super) single_us: f64,
    /// The same, 32 verified together.
    pub(super) batch_us: f64,
    /// How many times faster than the library's.
    pub(super) ratio_single: f64,
    pub(super) ratio_batch: f64,
    /// From the header's text to the verdict, the signature by the library.
    pub(super) verify_backend_us: f64,
    /// The same, the signature by the table.
    pub(super) verify_us: f64,
    /// The same, 32 calls judged together.
    pub(super) verify_batch_us: f64,
    /// How many times faster than with the library.
    pub(super) ratio_verify: f64,
    pub(super) ratio_verify_batch: f64,
    /// The tables of all keys.
    pub(super) table_bytes: usize,
    pub(super) rounds: usize,
}

impl Present for Measured {
    const COLUMNS: &'static [&'static str] = &[
        "keys",
        "threads",
        "backend_us",
        "single_us",
        "batch_us",
        "ratio_single",
        "ratio_batch",
        "verify_backend_us",
        "verify_us",
        "verify_batch_us",
        "ratio_verify",
        "ratio_verify_batch",
        "table_bytes",
        "rounds",
    ];

    fn text(&self, text: &mut Text) {
        let count = |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
        let keys = count(usize::try_from(self.keys).unwrap_or(usize::MAX), "key");
        text.put(Tone::Strong, format_args!("{keys}, {}", count(self.threads, "thread")));
        let kibibytes = u64::try_from(self.table_bytes / 1024).unwrap_or(u64::MAX);
        text.put(Tone::Faint, format_args!("  tables of {} KiB", grouped(kibibytes))).end();
        let lines = [
            ("signature, aws-lc-rs", self.backend_us, None),
            ("signature, table", self.single_us, Some(self.ratio_single)),
            ("signature, table, 32 together", self.batch_us, Some(self.ratio_batch)),
            ("header to verdict, aws-lc-rs", self.verify_backend_us, None),
            ("header to verdict, table", self.verify_us, Some(self.ratio_verify)),
            ("header to verdict, 32 together", self.verify_batch_us, Some(self.ratio_verify_batch)),
        ];
        for (name, microseconds, ratio) in lines {
            text.plain(format_args!("  {name:<30} {microseconds:>9.2} us {:>11}/s", grouped(a_second(microseconds))));
            if let Some(ratio) = ratio {
                text.put(Tone::Good, format_args!("  {ratio:>5.2} times"));
            }
            text.end();
        }
        text.end();
    }
}

/// How many a second.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^63"
)]
fn a_second(microseconds: f64) -> u64 {
    (1e6 / microseconds).round() as u64
}
