//! The chain: the hops from origin to termination, as records, the map of peers and signatures show them.

use crate::cdr::Record;
use crate::network::{Network, Peer, PeerKind};
use crate::passport::Attestation;
use crate::traceback::candidate::Tier;
use crate::traceback::hop::{Certainty, Hop};
use crate::traceback::role::Role;
use crate::traceback::search::{Match, Search};
use crate::verify::{Conclusion, Verdict};

/// A network's own part of a call: its record, and who its map says stood on either side.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) index: usize,
    pub(super) network: &'a Network,
    pub(super) found: Match,
    pub(super) upstream: Option<&'a Peer>,
    pub(super) downstream: Option<&'a Peer>,
    pub(super) role: Role,
}

impl<'a> View<'a> {
    pub(super) fn new(index: usize, network: &'a Network, found: Match) -> Self {
        let record = &found.candidate.record;
        let began = found.candidate.standing.began;
        let upstream = network.peer_of(&record.ingress_name(), began);
        let downstream = network.peer_of(&record.egress.name(), began);
        let went_on = record.egress.trunk.is_some() || record.egress.address.is_some();
        let role = Role::of(network, upstream, went_on, downstream);
        Self { index, network, found, upstream, downstream, role }
    }

    pub(super) fn record(&self) -> &Record {
        &self.found.candidate.record
    }

    /// The customer that it names as the origin.
    pub(super) fn customer(&self) -> Option<&'a Peer> {
        self.upstream.filter(|peer| peer.kind == PeerKind::Customer)
    }

    /// The provider that it names as its upstream.
    pub(super) fn upstream_provider(&self) -> Option<&'a Peer> {
        self.upstream.filter(|peer| peer.kind == PeerKind::Provider)
    }
}

/// The networks that hold the call, from the one that answers upwards, each named by the one before.
pub(super) fn walk<'a>(search: &Search<'a>, request: usize, first: View<'a>) -> Vec<View<'a>> {
    let mut views = vec![first];
    while let Some(peer) = views.last().and_then(View::upstream_provider) {
        let next = search.networks().iter().position(|network| is_same(network, peer));
        let Some(next) = next.filter(|next| views.iter().all(|view| view.index != *next)) else { break };
        let mut matches = search.matches(request, next);
        // One call and no other, or the chain would be a guess.
        if matches.len() != 1 {
            break;
        }
        let above = View::new(next, &search.networks()[next], matches.remove(0));
        // Another caller at about that time is this call only where the record says whom it was handed to.
        let is_handed_on = || {
            let below = views.last().map(|view| view.network);
            above.downstream.zip(below).is_some_and(|(peer, below)| is_same(below, peer))
        };
        if above.found.candidate.standing.tier == Tier::CalledOnly && !is_handed_on() {
            break;
        }
        views.push(above);
    }
    views
}

/// Whether a peer is one of the networks whose records are held.
pub(super) fn is_same(network: &Network, peer: &Peer) -> bool {
    match (&network.spc, &peer.spc) {
        (Some(own), Some(theirs)) => own == theirs,
        _ => network.name == peer.name,
    }
}

/// Who signed, believed: a passed verdict's signer.
#[derive(Clone, Debug)]
pub(super) struct BelievedSigner {
    pub(super) spc: String,
    pub(super) name: Option<String>,
    pub(super) attest: Option<Attestation>,
}

impl BelievedSigner {
    pub(super) fn of(verdict: Option<&Verdict>, networks: &[Network]) -> Option<Self> {
        let verdict = verdict.filter(|verdict| verdict.conclusion == Conclusion::Passed)?;
        let signer = verdict.signer.as_ref()?;
        let spc = signer.spc.clone()?;
        let known = networks.iter().find(|network| network.spc.as_ref() == Some(&spc)).map(|own| own.name.clone());
        let peer = || networks.iter().find_map(|network| network.peer_with_spc(&spc)).map(|peer| peer.name.clone());
        let name = known.or_else(peer).or_else(|| signer.organization.clone());
        Some(Self { spc, name, attest: verdict.attest })
    }

    /// The signer as people know it.
    pub(super) fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| format!("provider {}", self.spc), |name| format!("{name} ({})", self.spc))
    }

    /// A and B claim the caller as a customer; C only that the call entered there, whoever made it.
    pub(super) const fn claimed_role(&self) -> Option<Role> {
        match self.attest {
            Some(Attestation::A | Attestation::B) => Some(Role::Originating),
            Some(Attestation::C) => Some(Role::Gateway),
            _ => None,
        }
    }
}

/// The hops, from the origin on.
pub(super) fn hops(views: &[View<'_>], signer: Option<&BelievedSigner>) -> Vec<Hop> {
    let mut hops = Vec::new();
    if let Some(top) = views.last().filter(|top| top.customer().is_none()) {
        hops.extend(above(top, signer, views));
    }
    for view in views.iter().rev() {
        let mut hop = Hop::recorded(Some(view.network.name.clone()), view.network.spc.clone(), Some(view.role));
        hop.customer = view.customer().map(|peer| peer.name.clone());
        hops.push(hop);
    }
    if let Some(us) = views.first() {
        hops.extend(below(us));
    }
    hops.iter_mut().zip(1..).for_each(|(hop, place)| hop.hop = place);
    hops
}

/// What lies above the highest network that holds the call: the upstream that it names, and a signer beyond.
fn above(top: &View<'_>, signer: Option<&BelievedSigner>, views: &[View<'_>]) -> Vec<Hop> {
    let mut upstream = top.upstream.map_or_else(|| Hop::recorded(None, None, None), Hop::of_peer);
    let Some((signer, role)) = signer.and_then(|signer| Some((signer, signer.claimed_role()?))) else {
        return vec![upstream];
    };
    if upstream.spc.as_ref() == Some(&signer.spc) {
        upstream.role = Some(role);
        upstream.role_certainty = Some(Certainty::Claimed);
        return vec![upstream];
    }
    if views.iter().any(|view| view.network.spc.as_ref() == Some(&signer.spc)) {
        return vec![upstream];
    }
    upstream.after_gap = true;
    vec![Hop::claimed(signer.name.clone(), Some(signer.spc.clone()), role), upstream]
}

/// Whom the answering network handed the call to; a customer is no hop.
fn below(us: &View<'_>) -> Option<Hop> {
    match us.downstream {
        Some(peer) if peer.kind == PeerKind::Customer => None,
        Some(peer) => Some(Hop::of_peer(peer)),
        None if us.record().egress.trunk.is_none() && us.record().egress.address.is_none() => None,
        None => Some(Hop::recorded(None, None, None)),
    }
}
