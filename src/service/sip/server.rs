//! The redirect server without its sockets: bytes in, bytes out, time an argument (RFC 3261 §8.3, §17.2; RFC 8224).
//!
//! It never answers a response, an ACK, or what does not say whom to answer; whatever it sends goes to whom the request
//! came from.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;

use crate::number::NumberPlan;
use crate::service::sip::endpoint::{Role, Source, Transport};
use crate::service::sip::rate::Rates;
use crate::service::sip::redirect::Outcome;
use crate::service::sip::request::{Envelope, Ignored, Method, Received, Refusal, Request, TransactionId};
use crate::service::sip::response::{ALLOW, Response};
use crate::service::sip::settings::SipSettings;
use crate::service::sip::transaction::{Answer, Fired, Invite, Millis, State, Transactions};
use crate::sip::call::Call;
use crate::sip::message::Message;

/// One listener's server.
#[derive(Debug)]
pub struct Server {
    settings: SipSettings,
    role: Role,
    plan: NumberPlan,
    transactions: Transactions,
    /// Names this end in To; whoever does not know it cannot guess a tag.
    tags: hmac::Key,
    counts: SipCounts,
    rates: Option<Rates>,
    accepts: bool,
}

/// What is to be done about something that arrived.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Nothing, and why.
    Ignored(Ignored),
    /// An INVITE is to be judged; its outcome is [`Server::conclude`]d.
    Judge(Box<Job>),
    /// These messages are to be sent.
    Send(Vec<Outgoing>),
}

/// A message to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The message.
    pub bytes: Vec<u8>,
    /// How.
    pub transport: Transport,
    /// Over which connection; 0 for datagrams.
    pub connection: u64,
    /// To where.
    pub to: std::net::SocketAddr,
}

/// An INVITE to be judged.
#[derive(Debug)]
#[non_exhaustive]
pub struct Job {
    /// Names it when its outcome is known.
    pub ticket: Ticket,
    /// What is asked for.
    pub task: Task,
    /// The call.
    pub call: Call,
    /// Where it came from.
    pub source: Source,
    /// The trunk, as a proxy of ours names it.
    pub trunk: Option<String>,
    /// The customer, likewise.
    pub customer: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Task {
    /// An Identity.
    Sign,
    /// A verdict.
    Verify,
}

/// Names an INVITE that waits for its outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket {
    transaction: TransactionId,
    serial: u64,
}

/// What a listener did so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SipCounts {
    /// Requests served or refused, by method; all that are not known are `other`.
    pub requests: BTreeMap<&'static str, u64>,
    /// Responses by code, repetitions left out.
    pub responses: BTreeMap<u16, u64>,
    /// What was not answered, by why.
    pub ignored: BTreeMap<Ignored, u64>,
    /// Responses sent again, asked or unasked.
    pub repeated: u64,
    /// Transactions forgotten before their time because there were too many.
    pub forgotten: u64,
    /// Transactions remembered now.
    pub transactions: usize,
    /// INVITEs that wait for their outcome now.
    pub pending: usize,
}

impl Server {
    /// A server for one listener. `secret` should be random.
    #[must_use]
    pub fn new(settings: SipSettings, role: Role, plan: NumberPlan, secret: [u8; 32]) -> Self {
        Self {
            transactions: Transactions::new(settings.limits.transactions),
            rates: settings.limits.rate.map(|rate| Rates::new(rate, settings.limits.burst)),
            settings,
            role,
            plan,
            tags: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            counts: SipCounts::default(),
            accepts: true,
        }
    }

    /// From now on, requests are told to try elsewhere; what waits is still answered.
    pub fn stop_accepting(&mut self) {
        self.accepts = false;
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> SipCounts {
        SipCounts {
            forgotten: self.transactions.forgotten,
            transactions: self.transactions.len(),
            pending: self.transactions.proceeding(),
            ..self.counts.clone()
        }
    }

    /// When [`Server::tick`] should be called next.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        self.transactions.next_due()
    }

    /// Takes a datagram, or a message cut from a stream.
    pub fn receive(&mut self, bytes: &[u8], source: Source, now: Millis) -> Step {
        // Before it is read: that is what it would cost.
        if !self.serves(source) {
            return self.ignore(Ignored::NotServed);
        }
        if source.transport == Transport::Udp
            && let Some(rates) = &mut self.rates
            && !rates.take(source.address.ip(), now)
        {
            return self.ignore(Ignored::TooFast);
        }
        self.take(Received::read(bytes, source), now)
    }

    /// Takes what stands in a stream that cannot be cut into messages any more.
    pub fn receive_unframed(&mut self, bytes: &[u8], source: Source, now: Millis) -> Step {
        match self.serves(source) {
            true => self.take(Received::read(bytes, source).unframed(), now),
            false => self.ignore(Ignored::NotServed),
        }
    }

    fn ignore(&mut self, why: Ignored) -> Step {
        *self.counts.ignored.entry(why).or_default() += 1;
        Step::Ignored(why)
    }

    fn take(&mut self, received: Received, now: Millis) -> Step {
        let step = match received {
            Received::Ignored(why) => Step::Ignored(why),
            Received::Refused(method, envelope, refusal) => {
                self.count(method);
                self.send(&envelope, &Response::refusing(refusal))
            }
            Received::Request(request) => self.serve(*request, now),
        };
        match step {
            Step::Ignored(why) => self.ignore(why),
            step => step,
        }
    }

    /// The outcome of a job; nothing is sent where the call was given up meanwhile.
    pub fn conclude(&mut self, ticket: Ticket, outcome: &Outcome, now: Millis) -> Option<Outgoing> {
        let invite = self.transactions.waiting(ticket.transaction, ticket.serial)?;
        let response = outcome.respond(&invite.message, &invite.uri, &self.settings.names);
        self.complete(ticket.transaction, &response, now)
    }

    /// Lets timers fire: what has to be said, or said again.
    pub fn tick(&mut self, now: Millis) -> Vec<Outgoing> {
        let (mut outgoing, mut repeated) = (Vec::new(), 0);
        self.transactions.fire(now, |fired| match fired {
            Fired::Trying(invite) => outgoing.push(Outgoing::of(trying(&invite.envelope))),
            Fired::Again(answer) => {
                repeated += 1;
                outgoing.push(Outgoing::of(answer.clone()));
            }
        });
        self.counts.repeated += repeated;
        outgoing
    }

    fn serves(&self, source: Source) -> bool {
        let address = source.address.ip();
        self.settings.allow.is_empty() || self.settings.allow.iter().any(|range| range.contains(address))
    }

    fn serve(&mut self, request: Request, now: Millis) -> Step {
        match request.method {
            Method::Ack => {
                self.transactions.confirm(request.envelope.transaction, now);
                Step::Ignored(Ignored::Ack)
            }
            Method::Cancel => self.cancel(&request.envelope, now),
            Method::Invite => self.invite(request, now),
            Method::Options => {
                self.count(Method::Options);
                let response = match self.accepts {
                    true => Response::new(200, "OK").with("Allow", ALLOW).with("Accept", "application/sdp"),
                    false => Response::refusing(UNAVAILABLE),
                };
                self.send(&request.envelope, &response)
            }
            // Refused when it was read.
            Method::NotAllowed | Method::Unknown => Step::Ignored(Ignored::Unanswerable),
        }
    }

    fn invite(&mut self, request: Request, now: Millis) -> Step {
        let id = request.envelope.transaction;
        if let Some(known) = self.transactions.get(id) {
            let again = known.again();
            self.counts.repeated += u64::from(again.is_some());
            return again.map_or(Step::Ignored(Ignored::Repeated), |answer| Step::Send(vec![Outgoing::of(answer)]));
        }
        self.count(Method::Invite);
        if !self.accepts || self.transactions.proceeding() >= self.settings.limits.pending {
            return self.send(&request.envelope, &Response::refusing(UNAVAILABLE));
        }
        let Request { uri, envelope, message, .. } = request;
        let mut job = self.job(&message, envelope.source, id);
        let unserved = envelope.clone();
        match self.transactions.begin(Invite { envelope, message, uri }, now) {
            Some(serial) => {
                job.ticket.serial = serial;
                Step::Judge(Box::new(job))
            }
            None => self.send(&unserved, &Response::refusing(UNAVAILABLE)),
        }
    }

    fn job(&self, message: &Message, source: Source, transaction: TransactionId) -> Job {
        let call = Call::from_message(message, &self.plan);
        let task = match self.role {
            Role::Sign => Task::Sign,
            Role::Verify => Task::Verify,
            Role::ByIdentity if call.identities.is_empty() => Task::Sign,
            Role::ByIdentity => Task::Verify,
        };
        let is_trusted = self.settings.trusted.iter().any(|range| range.contains(source.address.ip()));
        let said = |name: Option<&String>| {
            let field = message.fields_named(name.filter(|_| is_trusted)?).next()?.text();
            (!field.is_empty()).then_some(field)
        };
        Job {
            ticket: Ticket { transaction, serial: 0 },
            task,
            call,
            source,
            trunk: said(self.settings.trunk_field.as_ref()),
            customer: said(self.settings.customer_field.as_ref()),
        }
    }

    /// RFC 3261 §9.2: an INVITE that is not answered yet ends with 487; one that is stays as it is.
    fn cancel(&mut self, envelope: &Envelope, now: Millis) -> Step {
        self.count(Method::Cancel);
        let id = envelope.transaction;
        let Some(transaction) = self.transactions.get(id) else {
            return self.send(envelope, &Response::new(481, "Call/Transaction Does Not Exist"));
        };
        let waits = matches!(transaction.state, State::Proceeding { .. });
        let mut outgoing = self.outgoing(envelope, &Response::new(200, "OK"));
        if waits {
            outgoing.extend(self.complete(id, &Response::new(487, "Request Terminated"), now));
        }
        Step::Send(outgoing)
    }

    fn complete(&mut self, id: TransactionId, response: &Response, now: Millis) -> Option<Outgoing> {
        let State::Proceeding { invite, .. } = &self.transactions.get(id)?.state else { return None };
        let answer = Answer::new(response.print(&invite.envelope, &self.tag(id)), &invite.envelope);
        *self.counts.responses.entry(response.code).or_default() += 1;
        self.transactions.complete(id, answer.clone(), now);
        (!answer.bytes.is_empty()).then(|| Outgoing::of(answer))
    }

    fn send(&mut self, envelope: &Envelope, response: &Response) -> Step {
        match self.outgoing(envelope, response) {
            nothing if nothing.is_empty() => Step::Ignored(Ignored::Unanswerable),
            outgoing => Step::Send(outgoing),
        }
    }

    fn outgoing(&mut self, envelope: &Envelope, response: &Response) -> Vec<Outgoing> {
        let bytes = response.print(envelope, &self.tag(envelope.transaction));
        if bytes.is_empty() {
            return Vec::new();
        }
        *self.counts.responses.entry(response.code).or_default() += 1;
        vec![Outgoing::of(Answer::new(bytes, envelope))]
    }

    /// The same for the same transaction: what needs no memory is answered alike each time (RFC 3261 §8.2.7).
    fn tag(&self, id: TransactionId) -> String {
        let tag = hmac::sign(&self.tags, &id.0);
        tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn count(&mut self, method: Method) {
        *self.counts.requests.entry(method.as_str()).or_default() += 1;
    }
}

const UNAVAILABLE: Refusal = Refusal::new(503, "Service Unavailable");

impl crate::service::sip::transaction::Transaction {
    /// What a repeated INVITE gets: the last response, if there was one (RFC 3261 §17.2.1).
    fn again(&self) -> Option<Answer> {
        match &self.state {
            State::Proceeding { invite, tried } => tried.then(|| trying(&invite.envelope)),
            State::Completed { answer, .. } => Some(answer.clone()).filter(|answer| !answer.bytes.is_empty()),
            State::Confirmed => None,
        }
    }
}

fn trying(envelope: &Envelope) -> Answer {
    Answer::new(Response::new(100, "Trying").print(envelope, ""), envelope)
}

impl Outgoing {
    fn of(answer: Answer) -> Self {
        Self { bytes: answer.bytes, transport: answer.transport, connection: answer.connection, to: answer.to }
    }
}

#[cfg(test)]
mod tests;
