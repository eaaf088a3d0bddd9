//! What may be answered to a request, as `truth.jsonl` has it: one object a line, in the order of the requests.

use serde::{Serialize, Serializer};

use super::call::Call;
use super::cast::{PROVIDERS, Worth};
use super::folder::Place;
use super::request::Located;
use super::slot::PickedLine;
use super::world::World;

/// A network's part of a call.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) network: &'static str,
    /// Who handed it the call.
    pub(super) upstream: &'static str,
    pub(super) records: Vec<Place>,
    /// The attestation that its lines bring.
    pub(super) attest: Option<char>,
}

impl Part {
    /// What the networks have, in the order of the configuration.
    pub(super) fn all(located: &Located) -> Vec<Self> {
        let call = &located.picked.call;
        let mut parts: Vec<(usize, Self)> = Vec::new();
        let lines = located.picked.places.iter().zip(&located.places);
        for (line, place) in lines.filter_map(|(line, place)| Some((line, place.clone()?))) {
            let attest = call.signing.filter(|_| line.is_signed).map(|signing| signing.attest);
            match parts.iter_mut().find(|(network, _)| *network == line.network) {
                Some((_, part)) => part.records.push(place),
                None => {
                    let network = PROVIDERS[line.network].name;
                    let part = Self { network, upstream: line.upstream, records: vec![place], attest };
                    parts.push((line.network, part));
                }
            }
        }
        parts.into_iter().map(|(_, part)| part).collect()
    }
}

/// The truth about a request.
#[derive(Debug, Serialize)]
pub(super) struct Truth {
    /// The request's.
    pub(super) id: String,
    /// `campaign`, `background`, `redial`, `never-made`.
    kind: &'static str,
    /// How the time is given: `exact`, `seconds`, `minute`, `near`; `never`, `hole`, `outside` for calls never made.
    time: &'static str,
    /// The statuses that are right; the first is the best.
    pub(super) status: Vec<&'static str>,
    /// Who should answer: the network nearest the called party that has the call.
    pub(super) network: Option<&'static str>,
    /// Who handed it the call.
    pub(super) upstream: Option<&'static str>,
    /// How well the best of its lines fits.
    pub(super) tier: Option<&'static str>,
    /// Its lines about the call: attempts, and both passages of a loop.
    pub(super) records: Vec<Place>,
    /// The same of every network that has it: what it may answer where it cannot be told that another one is nearer.
    pub(super) networks: Vec<Part>,
    /// Whether no line of another call fits as well.
    pub(super) alone: bool,
    /// The customer that made the call.
    pub(super) customer: Option<&'static str>,
    /// The providers that it went through.
    pub(super) chain: Vec<&'static str>,
    /// The attestation that comes with the answering line; none where it brings no PASSporT.
    pub(super) attest: Option<char>,
    /// The signer's service provider code.
    pub(super) signer: Option<&'static str>,
    /// Findings that may be made; all others are wrong.
    pub(super) findings: Vec<&'static str>,
}

impl Truth {
    pub(super) const fn new(kind: &'static str, time: &'static str) -> Self {
        Self {
            id: String::new(),
            kind,
            time,
            status: Vec::new(),
            network: None,
            upstream: None,
            tier: None,
            records: Vec::new(),
            networks: Vec::new(),
            alone: true,
            customer: None,
            chain: Vec::new(),
            attest: None,
            signer: None,
            findings: Vec::new(),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.file, self.line).serialize(serializer)
    }
}

/// Everything that may be found about a call, whoever looks. What may not is an accusation of the innocent.
pub(super) fn findings(call: &Call, located: &Located, world: &World) -> Vec<&'static str> {
    let mut findings = Vec::new();
    let mut may = |allowed: bool, name| {
        if allowed {
            findings.push(name);
        }
    };
    let is_off = |line: &PickedLine| world.networks[line.network].switches[line.switch].offset != 0;
    may(located.picked.places.iter().any(is_off), "clock-offset");
    may(call.rewritten.is_some(), "number-rewritten");
    let mut sorted = call.path.clone();
    sorted.sort_unstable();
    sorted.dedup();
    may(sorted.len() < call.path.len(), "loop");
    let Some(signing) = call.signing else { return findings };
    let worth = PROVIDERS[signing.signer].leaf.map(|leaf| leaf.worth);
    let lines = || located.picked.places.iter();
    let is_lost = lines().any(|line| line.is_signed)
        && (0..call.path.len()).any(|hop| hop > signing.hop && !call.is_signed_at(hop));
    may(is_lost, "attestation-lost");
    may(worth == Some(Worth::Revoked), "certificate-revoked");
    may(signing.hop > 0 && signing.attest != 'C', "downstream-signed-a-or-b");
    may(call.diverted.is_some() || signing.replayed.is_some(), "diverted-unverified");
    may(signing.replayed.is_some(), "replayed-token");
    may(signing.hop > 0 && call.customer.is_some(), "signer-is-not-responsible-provider");
    let spoofed = call.caller / 10_000_000 % 100 >= 90;
    may(spoofed && signing.attest == 'A', "spoofed-number-with-a");
    findings
}
