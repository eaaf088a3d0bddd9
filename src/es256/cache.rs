//! Tables of the keys that sign much, within a budget of memory.
//!
//! A table is a fact about a key, true at any time; that the key may be trusted is never kept. Who asks says for which
//! keys a table may be worth its work: [`TableCache::note_accepted`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use crate::es256::{KeyTable, PublicKey, Width};

/// Tables by key, shared between threads.
///
/// Whoever verifies never waits for another: a lock that is not free at once means the slower way, not a queue.
///
/// It cannot be flooded: a key gets a table on its [`Self::USES`]th accepted signature, and takes the room of another
/// only if that one was not used for as long as the newcomer was counted.
#[derive(Debug)]
pub struct TableCache {
    budget: usize,
    tables: RwLock<HashMap<Point, Arc<Entry>>>,
    /// Goes up with each accepted signature that had no table: the time by which tables are idle.
    clock: AtomicU64,
    admission: Mutex<Admission>,
}

/// An uncompressed point.
type Point = [u8; 65];

#[derive(Debug)]
struct Entry {
    table: KeyTable,
    width: Width,
    uses: AtomicU32,
    last_use: AtomicU64,
}

/// Keys that may get a table.
#[derive(Debug, Default)]
struct Admission {
    candidates: HashMap<Point, Candidate>,
    /// All accepted signatures so far, up to [`TableCache::WARM_UP`].
    accepted: u32,
}

#[derive(Debug)]
struct Candidate {
    uses: u32,
    since: u64,
}

impl TableCache {
    /// On which accepted signature a key gets its table: it pays back a few signatures later.
    pub const USES: u32 = 3;
    /// How many accepted signatures come before the first table: who verifies a few calls and stops should not build
    /// the generator's.
    pub const WARM_UP: u32 = 64;
    /// On which use a table grows to [`Width::Eight`], while all that grew take no more than a quarter of the budget.
    pub const HOT: u32 = 1_000;
    /// On which use of that one it grows to [`Width::Ten`], within the same quarter.
    pub const HOTTEST: u32 = 10_000;
    /// How many keys are counted at a time.
    pub const CANDIDATES: usize = 4_096;

    /// A cache whose tables take at most `budget` bytes; the generator's 5 MiB come on top. 0 keeps none.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { budget, tables: RwLock::default(), clock: AtomicU64::new(0), admission: Mutex::default() }
    }

    /// The bytes that its tables may take.
    #[must_use]
    pub const fn budget(&self) -> usize {
        self.budget
    }

    /// The bytes that its tables take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.values().map(|entry| entry.table.bytes()).sum()
    }

    /// How many keys have a table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no key has a table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table of a key, an uncompressed point; none when it has none, or when a look would have to wait.
    #[must_use]
    pub fn table(&self, key: &[u8; 65]) -> Option<TableRef> {
        let tables = match self.tables.try_read() {
            Ok(tables) => tables,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        tables.get(key).map(|entry| TableRef(Arc::clone(entry)))
    }

    /// Counts a signature of this key that verified and whose chain was accepted; this may build its table.
    ///
    /// Call it for no other signature: its work and its memory are for who has shown a certificate that is trusted.
    pub fn note_accepted(&self, key: &[u8; 65]) {
        self.note_use(key, self.table(key).as_ref());
    }

    /// The same, for who has the key's table in hand.
    pub(crate) fn note_use(&self, key: &[u8; 65], table: Option<&TableRef>) {
        if self.budget == 0 {
            return;
        }
        // It may have got one since it was looked for.
        let fresh = if table.is_none() { self.table(key) } else { None };
        let Some(table) = table.or(fresh.as_ref()) else { return self.count(key) };
        let now = self.clock.load(Ordering::Relaxed);
        // Written only when it changes: threads then share the line that it is in.
        if table.0.last_use.load(Ordering::Relaxed) != now {
            table.0.last_use.store(now, Ordering::Relaxed);
        }
        let uses = table.0.uses.fetch_add(1, Ordering::Relaxed);
        match table.0.width {
            // Again each time so many more have come: there may be room by then.
            Width::Six if uses > 0 && uses.is_multiple_of(Self::HOT) => self.grow(key, Width::Six, Width::Eight),
            Width::Eight if uses > 0 && uses.is_multiple_of(Self::HOTTEST) => self.grow(key, Width::Eight, Width::Ten),
            _ => {}
        }
    }

    fn knows(&self, key: &Point) -> bool {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Counts a key without a table, and builds one when it is due. One thread at a time; others leave it.
    fn count(&self, key: &Point) {
        let Ok(mut admission) = self.admission.try_lock() else { return };
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        admission.accepted = admission.accepted.saturating_add(1);
        if admission.candidates.len() >= Self::CANDIDATES && !admission.candidates.contains_key(key) {
            // The ones seen once go: of a flood of keys, all.
            admission.candidates.retain(|_, candidate| candidate.uses > 1);
            if admission.candidates.len() >= Self::CANDIDATES {
                admission.candidates.clear();
            }
        }
        let candidate = admission.candidates.entry(*key).or_insert(Candidate { uses: 0, since: now });
        candidate.uses = candidate.uses.saturating_add(1);
        let (uses, since) = (candidate.uses, candidate.since);
        if uses < Self::USES || admission.accepted < Self::WARM_UP {
            return;
        }
        // With a table or without room for one: it is counted from the start again.
        admission.candidates.remove(key);
        let width = Width::default();
        if !self.knows(key) && self.make_room(width.bytes(), since) {
            self.insert(key, width);
        }
    }

    /// Replaces the table of a much used key by a faster one.
    fn grow(&self, key: &Point, from: Width, to: Width) {
        let Ok(_one_at_a_time) = self.admission.try_lock() else { return };
        let grown: usize = {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            // Whoever held the table that was used may have held it longer than the cache.
            if tables.get(key).is_none_or(|entry| entry.width != from) {
                return;
            }
            let others = tables.iter().filter(|(other, entry)| *other != key && entry.width != Width::default());
            others.map(|(_, entry)| entry.table.bytes()).sum()
        };
        let more = to.bytes() - from.bytes();
        if grown + to.bytes() <= self.budget / 4 && self.bytes() + more <= self.budget {
            self.insert(key, to);
        }
    }

    /// Whether there is room, after tables went that were not used since `since`, the longest unused first.
    fn make_room(&self, bytes: usize, since: u64) -> bool {
        if bytes > self.budget {
            return false;
        }
        while self.bytes() + bytes > self.budget {
            let idle = {
                let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
                let last_use = |entry: &Entry| entry.last_use.load(Ordering::Relaxed);
                let longest = tables.iter().min_by_key(|(_, entry)| last_use(entry));
                longest.filter(|(_, entry)| last_use(entry) < since).map(|(key, _)| *key)
            };
            let Some(idle) = idle else { return false };
            self.tables.write().unwrap_or_else(PoisonError::into_inner).remove(&idle);
        }
        true
    }

    /// Builds outside the lock that readers look through.
    fn insert(&self, key: &Point, width: Width) {
        let Ok(public) = PublicKey::from_uncompressed(key) else { return };
        let table = KeyTable::new(&public, width);
        let last_use = AtomicU64::new(self.clock.load(Ordering::Relaxed));
        let entry = Arc::new(Entry { table, width, uses: AtomicU32::new(0), last_use });
        self.tables.write().unwrap_or_else(PoisonError::into_inner).insert(*key, entry);
    }
}

impl Default for TableCache {
    /// Room for 96 MiB: more than a thousand keys.
    fn default() -> Self {
        Self::new(96 << 20)
    }
}

/// A table of the cache, kept while it is held.
#[derive(Clone, Debug)]
pub struct TableRef(Arc<Entry>);

impl std::ops::Deref for TableRef {
    type Target = KeyTable;

    fn deref(&self) -> &KeyTable {
        &self.0.table
    }
}
