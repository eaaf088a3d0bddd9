//! Why something was not fetched, and why nothing can be (H8, H9).

use std::net::IpAddr;
use std::path::PathBuf;

use crate::fetch::address::SpecialRange;
use crate::time::UnixTime;

/// Why what lies at a URL could not be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFetched {
    /// Nobody there takes connections.
    #[error("no connection to {host}: {why}")]
    Connect {
        /// The host of the URL.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The name of the host leads nowhere.
    #[error("no address for {host}: {why}")]
    Dns {
        /// The host of the URL.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The answer has no content.
    #[error("the answer is empty")]
    Empty,
    /// The answer is packed, though it was asked for as it is.
    #[error("the answer is packed ({encoding}), which was not asked for")]
    Encoded {
        /// As what.
        encoding: String,
    },
    /// The answer ended before its end, or is no HTTP.
    #[error("the answer broke off or is no HTTP: {why}")]
    Incomplete {
        /// What was wrong.
        why: String,
    },
    /// It failed a moment ago, and is not tried again at once.
    #[error("not tried again before {until}, for at {since} it failed: {why}")]
    NegativelyCached {
        /// When it failed.
        since: UnixTime,
        /// When it is tried again.
        until: UnixTime,
        /// How it failed.
        why: Box<Self>,
    },
    /// It leads elsewhere, and redirects are not followed (F8, G14).
    #[error("the answer {status} leads elsewhere{}; redirects are not followed (ATIS-1000074 5.3.1)", to_words(to.as_deref()))]
    Redirect {
        /// The status of the answer.
        status: u16,
        /// Where it leads.
        to: Option<String>,
    },
    /// The host lies where nothing is fetched from (G29).
    #[error("{}: {range}; nothing is fetched from there", place_words(host, *address))]
    RefusedAddress {
        /// The host of the URL.
        host: String,
        /// One of its addresses.
        address: IpAddr,
        /// What that address is.
        range: SpecialRange,
    },
    /// The URL breaks a rule (F8, G13).
    #[error("the URL may not be dereferenced: {why} (ATIS-1000074 5.3.1)")]
    RefusedUrl {
        /// Which, in words.
        why: String,
    },
    /// The answer is neither 200 nor a redirect.
    #[error("the answer is {status}, not 200")]
    Status {
        /// The status.
        status: u16,
    },
    /// It took too long.
    #[error("nothing complete came within {milliseconds} ms")]
    Timeout {
        /// How long was waited.
        milliseconds: u64,
    },
    /// The server could not show who it is, or speaks no TLS.
    #[error("TLS with {host} failed: {why}")]
    Tls {
        /// The host of the URL.
        host: String,
        /// What was wrong.
        why: String,
    },
    /// The answer is longer than is read.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// How much is read at most.
        limit: usize,
    },
    /// So much is being fetched already that this is not.
    #[error("{limit} fetches {} are under way already", of_words(host.as_deref()))]
    TooManyAtOnce {
        /// How many there may be.
        limit: usize,
        /// The host that they ask, or the name that their hosts lie below, where it is one.
        host: Option<String>,
    },
    /// What came is not what was looked for; what was there before stays.
    #[error("what lies there cannot be used: {why}")]
    Unacceptable {
        /// What was wrong.
        why: String,
    },
}

fn place_words(host: &str, address: IpAddr) -> String {
    if address.to_string() == host { host.to_owned() } else { format!("{host} lies at {address}") }
}

fn to_words(to: Option<&str>) -> String {
    to.map(|to| format!(", to {to:?}")).unwrap_or_default()
}

fn of_words(host: Option<&str>) -> String {
    host.map_or_else(|| "in all".to_owned(), |host| format!("from {host}"))
}

impl NotFetched {
    /// The names of the conditions, for counting; in the order of [`Self::place`].
    pub(super) const KINDS: [&'static str; 15] = [
        "Connect",
        "Dns",
        "Empty",
        "Encoded",
        "Incomplete",
        "NegativelyCached",
        "Redirect",
        "RefusedAddress",
        "RefusedUrl",
        "Status",
        "Timeout",
        "Tls",
        "TooLong",
        "TooManyAtOnce",
        "Unacceptable",
    ];

    /// The name of the condition.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        Self::KINDS[self.place()]
    }

    pub(super) const fn place(&self) -> usize {
        match self {
            Self::Connect { .. } => 0,
            Self::Dns { .. } => 1,
            Self::Empty => 2,
            Self::Encoded { .. } => 3,
            Self::Incomplete { .. } => 4,
            Self::NegativelyCached { .. } => 5,
            Self::Redirect { .. } => 6,
            Self::RefusedAddress { .. } => 7,
            Self::RefusedUrl { .. } => 8,
            Self::Status { .. } => 9,
            Self::Timeout { .. } => 10,
            Self::Tls { .. } => 11,
            Self::TooLong { .. } => 12,
            Self::TooManyAtOnce { .. } => 13,
            Self::Unacceptable { .. } => 14,
        }
    }

    /// Whether our own rules refused it, whatever the server does (H8); the rest is H9.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::RefusedAddress { .. } | Self::RefusedUrl { .. } => true,
            Self::NegativelyCached { why, .. } => why.is_refusal(),
            _ => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } => {
                "see whether its host can be reached from here; the signer has to keep it reachable"
            }
            Self::Dns { .. } => "see whether the name is right and DNS answers here",
            Self::RefusedAddress { .. } => "if that host is your own, allow it: --fetch-allow HOST=ADDRESS/PREFIX",
            Self::RefusedUrl { .. } => {
                "the signer has to publish its certificate as the standard says; put it into the archive to judge the call all the same"
            }
            Self::Tls { .. } => "if its host has a private authority, name that with --fetch-root PEM",
            Self::TooManyAtOnce { .. } => "try again in a moment",
            Self::NegativelyCached { why, .. } => why.advice(),
            Self::Empty
            | Self::Encoded { .. }
            | Self::Incomplete { .. }
            | Self::Redirect { .. }
            | Self::Status { .. }
            | Self::TooLong { .. }
            | Self::Unacceptable { .. } => {
                "the signer has to put its certificate there; put it into the archive to judge the call all the same"
            }
        }
    }
}

/// Why a fetcher cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotFetch {
    /// A root for TLS is no certificate.
    #[error("root {place} for TLS: {why}")]
    BadTlsRoot {
        /// Which one of [`Settings::tls_roots`](super::Settings::tls_roots), from 1.
        place: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A folder of cache or archive cannot be used.
    #[error("{}: {why}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// TLS would trust nobody.
    #[error("no roots for TLS: the system has none; install its package of CA certificates, or name some as PEM")]
    NoTlsRoots,
    /// The TLS library does not start.
    #[error("TLS does not start: {why}")]
    Tls {
        /// What it says.
        why: String,
    },
}
