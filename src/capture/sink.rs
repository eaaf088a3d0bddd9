//! Where messages go on their way out: each with the packet that made it complete, and each counted.

use std::borrow::Cow;
use std::net::SocketAddr;

use crate::capture::counts::Counts;
use crate::capture::framing::{Framed, starts_message};
use crate::capture::hep::HepPacket;
use crate::capture::message::{CapturedMessage, Transport};
use crate::capture::time::CaptureTime;

/// Who sends to whom.
pub(super) type Way = (SocketAddr, SocketAddr);

/// What the packet at hand leads to.
pub(super) struct Sink<'a> {
    pub(super) frame: u64,
    pub(super) time: Option<CaptureTime>,
    pub(super) counts: &'a mut Counts,
    pub(super) take: &'a mut dyn FnMut(CapturedMessage<'_>),
}

impl Sink<'_> {
    /// What a stream turned out to hold.
    pub(super) fn framed(&mut self, way: Way, framed: Framed<'_>) {
        match framed {
            Framed::Hep(bytes) => self.hep(bytes),
            Framed::Sip { bytes, missing } => self.message(way, Transport::Tcp, self.time, bytes, missing),
            Framed::WebSocket(bytes) => {
                let bytes = without_blank_lines(bytes);
                if starts_message(bytes, false) {
                    self.message(way, Transport::WebSocket, self.time, bytes, 0);
                }
            }
        }
    }

    /// A datagram that begins with a start line, empty lines before it left out; `false` when it does not.
    pub(super) fn datagram(&mut self, way: Way, bytes: &[u8], missing: usize) -> bool {
        let bytes = without_blank_lines(bytes);
        let starts = starts_message(bytes, missing > 0);
        if starts {
            self.message(way, Transport::Udp, self.time, bytes, missing);
        }
        starts
    }

    /// A HEP packet: the addresses and the time are those that it names.
    pub(super) fn hep(&mut self, bytes: &[u8]) {
        self.counts.hep += 1;
        match HepPacket::parse(bytes) {
            Some(packet) if starts_message(without_blank_lines(packet.payload), false) => {
                let time = packet.time.or(self.time);
                let way = (packet.source, packet.destination);
                self.message(way, packet.transport, time, without_blank_lines(packet.payload), 0);
            }
            // Keep-alives are mirrored too.
            Some(packet) if without_blank_lines(packet.payload).is_empty() => {}
            _ => self.counts.hep_unread += 1,
        }
    }

    fn message(&mut self, way: Way, transport: Transport, time: Option<CaptureTime>, bytes: &[u8], missing: usize) {
        self.counts.messages += 1;
        self.counts.truncated += u64::from(missing > 0);
        (self.take)(CapturedMessage {
            frame: self.frame,
            time,
            source: way.0,
            destination: way.1,
            transport,
            bytes: Cow::Borrowed(bytes),
            missing,
        });
    }
}

/// RFC 3261 §7.5: empty lines before the start line are to be ignored; some keep a binding alive with them or with NULs.
fn without_blank_lines(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
    bytes.get(blank..).unwrap_or_default()
}
