//! The tokens that several processes remember together, in Redis: `SET NX PX`, and `GET` in the same round trip.
//!
//! No call waits for a connection, and none longer than the timeout for an answer; after a failure nobody asks for a
//! second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError};
use tokio::time::{Instant, timeout};

use crate::service::replay::{CallName, Earlier, RedisSettings, TokenKey};
use crate::time::UnixTime;

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long nobody asks after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The shared memory.
#[derive(Debug)]
pub(super) struct Shared {
    settings: RedisSettings,
    link: Arc<Mutex<Link>>,
}

#[derive(Debug, Default)]
struct Link {
    state: State,
    error: Option<String>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unconnected,
    Connecting,
    Connected(Open),
    Paused {
        until: Instant,
    },
}

#[derive(Clone)]
struct Open(MultiplexedConnection);

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
}

/// What the shared memory says to a token.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nobody has seen it, and now it is remembered as ours.
    Ours,
    /// Somebody has, with this call.
    Earlier(Earlier),
    /// No answer, in time or at all.
    Failed,
    /// Not asked.
    Skipped,
}

pub(super) fn check_url(url: &str) -> Result<(), String> {
    Client::open(url).map(|_| ()).map_err(|error| error.to_string())
}

impl Shared {
    /// A memory that is connected to when it is asked for the first time.
    pub(super) fn new(settings: &RedisSettings) -> Self {
        Self { settings: settings.clone(), link: Arc::default() }
    }

    /// Remembers a token for so many seconds, unless somebody does already.
    pub(super) async fn sight(&self, key: TokenKey, own: Earlier, seconds: i64) -> Answer {
        let Some(open) = self.open() else { return Answer::Skipped };
        let asked = ask(open.0, self.key(key), own.to_value(), seconds);
        let reason = match timeout(Duration::from_millis(self.settings.timeout), asked).await {
            Ok(Ok(Some(value))) => match Earlier::from_value(&value) {
                Some(earlier) if earlier == own => return Answer::Ours,
                Some(earlier) => return Answer::Earlier(earlier),
                None => "a key of ours holds something else".to_owned(),
            },
            // Gone between the two commands, as only a token of no more use is.
            Ok(Ok(None)) => return Answer::Ours,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", self.settings.timeout),
        };
        self.pause(reason);
        Answer::Failed
    }

    /// Connects, or notes why it could not.
    pub(super) async fn connect(&self) {
        connect(self.settings.url.clone(), Arc::clone(&self.link)).await;
    }

    /// Why it does not answer.
    pub(super) fn error(&self) -> Option<String> {
        lock(&self.link).error.clone()
    }

    /// The connection, if there is one; else somebody goes to get one.
    fn open(&self) -> Option<Open> {
        let mut link = lock(&self.link);
        match &link.state {
            State::Connected(open) => return Some(open.clone()),
            State::Connecting => return None,
            State::Paused { until } if Instant::now() < *until => return None,
            State::Paused { .. } | State::Unconnected => {}
        }
        link.state = State::Connecting;
        tokio::spawn(connect(self.settings.url.clone(), Arc::clone(&self.link)));
        None
    }

    fn pause(&self, reason: String) {
        let mut link = lock(&self.link);
        link.state = State::Paused { until: Instant::now() + PAUSE };
        link.error = Some(reason);
    }

    fn key(&self, key: TokenKey) -> String {
        format!("{}{:032x}", self.settings.prefix, u128::from_be_bytes(key.0))
    }
}

async fn ask(
    mut connection: MultiplexedConnection,
    key: String,
    value: String,
    seconds: i64,
) -> Result<Option<String>, RedisError> {
    let mut pipe = redis::pipe();
    pipe.cmd("SET").arg(&key).arg(value).arg("NX").arg("PX").arg(seconds.saturating_mul(1000)).ignore();
    pipe.cmd("GET").arg(key);
    let (found,): (Option<String>,) = pipe.query_async(&mut connection).await?;
    Ok(found)
}

async fn connect(url: String, link: Arc<Mutex<Link>>) {
    let connected = timeout(CONNECTING, async { Client::open(url)?.get_multiplexed_async_connection().await }).await;
    let reason = match connected {
        Ok(Ok(connection)) => {
            *lock(&link) = Link { state: State::Connected(Open(connection)), error: None };
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {} s", CONNECTING.as_secs()),
    };
    *lock(&link) = Link { state: State::Paused { until: Instant::now() + PAUSE }, error: Some(reason) };
}

impl Earlier {
    fn to_value(self) -> String {
        format!("{:016x}:{:016x}:{}", self.name.call_id, self.name.parties, self.seen.seconds())
    }

    fn from_value(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, ':');
        let mut hash = || u64::from_str_radix(parts.next()?, 16).ok();
        let name = CallName { call_id: hash()?, parties: hash()? };
        Some(Self { name, seen: UnixTime::from_seconds(parts.next()?.parse().ok()?) })
    }
}

fn lock(link: &Mutex<Link>) -> std::sync::MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}
