//! Whose call it is that is treated: a proxy by its address, a client of the HTTP interface by the name that it has shown.

use std::net::IpAddr;

use crate::network::AddressRange;
use crate::service::treatment::Manner;

/// Who handed a call over, as far as it is known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Peer<'a> {
    /// Somebody at this address.
    Address(IpAddr),
    /// Who showed a bearer token with this subject, or a certificate with this SHA-256 in hex.
    Client(&'a str),
    /// Nobody knows.
    #[default]
    Unknown,
}

/// A peer's manner.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PeerManner {
    /// Its name, for reasons; none where none is given.
    pub name: Option<String>,
    /// Where its calls come from.
    pub addresses: Vec<AddressRange>,
    /// What it is called where it shows who it is: subjects of tokens, SHA-256 of certificates in lower-case hex.
    pub clients: Vec<String>,
    /// How its calls are treated: what the file does not say is as for everybody.
    pub manner: Manner,
}

impl PeerManner {
    /// How narrowly the peer is described; none where it is another.
    pub(super) fn fit(&self, peer: Peer<'_>) -> Option<u8> {
        match peer {
            Peer::Address(address) => {
                let fitting = self.addresses.iter().filter(|range| range.contains(address));
                fitting.map(AddressRange::prefix).max()
            }
            Peer::Client(name) => self.clients.iter().any(|own| own == name).then_some(u8::MAX),
            Peer::Unknown => None,
        }
    }
}
