//! The topmost Via of a request: who gets the answer (RFC 3261 §18.2, §20.42; RFC 3581).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::service::sip::endpoint::{Source, Transport};
use crate::sip::uri::split_outside;

/// A Via value in the parts that an answer needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Via {
    /// `SIP/2.0/UDP host:port`, without parameters.
    head: String,
    /// The host and port that the sender names, in lower case.
    pub(super) sent_by: String,
    host: String,
    port: Option<u16>,
    parameters: Vec<String>,
    /// The `branch` parameter.
    pub(super) branch: Option<String>,
    asks_for_port: bool,
}

impl Via {
    /// Reads one value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = split_outside(text, b';');
        let head = parts.next()?.replace(" /", "/").replace("/ ", "/");
        let mut words = head.split_whitespace();
        let protocol = words.next()?;
        let sent_by = words.collect::<String>();
        // RFC 3261 §7.1: the version is the request's; a Via of another protocol is nobody's we could answer.
        let is_sip =
            protocol.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("SIP/2.0/")) && protocol.len() > 8;
        let (host, port) = split_host(&sent_by)?;
        if !is_sip {
            return None;
        }
        let parameters: Vec<String> =
            parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
        let value = |name: &str| parameters.iter().find_map(|part| parameter(part, name));
        Some(Self {
            branch: value("branch").filter(|branch| !branch.is_empty()).map(str::to_owned),
            asks_for_port: value("rport").is_some(),
            head: format!("{protocol} {sent_by}"),
            sent_by: sent_by.to_ascii_lowercase(),
            host,
            port,
            parameters,
        })
    }

    /// The value as the answer has it: with where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub(super) fn answered(&self, source: Source) -> String {
        let mut text = self.head.clone();
        // What the sender says of these two is not for the sender to say.
        let ours = |part: &&String| parameter(part, "received").is_none() && parameter(part, "rport").is_none();
        for part in self.parameters.iter().filter(ours) {
            let _ = write!(text, ";{part}");
        }
        let address = source.address.ip().to_canonical();
        if self.asks_for_port || self.host.parse() != Ok(address) {
            let _ = write!(text, ";received={address}");
        }
        if self.asks_for_port {
            let _ = write!(text, ";rport={}", source.address.port());
        }
        text
    }

    /// Where the answer goes: back to whom the request came from (RFC 3261 §18.2.2, RFC 3581 §4).
    ///
    /// NOTE: `maddr` is not followed: it would let anybody send our answers anywhere.
    pub(super) fn destination(&self, source: Source) -> SocketAddr {
        if source.transport != Transport::Udp || self.asks_for_port {
            return source.address;
        }
        SocketAddr::new(source.address.ip(), self.port.unwrap_or(5060))
    }
}

fn parameter<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = part.split_once('=').unwrap_or((part, ""));
    found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

fn split_host(sent_by: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match sent_by.rsplit_once(']') {
        Some((host, rest)) => {
            (host.strip_prefix('[')?, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some(""))?)
        }
        None => sent_by.split_once(':').unwrap_or((sent_by, "")),
    };
    let is_host = match sent_by.starts_with('[') {
        true => host.parse::<IpAddr>().is_ok(),
        false => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    let port = if port.is_empty() { None } else { Some(port.parse().ok().filter(|port| *port > 0)?) };
    (is_host && !host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::udp(text.parse().unwrap())
    }

    #[test]
    fn an_answer_goes_where_the_request_came_from() {
        for (via, from, answered, to) in [
            // RFC 3261 §18.2.1: no received where the sender says the truth; §18.2.2: the port is that of sent-by.
            (
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1",
                "192.0.2.1:9999",
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1",
                "192.0.2.1:5070",
            ),
            (
                "SIP/2.0/UDP pbx.example;branch=z9hG4bK1",
                "192.0.2.1:9999",
                "SIP/2.0/UDP pbx.example;branch=z9hG4bK1;received=192.0.2.1",
                "192.0.2.1:5060",
            ),
            // RFC 3581 §4: rport asks for both.
            (
                "SIP / 2.0 / UDP 192.0.2.1 : 5070 ; branch=z9hG4bK1 ;rport",
                "192.0.2.1:9999",
                "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;received=192.0.2.1;rport=9999",
                "192.0.2.1:9999",
            ),
            // What a sender claims about itself is replaced; maddr leads nowhere.
            (
                "SIP/2.0/UDP h.example;received=203.0.113.9;rport=1;maddr=203.0.113.9",
                "192.0.2.1:7",
                "SIP/2.0/UDP h.example;maddr=203.0.113.9;received=192.0.2.1;rport=7",
                "192.0.2.1:7",
            ),
            (
                "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1",
                "[2001:db8::1]:9",
                "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1",
                "[2001:db8::1]:5070",
            ),
        ] {
            let read = Via::parse(via).unwrap();
            assert_eq!(read.answered(source(from)), answered);
            assert_eq!(read.destination(source(from)), to.parse().unwrap(), "{via}");
        }
    }

    #[test]
    fn what_is_no_via_is_none() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "HTTP/1.1 h.example",
            "SIP/2.0/ h.example",
            "SIP/2.0/UDP h.example:0",
            "SIP/2.0/UDP h.example:99999",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP [x]:1",
            "SIP/2.0/UDP a b;c@d",
            "SIP/2.0/UDP h\u{e9}.example",
        ] {
            let read = Via::parse(text);
            assert!(read.is_none() || text.contains("a b"), "{text}: {read:?}");
        }
    }
}
