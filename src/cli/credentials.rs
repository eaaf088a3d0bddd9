//! The certificates that calls ask for: out of the archive, as of the instant judged; else, where it was asked for, over
//! the network.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::certificate::sha256;
use crate::cli::archive::NotHad;
use crate::cli::fetching::{Fetching, Origin};
use crate::cli::trust::Trust;
use crate::fetch::fetcher::place::Place;
use crate::fetch::history::History;
use crate::fetch::{Fetched, NotFetched};
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::verify::{Materials, Verdict, Verifier};

/// Fills materials as calls ask for them, and remembers by what.
#[derive(Debug)]
pub(crate) struct Credentials<'a> {
    trust: Trust,
    materials: Materials,
    fetching: Option<&'a Fetching>,
    fetches_rich_call_data: bool,
    /// How to name an archive where none is: the words differ by command.
    no_archive: fn(place: &str) -> String,
    found: HashMap<String, Found>,
    /// How many octets of strangers' bodies that is.
    held: usize,
    /// What was fetched for calls that are being judged together.
    ahead: HashMap<String, Result<Arc<Fetched>, NotFetched>>,
    /// What else was found to lie at the URLs of certificates that failed a signature of theirs (G21).
    again: HashMap<String, Option<Arc<Fetched>>>,
    /// Whether what lies at a URL depends on when it is asked for.
    changes: bool,
}

/// What the materials have for a URL.
#[derive(Debug)]
enum Found {
    /// One body, whenever a call was made, or none.
    Settled,
    /// Several bodies, each of its time; the materials have that of this hash.
    Dated { history: History, plain: Option<[u8; 32]>, current: [u8; 32] },
    /// The network is asked, each time anew; what it had last, if it had it.
    Remote(Option<Arc<Fetched>>),
}

/// How many URLs are remembered before everything about them is forgotten: hostile calls may name a new one each.
const MAX_URLS: usize = 100_000;
/// The same by octets of what was fetched.
const MAX_HELD: usize = 64 * 1024 * 1024;
/// How many URLs are fetched together: what they have is held until their calls are judged.
const MAX_AHEAD: usize = 256;
/// How many certificates of one URL are tried on one call.
const MAX_TRIES: usize = 4;
/// How many pictures and cards of one call are fetched, however many PASSporTs it has.
const MAX_RESOURCES: usize = 16;

impl<'a> Credentials<'a> {
    pub(crate) fn new(trust: Trust, fetching: Option<&'a Fetching>, no_archive: fn(&str) -> String) -> Self {
        let materials = trust.materials();
        Self {
            trust,
            materials,
            fetching,
            fetches_rich_call_data: false,
            no_archive,
            found: HashMap::new(),
            held: 0,
            ahead: HashMap::new(),
            again: HashMap::new(),
            changes: fetching.is_some(),
        }
    }

    /// The same, and whether pictures and cards are fetched that rich call data names.
    pub(crate) fn fetching_rich_call_data(self, fetches: bool) -> Self {
        Self { fetches_rich_call_data: fetches, ..self }
    }

    /// Whether what lies at a URL depends on when it is asked for: then each call is to be judged by itself.
    pub(crate) const fn change(&self) -> bool {
        self.changes
    }

    /// The materials, where they are the same for every call that needs them.
    pub(crate) fn settled(&self) -> Option<&Materials> {
        (!self.changes).then_some(&self.materials)
    }

    /// Gets what a call needs, as of an instant.
    pub(crate) fn provide_for(&mut self, verifier: &Verifier, call: &Call, at: UnixTime) {
        if self.found.len() > MAX_URLS || self.held > MAX_HELD {
            self.found.clear();
            self.held = 0;
            self.materials = self.trust.materials();
        }
        let nothing = Materials::new();
        let missing = verifier.missing(call, if self.changes { &nothing } else { &self.materials });
        missing.iter().for_each(|url| self.provide(url, at));
    }

    /// Judges calls, each as of its instant, and says where their certificates came from, if over the network. What is
    /// needed of it is fetched together: one host that does not answer is waited for once, not once a call.
    pub(crate) fn judge_all(
        &mut self,
        verifier: &Verifier,
        calls: &[(&Call, UnixTime)],
    ) -> Vec<(Verdict, Vec<Origin>)> {
        let mut judged = Vec::with_capacity(calls.len());
        let mut rest = calls;
        while !rest.is_empty() {
            let (together, later) = rest.split_at(self.fetch_ahead(verifier, rest));
            judged.extend(self.judge_together(verifier, together));
            self.ahead.clear();
            self.again.clear();
            rest = later;
        }
        judged
    }

    /// Fetches what the first of these calls need; of how many, is told, and is one at least.
    fn fetch_ahead(&mut self, verifier: &Verifier, calls: &[(&Call, UnixTime)]) -> usize {
        let Some(fetching) = self.fetching else { return calls.len() };
        let (mut wanted, mut taken) = (BTreeSet::new(), 0);
        for (call, at) in calls {
            taken += 1;
            for url in verifier.missing(call, &Materials::new()) {
                self.look(&url, *at);
                if matches!(self.found.get(&url), Some(Found::Remote(_))) {
                    wanted.insert(url);
                }
            }
            if wanted.len() >= MAX_AHEAD {
                break;
            }
        }
        self.ahead = fetching.certificates(wanted);
        taken
    }

    /// Those whose signature fails are judged once more, by what else lies at their URLs.
    fn judge_together(&mut self, verifier: &Verifier, calls: &[(&Call, UnixTime)]) -> Vec<(Verdict, Vec<Origin>)> {
        let mut judged = Vec::with_capacity(calls.len());
        let mut failed = HashMap::new();
        for (call, at) in calls {
            self.provide_for(verifier, call, *at);
            let verdict = verifier.verify(call, &self.materials, *at);
            for url in failed_signatures(&verdict) {
                if let Some(Found::Remote(Some(fetched))) = self.found.get(&url) {
                    failed.insert(url, Arc::clone(fetched));
                }
            }
            let origins = self.origins(&verdict);
            judged.push((verdict, origins));
        }
        if let Some(fetching) = self.fetching {
            self.again = fetching.again_together(failed);
        }
        for ((call, at), own) in calls.iter().zip(&mut judged) {
            if !failed_signatures(&own.0).is_empty() {
                let verdict = self.judge(verifier, call, *at);
                let origins = self.origins(&verdict);
                *own = (verdict, origins);
            }
        }
        self.add_rich_call_data(verifier, calls, &mut judged);
        judged
    }

    /// Judges those once more whose pictures and cards are to be had, which are fetched together, too.
    fn add_rich_call_data(
        &mut self,
        verifier: &Verifier,
        calls: &[(&Call, UnixTime)],
        judged: &mut [(Verdict, Vec<Origin>)],
    ) {
        let Some(fetching) = self.fetching.filter(|_| self.fetches_rich_call_data) else { return };
        let missing = judged.iter().flat_map(|(verdict, _)| verdict.missing_resources().take(MAX_RESOURCES));
        let missing = missing.take(MAX_AHEAD).cloned().collect();
        // The fetcher keeps what comes, and what does not: each call then asks it in turn.
        fetching.rich_call_data_together(missing);
        for ((call, at), (own, _)) in calls.iter().zip(judged) {
            if own.missing_resources().next().is_some() {
                self.provide_for(verifier, call, *at);
                let judge = |materials: &Materials| verifier.verify(call, materials, *at);
                *own = self.with_rich_call_data(own.clone(), &judge);
            }
        }
    }

    /// Judges a call as of an instant, by the certificates of that instant.
    pub(crate) fn judge(&mut self, verifier: &Verifier, call: &Call, at: UnixTime) -> Verdict {
        self.provide_for(verifier, call, at);
        let verdict = verifier.verify(call, &self.materials, at);
        if !self.changes {
            return verdict;
        }
        let judge = |materials: &Materials| verifier.verify(call, materials, at);
        let verdict = self.second_opinion(&verdict, at, &judge).unwrap_or(verdict);
        self.with_rich_call_data(verdict, &judge)
    }

    /// What the rich call data of a valid PASSporT names is got, where that was asked for, and the call judged again.
    fn with_rich_call_data(&mut self, mut verdict: Verdict, judge: &dyn Fn(&Materials) -> Verdict) -> Verdict {
        let Some(fetching) = self.fetching.filter(|_| self.fetches_rich_call_data) else { return verdict };
        // A card, and then its pictures.
        for _ in 0..2 {
            let missing: Vec<_> = verdict.missing_resources().take(MAX_RESOURCES).cloned().collect();
            if missing.is_empty() {
                break;
            }
            for resource in missing {
                match fetching.rich_call_data(&resource) {
                    Ok(body) => self.materials.add_resource(resource.url(), body),
                    Err(why) => self.materials.mark_resource_unavailable(resource.url(), why),
                }
            }
            verdict = judge(&self.materials);
        }
        // The fetcher keeps them, with what there is to know of their age; the next call asks it.
        self.materials.forget_resources();
        verdict
    }

    /// Where the certificates of a verdict came from, if over the network.
    fn origins(&self, verdict: &Verdict) -> Vec<Origin> {
        let urls = verdict.passports.iter().filter_map(|report| report.signer.as_ref()?.x5u());
        let urls: BTreeSet<&str> = urls.collect();
        let fetched = urls.into_iter().filter_map(|url| match self.found.get(url) {
            Some(Found::Remote(Some(fetched))) => Some(Origin::of(fetched)),
            _ => None,
        });
        fetched.collect()
    }

    fn provide(&mut self, url: &str, at: UnixTime) {
        self.look(url, at);
        match self.found.get_mut(url) {
            Some(Found::Settled) | None => {}
            Some(Found::Dated { history, plain, current }) => {
                let wanted = history.candidates(at).first().copied().or(*plain);
                if let Some(wanted) = wanted.filter(|wanted| wanted != current)
                    && let Some(body) = self.trust.archive.as_ref().and_then(|archive| archive.body_of(url, &wanted))
                {
                    self.materials.add_certificate(url, &body);
                    *current = wanted;
                }
            }
            Some(Found::Remote(_)) => self.fetch(url),
        }
    }

    /// Looks where a URL is to be had, and takes what lies at hand.
    fn look(&mut self, url: &str, at: UnixTime) {
        if self.found.contains_key(url) {
            return;
        }
        let Some(archive) = &self.trust.archive else {
            if self.fetching.is_some() {
                self.found.insert(url.to_owned(), Found::Remote(None));
                return;
            }
            let place = Place::of(url).map(|place| place.to_path().display().to_string());
            self.materials.mark_unavailable(url, (self.no_archive)(&place.unwrap_or_else(|_| "host/path".to_owned())));
            self.found.insert(url.to_owned(), Found::Settled);
            return;
        };
        let plain = archive.read(url);
        let history = archive.history(url);
        for wanted in history.candidates(at) {
            let Ok(body) = archive.body(&wanted) else { continue };
            self.materials.add_certificate(url, &body);
            let plain = plain.ok().map(|body| sha256(&body));
            let found = if history.spans.len() > 1 || plain.is_some_and(|plain| plain != wanted) {
                self.changes = true;
                Found::Dated { history, plain, current: wanted }
            } else {
                Found::Settled
            };
            self.found.insert(url.to_owned(), found);
            return;
        }
        match plain {
            Ok(body) => self.materials.add_certificate(url, &body),
            Err(NotHad::Missing { .. } | NotHad::Refused(_)) if self.fetching.is_some() => {
                self.found.insert(url.to_owned(), Found::Remote(None));
                return;
            }
            Err(reason) => self.materials.mark_unavailable(url, reason.to_string()),
        }
        self.found.insert(url.to_owned(), Found::Settled);
    }

    fn fetch(&mut self, url: &str) {
        let Some(fetching) = self.fetching else { return };
        let got = self.ahead.get(url).cloned().unwrap_or_else(|| fetching.certificate(url));
        match got {
            Ok(fetched) => {
                let is_known =
                    matches!(self.found.get(url), Some(Found::Remote(Some(known))) if known.sha256 == fetched.sha256);
                if !is_known {
                    self.held += fetched.body.len();
                    self.materials.add_certificate(url, &fetched.body);
                }
                self.found.insert(url.to_owned(), Found::Remote(Some(fetched)));
            }
            Err(why) => {
                self.materials.mark_unavailable(url, format!("{why}; {}", why.advice()));
                self.found.insert(url.to_owned(), Found::Remote(None));
            }
        }
    }

    /// A signature that fails may be of a key that lay at the URL before or after: the certificates that are left are
    /// tried (G21). None of them good: the first verdict stands, and says more.
    fn second_opinion(
        &mut self,
        verdict: &Verdict,
        at: UnixTime,
        judge: &dyn Fn(&Materials) -> Verdict,
    ) -> Option<Verdict> {
        for url in failed_signatures(verdict) {
            for body in self.others(&url, at) {
                self.materials.add_certificate(&url, &body);
                if let Some(Found::Dated { current, .. }) = self.found.get_mut(&url) {
                    *current = sha256(&body);
                }
                let again = judge(&self.materials);
                if !failed_signatures(&again).contains(&url) {
                    return Some(again);
                }
            }
        }
        None
    }

    /// The other certificates that a URL has or had.
    fn others(&mut self, url: &str, at: UnixTime) -> Vec<Arc<[u8]>> {
        match self.found.get(url) {
            Some(Found::Dated { history, plain, current }) => {
                let hashes = history.candidates(at).into_iter().chain(*plain).filter(|hash| hash != current);
                let archive = self.trust.archive.as_ref();
                let read = |hash: [u8; 32]| archive?.body_of(url, &hash).map(Into::into);
                hashes.filter_map(read).take(MAX_TRIES).collect()
            }
            Some(Found::Remote(Some(failed))) => {
                let found = match self.again.get(url) {
                    Some(found) => found.clone(),
                    None => self.fetching.and_then(|fetching| fetching.again(failed)),
                };
                let Some(found) = found.filter(|found| found.sha256 != failed.sha256) else { return Vec::new() };
                let body = Arc::clone(&found.body);
                self.found.insert(url.to_owned(), Found::Remote(Some(found)));
                vec![body]
            }
            _ => Vec::new(),
        }
    }
}

/// The URLs of certificates under which a signature failed.
fn failed_signatures(verdict: &Verdict) -> Vec<String> {
    let failed = verdict.passports.iter().filter(|report| {
        let checks = report.checks.iter();
        checks
            .filter(|check| check.rule.name() == "signature")
            .any(|check| check.result == crate::verify::CheckResult::Fail)
    });
    let mut urls: Vec<String> = failed.filter_map(|report| report.signer.as_ref()?.x5u().map(str::to_owned)).collect();
    urls.dedup();
    urls
}
