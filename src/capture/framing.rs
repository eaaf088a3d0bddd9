//! Messages out of a stream: SIP by Content-Length (RFC 3261 §18.3), WebSocket frames after the upgrade, HEP packets.
//!
//! A stream may begin anywhere and have gaps: what follows is passed over up to the next start line.

use crate::capture::counts::Counts;
use crate::capture::hep;
use crate::capture::limits::{Limits, MAX_START_LINE};
use crate::capture::octets::{count, u16_at};
use crate::capture::websocket::Frame;

/// What a stream turned out to hold.
#[derive(Debug)]
pub(super) enum Framed<'a> {
    Hep(&'a [u8]),
    /// A message; some of it may be missing.
    Sip {
        bytes: &'a [u8],
        missing: usize,
    },
    /// A WebSocket message.
    WebSocket(&'a [u8]),
}

pub(super) type Out<'a> = &'a mut dyn FnMut(&mut Counts, Framed<'_>);

/// One direction of a connection, cut into messages.
#[derive(Debug, Default)]
pub(super) struct Framer {
    mode: Mode,
    /// What is not a whole message yet.
    buffer: Vec<u8>,
    /// Whether the buffer begins with a good start line; how far it was searched for the end of its header.
    begun: bool,
    searched: usize,
    /// Header and body together, once the header is whole.
    total: Option<usize>,
    /// Bytes to be passed over: what is too long.
    discard: u64,
    /// Everything up to the next line end is to be passed over.
    mid_line: bool,
    /// The WebSocket message whose last frame is still to come; whether it is to be read.
    gathered: Vec<u8>,
    spoiled: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    Hep,
    /// What cannot be read, such as TLS.
    Ignored,
    #[default]
    Sip,
    WebSocket,
}

/// How many bytes are done with; none when more are needed.
type Done = Option<u64>;

impl Framer {
    /// What it holds, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.buffer.capacity() + self.gathered.capacity()
    }

    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, bytes: &[u8], limits: &Limits, counts: &mut Counts, out: Out<'_>) {
        if self.mode == Mode::Ignored {
            return;
        }
        if self.buffer.is_empty() {
            let done = self.run(bytes, limits, counts, out);
            self.buffer.extend_from_slice(bytes.get(done..).unwrap_or_default());
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(bytes);
        let done = self.run(&buffer, limits, counts, out);
        if done >= buffer.len() {
            buffer = Vec::new();
        } else {
            buffer.drain(..done);
        }
        self.buffer = buffer;
    }

    /// Bytes are missing here: what was begun stays unfinished, and the next start line goes on.
    pub(super) fn gap(&mut self, counts: &mut Counts, out: Out<'_>) {
        if self.mode == Mode::Ignored {
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        if self.begun && self.mode == Mode::Sip {
            let missing = self.total.map_or(1, |total| total.saturating_sub(buffer.len()));
            out(counts, Framed::Sip { bytes: &buffer, missing });
        }
        *self = Self::default();
    }

    fn run(&mut self, bytes: &[u8], limits: &Limits, counts: &mut Counts, out: Out<'_>) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let done = match self.mode {
                _ if self.discard > 0 => Some(self.discard),
                Mode::Ignored => Some(count(rest.len())),
                Mode::Hep => self.hep(rest, counts, out),
                Mode::Sip => self.sip(rest, limits, counts, out),
                Mode::WebSocket => self.websocket(rest, limits, counts, out),
            };
            let Some(done) = done else { break };
            let here = done.min(count(rest.len()));
            self.discard = done - here;
            at += usize::try_from(here).unwrap_or(rest.len());
        }
        at
    }

    fn sip(&mut self, rest: &[u8], limits: &Limits, counts: &mut Counts, out: Out<'_>) -> Done {
        if self.mid_line {
            let end = memchr::memchr(b'\n', rest);
            self.mid_line = end.is_none();
            return self.pass(end.map_or(rest.len(), |end| end + 1), counts);
        }
        if !self.begun {
            // RFC 3261 §7.5, RFC 5626 §3.5.1: empty lines between messages.
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
            if blank > 0 {
                return Some(count(blank));
            }
            match first_line(rest) {
                First::Unclear => return None,
                First::Message => self.begun = true,
                other => return self.other(other, rest, limits, counts),
            }
        }
        if self.total.is_none() {
            self.total = self.find_total(rest);
        }
        let total = self.total.unwrap_or(0);
        if total > limits.message_bytes || (total == 0 && rest.len() > limits.message_bytes) {
            counts.messages_too_long += 1;
            // All that is there is passed over, not a line: line by line, hostile bytes would be searched again and again.
            self.mid_line = true;
            self.begin_anew();
            return self.pass(rest.len(), counts);
        }
        if total == 0 || rest.len() < total {
            return None;
        }
        out(counts, Framed::Sip { bytes: &rest[..total], missing: 0 });
        self.begin_anew();
        Some(count(total))
    }

    fn begin_anew(&mut self) {
        (self.begun, self.searched, self.total) = (false, 0, None);
    }

    /// Header and body together, once the empty line is there.
    fn find_total(&mut self, rest: &[u8]) -> Option<usize> {
        let from = self.searched.saturating_sub(2);
        match end_of_header(rest, from) {
            Some(end) => Some(end.saturating_add(content_length(&rest[..end]))),
            None => {
                self.searched = rest.len();
                None
            }
        }
    }

    fn other(&mut self, first: First, rest: &[u8], limits: &Limits, counts: &mut Counts) -> Done {
        match first {
            First::Hep => {
                self.mode = Mode::Hep;
                Some(0)
            }
            First::Frame => {
                self.mode = Mode::WebSocket;
                Some(0)
            }
            First::Tls => {
                counts.tls += 1;
                self.mode = Mode::Ignored;
                Some(count(rest.len()))
            }
            First::Http => self.upgrade(rest, limits, counts),
            First::Message | First::Nothing | First::Unclear => {
                self.mid_line = true;
                Some(0)
            }
        }
    }

    /// RFC 6455 §1.3: the handshake; both directions say what they become.
    fn upgrade(&mut self, rest: &[u8], limits: &Limits, counts: &mut Counts) -> Done {
        match end_of_header(rest, 0) {
            Some(end) => {
                let upgrades = field(&rest[..end], b"upgrade", None);
                if upgrades.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
                    self.mode = Mode::WebSocket;
                    return Some(count(end));
                }
                self.mid_line = true;
                self.pass(end - 1, counts)
            }
            None if rest.len() > MAX_START_LINE.min(limits.message_bytes) => {
                self.mid_line = true;
                Some(0)
            }
            None => None,
        }
    }

    fn pass(&mut self, length: usize, counts: &mut Counts) -> Done {
        counts.skipped_bytes += count(length);
        Some(count(length))
    }

    fn hep(&mut self, rest: &[u8], counts: &mut Counts, out: Out<'_>) -> Done {
        if !hep::MAGIC.starts_with(&rest[..rest.len().min(4)]) {
            self.mode = Mode::Sip;
            return Some(0);
        }
        let length = usize::from(u16_at(rest, 4)?);
        if length < 6 {
            self.mode = Mode::Sip;
            self.mid_line = true;
            return Some(0);
        }
        out(counts, Framed::Hep(rest.get(..length)?));
        Some(count(length))
    }

    fn websocket(&mut self, rest: &[u8], limits: &Limits, counts: &mut Counts, out: Out<'_>) -> Done {
        let frame = Frame::parse(rest)?;
        if !frame.is_valid() {
            counts.websocket_unread += 1;
            *self = Self { mid_line: true, ..Self::default() };
            return Some(0);
        }
        if !frame.is_data() {
            return Some(frame.size());
        }
        let gathered = count(self.gathered.len());
        self.spoiled |= frame.extended || gathered.saturating_add(frame.length) > count(limits.message_bytes);
        if !self.spoiled {
            let end = usize::try_from(frame.size()).ok()?;
            let payload = rest.get(frame.header..end)?;
            if frame.finishes && self.gathered.is_empty() && !frame.is_masked() {
                out(counts, Framed::WebSocket(payload));
                return Some(frame.size());
            }
            frame.unmask(payload, &mut self.gathered);
        }
        if frame.finishes {
            let message = std::mem::take(&mut self.gathered);
            if std::mem::take(&mut self.spoiled) {
                counts.websocket_unread += 1;
            } else {
                out(counts, Framed::WebSocket(&message));
            }
        }
        Some(frame.size())
    }
}

/// What the first bytes of a stream, or of what follows a message, show.
enum First {
    Frame,
    Hep,
    Http,
    Message,
    Nothing,
    Tls,
    Unclear,
}

fn first_line(rest: &[u8]) -> First {
    if let Some(end) = memchr::memchr(b'\n', &rest[..rest.len().min(MAX_START_LINE)]) {
        let line = rest[..end].trim_ascii_end();
        if is_start_line(line) {
            return First::Message;
        }
        // The request and the status line of a handshake (RFC 6455 §1.3).
        if (line.starts_with(b"GET ") && line.ends_with(b" HTTP/1.1")) || line.starts_with(b"HTTP/1.1 101") {
            return First::Http;
        }
    }
    match rest {
        // TLS records of handshake and application data (RFC 8446 §5.1).
        [0x16 | 0x17, 3, 0..=4, ..] => First::Tls,
        [0x16 | 0x17] | [0x16 | 0x17, 3] => First::Unclear,
        [0x81 | 0x82, ..] if Frame::begins_sip(rest) => First::Frame,
        [0x81 | 0x82, ..] if rest.len() < 32 => First::Unclear,
        _ if rest.starts_with(hep::MAGIC) => First::Hep,
        _ if may_become_start_line(rest) => First::Unclear,
        _ => First::Nothing,
    }
}

/// Whether bytes without a line end may still turn out to be a start line.
fn may_become_start_line(rest: &[u8]) -> bool {
    if rest.len() > MAX_START_LINE || memchr::memchr(b'\n', rest).is_some() {
        return false;
    }
    let word = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    let version = |version: &[u8]| version.starts_with(word) || word == version;
    version(b"SIP/2.0") || version(b"HTTP/1.1") || is_method(word)
}

/// Whether a datagram begins with a start line; of one that was cut off, whether it may have.
pub(super) fn starts_message(bytes: &[u8], is_cut: bool) -> bool {
    // RTP, STUN and the like are told by their first byte.
    if !bytes.first().is_some_and(|first| is_method(&[*first])) {
        return false;
    }
    match memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_START_LINE)]) {
        Some(end) => is_start_line(bytes[..end].trim_ascii_end()),
        None if is_cut => {
            let mut words = bytes.split(|byte| *byte == b' ');
            let method = words.next().is_some_and(is_method);
            let scheme = words.next().is_some_and(|uri| uri.starts_with(b"sip") || uri.starts_with(b"tel:"));
            bytes.starts_with(b"SIP/2.0 ") || (method && scheme)
        }
        // A message of nothing but its start line is none, yet it was meant as one.
        None => is_start_line(bytes),
    }
}

/// RFC 3261 §7.1, §7.2: `METHOD URI SIP/2.0`, `SIP/2.0 CODE REASON`.
fn is_start_line(line: &[u8]) -> bool {
    if line.len() > 7 && line[..7].eq_ignore_ascii_case(b"SIP/2.0") {
        return line[7] == b' ' && line.get(8..11).is_some_and(|code| code.iter().all(u8::is_ascii_digit));
    }
    let Some(rest) = line.len().checked_sub(8).and_then(|end| line.get(end..)) else { return false };
    let method = line.iter().position(|byte| *byte == b' ').unwrap_or(0);
    rest[0] == b' '
        && rest[1..].eq_ignore_ascii_case(b"SIP/2.0")
        && method + 9 < line.len()
        && is_method(&line[..method])
}

fn is_method(word: &[u8]) -> bool {
    const MAX_METHOD: usize = 32;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte);
    !word.is_empty() && word.len() <= MAX_METHOD && word.iter().all(is_token)
}

/// Where the body begins: behind the first empty line that ends after `from`.
fn end_of_header(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', rest)
        .map(|end| from + end + 1)
        .find(|end| match bytes.get(*end..) {
            Some([b'\n', ..] | [b'\r', b'\n', ..]) => true,
            Some(_) | None => false,
        })
        .map(|end| end + if bytes.get(end) == Some(&b'\n') { 1 } else { 2 })
}

/// RFC 3261 §20.14. NOTE: a stream must have it; without it there is no body, which the next start line shows to be right.
fn content_length(header: &[u8]) -> usize {
    let value = field(header, b"content-length", Some(b'l'));
    let digits = value.filter(|value| !value.is_empty() && value.iter().all(u8::is_ascii_digit));
    digits.map_or(0, |digits| std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX))
}

/// The first value of a field, by its name in small letters or its short form.
fn field<'a>(header: &'a [u8], name: &[u8], short: Option<u8>) -> Option<&'a [u8]> {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', header) {
        let line = &header[start..end];
        start = end + 1;
        let initial = line.first().map(u8::to_ascii_lowercase);
        if initial != name.first().copied() && initial != short {
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let written = line[..colon].trim_ascii_end();
        let is_short = matches!(written, [letter] if Some(letter.to_ascii_lowercase()) == short);
        if is_short || written.eq_ignore_ascii_case(name) {
            return Some(line[colon + 1..].trim_ascii());
        }
    }
    None
}
