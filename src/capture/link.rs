//! What a link-layer header carries: Ethernet with its tags, Linux cooked captures, loopback, raw IP.

use crate::capture::limits::MAX_TAGS;
use crate::capture::octets::{Order, u8_at, u16_at, u32_at};

/// What lies behind a link-layer header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Inside<'a> {
    /// An IP packet of either version.
    Ip(&'a [u8]),
    /// Something else, such as ARP.
    Other,
    /// The packet ends inside the header.
    Short,
    /// A link type that is not read.
    Unknown,
}

/// Looks behind the header of a link type, by its number in the registry of link types.
pub(super) fn inside(link: u16, bytes: &[u8]) -> Inside<'_> {
    match link {
        NULL | LOOP => loopback(bytes),
        ETHERNET => ethernet(bytes),
        // PPP in HDLC-like framing (RFC 1662 §3.1): the address and control octets may be left out.
        PPP => ppp(bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes)),
        RAW | IPV4 | IPV6 | 12 | 14 => Inside::Ip(bytes),
        LINUX_SLL => typed(bytes, 14, 16),
        LINUX_SLL2 => typed(bytes, 0, 20),
        _ => Inside::Unknown,
    }
}

const NULL: u16 = 0;
const ETHERNET: u16 = 1;
const PPP: u16 = 9;
/// Some systems write 12 or 14, their own number for it.
const RAW: u16 = 101;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// IEEE 802.3: two addresses, then a type.
pub(super) fn ethernet(bytes: &[u8]) -> Inside<'_> {
    typed(bytes, 12, 14)
}

/// A header with an EtherType at `place`, then what it says at `payload`.
fn typed(bytes: &[u8], place: usize, payload: usize) -> Inside<'_> {
    match (u16_at(bytes, place), bytes.get(payload..)) {
        (Some(kind), Some(rest)) => of_type(kind, rest),
        _ => Inside::Short,
    }
}

/// What an EtherType says of the bytes behind it: tags are passed, labels popped.
pub(super) fn of_type(mut kind: u16, mut bytes: &[u8]) -> Inside<'_> {
    for _ in 0..MAX_TAGS {
        match kind {
            0x0800 | 0x86dd => return Inside::Ip(bytes),
            // IEEE 802.1Q, 802.1ad (QinQ) and the types before it: two bytes of tag, then the next type.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => match (u16_at(bytes, 2), bytes.get(4..)) {
                (Some(next), Some(rest)) => (kind, bytes) = (next, rest),
                _ => return Inside::Short,
            },
            0x8847 | 0x8848 => return labelled(bytes),
            // PPPoE (RFC 2516 §4): six bytes, then PPP.
            0x8864 => return bytes.get(6..).map_or(Inside::Short, ppp),
            // IEEE 802.3 with a length, LLC and SNAP (RFC 1042).
            0..=0x05dc if bytes.starts_with(&[0xaa, 0xaa, 0x03, 0, 0, 0]) => match (u16_at(bytes, 6), bytes.get(8..)) {
                (Some(next), Some(rest)) => (kind, bytes) = (next, rest),
                _ => return Inside::Short,
            },
            _ => return Inside::Other,
        }
    }
    Inside::Other
}

/// MPLS (RFC 3032 §2.1): labels up to the one that says it is the last; then IP, as its first half byte shows.
fn labelled(mut bytes: &[u8]) -> Inside<'_> {
    for _ in 0..MAX_TAGS {
        let Some((label, rest)) = bytes.split_first_chunk::<4>() else { return Inside::Short };
        bytes = rest;
        if label[2] & 1 == 1 {
            return if is_ip(bytes) { Inside::Ip(bytes) } else { Inside::Other };
        }
    }
    Inside::Other
}

fn ppp(bytes: &[u8]) -> Inside<'_> {
    match (u16_at(bytes, 0), bytes.get(2..)) {
        (Some(0x0021 | 0x0057), Some(rest)) => Inside::Ip(rest),
        (Some(_), Some(_)) => Inside::Other,
        _ => Inside::Short,
    }
}

/// The address family in four bytes: of the byte order of whoever captured (NULL), or of the network (LOOP).
fn loopback(bytes: &[u8]) -> Inside<'_> {
    let (Some(big), Some(little), Some(rest)) = (u32_at(bytes, 0), Order::Little.u32(bytes, 0), bytes.get(4..)) else {
        return Inside::Short;
    };
    // AF_INET is 2 everywhere; AF_INET6 is 10, 24, 28 or 30, by system.
    let is_family = |family| matches!(family, 2 | 10 | 24 | 28 | 30);
    if is_family(big) || is_family(little) { Inside::Ip(rest) } else { Inside::Other }
}

/// Whether the first half byte is a version of IP.
pub(super) fn is_ip(bytes: &[u8]) -> bool {
    matches!(u8_at(bytes, 0).map(|first| first >> 4), Some(4 | 6))
}
