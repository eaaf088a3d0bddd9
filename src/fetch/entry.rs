//! What is kept on disk about the answer of one URL (RFC 9111 §3): a line of JSON that carries its own hash.

use serde::{Deserialize, Serialize};

use crate::certificate::der::hexadecimal;
use crate::fetch::freshness::{Headers, Validity};
use crate::fetch::sealed::{parse_hash, seal, unseal};
use crate::time::UnixTime;

/// What is known of the answer of one URL, besides its body.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Where it came from.
    pub url: String,
    /// The SHA-256 of its body.
    pub sha256: [u8; 32],
    /// How many bytes the body has.
    pub length: usize,
    /// When the body came.
    pub fetched_at: UnixTime,
    /// Until when it serves.
    pub validity: Validity,
    /// By what it is asked for again.
    pub headers: Headers,
}

/// The line as it stands; times are RFC 3339.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    url: String,
    sha256: String,
    length: usize,
    fetched_at: String,
    answered_at: String,
    fresh_until: String,
    stale_until: Option<String>,
    #[serde(default)]
    headers: Headers,
}

impl Entry {
    /// The line that [`Self::parse`] reads.
    #[must_use]
    pub fn print(&self) -> String {
        let Validity { answered_at, fresh_until, stale_until } = self.validity;
        let line = Line {
            url: self.url.clone(),
            sha256: hexadecimal(&self.sha256),
            length: self.length,
            fetched_at: self.fetched_at.to_string(),
            answered_at: answered_at.to_string(),
            fresh_until: fresh_until.to_string(),
            stale_until: stale_until.map(|end| end.to_string()),
            headers: self.headers.clone(),
        };
        // Strings, numbers and a list of them: nothing of it can fail to be written.
        seal(&serde_json::to_string(&line).unwrap_or_default()) + "\n"
    }

    /// Reads a file of one line.
    ///
    /// # Errors
    /// When it is not as it was written, be it by one byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let text = bytes.strip_suffix(b"\n").and_then(unseal).ok_or(Damage::NotAsWritten)?;
        let line: Line = serde_json::from_str(text).map_err(|_| Damage::NoEntry)?;
        let time = |text: &str| UnixTime::parse_rfc3339(text).map_err(|_| Damage::NoEntry);
        Ok(Self {
            sha256: parse_hash(&line.sha256).ok_or(Damage::NoEntry)?,
            length: line.length,
            fetched_at: time(&line.fetched_at)?,
            validity: Validity {
                answered_at: time(&line.answered_at)?,
                fresh_until: time(&line.fresh_until)?,
                stale_until: line.stale_until.as_deref().map(time).transpose()?,
            },
            headers: line.headers,
            url: line.url,
        })
    }
}

/// Why what lies on disk is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is whole, and says nothing that this version reads.
    #[error("it is no entry of this version")]
    NoEntry,
    /// Its hash is another's.
    #[error("it is not as it was written")]
    NotAsWritten,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Damage, Entry};
    use crate::fetch::freshness::{Headers, Rule};
    use crate::time::UnixTime;

    fn entry() -> Entry {
        let now = UnixTime::from_seconds(1_777_896_000);
        let headers = Headers::read([("ETag", b"\"1\"".as_slice()), ("Cache-Control", b"max-age=9")]);
        Entry {
            url: "https://certificates.example/a.pem".to_owned(),
            sha256: [7; 32],
            length: 1234,
            fetched_at: now,
            validity: headers.validity(&Rule::CERTIFICATE, now, now, None),
            headers,
        }
    }

    #[test]
    fn an_entry_reads_as_it_was_written() {
        assert_eq!(Entry::parse(entry().print().as_bytes()), Ok(entry()));
        let mut kept = entry();
        kept.validity.stale_until = None;
        assert_eq!(Entry::parse(kept.print().as_bytes()), Ok(kept));
    }

    #[test]
    fn no_torn_entry_and_no_flipped_bit_is_read() {
        let whole = entry().print().into_bytes();
        for length in 0..whole.len() {
            assert_eq!(Entry::parse(&whole[..length]), Err(Damage::NotAsWritten), "{length} bytes");
        }
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << bit;
                assert_eq!(Entry::parse(&flipped), Err(Damage::NotAsWritten), "byte {place} bit {bit}");
            }
        }
    }

    #[test]
    fn another_version_is_no_entry() {
        let line = super::seal("{\"version\":2}") + "\n";
        assert_eq!(Entry::parse(line.as_bytes()), Err(Damage::NoEntry));
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_as_it_was(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Entry::parse(&bytes).is_err());
        }
    }
}
