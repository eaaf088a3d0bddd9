//! The body of a request, and whether its answer is wanted (RFC 9110 §8.3, §12.5.1; F29).

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};

use super::atis82::Exception;

/// The body of a request in JSON whose answer is JSON, in the order of the standard's exceptions.
pub(super) async fn json_body(request: Request, limit: usize) -> Result<Bytes, Exception> {
    let headers = request.headers();
    if !headers.contains_key(CONTENT_LENGTH) {
        return Err(Exception::MissingLength);
    }
    if !accepts_json(headers) {
        return Err(Exception::NotAcceptable { wanted: accept(headers).unwrap_or_default() });
    }
    if media_type(headers).as_deref() != Some("application/json") {
        return Err(Exception::UnsupportedMediaType);
    }
    match whole(request, limit).await {
        Ok(body) if body.is_empty() => Err(Exception::MissingBody),
        Ok(body) => Ok(body),
        Err(NoBody::TooLong) => Err(Exception::BodyTooLong { limit }),
        Err(NoBody::Broken) => Err(Exception::Unparsable { reason: "the body broke off".to_owned() }),
    }
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoBody {
    Broken,
    TooLong,
}

/// The whole body, of at most `limit` octets; one that says it is longer is not read at all.
pub(super) async fn whole(request: Request, limit: usize) -> Result<Bytes, NoBody> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(NoBody::TooLong);
    }
    let read = to_bytes(request.into_body(), limit).await;
    read.map_err(|reason| {
        let broken = std::error::Error::source(&reason);
        let too_long = broken.is_some_and(|source| source.to_string().contains("length limit"));
        if too_long { NoBody::TooLong } else { NoBody::Broken }
    })
}

/// The media type of the body, without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<String> =
        headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Whether the client takes JSON; one that says nothing takes everything (RFC 9110 §12.5.1).
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    let Some(list) = accept(headers) else { return true };
    // The most specific range decides.
    let quality = |wanted: &str| list.split(',').find_map(|range| quality_of(range, wanted));
    let found = ["application/json", "application/*", "*/*"].into_iter().find_map(quality);
    found.is_some_and(|quality| quality > 0.0)
}

/// The quality that a range gives to a media type, if it is that range.
fn quality_of(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn who_takes_json_says_so_or_says_nothing() {
        // RFC 9110 §12.5.1, F29.
        let accepts =
            |value: &str| accepts_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(value).unwrap())]));
        assert!(accepts_json(&HeaderMap::new()));
        for yes in ["application/json", "*/*", "text/html, Application/JSON;q=0.5", "application/*", "a/b, */*;q=0.1"] {
            assert!(accepts(yes), "{yes}");
        }
        for no in ["text/html", "application/json;q=0, */*", "application/xml, text/*", ""] {
            assert!(!accepts(no), "{no}");
        }
    }
}
