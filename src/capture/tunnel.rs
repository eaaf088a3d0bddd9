//! Packets in packets: GRE, VXLAN, GTP-U; ESP, which hides them.

use crate::capture::link::{Inside, ethernet, is_ip, of_type};
use crate::capture::octets::{u8_at, u16_at};

/// GRE (RFC 2784 §2, RFC 2890 §2), and mirrored traffic in it (ERSPAN, draft-foschiano-erspan §4).
pub(super) fn gre(bytes: &[u8]) -> Inside<'_> {
    let (Some(flags), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) else { return Inside::Short };
    if flags & 0x7 != 0 {
        return Inside::Other;
    }
    let options = [0x8000, 0x2000, 0x1000].iter().filter(|flag| flags & **flag != 0).count();
    let Some(rest) = bytes.get(4 + options * 4..) else { return Inside::Short };
    let header = match kind {
        0x6558 => 0,
        // ERSPAN I has no sequence number and no header, II eight bytes.
        0x88be => {
            if flags & 0x1000 == 0 {
                0
            } else {
                8
            }
        }
        // ERSPAN III: twelve, and eight more where the last bit says so.
        0x22eb => 12 + if u8_at(rest, 11).is_some_and(|last| last & 1 == 1) { 8 } else { 0 },
        _ => return of_type(kind, rest),
    };
    rest.get(header..).map_or(Inside::Short, ethernet)
}

/// VXLAN (RFC 7348 §5): a flag that says the network is named, then Ethernet.
pub(super) fn vxlan(bytes: &[u8]) -> Option<Inside<'_>> {
    (u8_at(bytes, 0)? & 0x08 != 0).then(|| bytes.get(8..).map_or(Inside::Short, ethernet))
}

/// GTP-U (3GPP TS 29.281 §5.1): a G-PDU of version 1, its options and extension headers passed.
pub(super) fn gtp(bytes: &[u8]) -> Option<Inside<'_>> {
    let flags = u8_at(bytes, 0)?;
    // Version 1, protocol type GTP; message type 255 carries a packet.
    if flags & 0xf0 != 0x30 || u8_at(bytes, 1)? != 0xff {
        return None;
    }
    let mut at = 8;
    if flags & 0x07 != 0 {
        at = 12;
        let mut next = if flags & 0x04 == 0 { 0 } else { u8_at(bytes, 11)? };
        while next != 0 {
            let size = usize::from(u8_at(bytes, at)?) * 4;
            if size == 0 {
                return None;
            }
            next = u8_at(bytes, at + size - 1)?;
            at += size;
        }
    }
    bytes.get(at..).filter(|rest| is_ip(rest)).map(Inside::Ip)
}

/// Whether a datagram between these ports is ESP in UDP (RFC 3948 §2): no marker of IKE at its start.
pub(super) fn is_ipsec(source: u16, destination: u16, bytes: &[u8]) -> bool {
    (source == 4500 || destination == 4500) && bytes.len() >= 8 && !bytes.starts_with(&[0; 4])
}

pub(super) const VXLAN_PORTS: [u16; 2] = [4789, 8472];
pub(super) const GTP_PORT: u16 = 2152;
