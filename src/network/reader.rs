//! `stirtrace.toml` to [`Configuration`], with every fault placed.

use std::collections::HashMap;

use toml::de::DeValue;

use super::address::AddressRange;
use super::error::{Error, Fault};
use super::{Configuration, Network, Peer, PeerKind, Period, Source, Trunk};
use crate::document::{self, Flaw, Table, elements};
use crate::time::UnixTime;
use crate::zone::Moment;

/// No map of peers that people keep by hand is longer.
const MAX_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn read(bytes: &[u8]) -> Result<Configuration, Vec<Error>> {
    document::read(bytes, MAX_BYTES, |reader, table| reader.configuration(table))
}

type Reader<'a> = document::Reader<'a, Fault>;

impl Reader<'_> {
    fn configuration(&mut self, table: &Table<'_, '_>) -> Configuration {
        self.known(
            table,
            &["lake", "trust", "trust_signer", "certificates", "crl", "crl_signer", "network", "service"],
        );
        Configuration {
            lake: self.string(table, "lake"),
            trust: self.strings(table, "trust"),
            trust_signer: self.strings(table, "trust_signer"),
            certificates: self.string(table, "certificates"),
            crl: self.strings(table, "crl"),
            crl_signer: self.strings(table, "crl_signer"),
            networks: self.networks(table),
        }
    }

    fn networks(&mut self, parent: &Table<'_, '_>) -> Vec<Network> {
        let mut networks = Vec::new();
        let mut names: Vec<(String, usize)> = Vec::new();
        for table in self.tables(parent, "network") {
            let network = self.network(&table);
            if let Some((name, line)) = names.iter().find(|(name, _)| *name == network.name) {
                let fault = Fault::NetworkTwice { name: name.clone(), line: *line };
                self.fault(table.at, "network.name", fault);
            }
            names.push((network.name.clone(), self.place(table.at).0));
            networks.push(network);
        }
        networks
    }

    fn network(&mut self, table: &Table<'_, '_>) -> Network {
        self.known(table, &["name", "spc", "country", "time_zone", "source", "peer"]);
        let mut claims = Claims::default();
        let peers = self.tables(table, "peer");
        Network {
            name: self.required(table, "name"),
            spc: self.string(table, "spc"),
            country: self.country(table),
            time_zone: self.zone(table, "time_zone"),
            sources: self.sources(table),
            peers: peers.iter().map(|peer| self.peer(peer, &mut claims)).collect(),
        }
    }

    /// The lake keeps records by what a source is known by: it has to be one source's.
    fn sources(&mut self, parent: &Table<'_, '_>) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        for table in self.tables(parent, "source") {
            let source = self.source(&table);
            let label = source.label();
            if let Some(line) = lines.get(&label).copied().filter(|_| !label.is_empty()) {
                self.fault(table.at, "network.source", Fault::SourceTwice { label: label.clone(), line });
            }
            lines.entry(label).or_insert_with(|| self.place(table.at).0);
            sources.push(source);
        }
        sources
    }

    fn source(&mut self, table: &Table<'_, '_>) -> Source {
        self.known(table, &["name", "files", "format", "time_zone", "gap", "trunk", "columns"]);
        if table.get("files").is_none() {
            self.missing(table, "files");
        }
        Source {
            name: self.string(table, "name"),
            files: self.strings(table, "files"),
            format: self.required(table, "format"),
            time_zone: self.zone(table, "time_zone"),
            gap: self.gap(table),
            trunk: self.string(table, "trunk"),
            columns: self.strings(table, "columns"),
        }
    }

    fn peer(&mut self, table: &Table<'_, '_>, claims: &mut Claims) -> Peer {
        self.known(table, &["name", "kind", "spc", "rmd", "frn", "country", "trunks", "addresses", "from", "until"]);
        let peer = Peer {
            name: self.required(table, "name"),
            kind: self.kind(table),
            spc: self.string(table, "spc"),
            rmd: self.string(table, "rmd"),
            frn: self.string(table, "frn"),
            country: self.country(table),
            trunks: Vec::new(),
            addresses: Vec::new(),
            period: self.period(table),
        };
        let trunks = self.trunks(table, &peer, claims);
        let addresses = self.addresses(table, &peer, claims);
        Peer { trunks, addresses, ..peer }
    }

    fn kind(&mut self, table: &Table<'_, '_>) -> PeerKind {
        match self.string(table, "kind").as_deref() {
            None | Some("provider") => PeerKind::Provider,
            Some("customer") => PeerKind::Customer,
            Some(found) => {
                let fault = Flaw::Word { found: found.to_owned(), wanted: "\"provider\", \"customer\"" };
                self.fault_at(table, "kind", fault);
                PeerKind::Provider
            }
        }
    }

    fn country(&mut self, table: &Table<'_, '_>) -> Option<String> {
        let country = self.string(table, "country")?;
        if country.len() == 2 && country.bytes().all(|c| c.is_ascii_alphabetic()) {
            return Some(country.to_ascii_uppercase());
        }
        self.fault_at(
            table,
            "country",
            Flaw::Word { found: country, wanted: "the countries' two letters, as in \"US\"" },
        );
        None
    }

    fn gap(&mut self, table: &Table<'_, '_>) -> i64 {
        let Some(text) = self.string(table, "gap") else { return Source::DEFAULT_GAP };
        let seconds = parse_length(&text);
        if seconds.is_none() {
            self.fault_at(table, "gap", Fault::Gap);
        }
        seconds.unwrap_or(Source::DEFAULT_GAP)
    }

    fn period(&mut self, table: &Table<'_, '_>) -> Period {
        let from = self.instant(table, "from", "T00:00:00Z");
        let until = self.instant(table, "until", "T23:59:59Z");
        if matches!((from, until), (Some(from), Some(until)) if until < from) {
            self.fault_at(table, "until", Fault::EndsBeforeItBegins);
        }
        Period { from, until }
    }

    /// A date stands for its first or its last second in UTC, as `rest` says.
    fn instant(&mut self, table: &Table<'_, '_>, name: &str, rest: &str) -> Option<UnixTime> {
        let text = match table.get(name)?.get_ref() {
            DeValue::Datetime(datetime) => datetime.to_string(),
            DeValue::String(text) => text.trim().to_owned(),
            other => {
                let fault = Flaw::Type { found: other.type_str(), wanted: "a date" };
                self.fault_at(table, name, fault);
                return None;
            }
        };
        let text = if text.len() == 10 { text + rest } else { text };
        Moment::parse(&text, None).map(|m| m.earliest).map_err(|e| self.fault_at(table, name, Fault::Date(e))).ok()
    }

    /// Each is a name, or a table of `name` and `tech_prefix`.
    fn trunks(&mut self, table: &Table<'_, '_>, peer: &Peer, claims: &mut Claims) -> Vec<Trunk> {
        let mut trunks = Vec::new();
        for value in elements(table, "trunks") {
            let at = value.span().start;
            let trunk = match value.get_ref() {
                DeValue::Table(members) => self.trunk(&Table { path: "network.peer.trunks".to_owned(), at, members }),
                _ => Trunk { name: self.text(value, "network.peer.trunks").unwrap_or_default(), tech_prefix: None },
            };
            if trunk.name.is_empty() {
                continue;
            }
            let line = self.place(at).0;
            if let Some(first) = claim(peer, line).add_to(claims.trunks.entry(trunk.clone()).or_default()) {
                let fault = Fault::TrunkOverlap { trunk: trunk.name.clone(), first: first.peer, line: first.line };
                self.fault(at, "network.peer.trunks", fault);
            }
            trunks.push(trunk);
        }
        trunks
    }

    fn trunk(&mut self, table: &Table<'_, '_>) -> Trunk {
        self.known(table, &["name", "tech_prefix"]);
        let tech_prefix = self.string(table, "tech_prefix").map(|text| text.trim_end_matches('#').to_owned());
        Trunk { name: self.required(table, "name"), tech_prefix }
    }

    fn addresses(&mut self, table: &Table<'_, '_>, peer: &Peer, claims: &mut Claims) -> Vec<AddressRange> {
        let mut ranges = Vec::new();
        for value in elements(table, "addresses") {
            let at = value.span().start;
            let Some(text) = self.text(value, "network.peer.addresses") else { continue };
            match text.parse::<AddressRange>() {
                Ok(range) => {
                    if let Some(first) = claim(peer, self.place(at).0).add_to(claims.ranges.entry(range).or_default()) {
                        let range = range.to_string();
                        let fault = Fault::AddressOverlap { range, first: first.peer, line: first.line };
                        self.fault(at, "network.peer.addresses", fault);
                    }
                    ranges.push(range);
                }
                Err(invalid) => self.fault(at, "network.peer.addresses", Fault::Range(invalid)),
            }
        }
        ranges
    }
}

/// `2h`, `90m`, `1d`, `7200s` in seconds.
fn parse_length(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    number.checked_mul(factor).filter(|seconds| *seconds > 0)
}

/// Which peer of a network claims which links, to find the overlaps.
#[derive(Default)]
struct Claims {
    trunks: HashMap<Trunk, Vec<Claim>>,
    ranges: HashMap<AddressRange, Vec<Claim>>,
}

#[derive(Clone)]
struct Claim {
    peer: String,
    period: Period,
    line: usize,
}

impl Claim {
    /// Notes the claim; an earlier one to the same at the same time is returned.
    fn add_to(self, claims: &mut Vec<Self>) -> Option<Self> {
        let first = claims.iter().find(|claim| claim.period.overlaps(&self.period)).cloned();
        claims.push(self);
        first
    }
}

fn claim(peer: &Peer, line: usize) -> Claim {
    Claim { peer: peer.name.clone(), period: peer.period, line }
}
