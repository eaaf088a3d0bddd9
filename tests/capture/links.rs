//! Every link type and every tunnel gives the same message.

use std::net::{IpAddr, SocketAddr};

use stirtrace::capture::Transport;

use crate::build::*;
use crate::{only, read};

fn packet() -> Vec<u8> {
    ipv4(UDP, &udp(&invite(1, 0)))
}

fn expect(link: u32, bytes: Vec<u8>) {
    let message = only(&pcap(link, &[bytes]));
    assert_eq!((message.source, message.destination), way());
    assert_eq!((message.transport, message.missing), (Transport::Udp, 0));
    assert_eq!(*message.bytes, invite(1, 0));
}

#[test]
fn ethernet_with_any_tags_is_passed() {
    expect(ETHERNET, ethernet(0x0800, &packet()));
    // Padding to the shortest frame (IEEE 802.3) is no part of the packet.
    expect(ETHERNET, ethernet(0x0800, &[packet(), vec![0; 40]].concat()));
    let tagged = |kind: u16, next: u16, rest: &[u8]| ethernet(kind, &[&[0, 5][..], &next.to_be_bytes(), rest].concat());
    // IEEE 802.1Q, then 802.1ad with a tag in it.
    expect(ETHERNET, tagged(0x8100, 0x0800, &packet()));
    expect(ETHERNET, tagged(0x88a8, 0x8100, &[&[0, 6, 8, 0][..], &packet()].concat()));
    // RFC 3032 §2.1: two labels, the second one the last.
    expect(ETHERNET, ethernet(0x8847, &[&[0, 1, 0, 64, 0, 2, 1, 64][..], &packet()].concat()));
    // RFC 2516 §4: PPPoE session.
    expect(ETHERNET, ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 0, 0, 0x21][..], &packet()].concat()));
    // RFC 1042: SNAP.
    expect(ETHERNET, ethernet(500, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &packet()].concat()));
}

#[test]
fn what_tcpdump_writes_for_any_and_for_loopback_is_read() {
    let sll = [&[0, 4, 3, 4][..], &[0; 10], &[8, 0], &packet()].concat();
    expect(113, sll);
    let sll2 = [&[8, 0, 0, 0][..], &[0; 16], &packet()].concat();
    expect(276, sll2);
    for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        expect(0, [&family[..], &packet()].concat());
    }
    expect(108, [&[0, 0, 0, 2][..], &packet()].concat());
    for link in [101, 12, 14, 228] {
        expect(link, packet());
    }
    expect(9, [&[0xff, 3, 0, 0x21][..], &packet()].concat());
}

#[test]
fn tunnels_are_looked_into() {
    // RFC 2784, with a key and a sequence number (RFC 2890).
    expect(RAW, ipv4(47, &[&[0, 0, 8, 0][..], &packet()].concat()));
    expect(RAW, ipv4(47, &[&[0x30, 0, 8, 0][..], &[0; 8], &packet()].concat()));
    // Ethernet in GRE, and ERSPAN II.
    expect(RAW, ipv4(47, &[&[0, 0, 0x65, 0x58][..], &ethernet(0x0800, &packet())].concat()));
    expect(RAW, ipv4(47, &[&[0x10, 0, 0x88, 0xbe][..], &[0; 4], &[0x10; 8], &ethernet(0x0800, &packet())].concat()));
    // RFC 2003; RFC 4213 §3 from the other side.
    expect(RAW, ipv4(4, &packet()));
    expect(RAW, ipv6(4, &packet()));
    // RFC 7348 §5.
    let vxlan = [&[8, 0, 0, 0, 0, 0, 9, 0][..], &ethernet(0x0800, &packet())].concat();
    expect(RAW, ipv4(UDP, &udp_between(50_000, 4789, &vxlan)));
    // 3GPP TS 29.281 §5.1: plain, and with a sequence number and an extension header.
    let gtp = [&[0x30, 0xff, 0, 0, 0, 0, 0, 1][..], &packet()].concat();
    expect(RAW, ipv4(UDP, &udp_between(2152, 2152, &gtp)));
    let gtp = [&[0x36, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0x85, 1, 0, 1, 0][..], &packet()].concat();
    expect(RAW, ipv4(UDP, &udp_between(2152, 2152, &gtp)));
}

#[test]
fn ipv6_extension_headers_are_passed_and_esp_is_counted() {
    let message = udp(&invite(1, 0));
    // RFC 8200 §4.3, §4.6: hop-by-hop options, then destination options, then UDP.
    let options = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[17, 0, 1, 4, 0, 0, 0, 0], &message].concat();
    let got = only(&pcap(RAW, &[ipv6(0, &options)]));
    assert_eq!(got.source, SocketAddr::new(IpAddr::V6(CALLER_6), 5060));
    assert_eq!(*got.bytes, invite(1, 0));
    // RFC 4302 §2.2: authenticated only.
    let header = [&[17, 4, 0, 0][..], &[0; 20], &message].concat();
    assert_eq!(*only(&pcap(RAW, &[ipv4(51, &header)])).bytes, invite(1, 0));
    // RFC 4303, and RFC 3948 in UDP.
    let hidden = read(&pcap(RAW, &[ipv4(50, &[7; 64]), ipv4(UDP, &udp_between(4500, 4500, &[7; 64]))]));
    assert_eq!((hidden.messages.len(), hidden.counts.ipsec), (0, 2));
}

#[test]
fn packets_in_packets_end_somewhere() {
    let mut deep = packet();
    for _ in 0..200 {
        deep = ipv4(4, &deep);
    }
    let read = read(&pcap(RAW, &[deep]));
    assert_eq!((read.messages.len(), read.counts.too_deep), (0, 1));
}

#[test]
fn what_is_no_sip_is_passed_over_and_unknown_links_are_counted() {
    let rtp = ipv4(UDP, &udp_between(20_000, 20_002, &[0x80; 172]));
    let text = ipv4(UDP, &udp(b"GET / HTTP/1.1\r\n\r\n"));
    let got = read(&pcap(RAW, &[rtp, text, packet()]));
    assert_eq!((got.messages.len(), got.messages[0].frame), (1, 3));
    assert_eq!(got.counts.losses(), []);
    assert_eq!(read(&pcap(147, &[packet()])).counts.unknown_link, 1);
    assert_eq!(only(&pcap(ETHERNET, &[ethernet(0x0806, &[0; 28]), ethernet(0x0800, &packet())])).frame, 2);
}

#[test]
fn hep_in_udp_is_unpacked() {
    let message = only(&pcap(RAW, &[ipv4(UDP, &udp_between(9060, 9060, &hep(&invite(1, 0))))]));
    assert_eq!((message.source, message.destination), way());
    assert_eq!(message.time.unwrap().nanoseconds() % 1_000_000_000, 250_000_000);
}
