//! A SIP request as a redirect server has to see it: whom to answer, and whether it may be served (RFC 3261 §8.2, §16.3).

use aws_lc_rs::digest;

use crate::service::sip::endpoint::Source;
use crate::service::sip::via::Via;
use crate::sip::message::{Error, Message, StartLine};
use crate::sip::uri::split_outside;

/// What arrived.
#[derive(Debug)]
pub(super) enum Received {
    /// A request to be served.
    Request(Box<Request>),
    /// A request that is answered with an error, which needs no memory (RFC 3261 §8.2.7).
    Refused(Method, Box<Envelope>, Refusal),
    /// Nothing that is answered.
    Ignored(Ignored),
}

/// Why something is not answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Ignored {
    /// An ACK: it ends a transaction of ours, or is nobody's.
    Ack,
    /// Empty lines that keep a path open.
    KeepAlive,
    /// Bytes that are no message.
    Malformed,
    /// From an address that is not served.
    NotServed,
    /// A response: we sent no request.
    Response,
    /// A request that was answered, and whose answer was received.
    Repeated,
    /// More than an address may send.
    TooFast,
    /// A request that does not say whom to answer.
    Unanswerable,
}

impl Ignored {
    /// The word that it is counted by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::KeepAlive => "keep-alive",
            Self::Malformed => "malformed",
            Self::NotServed => "not-served",
            Self::Response => "response",
            Self::Repeated => "repeated",
            Self::TooFast => "rate",
            Self::Unanswerable => "unanswerable",
        }
    }
}

/// The error that a request is answered with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) phrase: &'static str,
}

impl Refusal {
    pub(super) const fn new(code: u16, phrase: &'static str) -> Self {
        Self { code, phrase }
    }
}

/// The methods that are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Ack,
    Cancel,
    Invite,
    Options,
    /// Known, and not for us.
    NotAllowed,
    /// Not known at all.
    Unknown,
}

impl Method {
    /// The name that it is counted by.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ack => "ACK",
            Self::Cancel => "CANCEL",
            Self::Invite => "INVITE",
            Self::Options => "OPTIONS",
            Self::NotAllowed | Self::Unknown => "other",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "ACK" => Self::Ack,
            "CANCEL" => Self::Cancel,
            "INVITE" => Self::Invite,
            "OPTIONS" => Self::Options,
            "BYE" | "INFO" | "MESSAGE" | "NOTIFY" | "PRACK" | "PUBLISH" | "REFER" | "REGISTER" | "SUBSCRIBE"
            | "UPDATE" => Self::NotAllowed,
            _ => Self::Unknown,
        }
    }
}

/// What every response repeats (RFC 3261 §8.2.6.2), clean of whatever could end a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Envelope {
    /// The topmost with where the request came from.
    pub(super) vias: Vec<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) to_has_tag: bool,
    pub(super) call_id: String,
    pub(super) cseq: String,
    pub(super) source: Source,
    pub(super) destination: std::net::SocketAddr,
    /// The transaction that it belongs to; an ACK and a CANCEL name that of their INVITE.
    pub(super) transaction: TransactionId,
}

/// What makes two requests one (RFC 3261 §17.2.3), hashed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct TransactionId(pub(super) [u8; 16]);

/// A request that may be served.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) envelope: Envelope,
    pub(super) message: Message,
}

/// The most Via values; a path of more is a loop.
const MAX_VIAS: usize = 64;

impl Received {
    /// Reads a datagram, or a message cut from a stream.
    pub(super) fn read(bytes: &[u8], source: Source) -> Self {
        // RFC 5626 §3.5.1, and what others send to keep a path open.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Self::Ignored(Ignored::KeepAlive);
        }
        let (message, is_cut) = match Message::parse(bytes) {
            Ok((message, _)) => (message, false),
            Err(Error::BodyTruncated { .. }) => match Message::parse_truncated(bytes) {
                Ok((message, _)) => (message, true),
                Err(_) => return Self::Ignored(Ignored::Malformed),
            },
            Err(_) => return Self::Ignored(Ignored::Malformed),
        };
        let StartLine::Request { method, uri, version } = message.start_line().clone() else {
            return Self::Ignored(Ignored::Response);
        };
        let kind = Method::of(&method);
        let Some(envelope) = Envelope::read(&message, &method, &uri, source) else {
            return Self::Ignored(if kind == Method::Ack { Ignored::Ack } else { Ignored::Unanswerable });
        };
        let refusal = if is_cut {
            // RFC 3261 §18.3.
            Some(Refusal::new(400, "Body Shorter Than Content-Length"))
        } else {
            refusal(&message, kind, &method, &uri, &version, &envelope)
        };
        match refusal {
            // RFC 3261 §17: an ACK is never answered.
            Some(_) if kind == Method::Ack => Self::Ignored(Ignored::Ack),
            Some(refusal) => Self::Refused(kind, Box::new(envelope), refusal),
            None => Self::Request(Box::new(Request { method: kind, uri, envelope, message })),
        }
    }
}

impl Received {
    /// The same from a stream that does not say where its messages end: nothing of it can be served.
    pub(super) fn unframed(self) -> Self {
        match self {
            Self::Request(request) if request.method != Method::Ack => {
                let refusal = Refusal::new(400, "Missing Content-Length");
                Self::Refused(request.method, Box::new(request.envelope), refusal)
            }
            other => other,
        }
    }
}

/// Why a request is not served, if it is not: form first, then what it asks for.
fn refusal(
    message: &Message,
    kind: Method,
    method: &str,
    uri: &str,
    version: &str,
    envelope: &Envelope,
) -> Option<Refusal> {
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Some(Refusal::new(505, "Version Not Supported"));
    }
    // Two of these that differ are two requests in one: whoever passed it on may have read the other.
    if SINGLE.iter().any(|name| message.fields_named(name).count() > 1) {
        return Some(Refusal::new(400, "Repeated Header Field"));
    }
    if envelope.from.is_empty() || envelope.to.is_empty() || envelope.call_id.is_empty() {
        return Some(Refusal::new(400, "Missing Header Field"));
    }
    let (number, named) = envelope.cseq.split_once(char::is_whitespace).unwrap_or((&envelope.cseq, ""));
    // RFC 3261 §8.1.1.5.
    if number.parse::<u32>().ok().is_none_or(|number| number > i32::MAX.unsigned_abs()) || named.trim() != method {
        return Some(Refusal::new(400, "Invalid CSeq"));
    }
    if uri.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'"')) {
        return Some(Refusal::new(400, "Invalid Request-URI"));
    }
    let hops = message.fields_named("max-forwards").next().map(|field| field.text().parse::<u8>());
    match (hops, kind) {
        (Some(Err(_)), _) => Some(Refusal::new(400, "Invalid Max-Forwards")),
        // RFC 3261 §16.3: whoever we redirected could not go on. §11: an OPTIONS that ends here is for us.
        (Some(Ok(0)), Method::Invite) => Some(Refusal::new(483, "Too Many Hops")),
        (_, Method::NotAllowed) => Some(Refusal::new(405, "Method Not Allowed")),
        (_, Method::Unknown) => Some(Refusal::new(501, "Not Implemented")),
        // A call that stands is not redirected.
        (_, Method::Invite) if envelope.to_has_tag => Some(Refusal::new(481, "Call/Transaction Does Not Exist")),
        _ => None,
    }
}

/// The fields that every request has once (RFC 3261 §8.1.1), and those that decide what is signed.
const SINGLE: [&str; 6] = ["from", "to", "call-id", "cseq", "max-forwards", "date"];

impl Envelope {
    /// None where nobody could be answered, or where an answer would carry more than it should.
    fn read(message: &Message, method: &str, uri: &str, source: Source) -> Option<Self> {
        let mut vias = Vec::new();
        for field in message.fields_named("via") {
            let text = field.text();
            vias.extend(split_outside(&text, b',').map(|value| value.trim().to_owned()));
            if vias.len() > MAX_VIAS {
                return None;
            }
        }
        let single =
            |name: &'static str| message.fields_named(name).next().map(|field| field.text()).unwrap_or_default();
        let (from, to, call_id, cseq) = (single("from"), single("to"), single("call-id"), single("cseq"));
        let texts = vias.iter().chain([&from, &to, &call_id, &cseq]);
        if texts.into_iter().any(|text| text.chars().any(|c| c.is_control() && c != '\t')) {
            return None;
        }
        let top = Via::parse(vias.first()?)?;
        let transaction = TransactionId::of(&top, method, uri, &from, &call_id, &cseq, source);
        *vias.first_mut()? = top.answered(source);
        Some(Self {
            destination: top.destination(source),
            to_has_tag: tag(&to).is_some(),
            vias,
            from,
            to,
            call_id,
            cseq,
            source,
            transaction,
        })
    }
}

impl TransactionId {
    /// NOTE: the sender's address counts too, which RFC 3261 does not say: no peer can touch another's transactions.
    fn of(via: &Via, method: &str, uri: &str, from: &str, call_id: &str, cseq: &str, source: Source) -> Self {
        let method = if matches!(method, "ACK" | "CANCEL") { "INVITE" } else { method };
        let address = source.address.ip().to_string();
        let number = cseq.split_whitespace().next().unwrap_or_default();
        let parts = match &via.branch {
            Some(branch) if branch.starts_with("z9hG4bK") => vec!["branch", branch, &via.sent_by],
            // RFC 2543's way. The tag of To is left out: an ACK has one that its INVITE had not.
            _ => vec![
                "parties",
                uri,
                tag(from).unwrap_or(from),
                call_id,
                number,
                &via.sent_by,
                via.branch.as_deref().unwrap_or_default(),
            ],
        };
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts.into_iter().chain([method, &address]) {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.iter_mut().zip(context.finish().as_ref()).for_each(|(byte, hash)| *byte = *hash);
        Self(id)
    }
}

/// The tag of a From or To, whatever scheme its URI has.
pub(super) fn tag(text: &str) -> Option<&str> {
    // Without angle brackets, parameters belong to the field (RFC 3261 §20).
    split_outside(text, b';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim()).filter(|value| !value.is_empty())
    })
}
