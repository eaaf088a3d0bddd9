//! pcap, pcapng and HEP files: byte orders, times, sections, damage.

use stirtrace::capture::{CaptureTime, Error, Transport, is_capture};

use crate::build::*;
use crate::{only, read};

fn raw() -> Vec<u8> {
    ipv4(UDP, &udp(&invite(1, 0)))
}

#[test]
fn a_pcap_file_is_read_in_both_byte_orders_and_both_fractions_of_a_second() {
    for (magic, fraction) in [(0xa1b2_c3d4_u32, 250_000_u32), (0xa1b2_3c4d, 250_000_000)] {
        let packet = raw();
        let numbers = [magic, 0x0002_0004, 0, 0, 65_535, RAW, BEGIN, fraction, length(&packet), length(&packet)];
        let big: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let little: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        for head in [big, little] {
            assert!(is_capture(&head[..12]));
            let message = only(&[head, packet.clone()].concat());
            assert_eq!(message.time, Some(CaptureTime::new(i64::from(BEGIN), 250_000_000)));
            assert_eq!((message.frame, message.transport), (1, Transport::Udp));
            assert_eq!((message.source, message.destination), way());
            assert_eq!(*message.bytes, invite(1, 0));
        }
    }
}

#[test]
fn a_pcapng_file_has_sections_interfaces_resolutions_and_blocks_that_do_not_matter() {
    let file = [
        section(),
        block(0x0000_0bad, b"a block of somebody's own"),
        interface(1, &[]),
        // if_tsresol 10^-9 on the second interface, of raw IP; if_tsoffset -1 s.
        interface(101, &[&[9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0][..], &(-1_i64).to_le_bytes(), &[0; 4]].concat()),
        enhanced(0, u64::from(BEGIN) * 1_000_000 + 5, &ethernet(0x0800, &raw())),
        enhanced(1, u64::from(BEGIN) * 1_000_000_000 + 7, &raw()),
        // Name resolution, decryption secrets.
        block(4, &[0; 8]),
        block(10, b"secrets."),
        section(),
        interface(101, &[]),
        // A Simple Packet Block has no time.
        block(3, &[&length(&raw()).to_le_bytes()[..], &raw()].concat()),
        // An old Packet Block: interface, drops, time, lengths.
        block(
            2,
            &[&[0; 4][..], &[0; 8], &length(&raw()).to_le_bytes(), &length(&raw()).to_le_bytes(), &raw()].concat(),
        ),
    ]
    .concat();
    let read = read(&file);
    assert_eq!(read.error, None);
    let times: Vec<_> = read.messages.iter().map(|message| (message.frame, message.time)).collect();
    let at = |seconds: u32, nanoseconds| Some(CaptureTime::new(i64::from(seconds), nanoseconds));
    assert_eq!(times, [(1, at(BEGIN, 5000)), (2, at(BEGIN - 1, 7)), (3, None), (4, at(0, 0))]);
    assert!(read.messages.iter().all(|message| *message.bytes == invite(1, 0)));
}

#[test]
fn a_pcapng_file_of_the_other_byte_order_is_read() {
    let swapped = |kind: u32, body: &[u8]| {
        let total = (length(body) + 12).to_be_bytes();
        [&kind.to_be_bytes()[..], &total, body, &total].concat()
    };
    let packet = [raw(), vec![0; raw().len().next_multiple_of(4) - raw().len()]].concat();
    let numbers = [0, 0, 7, length(&raw()), length(&raw())].map(u32::to_be_bytes).concat();
    let file = [
        swapped(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_be_bytes()[..], &[0, 1, 0, 0], &[0xff; 8]].concat()),
        swapped(1, &[0, 101, 0, 0, 0, 0, 0, 0]),
        swapped(6, &[&numbers[..], &packet].concat()),
    ];
    assert_eq!(*only(&file.concat()).bytes, invite(1, 0));
}

#[test]
fn a_hep_file_names_the_addresses_and_the_time_that_the_switch_saw() {
    let message = only(&[hep(&invite(1, 0))].concat());
    assert_eq!((message.source, message.destination), way());
    assert_eq!(message.time, Some(CaptureTime::new(i64::from(BEGIN), 250_000_000)));
    assert_eq!((message.frame, &*message.bytes), (1, &invite(1, 0)[..]));
    let two = read(&[hep(&invite(1, 0)), hep(b"not SIP"), hep(b"\r\n\r\n"), hep(&invite(2, 0))].concat());
    assert_eq!((two.messages.len(), two.counts.hep, two.counts.hep_unread), (2, 4, 1));
    assert_eq!(two.messages[1].frame, 4);
}

#[test]
fn a_file_that_ends_inside_a_packet_says_so_and_gives_what_came_before() {
    let whole = pcap(RAW, &[raw(), raw()]);
    for missing in 1..raw().len() + 16 {
        let read = read(&whole[..whole.len() - missing]);
        assert_eq!(read.error, Some(Error::CutShort { frame: 2 }), "{missing} bytes missing");
        assert_eq!(read.messages.len(), 1);
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let mut absurd = pcap(RAW, &[raw()]);
    absurd[24 + 8..24 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read(&absurd).error, Some(Error::PacketTooLong { frame: 1, length: u64::from(u32::MAX) }));

    let mut lengths = [section(), interface(101, &[]), enhanced(0, 0, &raw())].concat();
    *lengths.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&lengths).error, Some(Error::DamagedBlock { frame: 0, .. })));

    let stranger = [section(), interface(101, &[]), enhanced(1, 0, &raw())].concat();
    assert_eq!(read(&stranger).error, Some(Error::UnknownInterface { frame: 1, interface: 1 }));

    for nothing in [&b""[..], b"\xa1", b"INVITE sip:x SIP/2.0\r\n\r\n", &[0; 100]] {
        assert_eq!(read(nothing).error, Some(Error::NotACapture));
    }
}

#[test]
fn a_packet_that_the_snapshot_length_cut_is_named_as_such() {
    let packet = raw();
    let cut = 20 + 8 + 200;
    let read = read(&pcap_cut(RAW, &[packet], cut));
    assert_eq!(read.error, None);
    assert_eq!(read.counts.truncated, 1);
    assert_eq!(*read.messages[0].bytes, invite(1, 0)[..200]);
    assert_eq!(read.messages[0].missing, invite(1, 0).len() - 200);
}
