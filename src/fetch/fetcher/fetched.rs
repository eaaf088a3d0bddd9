//! What was fetched, and what happened meanwhile.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fetch::fetcher::error::NotFetched;
use crate::time::UnixTime;

/// What lies at a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fetched {
    /// The URL.
    pub url: Arc<str>,
    /// The body as it came.
    pub body: Arc<[u8]>,
    /// Its SHA-256: a key for whoever keeps what was read out of it.
    pub sha256: [u8; 32],
    /// When the body came.
    pub fetched_at: UnixTime,
    /// When it was last seen to lie there: then, or when the server confirmed it.
    pub confirmed_at: UnixTime,
    /// Until when it is good.
    pub fresh_until: UnixTime,
    /// Why it serves beyond that; none while it is good.
    pub stale: Option<NotFetched>,
    /// Why it is not what was looked for, as HTML where a certificate belongs (H10); none where it is.
    pub unusable: Option<String>,
}

/// What kind of thing a URL has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Kind {
    /// Certificates, as an `x5u` names them.
    Certificate,
    /// A CRL.
    Crl,
    /// The STI-PA's list.
    TrustList,
    /// A picture or a card, as an `rcd` claim names it.
    RichCallData,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Certificate, Self::Crl, Self::TrustList, Self::RichCallData];

    /// Its name in files and figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Crl => "crl",
            Self::TrustList => "trust-list",
            Self::RichCallData => "rich-call-data",
        }
    }
}

/// Something that whoever runs a fetcher may want to say.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A file on disk was not as it was written; it is not used.
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// Something cannot be written to disk; all goes on without.
    DiskFailed {
        /// What.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It can again.
    DiskWorks,
    /// Something came.
    Fetched(Arc<Fetched>),
    /// Something did not come.
    NotFetched {
        /// What kind of thing.
        kind: Kind,
        /// From where.
        url: Arc<str>,
        /// Why.
        why: NotFetched,
    },
    /// The server said that what is held is still what lies there.
    Revalidated(Arc<Fetched>),
}
