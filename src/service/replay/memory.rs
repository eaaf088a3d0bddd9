//! The tokens that this process remembers: bounded, in shards that are locked for a look only.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::service::replay::{CallName, Earlier, TokenKey};
use crate::time::UnixTime;

/// Enough that threads seldom meet.
const SHARDS: usize = 64;

/// Tokens with the calls that they came with first.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Vec<Mutex<Shard>>,
    capacity: usize,
    retention: i64,
    forgotten_early: AtomicU64,
}

/// What the memory says to a token that comes with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sighting {
    /// It came with this call before: a retry, a fork.
    Again,
    /// It was never seen, and is remembered now.
    First,
    /// It came with another call.
    Replay(Earlier),
}

#[derive(Debug, Default)]
struct Shard {
    calls: HashMap<TokenKey, Earlier>,
    /// In the order they came, to forget the oldest first.
    order: VecDeque<(TokenKey, UnixTime)>,
}

impl Memory {
    pub(super) fn new(capacity: usize, retention: i64) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, capacity: capacity.div_ceil(SHARDS), retention, forgotten_early: AtomicU64::new(0) }
    }

    pub(super) fn sight(&self, key: TokenKey, name: CallName, now: UnixTime) -> Sighting {
        let mut shard = self.shard(key);
        self.forget_old(&mut shard, now);
        match shard.calls.get(&key) {
            Some(earlier) if earlier.name.is_same_call(name) => return Sighting::Again,
            Some(earlier) => return Sighting::Replay(*earlier),
            None => {}
        }
        if shard.calls.len() >= self.capacity {
            self.forgotten_early.fetch_add(1, Ordering::Relaxed);
            shard.forget_oldest();
        }
        shard.calls.insert(key, Earlier { name, seen: now });
        shard.order.push_back((key, now));
        Sighting::First
    }

    /// Others saw the token earlier than we did.
    #[cfg(feature = "redis")]
    pub(super) fn correct(&self, key: TokenKey, earlier: Earlier) {
        if let Some(known) = self.shard(key).calls.get_mut(&key) {
            *known = earlier;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).calls.len()).sum()
    }

    pub(super) fn forgotten_early(&self) -> u64 {
        self.forgotten_early.load(Ordering::Relaxed)
    }

    /// A clock that was set back makes tokens stay longer, never shorter: the order is that of arrival.
    fn forget_old(&self, shard: &mut Shard, now: UnixTime) {
        while shard.order.front().is_some_and(|(_, seen)| now.seconds_since(*seen) > self.retention) {
            shard.forget_oldest();
        }
    }

    fn shard(&self, key: TokenKey) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(key.0[0]) % SHARDS])
    }
}

impl Shard {
    fn forget_oldest(&mut self) {
        if let Some((key, _)) = self.order.pop_front() {
            self.calls.remove(&key);
        }
    }
}

/// A thread that panicked while it held the lock left whole entries behind.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> TokenKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        TokenKey(bytes)
    }

    fn named(call_id: u64, parties: u64) -> CallName {
        CallName { call_id, parties }
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn a_token_belongs_to_the_call_it_first_came_with() {
        // H27: the same token, another Call-ID.
        let memory = Memory::new(1000, 125);
        assert_eq!(memory.sight(key(1), named(7, 1), at(0)), Sighting::First);
        assert_eq!(memory.sight(key(1), named(7, 2), at(1)), Sighting::Again, "a retry has a Date of its own");
        let first = Earlier { name: named(7, 1), seen: at(0) };
        assert_eq!(memory.sight(key(1), named(8, 1), at(2)), Sighting::Replay(first));
        assert_eq!(memory.sight(key(1), named(7, 1), at(3)), Sighting::Again, "a replay takes nothing from its owner");
        // Without a Call-ID on either side, the parties and the time tell.
        assert_eq!(memory.sight(key(1), named(0, 1), at(3)), Sighting::Again);
        assert_eq!(memory.sight(key(1), named(0, 2), at(3)), Sighting::Replay(first));
    }

    #[test]
    fn a_token_is_forgotten_when_it_can_no_longer_be_fresh() {
        let memory = Memory::new(1000, 125);
        memory.sight(key(1), named(7, 1), at(0));
        assert!(matches!(memory.sight(key(1), named(8, 1), at(125)), Sighting::Replay(_)));
        assert_eq!(memory.sight(key(1), named(8, 1), at(126)), Sighting::First);
        // A clock that is set back forgets nothing.
        assert!(matches!(memory.sight(key(1), named(9, 1), at(-10_000)), Sighting::Replay(_)));
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_and_counts_it() {
        let memory = Memory::new(SHARDS, 125);
        for number in 0..10_000 {
            assert_eq!(memory.sight(key(number), named(number + 1, 1), at(0)), Sighting::First);
        }
        assert!(memory.len() <= SHARDS);
        assert_eq!(memory.len() + usize::try_from(memory.forgotten_early()).unwrap(), 10_000);
        assert!(matches!(memory.sight(key(9_999), named(1, 1), at(0)), Sighting::Replay(_)), "the newest stays");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn what_others_saw_earlier_counts_from_then_on() {
        let memory = Memory::new(1000, 125);
        memory.sight(key(1), named(7, 1), at(5));
        let earlier = Earlier { name: named(6, 1), seen: at(3) };
        memory.correct(key(1), earlier);
        assert_eq!(memory.sight(key(1), named(7, 1), at(6)), Sighting::Replay(earlier));
        assert_eq!(memory.sight(key(1), named(6, 1), at(6)), Sighting::Again);
    }
}
