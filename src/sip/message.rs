//! A SIP message as received: start line, header fields and body, each with its bytes and its place (RFC 3261 §7).
//!
//! The scanner is lossless: [`Message::print`] puts the parts together again and gives the bytes that came in.

use std::borrow::Cow;
use std::ops::Range;

use crate::sip::scanner::{Framing, Scanner, is_token, is_version};

/// One message; its parts are spans of the bytes as received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) start_line: StartLine,
    pub(super) start_line_span: Range<usize>,
    pub(super) fields: Vec<Field>,
    pub(super) lines: Vec<Line>,
    pub(super) separator: Range<usize>,
    pub(super) faults: Vec<Fault>,
    pub(super) line: usize,
    pub(super) offset: usize,
}

impl Message {
    /// The most bytes of start line and header fields together.
    pub const MAX_HEADER_BYTES: usize = 4 << 20;
    /// The most header fields; more than any verifier judges, few enough to hold.
    pub const MAX_FIELDS: usize = 4096;
    /// The most bytes of one header field, its folds included.
    pub const MAX_FIELD_BYTES: usize = 256 << 10;

    /// Reads the message at the start of `bytes` and tells how many bytes it takes, keep-alives before it included.
    ///
    /// Without `Content-Length` the body is the rest, as in a datagram (RFC 3261 §18.3).
    ///
    /// # Errors
    /// When there is no start line, a limit is passed, or `Content-Length` says what cannot be.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut scanner = Scanner::new(bytes);
        let message = scanner.message(Framing::Datagram).map_err(|failure| failure.error)?;
        Ok((message, scanner.position))
    }

    /// Reads what a packet cut short still shows: as [`Message::parse`], but a body shorter than `Content-Length` is
    /// a [`Fault`].
    ///
    /// # Errors
    /// As [`Message::parse`], except for [`Error::BodyTruncated`].
    pub fn parse_truncated(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut scanner = Scanner::new(bytes);
        let message = scanner.message(Framing::CutShort).map_err(|failure| failure.error)?;
        Ok((message, scanner.position))
    }

    /// The first line, read.
    #[must_use]
    pub fn start_line(&self) -> &StartLine {
        &self.start_line
    }

    /// The header fields in order.
    pub fn fields(&self) -> impl Iterator<Item = FieldRef<'_>> {
        self.fields.iter().map(|field| FieldRef { message: self, field })
    }

    /// The fields of one name, in order; `name` is the long form, in any case.
    pub fn fields_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = FieldRef<'a>> {
        self.fields().filter(move |field| field.name().eq_ignore_ascii_case(name))
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.separator.end..).unwrap_or_default()
    }

    /// How many bytes the message has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// What is wrong with the message without making it unreadable.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Where the start line begins in the bytes that were read, from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The number of the start line in the bytes that were read, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The message put together from its parts: the bytes that were read, from the start line on.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let mut printed = self.slice(&self.start_line_span).to_vec();
        for line in &self.lines {
            match line {
                Line::Field(index) => {
                    printed.extend_from_slice(self.fields.get(*index).map_or(&[], |field| self.slice(&field.span)));
                }
                Line::Unreadable(span) => printed.extend_from_slice(self.slice(span)),
            }
        }
        printed.extend_from_slice(self.slice(&self.separator));
        printed.extend_from_slice(self.body());
        printed
    }

    fn slice(&self, span: &Range<usize>) -> &[u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }
}

/// All messages of a file or a stream, one after the other, by `Content-Length`; without it a message ends where the
/// next start line begins. After an unreadable message the next start line goes on.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Found> + '_ {
    let mut scanner = Scanner::new(bytes);
    std::iter::from_fn(move || {
        scanner.skip_blank();
        if scanner.rest().is_empty() {
            return None;
        }
        let (offset, line) = (scanner.position, scanner.line);
        let message = scanner.message(Framing::File).map_err(|failure| {
            scanner.advance_to(failure.resume.max(offset + 1));
            scanner.skip_to_start_line();
            failure.error
        });
        Some(Found { offset, line, message })
    })
}

/// A message, or what stands where one should be, with its place in the file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// Bytes before it.
    pub offset: usize,
    /// The number of its first line, from 1.
    pub line: usize,
    /// The message, or why there is none.
    pub message: Result<Message, Error>,
}

/// The first line of a message (RFC 3261 §7.1, §7.2); bytes that are no UTF-8 are shown as replacement characters.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StartLine {
    /// A request.
    Request {
        /// `INVITE` and the like, as written: methods are case-sensitive.
        method: String,
        /// Who is asked.
        uri: String,
        /// `SIP/2.0`.
        version: String,
    },
    /// A response.
    Response {
        /// `SIP/2.0`.
        version: String,
        /// The status code.
        code: u16,
        /// The reason phrase, perhaps empty.
        phrase: String,
    },
}

impl StartLine {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let (first, rest) = text.split_once(' ')?;
        let rest = rest.trim();
        if is_version(first) {
            let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
            let code = (code.len() == 3 && code.bytes().all(|c| c.is_ascii_digit())).then(|| code.parse().ok())??;
            return Some(Self::Response { version: first.to_owned(), code, phrase: phrase.trim().to_owned() });
        }
        let (uri, version) = rest.rsplit_once(' ')?;
        let uri = uri.trim();
        if !is_version(version) || uri.is_empty() || !is_token(first.as_bytes()) {
            return None;
        }
        Some(Self::Request { method: first.to_owned(), uri: uri.to_owned(), version: version.to_owned() })
    }
}

/// One header field of a message, with its place.
#[derive(Clone, Copy, Debug)]
pub struct FieldRef<'a> {
    message: &'a Message,
    field: &'a Field,
}

impl<'a> FieldRef<'a> {
    /// The long name in lower case, whatever form was written: `identity` for `Identity`, `IDENTITY` and `y`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.field.name
    }

    /// The name as written.
    #[must_use]
    pub fn original_name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.message.slice(&self.field.written))
    }

    /// The value as received, folds included, without the white space around it.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.message.slice(&self.field.value)
    }

    /// The value with each fold replaced by one space (RFC 3261 §7.3.1); what is no UTF-8 shows as replacement
    /// characters.
    #[must_use]
    pub fn text(&self) -> String {
        unfold(&String::from_utf8_lossy(self.value()))
    }

    /// Where the field begins in the bytes that were read, from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.message.offset + self.field.span.start
    }

    /// Where its value begins in the bytes that were read, from 0.
    #[must_use]
    pub fn value_offset(&self) -> usize {
        self.message.offset + self.field.value.start
    }

    /// The number of its line in the bytes that were read, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.field.line
    }
}

/// What a message gets wrong without becoming unreadable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The body is shorter than `Content-Length`, in a packet known to be cut.
    #[error("the body has {available} of the {declared} bytes that Content-Length announces")]
    BodyCutShort {
        /// What `Content-Length` says.
        declared: usize,
        /// What is there.
        available: usize,
    },
    /// `Content-Length` counts a CR before every LF of the body, but they are gone.
    #[error("Content-Length counts {declared} bytes; line ends were converted and {available} are left")]
    LineEndsConverted {
        /// What `Content-Length` says.
        declared: usize,
        /// What is there.
        available: usize,
    },
    /// No empty line ends the header section.
    #[error("no empty line after the header fields")]
    NoBlankLine,
    /// A line of the header section is no header field; it was passed over.
    #[error("line {line} is no header field")]
    NotAField {
        /// The line, from 1.
        line: usize,
    },
}

/// Why bytes are no SIP message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body is shorter than `Content-Length`.
    #[error("Content-Length announces {declared} bytes, {available} follow")]
    BodyTruncated {
        /// What `Content-Length` says.
        declared: usize,
        /// What is there.
        available: usize,
    },
    /// Two `Content-Length` fields differ.
    #[error("Content-Length is {first} and, in line {line}, {second}")]
    ContentLengthConflict {
        /// The first value.
        first: usize,
        /// The other.
        second: usize,
        /// The line of the other, from 1.
        line: usize,
    },
    /// Nothing but line ends.
    #[error("no message: nothing but empty lines")]
    Empty,
    /// A header field longer than any may be.
    #[error("the header field in line {line} is longer than {limit} bytes")]
    FieldTooLong {
        /// Its line, from 1.
        line: usize,
        /// [`Message::MAX_FIELD_BYTES`].
        limit: usize,
    },
    /// A header section longer than any may be.
    #[error("the header fields take more than {limit} bytes")]
    HeaderTooLong {
        /// [`Message::MAX_HEADER_BYTES`].
        limit: usize,
    },
    /// `Content-Length` is no number of bytes.
    #[error("Content-Length in line {line} is no length: {text:?}")]
    InvalidContentLength {
        /// Its line, from 1.
        line: usize,
        /// What it says, shortened.
        text: String,
    },
    /// The first line is neither a request line nor a status line.
    #[error("line {line} is no SIP start line")]
    NoStartLine {
        /// The line, from 1.
        line: usize,
    },
    /// More header fields than any message may have.
    #[error("more than {limit} header fields")]
    TooManyFields {
        /// [`Message::MAX_FIELDS`].
        limit: usize,
    },
}

/// The long name of a header field in lower case, from its long or compact name (RFC 3261 §7.3.3, RFC 8224 §13.1).
#[must_use]
pub fn long_name(name: &str) -> Cow<'static, str> {
    let name = name.to_ascii_lowercase();
    COMPACT_NAMES.iter().find(|(compact, _)| *compact == name).map_or(Cow::Owned(name), |(_, long)| Cow::Borrowed(long))
}

const COMPACT_NAMES: [(&str, &str); 20] = [
    ("a", "accept-contact"),
    ("b", "referred-by"),
    ("c", "content-type"),
    ("d", "request-disposition"),
    ("e", "content-encoding"),
    ("f", "from"),
    ("i", "call-id"),
    ("j", "reject-contact"),
    ("k", "supported"),
    ("l", "content-length"),
    ("m", "contact"),
    ("n", "identity-info"),
    ("o", "event"),
    ("r", "refer-to"),
    ("s", "subject"),
    ("t", "to"),
    ("u", "allow-events"),
    ("v", "via"),
    ("x", "session-expires"),
    ("y", "identity"),
];

/// Replaces each fold (line end and the white space around it) by one space.
#[must_use]
pub fn unfold(value: &str) -> String {
    let mut unfolded = String::with_capacity(value.len());
    for (index, line) in value.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if index == 0 {
            unfolded.push_str(line);
            continue;
        }
        unfolded.truncate(unfolded.trim_end_matches(is_space).len());
        unfolded.push(' ');
        unfolded.push_str(line.trim_start_matches(is_space));
    }
    let trimmed = unfolded.trim_matches(is_space);
    if trimmed.len() == unfolded.len() { unfolded } else { trimmed.to_owned() }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Field {
    pub(super) name: Cow<'static, str>,
    pub(super) written: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) line: usize,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Line {
    Field(usize),
    Unreadable(Range<usize>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INVITE: &str = "INVITE sip:12155550131@198.51.100.7 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
        f: <sip:12155550112@provider.example>;tag=1\r\n\
        y: eyJhbGciOiJFUzI1NiJ9\r\n  .e30\r\n\t.c2ln;info=<https://cert.example/a.pem>\r\n\
        L: 4\r\n\r\nv=0\n";

    fn fields(message: &Message) -> Vec<(String, String, usize)> {
        message.fields().map(|field| (field.name().to_owned(), field.text(), field.line())).collect()
    }

    #[test]
    fn a_request_is_read_with_compact_names_folds_and_places() {
        // RFC 3261 §7.3.1, §7.3.3; RFC 8224 §13.1 (B4).
        let (message, consumed) = Message::parse(INVITE.as_bytes()).unwrap();
        assert_eq!(consumed, INVITE.len());
        assert!(matches!(message.start_line(), StartLine::Request { method, uri, .. }
            if method == "INVITE" && uri == "sip:12155550131@198.51.100.7"));
        let identity = message.fields_named("Identity").next().unwrap();
        assert_eq!(identity.text(), "eyJhbGciOiJFUzI1NiJ9 .e30 .c2ln;info=<https://cert.example/a.pem>");
        assert_eq!((identity.original_name().as_ref(), identity.line()), ("y", 4));
        assert_eq!(&INVITE[identity.offset()..identity.offset() + 2], "y:");
        assert!(INVITE[identity.value_offset()..].starts_with("eyJ"));
        assert_eq!(fields(&message)[3], ("content-length".to_owned(), "4".to_owned(), 7));
        assert_eq!(message.body(), b"v=0\n");
        assert!(message.faults().is_empty());
    }

    #[test]
    fn line_ends_may_be_mixed_and_keep_alives_come_first() {
        let text = b"\r\n\r\n\nSIP/2.0 180 Ringing now\nTo : <sip:a@b.example>\r\nQ:\n\nrest";
        let (message, consumed) = Message::parse(text).unwrap();
        assert!(
            matches!(message.start_line(), StartLine::Response { code: 180, phrase, .. } if phrase == "Ringing now")
        );
        let expected = [("to".to_owned(), "<sip:a@b.example>".to_owned(), 5), ("q".to_owned(), String::new(), 6)];
        assert_eq!(fields(&message), expected);
        assert_eq!((message.offset(), message.line(), message.body(), consumed), (5, 4, &b"rest"[..], text.len()));
    }

    #[test]
    fn a_line_that_is_no_field_is_a_fault_and_the_rest_goes_on() {
        let text = b"BYE sip:a@b.example SIP/2.0\r\nno colon here\r\nbad name: x\r\n: y\r\nCall-ID: 1\r\n\r\n";
        let (message, _) = Message::parse(text).unwrap();
        assert_eq!(message.faults(), [2, 3, 4].map(|line| Fault::NotAField { line }));
        assert_eq!(fields(&message), [("call-id".to_owned(), "1".to_owned(), 5)]);
        assert_eq!(message.print(), text);
    }

    #[test]
    fn a_missing_empty_line_is_a_fault() {
        let (message, _) = Message::parse(b"BYE sip:a@b.example SIP/2.0\r\nCall-ID: 1").unwrap();
        assert_eq!(message.faults(), [Fault::NoBlankLine]);
        assert_eq!(fields(&message).len(), 1);
    }

    #[test]
    fn content_length_that_cannot_be_is_refused() {
        let parse = |length: &str| {
            let text = format!("BYE sip:a@b.example SIP/2.0\r\nContent-Length: {length}\r\n\r\nabc");
            Message::parse(text.as_bytes()).map(|(message, consumed)| (message.body().to_vec(), text.len() - consumed))
        };
        assert_eq!(parse("3"), Ok((b"abc".to_vec(), 0)));
        assert_eq!(parse("2"), Ok((b"ab".to_vec(), 1)));
        assert_eq!(parse("4"), Err(Error::BodyTruncated { declared: 4, available: 3 }));
        assert_eq!(parse("3\r\nl: 2"), Err(Error::ContentLengthConflict { first: 3, second: 2, line: 3 }));
        assert_eq!(parse("3\r\nl: 3"), Ok((b"abc".to_vec(), 0)));
        for text in ["", "-1", "+3", "0x3", "3 3", "99999999999999999999999"] {
            assert_eq!(parse(text), Err(Error::InvalidContentLength { line: 2, text: text.to_owned() }));
        }
    }

    #[test]
    fn a_packet_cut_short_still_shows_its_fields() {
        let cut = &INVITE.as_bytes()[..INVITE.len() - 2];
        assert_eq!(Message::parse(cut).unwrap_err(), Error::BodyTruncated { declared: 4, available: 2 });
        let (message, _) = Message::parse_truncated(cut).unwrap();
        assert_eq!(message.faults(), [Fault::BodyCutShort { declared: 4, available: 2 }]);
        assert_eq!(message.fields().count(), 4);
    }

    #[test]
    fn messages_of_a_file_follow_each_other() {
        let bye = "BYE sip:a@b.example SIP/2.0\r\nCall-ID: 2\r\n\r\n";
        let file = format!("{INVITE}{bye}\r\nnonsense\nmore\n{INVITE}");
        let found: Vec<Found> = messages(file.as_bytes()).collect();
        let lines: Vec<(usize, bool)> = found.iter().map(|found| (found.line, found.message.is_ok())).collect();
        // BYE has no Content-Length: what follows it up to the next start line is its body.
        assert_eq!(lines, [(1, true), (10, true), (16, true)]);
        assert_eq!(found[1].message.as_ref().unwrap().body(), b"\r\nnonsense\nmore\n");
        let file = format!("{INVITE}nonsense\nmore\n{INVITE}");
        let found: Vec<_> = messages(file.as_bytes()).map(|found| (found.line, found.message.err())).collect();
        assert_eq!(found, [(1, None), (10, Some(Error::NoStartLine { line: 10 })), (12, None)]);
    }

    #[test]
    fn a_message_that_lies_about_its_length_does_not_swallow_the_next() {
        let lying = "BYE sip:a@b.example SIP/2.0\r\nl: 999999\r\n\r\n";
        let file = format!("{lying}{INVITE}");
        let found: Vec<_> = messages(file.as_bytes()).map(|found| found.message.err()).collect();
        assert_eq!(found, [Some(Error::BodyTruncated { declared: 999_999, available: INVITE.len() }), None]);
    }

    #[test]
    fn content_length_counted_before_line_ends_were_converted_still_frames() {
        let text = "BYE sip:a@b.example SIP/2.0\r\nl: 14\r\n\r\nv=0\r\ns=-\r\nt=\r\n".replace("\r\n", "\n");
        let file = format!("{text}{text}");
        for found in messages(file.as_bytes()) {
            let message = found.message.unwrap();
            assert_eq!(message.body(), b"v=0\ns=-\nt=\n");
            assert_eq!(message.faults(), [Fault::LineEndsConverted { declared: 14, available: 11 }]);
        }
        assert_eq!(messages(file.as_bytes()).count(), 2);
    }

    #[test]
    fn every_limit_has_its_error() {
        let start = "BYE sip:a@b.example SIP/2.0\r\n";
        let field = format!("{start}X: {}\r\n\r\n", "a".repeat(Message::MAX_FIELD_BYTES));
        let many = format!("{start}{}\r\n", "X: 1\r\n".repeat(Message::MAX_FIELDS + 1));
        let line = format!("X: {}\r\n", "a".repeat(Message::MAX_FIELD_BYTES - 100));
        let header = format!("{start}{}\r\n", line.repeat(17));
        let error = |text: &str| Message::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error(&field), Error::FieldTooLong { line: 2, limit: Message::MAX_FIELD_BYTES });
        assert_eq!(error(&many), Error::TooManyFields { limit: Message::MAX_FIELDS });
        assert_eq!(error(&header), Error::HeaderTooLong { limit: Message::MAX_HEADER_BYTES });
        assert_eq!(error("\r\n\r\n"), Error::Empty);
        assert_eq!(error("GET / HTTP/1.1\r\n\r\n"), Error::NoStartLine { line: 1 });
    }

    #[test]
    fn a_message_cut_at_any_byte_is_read_or_refused_and_never_altered() {
        for end in 0..INVITE.len() {
            if let Ok((message, consumed)) = Message::parse_truncated(&INVITE.as_bytes()[..end]) {
                assert_eq!((message.print(), consumed), (INVITE.as_bytes()[..end].to_vec(), end));
            }
        }
    }

    #[test]
    fn nul_bytes_and_bytes_that_are_no_utf8_stay_as_received() {
        let text = b"BYE sip:a@b.example SIP/2.0\r\nSubject: a\0b\xff\r\n\r\n\0";
        let (message, _) = Message::parse(text).unwrap();
        let subject = message.fields_named("subject").next().unwrap();
        assert_eq!((subject.value(), subject.text().as_str()), (&b"a\0b\xff"[..], "a\0b\u{fffd}"));
        assert_eq!(message.print(), text);
    }

    #[test]
    fn a_file_of_lying_messages_takes_linear_time() {
        let file = "BYE sip:a@b.example SIP/2.0\nl: 99999999\n\n".repeat(20_000);
        assert_eq!(messages(file.as_bytes()).count(), 20_000);
        let file = "BYE sip:a@b.example SIP/2.0\nbroken\n".repeat(100_000);
        assert!(messages(file.as_bytes()).count() < 100);
    }

    proptest! {
        #[test]
        fn printing_gives_the_bytes_that_were_read(
            lines in proptest::collection::vec("(Via|i|y|Content-Length|[ -~]{0,6})[:; \t][ -~\t\u{e9}]{0,20}(\r\n|\n|\r)", 0..12),
            body in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut text = format!("INVITE sip:a@b.example SIP/2.0\r\n{}\r\n", lines.concat()).into_bytes();
            text.extend_from_slice(&body);
            if let Ok((message, consumed)) = Message::parse_truncated(&text) {
                prop_assert_eq!(message.print(), text[..consumed].to_vec());
                for field in message.fields() {
                    prop_assert!(text[field.value_offset()..].starts_with(field.value()));
                    prop_assert!(text[field.offset()..].starts_with(field.original_name().as_bytes()));
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for found in messages(&bytes) {
                if let Ok(message) = found.message {
                    prop_assert!(bytes[found.offset..].starts_with(&message.print()));
                }
            }
        }
    }
}
