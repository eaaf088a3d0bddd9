//! Where a URL lies in an archive of certificates: `host[:port]/path`, as `wget --mirror` writes it (RFC 3986 §3.3).
//!
//! URLs are somebody else's words: each segment is percent-decoded once and has to be a plain file name.

use std::path::PathBuf;

/// Where in an archive a URL lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    host: String,
    port: Option<String>,
    segments: Vec<String>,
}

impl Place {
    /// The place of an https URL; an error when a segment of it is not the name of a file.
    pub(crate) fn of(url: &str) -> Result<Self, Unplaceable> {
        let refused = |why| Unplaceable { url: url.to_owned(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it is no absolute URL"))?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(refused("only https URLs have a place in the archive"));
        }
        if rest.contains(['?', '#']) {
            return Err(refused("it has a query or a fragment"));
        }
        let (authority, path) = rest.split_once('/').ok_or_else(|| refused("it has no path"))?;
        let (host, port) = split_authority(authority).ok_or_else(|| refused("its host is no host name"))?;
        let segments: Result<Vec<_>, _> = path.split('/').map(|segment| decode(segment).map_err(refused)).collect();
        Ok(Self { host, port, segments: segments? })
    }

    /// The folders that may hold it: `host` alone stands for port 443.
    pub(crate) fn hosts(&self) -> Vec<String> {
        match self.port.as_deref() {
            None | Some("443") => vec![self.host.clone(), format!("{}:443", self.host)],
            Some(port) => vec![format!("{}:{port}", self.host)],
        }
    }

    /// The path below the folder of a host.
    pub(crate) fn path_below(&self, host: &str) -> PathBuf {
        let mut path = PathBuf::from(host);
        path.extend(&self.segments);
        path
    }

    /// The path in an archive, for saying where to put what is missing.
    pub(crate) fn to_path(&self) -> PathBuf {
        let hosts = self.hosts();
        self.path_below(hosts.first().map_or("", String::as_str))
    }
}

/// Host and port. Names are compared in lower case (RFC 3986 §3.2.2), as `wget` writes them.
fn split_authority(authority: &str) -> Option<(String, Option<String>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_address = host.starts_with('[') && host.ends_with(']');
    let bare = if is_address { &host[1..host.len() - 1] } else { host };
    let is_host = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.') || (is_address && c == b':');
    let is_port =
        port.is_none_or(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|c| c.is_ascii_digit()));
    let is_good = is_port && bare.bytes().all(is_host) && bare.bytes().any(|c| c.is_ascii_alphanumeric());
    is_good.then(|| (host.to_ascii_lowercase(), port.map(str::to_owned)))
}

/// One segment, percent-decoded once; an error unless it is the plain name of a file.
fn decode(segment: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("a percent sign in it is not followed by two hexadecimal digits")?);
        rest = &after[2..];
    }
    let name = String::from_utf8(bytes).map_err(|_| "a segment of its path is no UTF-8")?;
    match name.as_str() {
        "" => Err("a segment of its path is empty"),
        "." | ".." => Err("a segment of its path is '.' or '..'"),
        _ if name.len() > MAX_SEGMENT_BYTES => Err("a segment of its path is longer than a file's name can be"),
        _ if name.contains(['/', '\\', ':']) => Err("a segment of its path holds a slash, backslash or colon"),
        _ if name.contains(char::is_control) => Err("a segment of its path holds a control character"),
        _ => Ok(name),
    }
}

/// The longest file name that file systems take.
pub(crate) const MAX_SEGMENT_BYTES: usize = 255;

/// A URL that has no place in any archive.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{url} has no place in an archive: {why}")]
pub(crate) struct Unplaceable {
    /// The URL.
    pub(crate) url: String,
    /// Which rule it breaks.
    pub(crate) why: &'static str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Place;

    proptest! {
        #[test]
        fn every_place_is_plain_names_below_its_host(url in "https://[a-zA-Z0-9.:%/\\\\_\\[\\]-]{0,40}") {
            if let Ok(place) = Place::of(&url) {
                let path = place.to_path();
                prop_assert!(path.is_relative());
                prop_assert!(path.components().count() == place.segments.len() + 1);
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
