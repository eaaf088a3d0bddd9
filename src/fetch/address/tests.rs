use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::{Allowance, RANGES, SpecialRange, is_within};

fn range(address: &str) -> Option<&'static str> {
    SpecialRange::of(address.parse().unwrap()).map(|range| range.name)
}

#[test]
fn addresses_of_the_special_purpose_registries_are_refused() {
    // RFC 6890 §2.2 and the registries it made, first and last address of each range; RFC 4291 §2.5, §2.7.
    for (address, name) in [
        ("0.0.0.0", "this network"),
        ("0.255.255.255", "this network"),
        ("10.0.0.0", "private use"),
        ("10.255.255.255", "private use"),
        ("100.64.0.0", "shared address space of carriers"),
        ("100.100.100.200", "shared address space of carriers"),
        ("100.127.255.255", "shared address space of carriers"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.255", "loopback"),
        ("168.63.129.16", "a cloud's host service"),
        ("169.254.0.0", "link-local, where clouds keep metadata services"),
        ("169.254.169.254", "link-local, where clouds keep metadata services"),
        ("172.16.0.0", "private use"),
        ("172.31.255.255", "private use"),
        ("192.0.0.0", "IETF protocol assignments"),
        ("192.0.0.192", "IETF protocol assignments"),
        ("192.0.2.1", "documentation"),
        ("192.31.196.1", "AS112"),
        ("192.52.193.1", "automatic multicast tunneling"),
        ("192.88.99.1", "6to4 relay anycast"),
        ("192.168.0.0", "private use"),
        ("192.168.255.255", "private use"),
        ("192.175.48.1", "AS112"),
        ("198.18.0.0", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "limited broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "IPv4-compatible"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::ffff:0:127.0.0.1", "IPv4-translated"),
        ("64:ff9b::127.0.0.1", "loopback"),
        ("64:ff9b::a00:1", "private use"),
        ("64:ff9b:1::1", "IPv4/IPv6 translation of a network's own"),
        ("100::1", "discard only"),
        ("100:0:0:1::1", "dummy prefix"),
        ("2001::1", "Teredo, which hides an IPv4 address"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "IETF protocol assignments"),
        ("2001:1ff:ffff::1", "IETF protocol assignments"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4, which hides an IPv4 address"),
        ("2620:4f:8000::1", "AS112"),
        ("3fff:fff::1", "documentation"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "unique local"),
        ("fd00:ec2::254", "unique local"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("4000::1", "no global unicast address"),
        ("1::1", "no global unicast address"),
        ("64:ff9a::1", "no global unicast address"),
        ("2a00:1450::5efe:7f00:1", "ISATAP, which hides an IPv4 address"),
        ("2a00:1450::200:5efe:7f00:1", "ISATAP, which hides an IPv4 address"),
    ] {
        assert_eq!(range(address), Some(name), "{address}");
    }
}

#[test]
fn addresses_of_the_public_network_are_not() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "3ffe::1",
        // RFC 6052 §3.1: a public address, as an IPv6-only network writes it.
        "64:ff9b::8.8.8.8",
    ] {
        assert_eq!(range(address), None, "{address}");
    }
}

#[test]
fn every_range_begins_where_its_prefix_says() {
    for (first, length, name, _) in RANGES {
        let mask_is_clean = match first {
            IpAddr::V4(first) => first.to_bits().checked_shl(u32::from(*length)).unwrap_or(0) == 0,
            IpAddr::V6(first) => first.to_bits().checked_shl(u32::from(*length)).unwrap_or(0) == 0,
        };
        assert!(mask_is_clean, "{name} {first}/{length}");
    }
}

#[test]
fn an_allowance_opens_a_range_for_one_host() {
    let allowance: Allowance = "Certificates.example=10.2.0.0/16".parse().unwrap();
    assert!(allowance.covers("certificates.example", "10.2.255.1".parse().unwrap()));
    assert!(!allowance.covers("certificates.example", "10.3.0.1".parse().unwrap()));
    assert!(!allowance.covers("other.example", "10.2.0.1".parse().unwrap()));
    assert!(!allowance.covers("certificates.example", "::ffff:10.2.0.1".parse().unwrap()));
    let single: Allowance = "a.example=::1".parse().unwrap();
    assert!(single.covers("a.example", "::1".parse().unwrap()));
    assert!(!single.covers("a.example", "::2".parse().unwrap()));
    let all: Allowance = "a.example=0.0.0.0/0".parse().unwrap();
    assert!(all.covers("a.example", "127.0.0.1".parse().unwrap()));
    for bad in ["", "a.example", "=10.0.0.1", "a.example=", "a.example=10.0.0.1/33", "a.example=10.0.0.1/x", "a=b"] {
        assert!(bad.parse::<Allowance>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_hides_an_ipv4_address_is_never_less_refused_than_that_address(bits in any::<u32>()) {
        let inner = Ipv4Addr::from_bits(bits);
        let inner_is_special = SpecialRange::of(IpAddr::V4(inner)).is_some();
        let translated: IpAddr = format!("64:ff9b::{inner}").parse().unwrap();
        prop_assert_eq!(SpecialRange::of(translated).is_some(), inner_is_special);
        let [a, b, c, d] = inner.octets();
        let six_to_four: IpAddr = format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1").parse().unwrap();
        for hidden in [inner.to_ipv6_mapped(), inner.to_ipv6_compatible()] {
            prop_assert!(SpecialRange::of(IpAddr::V6(hidden)).is_some());
        }
        prop_assert!(SpecialRange::of(six_to_four).is_some());
    }

    #[test]
    fn ipv4_agrees_with_the_standard_library_where_it_has_a_word(bits in any::<u32>()) {
        let address = Ipv4Addr::from_bits(bits);
        let by_library = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_broadcast() || address.is_documentation() || address.is_multicast() || address.is_unspecified();
        prop_assert!(!by_library || SpecialRange::of(IpAddr::V4(address)).is_some());
        prop_assert!(is_within(IpAddr::V4(address), IpAddr::V4(address), 32));
    }
}
