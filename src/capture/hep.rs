//! HEPv3: a packet that carries a SIP message with where it was seen (HEP3 network protocol specification, rev. 11).

use std::net::{IpAddr, SocketAddr};

use crate::capture::message::Transport;
use crate::capture::octets::{array_at, u8_at, u16_at, u32_at};
use crate::capture::time::CaptureTime;

/// A HEP packet of a SIP message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HepPacket<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) time: Option<CaptureTime>,
    pub(super) transport: Transport,
    pub(super) payload: &'a [u8],
}

/// What every packet begins with.
pub(super) const MAGIC: &[u8] = b"HEP3";

impl<'a> HepPacket<'a> {
    /// Reads a packet; none where it is damaged, compressed, or of another protocol than SIP.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::from(u16_at(bytes, 4)?);
        let chunks = bytes.strip_prefix(MAGIC)?.get(2..length.checked_sub(MAGIC.len())?)?;
        let mut read = Chunks::default();
        let mut at = 0;
        while at < chunks.len() {
            let size = usize::from(u16_at(chunks, at + 4)?);
            let value = chunks.get(at + 6..at.checked_add(size)?)?;
            // Other vendors' chunks are theirs.
            if u16_at(chunks, at)? == 0 {
                read.take(u16_at(chunks, at + 2)?, value);
            }
            at += size;
        }
        read.finish()
    }
}

/// The chunks that matter, as they were read.
#[derive(Default)]
struct Chunks<'a> {
    protocol: Option<u8>,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: u16,
    destination_port: u16,
    seconds: Option<u32>,
    microseconds: u32,
    kind: Option<u8>,
    payload: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn take(&mut self, kind: u16, value: &'a [u8]) {
        let version_4 = |value| array_at::<4>(value, 0).map(IpAddr::from);
        let version_6 = |value| array_at::<16>(value, 0).map(IpAddr::from);
        match kind {
            2 => self.protocol = u8_at(value, 0),
            3 => self.source = version_4(value),
            4 => self.destination = version_4(value),
            5 => self.source = version_6(value),
            6 => self.destination = version_6(value),
            7 => self.source_port = u16_at(value, 0).unwrap_or_default(),
            8 => self.destination_port = u16_at(value, 0).unwrap_or_default(),
            9 => self.seconds = u32_at(value, 0),
            10 => self.microseconds = u32_at(value, 0).unwrap_or_default(),
            11 => self.kind = u8_at(value, 0),
            15 => self.payload = Some(value),
            _ => {}
        }
    }

    fn finish(self) -> Option<HepPacket<'a>> {
        // Protocol type 1 is SIP; an agent that does not say sends SIP.
        if self.kind.is_some_and(|kind| kind != 1) {
            return None;
        }
        let time = |seconds| CaptureTime::new(i64::from(seconds), self.microseconds.saturating_mul(1000));
        Some(HepPacket {
            source: SocketAddr::new(self.source?, self.source_port),
            destination: SocketAddr::new(self.destination?, self.destination_port),
            time: self.seconds.map(time),
            transport: match self.protocol {
                Some(6) => Transport::Tcp,
                Some(17) => Transport::Udp,
                _ => Transport::Hep,
            },
            payload: self.payload?,
        })
    }
}
