//! WebSocket frames, which carry one SIP message a message (RFC 6455 §5.2, RFC 7118 §5).

use crate::capture::octets::{array_at, count, u8_at, u16_at};

/// The header of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Frame {
    pub(super) finishes: bool,
    /// Whether an extension changed its bytes; compression does.
    pub(super) extended: bool,
    pub(super) opcode: u8,
    mask: [u8; 4],
    /// Where its payload begins, and how long it is.
    pub(super) header: usize,
    pub(super) length: u64,
}

impl Frame {
    /// Reads a header; none when more bytes are needed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (first, second) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?);
        let (length, mut header) = match second & 0x7f {
            126 => (u64::from(u16_at(bytes, 2)?), 4),
            127 => (u64::from_be_bytes(array_at(bytes, 2)?), 10),
            short => (u64::from(short), 2),
        };
        let mut mask = [0; 4];
        if second & 0x80 != 0 {
            mask = array_at(bytes, header)?;
            header += 4;
        }
        let (finishes, extended) = (first & 0x80 != 0, first & 0x70 != 0);
        Some(Self { finishes, extended, opcode: first & 0x0f, mask, header, length })
    }

    /// RFC 6455 §5.2, §5.5: an opcode that exists, and control frames that are short and whole.
    pub(super) const fn is_valid(&self) -> bool {
        match self.opcode {
            0..=2 => true,
            8..=10 => self.finishes && self.length <= 125,
            _ => false,
        }
    }

    pub(super) const fn is_data(&self) -> bool {
        self.opcode <= 2
    }

    pub(super) fn is_masked(&self) -> bool {
        self.mask != [0; 4]
    }

    /// Header and payload together.
    pub(super) fn size(&self) -> u64 {
        self.length.saturating_add(count(self.header))
    }

    /// Adds the payload, its mask taken off (RFC 6455 §5.3).
    pub(super) fn unmask(&self, payload: &[u8], into: &mut Vec<u8>) {
        into.extend(payload.iter().zip(self.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }

    /// Whether bytes that nothing announced are a frame of SIP: a connection that was open before the capture began.
    pub(super) fn begins_sip(bytes: &[u8]) -> bool {
        let Some(frame) = Self::parse(bytes) else { return false };
        let payload = bytes.get(frame.header..).unwrap_or_default();
        let mut start = Vec::new();
        frame.unmask(payload.get(..payload.len().min(GUESS)).unwrap_or_default(), &mut start);
        let is_text = start.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let named = start.starts_with(b"SIP/2.0 ") || start.windows(5).any(|part| part == b" sip:" || part == b" sips");
        matches!(frame.opcode, 1 | 2) && !frame.extended && is_text && named
    }
}

/// How much of a frame is looked at: the longest method, and the beginning of a URI.
const GUESS: usize = 16;
