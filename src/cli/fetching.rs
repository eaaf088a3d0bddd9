//! Fetching for a command that was told to: what the options mean, one thing after another, and what came said on stderr.

use std::collections::{BTreeSet, HashMap};
use std::mem::take;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::certificate::bundle::Limits as FileLimits;
use crate::certificate::der::hexadecimal;
use crate::cli::args::FetchArgs;
use crate::cli::exit::Complaint;
use crate::cli::files::read_named;
use crate::cli::printer::Printer;
use crate::cli::text::grouped;
use crate::clock;
use crate::fetch::location::Location;
use crate::fetch::{CannotFetch, Event, Fetched, Fetcher, Kind, Limits, NotFetched, Settings};
use crate::rich_call_data::Resource;
use crate::time::UnixTime;

/// A fetcher with what it needs to run.
pub(crate) struct Fetching {
    fetcher: Fetcher,
    limits: Limits,
    runtime: Runtime,
    events: Events,
    keeps: bool,
}

type Events = Arc<Mutex<Vec<Event>>>;
type Tell = Arc<dyn Fn(&Event) + Send + Sync>;

impl Fetching {
    /// What the options ask for; nothing unless they do. What happens is kept until it is said.
    pub(crate) fn new(args: &FetchArgs) -> Result<Option<Self>, Complaint> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let tell = Arc::new(move |event: &Event| locked(&sink).push(event.clone()));
        Self::telling(args, events, tell, &|part| part.option().to_owned())
    }

    /// The same for a service, which goes on for long: somebody else is told what happens, as it happens. What is at
    /// fault has its name from whoever knows where it stands.
    pub(crate) fn for_service(
        args: &FetchArgs,
        tell: fn(&Event),
        name: &dyn Fn(Part) -> String,
    ) -> Result<Option<Self>, Complaint> {
        Self::telling(args, Arc::default(), Arc::new(tell), name)
    }

    fn telling(
        args: &FetchArgs,
        events: Events,
        tell: Tell,
        name: &dyn Fn(Part) -> String,
    ) -> Result<Option<Self>, Complaint> {
        if !args.fetch {
            return Ok(None);
        }
        let mut tls_roots = Vec::new();
        for (place, path) in args.fetch_root.iter().enumerate() {
            tls_roots.push(read_named(&name(Part::Root(place)), path, FileLimits::OWN_FILE.octets)?);
        }
        let limits = Limits { certificate_time: Duration::from_secs(args.fetch_timeout), ..Limits::default() };
        let settings = Settings {
            cache: args.fetch_cache.clone(),
            archive: args.fetch_archive.clone(),
            limits,
            tls_roots,
            allowances: args.fetch_allow.clone(),
            tell: Some(tell),
            ..Settings::default()
        };
        let fetcher = Fetcher::new(settings).map_err(|reason| complaint(&reason, args, name))?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|reason| Complaint::new(format!("--fetch: {reason}")))?;
        Ok(Some(Self { fetcher, limits, runtime, events, keeps: args.fetch_archive.is_some() }))
    }

    /// The fetcher itself.
    pub(crate) fn fetcher(&self) -> Fetcher {
        self.fetcher.clone()
    }

    /// What lies at an `x5u`. What came is kept, where that was asked for: a command judges what it was given, and its
    /// user wants the evidence whatever the verdict.
    pub(crate) fn certificate(&self, url: &str) -> Result<Arc<Fetched>, NotFetched> {
        let fetched = self.runtime.block_on(self.fetcher.certificate(url, clock::now()))?;
        self.archive(&fetched);
        Ok(fetched)
    }

    /// What rich call data names by URL, be it that it is something else than what was signed: that is the verifier's to say.
    pub(crate) fn rich_call_data(&self, resource: &Resource) -> Result<Arc<[u8]>, String> {
        match self.runtime.block_on(self.fetcher.rich_call_data(resource, clock::now())) {
            Ok(found) => Ok(Arc::clone(&found.body)),
            Err(why) => match self.fetcher.held(Kind::RichCallData, resource.url()) {
                Some(other) if matches!(why, NotFetched::Unacceptable { .. }) => Ok(Arc::clone(&other.body)),
                _ => Err(format!("{why}; {}", why.advice())),
            },
        }
    }

    /// Gets several of them at once, for [`rich_call_data`](Self::rich_call_data) to find at hand.
    pub(crate) fn rich_call_data_together(&self, resources: Vec<Resource>) {
        let ask = |resource: Resource| {
            let fetcher = self.fetcher.clone();
            async move { fetcher.rich_call_data(&resource, clock::now()).await.is_ok() }
        };
        self.together(resources.into_iter().map(|resource| {
            let url = resource.url().to_owned();
            (ask(resource), url)
        }));
    }

    /// What lies at a URL whose certificate failed a signature, if it is another now (G21).
    pub(crate) fn again(&self, failed: &Fetched) -> Option<Arc<Fetched>> {
        let found = self.runtime.block_on(self.fetcher.again(failed, clock::now())).ok().flatten()?;
        self.archive(&found);
        Some(found)
    }

    /// The same for several URLs at once.
    pub(crate) fn certificates(&self, urls: BTreeSet<String>) -> HashMap<String, Result<Arc<Fetched>, NotFetched>> {
        let ask = |url: &str| {
            let (fetcher, url) = (self.fetcher.clone(), url.to_owned());
            async move { fetcher.certificate(&url, clock::now()).await }
        };
        let found = self.together(urls.into_iter().map(|url| (ask(&url), url)));
        found.values().flatten().for_each(|fetched| self.archive(fetched));
        found
    }

    /// What lies at URLs, by each, whose certificate failed a signature, where it is another now (G21).
    pub(crate) fn again_together(
        &self,
        failed: HashMap<String, Arc<Fetched>>,
    ) -> HashMap<String, Option<Arc<Fetched>>> {
        let ask = |failed: Arc<Fetched>| {
            let fetcher = self.fetcher.clone();
            async move { fetcher.again(&failed, clock::now()).await.ok().flatten() }
        };
        let found = self.together(failed.into_iter().map(|(url, failed)| (ask(failed), url)));
        found.values().flatten().for_each(|fetched| self.archive(fetched));
        found
    }

    /// Waits for all of these, each about its URL: for as many at a time as may connect, in all and to one zone. None
    /// begins before it may, for waiting in the fetcher would be part of its time.
    fn together<A, T>(&self, asked: impl Iterator<Item = (A, String)>) -> HashMap<String, T>
    where
        A: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let all = Arc::new(Semaphore::new(self.limits.connections));
        let mut zones = HashMap::new();
        self.runtime.block_on(async {
            let mut waiting = JoinSet::new();
            for (answer, url) in asked {
                let zone = Location::parse(&url).ok().map(|location| location.host().zone());
                let zone = zones.entry(zone).or_insert_with(|| Arc::new(Semaphore::new(self.limits.of_one_host)));
                let (zone, all) = (Arc::clone(zone), Arc::clone(&all));
                waiting.spawn(async move {
                    // The zone's first: whoever waits for a slow one must not hold what others need.
                    let _places = (zone.acquire().await, all.acquire().await);
                    (url, answer.await)
                });
            }
            let mut found = HashMap::new();
            while let Some(answered) = waiting.join_next().await {
                // One that broke off is asked for once more, by whoever needs it.
                found.extend(answered);
            }
            found
        })
    }

    /// A CRL or a list that an option names by its URL.
    fn document(&self, kind: Kind, option: &str, url: &str) -> Result<Arc<Fetched>, Complaint> {
        let now = clock::now();
        let fetched = self.runtime.block_on(async {
            match kind {
                Kind::Crl => self.fetcher.crl(url, now).await,
                Kind::TrustList => self.fetcher.trust_list(url, now).await,
                // Those stand in claims, and no option names one.
                Kind::Certificate | Kind::RichCallData => self.fetcher.certificate(url, now).await,
            }
        });
        fetched.map_err(|why| Complaint::new(format!("{option} {url}: {why}")).hint(document_advice(&why)))
    }

    /// Says what came, and what else there is to know.
    pub(crate) fn say(&self, printer: &mut Printer) {
        for event in take(&mut *locked(&self.events)) {
            match event {
                Event::Fetched(fetched) => printer.note(&format!(
                    "fetched {} ({} bytes, SHA-256 {})",
                    fetched.url,
                    grouped(u64::try_from(fetched.body.len()).unwrap_or(u64::MAX)),
                    hexadecimal(&fetched.sha256)
                )),
                Event::Revalidated(fetched) => {
                    printer.note(&format!("{} still has what was fetched at {}", fetched.url, fetched.fetched_at));
                }
                Event::NotFetched { url, why, .. } => printer.note(&format!("not fetched: {url}: {why}")),
                Event::Damaged { path } => {
                    printer.warn(&format!("{}: damaged, and passed over", path.display()));
                }
                Event::DiskFailed { path, why } => {
                    printer.warn(&format!("{}: {why}; what is fetched is not kept", path.display()));
                }
                Event::DiskWorks => printer.note("what is fetched is kept again"),
            }
        }
    }

    /// Waits for what is being written, and says the rest.
    pub(crate) fn finish(&self, printer: &mut Printer) {
        self.runtime.block_on(self.fetcher.settle());
        self.say(printer);
    }

    fn archive(&self, fetched: &Fetched) {
        if self.keeps {
            let _entered = self.runtime.enter();
            self.fetcher.archive(fetched);
        }
    }
}

/// What a fault may be of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    Archive,
    Cache,
    /// One of the roots for TLS, from 0.
    Root(usize),
}

impl Part {
    /// The option that says it.
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::Archive => "--fetch-archive",
            Self::Cache => "--fetch-cache",
            Self::Root(_) => "--fetch-root",
        }
    }
}

/// Why nothing can be fetched, by what is at fault.
fn complaint(reason: &CannotFetch, args: &FetchArgs, name: &dyn Fn(Part) -> String) -> Complaint {
    match reason {
        CannotFetch::BadTlsRoot { place, why } => {
            let place = place.saturating_sub(1);
            let file = args.fetch_root.get(place).map(|path| path.display().to_string()).unwrap_or_default();
            Complaint::new(format!("{} {file}: {why}", name(Part::Root(place)))).hint("name certificates in PEM")
        }
        CannotFetch::Folder { path, .. } => {
            let is_cache = args.fetch_cache.as_ref().is_some_and(|cache| path.starts_with(cache));
            let part = if is_cache { Part::Cache } else { Part::Archive };
            Complaint::new(format!("{} {reason}", name(part))).hint("name a folder that can be written")
        }
        CannotFetch::NoTlsRoots | CannotFetch::Tls { .. } => Complaint::new(format!("--fetch: {reason}")),
    }
}

impl std::fmt::Debug for Fetching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fetcher.fmt(f)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn document_advice(why: &NotFetched) -> &'static str {
    match why {
        NotFetched::RefusedAddress { .. } => "if that host is your own, allow it: --fetch-allow HOST=ADDRESS/PREFIX",
        NotFetched::Tls { .. } => "if its host has a private authority, name that with --fetch-root PEM",
        _ => "see whether it can be reached from here, or get it by other means and name the file",
    }
}

/// What lies at a URL that an option names, if anything may be fetched.
pub(crate) fn fetched(option: &str, kind: Kind, fetching: Option<&Fetching>, url: &str) -> Result<Vec<u8>, Complaint> {
    let fetching = fetching.ok_or_else(|| {
        Complaint::new(format!("{option} {url}: nothing is fetched unasked"))
            .hint("add --fetch, or get it by other means and name the file")
    })?;
    Ok(fetching.document(kind, option, url)?.body.to_vec())
}

/// Whether an option names a URL instead of a file.
pub(crate) fn url_of(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    text.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")).then_some(text)
}

/// Where a certificate of a verdict came from, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin {
    url: String,
    sha256: String,
    fetched_at: UnixTime,
    confirmed_at: UnixTime,
    stale: Option<String>,
}

impl Origin {
    pub(crate) fn of(fetched: &Fetched) -> Self {
        Self {
            url: fetched.url.to_string(),
            sha256: hexadecimal(&fetched.sha256),
            fetched_at: fetched.fetched_at,
            confirmed_at: fetched.confirmed_at,
            stale: fetched.stale.as_ref().map(ToString::to_string),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "fetched at {}", self.fetched_at)?;
        if self.confirmed_at != self.fetched_at {
            write!(f, ", still there at {}", self.confirmed_at)?;
        }
        self.stale.as_ref().map_or(Ok(()), |why| write!(f, "; nothing newer could be had: {why}"))
    }
}
