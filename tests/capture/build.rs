//! Packets and files made by hand, layer by layer, each as its standard draws it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub(crate) const CALLER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
pub(crate) const CALLED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
pub(crate) const CALLER_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
pub(crate) const CALLED_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);

/// The second at which every capture begins.
pub(crate) const BEGIN: u32 = 1_777_896_001;

pub(crate) fn way() -> (SocketAddr, SocketAddr) {
    (SocketAddr::new(IpAddr::V4(CALLER), 5060), SocketAddr::new(IpAddr::V4(CALLED), 5060))
}

/// A message with a body, so many bytes of padding in its header, and a Call-ID of its own.
pub(crate) fn invite(call: usize, padding: usize) -> Vec<u8> {
    let body = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\n";
    format!(
        "INVITE sip:+12155550131@us.example SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{call}\r\n\
         From: <sip:+12155550112@twill.example>;tag={call}\r\nTo: <sip:+12155550131@us.example>\r\n\
         Call-ID: {call}@twill.example\r\nCSeq: 1 INVITE\r\nX-Padding: {}\r\nContent-Length: {}\r\n\r\n{body}",
        "p".repeat(padding),
        body.len(),
    )
    .into_bytes()
}

pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    udp_between(5060, 5060, payload)
}

/// RFC 768; the checksum is left out, as senders may.
pub(crate) fn udp_between(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    [&source.to_be_bytes()[..], &destination.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const FIN: u8 = 0x01;

/// RFC 9293 §3.1, with a timestamp option's worth of padding.
pub(crate) fn tcp(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let head = [&5060_u16.to_be_bytes()[..], &5060_u16.to_be_bytes(), &sequence.to_be_bytes(), &[0; 4]].concat();
    [&head[..], &[0x60, flags, 0xff, 0xff, 0, 0, 0, 0], &[1, 1, 1, 0], payload].concat()
}

pub(crate) const UDP: u8 = 17;
pub(crate) const TCP: u8 = 6;

pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_part(protocol, 7, 0, false, payload)
}

/// RFC 791 §3.1; `offset` in bytes.
pub(crate) fn ipv4_part(protocol: u8, identification: u16, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(payload.len() + 20).unwrap();
    let flags = u16::try_from(offset / 8).unwrap() | if more { 0x2000 } else { 0 };
    let head = [&[0x45, 0][..], &total.to_be_bytes(), &identification.to_be_bytes(), &flags.to_be_bytes()].concat();
    [&head[..], &[64, protocol, 0, 0], &CALLER.octets(), &CALLED.octets(), payload].concat()
}

/// RFC 8200 §3.
pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let head = [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[next, 64]].concat();
    [&head[..], &CALLER_6.octets(), &CALLED_6.octets(), payload].concat()
}

/// RFC 8200 §4.5.
pub(crate) fn ipv6_part(next: u8, identification: u32, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let flags = u16::try_from(offset).unwrap() | u16::from(more);
    let head = [&[next, 0][..], &flags.to_be_bytes(), &identification.to_be_bytes()].concat();
    ipv6(44, &[&head[..], payload].concat())
}

/// A datagram in fragments of so many bytes, a multiple of eight.
pub(crate) fn ipv4_parts(identification: u16, datagram: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = datagram.len().div_ceil(size) - 1;
    let chunks = datagram.chunks(size).enumerate();
    chunks.map(|(index, chunk)| ipv4_part(UDP, identification, index * size, index < last, chunk)).collect()
}

pub(crate) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &kind.to_be_bytes(), payload].concat()
}

pub(crate) const ETHERNET: u32 = 1;
pub(crate) const RAW: u32 = 101;

/// A pcap file, little-endian with microseconds, each packet a millisecond after the one before.
pub(crate) fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    pcap_cut(link, packets, usize::MAX)
}

/// The same with a snapshot length.
pub(crate) fn pcap_cut(link: u32, packets: &[Vec<u8>], snapshot: usize) -> Vec<u8> {
    let mut file = [&0xa1b2_c3d4_u32.to_le_bytes()[..], &[2, 0, 4, 0], &[0; 8], &[0xff, 0xff, 0, 0]].concat();
    file.extend(link.to_le_bytes());
    for (index, packet) in packets.iter().enumerate() {
        let held = &packet[..packet.len().min(snapshot)];
        let index = u32::try_from(index).unwrap();
        let numbers = [BEGIN + index / 1000, index % 1000 * 1000, length(held), length(packet)];
        file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        file.extend(held);
    }
    file
}

pub(crate) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// A block of a pcapng file (draft-ietf-opsawg-pcapng §3.1).
pub(crate) fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
    let total = (length(&padded) + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &total, &padded, &total].concat()
}

pub(crate) fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat())
}

pub(crate) fn interface(link: u16, options: &[u8]) -> Vec<u8> {
    block(1, &[&link.to_le_bytes()[..], &[0; 6], options].concat())
}

pub(crate) fn enhanced(interface: u32, units: u64, packet: &[u8]) -> Vec<u8> {
    let [high, low] = [units >> 32, units & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
    let numbers = [interface, high, low, length(packet), length(packet)].map(u32::to_le_bytes).concat();
    block(6, &[&numbers[..], packet].concat())
}

/// A HEPv3 packet of a message.
pub(crate) fn hep(payload: &[u8]) -> Vec<u8> {
    let chunk = |kind: u16, value: &[u8]| {
        let size = u16::try_from(value.len() + 6).unwrap();
        [&[0, 0][..], &kind.to_be_bytes(), &size.to_be_bytes(), value].concat()
    };
    let chunks = [
        chunk(1, &[2]),
        chunk(2, &[17]),
        chunk(3, &CALLER.octets()),
        chunk(4, &CALLED.octets()),
        chunk(7, &5060_u16.to_be_bytes()),
        chunk(8, &5060_u16.to_be_bytes()),
        chunk(9, &BEGIN.to_be_bytes()),
        chunk(10, &250_000_u32.to_be_bytes()),
        chunk(11, &[1]),
        chunk(15, payload),
    ]
    .concat();
    [&b"HEP3"[..], &u16::try_from(chunks.len() + 6).unwrap().to_be_bytes(), &chunks].concat()
}

/// A WebSocket frame (RFC 6455 §5.2), masked if a client sent it.
pub(crate) fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let flag = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(flag | u8::try_from(short).unwrap()),
        long => {
            bytes.push(flag | 126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    bytes.extend(mask.iter().flatten());
    let mask = mask.unwrap_or_default();
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
