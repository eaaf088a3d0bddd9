//! Lines of a stream that may be endless, each of bounded length.

use std::io::{self, BufRead, BufReader, Read};

/// The lines of a reader, counted from 1, line ends taken off.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    number: usize,
    broken: bool,
}

/// One line, or why it is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Its text.
    pub(crate) text: Result<String, BadLine>,
}

/// Why a line is not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BadLine {
    /// The input breaks off.
    #[error("the input breaks off here: {reason}")]
    Io {
        /// What the system says.
        reason: String,
    },
    /// Bytes that are no text.
    #[error("byte {offset} of the line is no UTF-8 text")]
    NotText {
        /// Bytes from the line's start.
        offset: usize,
    },
    /// More than any line may be.
    #[error("the line is longer than {limit} bytes")]
    TooLong {
        /// The most it may be.
        limit: usize,
    },
}

/// The longest line that is read: eight of the longest Identity values.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

impl<R: Read> Lines<R> {
    /// The lines of a reader.
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), number: 0, broken: false }
    }

    /// Whether the next line may have to be waited for: the moment to flush what was printed.
    pub(crate) fn is_waiting(&self) -> bool {
        self.number > 0 && !self.broken && memchr::memchr(b'\n', self.reader.buffer()).is_none()
    }

    /// Reads up to the next line end, keeping no more than the limit.
    fn read_line(&mut self) -> io::Result<Option<Result<Vec<u8>, BadLine>>> {
        let mut line = Vec::new();
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(reason) if reason.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|c| *c == b'\n');
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            too_long |= line.len() + piece.len() > MAX_LINE_BYTES;
            if !too_long {
                line.extend_from_slice(piece);
            }
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(any.then_some(if too_long { Err(BadLine::TooLong { limit: MAX_LINE_BYTES }) } else { Ok(line) }))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.broken {
            return None;
        }
        self.number += 1;
        let text = match self.read_line() {
            Ok(None) => return None,
            Ok(Some(line)) => line.and_then(to_text),
            Err(reason) => {
                self.broken = true;
                Err(BadLine::Io { reason: reason.to_string() })
            }
        };
        let is_first = self.number == 1;
        let without_mark = |text: String| match text.strip_prefix('\u{feff}') {
            Some(rest) if is_first => rest.to_owned(),
            _ => text,
        };
        Some(Line { number: self.number, text: text.map(without_mark) })
    }
}

fn to_text(mut line: Vec<u8>) -> Result<String, BadLine> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|fault| BadLine::NotText { offset: fault.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_bounded() {
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        let text = format!("\u{feff}a\r\n\n{long}\nb\u{e9}");
        let mut bytes = text.into_bytes();
        bytes.extend(b"\n\xff\nlast");
        let lines: Vec<_> = Lines::new(&bytes[..]).collect();
        assert_eq!(lines[0], Line { number: 1, text: Ok("a".to_owned()) });
        assert_eq!(lines[1].text, Ok(String::new()));
        assert_eq!(lines[2].text, Err(BadLine::TooLong { limit: MAX_LINE_BYTES }));
        assert_eq!(lines[3].text.as_deref(), Ok("bé"));
        assert_eq!(lines[4].text, Err(BadLine::NotText { offset: 0 }));
        assert_eq!(lines[5], Line { number: 6, text: Ok("last".to_owned()) });
        assert_eq!(lines.len(), 6);
    }
}
