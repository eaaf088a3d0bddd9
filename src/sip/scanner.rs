//! The scanner behind [`Message`]: lines, folds, limits, and where a body ends (RFC 3261 §7.3, §18.3).

use std::ops::Range;

use crate::sip::message::{Error, Fault, Field, Line, Message, StartLine, long_name};

/// How the end of a body is found.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Framing {
    CutShort,
    Datagram,
    File,
}

pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) resume: usize,
}

pub(super) struct Scanner<'a> {
    input: &'a [u8],
    pub(super) position: usize,
    pub(super) line: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0, line: 1 }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.input.get(self.position..).unwrap_or_default()
    }

    pub(super) fn message(&mut self, framing: Framing) -> Result<Message, Failure> {
        // RFC 3261 §7.5: empty lines before the start line are keep-alives.
        self.skip_blank();
        let (offset, line) = (self.position, self.line);
        let start_line = self.start_line()?;
        let mut message = Message {
            bytes: Vec::new(),
            start_line,
            start_line_span: 0..self.position - offset,
            fields: Vec::new(),
            lines: Vec::new(),
            separator: 0..0,
            faults: Vec::new(),
            line,
            offset,
        };
        self.header(&mut message)?;
        let header = self.input.get(offset..self.position).unwrap_or_default();
        let declared = content_length(&message, header).map_err(|error| self.failure(error))?;
        let length = self.body_length(declared, framing, header, &mut message.faults)?;
        self.advance_to(self.position + length);
        message.bytes = self.input.get(offset..self.position).unwrap_or_default().to_vec();
        Ok(message)
    }

    fn start_line(&mut self) -> Result<StartLine, Failure> {
        let line = self.line;
        if self.rest().is_empty() {
            return Err(self.failure(Error::Empty));
        }
        let text = self.next_line();
        if text.len() > Message::MAX_FIELD_BYTES {
            return Err(self.failure(Error::FieldTooLong { line, limit: Message::MAX_FIELD_BYTES }));
        }
        StartLine::parse(without_line_end(text)).ok_or_else(|| self.failure(Error::NoStartLine { line }))
    }

    fn header(&mut self, message: &mut Message) -> Result<(), Failure> {
        loop {
            let (start, line) = (self.position - message.offset, self.line);
            let text = self.next_line();
            if without_line_end(text).is_empty() {
                if text.is_empty() {
                    message.faults.push(Fault::NoBlankLine);
                }
                message.separator = start..start + text.len();
                return Ok(());
            }
            while matches!(self.rest().first(), Some(b' ' | b'\t')) {
                self.next_line();
            }
            let span = start..self.position - message.offset;
            self.check_limits(message, &span, line)?;
            let text = self.input.get(message.offset + span.start..self.position).unwrap_or_default();
            match Field::parse(text, span.start, line) {
                Some(field) => {
                    message.lines.push(Line::Field(message.fields.len()));
                    message.fields.push(field);
                }
                None => {
                    message.lines.push(Line::Unreadable(span));
                    message.faults.push(Fault::NotAField { line });
                }
            }
        }
    }

    fn check_limits(&self, message: &Message, span: &Range<usize>, line: usize) -> Result<(), Failure> {
        if span.len() > Message::MAX_FIELD_BYTES {
            return Err(self.failure(Error::FieldTooLong { line, limit: Message::MAX_FIELD_BYTES }));
        }
        if span.end > Message::MAX_HEADER_BYTES {
            return Err(self.failure(Error::HeaderTooLong { limit: Message::MAX_HEADER_BYTES }));
        }
        if message.lines.len() >= Message::MAX_FIELDS {
            return Err(self.failure(Error::TooManyFields { limit: Message::MAX_FIELDS }));
        }
        Ok(())
    }

    fn body_length(
        &self,
        declared: Option<usize>,
        framing: Framing,
        header: &[u8],
        faults: &mut Vec<Fault>,
    ) -> Result<usize, Failure> {
        let rest = self.rest();
        let Some(declared) = declared else {
            return Ok(if framing == Framing::File { distance_to_start_line(rest) } else { rest.len() });
        };
        let fits = declared <= rest.len() && (framing != Framing::File || at_boundary(&rest[declared..]));
        if !fits && !header.contains(&b'\r') {
            // A capture or log pasted through an editor: CRLF became LF, and Content-Length still counts the CRs.
            if let Some(available) = converted_length(rest, declared) {
                faults.push(Fault::LineEndsConverted { declared, available });
                return Ok(available);
            }
        }
        if declared <= rest.len() {
            return Ok(declared);
        }
        let available = rest.len();
        if framing != Framing::CutShort {
            return Err(self.failure(Error::BodyTruncated { declared, available }));
        }
        faults.push(Fault::BodyCutShort { declared, available });
        Ok(available)
    }

    fn failure(&self, error: Error) -> Failure {
        Failure { error, resume: self.position }
    }

    fn next_line(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        self.advance_to(self.position + length);
        &rest[..length]
    }

    pub(super) fn advance_to(&mut self, position: usize) {
        let passed = self.input.get(self.position..position).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.position = position.min(self.input.len());
    }

    pub(super) fn skip_blank(&mut self) {
        let blank = self.rest().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.advance_to(self.position + blank);
    }

    pub(super) fn skip_to_start_line(&mut self) {
        self.advance_to(self.position + distance_to_start_line(self.rest()));
    }
}

impl Field {
    /// Reads `name: value` out of the lines of one field, which begin `start` bytes into the message.
    fn parse(text: &[u8], start: usize, line: usize) -> Option<Self> {
        let colon = text.iter().position(|byte| *byte == b':')?;
        let written = text[..colon].trim_ascii_end();
        if !is_token(written) {
            return None;
        }
        let is_outside = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let value = &text[colon + 1..];
        let from = value.iter().position(is_outside).unwrap_or(value.len());
        let until = value.iter().rposition(is_outside).map_or(from, |last| last + 1);
        let value_start = start + colon + 1;
        Some(Self {
            name: long_name(&String::from_utf8_lossy(written)),
            written: start..start + written.len(),
            value: value_start + from..value_start + until,
            span: start..start + text.len(),
            line,
        })
    }
}

fn content_length(message: &Message, header: &[u8]) -> Result<Option<usize>, Error> {
    let mut known: Option<usize> = None;
    for field in message.fields.iter().filter(|field| field.name == "content-length") {
        let text = String::from_utf8_lossy(header.get(field.value.clone()).unwrap_or_default());
        let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let Some(length) = digits.then(|| text.parse().ok()).flatten() else {
            return Err(Error::InvalidContentLength { line: field.line, text: text.chars().take(40).collect() });
        };
        match known {
            Some(first) if first != length => {
                return Err(Error::ContentLengthConflict { first, second: length, line: field.line });
            }
            _ => known = Some(length),
        }
    }
    Ok(known)
}

/// How much of `rest` makes `declared` bytes once every LF has its CR back, if something sensible follows it.
fn converted_length(rest: &[u8], declared: usize) -> Option<usize> {
    // What is longer is not looked at: many messages that lie would each have the rest of the file counted.
    const MAX_CONVERTED: usize = 64 << 10;
    if declared > MAX_CONVERTED {
        return None;
    }
    let mut counted = 0;
    let length = rest.iter().take_while(|byte| {
        let width = if **byte == b'\n' { 2 } else { 1 };
        counted += width;
        counted <= declared
    });
    let length = length.count();
    let body = &rest[..length];
    let widened = length + body.iter().filter(|byte| **byte == b'\n').count();
    (widened == declared && at_boundary(&rest[length..])).then_some(length)
}

fn at_boundary(rest: &[u8]) -> bool {
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let rest = &rest[blank..];
    rest.is_empty() || begins_with_start_line(rest)
}

fn begins_with_start_line(rest: &[u8]) -> bool {
    const MAX_START_LINE: usize = 8 << 10;
    let window = &rest[..rest.len().min(MAX_START_LINE)];
    let line = window.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(4).any(|part| part.eq_ignore_ascii_case(b"SIP/")) && StartLine::parse(without_line_end(line)).is_some()
}

fn distance_to_start_line(rest: &[u8]) -> usize {
    let mut distance = 0;
    while distance < rest.len() {
        let line = &rest[distance..];
        if begins_with_start_line(line) {
            break;
        }
        distance += line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |end| end + 1);
    }
    distance
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn is_version(text: &str) -> bool {
    let Some((name, version)) = text.split_once('/') else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    name.eq_ignore_ascii_case("SIP")
        && version.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// RFC 3261 §25.1 `token`.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte))
}
