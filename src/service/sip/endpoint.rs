//! Where requests are awaited, what they are awaited for, and where one came from (RFC 3261 §18).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::service::fault::Fault;

/// What carries messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Transport {
    /// A stream, cut by Content-Length.
    Tcp,
    /// The same within TLS, by `[service.tls]` (RFC 3261 §26.3.1).
    Tls,
    /// A message in a datagram.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
        })
    }
}

/// What the requests of a listener are for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// With an Identity header they are verified, without one they are signed.
    #[default]
    ByIdentity,
    /// They are signed, unless they are already.
    Sign,
    /// They are verified.
    Verify,
}

/// A place to listen at, such as `udp:192.0.2.1:5060`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// What for.
    pub role: Role,
}

impl Endpoint {
    /// Reads `udp:ADDRESS:PORT`, `tcp:` or `tls:`; the port may be left off when it is 5060, over TLS 5061.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, role: Role) -> Result<Self, Fault> {
        let (transport, rest) = text.split_once(':').ok_or(Fault::Listen("there is no colon"))?;
        let (transport, port) = match transport.to_ascii_lowercase().as_str() {
            "tcp" => (Transport::Tcp, 5060),
            "tls" => (Transport::Tls, 5061),
            "udp" => (Transport::Udp, 5060),
            "ws" | "wss" | "sctp" => return Err(Fault::Listen("that transport is not served here")),
            _ => return Err(Fault::Listen("it begins with neither udp:, tcp: nor tls:")),
        };
        let bare = || rest.trim_matches(['[', ']']).parse().ok().map(|address| SocketAddr::new(address, port));
        let address = SocketAddr::from_str(rest).ok().or_else(bare);
        let address = address.ok_or(Fault::Listen("the rest is no IP address with a port"))?;
        Ok(Self { transport, address, role })
    }

    /// Reads several of them, with commas between.
    ///
    /// # Errors
    /// What is wrong with the first that is.
    pub fn parse_list(text: &str, role: Role) -> Result<Vec<Self>, Fault> {
        text.split(',').map(|part| Self::parse(part.trim(), role)).collect()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}

/// Where a message came from, and so where its answer goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// By what it came.
    pub transport: Transport,
    /// From where.
    pub address: SocketAddr,
    /// Over which connection; 0 for datagrams.
    pub connection: u64,
}

impl Source {
    /// A sender of datagrams.
    #[must_use]
    pub const fn udp(address: SocketAddr) -> Self {
        Self { transport: Transport::Udp, address, connection: 0 }
    }

    /// The other end of a connection, which has a number of its own.
    #[must_use]
    pub const fn tcp(address: SocketAddr, connection: u64) -> Self {
        Self { transport: Transport::Tcp, address, connection }
    }

    /// The other end of a connection within TLS.
    #[must_use]
    pub const fn tls(address: SocketAddr, connection: u64) -> Self {
        Self { transport: Transport::Tls, address, connection }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        for (text, read) in [
            ("udp:192.0.2.1:5060", "udp:192.0.2.1:5060"),
            ("TCP:192.0.2.1", "tcp:192.0.2.1:5060"),
            ("tcp:[2001:db8::1]:5080", "tcp:[2001:db8::1]:5080"),
            ("udp:[2001:db8::1]", "udp:[2001:db8::1]:5060"),
            ("tls:192.0.2.1", "tls:192.0.2.1:5061"),
        ] {
            assert_eq!(Endpoint::parse(text, Role::Sign).unwrap().to_string(), read);
        }
        assert_eq!(Endpoint::parse_list("udp:192.0.2.1, tcp:192.0.2.1:5070", Role::Verify).unwrap().len(), 2);
        for text in
            ["", "192.0.2.1:5060", "sip:192.0.2.1", "wss:192.0.2.1:5061", "udp:proxy.example:5060", "udp:192.0.2.1:x"]
        {
            assert!(matches!(Endpoint::parse(text, Role::Sign), Err(Fault::Listen(_))), "{text}");
        }
    }
}
