//! The same message seen again: sent again, or on another leg of the same call (RFC 3261 §17, §16.6).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;

/// What a message is to those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Repeat {
    /// Nothing like it was seen.
    First,
    /// The same call between others: a proxy passed it on. The frame is that of the first.
    Leg {
        /// Where the call was seen first.
        frame: u64,
    },
    /// The same request between the same two: it was sent again, or captured twice.
    Retransmission {
        /// Where it was seen first.
        frame: u64,
    },
}

/// What a message is recognised by: its Call-ID, CSeq and tokens, and who sent it to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    call: u64,
    message: u64,
}

/// Takes fingerprints, on any thread; those of one [`Repeats`] are comparable.
#[derive(Clone, Debug, Default)]
pub struct Fingerprinter(RandomState);

impl Fingerprinter {
    /// The fingerprint of a message.
    #[must_use]
    pub fn of(
        &self,
        (source, destination): (SocketAddr, SocketAddr),
        (call_id, cseq): (&str, &str),
        tokens: &[&str],
    ) -> Fingerprint {
        let call = self.0.hash_one((call_id, cseq, tokens));
        Fingerprint { call, message: self.0.hash_one((call, source, destination)) }
    }
}

/// Remembers messages by their fingerprints; the oldest are forgotten first.
#[derive(Debug)]
pub struct Repeats {
    fingerprinter: Fingerprinter,
    seen: HashMap<u64, u64>,
    order: VecDeque<u64>,
    limit: usize,
}

impl Repeats {
    /// How many are remembered, each in two ways.
    pub const LIMIT: usize = 1 << 18;

    /// Remembers so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let fingerprinter = Fingerprinter::default();
        Self { fingerprinter, seen: HashMap::new(), order: VecDeque::new(), limit: limit.max(1) }
    }

    /// What takes the fingerprints that are compared here.
    #[must_use]
    pub const fn fingerprinter(&self) -> &Fingerprinter {
        &self.fingerprinter
    }

    /// What a message is to those before it; it is remembered.
    pub fn see(&mut self, frame: u64, fingerprint: Fingerprint) -> Repeat {
        let again = self.remember(fingerprint.message, frame);
        let leg = self.remember(fingerprint.call, frame);
        match (again, leg) {
            (Some(frame), _) => Repeat::Retransmission { frame },
            (None, Some(frame)) => Repeat::Leg { frame },
            (None, None) => Repeat::First,
        }
    }

    fn remember(&mut self, key: u64, frame: u64) -> Option<u64> {
        if let Some(first) = self.seen.get(&key) {
            return Some(*first);
        }
        self.seen.insert(key, frame);
        self.order.push_back(key);
        if self.order.len() > self.limit.saturating_mul(2)
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        None
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::new(Self::LIMIT)
    }
}
