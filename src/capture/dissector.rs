//! From a packet to the SIP in it: link, network and transport, tunnels on the way.

use std::net::SocketAddr;

use crate::capture::counts::Counts;
use crate::capture::fragments::Fragments;
use crate::capture::hep;
use crate::capture::ip::{IpPacket, Payload, Segment};
use crate::capture::limits::{Limits, MAX_DEPTH};
use crate::capture::link::{Inside, inside};
use crate::capture::message::CapturedMessage;
use crate::capture::packets::{Link, Packet};
use crate::capture::sink::Sink;
use crate::capture::tcp::Flows;
use crate::capture::time::CaptureTime;
use crate::capture::tunnel::{GTP_PORT, VXLAN_PORTS, gre, gtp, is_ipsec, vxlan};

/// Takes packets one after the other and hands over the messages that they make whole.
pub struct Dissector {
    fragments: Fragments,
    flows: Flows,
    counts: Counts,
    last: Option<CaptureTime>,
}

impl Dissector {
    /// One that holds no more than that.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { fragments: Fragments::new(limits), flows: Flows::new(limits), counts: Counts::default(), last: None }
    }

    /// What was read so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes a packet.
    pub fn packet(&mut self, packet: &Packet<'_>, take: &mut dyn FnMut(CapturedMessage<'_>)) {
        self.counts.frames += 1;
        self.last = packet.time.or(self.last);
        let mut sink = Sink { frame: packet.number, time: packet.time, counts: &mut self.counts, take };
        let mut work = Work { fragments: &mut self.fragments, flows: &mut self.flows, sink: &mut sink };
        match packet.link {
            Link::Hep => work.sink.hep(packet.bytes),
            Link::Type(link) => work.inside(inside(link, packet.bytes), packet.missing(), 0),
        }
    }

    /// Takes a HEP packet that came by itself, as over a socket; `time` is when it came.
    pub fn hep(
        &mut self,
        number: u64,
        time: Option<CaptureTime>,
        bytes: &[u8],
        take: &mut dyn FnMut(CapturedMessage<'_>),
    ) {
        self.packet(&Packet { number, time, link: Link::Hep, bytes, length: bytes.len() }, take);
    }

    /// Ends: what is unfinished is handed over as far as it goes, or counted.
    pub fn finish(&mut self, take: &mut dyn FnMut(CapturedMessage<'_>)) {
        self.fragments.finish(&mut self.counts);
        let mut sink = Sink { frame: self.counts.frames, time: self.last, counts: &mut self.counts, take };
        self.flows.finish(&mut sink);
    }
}

/// What is done with one packet.
struct Work<'a, 'b> {
    fragments: &'a mut Fragments,
    flows: &'a mut Flows,
    sink: &'a mut Sink<'b>,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const IP_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;
const ESP: u8 = 50;

impl Work<'_, '_> {
    fn inside(&mut self, inside: Inside<'_>, missing: usize, depth: usize) {
        match inside {
            Inside::Ip(bytes) => self.ip(bytes, missing, depth),
            Inside::Other => {}
            Inside::Short => self.sink.counts.malformed += 1,
            Inside::Unknown => self.sink.counts.unknown_link += 1,
        }
    }

    fn ip(&mut self, bytes: &[u8], missing: usize, depth: usize) {
        if depth > MAX_DEPTH {
            self.sink.counts.too_deep += 1;
            return;
        }
        let Some(packet) = IpPacket::parse(bytes, missing) else {
            self.sink.counts.malformed += 1;
            return;
        };
        let Some(place) = packet.fragment else { return self.transport(&packet, packet.payload, depth) };
        let whole = self.fragments.add(&packet, place, depth, self.sink.time, self.sink.counts);
        if let Some(whole) = whole {
            let payload = Payload { protocol: packet.payload.protocol, bytes: &whole.bytes, missing: whole.missing };
            match payload.without_extensions() {
                // A fragment inside the fragments of the same datagram is nothing that a host would send.
                Some((payload, None)) => self.transport(&packet, payload, depth),
                _ => self.sink.counts.malformed += 1,
            }
        }
    }

    fn transport(&mut self, packet: &IpPacket<'_>, payload: Payload<'_>, depth: usize) {
        let read = match payload.protocol {
            UDP => self.udp(packet, payload, depth),
            TCP => self.tcp(packet, payload),
            IP_IN_IP | IPV6_IN_IP => {
                self.ip(payload.bytes, payload.missing, depth + 1);
                Some(())
            }
            GRE => {
                self.inside(gre(payload.bytes), payload.missing, depth + 1);
                Some(())
            }
            ESP => {
                self.sink.counts.ipsec += 1;
                Some(())
            }
            _ => Some(()),
        };
        if read.is_none() {
            self.sink.counts.malformed += 1;
        }
    }

    fn udp(&mut self, packet: &IpPacket<'_>, payload: Payload<'_>, depth: usize) -> Option<()> {
        let (source, destination, data) = payload.udp()?;
        let way = (SocketAddr::new(packet.source, source), SocketAddr::new(packet.destination, destination));
        if self.sink.datagram(way, data.bytes, data.missing) {
            return Some(());
        }
        if data.bytes.starts_with(hep::MAGIC) {
            self.sink.hep(data.bytes);
        } else if VXLAN_PORTS.contains(&destination) {
            if let Some(inner) = vxlan(data.bytes) {
                self.inside(inner, data.missing, depth + 1);
            }
        } else if destination == GTP_PORT {
            if let Some(inner) = gtp(data.bytes) {
                self.inside(inner, data.missing, depth + 1);
            }
        } else if is_ipsec(source, destination, data.bytes) {
            self.sink.counts.ipsec += 1;
        }
        Some(())
    }

    fn tcp(&mut self, packet: &IpPacket<'_>, payload: Payload<'_>) -> Option<()> {
        let segment = Segment::parse(payload)?;
        let way =
            (SocketAddr::new(packet.source, segment.source), SocketAddr::new(packet.destination, segment.destination));
        self.flows.segment(way, &segment, self.sink);
        Some(())
    }
}
