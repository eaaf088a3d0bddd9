//! Certificates, CRLs and trust lists over HTTPS, with nothing fetched that a hostile URL could gain by (ATIS-1000074
//! §5.3.1, RFC 9111, RFC 6890; F8, G13-G17, G21, G29).
//!
//! Whoever signs a call chooses the URL that its verifier dereferences. So: https to port 443 or 8443 only, no redirects,
//! every address judged after DNS and the connection made to what was judged, no proxy, no decompression, bounded size,
//! time and number. A URL is fetched once however many ask, kept for 24 hours at least, in memory and on disk, confirmed
//! before that ends, and served stale for a while when it cannot be.
//!
//! The rules ([`address`], [`location`], [`freshness`], [`history`]) do no input or output and come with the feature
//! `fetch-rules`, for those who fetch by their own means. [`Fetcher`] comes with `fetch`; it needs a tokio runtime.
//!
//! TLS only brings the bytes: what they are worth, the STI's own trust decides. Whom TLS trusts is the system's roots and
//! those of [`Settings::tls_roots`], never those of the STI.

pub mod address;
pub mod entry;
pub mod freshness;
pub mod history;
pub mod location;
#[cfg(feature = "fetch")]
pub(crate) mod place;
mod sealed;

#[cfg(feature = "fetch")]
mod archive;
#[cfg(feature = "fetch")]
mod client;
#[cfg(feature = "fetch")]
mod counts;
#[cfg(feature = "fetch")]
mod disk;
#[cfg(feature = "fetch")]
mod error;
#[cfg(feature = "fetch")]
mod fetched;
#[cfg(feature = "fetch")]
mod fetcher;
#[cfg(feature = "fetch")]
mod flight;
#[cfg(feature = "fetch")]
mod guard;
#[cfg(feature = "fetch")]
mod keeping;
#[cfg(feature = "fetch")]
mod retrieval;
#[cfg(feature = "fetch")]
mod roots;
#[cfg(feature = "fetch")]
mod settings;
#[cfg(feature = "fetch")]
mod shelf;
#[cfg(feature = "fetch")]
mod store;
#[cfg(feature = "fetch")]
mod tending;

#[cfg(feature = "fetch")]
pub use counts::Counts;
#[cfg(feature = "fetch")]
pub use error::{CannotFetch, NotFetched};
#[cfg(feature = "fetch")]
pub use fetched::{Event, Fetched, Kind};
#[cfg(feature = "fetch")]
pub use fetcher::Fetcher;
#[cfg(feature = "fetch")]
pub use guard::{Resolver, Resolving};
#[cfg(feature = "fetch")]
pub use settings::{Limits, Rules, Settings, Tell};
#[cfg(feature = "fetch")]
pub use tending::Accept;
