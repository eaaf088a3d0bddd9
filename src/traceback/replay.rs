//! Tokens that came with more than one call.
//!
//! A PASSporT is made for one call. The same one on another is a copy that somebody kept (RFC 8224 12.1); on the hops,
//! attempts and exports of one call it is the same call's own.

use std::collections::HashMap;

use crate::cdr::{Fingerprint, Place, Record};
use crate::identity_header::IdentityHeader;
use crate::passport::Passport;
use crate::time::UnixTime;
use crate::traceback::candidate::{CLOCK_LIMIT, CLOCK_STEP, EXACT_SECONDS, NEAR_SECONDS};
use crate::traceback::origin::Origin;
use crate::traceback::passage::may_be_one_call;
use crate::traceback::search::Candidate;

/// Finds tokens that came with other calls too: shown every record a second time, or those that somebody keeps with the
/// tokens that it asks for, it remembers only what was asked.
#[derive(Debug, Default)]
pub struct Replays {
    tokens: HashMap<String, Vec<Asked>>,
    seen: HashMap<(String, Place), Vec<Elsewhere>>,
}

#[derive(Debug)]
struct Asked {
    /// Without its tokens.
    record: Record,
    origin: Origin,
}

/// A line that holds the token too; ordered by what it says, since files have no order of their own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Elsewhere {
    start: UnixTime,
    fingerprint: Fingerprint,
    origin: Origin,
    place: Place,
}

/// More calls with the same token are not named.
const MAX_REPLAYS: usize = 16;

impl Replays {
    /// Asks for the tokens of these records ([`Search::decisive`](crate::traceback::Search::decisive)).
    #[must_use]
    pub fn of<'r>(candidates: impl IntoIterator<Item = &'r Candidate>) -> Self {
        let mut replays = Self::default();
        for candidate in candidates {
            for token in tokens(&candidate.record) {
                let asked = replays.tokens.entry(token).or_default();
                let is_known = asked.iter().any(|own| own.record.place == candidate.record.place);
                if !is_known && asked.len() < MAX_REPLAYS {
                    let record = Record { identity: Vec::new(), ..Record::clone(&candidate.record) };
                    asked.push(Asked { record, origin: candidate.origin });
                }
            }
        }
        replays
    }

    /// Whether no token was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens to ask for, of whoever keeps records: PASSporTs in full form.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str)
    }

    /// Shows it a record; one that is shown again changes nothing.
    pub fn see(&mut self, origin: Origin, record: &Record) {
        for token in tokens(record) {
            for asked in self.tokens.get(&token).into_iter().flatten() {
                if are_different_calls(asked, origin, record) {
                    let places = self.seen.entry((token.clone(), asked.record.place)).or_default();
                    let (start, fingerprint, place) = (record.start, record.fingerprint, record.place);
                    places.push(Elsewhere { start, fingerprint, origin, place });
                    places.sort_unstable();
                    places.dedup();
                    places.truncate(MAX_REPLAYS);
                }
            }
        }
    }

    /// Where else the tokens of a record came, in order of time.
    #[must_use]
    pub fn elsewhere(&self, record: &Record) -> Vec<Place> {
        let seen = tokens(record).into_iter().filter_map(|token| self.seen.get(&(token, record.place)));
        seen.flatten().map(|own| own.place).collect()
    }
}

/// The PASSporTs of a record in full form: those whose text names one call.
fn tokens(record: &Record) -> Vec<String> {
    let headers = record.identity.iter().filter_map(|value| IdentityHeader::parse(value).ok());
    headers.map(|header| header.token).filter(|token| Passport::parse(token).is_ok()).collect()
}

/// Not one call, beyond what hops, attempts, diversions and exports of one call can look like.
fn are_different_calls(asked: &Asked, origin: Origin, record: &Record) -> bool {
    let (left, right) = (&asked.record, record);
    if may_be_one_call(left, right) {
        return false;
    }
    let related = left.destinations().any(|own| right.destinations().any(|other| own == other));
    let apart = left.start.seconds_since(right.start).abs();
    if apart > NEAR_SECONDS {
        // Beyond a diversion the called number is another, and what it was may not be recorded.
        let same_caller =
            matches!((&left.calling.canonical, &right.calling.canonical), (Some(left), Some(right)) if left == right);
        let other_clock = asked.origin != origin && (related || same_caller) && may_be_a_clock(apart);
        return left.start_repeated.is_none() && right.start_repeated.is_none() && !other_clock;
    }
    let other_id =
        matches!((&left.ingress.call_id, &right.ingress.call_id), (Some(left), Some(right)) if left != right);
    other_id && !related
}

/// Two switches, one of which has another zone's time.
const fn may_be_a_clock(apart: i64) -> bool {
    let beyond = (apart + EXACT_SECONDS) % CLOCK_STEP;
    apart <= CLOCK_LIMIT + EXACT_SECONDS && beyond <= 2 * EXACT_SECONDS
}
