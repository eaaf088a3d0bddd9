//! The chain: the hops from origin to termination, as records, the map of peers and signatures show them.

use crate::cdr::{Link, Record};
use crate::network::{Network, Peer, PeerKind};
use crate::passport::Attestation;
use crate::traceback::candidate::Tier;
use crate::traceback::hop::{Certainty, Hop};
use crate::traceback::role::Role;
use crate::traceback::search::{Candidate, Match, Search};
use crate::verify::Status::Valid;
use crate::verify::{Conclusion, Verdict};

/// A network's own part of a call: its record, and who its map says stood on either side.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) index: usize,
    pub(super) network: &'a Network,
    pub(super) found: Match,
    /// Who handed it the call at first.
    pub(super) upstream: Option<&'a Peer>,
    /// Whom it handed the call to in the end.
    pub(super) downstream: Option<&'a Peer>,
    /// What the network is to the call; none where its records do not tell whether the call ended there.
    pub(super) role: Option<Role>,
    /// Whether its source's records never say where calls went.
    pub(super) lacks_egress: bool,
    /// Who stood on either side of each way through the network.
    pub(super) ways: Vec<Way<'a>>,
}

/// Who stood on either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub(super) from: Option<&'a Peer>,
    pub(super) to: Option<&'a Peer>,
}

impl<'a> View<'a> {
    pub(super) fn new(search: &Search<'a>, index: usize, found: Match) -> Self {
        let network = &search.networks()[index];
        let way = |entry: &Candidate, exit: Option<&Record>| {
            let began = entry.standing.began;
            let egress = exit.unwrap_or(&entry.record).egress.name();
            Way { from: network.peer_of(&entry.record.ingress_name(), began), to: network.peer_of(&egress, began) }
        };
        let first = way(&found.candidate, found.exit.as_deref());
        let again = found.again.iter().map(|own| way(&own.candidate, own.exit.as_deref()));
        let ways: Vec<Way<'a>> = std::iter::once(first).chain(again).collect();
        let downstream = ways.last().and_then(|way| way.to);
        let last = found.again.last().map_or(&found.candidate, |own| &own.candidate);
        let lacks_egress = search.lacks_egress(last.origin);
        let mut own = Self { index, network, upstream: first.from, downstream, role: None, lacks_egress, ways, found };
        let role = Role::of(network, own.upstream, own.went_on(), downstream);
        own.role = Some(role).filter(|role| *role != Role::Terminating || own.went_on() || !lacks_egress);
        own
    }

    pub(super) fn record(&self) -> &Record {
        &self.found.candidate.record
    }

    /// How the call left in the end.
    pub(super) fn egress(&self) -> &Link {
        let last = self.found.again.last().map(|own| (&own.candidate, &own.exit));
        let (candidate, exit) = last.unwrap_or((&self.found.candidate, &self.found.exit));
        &exit.as_ref().unwrap_or(&candidate.record).egress
    }

    pub(super) fn went_on(&self) -> bool {
        self.egress().trunk.is_some() || self.egress().address.is_some()
    }

    /// The customer that it names as the origin.
    pub(super) fn customer(&self) -> Option<&'a Peer> {
        self.upstream.filter(|peer| peer.kind == PeerKind::Customer)
    }

    /// The provider that it names as its upstream.
    pub(super) fn upstream_provider(&self) -> Option<&'a Peer> {
        self.upstream.filter(|peer| peer.kind == PeerKind::Provider)
    }

    /// Whether it says that it handed the call to a network.
    pub(super) fn handed_to(&self, network: &Network) -> bool {
        self.ways.iter().filter_map(|way| way.to).any(|peer| is_same(network, peer))
    }

    /// Whether a Call-ID that left here came in there.
    pub(super) fn is_tied_to(&self, below: &Self) -> bool {
        let left = self.egress().call_id.as_ref();
        left.is_some() && left == below.record().ingress.call_id.as_ref()
    }
}

/// The networks that hold the call, from the one that answers upwards, each named by the one before.
pub(super) fn walk<'a>(search: &Search<'a>, request: usize, first: View<'a>) -> Vec<View<'a>> {
    let mut views = vec![first];
    while let Some(below) = views.last() {
        let Some(peer) = below.upstream_provider() else { break };
        let next = search.networks().iter().position(|network| is_same(network, peer));
        let Some(next) = next.filter(|next| views.iter().all(|view| view.index != *next)) else { break };
        let Some(above) = above_of(search, request, next, below) else { break };
        views.push(above);
    }
    views
}

/// The upstream's part of the call that a network had from it: one call and no other, or the chain would be a guess.
fn above_of<'a>(search: &Search<'a>, request: usize, network: usize, below: &View<'a>) -> Option<View<'a>> {
    let matches = search.matches(request, network).into_iter();
    let mut views: Vec<View<'a>> = matches.map(|own| View::new(search, network, own)).collect();
    // Of several, the one that says so itself: by its Call-ID, else by whom it was handed to.
    for says_so in [View::is_tied_to, |above: &View<'a>, below: &View<'a>| above.handed_to(below.network)] {
        if views.len() > 1 && views.iter().filter(|view| says_so(view, below)).count() == 1 {
            views.retain(|view| says_so(view, below));
        }
    }
    let above = if views.len() == 1 { views.pop()? } else { return None };
    // Another caller at about that time is this call only where the record says whom it was handed to.
    let is_other_caller = above.found.candidate.standing.judged == Tier::CalledOnly;
    (!is_other_caller || above.handed_to(below.network)).then_some(above)
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
    /// Who signed that they diverted the call, in the order of the headers.
    pub(super) diverters: Vec<Diverter>,
}

/// The signer of a valid `div` PASSporT of a call that passed.
#[derive(Clone, Debug)]
pub(super) struct Diverter {
    spc: String,
    name: Option<String>,
}

impl BelievedSigner {
    pub(super) fn of(verdict: Option<&Verdict>, networks: &[Network]) -> Option<Self> {
        let verdict = verdict.filter(|verdict| verdict.conclusion == Conclusion::Passed)?;
        let signer = verdict.signer.as_ref()?;
        let spc = signer.spc()?.to_owned();
        let diverters = verdict.passports.iter().filter(|own| own.ppt.as_deref() == Some("div") && own.status == Valid);
        let diverters = diverters.filter_map(|own| {
            let signer = own.signer.as_ref()?;
            let spc = signer.spc()?.to_owned();
            Some(Diverter { name: name_of(networks, &spc).or_else(|| signer.organization().map(str::to_owned)), spc })
        });
        let diverters = diverters.collect();
        let name = name_of(networks, &spc).or_else(|| signer.organization().map(str::to_owned));
        Some(Self { spc, name, attest: verdict.attest, diverters })
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

/// A provider as our own map names it.
fn name_of(networks: &[Network], spc: &str) -> Option<String> {
    let known = networks.iter().find(|network| network.spc.as_deref() == Some(spc)).map(|own| own.name.clone());
    known.or_else(|| networks.iter().find_map(|network| network.peer_with_spc(spc)).map(|peer| peer.name.clone()))
}

/// The hops, from the origin on.
pub(super) fn hops(views: &[View<'_>], signer: Option<&BelievedSigner>) -> Vec<Hop> {
    let mut hops = Vec::new();
    if let Some(top) = views.last().filter(|top| top.customer().is_none()) {
        hops.extend(above(top, signer, views));
    }
    for view in views.iter().rev() {
        let mut hop = own_hop(view);
        hop.customer = view.customer().map(|peer| peer.name.clone());
        hops.push(hop);
        for pair in view.ways.windows(2) {
            hops.extend(around(pair[0].to, pair[1].from));
            hops.push(own_hop(view));
        }
    }
    if let Some(us) = views.first() {
        hops.extend(below(us));
    }
    hops.iter_mut().zip(1..).for_each(|(hop, place)| hop.hop = place);
    hops
}

fn own_hop(view: &View<'_>) -> Hop {
    Hop::recorded(Some(view.network.name.clone()), view.network.spc.clone(), view.role)
}

/// The hops of a loop: whom the call left for, and whom it came back from.
fn around(to: Option<&Peer>, from: Option<&Peer>) -> Vec<Hop> {
    let hop = |peer: Option<&Peer>| peer.map_or_else(|| Hop::recorded(None, None, None), Hop::of_peer);
    match (to, from) {
        (Some(to), Some(from)) if to.is_same(from) => vec![Hop::of_peer(to)],
        _ => vec![hop(to), Hop { after_gap: true, ..hop(from) }],
    }
}

/// What lies above the highest network that holds the call: the upstream that it names, and a signer beyond, with those
/// who signed that they diverted the call in between.
fn above(top: &View<'_>, signer: Option<&BelievedSigner>, views: &[View<'_>]) -> Vec<Hop> {
    let mut upstream = top.upstream.map_or_else(|| Hop::recorded(None, None, None), Hop::of_peer);
    let Some((signer, role)) = signer.and_then(|signer| Some((signer, signer.claimed_role()?))) else {
        return vec![upstream];
    };
    let is_view = |spc: &String| views.iter().any(|view| view.network.spc.as_ref() == Some(spc));
    let mut hops = Vec::new();
    if upstream.spc.as_ref() == Some(&signer.spc) {
        upstream.role = Some(role);
        upstream.role_certainty = Some(Certainty::Claimed);
    } else if !is_view(&signer.spc) {
        upstream.after_gap = true;
        hops.push(Hop::claimed(signer.name.clone(), Some(signer.spc.clone()), role));
    }
    for diverter in &signer.diverters {
        let is_known =
            is_view(&diverter.spc) || signer.spc == diverter.spc || upstream.spc.as_ref() == Some(&diverter.spc);
        let is_there = hops.iter().any(|hop: &Hop| hop.spc.as_ref() == Some(&diverter.spc));
        if !is_known && !is_there && !hops.is_empty() {
            hops.push(Hop::diverted(diverter.name.clone(), diverter.spc.clone()));
        }
    }
    hops.push(upstream);
    hops
}

/// Whom the answering network handed the call to; a customer is no hop.
fn below(us: &View<'_>) -> Option<Hop> {
    match us.downstream {
        Some(peer) if peer.kind == PeerKind::Customer => None,
        Some(peer) => Some(Hop::of_peer(peer)),
        None if !us.went_on() => None,
        None => Some(Hop::recorded(None, None, None)),
    }
}
