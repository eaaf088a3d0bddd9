//! The blocks of a pcapng file that matter: sections, interfaces, packets (draft-ietf-opsawg-pcapng §4).

use std::ops::Range;

use crate::capture::octets::{Order, array_at, length};
use crate::capture::time::{CaptureTime, Resolution};

/// §4.1: the type of a Section Header Block reads the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// What a section's blocks are read with.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) order: Order,
    pub(super) interfaces: Vec<Interface>,
}

/// What an interface says of its packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Interface {
    link: u16,
    snapshot: usize,
    resolution: Resolution,
    offset: i64,
}

/// A packet, by where its bytes lie in the block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) link: u16,
    pub(super) time: Option<CaptureTime>,
    pub(super) bytes: Range<usize>,
    pub(super) length: usize,
}

/// Why a block is no packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Short,
    UnknownInterface(u32),
}

/// §4.1: the byte order that a section is written in.
pub(super) fn order_of(block: &[u8]) -> Option<Order> {
    match array_at(block, 8)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        _ => None,
    }
}

/// Whether a block of this type is looked into; others are passed over unread.
pub(super) const fn matters(kind: u32) -> bool {
    matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// Whether it describes an interface.
pub(super) const fn is_interface(kind: u32) -> bool {
    kind == INTERFACE
}

impl Section {
    pub(super) const fn new(order: Order) -> Self {
        Self { order, interfaces: Vec::new() }
    }

    /// §4.2: link type, snapshot length, and the two options that change what times mean.
    pub(super) fn interface(&self, block: &[u8]) -> Option<Interface> {
        let mut interface = Interface {
            link: self.order.u16(block, 8)?,
            snapshot: length(self.order.u32(block, 12)?),
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        let mut at = 16;
        while let (Some(code @ 1..), Some(size)) = (self.order.u16(block, at), self.order.u16(block, at + 2)) {
            let (value, size) = (at + 4, usize::from(size));
            match (code, size) {
                (9, 1) => interface.resolution = Resolution::from_octet(*block.get(value)?),
                (14, 8) => interface.offset = self.order.i64(block, value)?,
                _ => {}
            }
            at = value + size.next_multiple_of(4);
        }
        Some(interface)
    }

    /// The packet of a block of this type.
    pub(super) fn packet(&self, kind: u32, block: &[u8]) -> Result<Found, Refusal> {
        let number = |at| self.order.u32(block, at).ok_or(Refusal::Short);
        let (interface, data, captured, original) = match kind {
            SIMPLE_PACKET => {
                let original = length(number(8)?);
                let interface = self.interface_of(0)?;
                let most = if interface.snapshot == 0 { usize::MAX } else { interface.snapshot };
                let held = block.len().saturating_sub(16);
                (interface, 12, original.min(most).min(held), original)
            }
            OLD_PACKET => {
                let interface = u32::from(self.order.u16(block, 8).ok_or(Refusal::Short)?);
                (self.interface_of(interface)?, 28, length(number(20)?), length(number(24)?))
            }
            _ => (self.interface_of(number(8)?)?, 28, length(number(20)?), length(number(24)?)),
        };
        let time = if kind == SIMPLE_PACKET {
            None
        } else {
            let units = u64::from(number(12)?) << 32 | u64::from(number(16)?);
            Some(CaptureTime::of_units(units, interface.resolution, interface.offset))
        };
        let end = data + captured.min(block.len());
        // The last four bytes repeat the block's length.
        if end + 4 > block.len() {
            return Err(Refusal::Short);
        }
        Ok(Found { link: interface.link, time, bytes: data..end, length: original })
    }

    fn interface_of(&self, number: u32) -> Result<Interface, Refusal> {
        self.interfaces.get(length(number)).copied().ok_or(Refusal::UnknownInterface(number))
    }
}
