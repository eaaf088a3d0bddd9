//! Whatever the order and wherever the cuts, the messages are the same; and no bytes make a panic.

use proptest::prelude::*;
use stirtrace::capture::Limits;

use crate::build::*;
use crate::{Read, read, read_within};

fn bodies(read: &Read) -> Vec<Vec<u8>> {
    read.messages.iter().map(|message| message.bytes.to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fragments_in_any_order_give_the_same_message(
        padding in 0..6000_usize, size in 10..200_usize, seed in any::<prop::sample::Index>(), swaps in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..60),
    ) {
        let message = invite(1, padding);
        let mut parts = ipv4_parts(9, &udp(&message), (size + padding / 256) * 8);
        for [one, other] in &swaps {
            let length = parts.len();
            parts.swap(one.index(length), other.index(length));
        }
        // One of them twice: an exact duplicate is ignored, before the datagram is whole.
        let twice = parts[seed.index(parts.len())].clone();
        let is_part = parts.len() > 1;
        parts.insert(0, twice);
        let read = read(&pcap(RAW, &parts));
        prop_assert_eq!(bodies(&read), vec![message; if is_part { 1 } else { 2 }]);
        prop_assert_eq!(read.counts.overlapping, 0);
    }

    #[test]
    fn segments_cut_anywhere_and_in_any_order_give_the_same_messages(
        paddings in prop::collection::vec(0..2000_usize, 1..5), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        swaps in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..40), start in any::<u32>(), reach in 0..50_usize,
    ) {
        let messages: Vec<_> = paddings.iter().enumerate().map(|(call, padding)| invite(call, *padding)).collect();
        let stream = messages.concat();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        places.dedup();
        // Each segment reaches into the next: what comes twice is taken once.
        let mut segments: Vec<_> = places.windows(2).map(|pair| {
            let end = (pair[1] + reach).min(stream.len());
            ipv4(TCP, &tcp(start.wrapping_add(u32::try_from(pair[0]).unwrap()), ACK, &stream[pair[0]..end]))
        }).collect();
        for [one, other] in &swaps {
            let length = segments.len();
            segments.swap(one.index(length), other.index(length));
        }
        segments.insert(0, ipv4(TCP, &tcp(start.wrapping_sub(1), SYN, &[])));
        let read = read(&pcap(RAW, &segments));
        prop_assert_eq!(bodies(&read), messages);
        prop_assert_eq!(read.counts.losses(), vec![]);
    }

    #[test]
    fn no_bytes_of_a_packet_make_a_panic(link in prop::sample::select(vec![0_u32, 1, 9, 101, 108, 113, 276]), packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..20)) {
        let read = read(&pcap(link, &packets));
        prop_assert_eq!(read.counts.frames, u64::try_from(packets.len()).unwrap());
    }

    #[test]
    fn no_damage_to_a_capture_makes_a_panic(at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), ng in any::<bool>()) {
        let packets = [
            vec![ethernet(0x0800, &ipv4(UDP, &udp(&invite(1, 0))))],
            ipv4_parts(3, &udp(&invite(2, 2000)), 800).iter().map(|part| ethernet(0x0800, part)).collect(),
            vec![ethernet(0x0800, &ipv4(TCP, &tcp(5, ACK, &invite(3, 0)))), ethernet(0x86dd, &ipv6(17, &udp(&invite(4, 0))))],
        ].concat();
        let mut file = if ng {
            let blocks = packets.iter().map(|packet| enhanced(0, 7, packet));
            [section(), interface(1, &[9, 0, 1, 0, 9, 0, 0, 0])].into_iter().chain(blocks).collect::<Vec<_>>().concat()
        } else {
            pcap(ETHERNET, &packets)
        };
        for (place, byte) in at {
            let length = file.len();
            file[place.index(length)] = byte;
        }
        let mut tight = Limits::default();
        (tight.datagrams, tight.flows, tight.message_bytes, tight.gap_bytes) = (2, 2, 500, 300);
        for limits in [Limits::default(), tight] {
            let read = read_within(&file, limits);
            prop_assert!(read.messages.len() <= packets.len() * 2);
        }
    }
}
