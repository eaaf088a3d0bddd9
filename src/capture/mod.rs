//! SIP messages out of packet captures: pcap, pcapng and HEPv3 (RFC 3261 §18, draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
//!
//! Bytes in, messages out: nothing here opens a file or a socket, and the only time is the one that the capture holds.
//! A capture is hostile input. Every table has a limit ([`Limits`]), and what a limit costs is counted ([`Counts`]).
//!
//! The readers are our own. pcap-parser wants a whole block in a buffer whose size the file decides, etherparse stops at
//! a packet that the snapshot length cut short and knows no SLL2, GRE or GTP-U, and neither reassembles TCP.
//!
//! ```
//! use stirtrace::capture::{Capture, Limits};
//!
//! # let file: &[u8] = b"";
//! for message in Capture::new(file, Limits::default()) {
//!     match message {
//!         Ok(message) => assert!(message.frame >= 1),
//!         Err(error) => assert!(!error.to_string().is_empty()), // an empty file is no capture
//!     }
//! }
//! ```

mod calls;
mod counts;
mod dissector;
mod error;
mod fragments;
mod framing;
mod hep;
mod ip;
mod limits;
mod link;
mod message;
mod octets;
mod packets;
mod pcap;
mod pcapng;
mod repeats;
mod sink;
mod tcp;
mod time;
mod tunnel;
mod websocket;
mod window;

use std::collections::VecDeque;
use std::io::Read;

pub use crate::capture::calls::CallLines;
pub use crate::capture::counts::Counts;
pub use crate::capture::dissector::Dissector;
pub use crate::capture::error::Error;
pub use crate::capture::limits::Limits;
pub use crate::capture::message::{CapturedMessage, Transport};
pub use crate::capture::packets::{Link, Packet, Packets, is_capture};
pub use crate::capture::repeats::{Fingerprint, Fingerprinter, Repeat, Repeats};
pub use crate::capture::time::CaptureTime;

/// The SIP messages of a capture, in the order in which they are complete.
pub struct Capture<R> {
    packets: Packets<R>,
    dissector: Dissector,
    ready: VecDeque<CapturedMessage<'static>>,
    ended: bool,
}

impl<R: Read> Capture<R> {
    /// The messages of what `source` holds, unpacked; whether it is a capture at all, the first message tells.
    pub fn new(source: R, limits: Limits) -> Self {
        Self { packets: Packets::new(source), dissector: Dissector::new(limits), ready: VecDeque::new(), ended: false }
    }

    /// What was read so far, and what of it was no message.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.dissector.counts()
    }

    /// Whether the next message may have to wait for whoever writes: the moment to flush what was printed.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ready.is_empty() && !self.packets.has_more_at_hand()
    }

    /// Hands the messages of the next packet to `take` without copying them; `false` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on. Nothing comes after it but what the last packets left unfinished.
    pub fn next_packet(&mut self, take: &mut dyn FnMut(CapturedMessage<'_>)) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        match self.packets.next_packet() {
            Ok(Some(packet)) => {
                self.dissector.packet(&packet, take);
                Ok(true)
            }
            Ok(None) => {
                self.ended = true;
                self.dissector.finish(take);
                Ok(false)
            }
            Err(error) => {
                self.ended = true;
                self.dissector.finish(take);
                Err(error)
            }
        }
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<CapturedMessage<'static>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut ready = std::mem::take(&mut self.ready);
        let mut outcome = Ok(true);
        while ready.is_empty() && matches!(outcome, Ok(true)) {
            outcome = self.next_packet(&mut |message| ready.push_back(message.into_owned()));
        }
        if let Err(error) = outcome {
            // What was unfinished comes after the error.
            self.ready = ready;
            return Some(Err(error));
        }
        let first = ready.pop_front();
        self.ready = ready;
        first.map(Ok)
    }
}
