//! A response, printed so that nothing a peer wrote can add a line to it (RFC 3261 §7.2, §8.2.6).

use std::fmt::Write as _;

use crate::service::sip::request::{Envelope, Refusal};

/// A status with the fields that are not the request's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Response {
    pub(super) code: u16,
    phrase: String,
    fields: Vec<(String, String)>,
}

/// The methods of a redirect server.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS";

/// What fits into a datagram of IPv4.
pub(super) const MAX_DATAGRAM: usize = 65_507;

impl Response {
    /// A response without fields of its own.
    pub(super) fn new(code: u16, phrase: &str) -> Self {
        Self { code, phrase: phrase.chars().filter(|c| !c.is_control()).collect(), fields: Vec::new() }
    }

    /// The response to a request that is not served.
    pub(super) fn refusing(refusal: Refusal) -> Self {
        let response = Self::new(refusal.code, refusal.phrase);
        match refusal.code {
            // RFC 3261 §21.4.6, §21.5.2.
            405 | 501 => response.with("Allow", ALLOW),
            503 => response.with("Retry-After", "5"),
            _ => response,
        }
    }

    /// With a field more; a value that would end its line is left out.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !value.chars().any(char::is_control) {
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With a field for each value.
    pub(super) fn with_all<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        values.into_iter().fold(self, |response, value| response.with(name, value))
    }

    /// The bytes; `tag` names this end in To, where the request has not done so.
    pub(super) fn print(&self, envelope: &Envelope, tag: &str) -> Vec<u8> {
        let printed = self.print_all(envelope, tag);
        if printed.len() <= MAX_DATAGRAM {
            return printed;
        }
        // Vias and parties alone may fill a datagram; then the sender gets nothing, rather than half of something.
        let printed = Self::new(513, "Message Too Large").print_all(envelope, tag);
        if printed.len() <= MAX_DATAGRAM { printed } else { Vec::new() }
    }

    fn print_all(&self, envelope: &Envelope, tag: &str) -> Vec<u8> {
        let mut text = format!("SIP/2.0 {} {}\r\n", self.code, self.phrase);
        let mut field = |name: &str, value: &str| {
            let _ = write!(text, "{name}: {value}\r\n");
        };
        envelope.vias.iter().for_each(|via| field("Via", via));
        for (name, value) in
            [("From", &envelope.from), ("To", &envelope.to), ("Call-ID", &envelope.call_id), ("CSeq", &envelope.cseq)]
        {
            if value.is_empty() {
                continue;
            }
            // RFC 3261 §8.2.6.2: every response but 100 names this end.
            if name == "To" && !envelope.to_has_tag && self.code != 100 {
                field(name, &format!("{value};tag={tag}"));
            } else {
                field(name, value);
            }
        }
        self.fields.iter().for_each(|(name, value)| field(name, value));
        text.push_str("Content-Length: 0\r\n\r\n");
        text.into_bytes()
    }
}
