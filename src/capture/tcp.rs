//! TCP connections put in order again, each direction a stream of its own (RFC 9293 §3.4, §3.10.7.4).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::capture::counts::Counts;
use crate::capture::framing::{Framed, Framer};
use crate::capture::ip::Segment;
use crate::capture::limits::Limits;
use crate::capture::octets::count;
use crate::capture::sink::{Sink, Way};
use crate::capture::time::CaptureTime;

/// The directions of connections that are followed.
pub(super) struct Flows {
    limits: Limits,
    table: HashMap<Way, Flow>,
    /// All of them, about in the order of their last use: `tick` tells whether one was used since it was put here.
    order: VecDeque<(Way, u64)>,
    bytes: usize,
    tick: u64,
}

/// One direction of a connection.
struct Flow {
    used: u64,
    /// The sequence number of the first byte, if its SYN was seen.
    initial: Option<u32>,
    /// The sequence number expected next, and the same counted on from the start without wrapping.
    next: u32,
    position: u64,
    /// What came too early, by position.
    waiting: BTreeMap<u64, Early>,
    waiting_bytes: usize,
    gap_since: Option<CaptureTime>,
    framer: Framer,
}

struct Early {
    bytes: Box<[u8]>,
    missing: usize,
}

/// What keeping a segment, and a flow, costs beside its bytes.
const SEGMENT_COST: usize = 96;
const FLOW_COST: usize = 384;

/// How far a segment may lie from what is expected and still be of the same connection.
const MAX_DISTANCE: i32 = 1 << 26;

impl Flows {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, table: HashMap::new(), order: VecDeque::new(), bytes: 0, tick: 0 }
    }

    /// Takes a segment; what it makes whole goes to the sink.
    pub(super) fn segment(&mut self, way: Way, segment: &Segment<'_>, sink: &mut Sink<'_>) {
        // Nothing to follow in a bare acknowledgement.
        if segment.reach() == 0 && !segment.synchronises && !segment.finishes && !segment.resets {
            return;
        }
        self.tick += 1;
        let flow = match self.table.entry(way) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if segment.reach() == 0 && !segment.synchronises => return,
            Entry::Vacant(place) => {
                self.order.push_back((way, self.tick));
                self.bytes += FLOW_COST;
                place.insert(Flow::begin(segment))
            }
        };
        flow.used = self.tick;
        let before = flow.cost();
        flow.take(way, segment, &self.limits, sink);
        self.bytes = self.bytes - before + flow.cost();
        self.shrink(sink);
    }

    /// What is unfinished at the end of the capture.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) {
        let mut flows: Vec<_> = self.table.drain().collect();
        flows.sort_by_key(|(_, flow)| flow.used);
        for (way, mut flow) in flows {
            flow.drain_all(way, &self.limits, sink);
        }
        *self = Self::new(self.limits);
    }

    fn shrink(&mut self, sink: &mut Sink<'_>) {
        while self.table.len() > self.limits.flows || self.bytes > self.limits.flow_bytes {
            let Some((way, tick)) = self.order.pop_front() else { return };
            let Entry::Occupied(held) = self.table.entry(way) else { continue };
            // Used since: to the end of the queue, once.
            if held.get().used != tick {
                self.order.push_back((way, held.get().used));
                continue;
            }
            let mut flow = held.remove();
            self.bytes -= FLOW_COST + flow.cost();
            sink.counts.flows_dropped += u64::from(flow.cost() > 0);
            flow.drain_all(way, &self.limits, sink);
        }
    }
}

impl Flow {
    fn begin(segment: &Segment<'_>) -> Self {
        let first = segment.sequence.wrapping_add(u32::from(segment.synchronises));
        Self {
            used: 0,
            initial: segment.synchronises.then_some(first),
            next: first,
            position: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            gap_since: None,
            framer: Framer::default(),
        }
    }

    fn cost(&self) -> usize {
        self.waiting_bytes + self.framer.cost()
    }

    fn take(&mut self, way: Way, segment: &Segment<'_>, limits: &Limits, sink: &mut Sink<'_>) {
        let first = segment.sequence.wrapping_add(u32::from(segment.synchronises));
        let distance = first.wrapping_sub(self.next).cast_signed();
        let is_anew = segment.synchronises && !self.began_with(first);
        if is_anew || !(-MAX_DISTANCE..=MAX_DISTANCE).contains(&distance) {
            // The same ports, another connection.
            let used = self.used;
            self.drain_all(way, limits, sink);
            *self = Self::begin(segment);
            self.used = used;
            self.deliver(way, segment.bytes, segment.missing, limits, sink);
        } else if distance > 0 {
            self.keep(u64::from(distance.unsigned_abs()), segment, sink.time);
            self.pass_gap_if_old(way, limits, sink);
        } else {
            let old = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
            self.deliver_after(way, old, segment.bytes, segment.missing, limits, sink);
            self.drain(way, limits, sink);
            self.pass_gap_if_old(way, limits, sink);
        }
        if segment.resets || (segment.finishes && distance <= 0 && self.waiting.is_empty()) {
            self.drain_all(way, limits, sink);
        }
    }

    /// Whether a SYN is this connection's own, sent again or captured late.
    fn began_with(&mut self, first: u32) -> bool {
        let is_late = self.initial.is_none() && u64::from(self.next.wrapping_sub(first)) == self.position;
        if is_late {
            self.initial = Some(first);
        }
        self.initial == Some(first)
    }

    /// Bytes of which `old` were there before: what was received first stays (RFC 9293 §3.10.7.4).
    fn deliver_after(
        &mut self,
        way: Way,
        old: usize,
        bytes: &[u8],
        missing: usize,
        limits: &Limits,
        sink: &mut Sink<'_>,
    ) {
        match bytes.get(old..) {
            Some(new) => self.deliver(way, new, missing, limits, sink),
            // The whole of what was captured is old; perhaps not the whole of what was sent.
            None => self.deliver(way, &[], (bytes.len().saturating_add(missing)).saturating_sub(old), limits, sink),
        }
    }

    fn deliver(&mut self, way: Way, bytes: &[u8], missing: usize, limits: &Limits, sink: &mut Sink<'_>) {
        if !bytes.is_empty() {
            self.advance(bytes.len());
            self.framed(way, sink, |framer, counts, out| framer.push(bytes, limits, counts, out));
        }
        if missing > 0 {
            // The snapshot length cut the segment: what it held will not come again.
            self.advance(missing);
            self.framed(way, sink, |framer, counts, out| framer.gap(counts, out));
        }
    }

    fn framed(
        &mut self,
        way: Way,
        sink: &mut Sink<'_>,
        work: impl FnOnce(&mut Framer, &mut Counts, &mut dyn FnMut(&mut Counts, Framed<'_>)),
    ) {
        let Sink { frame, time, counts, take } = sink;
        let mut out = |counts: &mut Counts, framed: Framed<'_>| {
            Sink { frame: *frame, time: *time, counts, take: &mut **take }.framed(way, framed);
        };
        work(&mut self.framer, counts, &mut out);
    }

    fn advance(&mut self, length: usize) {
        self.next = self.next.wrapping_add(u32::try_from(length & 0xffff_ffff).unwrap_or_default());
        self.position += count(length);
    }

    fn keep(&mut self, distance: u64, segment: &Segment<'_>, now: Option<CaptureTime>) {
        if segment.reach() == 0 {
            return;
        }
        self.gap_since = self.gap_since.or(now);
        let place = self.position + distance;
        if self.waiting.get(&place).is_some_and(|held| held.bytes.len() >= segment.bytes.len()) {
            return;
        }
        self.waiting_bytes += segment.bytes.len() + SEGMENT_COST;
        let early = Early { bytes: segment.bytes.into(), missing: segment.missing };
        if let Some(shorter) = self.waiting.insert(place, early) {
            self.waiting_bytes -= shorter.bytes.len() + SEGMENT_COST;
        }
    }

    /// Hands over what waits and has its turn.
    fn drain(&mut self, way: Way, limits: &Limits, sink: &mut Sink<'_>) {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= self.position) {
            let old = usize::try_from(self.position - first.key()).unwrap_or(usize::MAX);
            let early = first.remove();
            self.waiting_bytes -= early.bytes.len() + SEGMENT_COST;
            self.deliver_after(way, old, &early.bytes, early.missing, limits, sink);
        }
        if self.waiting.is_empty() {
            self.gap_since = None;
        }
    }

    fn pass_gap_if_old(&mut self, way: Way, limits: &Limits, sink: &mut Sink<'_>) {
        let most = i64::from(limits.gap_seconds).saturating_mul(1_000_000_000);
        let is_old = match (self.gap_since, sink.time) {
            (Some(since), Some(now)) => now.nanoseconds_since(since) > most,
            _ => false,
        };
        if is_old || self.waiting_bytes > limits.gap_bytes {
            self.pass_gap(way, limits, sink);
            self.gap_since = if self.waiting.is_empty() { None } else { sink.time };
        }
    }

    /// Gives up what is missing before the first bytes that wait.
    fn pass_gap(&mut self, way: Way, limits: &Limits, sink: &mut Sink<'_>) {
        let Some((place, _)) = self.waiting.first_key_value() else { return };
        let missing = usize::try_from(place.saturating_sub(self.position)).unwrap_or(usize::MAX);
        sink.counts.gaps += 1;
        self.advance(missing);
        self.framed(way, sink, |framer, counts, out| framer.gap(counts, out));
        self.drain(way, limits, sink);
    }

    /// Hands over everything that is there, whatever is missing between.
    fn drain_all(&mut self, way: Way, limits: &Limits, sink: &mut Sink<'_>) {
        while !self.waiting.is_empty() {
            self.pass_gap(way, limits, sink);
        }
        self.framed(way, sink, |framer, counts, out| framer.gap(counts, out));
    }
}
