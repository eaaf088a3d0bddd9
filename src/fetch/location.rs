//! Where a URL leads, as far as its text tells: https, port 443 or 8443, a host with one spelling (ATIS-1000074 §5.3.1;
//! RFC 3986 §3.2.2; F8).
//!
//! A name that some libraries read as an address (`2130706433`, `0x7f.1`, `127.1`), percent signs, letters beyond ASCII and
//! zone identifiers are refused: what was judged has to be what is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::certificate::url;

/// A URL that may be dereferenced, if its host lies at an address that may be connected to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Location {
    url: String,
    host: Host,
    port: u16,
}

/// A host.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3986 has no third")]
pub enum Host {
    /// An address, written in the URL.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
}

impl Location {
    /// Reads a URL.
    ///
    /// # Errors
    /// The rule that it breaks, in words.
    pub fn parse(text: &str) -> Result<Self, RefusedUrl> {
        url::check(text).map_err(|why| RefusedUrl { why })?;
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if let Some(odd) = path.chars().find(|c| !is_path_character(*c)) {
            return Err(refused(format!("{odd:?} in its path is no character of a URL; write it percent-encoded")));
        }
        let (host, port) = split_authority(authority);
        let port = match port {
            None => 443,
            Some(port) => port.parse().map_err(|_| refused("its port is no number"))?,
        };
        Ok(Self { url: text.to_owned(), host: Host::parse(host)?, port })
    }

    /// The URL as it was written.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Its port, 443 where it names none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Host {
    /// Whose it is, as far as its name tells: the name that a registry gave away, with all names below it, or the address,
    /// of IPv6 its network of 64 bits. Who holds a name makes as many below it as he likes.
    ///
    /// NOTE: a list of public suffixes would be exact, and wrong as it ages. Two labels are taken, or three where the last
    /// is a country's and the second a word that registries divide countries by, such as `co.uk`.
    #[must_use]
    pub fn zone(&self) -> String {
        let name = match self {
            Self::Address(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                return format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0));
            }
            Self::Address(address) => return address.to_string(),
            Self::Name(name) => name,
        };
        let mut labels = name.rsplit('.');
        let (last, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
        let is_divided = last.len() == 2 && DIVISIONS.contains(&second);
        let kept = if is_divided { 3 } else { 2 };
        let ends = name.rmatch_indices('.').nth(kept - 1);
        ends.map_or_else(|| name.clone(), |(at, _)| name[at + 1..].to_owned())
    }

    fn parse(text: &str) -> Result<Self, RefusedUrl> {
        if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            if inner.contains('%') {
                return Err(refused("its address has a zone, which means something on this machine only"));
            }
            let address: Ipv6Addr = inner.parse().map_err(|_| refused("what stands in brackets is no IPv6 address"))?;
            return Ok(Self::Address(IpAddr::V6(address)));
        }
        let name = text.to_ascii_lowercase();
        // NOTE: stricter than RFC 3986, which lets a name be percent-encoded or end in a dot. One host, one spelling.
        if !name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')) {
            return Err(refused(
                "its host holds a character that no host name has; names beyond ASCII are written xn--",
            ));
        }
        if name.len() > MAX_NAME_BYTES || name.split('.').any(|label| label.is_empty() || label.len() > MAX_LABEL_BYTES)
        {
            return Err(refused("a label of its host name is empty or too long"));
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        if !is_number(last) {
            return match name.contains('.') {
                true => Ok(Self::Name(name)),
                false => Err(refused("its host name has no dot, so it means something in one network only")),
            };
        }
        // Rust reads four decimal numbers without leading zeros and nothing else, as RFC 3986 §3.2.2 has it.
        let address =
            name.parse().map_err(|_| refused("its host is an IPv4 address in a spelling that RFC 3986 lacks"))?;
        Ok(Self::Address(IpAddr::V4(address)))
    }
}

/// What registries of countries divide them by.
const DIVISIONS: [&str; 18] = [
    "ac", "co", "com", "edu", "gen", "go", "gob", "gov", "gv", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc",
    "sch",
];

/// RFC 1035 §2.3.4.
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Whether a host that ends so is read as an IPv4 address by those who read addresses generously.
fn is_number(label: &str) -> bool {
    let digits = label.strip_prefix("0x");
    match digits {
        Some(digits) => digits.bytes().all(|c| c.is_ascii_hexdigit()),
        None => label.bytes().all(|c| c.is_ascii_digit()),
    }
}

/// RFC 3986 §3.3, and the percent sign.
fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/%-._~!$&'()*+,;=:@".contains(c)
}

fn split_authority(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

impl fmt::Display for Host {
    /// As it stands in a URL, without brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A URL that is not dereferenced, whatever lies there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{why}")]
#[non_exhaustive]
pub struct RefusedUrl {
    /// The rule that it breaks, in words.
    pub why: String,
}

fn refused(why: impl Into<String>) -> RefusedUrl {
    RefusedUrl { why: why.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Host, Location};

    #[test]
    fn plain_urls_lead_somewhere() {
        // F8, G13.
        for (url, host, port) in [
            ("https://certificates.example/a.pem", "certificates.example", 443),
            ("https://Certificates.Example:8443/a/b%20c.pem", "certificates.example", 8443),
            ("HTTPS://a_b.example:443/", "a_b.example", 443),
            ("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443),
            ("https://8.8.8.8/a.pem", "8.8.8.8", 443),
            ("https://[2606:4700::1111]:8443/a.pem", "2606:4700::1111", 8443),
            ("https://1.example/a.pem", "1.example", 443),
            ("https://0x7f.example/", "0x7f.example", 443),
        ] {
            let location = Location::parse(url).unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!((location.host().to_string().as_str(), location.port()), (host, port), "{url}");
            assert_eq!(location.url(), url);
        }
    }

    #[test]
    fn hosts_with_two_readings_are_refused() {
        for url in [
            "https://2130706433/",
            "https://0x7f000001/",
            "https://017700000001/",
            "https://127.1/",
            "https://127.0.1/",
            "https://0177.0.0.1/",
            "https://0x7f.0.0.1/",
            "https://0x7f.1/",
            "https://127.0.0.01/",
            "https://127.0.0.1./",
            "https://127.0.0.256/",
            "https://example.0x/",
            "https://localhost/",
            "https://localhost./",
            "https://certificates.example./",
            "https://certificates..example/",
            "https://.example/",
            "https://certificates%2eexample/",
            "https://127.0.0.1%00.example/",
            "https://127。0。0。1/",
            "https://①②⑦.0.0.1/",
            "https://b\u{fc}cher.example/",
            "https://certificates.example\t/",
            "https://certi\nficates.example/",
            "https://certificates.example/a b.pem",
            "https://certificates.example/a\u{0}.pem",
            "https://certificates.example/\u{e4}.pem",
            "https://[fe80::1%25eth0]/",
            "https://[::1%25lo]/",
            "https://[127.0.0.1]/",
            "https://[]/",
            "https://[::g]/",
            "https://::1/",
        ] {
            assert!(Location::parse(url).is_err(), "{url}: {:?}", Location::parse(url));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_has_one_host(text in "https://[a-z0-9.:%@\\[\\]x-]{1,30}(/[ -~]{0,10})?") {
            if let Ok(location) = Location::parse(&text) {
                match location.host() {
                    Host::Name(name) => {
                        prop_assert!(name.parse::<std::net::IpAddr>().is_err());
                        prop_assert!(!name.ends_with('.') && name.contains('.'));
                    }
                    Host::Address(address) => {
                        let shown = address.to_string();
                        prop_assert!(text.contains(&shown) || address.is_ipv6());
                    }
                }
                prop_assert!(matches!(location.port(), 443 | 8443));
            }
        }
    }

    #[test]
    fn hosts_below_one_name_are_one_zone() {
        for (host, zone) in [
            ("certificates.twill.example", "twill.example"),
            ("a.b.c.d.twill.example", "twill.example"),
            ("twill.example", "twill.example"),
            ("other-twill.example", "other-twill.example"),
            ("certificates.twill.co.uk", "twill.co.uk"),
            ("twill.co.uk", "twill.co.uk"),
            ("co.uk", "co.uk"),
            ("a.b.io", "b.io"),
            ("a.com.b.net", "b.net"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::5]", "2001:db8:1:2::/64"),
        ] {
            let location = Location::parse(&format!("https://{host}/c.pem")).unwrap();
            assert_eq!(location.host().zone(), zone, "{host}");
        }
    }
}
