//! Who asks: by token, by certificate, else by address; and what they may do.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::bearer::Granted;
use crate::service::metrics::Route;
use crate::service::standing::Standing;
use crate::service::treatment;
use crate::time::UnixTime;

/// What a connection tells of the other side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// SHA-256 of the certificate that it showed, in hex; the handshake has verified it.
    pub(super) certificate: Option<String>,
}

/// Who asks.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Client {
    Subject(String),
    Certificate(String),
    Address(IpAddr),
    /// No connection is known: a test that calls the router itself.
    Unknown,
}

impl Client {
    /// The customer that the attestation policy knows it by; an address tells a trunk instead.
    pub(super) fn customer(&self) -> Option<&str> {
        match self {
            Self::Subject(name) | Self::Certificate(name) => Some(name),
            Self::Address(_) | Self::Unknown => None,
        }
    }

    /// Where it asks from, where nothing else tells who it is.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Subject(_) | Self::Certificate(_) | Self::Unknown => None,
        }
    }

    /// Whom the treatment of calls knows it as.
    pub(super) fn peer(&self) -> treatment::Peer<'_> {
        match self {
            Self::Subject(name) | Self::Certificate(name) => treatment::Peer::Client(name),
            Self::Address(address) => treatment::Peer::Address(*address),
            Self::Unknown => treatment::Peer::Unknown,
        }
    }

    /// Who sent a request, as the gate found out.
    pub(super) fn of(request: &Request) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or(Self::Unknown)
    }

    /// The name that the log has.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Subject(subject) => format!("subject {subject}"),
            Self::Certificate(sha256) => format!("certificate {sha256}"),
            Self::Address(address) => address.to_string(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// Why somebody may not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Denied {
    /// 401: nobody knows who it is.
    Unknown(String),
    /// 403: known, and not allowed to.
    Scope(&'static str),
}

/// What a route wants a token to grant; nothing for those that tell no secrets.
const fn scope_of(route: Route) -> Option<&'static str> {
    match route {
        Route::Verification | Route::Verify => Some("verify"),
        Route::Signing => Some("sign"),
        Route::Document | Route::Health | Route::Ready | Route::Metrics | Route::Other => None,
    }
}

/// Who asks for a route, if they may.
pub(super) fn admit(
    standing: &Standing,
    route: Route,
    headers: &HeaderMap,
    peer: Option<&Peer>,
    now: UnixTime,
) -> Result<Client, Denied> {
    let by_connection = match peer {
        Some(Peer { certificate: Some(sha256), .. }) => Client::Certificate(sha256.clone()),
        Some(peer) => Client::Address(peer.address),
        None => Client::Unknown,
    };
    let (Some(bearer), Some(scope)) = (standing.bearer(), scope_of(route)) else { return Ok(by_connection) };
    let Some(token) = token_of(headers) else {
        return Err(Denied::Unknown("a bearer token is wanted".to_owned()));
    };
    match bearer.judge(token, now) {
        Ok(Granted { subject, scopes, .. }) if scopes.iter().any(|own| own == scope) => Ok(Client::Subject(subject)),
        Ok(_) => Err(Denied::Scope(scope)),
        Err(reason) => Err(Denied::Unknown(format!("the bearer token is not accepted: {reason}"))),
    }
}

fn token_of(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    // Two of them: nobody can say which one others have read.
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
