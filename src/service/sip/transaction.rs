//! INVITE server transactions: one answer to a request, however often it comes (RFC 3261 §17.2.1).
//!
//! Bounded in number: when there are too many, those go first that were answered longest ago. Other methods need no
//! memory, because the same request gets the same answer (RFC 3261 §8.2.7).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use crate::service::sip::endpoint::Transport;
use crate::service::sip::request::{Envelope, TransactionId};
use crate::sip::message::Message;

/// Milliseconds since some instant of the caller's.
pub type Millis = u64;

/// RFC 3261 §17.1.1.1, table 4: the round trip, the longest pause between repetitions, how long messages may linger.
const T1: Millis = 500;
const T2: Millis = 4_000;
const T4: Millis = 5_000;
/// Timer H: how long an ACK is awaited.
const H: Millis = 64 * T1;
/// RFC 3261 §17.2.1: a client that hears nothing for so long asks again.
const TRYING: Millis = 200;

/// What is remembered of one INVITE.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) state: State,
    pub(super) serial: u64,
    /// When its timer fires.
    due: Millis,
}

#[derive(Debug)]
pub(super) enum State {
    /// It is being judged; whether the client was told so.
    Proceeding { invite: Box<Invite>, tried: bool },
    /// It is answered, and the ACK is awaited.
    Completed { answer: Answer, interval: Millis, until: Millis },
    /// The ACK came; later ones are absorbed.
    Confirmed,
}

/// An INVITE that waits for its outcome.
#[derive(Debug)]
pub(super) struct Invite {
    pub(super) envelope: Envelope,
    pub(super) message: Message,
    pub(super) uri: String,
}

/// Bytes on their way back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) transport: Transport,
    pub(super) connection: u64,
    pub(super) to: std::net::SocketAddr,
}

impl Answer {
    pub(super) fn new(bytes: Vec<u8>, envelope: &Envelope) -> Self {
        let (transport, connection) = (envelope.source.transport, envelope.source.connection);
        Self { bytes, transport, connection, to: envelope.destination }
    }
}

/// What a timer asks for.
#[derive(Debug)]
pub(super) enum Fired<'a> {
    /// RFC 3261 §17.2.1: say 100.
    Trying(&'a Invite),
    /// Timer G: say it again.
    Again(&'a Answer),
}

/// All transactions of a listener.
#[derive(Debug)]
pub(super) struct Transactions {
    known: HashMap<TransactionId, Transaction>,
    /// By arrival, for whoever has to go.
    order: VecDeque<(TransactionId, u64)>,
    timers: BinaryHeap<Reverse<(Millis, u64, [u8; 16])>>,
    serial: u64,
    proceeding: usize,
    limit: usize,
    /// Transactions that went before their time.
    pub(super) forgotten: u64,
}

impl Transactions {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: HashMap::new(),
            order: VecDeque::new(),
            timers: BinaryHeap::new(),
            serial: 0,
            proceeding: 0,
            limit,
            forgotten: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// How many wait for their outcome.
    pub(super) const fn proceeding(&self) -> usize {
        self.proceeding
    }

    pub(super) fn get(&self, id: TransactionId) -> Option<&Transaction> {
        self.known.get(&id)
    }

    /// Begins one that is not known yet; none when all that are known still wait for their outcome.
    pub(super) fn begin(&mut self, invite: Invite, now: Millis) -> Option<u64> {
        if self.known.len() >= self.limit && !self.make_room() {
            return None;
        }
        let id = invite.envelope.transaction;
        self.serial += 1;
        let serial = self.serial;
        let due = now + TRYING;
        self.known.insert(
            id,
            Transaction { state: State::Proceeding { invite: Box::new(invite), tried: false }, serial, due },
        );
        self.order.push_back((id, serial));
        self.timers.push(Reverse((due, serial, id.0)));
        self.proceeding += 1;
        Some(serial)
    }

    /// The INVITE that waits for an outcome, if that one still does.
    pub(super) fn waiting(&self, id: TransactionId, serial: u64) -> Option<&Invite> {
        match self.known.get(&id).filter(|transaction| transaction.serial == serial).map(|found| &found.state) {
            Some(State::Proceeding { invite, .. }) => Some(invite),
            _ => None,
        }
    }

    /// Its outcome is known.
    pub(super) fn complete(&mut self, id: TransactionId, answer: Answer, now: Millis) {
        let Some(transaction) = self.known.get_mut(&id) else { return };
        // Timer G repeats only what may be lost.
        let interval = if answer.transport == Transport::Udp { T1 } else { H };
        if matches!(transaction.state, State::Proceeding { .. }) {
            self.proceeding -= 1;
        }
        transaction.state = State::Completed { answer, interval, until: now + H };
        transaction.due = now + interval;
        self.timers.push(Reverse((transaction.due, transaction.serial, id.0)));
    }

    /// An ACK came.
    pub(super) fn confirm(&mut self, id: TransactionId, now: Millis) {
        let Some(transaction) = self.known.get_mut(&id) else { return };
        if let State::Completed { answer, .. } = &transaction.state {
            // Timer I: over a stream no other ACK follows.
            transaction.due = if answer.transport == Transport::Udp { now + T4 } else { now };
            transaction.state = State::Confirmed;
            self.timers.push(Reverse((transaction.due, transaction.serial, id.0)));
        }
    }

    /// Lets timers fire that are due.
    pub(super) fn fire(&mut self, now: Millis, mut act: impl FnMut(Fired<'_>)) {
        while let Some(Reverse((due, serial, id))) = self.timers.peek().copied()
            && due <= now
        {
            self.timers.pop();
            let id = TransactionId(id);
            let Some(transaction) = self.known.get_mut(&id).filter(|found| found.serial == serial && found.due == due)
            else {
                continue;
            };
            match transaction.fire(now, &mut act) {
                Some(next) => self.timers.push(Reverse((next, serial, id.0))),
                None => self.forget_if_done(id),
            }
        }
        self.tidy();
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.timers.peek().map(|Reverse((due, ..))| *due)
    }

    /// A transaction without a timer is over, unless it waits for its outcome.
    fn forget_if_done(&mut self, id: TransactionId) {
        if !matches!(self.known.get(&id).map(|found| &found.state), Some(State::Proceeding { .. })) {
            self.known.remove(&id);
        }
    }

    fn make_room(&mut self) -> bool {
        for _ in 0..self.order.len() {
            let Some((id, serial)) = self.order.pop_front() else { return false };
            match self.known.get(&id).filter(|found| found.serial == serial).map(|found| &found.state) {
                None => {}
                Some(State::Proceeding { .. }) => self.order.push_back((id, serial)),
                Some(_) => {
                    self.known.remove(&id);
                    self.forgotten += 1;
                    return true;
                }
            }
        }
        false
    }

    /// What is over leaves nothing behind that grows.
    fn tidy(&mut self) {
        let known = &self.known;
        if self.order.len() > 2 * known.len() + SPARE {
            self.order.retain(|(id, serial)| known.get(id).is_some_and(|found| found.serial == *serial));
        }
        if self.timers.len() > 4 * known.len() + SPARE {
            self.timers.retain(|Reverse((due, serial, id))| {
                known.get(&TransactionId(*id)).is_some_and(|found| found.serial == *serial && found.due == *due)
            });
        }
    }
}

/// Leftovers that are not worth tidying.
const SPARE: usize = 1_024;

impl Transaction {
    /// What a timer does; gives when the next one fires, if any does.
    fn fire(&mut self, now: Millis, act: &mut impl FnMut(Fired<'_>)) -> Option<Millis> {
        match &mut self.state {
            State::Proceeding { invite, tried } => {
                *tried = true;
                act(Fired::Trying(invite));
                None
            }
            State::Completed { answer, interval, until } => {
                if now >= *until {
                    return None;
                }
                act(Fired::Again(answer));
                *interval = (*interval * 2).min(T2);
                self.due = (now + *interval).min(*until);
                Some(self.due)
            }
            State::Confirmed => None,
        }
    }
}
