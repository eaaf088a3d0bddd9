//! IPv4 and IPv6 headers (RFC 791 §3.1, RFC 8200 §3, §4).

use std::net::IpAddr;

use crate::capture::limits::MAX_EXTENSION_HEADERS;
use crate::capture::octets::{array_at, length, u8_at, u16_at, u32_at};

/// An IP packet, its header read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct IpPacket<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) payload: Payload<'a>,
    pub(super) fragment: Option<Place>,
}

/// What a header carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Payload<'a> {
    pub(super) protocol: u8,
    pub(super) bytes: &'a [u8],
    /// How many more bytes there were than the capture holds.
    pub(super) missing: usize,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) identification: u32,
    pub(super) offset: usize,
    pub(super) more: bool,
}

impl<'a> IpPacket<'a> {
    /// Reads a packet of either version, of which `missing` bytes were cut off.
    pub(super) fn parse(bytes: &'a [u8], missing: usize) -> Option<Self> {
        match u8_at(bytes, 0)? >> 4 {
            4 => Self::version_4(bytes, missing),
            6 => Self::version_6(bytes, missing),
            _ => None,
        }
    }

    fn version_4(bytes: &'a [u8], missing: usize) -> Option<Self> {
        let header = usize::from(u8_at(bytes, 0)? & 0x0f) * 4;
        let total = match usize::from(u16_at(bytes, 2)?) {
            // Segmentation offload leaves the length to the network card: the packet is as long as it was captured.
            0 => bytes.len() + missing,
            total => total,
        };
        if header < 20 || total < header {
            return None;
        }
        let (data, missing) = cut(bytes.get(header..)?, total - header);
        let flags = u16_at(bytes, 6)?;
        let place = Place {
            identification: u32::from(u16_at(bytes, 4)?),
            offset: usize::from(flags & 0x1fff) * 8,
            more: flags & 0x2000 != 0,
        };
        let fragment = place.is_part().then_some(place);
        let mut payload = Payload { protocol: u8_at(bytes, 9)?, bytes: data, missing };
        if fragment.is_none() && payload.protocol == AUTHENTICATION {
            (payload, _) = payload.without_extensions()?;
        }
        Some(Self {
            source: IpAddr::from(array_at::<4>(bytes, 12)?),
            destination: IpAddr::from(array_at::<4>(bytes, 16)?),
            payload,
            fragment,
        })
    }

    fn version_6(bytes: &'a [u8], missing: usize) -> Option<Self> {
        let rest = bytes.get(40..)?;
        let claimed = match usize::from(u16_at(bytes, 4)?) {
            // Segmentation offload again, or a jumbogram (RFC 2675).
            0 => rest.len() + missing,
            claimed => claimed,
        };
        let (data, missing) = cut(rest, claimed);
        let payload = Payload { protocol: u8_at(bytes, 6)?, bytes: data, missing };
        let (payload, fragment) = payload.without_extensions()?;
        Some(Self {
            source: IpAddr::from(array_at::<16>(bytes, 8)?),
            destination: IpAddr::from(array_at::<16>(bytes, 24)?),
            payload,
            fragment,
        })
    }
}

/// What is there of `claimed` bytes, without the padding behind them, and how many are not.
fn cut(bytes: &[u8], claimed: usize) -> (&[u8], usize) {
    let held = bytes.len().min(claimed);
    (&bytes[..held], claimed - held)
}

impl<'a> Payload<'a> {
    /// Passes the extension headers, up to a fragment header (RFC 8200 §4.1). A fragment that says it is the only one is
    /// none (RFC 6946).
    pub(super) fn without_extensions(mut self) -> Option<(Self, Option<Place>)> {
        for _ in 0..MAX_EXTENSION_HEADERS {
            let size = match self.protocol {
                HOP_BY_HOP | ROUTING | DESTINATION => (usize::from(u8_at(self.bytes, 1)?) + 1) * 8,
                // RFC 4302 §2.2: what is only authenticated can be read.
                AUTHENTICATION => (usize::from(u8_at(self.bytes, 1)?) + 2) * 4,
                FRAGMENT => {
                    let flags = u16_at(self.bytes, 2)?;
                    let place = Place {
                        identification: u32_at(self.bytes, 4)?,
                        offset: usize::from(flags & 0xfff8),
                        more: flags & 1 != 0,
                    };
                    self.pass(8)?;
                    if place.is_part() {
                        return Some((self, Some(place)));
                    }
                    continue;
                }
                _ => return Some((self, None)),
            };
            self.pass(size)?;
        }
        None
    }

    fn pass(&mut self, size: usize) -> Option<()> {
        self.protocol = u8_at(self.bytes, 0)?;
        self.bytes = self.bytes.get(size..)?;
        Some(())
    }

    /// The datagram behind a UDP header (RFC 768): ports, and what it carries.
    pub(super) fn udp(self) -> Option<(u16, u16, Self)> {
        let (source, destination) = (u16_at(self.bytes, 0)?, u16_at(self.bytes, 2)?);
        let rest = self.bytes.get(8..)?;
        let whole = rest.len() + self.missing;
        // NOTE: a length that is no length, or more than the packet has, is not believed; what is there is read.
        let claimed = match usize::from(u16_at(self.bytes, 4)?).checked_sub(8) {
            Some(claimed) if claimed <= whole => claimed,
            _ => whole,
        };
        let (bytes, missing) = cut(rest, claimed);
        Some((source, destination, Self { protocol: self.protocol, bytes, missing }))
    }
}

impl Place {
    const fn is_part(self) -> bool {
        self.more || self.offset > 0
    }
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// A TCP segment, its header read (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Segment<'a> {
    pub(super) source: u16,
    pub(super) destination: u16,
    pub(super) sequence: u32,
    pub(super) synchronises: bool,
    pub(super) finishes: bool,
    pub(super) resets: bool,
    pub(super) bytes: &'a [u8],
    pub(super) missing: usize,
}

impl<'a> Segment<'a> {
    pub(super) fn parse(payload: Payload<'a>) -> Option<Self> {
        let bytes = payload.bytes;
        let header = usize::from(u8_at(bytes, 12)? >> 4) * 4;
        let flags = u8_at(bytes, 13)?;
        if header < 20 {
            return None;
        }
        Some(Self {
            source: u16_at(bytes, 0)?,
            destination: u16_at(bytes, 2)?,
            sequence: u32_at(bytes, 4)?,
            synchronises: flags & 0x02 != 0,
            finishes: flags & 0x01 != 0,
            resets: flags & 0x04 != 0,
            bytes: bytes.get(header..)?,
            missing: payload.missing,
        })
    }

    /// How far it moves the sequence numbers on.
    pub(super) fn reach(&self) -> usize {
        self.bytes.len().saturating_add(self.missing).min(length(u32::MAX >> 2))
    }
}
