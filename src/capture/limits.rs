//! How much a capture may make us hold.

/// What is held at most; what goes beyond is dropped, oldest first, and counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Datagrams whose fragments are not all there.
    pub datagrams: usize,
    /// Bytes of their fragments, with what keeping them costs.
    pub fragment_bytes: usize,
    /// Fragments of one datagram.
    pub fragments: usize,
    /// Seconds that a datagram may take to come together (RFC 791 §3.2, RFC 8200 §4.5: 60 at most).
    pub fragment_seconds: u32,
    /// Directions of TCP connections.
    pub flows: usize,
    /// Bytes of TCP that wait for others, of all flows, with what keeping them costs.
    pub flow_bytes: usize,
    /// Bytes of one flow that wait behind a gap.
    pub gap_bytes: usize,
    /// Seconds that a gap may stay open.
    pub gap_seconds: u32,
    /// Bytes of one SIP message in a stream.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            datagrams: 65_536,
            fragment_bytes: 48 << 20,
            fragments: 256,
            fragment_seconds: 30,
            flows: 65_536,
            flow_bytes: 64 << 20,
            gap_bytes: 1 << 20,
            gap_seconds: 5,
            message_bytes: 1 << 20,
        }
    }
}

/// How deep packets may lie in packets: VXLAN in GRE in VLAN and the like.
pub(super) const MAX_DEPTH: usize = 8;

/// IPv6 extension headers before the payload (RFC 8200 §4.1 has seven, one of them twice).
pub(super) const MAX_EXTENSION_HEADERS: usize = 10;

/// VLAN tags, MPLS labels and the like before a network packet.
pub(super) const MAX_TAGS: usize = 8;

/// The longest captured packet: four times the largest snapshot length of tcpdump and Wireshark.
pub(super) const MAX_PACKET_BYTES: usize = 1 << 20;

/// Interfaces of one pcapng section.
pub(super) const MAX_INTERFACES: usize = 65_536;

/// The longest first line of a message.
pub(super) const MAX_START_LINE: usize = 8 << 10;
