//! The headers of a pcap file (draft-ietf-opsawg-pcap §4, §5).

use crate::capture::octets::{Order, length};
use crate::capture::time::CaptureTime;

/// The file header: who wrote it how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) order: Order,
    nanoseconds: bool,
    pub(super) link: u16,
    /// Kuznetzov's variant: eight more bytes before each packet.
    pub(super) packet_header: usize,
}

impl Header {
    pub(super) const LENGTH: usize = 24;

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (order, nanoseconds, packet_header) = match bytes.first_chunk()? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, false, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, true, 16),
            [0xa1, 0xb2, 0xcd, 0x34] => (Order::Big, false, 24),
            [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, false, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, true, 16),
            [0x34, 0xcd, 0xb2, 0xa1] => (Order::Little, false, 24),
            _ => return None,
        };
        // §4: the link type is the low 16 bits; the others tell of frame check sequences.
        let link = u16::try_from(order.u32(bytes, 20)? & 0xffff).ok()?;
        Some(Self { order, nanoseconds, link, packet_header })
    }

    /// The header before a packet: when, how much of it is there, how much there was.
    pub(super) fn packet(&self, bytes: &[u8]) -> Option<(CaptureTime, u32, usize)> {
        let fraction = self.order.u32(bytes, 4)?;
        let nanoseconds = if self.nanoseconds { fraction } else { fraction.saturating_mul(1000) };
        let time = CaptureTime::new(i64::from(self.order.u32(bytes, 0)?), nanoseconds);
        Some((time, self.order.u32(bytes, 8)?, length(self.order.u32(bytes, 12)?)))
    }
}
