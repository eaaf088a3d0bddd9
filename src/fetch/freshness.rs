//! How long an answer stays good: HTTP caching (RFC 9111), with what ATIS-1000074 §5.3.1 adds to it (F8, G17).
//!
//! The arithmetic rests on two instants, when the answer came and what time it is; a clock that jumps makes an answer
//! look old, never young.

use serde::{Deserialize, Serialize};

use crate::time::UnixTime;

/// How long one kind of thing is kept, within what answers say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Seconds that an answer is good at least, whatever it says; 0 obeys it to the letter.
    pub least: i64,
    /// Seconds where it says nothing.
    pub unsaid: i64,
    /// Seconds at most.
    pub most: i64,
    /// Seconds beyond, during which it still serves while there is no better one; none is for ever, whatever it says.
    pub stale_for: Option<i64>,
}

impl Rule {
    /// What lies at an `x5u`: public, and the same for years. F8: 24 hours at least, so `no-store`, `private` and
    /// `max-age=60` do not make one signer's every call a fetch; G21 finds the key that changed meanwhile.
    pub const CERTIFICATE: Self = Self { least: DAY, unsaid: DAY, most: 7 * DAY, stale_for: Some(7 * DAY) };
    /// A CRL: the last good one stays, and its age shows (F23).
    pub const CRL: Self = Self { least: 300, unsaid: HOUR, most: DAY, stale_for: None };
    /// The STI-PA's list: the last good one stays (F21).
    pub const TRUST_LIST: Self = Self { least: 300, unsaid: HOUR, most: DAY, stale_for: None };
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The fields of an answer that say how long it is good, and by what it is asked for again.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Headers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl Headers {
    /// Reads the fields of an answer, names and values as they came; those that say nothing here are passed over.
    pub fn read<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut headers = Self::default();
        for (name, value) in fields {
            let Some(value) = text(value) else { continue };
            let place = match name.to_ascii_lowercase().as_str() {
                "age" => &mut headers.age,
                "cache-control" => {
                    // RFC 9110 §5.3: several fields are one list.
                    let earlier = headers.cache_control.take();
                    let joined = earlier.map_or_else(|| value.to_owned(), |earlier| format!("{earlier}, {value}"));
                    headers.cache_control = Some(joined).filter(|joined| joined.len() <= MAX_FIELD_BYTES);
                    continue;
                }
                "date" => &mut headers.date,
                "etag" => &mut headers.etag,
                "expires" => &mut headers.expires,
                "last-modified" => &mut headers.last_modified,
                _ => continue,
            };
            place.get_or_insert_with(|| value.to_owned());
        }
        headers
    }

    /// RFC 9111 §4.3.4: the fields after an answer 304, which replace those that they name.
    #[must_use]
    pub fn updated_by(self, newer: Self) -> Self {
        Self {
            // How old a thing was says nothing once the origin confirmed it.
            age: newer.age,
            cache_control: newer.cache_control.or(self.cache_control),
            date: newer.date,
            etag: newer.etag.or(self.etag),
            expires: newer.expires.or(self.expires),
            last_modified: newer.last_modified.or(self.last_modified),
        }
    }

    /// For `If-None-Match` (RFC 9110 §13.1.2).
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|tag| tag.trim_start_matches("W/").starts_with('"'))
    }

    /// For `If-Modified-Since` (RFC 9110 §13.1.3).
    #[must_use]
    pub fn last_modified(&self) -> Option<&str> {
        self.last_modified.as_deref().filter(|date| parse_date(date).is_some())
    }

    /// How long an answer is good that was asked for and came at these instants; `ends` is when its content says that it
    /// ends (notAfter, nextUpdate).
    #[must_use]
    pub fn validity(&self, rule: &Rule, asked_at: UnixTime, answered_at: UnixTime, ends: Option<UnixTime>) -> Validity {
        let directives = Directives::read(self.cache_control.as_deref().unwrap_or_default());
        let left = match self.lifetime(&directives, answered_at) {
            Some(lifetime) => lifetime.saturating_sub(self.age(asked_at, answered_at)),
            None => rule.unsaid,
        };
        let mut fresh_until = answered_at.plus_seconds(left.max(rule.least).min(rule.most));
        if let Some(ends) = ends {
            // What has ended already is looked after soon: its next one is due.
            fresh_until = fresh_until.min(ends.max(answered_at.plus_seconds(ENDED)));
        }
        let stale_until = rule.stale_for.map(|seconds| {
            // RFC 9111 §5.2.2.2, §5.2.2.8.
            fresh_until.plus_seconds(if directives.must_revalidate { 0 } else { seconds })
        });
        Validity { answered_at, fresh_until, stale_until }
    }

    /// RFC 9111 §4.2.1, as a shared cache: one verifier serves many callers.
    fn lifetime(&self, directives: &Directives, answered_at: UnixTime) -> Option<i64> {
        if directives.is_uncacheable {
            return Some(0);
        }
        directives.shared_max_age.or(directives.max_age).or_else(|| {
            let expires = self.expires.as_deref()?;
            // §5.3: what is no date, "0" above all, lies in the past.
            let Some(expires) = parse_date(expires) else { return Some(0) };
            Some(expires.seconds_since(self.date().unwrap_or(answered_at)).max(0))
        })
    }

    /// RFC 9111 §4.2.3: how old it was when it came.
    fn age(&self, asked_at: UnixTime, answered_at: UnixTime) -> i64 {
        let apparent = answered_at.seconds_since(self.date().unwrap_or(answered_at)).max(0);
        let delay = answered_at.seconds_since(asked_at).max(0);
        let told = self.age.as_deref().and_then(delta_seconds).unwrap_or(0);
        apparent.max(told.saturating_add(delay))
    }

    fn date(&self) -> Option<UnixTime> {
        self.date.as_deref().and_then(parse_date)
    }
}

/// How soon an answer whose content has ended is asked for again, in seconds.
const ENDED: i64 = 300;

/// The longest field that is kept.
const MAX_FIELD_BYTES: usize = 1024;

fn text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    (text.len() <= MAX_FIELD_BYTES && text.bytes().all(|c| matches!(c, b' '..=b'~' | b'\t'))).then_some(text)
}

/// RFC 9110 §5.6.7: the one spelling that is sent, and the two old ones that are read.
fn parse_date(text: &str) -> Option<UnixTime> {
    let time = httpdate::parse_http_date(text).ok()?;
    let seconds = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok().map(UnixTime::from_seconds)
}

/// RFC 9111 §1.2.2: digits; what is too large to hold is as large as may be.
fn delta_seconds(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX)))
}

/// What `Cache-Control` says (RFC 9111 §5.2.2).
#[derive(Debug, Default, Eq, PartialEq)]
struct Directives {
    max_age: Option<i64>,
    shared_max_age: Option<i64>,
    /// `no-store`, `no-cache` or `private`: without the least time of a [`Rule`], good for this once.
    is_uncacheable: bool,
    must_revalidate: bool,
}

impl Directives {
    fn read(text: &str) -> Self {
        let mut directives = Self::default();
        for directive in split(text) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let value = value.trim().trim_matches('"');
            // §4.2.1: of two, the first counts; what is no number is stale.
            let seconds = || Some(delta_seconds(value).unwrap_or(0));
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" => directives.max_age = directives.max_age.or_else(seconds),
                "s-maxage" => directives.shared_max_age = directives.shared_max_age.or_else(seconds),
                // §5.2.2.4: a list of fields after it may be passed over.
                "no-store" | "no-cache" | "private" => directives.is_uncacheable = true,
                "must-revalidate" | "proxy-revalidate" => directives.must_revalidate = true,
                _ => {}
            }
        }
        directives
    }
}

/// The members of a list; a comma between quotes divides nothing (RFC 9110 §5.6.1, §5.6.4).
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == ',' && !quoted
    })
}

/// Until when an answer serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Validity {
    /// When it came, or was last confirmed.
    pub answered_at: UnixTime,
    /// Until when it is good.
    pub fresh_until: UnixTime,
    /// Until when it serves while no better one can be had; none is for ever.
    pub stale_until: Option<UnixTime>,
}

/// What an answer is worth at an instant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// Good.
    Fresh,
    /// To be asked for again; serves while that fails.
    Stale,
    /// Of no use any more.
    Spent,
}

impl Validity {
    /// What the answer is worth at an instant.
    ///
    /// Where the clock stands before the answer came, one of the two is wrong: it is asked for again, and serves
    /// meanwhile.
    #[must_use]
    pub fn at(&self, now: UnixTime) -> State {
        if now < self.answered_at.plus_seconds(-CLOCK_STEP) {
            State::Stale
        } else if now < self.fresh_until {
            State::Fresh
        } else if self.stale_until.is_none_or(|end| now < end) {
            State::Stale
        } else {
            State::Spent
        }
    }

    /// How long it is good in all, in seconds.
    #[must_use]
    pub fn lifetime(&self) -> i64 {
        self.fresh_until.seconds_since(self.answered_at).max(0)
    }
}

/// How far a clock may be put back without anything being asked for again, in seconds.
const CLOCK_STEP: i64 = 60;

#[cfg(test)]
mod tests;
