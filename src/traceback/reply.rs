//! From what a search kept to the answer of each request.

use crate::cdr::{Link, Place, Record};
use crate::network::{Network, Peer, PeerKind};
use crate::time::UnixTime;
use crate::traceback::answer::{
    Also, Answer, Asked, Gap, MAX_GAPS, Matched, Next, RecordPlace, RecordedCall, Searched, Shortcut, Signature,
    StatedSignature, Status, Upstream, shown,
};
use crate::traceback::candidate::NEAR_SECONDS;
use crate::traceback::chain::{BelievedSigner, View, hops, is_same, walk};
use crate::traceback::coverage::{Doubt, Span};
use crate::traceback::deadline::US_2026_02;
use crate::traceback::detection::Facts;
use crate::traceback::nearest::nearest;
use crate::traceback::origin::Origin;
use crate::traceback::replay::Replays;
use crate::traceback::request::Request;
use crate::traceback::role::Role;
use crate::traceback::search::{Candidate, Match, Search};
use crate::verify::Verdict;

/// Which network answers: the one named, or the one nearest the called party that has the call.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Replying<'a> {
    /// The network, by its place in the configuration.
    pub network: Option<usize>,
    /// Tokens that came with other calls too, where somebody looked.
    pub replays: Option<&'a Replays>,
}

impl<'a> Replying<'a> {
    /// For a network of that place, or the nearest to the called party.
    #[must_use]
    pub const fn new(network: Option<usize>) -> Self {
        Self { network, replays: None }
    }

    /// The same with what is known of replayed tokens.
    #[must_use]
    pub const fn with_replays(self, replays: &'a Replays) -> Self {
        Self { replays: Some(replays), ..self }
    }
}

impl<'a> Search<'a> {
    /// The records that the answers rest on: the best match of each request.
    pub fn decisive(&self, replying: Replying<'_>) -> impl Iterator<Item = Candidate> + '_ {
        let network = replying.network;
        (0..self.requests().len())
            .filter_map(move |request| Some(self.answering(request, network)?.1.into_iter().next()?.candidate))
    }

    /// The answer to a request. `judge` says what a record's PASSporTs are worth as of the call, and nothing where it
    /// carries none.
    pub fn answer(
        &self,
        request: usize,
        replying: Replying<'_>,
        judge: &mut dyn FnMut(&Record, UnixTime) -> Option<Verdict>,
    ) -> Answer {
        let asked = &self.requests()[request];
        let Some((index, matches)) = self.answering(request, replying.network) else {
            return self.negative(asked, replying.network);
        };
        let views: Vec<View<'_>> = matches.iter().map(|own| View::new(self, index, own.clone())).collect();
        let status = if are_of_one_upstream(&views) { Status::Found } else { Status::Ambiguous };
        let mut answer = self.empty(asked, Some(index), status, self.because(request, status, &views));
        answer.matches = views.iter().map(|view| self.matched(view)).collect();
        if status == Status::Found {
            self.fill(&mut answer, request, views, replying, judge);
        }
        answer
    }

    fn fill(
        &self,
        answer: &mut Answer,
        request: usize,
        views: Vec<View<'a>>,
        replying: Replying<'_>,
        judge: &mut dyn FnMut(&Record, UnixTime) -> Option<Verdict>,
    ) {
        let Some(us) = views.into_iter().next() else { return };
        let verdict = judge(us.record(), us.found.candidate.standing.began);
        let signer = BelievedSigner::of(verdict.as_ref(), self.networks());
        let views = walk(self, request, us);
        let us = &views[0];
        let facts = Facts {
            search: self,
            request,
            views: &views,
            verdict: verdict.as_ref(),
            signer: signer.as_ref(),
            replays: replying.replays,
        };
        answer.findings = facts.findings();
        answer.role = us.role;
        answer.upstream = Some(upstream(us.upstream, &us.record().ingress));
        answer.downstream = us.went_on().then(|| upstream(us.downstream, us.egress()));
        answer.chain = hops(&views, signer.as_ref());
        answer.next = Some(next(self.networks(), &views, signer.as_ref()));
        answer.signature = verdict.as_ref().map(Signature::of);
    }

    /// The network that answers, and its matches.
    fn answering(&self, request: usize, network: Option<usize>) -> Option<(usize, Vec<Match>)> {
        if let Some(network) = network {
            return Some((network, self.matches(request, network))).filter(|(_, matches)| !matches.is_empty());
        }
        let all = (0..self.networks().len()).map(|index| (index, self.matches(request, index)));
        let mut having: Vec<(usize, Vec<Match>)> = all.filter(|(_, matches)| !matches.is_empty()).collect();
        let view = |(index, matches): &(usize, Vec<Match>)| Some(View::new(self, *index, matches.first()?.clone()));
        let views: Vec<View<'_>> = having.iter().filter_map(view).collect();
        let nearest = nearest(self, request, &views)?;
        Some(having.swap_remove(nearest))
    }

    /// The answer where no record can be the call.
    fn negative(&self, asked: &Request, network: Option<usize>) -> Answer {
        let wanted =
            Span::new(asked.time.earliest.plus_seconds(-NEAR_SECONDS), asked.time.latest.plus_seconds(NEAR_SECONDS));
        let networks = network.map_or_else(|| (0..self.networks().len()).collect(), |own| vec![own]);
        let mut doubts = Vec::new();
        for index in &networks {
            let sources = self.coverage(*index).map(|(source, held)| Some((source, held.doubt(&wanted)?)));
            let network = &self.networks()[*index];
            doubts.extend(sources.flatten().map(|(source, doubt)| doubt_words(&source_name(network, source), &doubt)));
            if network.sources.is_empty() {
                doubts.push(format!("no source of records is named for {}", network.name));
            }
        }
        let single = if let [only] = networks.as_slice() { Some(*only) } else { None };
        if doubts.is_empty() && !networks.is_empty() {
            let because = format!(
                "no record of {} within 12 hours can be this call, and records are held without a gap from {} to {}",
                shown(asked.to.canonical.as_ref(), &asked.to.raw),
                wanted.from,
                wanted.to
            );
            return self.empty(asked, single, Status::NotFound, because);
        }
        let because = format!("no record can be this call, but records are incomplete: {}", doubts.join("; "));
        self.empty(asked, single, Status::CannotSay, because)
    }

    fn empty(&self, asked: &Request, network: Option<usize>, status: Status, because: String) -> Answer {
        let own = network.and_then(|index| self.networks().get(index));
        let (due, due_because) = due(asked, own.or_else(|| self.networks().first()));
        Answer {
            request: question(asked),
            status,
            because,
            network: own.map(|own| own.name.clone()),
            spc: own.and_then(|own| own.spc.clone()),
            role: None,
            upstream: None,
            downstream: None,
            matches: Vec::new(),
            signature: None,
            chain: Vec::new(),
            next: None,
            findings: Vec::new(),
            searched: self.searched(network, asked.time.earliest),
            due,
            due_because,
            ruleset: US_2026_02.name,
        }
    }

    fn matched(&self, view: &View<'_>) -> Matched {
        let record = view.record();
        let standing = &view.found.candidate.standing;
        Matched {
            tier: standing.tier,
            score: standing.score,
            parts: standing.parts.clone(),
            upstream: upstream(view.upstream, &record.ingress),
            record: self.place(record.place),
            also: view.found.also.iter().map(|own| Also { record: self.place(own.place), why: own.why }).collect(),
            time: standing.written,
            call: recorded(record),
        }
    }

    fn place(&self, place: Place) -> RecordPlace {
        let file = self.files().get(place.file);
        RecordPlace {
            file: file.map(|own| own.name.clone()).unwrap_or_default(),
            line: place.line,
            sha256: file.map(|own| own.sha256.clone()).unwrap_or_default(),
        }
    }

    fn searched(&self, network: Option<usize>, around: UnixTime) -> Searched {
        let networks = network.map_or_else(|| (0..self.networks().len()).collect(), |own| vec![own]);
        let mut searched = Searched::default();
        for index in networks {
            for (source, held) in self.coverage(index) {
                searched.files += self.files_of(Origin::new(index, source));
                searched.records += held.records();
                searched.set_aside += held.lines_set_aside();
                if let Some(span) = held.span() {
                    searched.from = Some(searched.from.map_or(span.from, |from| from.min(span.from)));
                    searched.to = Some(searched.to.map_or(span.to, |to| to.max(span.to)));
                }
                let name = source_name(&self.networks()[index], source);
                let gap = |span: Span| Gap { source: name.clone(), from: span.from, to: span.to };
                searched.gaps.extend(held.gaps().map(gap));
            }
        }
        searched.gaps.sort_by_key(|gap| gap.from.seconds_since(around).abs().min(gap.to.seconds_since(around).abs()));
        searched.gaps.truncate(MAX_GAPS);
        searched.gaps.sort_by_key(|gap| gap.from);
        searched
    }
}

fn question(asked: &Request) -> Asked {
    Asked {
        id: asked.id.clone(),
        from: shown(asked.from.canonical.as_ref(), &asked.from.raw),
        to: shown(asked.to.canonical.as_ref(), &asked.to.raw),
        time: asked.time.earliest,
        time_seconds: asked.time.latest.seconds_since(asked.time.earliest) + 1,
        campaign: asked.campaign.clone(),
        received: asked.received.map(|moment| moment.earliest),
        source: asked.source.clone(),
    }
}

/// Several calls of one upstream have one answer.
fn are_of_one_upstream(views: &[View<'_>]) -> bool {
    let link = |view: &View<'_>| (view.record().ingress.trunk.clone(), view.record().ingress.ip());
    views.iter().all(|view| match (view.upstream, views[0].upstream) {
        (Some(own), Some(first)) => own.is_same(first),
        (None, None) => link(view) == link(&views[0]),
        _ => false,
    })
}

fn upstream(peer: Option<&Peer>, link: &Link) -> Upstream {
    let mut side = Upstream { trunk: link.trunk.clone(), address: link.address.clone(), ..Upstream::default() };
    if let Some(peer) = peer {
        side.name = Some(peer.name.clone());
        side.kind = Some(if peer.kind == PeerKind::Customer { "customer" } else { "provider" });
        side.spc = peer.spc.clone();
        side.rmd = peer.rmd.clone();
        side.frn = peer.frn.clone();
        side.country = peer.country.clone();
    }
    side
}

fn recorded(record: &Record) -> RecordedCall {
    RecordedCall {
        calling: record.calling.raw.clone(),
        called: record.called.raw.clone(),
        original_called: record.original_called.as_ref().map(|own| own.raw.clone()),
        answer: record.answer,
        end: record.end,
        ingress_call_id: record.ingress.call_id.clone(),
        egress_call_id: record.egress.call_id.clone(),
        sip_status: record.sip_status,
        q850: record.q850,
        stated: StatedSignature::of(&record.stated),
    }
}

/// The highest network that holds the call says who is next; a signer further up is a shortcut.
fn next(networks: &[Network], views: &[View<'_>], signer: Option<&BelievedSigner>) -> Next {
    let Some(top) = views.last() else { return Next { ask: None, because: String::new(), shortcut: None } };
    let of = if views.len() > 1 { format!(" of {}", top.network.name) } else { String::new() };
    let Some(peer) = top.upstream else {
        let link = &top.record().ingress;
        let named = [("trunk", &link.trunk), ("address", &link.address)];
        let named: Vec<String> =
            named.iter().filter_map(|(kind, name)| Some(format!("{kind} {}", name.as_ref()?))).collect();
        let because = if named.is_empty() {
            format!("the record{of} names neither trunk nor address of the side that the call came from")
        } else {
            format!("no [[network.peer]]{of} had {} then: add it to stirtrace.toml", named.join(", "))
        };
        return Next { ask: None, because, shortcut: shortcut(top, signer) };
    };
    if peer.kind == PeerKind::Customer {
        let because = format!("customer{of}: {} originated the call, and can say who the caller is", top.network.name);
        return Next { ask: Some(peer.name.clone()), because, shortcut: None };
    }
    let held = networks.iter().any(|network| is_same(network, peer));
    let records = if held {
        "their records are held and do not show the call, or show several"
    } else {
        "no records of theirs are held"
    };
    Next {
        ask: Some(peer.name.clone()),
        because: format!("direct upstream{of}; {records}"),
        shortcut: shortcut(top, signer),
    }
}

fn shortcut(top: &View<'_>, signer: Option<&BelievedSigner>) -> Option<Shortcut> {
    let signer = signer?;
    let is_upstream = top.upstream.is_some_and(|peer| peer.spc.as_ref() == Some(&signer.spc));
    if is_upstream || top.network.spc.as_ref() == Some(&signer.spc) {
        return None;
    }
    let attest = signer.attest?;
    let claim = match signer.claimed_role()? {
        Role::Originating => "so it claims to know the customer that made the call",
        _ => "so it claims to know where the call entered its network",
    };
    let because = format!("signed the call with {attest}, {claim}; that skips the hops between");
    Some(Shortcut { ask: signer.label(), because })
}

fn due(asked: &Request, office: Option<&Network>) -> (Option<String>, Vec<String>) {
    let none = |reason: String| (None, vec![reason]);
    let Some(received) = asked.received else {
        return none("not known when the request was received: give it as received, or with --received".to_owned());
    };
    let Some(office) = office else { return none("no network is named that answers".to_owned()) };
    let mut because = Vec::new();
    match &office.country {
        Some(country) if *country != US_2026_02.country => {
            return none(format!(
                "the rules {} bind offices in {}, not {country}",
                US_2026_02.name, US_2026_02.country
            ));
        }
        Some(_) => {}
        None => because.push(format!(
            "the network {} has no country in stirtrace.toml: taken to be in {}, whose rules these are",
            office.name, US_2026_02.country
        )),
    }
    let Some(zone) = &office.time_zone else {
        return none(format!(
            "the network {} has no time_zone in stirtrace.toml: the clock runs in the office's",
            office.name
        ));
    };
    match US_2026_02.deadline(received.earliest, zone) {
        Ok(deadline) => {
            because.extend(deadline.because);
            (Some(deadline.text), because)
        }
        Err(reason) => none(reason.to_string()),
    }
}

impl Search<'_> {
    /// A source as people know it.
    pub(super) fn source_name(&self, origin: Origin) -> String {
        self.networks().get(origin.network).map(|own| source_name(own, origin.source)).unwrap_or_default()
    }
}

fn source_name(network: &Network, source: usize) -> String {
    network.sources.get(source).map(|own| own.label()).unwrap_or_default()
}

fn doubt_words(source: &str, doubt: &Doubt) -> String {
    match doubt {
        Doubt::FilesMissing => format!("a file of {source} is not there"),
        Doubt::Gap(span) => format!("{source} has no record between {} and {}", span.from, span.to),
        Doubt::Nothing => format!("{source} has no record at all"),
        Doubt::Outside(span) => format!("{source} has records from {} to {} only", span.from, span.to),
        Doubt::Unread => format!("{source} has lines around that time that could not be read"),
    }
}
