//! Replays: a token that comes again with another call (RFC 8224 §12.1; H27, B-V4).
//!
//! A token belongs to the call that it first came with. Retries and forks keep the Call-ID and are that call; where a
//! request has none, another caller, called party or time makes it another call. Only tokens of calls that passed are
//! remembered, so a token that was altered, or sent to somebody else, neither fills the memory nor spoils the token for
//! its own call. What is remembered are hashes: of what the token signs, and of what names the call.

mod memory;
#[cfg(feature = "redis")]
mod shared;

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;

use crate::document::{Misplaced, Table};
use crate::identity_header::IdentityHeader;
use crate::number::{Identity, NumberPlan};
use crate::passport::{Party, Passport};
use crate::service::fault::Fault;
use crate::service::values::{self, Reader};
use crate::sip::call::Call;
use crate::sip::uri::SipUri;
use crate::time::UnixTime;
use crate::verify::{Conclusion, PassportReport, PriorityVerstat, Status, Verdict};
use memory::{Memory, Sighting};

/// `[service.replay]`: how tokens are remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReplaySettings {
    /// The most tokens that this process remembers; some 100 bytes each. When it is full, the oldest is forgotten
    /// before its time, and counted.
    pub capacity: usize,
    /// How many seconds a token is remembered after it can no longer be fresh: what clocks may differ by.
    pub margin: i64,
    /// The memory that several processes share, if they do.
    pub redis: Option<RedisSettings>,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        Self { capacity: 1_000_000, margin: 5, redis: None }
    }
}

/// Where the shared memory lies.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct RedisSettings {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `redis+unix:///PATH`.
    pub url: String,
    /// What every key begins with.
    pub prefix: String,
    /// How many milliseconds an answer may take; after that the call is judged without it.
    pub timeout: u64,
}

impl std::fmt::Debug for RedisSettings {
    /// Without the URL's password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.url.rsplit('@').next().unwrap_or_default();
        write!(f, "RedisSettings({place}, {:?}, {} ms)", self.prefix, self.timeout)
    }
}

impl ReplaySettings {
    /// Reads the table as a file of its own.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn parse(toml: &str) -> Result<Self, Vec<Misplaced<Fault>>> {
        values::parse(toml, Self::read)
    }

    pub(crate) fn read(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Self {
        reader.known(table, &["capacity", "margin", "redis", "redis_prefix", "redis_timeout_ms"]);
        let usual = Self::default();
        let capacity = reader.bounded(table, "capacity", 1_000, 100_000_000);
        Self {
            capacity: capacity.and_then(|number| usize::try_from(number).ok()).unwrap_or(usual.capacity),
            margin: reader.bounded(table, "margin", 0, 3600).unwrap_or(usual.margin),
            redis: Self::redis(reader, table),
        }
    }

    fn redis(reader: &mut Reader<'_>, table: &Table<'_, '_>) -> Option<RedisSettings> {
        let prefix = reader.string(table, "redis_prefix").unwrap_or_else(|| "stirtrace:token:".to_owned());
        let timeout = reader.bounded(table, "redis_timeout_ms", 1, 10_000).unwrap_or(50);
        let url = reader.string(table, "redis")?;
        if let Err(reason) = check_url(&url) {
            reader.fault_at(table, "redis", Fault::Redis(reason));
            return None;
        }
        Some(RedisSettings { url, prefix, timeout: timeout.unsigned_abs() })
    }
}

#[cfg(feature = "redis")]
fn check_url(url: &str) -> Result<(), String> {
    shared::check_url(url)
}

#[cfg(not(feature = "redis"))]
fn check_url(_: &str) -> Result<(), String> {
    Err("this build has no Redis in it; build it with the feature redis".to_owned())
}

/// Remembers which token came with which call. Shared between threads.
#[derive(Debug)]
pub struct ReplayCache {
    memory: Memory,
    retention: i64,
    counts: Counts,
    #[cfg(feature = "redis")]
    shared: Option<shared::Shared>,
}

impl ReplayCache {
    /// A memory for tokens that are fresh for `max_age` seconds to either side (the policy's).
    #[must_use]
    pub fn new(settings: &ReplaySettings, max_age: i64) -> Self {
        // A token may say that it was signed `max_age` from now and be fresh until `max_age` after that.
        let retention = max_age.saturating_mul(2).saturating_add(settings.margin).max(1);
        Self {
            memory: Memory::new(settings.capacity, retention),
            retention,
            counts: Counts::default(),
            #[cfg(feature = "redis")]
            shared: settings.redis.as_ref().map(shared::Shared::new),
        }
    }

    /// Connects to the shared memory now, where there is one, rather than with the first call.
    ///
    /// # Errors
    /// Why it does not answer. Calls are judged without it, and it is asked again.
    pub async fn connect(&self) -> Result<(), String> {
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            shared.connect().await;
        }
        std::future::ready(self.shared_error().map_or(Ok(()), Err)).await
    }

    /// How many seconds a token is remembered.
    #[must_use]
    pub const fn retention(&self) -> i64 {
        self.retention
    }

    /// Notes the tokens of a call that passed, and gives those that came with another call before, each with a word on
    /// that call: what [`Call::replays`] takes, to judge the call again.
    pub async fn replays(
        &self,
        call: &Call,
        verdict: &Verdict,
        plan: &NumberPlan,
        now: UnixTime,
    ) -> Vec<(String, String)> {
        let tokens = tokens_at_stake(call, verdict, plan);
        if tokens.is_empty() {
            return Vec::new();
        }
        let name = CallName::of(call);
        let mut replays = Vec::new();
        for (key, token) in tokens {
            if let Some(earlier) = self.sight(key, name, now).await {
                self.counts.replays.fetch_add(1, Ordering::Relaxed);
                replays.push((token, earlier.to_string()));
            }
        }
        replays
    }

    /// What is remembered, and what became of it.
    #[must_use]
    pub fn counts(&self) -> ReplayCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReplayCounts {
            held: self.memory.len(),
            replays: load(&self.counts.replays),
            forgotten_early: self.memory.forgotten_early(),
            shared_failures: load(&self.counts.shared_failures),
            shared_skipped: load(&self.counts.shared_skipped),
            shared_error: self.shared_error(),
        }
    }

    async fn sight(&self, key: TokenKey, name: CallName, now: UnixTime) -> Option<Earlier> {
        match self.memory.sight(key, name, now) {
            Sighting::Replay(earlier) => Some(earlier),
            Sighting::Again => None,
            Sighting::First => self.ask_others(key, name, now).await,
        }
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_async, reason = "with the feature redis it waits")]
    async fn ask_others(&self, _: TokenKey, _: CallName, _: UnixTime) -> Option<Earlier> {
        None
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "with the feature redis there is one")]
    const fn shared_error(&self) -> Option<String> {
        None
    }

    /// Without the others' memory a call is judged by our own: a verifier that stops when Redis does protects nobody.
    #[cfg(feature = "redis")]
    async fn ask_others(&self, key: TokenKey, name: CallName, now: UnixTime) -> Option<Earlier> {
        let answer = self.shared.as_ref()?.sight(key, Earlier { name, seen: now }, self.retention).await;
        match answer {
            shared::Answer::Ours => None,
            shared::Answer::Earlier(earlier) if earlier.name.is_same_call(name) => None,
            shared::Answer::Earlier(earlier) => {
                self.memory.correct(key, earlier);
                Some(earlier)
            }
            shared::Answer::Failed => {
                self.counts.shared_failures.fetch_add(1, Ordering::Relaxed);
                None
            }
            shared::Answer::Skipped => {
                self.counts.shared_skipped.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    #[cfg(feature = "redis")]
    fn shared_error(&self) -> Option<String> {
        self.shared.as_ref()?.error()
    }
}

/// What a [`ReplayCache`] did so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReplayCounts {
    /// Tokens in this process's memory.
    pub held: usize,
    /// Tokens that came with another call.
    pub replays: u64,
    /// Tokens forgotten before their time because the memory was full.
    pub forgotten_early: u64,
    /// Questions that the shared memory did not answer in time, or with an error; those calls were judged without it.
    pub shared_failures: u64,
    /// Questions not put to the shared memory because it had just failed.
    pub shared_skipped: u64,
    /// Why the shared memory does not answer; none when it does, or when there is none.
    pub shared_error: Option<String>,
}

#[derive(Debug, Default)]
struct Counts {
    replays: AtomicU64,
    shared_failures: AtomicU64,
    shared_skipped: AtomicU64,
}

/// What a token signs, hashed: its signature may be spelled in several ways, and a second good one be made of the first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct TokenKey([u8; 16]);

impl TokenKey {
    fn of(passport: &Passport) -> Self {
        Self(first(digest::digest(&digest::SHA256, passport.signing_input()).as_ref()))
    }
}

/// What names a call, hashed; 0 where there is no Call-ID.
///
/// Whoever could find two Call-IDs of one hash could as well use one Call-ID twice: eight bytes are enough.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct CallName {
    call_id: u64,
    parties: u64,
}

impl CallName {
    fn of(call: &Call) -> Self {
        let parties = [
            call.asserted.first().or(call.from.as_ref()).map(ToString::to_string),
            call.to.as_ref().or(call.request_uri.as_ref()).map(ToString::to_string),
            call.date.as_ref().map(|date| date.time.map_or_else(|| date.text.clone(), |time| time.to_string())),
        ];
        Self {
            call_id: call.call_id.as_deref().map_or(0, |id| hash([id])),
            parties: hash(parties.iter().map(|part| part.as_deref().unwrap_or_default())),
        }
    }

    /// By the Call-ID where both have one: the Date of a retry may differ.
    const fn is_same_call(self, other: Self) -> bool {
        if self.call_id != 0 && other.call_id != 0 {
            self.call_id == other.call_id
        } else {
            self.parties == other.parties
        }
    }
}

/// The call that a token came with first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Earlier {
    name: CallName,
    seen: UnixTime,
}

impl std::fmt::Display for Earlier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "one seen at {}", self.seen)?;
        match self.name.call_id {
            0 => f.write_str(", without Call-ID"),
            id => write!(f, ", the SHA-256 of whose Call-ID begins with {id:016x}"),
        }
    }
}

/// The tokens that tie a passed call to its signer, each with the text that the header has.
///
/// A PASSporT whose call was diverted since is not among them: it came to whom it was for, and comes again with each
/// diversion, as RFC 8946 wants. The last diversion's token is.
fn tokens_at_stake(call: &Call, verdict: &Verdict, plan: &NumberPlan) -> Vec<(TokenKey, String)> {
    // What passed, be it only the priority, is bound to its call: a bare Identity value, of which nobody knows whose
    // call it was, never passes.
    let has_priority =
        || verdict.priority.as_ref().is_some_and(|own| own.verstat == PriorityVerstat::RphValidationPassed);
    if verdict.conclusion != Conclusion::Passed && !has_priority() {
        return Vec::new();
    }
    let valid = || verdict.passports.iter().enumerate().filter(|(_, report)| report.status == Status::Valid);
    let diverted: Vec<Identity> =
        valid().filter_map(|(_, report)| canonical(report.passport()?.claims().div.as_ref()?, plan)).collect();
    let is_carried = |report: &PassportReport| {
        let dest = report.passport().and_then(|passport| passport.claims().dest.as_ref());
        dest.is_some_and(|dest| {
            dest.parties().filter_map(|party| canonical(&party, plan)).any(|to| diverted.contains(&to))
        })
    };
    let at_stake = valid().filter(|(_, report)| !is_carried(report));
    at_stake
        .filter_map(|(index, report)| {
            let header = IdentityHeader::parse(&call.identities.get(index)?.value).ok()?;
            Some((TokenKey::of(report.passport()?), header.token))
        })
        .collect()
}

fn canonical(party: &Party, plan: &NumberPlan) -> Option<Identity> {
    match party {
        Party::Number(text) => plan.canonicalise(text).map(Identity::Number),
        Party::Uri(text) => text.parse::<SipUri>().ok()?.to_identity(plan),
    }
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    // 0 stands for nothing at all.
    u64::from_be_bytes(first(context.finish().as_ref())).max(1)
}

/// The first bytes of a hash, which is longer.
fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(hash).for_each(|(byte, found)| *byte = *found);
    bytes
}

#[cfg(test)]
mod tests;
