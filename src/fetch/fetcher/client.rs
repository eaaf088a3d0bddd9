//! One GET: the request, the answer in pieces up to its limit, and every way in which it fails (RFC 9110; F8, G14-G16, G29).

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, IF_MODIFIED_SINCE};
use reqwest::header::{IF_NONE_MATCH, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};

use crate::fetch::fetcher::error::{CannotFetch, NotFetched};
use crate::fetch::fetcher::fetched::Kind;
use crate::fetch::fetcher::guard::{Gate, Guard, Turned};
use crate::fetch::fetcher::roots;
use crate::fetch::fetcher::settings::Settings;
use crate::fetch::freshness::Headers;
use crate::fetch::location::Location;

/// An HTTP client that goes where the guard lets it, and nowhere else.
pub(super) struct Client {
    http: reqwest::Client,
    guard: Arc<Guard>,
}

/// What to ask.
pub(super) struct Question<'a> {
    pub(super) location: &'a Location,
    pub(super) kind: Kind,
    pub(super) limit: usize,
    /// How much time is left.
    pub(super) time: Duration,
    /// Of how much.
    pub(super) within: Duration,
    /// What is held already: the server may say that it still lies there.
    pub(super) held: Option<&'a Headers>,
    /// Whether caches on the way are to be passed by (RFC 9111 §5.2.1.4).
    pub(super) end_to_end: bool,
}

/// What came.
pub(super) enum Answer {
    /// A body.
    Body(Vec<u8>, Headers),
    /// What is held still lies there.
    NotModified(Headers),
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, CannotFetch> {
        let guard = Arc::new(Guard::new(settings.resolver.clone(), settings.allowances.clone()));
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(roots::tls(settings)?)
            .https_only(true)
            // F8, G14.
            .redirect(Policy::none())
            // A proxy would connect wherever a name leads, and nobody would judge it.
            .no_proxy()
            .dns_resolver(Arc::new(Gate(Arc::clone(&guard))))
            // One connection for each fetch: each is to an address that was judged for it.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .user_agent(concat!("stirtrace/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|reason| CannotFetch::Tls { why: words(&reason) })?;
        Ok(Self { http, guard })
    }

    /// Asks, within the time from name to last byte.
    pub(super) async fn get(&self, question: &Question<'_>) -> Result<Answer, NotFetched> {
        let milliseconds = u64::try_from(question.within.as_millis()).unwrap_or(u64::MAX);
        let outcome = tokio::time::timeout(question.time, self.exchange(question)).await;
        outcome.unwrap_or(Err(NotFetched::Timeout { milliseconds }))
    }

    async fn exchange(&self, question: &Question<'_>) -> Result<Answer, NotFetched> {
        let location = question.location;
        self.guard.check(location)?;
        let mut request = self.http.get(address(location)?);
        request = request.header(ACCEPT, accept(question.kind)).header(ACCEPT_ENCODING, "identity");
        if question.end_to_end {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(tag) = question.held.and_then(Headers::etag) {
            request = request.header(IF_NONE_MATCH, tag);
        }
        if let Some(date) = question.held.and_then(Headers::last_modified) {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let response = request.send().await.map_err(|reason| failure(&reason, location))?;
        read(response, question).await
    }
}

/// The URL as the client reads it, which has to be as we did.
fn address(location: &Location) -> Result<Url, NotFetched> {
    let refused = |why: String| NotFetched::RefusedUrl { why };
    let url = Url::parse(location.url()).map_err(|reason| refused(reason.to_string()))?;
    let host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let is_same = host == Some(location.host().to_string()) && url.port_or_known_default() == Some(location.port());
    if is_same && url.scheme() == "https" {
        Ok(url)
    } else {
        Err(refused("its host can be read in two ways".to_owned()))
    }
}

const fn accept(kind: Kind) -> &'static str {
    match kind {
        // F20.
        Kind::Certificate => {
            "application/pem-certificate-chain, application/x-pem-file, application/pkix-cert, */*;q=0.1"
        }
        Kind::Crl => "application/pkix-crl, */*;q=0.1",
        Kind::RichCallData => "image/*, application/vcard+json, application/json, */*;q=0.1",
        Kind::TrustList => "application/json, application/jose, */*;q=0.1",
    }
}

async fn read(mut response: Response, question: &Question<'_>) -> Result<Answer, NotFetched> {
    let status = response.status();
    let headers = fields(response.headers());
    if status == StatusCode::NOT_MODIFIED && question.held.is_some() {
        return Ok(Answer::NotModified(headers));
    }
    if status.is_redirection() {
        let to = response.headers().get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        let to = to.map(|to| to.chars().take(MAX_SHOWN).collect());
        return Err(NotFetched::Redirect { status: status.as_u16(), to });
    }
    if status != StatusCode::OK {
        return Err(NotFetched::Status { status: status.as_u16() });
    }
    let encoding = response.headers().get(CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(NotFetched::Encoded { encoding: encoding.chars().take(MAX_SHOWN).collect() });
    }
    let too_long = NotFetched::TooLong { limit: question.limit };
    let told = response.content_length().unwrap_or(0);
    if usize::try_from(told).map_or(true, |told| told > question.limit) {
        return Err(too_long);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|reason| failure(&reason, question.location))? {
        if body.len() + piece.len() > question.limit {
            return Err(too_long);
        }
        body.extend_from_slice(&piece);
    }
    if body.is_empty() { Err(NotFetched::Empty) } else { Ok(Answer::Body(body, headers)) }
}

/// How much of what a server says is repeated.
const MAX_SHOWN: usize = 200;

fn fields(headers: &HeaderMap) -> Headers {
    Headers::read(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
}

/// What went wrong, found among the layers of the client's error.
fn failure(error: &reqwest::Error, location: &Location) -> NotFetched {
    let host = || location.host().to_string();
    let mut layer: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = layer {
        if let Some(turned) = current.downcast_ref::<Turned>() {
            return turned.0.clone();
        }
        let inner = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner_tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(tls) = current.downcast_ref::<rustls::Error>().or(inner_tls) {
            return NotFetched::Tls { host: host(), why: tls.to_string() };
        }
        layer = current.source().or_else(|| inner.map(|inner| -> &(dyn StdError + 'static) { inner }));
    }
    if error.is_connect() {
        return NotFetched::Connect { host: host(), why: words(error) };
    }
    NotFetched::Incomplete { why: words(error) }
}

/// The innermost reason, which is the one that says something.
fn words(error: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
