//! The cache of tables: who gets one, who keeps it, and that nothing else depends on it.

use p256::ecdsa::SigningKey;
use stirtrace::es256::{Digest, TableCache, Width};

fn key(number: u64) -> [u8; 65] {
    let mut secret = [1; 32];
    secret[24..].copy_from_slice(&number.to_be_bytes());
    let signer = SigningKey::from_slice(&secret).unwrap();
    signer.verifying_key().to_sec1_point(false).as_bytes().try_into().unwrap()
}

fn note(cache: &TableCache, key: &[u8; 65], times: u32) {
    (0..times).for_each(|_| cache.note_accepted(key));
}

/// A cache past its warm-up with room for this many tables.
fn warm(tables: usize) -> TableCache {
    let cache = TableCache::new(tables * Width::Six.bytes());
    for number in 0..u64::from(TableCache::WARM_UP) {
        note(&cache, &key(1_000_000 + number), 1);
    }
    assert!(cache.is_empty());
    cache
}

#[test]
fn a_key_gets_a_table_on_its_third_accepted_signature() {
    let cache = warm(2);
    let key = key(1);
    note(&cache, &key, TableCache::USES - 1);
    assert!(cache.table(&key).is_none());
    note(&cache, &key, 1);
    assert_eq!(cache.table(&key).unwrap().bytes(), Width::Six.bytes());
    assert_eq!((cache.len(), cache.bytes()), (1, Width::Six.bytes()));
    assert!(
        cache
            .table(&key)
            .unwrap()
            .verify_digest(&Digest::from_bytes([1; 32]), &stirtrace::es256::Signature::from_bytes(&[1; 64]).unwrap())
            .is_err()
    );
}

#[test]
fn who_verifies_a_few_calls_builds_no_table() {
    let cache = TableCache::default();
    note(&cache, &key(1), TableCache::WARM_UP - 1);
    assert!(cache.is_empty());
    note(&cache, &key(1), 1);
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_flood_of_keys_takes_no_table_from_one_in_use() {
    let cache = warm(2);
    let (first, second) = (key(1), key(2));
    note(&cache, &first, 3);
    note(&cache, &second, 3);
    for number in 100..400 {
        let flood = key(number);
        for _ in 0..3 {
            note(&cache, &flood, 1);
            note(&cache, &first, 1);
            note(&cache, &second, 1);
        }
        assert!(cache.table(&first).is_some() && cache.table(&second).is_some(), "after {number}");
        assert!(cache.bytes() <= cache.budget());
    }
}

#[test]
fn an_idle_table_makes_room_for_a_newcomer() {
    let cache = warm(2);
    let (idle, busy, new) = (key(1), key(2), key(3));
    note(&cache, &idle, 3);
    note(&cache, &busy, 3);
    for _ in 0..6 {
        note(&cache, &new, 1);
        note(&cache, &busy, 1);
    }
    assert!(cache.table(&idle).is_none());
    assert!(cache.table(&busy).is_some() && cache.table(&new).is_some());
}

#[test]
fn the_hottest_keys_get_wider_tables_within_a_quarter_of_the_budget() {
    let cache = TableCache::new(4 * Width::Eight.bytes());
    let (hot, also_hot) = (key(1), key(2));
    note(&cache, &hot, TableCache::WARM_UP + TableCache::HOT + 1);
    assert_eq!(cache.table(&hot).unwrap().bytes(), Width::Eight.bytes());
    note(&cache, &also_hot, 3 + TableCache::HOT + 1);
    assert_eq!(cache.table(&also_hot).unwrap().bytes(), Width::Six.bytes());
    note(&cache, &hot, TableCache::HOTTEST + 1);
    assert_eq!(cache.table(&hot).unwrap().bytes(), Width::Eight.bytes());
    assert!(cache.bytes() <= cache.budget());
}

#[test]
fn the_hottest_of_all_get_the_widest_tables_there_is_room_for() {
    let cache = TableCache::new(4 * Width::Ten.bytes());
    let (hot, also_hot) = (key(1), key(2));
    for key in [&hot, &also_hot] {
        note(&cache, key, TableCache::WARM_UP + TableCache::HOT + 1);
    }
    note(&cache, &hot, TableCache::HOTTEST);
    assert_eq!(cache.table(&hot).unwrap().bytes(), Width::Eight.bytes());
    note(&cache, &hot, 1);
    // The other's Eight is within the same quarter, so that there is no room for a Ten.
    assert_eq!(cache.table(&hot).unwrap().bytes(), Width::Eight.bytes());
    let cache = TableCache::new(4 * (Width::Ten.bytes() + Width::Eight.bytes()));
    for key in [&hot, &also_hot] {
        note(&cache, key, TableCache::WARM_UP + TableCache::HOT + 1);
        note(&cache, key, TableCache::HOTTEST + 1);
    }
    let bytes = |key| cache.table(key).unwrap().bytes();
    assert_eq!((bytes(&hot), bytes(&also_hot)), (Width::Ten.bytes(), Width::Eight.bytes()));
    assert!(cache.bytes() <= cache.budget());
}

#[test]
fn a_budget_of_nothing_or_of_less_than_a_table_keeps_none() {
    for budget in [0, 1, Width::Six.bytes() - 1] {
        let cache = TableCache::new(budget);
        note(&cache, &key(1), 200);
        assert!(cache.is_empty());
    }
}

#[test]
fn bytes_that_are_no_key_never_get_a_table() {
    let cache = warm(2);
    note(&cache, &[4; 65], 10);
    assert!(cache.is_empty());
}

#[test]
fn threads_that_share_a_cache_find_the_same_tables() {
    let cache = warm(8);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..400 {
                    note(cache, &key((round + thread) % 12), 1);
                    assert!(cache.bytes() <= cache.budget());
                }
            });
        }
    });
    assert!(!cache.is_empty());
}
