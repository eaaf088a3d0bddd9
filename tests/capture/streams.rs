//! TCP (RFC 9293), SIP framing (RFC 3261 §18.3), WebSocket (RFC 7118), and what cannot be read.

use stirtrace::capture::{Limits, Transport};

use crate::build::*;
use crate::{Read, read, read_within};

/// A capture of one direction: segments as sequence number (from 1000), flags and bytes.
fn flow(segments: &[(u32, u8, &[u8])]) -> Vec<u8> {
    let packets: Vec<_> = segments
        .iter()
        .map(|(place, flags, bytes)| ipv4(TCP, &tcp(1000_u32.wrapping_add(*place), *flags, bytes)))
        .collect();
    pcap(RAW, &packets)
}

fn bodies(read: &Read) -> Vec<Vec<u8>> {
    read.messages.iter().map(|message| message.bytes.to_vec()).collect()
}

fn two() -> Vec<u8> {
    [invite(1, 100), invite(2, 200)].concat()
}

#[test]
fn messages_end_by_content_length_wherever_segments_do() {
    let stream = [two(), b"\r\n\r\n\r\n".to_vec(), invite(3, 0)].concat();
    for size in [1, 7, 100, 536, 1460] {
        let mut segments = vec![(u32::MAX, SYN, &[][..])];
        let chunks = stream.chunks(size).enumerate();
        segments.extend(chunks.map(|(index, chunk)| (u32::try_from(index * size).unwrap(), ACK, chunk)));
        let read = read(&flow(&segments));
        assert_eq!(bodies(&read), [invite(1, 100), invite(2, 200), invite(3, 0)], "segments of {size}");
        assert_eq!(read.counts.losses(), []);
        assert!(read.messages.iter().all(|message| message.transport == Transport::Tcp));
    }
}

#[test]
fn segments_out_of_order_twice_and_overlapping_give_the_stream_once() {
    let stream = two();
    let (a, b, c) = (&stream[..300], &stream[300..600], &stream[600..]);
    let overlap = &stream[200..500];
    let segments =
        [(u32::MAX, SYN, &[][..]), (600, ACK, c), (200, ACK, overlap), (0, ACK, a), (0, ACK, a), (300, ACK, b)];
    let read = read(&flow(&segments));
    assert_eq!(bodies(&read), [invite(1, 100), invite(2, 200)]);
    assert_eq!(read.messages[1].frame, 6);
    assert_eq!(read.counts.losses(), []);
}

#[test]
fn sequence_numbers_wrap() {
    let stream = two();
    let begin = u32::MAX - 400;
    let at = |place: u32| begin.wrapping_add(place).wrapping_sub(1000);
    let segments = [
        (at(u32::MAX), SYN, &[][..]),
        (at(300), ACK, &stream[300..600]),
        (at(0), ACK, &stream[..300]),
        (at(600), ACK | FIN, &stream[600..]),
    ];
    assert_eq!(bodies(&read(&flow(&segments))), [invite(1, 100), invite(2, 200)]);
}

#[test]
fn a_capture_that_begins_inside_a_message_finds_the_next() {
    let stream = two();
    let read = read(&flow(&[(77, ACK, &stream[77..500]), (500, ACK, &stream[500..])]));
    assert_eq!(bodies(&read), [invite(2, 200)]);
    assert!(read.counts.skipped_bytes > 0);
}

#[test]
fn a_gap_leaves_the_message_unfinished_and_the_next_is_read() {
    let stream = [two(), invite(3, 0)].concat();
    let lost = 450..460;
    let segments = [(u32::MAX, SYN, &[][..]), (0, ACK, &stream[..lost.start]), (460, ACK, &stream[lost.end..])];
    let read = read(&flow(&segments));
    assert_eq!(bodies(&read), [invite(1, 100), stream[invite(1, 100).len()..450].to_vec(), invite(3, 0)]);
    assert_eq!((read.counts.gaps, read.counts.truncated), (1, 1));
    assert!(read.messages[1].missing > 0);
}

#[test]
fn a_gap_is_passed_while_the_capture_goes_on() {
    let stream: Vec<u8> = (1..=40).flat_map(|call| invite(call, 0)).collect();
    let begin = invite(1, 0).len() + 10;
    let mut packets = vec![ipv4(TCP, &tcp(999, SYN, &[])), ipv4(TCP, &tcp(1000, ACK, &stream[..begin]))];
    for (index, chunk) in stream[begin + 5..].chunks(400).enumerate() {
        packets.extend(std::iter::repeat_n(ipv4(UDP, &[0; 8]), 500));
        let place = u32::try_from(1000 + begin + 5 + index * 400).unwrap();
        packets.push(ipv4(TCP, &tcp(place, ACK, chunk)));
    }
    let mut early = 0;
    let count = u64::try_from(packets.len()).unwrap();
    let read = read(&pcap(RAW, &packets));
    early += read.messages.iter().filter(|message| message.frame < count - 1000).count();
    assert!(early > 20, "the calls behind the gap wait for the end: {early}");
    assert_eq!(read.counts.gaps, 1);
}

#[test]
fn a_segment_that_the_snapshot_length_cut_is_a_gap() {
    let stream = two();
    let packets = [ipv4(TCP, &tcp(1000, ACK, &stream)), ipv4(TCP, &tcp(1000 + length(&stream), ACK, &invite(3, 0)))];
    let read = read(&pcap_cut(RAW, &packets, 44 + 700));
    assert_eq!(read.messages.len(), 3);
    // Its Content-Length is behind the cut: how much is missing cannot be told.
    assert_eq!((read.messages[1].missing, read.messages[2].missing), (1, 0));
    assert_eq!(*read.messages[2].bytes, invite(3, 0));
}

#[test]
fn a_new_connection_of_the_same_ports_begins_anew() {
    let (one, other) = (invite(1, 0), invite(2, 0));
    let segments = [
        (u32::MAX, SYN, &[][..]),
        (0, ACK, &one[..100]),
        (70_000, SYN, &[]),
        (70_001, ACK, &other),
        (70_000, SYN, &[]),
        (70_001 + length(&other), ACK, &one),
    ];
    let read = read(&flow(&segments));
    assert_eq!(bodies(&read), [one[..100].to_vec(), other, one]);
}

#[test]
fn websocket_messages_come_out_unmasked_and_put_together_rfc_7118() {
    let mask = Some([0x37, 0xfa, 0x21, 0x3d]);
    let hello = b"GET / HTTP/1.1\r\nHost: us.example\r\nUpgrade: WebSocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    let (one, two) = (invite(1, 10), invite(2, 500));
    let stream = [
        hello.to_vec(),
        frame(0x81, mask, &one),
        frame(0x89, mask, b"ping"),
        frame(0x02, mask, &two[..300]),
        frame(0x8a, mask, b""),
        frame(0x80, mask, &two[300..]),
        frame(0x81, None, &one),
        // RFC 7692: compressed, which cannot be read.
        frame(0xc1, mask, &one),
        frame(0x81, mask, &two),
    ]
    .concat();
    for size in [1, 50, 1460] {
        let chunks = stream.chunks(size).enumerate();
        let segments: Vec<_> =
            chunks.map(|(index, chunk)| (u32::try_from(index * size).unwrap(), ACK, chunk)).collect();
        let read = read(&flow(&segments));
        assert_eq!(bodies(&read), [one.clone(), two.clone(), one.clone(), two.clone()], "segments of {size}");
        assert!(read.messages.iter().all(|message| message.transport == Transport::WebSocket));
        assert_eq!(read.counts.websocket_unread, 1);
    }
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let read = read(&flow(&[(0, ACK, &[&answer[..], &frame(0x81, None, &one)].concat())]));
    assert_eq!(bodies(&read), [one]);
}

#[test]
fn a_websocket_that_was_open_before_the_capture_is_known_by_its_sip() {
    let stream = [frame(0x81, Some([1, 2, 3, 4]), &invite(1, 0)), frame(0x81, None, &invite(2, 0))].concat();
    assert_eq!(bodies(&read(&flow(&[(0, ACK, &stream)]))), [invite(1, 0), invite(2, 0)]);
}

#[test]
fn hep_over_tcp_is_unpacked_and_tls_counted() {
    let stream = [hep(&invite(1, 0)), hep(&invite(2, 0))].concat();
    let segments: Vec<_> =
        stream.chunks(100).enumerate().map(|(i, chunk)| (u32::try_from(i * 100).unwrap(), ACK, chunk)).collect();
    let got = read(&flow(&segments));
    assert_eq!(bodies(&got), [invite(1, 0), invite(2, 0)]);
    assert_eq!(got.counts.hep, 2);
    let tls = read(&flow(&[(0, ACK, &[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]), (10, ACK, &invite(1, 0))]));
    assert_eq!((tls.messages.len(), tls.counts.tls), (0, 1));
}

#[test]
fn other_protocols_cost_nothing_and_a_message_too_long_is_counted() {
    let page = [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec(), vec![b'x'; 60_000]].concat();
    let segments: Vec<_> =
        page.chunks(1460).enumerate().map(|(i, chunk)| (u32::try_from(i * 1460).unwrap(), ACK, chunk)).collect();
    let got = read(&flow(&segments));
    assert_eq!((got.messages.len(), got.counts.losses().len()), (0, 0));

    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let stream = [invite(1, 2000), b"\r\n".to_vec(), invite(2, 0)].concat();
    let segments: Vec<_> =
        stream.chunks(100).enumerate().map(|(i, chunk)| (u32::try_from(i * 100).unwrap(), ACK, chunk)).collect();
    let got = read_within(&flow(&segments), limits);
    assert_eq!((bodies(&got), got.counts.messages_too_long), (vec![invite(2, 0)], 1));
}

#[test]
fn connections_beyond_the_limit_are_dropped_longest_unused_first() {
    let mut limits = Limits::default();
    limits.flows = 8;
    let half = |port: u16, bytes: &[u8], place: u32| {
        let mut segment = tcp(place, ACK, bytes);
        segment[..2].copy_from_slice(&port.to_be_bytes());
        ipv4(TCP, &segment)
    };
    let message = invite(1, 0);
    let mut packets: Vec<_> = (1..=20).map(|port| half(port, &message[..100], 0)).collect();
    packets.extend((1..=20).rev().map(|port| half(port, &message[100..], 100)));
    let read = read_within(&pcap(RAW, &packets), limits);
    let whole = read.messages.iter().filter(|message| message.missing == 0);
    assert_eq!(whole.map(|message| message.source.port()).collect::<Vec<_>>(), [20, 19, 18, 17, 16, 15, 14, 13]);
    assert_eq!(read.counts.flows_dropped, 12);
}
