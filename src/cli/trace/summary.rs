//! What all answers of a run say together: how many there are of each kind, the upstreams, and the clusters.

use serde::Serialize;

use crate::cli::printer::Present;
use crate::cli::text::{Text, Tone, grouped};
use crate::traceback::{Answer, Cluster, ClusterKind, Status, clusters};

/// Gathers the answers of a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What clusters are made of, and no more.
    answers: Vec<Answer>,
    unreadable: usize,
}

impl Tally {
    /// Takes notice of an answer.
    pub(super) fn count(&mut self, answer: &Answer) {
        let mut own = answer.clone();
        own.matches.truncate(1);
        own.chain.clear();
        own.due_because.clear();
        own.findings.clear();
        own.searched.gaps.clear();
        self.answers.push(own);
    }

    /// Takes notice of a request that could not be read.
    pub(super) const fn count_unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// All of it.
    pub(super) fn summary(&self) -> Summary {
        let count = |status| self.answers.iter().filter(|answer| answer.status == status).count();
        Summary {
            requests: self.answers.len() + self.unreadable,
            found: count(Status::Found),
            ambiguous: count(Status::Ambiguous),
            not_found: count(Status::NotFound),
            cannot_say: count(Status::CannotSay),
            unreadable: self.unreadable,
            clusters: clusters(&self.answers),
        }
    }
}

/// What all answers of a run say together.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) requests: usize,
    found: usize,
    ambiguous: usize,
    not_found: usize,
    cannot_say: usize,
    unreadable: usize,
    clusters: Vec<Cluster>,
}

impl Present for Summary {
    const COLUMNS: &'static [&'static str] = &[
        "requests",
        "found",
        "ambiguous",
        "not_found",
        "cannot_say",
        "unreadable",
        "clusters.by",
        "clusters.name",
        "clusters.spc",
        "clusters.origid",
        "clusters.requests",
    ];

    fn text(&self, text: &mut Text) {
        let requests = if self.requests == 1 { "request" } else { "requests" };
        text.put(Tone::Strong, format_args!("{} {requests}", number(self.requests))).end();
        let kinds = [
            ("found", self.found, Tone::Good),
            ("ambiguous", self.ambiguous, Tone::Doubt),
            ("not-found", self.not_found, Tone::Strong),
            ("cannot-say", self.cannot_say, Tone::Doubt),
            ("unreadable", self.unreadable, Tone::Bad),
        ];
        for (name, count, tone) in kinds {
            if count > 0 {
                text.name(name).put(tone, number(count)).end();
            }
        }
        for kind in [ClusterKind::Upstream, ClusterKind::Signer] {
            let own: Vec<&Cluster> = self.clusters.iter().filter(|cluster| cluster.by == kind).collect();
            own.iter().take(SHOWN).for_each(|cluster| print(cluster, text));
            if own.len() > SHOWN {
                text.field("", format_args!("and {} more, which --summary --format json names", own.len() - SHOWN));
            }
        }
        text.end();
    }
}

/// More of a kind are not shown to people.
const SHOWN: usize = 20;

fn print(cluster: &Cluster, text: &mut Text) {
    let name = cluster.name.as_deref().unwrap_or("unknown");
    let spc = cluster.spc.as_deref().map_or_else(String::new, |spc| format!(" ({spc})"));
    let requests = if cluster.requests == 1 { "request" } else { "requests" };
    text.name(cluster.by.as_str()).put(Tone::Strong, name).put_legible(Tone::Strong, spc);
    text.plain(format_args!("  {} {requests}", number(cluster.requests)));
    if !cluster.attests.is_empty() {
        text.plain(format_args!(", attested {}", cluster.attests.join(" and ")));
    }
    let more = if cluster.requests > cluster.ids.len() { " ..." } else { "" };
    text.put(Tone::Faint, format_args!(": {}{more}", cluster.ids.join(", "))).end();
    if let Some(origid) = &cluster.origid {
        text.field("", format_args!("origid {origid}"));
    }
    if !cluster.campaigns.is_empty() && cluster.by == ClusterKind::Signer {
        text.field("", format_args!("campaigns: {}", cluster.campaigns.join("; ")));
    }
}

fn number(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}
