//! Our networks, their peers, trunks and sources of call records: what a `stirtrace.toml` says.
//!
//! A peer hands a network calls or takes them. Who it was is told by the trunk, else by the address; the longest prefix
//! wins. Peers change hands and addresses move, so every peer may have a first and a last day, and the map is asked for
//! the time of the call.

mod address;
mod error;
mod reader;

use std::net::IpAddr;

pub use address::{AddressRange, InvalidRange};
pub use error::{Error, Fault};

use crate::time::UnixTime;
use crate::zone::Zone;

/// A whole `stirtrace.toml`. Paths stand as written: relative to the folder that it lies in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Configuration {
    /// `lake`: the folder, or the URL, of the kept records.
    pub lake: Option<String>,
    /// `trust`: roots, or the STI-PA's list.
    pub trust: Vec<String>,
    /// `trust_signer`: whose signature on the STI-PA's list is believed.
    pub trust_signer: Vec<String>,
    /// `certificates`: the archive, laid out host/path.
    pub certificates: Option<String>,
    /// `crl`: revocation lists.
    pub crl: Vec<String>,
    /// `crl_signer`: who may sign indirect revocation lists.
    pub crl_signer: Vec<String>,
    /// `[[network]]`: the networks whose records are held.
    pub networks: Vec<Network>,
}

impl Configuration {
    /// Reads the bytes of a `stirtrace.toml`.
    ///
    /// # Errors
    /// Every fault of it, in the order of its lines.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Error>> {
        reader::read(bytes)
    }
}

/// A provider whose call records are held.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its service provider code.
    pub spc: Option<String>,
    /// Its country, two letters in upper case.
    pub country: Option<String>,
    /// Where the office lies that answers: the 24-hour clock runs in that zone.
    pub time_zone: Option<Zone>,
    /// Where its records come from.
    pub sources: Vec<Source>,
    /// Who hands it calls and who takes them.
    pub peers: Vec<Peer>,
}

impl Network {
    /// A network of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), spc: None, country: None, time_zone: None, sources: Vec::new(), peers: Vec::new() }
    }

    /// The peer behind a link at the time of a call: a trunk beats an address, the longest prefix wins.
    #[must_use]
    pub fn peer_of(&self, link: &LinkName<'_>, at: UnixTime) -> Option<&Peer> {
        self.peer_of_trunk(link, at).or_else(|| self.peer_of_address(link.address?, at))
    }

    fn peer_of_trunk(&self, link: &LinkName<'_>, at: UnixTime) -> Option<&Peer> {
        let name = link.trunk?;
        let fits = |trunk: &&Trunk| trunk.name == name && trunk.takes(link.tech_prefix);
        let peers = self.peers_at(at).filter_map(|peer| Some((peer.trunks.iter().find(fits)?, peer)));
        // A trunk that is told apart by the technical prefix beats the same trunk without one.
        peers.max_by_key(|(trunk, _)| trunk.tech_prefix.is_some()).map(|(_, peer)| peer)
    }

    fn peer_of_address(&self, address: IpAddr, at: UnixTime) -> Option<&Peer> {
        let longest =
            |peer: &Peer| peer.addresses.iter().filter(|r| r.contains(address)).map(AddressRange::prefix).max();
        self.peers_at(at)
            .filter_map(|peer| Some((longest(peer)?, peer)))
            .max_by_key(|(prefix, _)| *prefix)
            .map(|(_, p)| p)
    }

    fn peers_at(&self, at: UnixTime) -> impl Iterator<Item = &Peer> {
        self.peers.iter().filter(move |peer| peer.period.contains(at))
    }

    /// The first peer with that service provider code, for its name.
    #[must_use]
    pub fn peer_with_spc(&self, spc: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.spc.as_deref() == Some(spc))
    }
}

/// How a record names the link that a call came in or went out by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LinkName<'a> {
    /// The trunk's name.
    pub trunk: Option<&'a str>,
    /// The address of the other side.
    pub address: Option<IpAddr>,
    /// The technical prefix of the called number, without its `#`.
    pub tech_prefix: Option<&'a str>,
}

impl<'a> LinkName<'a> {
    /// A link by its trunk's name and the other side's address.
    #[must_use]
    pub const fn new(trunk: Option<&'a str>, address: Option<IpAddr>) -> Self {
        Self { trunk, address, tech_prefix: None }
    }
}

/// Files of call records that one switch writes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// What the lake knows it by; its globs where it has no name.
    pub name: Option<String>,
    /// Globs, relative to the `stirtrace.toml`.
    pub files: Vec<String>,
    /// A built-in format's name, or a mapping file.
    pub format: String,
    /// What zone the switch writes, where its times do not say.
    pub time_zone: Option<Zone>,
    /// A span without records is a gap from this many seconds on.
    pub gap: i64,
    /// The column that names the ingress trunk, where the format does not.
    pub trunk: Option<String>,
    /// The columns in their order, where a format without a header has several layouts of one width.
    pub columns: Vec<String>,
}

impl Source {
    /// Two hours: a switch that carries calls is rarely silent for longer.
    pub const DEFAULT_GAP: i64 = 2 * 60 * 60;

    /// A source of which only the label is known.
    #[must_use]
    pub fn labelled(label: impl Into<String>) -> Self {
        Self {
            name: Some(label.into()),
            files: Vec::new(),
            format: String::new(),
            time_zone: None,
            gap: Self::DEFAULT_GAP,
            trunk: None,
            columns: Vec::new(),
        }
    }

    /// What people and the lake know it by: its name, else its globs.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.files.join(", "))
    }
}

/// Who hands a network calls, or takes them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Whether calls end there or come from further on.
    pub kind: PeerKind,
    /// Its service provider code.
    pub spc: Option<String>,
    /// Its number in the Robocall Mitigation Database.
    pub rmd: Option<String>,
    /// Its FCC registration number: ten digits, leading zeros count.
    pub frn: Option<String>,
    /// Its country, two letters in upper case.
    pub country: Option<String>,
    /// The trunks that lead to it.
    pub trunks: Vec<Trunk>,
    /// The addresses that it signals from.
    pub addresses: Vec<AddressRange>,
    /// When it is a peer.
    pub period: Period,
}

impl Peer {
    /// Whether two entries mean the same provider or customer: one whose trunks change has several, with their dates, and
    /// several networks' maps each have their own.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.spc, &other.spc) {
            (Some(own), Some(other)) => own == other,
            _ => self.name == other.name,
        }
    }
}

/// What a peer is to the network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum PeerKind {
    /// Somebody who makes or takes calls: no hop of a chain.
    Customer,
    /// Another provider.
    #[default]
    Provider,
}

/// A link to a peer by name.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Trunk {
    /// Its name, as the records have it.
    pub name: String,
    /// The technical prefix that tells this peer's calls from others' on the same trunk.
    pub tech_prefix: Option<String>,
}

impl Trunk {
    fn takes(&self, tech_prefix: Option<&str>) -> bool {
        self.tech_prefix.as_deref().is_none_or(|own| tech_prefix == Some(own))
    }
}

/// From a first instant on, until a last one; open where nothing is said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Period {
    /// The first instant in it. A date means its first second in UTC.
    pub from: Option<UnixTime>,
    /// The last instant in it. A date means its last second in UTC.
    pub until: Option<UnixTime>,
}

impl Period {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, at: UnixTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| matches!((a.until, b.from), (Some(until), Some(from)) if until < from);
        !before(self, other) && !before(other, self)
    }
}

#[cfg(test)]
mod tests;
