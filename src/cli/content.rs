//! What an input is, told from its first bytes.

use std::io::{self, Read};

use crate::capture::is_capture;
use crate::identity_header::strip_name;

/// What an input holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// Bytes that are no text and nothing else that is known.
    Binary,
    /// pcap, pcapng or HEP.
    Capture,
    /// gzip, zstd and the like.
    Compressed,
    /// DER: a SEQUENCE that fills what is there.
    Der,
    /// Nothing, or nothing but white space.
    Empty,
    /// Identity values, one a line.
    Identities,
    /// JSON objects, one a line.
    JsonLines,
    /// PEM blocks.
    Pem,
    /// SIP messages.
    Sip,
    /// Text in UTF-16.
    WideText,
}

impl Content {
    /// What begins with these bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        // pcapng's magic reads as line ends, so magics come before white space is skipped.
        if is_capture(head) {
            return Self::Capture;
        }
        if COMPRESSED.iter().any(|magic| head.starts_with(magic)) {
            return Self::Compressed;
        }
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Self::WideText;
        }
        let head = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        let first_line = head.split(|c| *c == b'\n').next().unwrap_or_default().trim_ascii_end();
        if head.is_empty() {
            Self::Empty
        } else if is_start_line(first_line) {
            Self::Sip
        } else if head[0] == b'{' {
            Self::JsonLines
        } else if is_der(head) {
            Self::Der
        } else if has_pem(head) {
            Self::Pem
        } else if is_binary(head) {
            Self::Binary
        } else {
            Self::Identities
        }
    }
}

/// UTF-8's byte order mark, which some editors put before text.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"PK\x03\x04"];

/// RFC 3261 §7.1 and §7.2: a request line ends in the version, a status line begins with it.
fn is_start_line(line: &[u8]) -> bool {
    let starts = |text: &[u8]| text.get(..4).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/"));
    let mut words = line.split(|c| *c == b' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let last = words.next_back().unwrap_or_default();
    starts(first) || (starts(last) && !first.ends_with(b":") && !first.contains(&b';'))
}

/// A SEQUENCE with a length in the long form: certificates and CRLs have no shorter one.
fn is_der(head: &[u8]) -> bool {
    matches!(head, [0x30, 0x80..=0x84, ..])
}

/// Whether a PEM block begins in it.
pub(crate) fn has_pem(head: &[u8]) -> bool {
    head.split(|c| *c == b'\n').any(|line| line.starts_with(b"-----BEGIN "))
}

/// Text has hardly any control character; one here and there is a fault of its line.
fn is_binary(head: &[u8]) -> bool {
    let strange = head.iter().filter(|c| **c < 0x20 && !matches!(**c, b'\t' | b'\r' | b'\n')).count();
    strange * 10 > head.len()
        || (std::str::from_utf8(head).is_err_and(|fault| fault.error_len().is_some()) && strange * 50 > head.len())
}

/// Whether a line of a file that nobody named looks like an Identity value: it has the field's name, or a token's dots.
pub(crate) fn looks_like_identity(head: &[u8]) -> bool {
    let line = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    let line = String::from_utf8_lossy(line.split(|c| *c == b'\n').next().unwrap_or_default());
    let token = line.split([';', ' ', '\t', '\r']).next().unwrap_or_default();
    strip_name(&line).is_some() || token.starts_with("eyJ") || token.bytes().filter(|c| *c == b'.').count() == 2
}

/// An input with its first bytes looked at.
pub(crate) struct Peeked<R> {
    head: Vec<u8>,
    rest: R,
}

impl<R: Read> Peeked<R> {
    /// Reads until a first line that is not blank is complete, or enough is there.
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut chunk = vec![0; PEEK_BYTES];
        // A live capture shows its magic long before its first line.
        while head.len() < PEEK_BYTES && !has_whole_line(&head) && !is_capture(&head) {
            let length = match reader.read(&mut chunk) {
                Err(reason) if reason.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if length == 0 {
                break;
            }
            head.extend_from_slice(&chunk[..length]);
        }
        Ok(Self { head, rest: reader })
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// All bytes from the start.
    pub(crate) fn into_reader(self) -> impl Read {
        io::Cursor::new(self.head).chain(self.rest)
    }
}

fn has_whole_line(head: &[u8]) -> bool {
    head.trim_ascii_start().contains(&b'\n')
}

const PEEK_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_from_the_first_bytes() {
        let cases: [(&[u8], Content); 17] = [
            (b"", Content::Empty),
            (b" \r\n\n", Content::Empty),
            (b"\r\nINVITE sip:x@y.example SIP/2.0\r\n", Content::Sip),
            (b"SIP/2.0 200 OK\r\n", Content::Sip),
            (b"Via: x SIP/2.0\r\n", Content::Identities),
            (b"\xef\xbb\xbf{\"identity\":\"a.b.c\"}\n", Content::JsonLines),
            (b"-----BEGIN CERTIFICATE-----\n", Content::Pem),
            (b"Certificate:\n  Data:\n-----BEGIN CERTIFICATE-----\n", Content::Pem),
            (b"\x30\x82\x02\x11\x30", Content::Der),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", Content::Capture),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", Content::Capture),
            (b"\x1f\x8b\x08\0", Content::Compressed),
            (b"\xff\xfea\0", Content::WideText),
            (b"\0\0\0\x01abc", Content::Binary),
            (b"Identity: a.b.c;info=<x>\n", Content::Identities),
            (b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln", Content::Identities),
            (b"a.b\0.ccccccccccccccccccccccccccccc;info=<x>\n", Content::Identities),
        ];
        for (head, content) in cases {
            assert_eq!(Content::of(head), content, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_readme_in_a_folder_does_not_look_like_identity() {
        for text in ["# Calls", "sha256\trole\n", "See example.com.\n"] {
            assert!(!looks_like_identity(text.as_bytes()), "{text}");
        }
        for text in ["Identity: x", "y:x", "eyJ0", "a.b.c;info=<x>"] {
            assert!(looks_like_identity(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn peeking_loses_nothing() {
        let text = b"\n\nfirst\nsecond\n";
        let peeked = Peeked::new(&text[..]).unwrap();
        let mut all = Vec::new();
        peeked.into_reader().read_to_end(&mut all).unwrap();
        assert_eq!(all, text);
    }
}
