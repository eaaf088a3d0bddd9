//! Which addresses may be connected to: none that means a place inside somebody's network (RFC 6890, RFC 4291; G29).
//!
//! A URL comes from whoever signed a call, and the name in it leads where its owner says. What is refused is every range
//! of the IANA special-purpose registries, whatever of IPv6 is no global unicast, and what hides an IPv4 address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses that no certificate is fetched from, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SpecialRange {
    /// What it is, as `loopback`.
    pub name: &'static str,
    /// Where that is written, as `RFC 1122 3.2.1.3`.
    pub source: &'static str,
}

impl SpecialRange {
    /// The range that an address lies in; none for an address of the public network.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        let embedded = match address {
            IpAddr::V4(_) => return Self::listed(address),
            IpAddr::V6(address) => translated(address),
        };
        // RFC 6052 §3.1: an IPv6-only network reaches IPv4 so, and what is reached is the address inside.
        match embedded {
            Some(embedded) => Self::of(IpAddr::V4(embedded)),
            None => Self::listed(address).or_else(|| Self::not_global(address)),
        }
    }

    fn listed(address: IpAddr) -> Option<Self> {
        let found = RANGES.iter().find(|(first, length, ..)| is_within(address, *first, *length));
        found.map(|(_, _, name, source)| Self { name, source })
    }

    fn not_global(address: IpAddr) -> Option<Self> {
        let IpAddr::V6(address) = address else { return None };
        let segments = address.segments();
        if segments[0] & 0xe000 != 0x2000 {
            return Some(Self { name: "no global unicast address", source: "RFC 4291 2.4" });
        }
        // RFC 5214 §6.1: the interface identifier holds an IPv4 address that a host of that link tunnels to.
        let is_isatap = matches!(segments[4], 0 | 0x0200) && segments[5] == 0x5efe;
        is_isatap.then_some(Self { name: "ISATAP, which hides an IPv4 address", source: "RFC 5214 6.1" })
    }
}

impl fmt::Display for SpecialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.source)
    }
}

/// The IPv4 address inside one of the well-known translation prefix (RFC 6052 §2.1).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let is_translated = is_within(IpAddr::V6(address), v6(0x64, 0xff9b, 0, 0), 96);
    let [.., a, b, c, d] = address.octets();
    is_translated.then_some(Ipv4Addr::new(a, b, c, d))
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(a: u16, b: u16, c: u16, d: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
}

const fn v6_low(e: u16, f: u16, g: u16, h: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, e, f, g, h))
}

/// First address, prefix length, name, source. The IANA IPv4 and IPv6 Special-Purpose Address Registries as of 2026-05
/// with multicast, what is deprecated, and the one metadata service that has an address of the public network. The first
/// that holds an address names it.
const RANGES: &[(IpAddr, u8, &str, &str)] = &[
    (v4(0, 0, 0, 0), 8, "this network", "RFC 1122 3.2.1.3"),
    (v4(10, 0, 0, 0), 8, "private use", "RFC 1918"),
    (v4(100, 64, 0, 0), 10, "shared address space of carriers", "RFC 6598"),
    (v4(127, 0, 0, 0), 8, "loopback", "RFC 1122 3.2.1.3"),
    (v4(168, 63, 129, 16), 32, "a cloud's host service", "the provider's documentation"),
    (v4(169, 254, 0, 0), 16, "link-local, where clouds keep metadata services", "RFC 3927"),
    (v4(172, 16, 0, 0), 12, "private use", "RFC 1918"),
    (v4(192, 0, 0, 0), 24, "IETF protocol assignments", "RFC 6890 2.1"),
    (v4(192, 0, 2, 0), 24, "documentation", "RFC 5737"),
    (v4(192, 31, 196, 0), 24, "AS112", "RFC 7535"),
    (v4(192, 52, 193, 0), 24, "automatic multicast tunneling", "RFC 7450"),
    (v4(192, 88, 99, 0), 24, "6to4 relay anycast", "RFC 7526"),
    (v4(192, 168, 0, 0), 16, "private use", "RFC 1918"),
    (v4(192, 175, 48, 0), 24, "AS112", "RFC 7534"),
    (v4(198, 18, 0, 0), 15, "benchmarking", "RFC 2544"),
    (v4(198, 51, 100, 0), 24, "documentation", "RFC 5737"),
    (v4(203, 0, 113, 0), 24, "documentation", "RFC 5737"),
    (v4(224, 0, 0, 0), 4, "multicast", "RFC 5771"),
    (v4(255, 255, 255, 255), 32, "limited broadcast", "RFC 8190"),
    (v4(240, 0, 0, 0), 4, "reserved", "RFC 1112 4"),
    (v6_low(0, 0, 0, 0), 128, "unspecified", "RFC 4291 2.5.2"),
    (v6_low(0, 0, 0, 1), 128, "loopback", "RFC 4291 2.5.3"),
    (v6_low(0, 0, 0, 0), 96, "IPv4-compatible", "RFC 4291 2.5.5.1"),
    (v6_low(0, 0xffff, 0, 0), 96, "IPv4-mapped", "RFC 4291 2.5.5.2"),
    (v6_low(0xffff, 0, 0, 0), 96, "IPv4-translated", "RFC 2765 2.1"),
    (v6(0x64, 0xff9b, 1, 0), 48, "IPv4/IPv6 translation of a network's own", "RFC 8215"),
    (v6(0x100, 0, 0, 0), 64, "discard only", "RFC 6666"),
    (v6(0x100, 0, 0, 1), 64, "dummy prefix", "RFC 9780"),
    (v6(0x2001, 0, 0, 0), 32, "Teredo, which hides an IPv4 address", "RFC 4380"),
    (v6(0x2001, 2, 0, 0), 48, "benchmarking", "RFC 5180"),
    (v6(0x2001, 0, 0, 0), 23, "IETF protocol assignments", "RFC 2928"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "documentation", "RFC 3849"),
    (v6(0x2002, 0, 0, 0), 16, "6to4, which hides an IPv4 address", "RFC 3056"),
    (v6(0x2620, 0x4f, 0x8000, 0), 48, "AS112", "RFC 7534"),
    (v6(0x3fff, 0, 0, 0), 20, "documentation", "RFC 9637"),
    (v6(0x5f00, 0, 0, 0), 16, "segment routing", "RFC 9602"),
    (v6(0xfc00, 0, 0, 0), 7, "unique local", "RFC 4193"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local", "RFC 4291 2.5.6"),
    (v6(0xfec0, 0, 0, 0), 10, "site-local", "RFC 3879"),
    (v6(0xff00, 0, 0, 0), 8, "multicast", "RFC 4291 2.7"),
];

fn is_within(address: IpAddr, first: IpAddr, length: u8) -> bool {
    let length = u32::from(length);
    match (address, first) {
        (IpAddr::V4(address), IpAddr::V4(first)) => {
            (address.to_bits() ^ first.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(first)) => {
            (address.to_bits() ^ first.to_bits()).checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Addresses that one host may lie at although they are special: a repository inside one's own network.
///
/// Written `HOST=ADDRESS[/PREFIX]`, as `certificates.example=10.2.0.0/16`. It opens nothing for any other host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Allowance {
    host: String,
    first: IpAddr,
    length: u8,
}

impl Allowance {
    /// Whether it lets this host lie at this address.
    #[must_use]
    pub fn covers(&self, host: &str, address: IpAddr) -> bool {
        self.host.eq_ignore_ascii_case(host) && is_within(address, self.first, self.length)
    }
}

impl FromStr for Allowance {
    type Err = InvalidAllowance;

    fn from_str(text: &str) -> Result<Self, InvalidAllowance> {
        let invalid = |why| InvalidAllowance { text: text.to_owned(), why };
        let (host, range) = text.split_once('=').ok_or_else(|| invalid("it is not HOST=ADDRESS"))?;
        if host.is_empty() {
            return Err(invalid("it names no host"));
        }
        let (address, length) = match range.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (range, None),
        };
        let first: IpAddr = address.parse().map_err(|_| invalid("what follows the host is no address"))?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= width),
            None => Some(width),
        };
        let length = length.ok_or_else(|| invalid("the prefix is longer than the address"))?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_ascii_lowercase(), first, length })
    }
}

/// A text that is no [`Allowance`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?}: {why}; write HOST=ADDRESS or HOST=ADDRESS/PREFIX, as certificates.example=10.2.0.0/16")]
#[non_exhaustive]
pub struct InvalidAllowance {
    /// The text as it stood.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

#[cfg(test)]
mod tests;
