//! Messages out of a live TCP stream, by Content-Length (RFC 3261 §18.3, RFC 5626 §3.5.1), never more than one message
//! in memory.

use memchr::memmem;

/// The bytes of one connection that are no whole message yet.
#[derive(Debug)]
pub(super) struct Stream {
    buffer: Vec<u8>,
    /// How far it was searched for the end of the header.
    searched: usize,
    limit: usize,
}

/// What a stream holds next.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// More bytes are needed.
    More,
    /// A whole message.
    Message(Vec<u8>),
    /// Two empty lines: an empty line is to be sent back.
    Ping,
    /// The stream cannot be followed any more; a last message may still be answered.
    Broken(Broken, Vec<u8>),
}

/// Why a stream cannot be followed any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Broken {
    /// RFC 3261 §18.3 wants it on streams.
    NoContentLength,
    TooLong,
}

impl Stream {
    pub(super) const fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), searched: 0, limit }
    }

    /// Whether a message has begun that is not whole.
    pub(super) fn is_waiting(&self) -> bool {
        self.buffer.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// Takes bytes; never many more than a message may have.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn next(&mut self) -> Next {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.drain(..4);
            return Next::Ping;
        }
        // RFC 3261 §7.5: empty lines before a start line; one alone may be half a ping.
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank == self.buffer.len() && blank < 4 {
            return Next::More;
        }
        self.buffer.drain(..blank);
        let Some(end) = self.end_of_header() else {
            return if self.buffer.len() > self.limit { self.broken(Broken::TooLong) } else { Next::More };
        };
        let Some(length) = content_length(&self.buffer[..end]) else { return self.broken(Broken::NoContentLength) };
        let total = end.saturating_add(length);
        if total > self.limit {
            return self.broken(Broken::TooLong);
        }
        if self.buffer.len() < total {
            return Next::More;
        }
        let rest = self.buffer.split_off(total);
        self.searched = 0;
        Next::Message(std::mem::replace(&mut self.buffer, rest))
    }

    /// How many bytes stand before the body, once they are there.
    fn end_of_header(&mut self) -> Option<usize> {
        let from = self.searched.saturating_sub(3);
        let found = memmem::find(self.buffer.get(from..)?, b"\r\n\r\n");
        if found.is_none() {
            self.searched = self.buffer.len();
        }
        found.map(|at| from + at + 4)
    }

    fn broken(&mut self, why: Broken) -> Next {
        self.searched = 0;
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.truncate(self.limit);
        Next::Broken(why, bytes)
    }
}

/// What the header says of the body's length; none where it says nothing, or several things, or no length.
fn content_length(header: &[u8]) -> Option<usize> {
    let mut found = None;
    for line in header.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let name = line[..colon].trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = line[colon + 1..].trim_ascii();
        let is_length = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
        let length = is_length.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()?;
        if found.is_some_and(|earlier| earlier != length) {
            return None;
        }
        found = Some(length);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@b.example SIP/2.0\r\nl: 4\r\n\r\nbody";

    #[test]
    fn messages_are_cut_by_content_length() {
        let mut stream = Stream::new(200);
        stream.push(format!("\r\n{OPTIONS}\r\n\r\n{OPTIONS}\r\n").as_bytes());
        assert_eq!(stream.next(), Next::Message(OPTIONS.into()));
        assert_eq!(stream.next(), Next::Ping);
        assert_eq!(stream.next(), Next::Message(OPTIONS.into()));
        assert_eq!(stream.next(), Next::More);
        assert!(!stream.is_waiting(), "half a ping is no message");
    }

    #[test]
    fn a_stream_that_cannot_be_followed_breaks() {
        for (bytes, why) in [
            ("OPTIONS sip:a@b.example SIP/2.0\r\n\r\n".to_owned(), Broken::NoContentLength),
            (OPTIONS.replace("4", "4\r\nContent-Length: 5"), Broken::NoContentLength),
            (OPTIONS.replace("4", "+4"), Broken::NoContentLength),
            (OPTIONS.replace("4", "999"), Broken::TooLong),
            ("x".repeat(201), Broken::TooLong),
        ] {
            let mut stream = Stream::new(200);
            stream.push(bytes.as_bytes());
            assert!(matches!(stream.next(), Next::Broken(found, _) if found == why), "{bytes}");
            assert!(!stream.is_waiting());
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_arrive_the_messages_are_the_same(cuts in prop::collection::vec(1usize..60, 0..20)) {
            let bytes = OPTIONS.repeat(5);
            let (mut stream, mut rest, mut found) = (Stream::new(200), bytes.as_bytes(), 0);
            for cut in cuts.into_iter().chain([bytes.len()]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                stream.push(now);
                rest = later;
                while let Next::Message(message) = stream.next() {
                    prop_assert_eq!(message, OPTIONS.as_bytes());
                    found += 1;
                }
            }
            prop_assert_eq!(found, 5);
        }
    }
}
