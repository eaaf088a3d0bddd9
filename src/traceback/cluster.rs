//! Requests of one run that belong together: one signer's origination identifier, or one upstream.
//!
//! An origid names a customer, a trunk or a gateway of its signer (ATIS-1000088): calls that share one are one matter for
//! the signer, whoever handed each of them on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::time::UnixTime;
use crate::traceback::answer::{Answer, Status};

/// Answers that share a signer and its origid, or an upstream.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cluster {
    /// What they share.
    pub by: ClusterKind,
    /// The signer's or the upstream's name, as far as it is known.
    pub name: Option<String>,
    /// Its service provider code.
    pub spc: Option<String>,
    /// The origination identifier; none for an upstream.
    pub origid: Option<String>,
    /// The network that has the calls from that upstream; none for a signer.
    pub network: Option<String>,
    /// How many answers.
    pub requests: usize,
    /// Their requests, the first of them.
    pub ids: Vec<String>,
    /// The campaigns that they are thought to belong to.
    pub campaigns: Vec<String>,
    /// The attestations in valid signatures.
    pub attests: Vec<&'static str>,
    /// When the first of the calls began.
    pub from: Option<UnixTime>,
    /// When the last of them began.
    pub to: Option<UnixTime>,
}

/// What answers of a cluster share.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClusterKind {
    /// A signer and its origid, in signatures that are valid as of their calls.
    Signer,
    /// An upstream.
    Upstream,
}

impl ClusterKind {
    /// The word of the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signer => "signer",
            Self::Upstream => "upstream",
        }
    }
}

/// The most requests, and the most campaigns, that a cluster names.
pub const MAX_CLUSTER_IDS: usize = 20;

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    by: ClusterKind,
    network: Option<String>,
    spc: Option<String>,
    /// The origid, or what an upstream without a code is known by.
    known_by: Option<String>,
}

#[derive(Default)]
struct Members {
    name: Option<String>,
    requests: usize,
    ids: Vec<String>,
    campaigns: BTreeSet<String>,
    attests: BTreeSet<&'static str>,
    span: Option<(UnixTime, UnixTime)>,
}

/// The clusters of a run's answers, the largest first; answers that found nothing belong to none.
#[must_use]
pub fn clusters<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Vec<Cluster> {
    let mut groups: BTreeMap<Key, Members> = BTreeMap::new();
    for answer in answers.into_iter().filter(|answer| answer.status == Status::Found) {
        for (key, name) in [by_signer(answer), by_upstream(answer)].into_iter().flatten() {
            let group = groups.entry(key).or_default();
            group.name = group.name.take().or(name);
            group.add(answer);
        }
    }
    let mut clusters: Vec<Cluster> = groups.into_iter().map(|(key, members)| members.close(key)).collect();
    clusters.sort_by(|left, right| left.by.cmp(&right.by).then(right.requests.cmp(&left.requests)));
    clusters
}

fn by_signer(answer: &Answer) -> Option<(Key, Option<String>)> {
    let signature = answer.signature.as_ref().filter(|own| own.verdict == "passed")?;
    let signer = signature.signer.as_ref()?;
    let key = Key {
        by: ClusterKind::Signer,
        network: None,
        spc: Some(signer.spc()?.to_owned()),
        known_by: Some(signature.origid.clone()?),
    };
    let name = signer.name().map(str::to_owned);
    Some((key, name))
}

fn by_upstream(answer: &Answer) -> Option<(Key, Option<String>)> {
    let upstream = answer.upstream.as_ref()?;
    let known_by = upstream.name.as_ref().or(upstream.trunk.as_ref()).or(upstream.address.as_ref())?;
    let key = Key {
        by: ClusterKind::Upstream,
        network: answer.network.clone(),
        spc: upstream.spc.clone(),
        known_by: Some(known_by.clone()),
    };
    Some((key, Some(known_by.clone())))
}

impl Members {
    fn add(&mut self, answer: &Answer) {
        self.requests += 1;
        if self.ids.len() < MAX_CLUSTER_IDS {
            self.ids.push(answer.request.id.clone());
        }
        if let Some(campaign) = answer.request.campaign.as_ref().filter(|_| self.campaigns.len() < MAX_CLUSTER_IDS) {
            self.campaigns.insert(campaign.clone());
        }
        let valid = answer.signature.as_ref().filter(|own| own.verdict == "passed");
        self.attests.extend(valid.and_then(|own| own.attest));
        if let Some(time) = answer.matches.first().map(|own| own.time) {
            let (from, to) = self.span.unwrap_or((time, time));
            self.span = Some((from.min(time), to.max(time)));
        }
    }

    fn close(self, key: Key) -> Cluster {
        Cluster {
            by: key.by,
            name: self.name,
            spc: key.spc,
            origid: key.known_by.filter(|_| key.by == ClusterKind::Signer),
            network: key.network,
            requests: self.requests,
            ids: self.ids,
            campaigns: self.campaigns.into_iter().collect(),
            attests: self.attests.into_iter().collect(),
            from: self.span.map(|(from, _)| from),
            to: self.span.map(|(_, to)| to),
        }
    }
}
