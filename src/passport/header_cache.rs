//! Header segments seen before: the same bytes are the same header, which a signer repeats in every PASSporT.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Header;

/// Remembers what header segments say. It is safe to share between threads.
///
/// It holds what reading a segment gives, which never changes, and nothing about whether to believe it.
#[derive(Debug, Default)]
pub struct HeaderCache {
    headers: RwLock<HashMap<Box<str>, Arc<Header>>>,
}

impl HeaderCache {
    /// The most segments that are kept; a flood of new ones empties it.
    pub const CAPACITY: usize = 4_096;
    /// The longest segment that is kept: a usual one has some 150 bytes.
    pub const MAX_SEGMENT_BYTES: usize = 512;

    /// What a segment says, if it was kept.
    pub(super) fn known(&self, segment: &str) -> Option<Arc<Header>> {
        self.headers.read().unwrap_or_else(PoisonError::into_inner).get(segment).map(Arc::clone)
    }

    /// Keeps what a segment says.
    pub(super) fn keep(&self, segment: &str, header: &Arc<Header>) {
        if segment.len() > Self::MAX_SEGMENT_BYTES {
            return;
        }
        let mut headers = self.headers.write().unwrap_or_else(PoisonError::into_inner);
        if headers.len() >= Self::CAPACITY {
            headers.clear();
        }
        headers.insert(segment.into(), Arc::clone(header));
    }

    /// How many segments are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.headers.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
