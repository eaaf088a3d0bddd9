//! A SIP message with what the capture tells about it.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::Serialize;

use crate::capture::time::CaptureTime;

/// One SIP message of a capture.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CapturedMessage<'a> {
    /// The packet that made it complete, from 1, as Wireshark counts.
    pub frame: u64,
    /// When that packet was captured; a pcapng Simple Packet Block does not say.
    pub time: Option<CaptureTime>,
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// How it was sent.
    pub transport: Transport,
    /// The message as sent, from its start line on.
    pub bytes: Cow<'a, [u8]>,
    /// How many bytes of it, at least, the capture does not hold: its snapshot length cut them off, or a segment is
    /// missing.
    pub missing: usize,
}

impl CapturedMessage<'_> {
    /// The same with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> CapturedMessage<'static> {
        CapturedMessage { bytes: Cow::Owned(self.bytes.into_owned()), ..self }
    }

    /// Whether it begins with a request line of this method.
    #[must_use]
    pub fn is_request(&self, method: &str) -> bool {
        self.bytes.strip_prefix(method.as_bytes()).is_some_and(|rest| rest.first() == Some(&b' '))
    }
}

/// How a message was carried.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transport {
    /// In a HEPv3 packet that says neither UDP nor TCP.
    Hep,
    /// Over TCP (RFC 3261 §18).
    Tcp,
    /// Over UDP (RFC 3261 §18).
    Udp,
    /// Over WebSocket (RFC 7118).
    WebSocket,
}
