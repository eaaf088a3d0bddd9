//! What was read of a capture, and what of it was dropped, by reason.

use serde::Serialize;

/// Counts since the first packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Packets.
    pub frames: u64,
    /// SIP messages that were handed over.
    pub messages: u64,
    /// Those of them that are not whole.
    pub truncated: u64,
    /// Packets of a link type that is not read.
    pub unknown_link: u64,
    /// Packets whose own lengths contradict each other, or that end inside a header.
    pub malformed: u64,
    /// Packets in packets, deeper than is read.
    pub too_deep: u64,
    /// IPsec packets (ESP): what they hold cannot be read.
    pub ipsec: u64,
    /// TLS connections, each direction: what they hold cannot be read.
    pub tls: u64,
    /// HEP packets.
    pub hep: u64,
    /// HEP packets that cannot be read: damaged, compressed, or of no SIP.
    pub hep_unread: u64,
    /// IP fragments.
    pub fragments: u64,
    /// Datagrams put together from fragments.
    pub reassembled: u64,
    /// Datagrams whose missing fragments never came.
    pub incomplete: u64,
    /// Datagrams refused because their fragments overlap (RFC 5722 §4).
    pub overlapping: u64,
    /// Datagrams dropped because of a limit on fragments.
    pub datagrams_dropped: u64,
    /// TCP flows dropped because of a limit, with data waiting in them.
    pub flows_dropped: u64,
    /// Gaps in TCP flows that were passed over.
    pub gaps: u64,
    /// Bytes of TCP connections that belong to no message: other protocols, and what follows a gap.
    pub skipped_bytes: u64,
    /// Messages longer than the limit.
    pub messages_too_long: u64,
    /// Compressed or malformed WebSocket messages.
    pub websocket_unread: u64,
}

impl Counts {
    /// What was dropped or could not be read, in words; nothing where all went well.
    #[must_use]
    pub fn losses(&self) -> Vec<(u64, &'static str)> {
        let all = [
            (self.truncated, "messages not whole (snapshot length, or missing packets)"),
            (self.incomplete, "datagrams of which fragments are missing"),
            (self.overlapping, "datagrams with overlapping fragments, refused (RFC 5722)"),
            (self.datagrams_dropped, "fragmented datagrams dropped at the limit"),
            (self.gaps, "gaps in TCP connections"),
            (self.flows_dropped, "TCP connections dropped at the limit"),
            (self.messages_too_long, "messages too long"),
            (self.tls, "TLS connections, which cannot be read"),
            (self.ipsec, "IPsec packets, which cannot be read"),
            (self.hep_unread, "HEP packets that hold no readable SIP"),
            (self.websocket_unread, "WebSocket messages that cannot be read"),
            (self.unknown_link, "packets of an unknown link type"),
            (self.malformed, "malformed packets"),
            (self.too_deep, "packets in packets, too deep"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0).collect()
    }
}
