//! Fragments (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722): an INVITE with Identity seldom fits into one packet.

use stirtrace::capture::Limits;

use crate::build::*;
use crate::{only, read, read_within};

fn datagram() -> Vec<u8> {
    udp(&invite(1, 3000))
}

#[test]
fn the_last_fragment_to_come_completes_the_message() {
    let mut parts = ipv4_parts(9, &datagram(), 1480);
    assert_eq!(parts.len(), 3);
    parts.reverse();
    let message = only(&pcap(RAW, &parts));
    assert_eq!((message.frame, &*message.bytes), (3, &invite(1, 3000)[..]));
    assert_eq!((message.source, message.destination), way());
}

#[test]
fn ipv6_fragments_and_a_fragment_that_is_the_only_one_are_read() {
    let datagram = datagram();
    let parts = [
        ipv6_part(UDP, 9, 1400, true, &datagram[1400..2800]),
        ipv6_part(UDP, 9, 0, true, &datagram[..1400]),
        ipv6_part(UDP, 9, 2800, false, &datagram[2800..]),
    ];
    assert_eq!(*only(&pcap(RAW, &parts)).bytes, invite(1, 3000));
    // RFC 6946: an atomic fragment stands for itself.
    assert_eq!(*only(&pcap(RAW, &[ipv6_part(UDP, 9, 0, false, &datagram)])).bytes, invite(1, 3000));
}

#[test]
fn datagrams_whose_fragments_are_interleaved_do_not_mix() {
    let parts: Vec<_> = (1..=3_u16)
        .flat_map(|call| {
            let parts = ipv4_parts(call, &udp(&invite(usize::from(call), 3000)), 1480);
            parts.into_iter().enumerate().map(move |(index, part)| (index, call, part))
        })
        .collect();
    let mut parts = parts;
    parts.sort_by_key(|(index, call, _)| (*index, *call));
    let parts: Vec<_> = parts.into_iter().map(|(_, _, part)| part).collect();
    let read = read(&pcap(RAW, &parts));
    let calls: Vec<_> = read.messages.iter().map(|message| message.bytes.to_vec()).collect();
    assert_eq!(calls, [invite(1, 3000), invite(2, 3000), invite(3, 3000)]);
}

#[test]
fn the_same_fragment_twice_is_one_and_an_overlap_refuses_the_datagram_rfc_5722_4() {
    let parts = ipv4_parts(9, &datagram(), 1480);
    let twice = [parts[0].clone(), parts[0].clone(), parts[1].clone(), parts[1].clone(), parts[2].clone()];
    assert_eq!(*only(&pcap(RAW, &twice)).bytes, invite(1, 3000));

    let data = datagram();
    let teardrop = ipv4_part(UDP, 9, 1472, true, &data[1472..2960]);
    let other_bytes = ipv4_part(UDP, 9, 0, true, &[b'x'; 1480]);
    let beyond = ipv4_part(UDP, 9, data.len().next_multiple_of(8), true, &[b'x'; 8]);
    let second_end = ipv4_part(UDP, 9, 1480, false, &data[1480..1600]);
    for hostile in [teardrop, other_bytes, beyond, second_end] {
        let all = [parts[0].clone(), parts[2].clone(), hostile, parts[1].clone(), parts[0].clone()];
        let read = read(&pcap(RAW, &all));
        assert_eq!((read.messages.len(), read.counts.overlapping), (0, 1));
    }
}

#[test]
fn fragments_that_no_host_would_send_are_malformed() {
    let uneven = ipv4_part(UDP, 9, 0, true, &[b'x'; 1479]);
    let empty = ipv4_part(UDP, 9, 8, false, &[]);
    let beyond = ipv4_part(UDP, 9, 65_528, false, &[b'x'; 100]);
    assert_eq!(read(&pcap(RAW, &[uneven, empty, beyond])).counts.malformed, 3);
}

#[test]
fn a_fragment_that_was_cut_leaves_the_beginning_and_says_so() {
    let parts = ipv4_parts(9, &datagram(), 1480);
    let read = read(&pcap_cut(RAW, &parts, 600));
    assert_eq!((read.messages.len(), read.counts.truncated, read.counts.reassembled), (1, 1, 1));
    assert_eq!(*read.messages[0].bytes, invite(1, 3000)[..600 - 28]);
    assert_eq!(read.messages[0].missing, invite(1, 3000).len() - 572);
}

#[test]
fn what_never_comes_together_is_counted_and_dropped_oldest_first() {
    let mut limits = Limits::default();
    limits.datagrams = 10;
    let firsts: Vec<_> = (0..100_u16).map(|id| ipv4_parts(id, &datagram(), 1480).swap_remove(0)).collect();
    let rest = |id| ipv4_parts(id, &datagram(), 1480).split_off(1);
    let packets = [firsts, rest(99), rest(0)].concat();
    let got = read_within(&pcap(RAW, &packets), limits);
    assert_eq!(got.messages.len(), 1, "the youngest is held, the oldest is gone");
    assert_eq!((got.counts.datagrams_dropped, got.counts.incomplete), (90, 10));

    limits = Limits::default();
    limits.fragment_bytes = 20_000;
    let packets: Vec<_> = (0..100_u16).map(|id| ipv4_parts(id, &datagram(), 1480).swap_remove(0)).collect();
    let got = read_within(&pcap(RAW, &packets), limits);
    assert_eq!(got.counts.datagrams_dropped + got.counts.incomplete, 100);
    assert!(got.counts.incomplete <= 20_000 / 1480);
}

#[test]
fn a_fragment_of_long_ago_is_not_taken_for_one_of_now() {
    // Identifications of 16 bits come around again (RFC 6864 §3.2): 40,000 packets of a millisecond are 40 s.
    let old = ipv4_parts(9, &udp(&invite(1, 3000)), 1480).swap_remove(0);
    let other = ipv4(UDP, &[0; 8]);
    let mut packets = vec![old];
    packets.extend(std::iter::repeat_n(other, 40_000));
    packets.extend(ipv4_parts(9, &udp(&invite(2, 3000)), 1480));
    let read = read(&pcap(RAW, &packets));
    assert_eq!((read.messages.len(), read.counts.incomplete, read.counts.overlapping), (1, 1, 0));
    assert_eq!(*read.messages[0].bytes, invite(2, 3000));
}

#[test]
fn more_fragments_than_any_datagram_needs_are_refused() {
    let tiny: Vec<_> = (0..300).map(|index| ipv4_part(UDP, 9, index * 8, true, &[b'x'; 8])).collect();
    let read = read(&pcap(RAW, &tiny));
    assert_eq!((read.counts.datagrams_dropped, read.counts.incomplete), (1, 0));
}
