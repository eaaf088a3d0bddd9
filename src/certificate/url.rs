//! Which URLs a certificate may be fetched from, as far as their text tells (ATIS-1000074 §5.3.1; F8, G13).

/// Whether a URL may be dereferenced: https, port 443 or 8443, no userinfo, query or fragment.
///
/// Where it leads after DNS is the fetcher's business (G29).
///
/// # Errors
/// The rule that it breaks, in words.
pub(crate) fn check(url: &str) -> Result<(), String> {
    if url.len() > MAX_URL_BYTES {
        return Err(format!("it is longer than {MAX_URL_BYTES} bytes"));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("it is no absolute URL".to_owned());
    };
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(format!("the scheme is {scheme}; only https is allowed"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    // Hardly any URL has one of these: one look at all bytes, and words only where there is one.
    if rest.bytes().fold(false, |any, c| any | (c == b'?') | (c == b'#') | (c == b'@') | (c == b'\\')) {
        refuse_marks(rest, authority)?;
    }
    let (host, port) = split_port(authority)?;
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    match port {
        None | Some("443" | "8443") => Ok(()),
        Some(other) => Err(format!("port {other} is neither 443 nor 8443")),
    }
}

fn refuse_marks(rest: &str, authority: &str) -> Result<(), String> {
    if let Some(part) = [('?', "a query"), ('#', "a fragment")].iter().find(|(mark, _)| rest.contains(*mark)) {
        return Err(format!("it has {}", part.1));
    }
    if authority.contains('@') {
        return Err("it carries a user name or password".to_owned());
    }
    if rest.contains('\\') {
        return Err("it contains a backslash".to_owned());
    }
    Ok(())
}

/// The longest URL that is followed: whoever keeps what lies there keeps the URL with it.
const MAX_URL_BYTES: usize = 2048;

/// The host and the port of an authority; IPv6 addresses stand in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), String> {
    if authority.starts_with('[') {
        let Some((host, rest)) = authority.split_once(']') else {
            return Err("the IPv6 address is not closed by a bracket".to_owned());
        };
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("something stands between the address and the path".to_owned()),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_plain_https_urls_are_allowed() {
        // F8, G13.
        for good in [
            "https://certificates.example/a.pem",
            "https://certificates.example:443/a.pem",
            "https://certificates.example:8443/",
            "HTTPS://certificates.example",
            "https://[2001:db8::1]:8443/a.pem",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://certificates.example/a.pem",
            "file:///etc/passwd",
            "/etc/passwd",
            "https://certificates.example:8080/a.pem",
            "https://certificates.example:/a.pem",
            "https://user@certificates.example/a.pem",
            "https://certificates.example/a.pem?x=1",
            "https://certificates.example?x",
            "https://certificates.example/a.pem#x",
            "https:///a.pem",
            "https://",
            "https://[2001:db8::1/a.pem",
            "https://certificates.example\\@evil.example/",
            "https://[::1]evil.example/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
