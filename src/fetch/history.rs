//! Which certificate lay at a URL at which time: how a call of long ago is verified by the certificate of its day.
//!
//! An archive keeps `@history/urls/<SHA-256 of the URL>.jsonl`, a line for each span in which one body was seen there, and
//! the bodies as `@history/bodies/<SHA-256>`. No host is named `@history`, so it stands beside the archive's own folders.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::certificate::der::hexadecimal;
use crate::certificate::sha256;
use crate::fetch::sealed::{parse_hash, seal, unseal};
use crate::time::UnixTime;

/// What was seen at one URL, in the order in which it was first seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// One body each; never empty between two of the same body.
    pub spans: Vec<Span>,
    /// How many lines were damaged and passed over.
    pub damaged: usize,
}

/// One body, seen at a URL from one instant to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The SHA-256 of the body.
    pub sha256: [u8; 32],
    /// When it was first seen there.
    pub first_seen: UnixTime,
    /// When it was last seen there.
    pub last_seen: UnixTime,
}

/// A line as it stands.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    url: String,
    sha256: String,
    first_seen: String,
    last_seen: String,
}

impl History {
    /// How many spans a URL may have: whoever answers otherwise each time is not followed for ever.
    pub const MAX_SPANS: usize = 1000;

    /// Reads the lines about a URL; damaged ones and those about others are counted and passed over.
    #[must_use]
    pub fn parse(url: &str, bytes: &[u8]) -> Self {
        let mut history = Self::default();
        for line in bytes.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            match Self::span(url, line) {
                Some(span) if history.spans.len() < Self::MAX_SPANS => history.spans.push(span),
                _ => history.damaged += 1,
            }
        }
        history.spans.sort_by_key(|span| (span.first_seen, span.last_seen, span.sha256));
        history
    }

    fn span(url: &str, line: &[u8]) -> Option<Span> {
        let line: Line = serde_json::from_str(unseal(line)?).ok()?;
        let span = Span {
            sha256: parse_hash(&line.sha256)?,
            first_seen: UnixTime::parse_rfc3339(&line.first_seen).ok()?,
            last_seen: UnixTime::parse_rfc3339(&line.last_seen).ok()?,
        };
        (key(&line.url) == key(url) && span.first_seen <= span.last_seen).then_some(span)
    }

    /// The lines that [`Self::parse`] reads.
    #[must_use]
    pub fn print(&self, url: &str) -> String {
        let mut text = String::new();
        for span in &self.spans {
            let line = Line {
                url: url.to_owned(),
                sha256: hexadecimal(&span.sha256),
                first_seen: span.first_seen.to_string(),
                last_seen: span.last_seen.to_string(),
            };
            text.push_str(&seal(&serde_json::to_string(&line).unwrap_or_default()));
            text.push('\n');
        }
        text
    }

    /// Notes that a body was seen at an instant; whether that says anything new.
    pub fn see(&mut self, sha256: [u8; 32], at: UnixTime) -> bool {
        if let Some(last) = self.spans.last_mut().filter(|last| last.sha256 == sha256) {
            // A clock that went back tells nothing.
            let is_news = at > last.last_seen;
            last.last_seen = last.last_seen.max(at);
            return is_news;
        }
        if self.spans.iter().any(|span| span.sha256 == sha256 && (span.first_seen..=span.last_seen).contains(&at)) {
            return false;
        }
        if self.spans.len() >= Self::MAX_SPANS {
            return false;
        }
        self.spans.push(Span { sha256, first_seen: at, last_seen: at });
        self.spans.sort_by_key(|span| (span.first_seen, span.last_seen, span.sha256));
        true
    }

    /// The bodies that may have lain there at an instant, the likeliest first.
    ///
    /// Certain is only what was seen before and after. Between the last sight of one body and the first of the next nobody
    /// knows when they changed: whichever was seen nearer comes first, and a signature tells.
    #[must_use]
    pub fn candidates(&self, at: UnixTime) -> Vec<[u8; 32]> {
        let distance = |span: &Span| {
            let before = span.first_seen.seconds_since(at).max(0);
            before.max(at.seconds_since(span.last_seen).max(0))
        };
        let mut spans: Vec<&Span> = self.spans.iter().collect();
        // Of two that were seen alike, the later: it was put there in place of the other.
        spans.sort_by_key(|span| (distance(span), std::cmp::Reverse(span.first_seen)));
        let mut hashes: Vec<[u8; 32]> = Vec::new();
        for span in spans {
            if !hashes.contains(&span.sha256) {
                hashes.push(span.sha256);
            }
        }
        hashes
    }
}

/// The folder of histories in an archive.
pub const FOLDER: &str = "@history";

/// Where an archive keeps what it knows of a URL, relative to its folder.
#[must_use]
pub fn url_file(url: &str) -> PathBuf {
    let name = format!("{}.jsonl", hexadecimal(&sha256(key(url).as_bytes())));
    [FOLDER, "urls", &name].iter().collect()
}

/// Where an archive keeps a body, relative to its folder.
#[must_use]
pub fn body_file(sha256: &[u8; 32]) -> PathBuf {
    [FOLDER, "bodies", &hexadecimal(sha256)].iter().collect()
}

/// One text for all spellings of a URL: host in lower case, no port where it is 443 (RFC 3986 §6.2.2.1, §6.2.3).
fn key(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    format!("{}{path}", authority.strip_suffix(":443").unwrap_or(&authority))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{History, body_file, url_file};
    use crate::time::UnixTime;

    const URL: &str = "https://certificates.example/a.pem";

    const fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(1_777_896_000 + seconds)
    }

    fn history(seen: &[(u8, i64)]) -> History {
        let mut history = History::default();
        for (body, seconds) in seen {
            history.see([*body; 32], at(*seconds));
        }
        history
    }

    fn candidates(history: &History, seconds: i64) -> Vec<u8> {
        history.candidates(at(seconds)).iter().map(|hash| hash[0]).collect()
    }

    #[test]
    fn the_body_of_the_day_comes_first() {
        // 1 was seen from 0 to 100, 2 from 200 to 300, then 1 again.
        let history = history(&[(1, 0), (1, 100), (2, 200), (2, 300), (1, 400)]);
        assert_eq!(history.spans.len(), 3);
        for (seconds, expected) in [
            (-1000, [1, 2]),
            (0, [1, 2]),
            (50, [1, 2]),
            (120, [1, 2]),
            (150, [2, 1]),
            (199, [2, 1]),
            (250, [2, 1]),
            (320, [2, 1]),
            (380, [1, 2]),
            (9999, [1, 2]),
        ] {
            assert_eq!(candidates(&history, seconds), expected, "at {seconds}");
        }
    }

    #[test]
    fn seeing_the_same_again_lengthens_its_span() {
        let mut history = history(&[(1, 0)]);
        assert!(!history.see([1; 32], at(0)));
        assert!(history.see([1; 32], at(5)));
        assert!(!history.see([1; 32], at(-5)), "a clock that went back");
        assert_eq!(history.spans.len(), 1);
    }

    #[test]
    fn a_damaged_line_costs_itself_only() {
        let history = history(&[(1, 0), (2, 100), (3, 200)]);
        let mut bytes = history.print(URL).into_bytes();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let read = History::parse(URL, &bytes);
        assert_eq!((read.spans.len(), read.damaged), (2, 1));
        let torn = History::parse(URL, &history.print(URL).as_bytes()[..bytes.len() - 3]);
        assert_eq!((torn.spans.len(), torn.damaged), (2, 1));
        assert_eq!(History::parse("https://other.example/", history.print(URL).as_bytes()).spans, []);
    }

    #[test]
    fn one_url_has_one_place() {
        // RFC 3986 §6.2.2.1, §6.2.3.
        assert_eq!(url_file(URL), url_file("HTTPS://Certificates.Example:443/a.pem"));
        assert_ne!(url_file(URL), url_file("https://certificates.example:8443/a.pem"));
        assert_ne!(url_file(URL), url_file("https://certificates.example/A.pem"));
        assert!(body_file(&[0xab; 32]).ends_with("ab".repeat(32)));
    }

    #[test]
    fn a_url_that_answers_otherwise_each_time_is_not_followed_for_ever() {
        let mut history = History::default();
        for seconds in 0..2 * i64::try_from(History::MAX_SPANS).unwrap() {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&seconds.to_be_bytes());
            history.see(hash, at(seconds));
        }
        assert_eq!(history.spans.len(), History::MAX_SPANS);
        assert_eq!(History::parse(URL, history.print(URL).as_bytes()).spans, history.spans);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(seen in proptest::collection::vec((0u8..4, -1000i64..1000), 0..30)) {
            let history = history(&seen);
            let read = History::parse(URL, history.print(URL).as_bytes());
            prop_assert_eq!(&read.spans, &history.spans);
            for (body, seconds) in seen {
                prop_assert!(candidates(&read, seconds).contains(&body));
            }
        }
    }
}
