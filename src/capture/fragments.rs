//! IP datagrams put together from fragments (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::capture::counts::Counts;
use crate::capture::ip::{IpPacket, Place};
use crate::capture::limits::Limits;
use crate::capture::time::CaptureTime;

/// What fragments of one datagram have in common (RFC 791 §2.3); and how deep they lie in tunnels.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    protocol: u8,
    depth: usize,
}

/// The datagrams that are not whole yet.
pub(super) struct Fragments {
    limits: Limits,
    table: HashMap<Key, Assembly>,
    /// The datagrams in order of their first fragments; some are gone already.
    order: VecDeque<(Key, u64)>,
    bytes: usize,
    serial: u64,
}

/// What is there of one datagram.
struct Assembly {
    serial: u64,
    begun: Option<CaptureTime>,
    /// In order of their places, and none over another.
    pieces: Vec<Piece>,
    /// Bytes that the pieces cover.
    covered: usize,
    total: Option<usize>,
    refused: bool,
}

struct Piece {
    start: usize,
    end: usize,
    bytes: Box<[u8]>,
}

/// A datagram put together.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    pub(super) missing: usize,
}

/// What keeping a piece, and a datagram, costs beside its bytes.
const PIECE_COST: usize = 64;
const ASSEMBLY_COST: usize = 256;

/// The longest datagram (RFC 791 §3.1).
const MAX_DATAGRAM: usize = 65_535;

impl Fragments {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, table: HashMap::new(), order: VecDeque::new(), bytes: 0, serial: 0 }
    }

    /// Takes a fragment; gives the datagram when it was the last one missing.
    pub(super) fn add(
        &mut self,
        packet: &IpPacket<'_>,
        place: Place,
        depth: usize,
        now: Option<CaptureTime>,
        counts: &mut Counts,
    ) -> Option<Whole> {
        counts.fragments += 1;
        let length = packet.payload.bytes.len() + packet.payload.missing;
        let end = place.offset + length;
        // RFC 8200 §4.5: all but the last are multiples of eight, and nothing reaches beyond the longest datagram.
        if length == 0 || end > MAX_DATAGRAM || (place.more && !length.is_multiple_of(8)) {
            counts.malformed += 1;
            return None;
        }
        self.expire(now, counts);
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            identification: place.identification,
            protocol: packet.payload.protocol,
            depth,
        };
        let assembly = self.table.entry(key).or_insert_with(|| {
            self.serial += 1;
            self.order.push_back((key, self.serial));
            self.bytes += ASSEMBLY_COST;
            Assembly::new(self.serial, now)
        });
        let before = assembly.cost();
        let fate = assembly.add(place, end, packet.payload.bytes, self.limits.fragments);
        self.bytes = self.bytes - before + assembly.cost();
        match fate {
            Fate::Overlaps => counts.overlapping += 1,
            Fate::TooMany => counts.datagrams_dropped += 1,
            Fate::Waits => {}
            Fate::Whole => {
                let assembly = self.remove(&key)?;
                counts.reassembled += 1;
                return Some(assembly.into_whole());
            }
        }
        self.shrink(counts);
        None
    }

    /// Counts what never came together.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        let incomplete = self.table.values().filter(|assembly| !assembly.refused).count();
        counts.incomplete += u64::try_from(incomplete).unwrap_or(u64::MAX);
        *self = Self::new(self.limits);
    }

    fn remove(&mut self, key: &Key) -> Option<Assembly> {
        let assembly = self.table.remove(key)?;
        self.bytes -= assembly.cost() + ASSEMBLY_COST;
        // Datagrams that came together leave their places in the order behind.
        if self.order.len() > 2 * self.table.len() + 64 {
            let table = &self.table;
            self.order.retain(|(key, serial)| table.get(key).is_some_and(|held| held.serial == *serial));
        }
        Some(assembly)
    }

    fn expire(&mut self, now: Option<CaptureTime>, counts: &mut Counts) {
        let Some(now) = now else { return };
        let most = i64::from(self.limits.fragment_seconds).saturating_mul(1_000_000_000);
        while let Some((key, serial)) = self.order.front().copied() {
            match self.table.get(&key) {
                Some(held) if held.serial == serial => {
                    // What has no time of its own counts as old as soon as something has one.
                    if held.begun.is_some_and(|begun| now.nanoseconds_since(begun) <= most) {
                        return;
                    }
                    if self.remove(&key).is_some_and(|assembly| !assembly.refused) {
                        counts.incomplete += 1;
                    }
                }
                _ => {}
            }
            if self.order.front() == Some(&(key, serial)) {
                self.order.pop_front();
            }
        }
    }

    fn shrink(&mut self, counts: &mut Counts) {
        while self.table.len() > self.limits.datagrams || self.bytes > self.limits.fragment_bytes {
            let Some((key, serial)) = self.order.pop_front() else { return };
            if self.table.get(&key).is_some_and(|held| held.serial == serial)
                && self.remove(&key).is_some_and(|assembly| !assembly.refused)
            {
                counts.datagrams_dropped += 1;
            }
        }
    }
}

enum Fate {
    Overlaps,
    TooMany,
    Waits,
    Whole,
}

impl Assembly {
    fn new(serial: u64, begun: Option<CaptureTime>) -> Self {
        Self { serial, begun, pieces: Vec::new(), covered: 0, total: None, refused: false }
    }

    fn cost(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len() + PIECE_COST).sum()
    }

    fn add(&mut self, place: Place, end: usize, bytes: &[u8], limit: usize) -> Fate {
        if self.refused {
            return Fate::Waits;
        }
        let at = self.pieces.partition_point(|piece| piece.start < place.offset);
        if let Some(same) = self.pieces.get(at).filter(|piece| piece.start == place.offset && piece.end == end) {
            // RFC 8200 §4.5: an exact duplicate may be ignored.
            let agree = same.bytes.iter().zip(bytes).all(|(one, other)| one == other);
            return if agree { Fate::Waits } else { self.refuse(Fate::Overlaps) };
        }
        let before = at.checked_sub(1).and_then(|before| self.pieces.get(before));
        let overlaps = before.is_some_and(|piece| piece.end > place.offset)
            || self.pieces.get(at).is_some_and(|piece| piece.start < end);
        let total = if place.more { self.total } else { Some(end) };
        let last = self.pieces.last().map_or(end, |piece| piece.end.max(end));
        // NOTE: RFC 5722 §4 is about IPv6; what overlaps in IPv4 is as surely an attack or a reused identification.
        if overlaps || (!place.more && self.total.is_some()) || total.is_some_and(|total| last > total) {
            return self.refuse(Fate::Overlaps);
        }
        if self.pieces.len() >= limit {
            return self.refuse(Fate::TooMany);
        }
        self.total = total;
        self.covered += end - place.offset;
        self.pieces.insert(at, Piece { start: place.offset, end, bytes: bytes.into() });
        if self.total == Some(self.covered) { Fate::Whole } else { Fate::Waits }
    }

    /// Keeps nothing but the refusal, so that what still comes of the datagram is refused with it.
    fn refuse(&mut self, fate: Fate) -> Fate {
        self.refused = true;
        self.pieces = Vec::new();
        fate
    }

    fn into_whole(self) -> Whole {
        let mut whole = Whole { bytes: Vec::with_capacity(self.covered), missing: 0 };
        for piece in &self.pieces {
            whole.bytes.extend_from_slice(&piece.bytes);
            if piece.bytes.len() < piece.end - piece.start {
                // The snapshot length cut this one: what lies behind the cut has lost its place.
                break;
            }
        }
        whole.missing = self.covered - whole.bytes.len();
        whole
    }
}
