//! Calls out of a capture, as lines of the canonical call record: INVITE, answer and BYE of one Call-ID are one line
//! (RFC 3261 §12, §13, §15).
//!
//! A line is written when its call ends, or can be followed no longer. What the capture's own switch made of a call,
//! another Call-ID between it and the next network, is the same line: such a leg begins where the one before ended, with
//! the same caller and called, within seconds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Read};
use std::net::SocketAddr;

use serde::Serialize;

use crate::capture::limits::Limits;
use crate::capture::message::CapturedMessage;
use crate::capture::time::CaptureTime;
use crate::capture::{Capture, Counts};
use crate::number::{Identity, NumberPlan};
use crate::sip::call::Call;
use crate::sip::message::{Fault, Message};

/// The lines of a capture's calls, to be read as the format `jsonl`.
pub struct CallLines<R> {
    capture: Capture<R>,
    calls: Calls,
    /// How much of the lines that are ready was read.
    read: usize,
    ended: bool,
    broken: Option<String>,
}

impl<R: Read> CallLines<R> {
    /// The lines of what `source` holds.
    pub fn new(source: R) -> Self {
        let capture = Capture::new(source, Limits::default());
        Self { capture, calls: Calls::default(), read: 0, ended: false, broken: None }
    }

    /// What was read so far, and what of it was no message.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.capture.counts()
    }

    fn fill(&mut self) {
        self.calls.lines.clear();
        self.read = 0;
        while self.calls.lines.is_empty() && !self.ended {
            let calls = &mut self.calls;
            match self.capture.next_packet(&mut |message| calls.take(&message)) {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(reason) => {
                    self.ended = true;
                    self.broken = Some(reason.to_string());
                }
            }
            if self.ended {
                self.calls.finish();
            }
        }
    }
}

impl<R: Read> Read for CallLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.calls.lines.len() {
            self.fill();
        }
        let ready = self.calls.lines.get(self.read..).unwrap_or_default();
        if ready.is_empty()
            && let Some(reason) = self.broken.take()
        {
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.read += length;
        Ok(length)
    }
}

/// The calls that have not ended, and the lines of those that have.
#[derive(Default)]
struct Calls {
    /// By Call-ID.
    open: HashMap<String, Open>,
    /// Call-IDs of further legs, each with that of the first.
    legs: HashMap<String, String>,
    /// In order of their first packets; some have ended.
    order: VecDeque<(String, u64)>,
    /// The call that began last between two numbers.
    between: HashMap<(String, String), String>,
    /// Call-IDs of calls that ended lately: what still comes of them is no new call.
    ended: HashSet<String>,
    ended_order: VecDeque<String>,
    lines: Vec<u8>,
    serial: u64,
}

struct Open {
    serial: u64,
    record: Line,
    source: SocketAddr,
    destination: SocketAddr,
    began: Option<CaptureTime>,
    legs: Vec<String>,
}

/// Calls that are followed at once.
const MAX_OPEN: usize = 50_000;
/// Calls that ended lately.
const MAX_ENDED: usize = 50_000;
/// Further Call-IDs of one call.
const MAX_LEGS: usize = 8;
/// The longest call, in seconds: one whose end was not captured.
const MAX_SECONDS: i64 = 12 * 3600;
/// How soon a switch begins the next leg, in seconds.
const LEG_SECONDS: i64 = 5;
const SECOND: i64 = 1_000_000_000;

#[derive(Default, Serialize)]
struct Line {
    frame: u64,
    setup_at: Option<CaptureTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_at: Option<CaptureTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<CaptureTime>,
    ingress: Ingress,
    egress: Egress,
    cause: Cause,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diversion: Vec<String>,
    shaken: Shaken,
}

#[derive(Default, Serialize)]
struct Ingress {
    src_ip: String,
    call_id: String,
    ani: Option<String>,
    dnis: Option<String>,
}

#[derive(Default, Serialize)]
struct Egress {
    dst_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<String>,
}

#[derive(Default, Serialize)]
struct Cause {
    #[serde(skip_serializing_if = "Option::is_none")]
    sip: Option<u16>,
}

#[derive(Default, Serialize)]
struct Shaken {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identity_raw: Vec<String>,
}

impl Calls {
    fn take(&mut self, captured: &CapturedMessage<'_>) {
        let Ok((message, _)) = Message::parse_truncated(&captured.bytes) else { return };
        let mut call = Call::from_message(&message, &NumberPlan::NORTH_AMERICAN);
        if message.faults().contains(&Fault::NoBlankLine) {
            // The header was cut: its last field may be half a token.
            call.identities.clear();
        }
        let Some(call_id) = call.call_id.clone().filter(|call_id| !call_id.is_empty()) else { return };
        let first = self.legs.get(&call_id).unwrap_or(&call_id).clone();
        match (call.method.as_deref(), call.status) {
            (Some("INVITE"), None) if call.starts_call() => self.invite(captured, &message, call, call_id, first),
            (Some("INVITE"), Some(status @ 200..)) => self.answer(captured, &first, status),
            (Some("BYE"), None) => {
                if let Some(mut open) = self.open.remove(&first) {
                    open.record.end_at = captured.time;
                    self.print(first, open);
                }
            }
            _ => {}
        }
    }

    fn invite(
        &mut self,
        captured: &CapturedMessage<'_>,
        message: &Message,
        call: Call,
        call_id: String,
        first: String,
    ) {
        if let Some(open) = self.open.get_mut(&first) {
            open.pass_on(captured);
            return;
        }
        if self.ended.contains(&call_id) {
            return;
        }
        self.expire(captured.time);
        let text = |identity: Option<&Identity>| identity.map(ToString::to_string);
        let calling = text(call.asserted.first().or(call.from.as_ref()));
        let called = text(call.request_uri.as_ref().or(call.to.as_ref()));
        let pair = (calling.clone().unwrap_or_default(), called.clone().unwrap_or_default());
        if let Some(before) = self.leg_of(&pair, captured)
            && let Some(open) = self.open.get_mut(&before).filter(|open| open.legs.len() < MAX_LEGS)
        {
            open.pass_on(captured);
            open.record.egress.call_id = Some(call_id.clone());
            open.legs.push(call_id.clone());
            self.legs.insert(call_id, before);
            return;
        }
        self.serial += 1;
        let record = Line {
            frame: captured.frame,
            setup_at: captured.time,
            ingress: Ingress {
                src_ip: captured.source.ip().to_string(),
                call_id: call_id.clone(),
                ani: calling,
                dnis: called,
            },
            egress: Egress { dst_ip: captured.destination.ip().to_string(), call_id: None },
            diversion: message.fields_named("diversion").map(|field| field.text()).collect(),
            shaken: Shaken { identity_raw: call.identities.into_iter().map(|field| field.value).collect() },
            ..Line::default()
        };
        let (source, destination) = (captured.source, captured.destination);
        let open = Open { serial: self.serial, record, source, destination, began: captured.time, legs: Vec::new() };
        self.order.push_back((call_id.clone(), self.serial));
        self.between.insert(pair, call_id.clone());
        self.open.insert(call_id, open);
    }

    /// The call of which this is the next leg: it came to where this one comes from, just now, between the same two.
    fn leg_of(&self, pair: &(String, String), captured: &CapturedMessage<'_>) -> Option<String> {
        let before = self.between.get(pair)?;
        let open = self.open.get(before)?;
        let is_soon = match (open.began, captured.time) {
            (Some(began), Some(now)) => (0..=LEG_SECONDS * SECOND).contains(&now.nanoseconds_since(began)),
            _ => true,
        };
        (is_soon && open.destination.ip() == captured.source.ip() && open.source.ip() != captured.source.ip())
            .then(|| before.clone())
    }

    fn answer(&mut self, captured: &CapturedMessage<'_>, first: &str, status: u16) {
        let Some(open) = self.open.get_mut(first) else { return };
        if status < 300 {
            open.record.cause.sip = Some(status);
            open.record.answer_at = open.record.answer_at.or(captured.time);
            return;
        }
        // What a proxy hears from one of several routes ends nothing; what the caller hears does, unless it is asked to
        // try again (RFC 3261 §8.1.3.5, §14.1, §22).
        if open.source.ip() != captured.destination.ip() || open.record.answer_at.is_some() {
            return;
        }
        open.record.cause.sip = Some(status);
        if !matches!(status, 401 | 407 | 422 | 491) {
            open.record.end_at = captured.time;
            if let Some(open) = self.open.remove(first) {
                self.print(first.to_owned(), open);
            }
        }
    }

    /// Ends the oldest calls: those that last too long, and those for which there is no room.
    fn expire(&mut self, now: Option<CaptureTime>) {
        while let Some((call_id, serial)) = self.order.front() {
            let open = self.open.get(call_id).filter(|open| open.serial == *serial);
            let is_old = |open: &Open| match (open.began, now) {
                (Some(began), Some(now)) => now.nanoseconds_since(began) > MAX_SECONDS * SECOND,
                _ => false,
            };
            if open.is_some_and(|open| !is_old(open)) && self.open.len() < MAX_OPEN {
                break;
            }
            let is_open = open.is_some();
            let Some((call_id, _)) = self.order.pop_front() else { break };
            if let Some(open) = is_open.then(|| self.open.remove(&call_id)).flatten() {
                self.print(call_id, open);
            }
        }
        // Calls end out of order; what they leave behind is cleared once it is the most of it.
        if self.order.len() > 2 * MAX_OPEN {
            let open = &self.open;
            self.order.retain(|(call_id, serial)| open.get(call_id).is_some_and(|open| open.serial == *serial));
        }
    }

    fn print(&mut self, call_id: String, open: Open) {
        let pair = |text: &Option<String>| text.clone().unwrap_or_default();
        let key = (pair(&open.record.ingress.ani), pair(&open.record.ingress.dnis));
        if self.between.get(&key) == Some(&call_id) {
            self.between.remove(&key);
        }
        // A record of strings and numbers cannot fail to print.
        let _ = serde_json::to_writer(&mut self.lines, &open.record);
        self.lines.push(b'\n');
        for ended in open.legs.into_iter().chain([call_id]) {
            self.legs.remove(&ended);
            if self.ended.insert(ended.clone()) {
                self.ended_order.push_back(ended);
            }
        }
        while self.ended_order.len() > MAX_ENDED {
            if let Some(oldest) = self.ended_order.pop_front() {
                self.ended.remove(&oldest);
            }
        }
    }

    fn finish(&mut self) {
        while let Some((call_id, serial)) = self.order.pop_front() {
            if self.open.get(&call_id).is_some_and(|open| open.serial == serial)
                && let Some(open) = self.open.remove(&call_id)
            {
                self.print(call_id, open);
            }
        }
    }
}

impl Open {
    /// The same call between others: where it went to last is where it left us.
    fn pass_on(&mut self, captured: &CapturedMessage<'_>) {
        if (captured.source, captured.destination) != (self.source, self.destination) {
            self.record.egress.dst_ip = captured.destination.ip().to_string();
        }
    }
}
