//! Captures: no bytes make a panic or an unbounded table, and what was cut comes together as it was.

use stirtrace::capture::{Capture, CaptureTime, CapturedMessage, Counts, Dissector, Error, Limits};

/// Little enough that a short input reaches every limit.
fn tight() -> Limits {
    let mut limits = Limits::default();
    (limits.datagrams, limits.fragments, limits.fragment_bytes) = (3, 4, 2000);
    (limits.flows, limits.flow_bytes, limits.gap_bytes, limits.message_bytes) = (3, 3000, 500, 600);
    limits
}

fn read(file: &[u8], limits: Limits) -> (Vec<CapturedMessage<'static>>, Counts, Option<Error>) {
    let mut capture = Capture::new(file, limits);
    let (mut messages, mut error) = (Vec::new(), None);
    for item in capture.by_ref() {
        match item {
            Ok(message) => messages.push(message),
            Err(reason) => assert!(error.replace(reason).is_none(), "it ends twice"),
        }
    }
    let counts = *capture.counts();
    (messages, counts, error)
}

fn check(file: &[u8]) {
    for limits in [Limits::default(), tight()] {
        let (messages, counts, error) = read(file, limits);
        assert_eq!(u64::try_from(messages.len()).expect("few"), counts.messages);
        assert!(counts.truncated <= counts.messages && counts.reassembled <= counts.fragments);
        let mut last = 0;
        for message in &messages {
            assert!(message.frame >= last && message.frame <= counts.frames, "frames are out of order");
            assert!(!message.bytes.is_empty() && message.bytes.len() <= file.len() + (64 << 10));
            last = message.frame;
        }
        assert!(error.is_none_or(|error| !error.to_string().is_empty()));
    }
}

/// pcap: the data is what follows a good file header, whose link type its first byte chooses.
pub fn pcap(data: &[u8]) {
    check(data);
    let Some((choice, rest)) = data.split_first() else { return };
    let link = [1_u32, 0, 101, 113, 276, 108, 9, 229][usize::from(*choice % 8)];
    let head = [&0xa1b2_c3d4_u32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 12], &link.to_be_bytes()].concat();
    check(&[&head[..], rest].concat());
}

/// pcapng: the data is a file, and the blocks that follow a good section and interface.
pub fn pcapng(data: &[u8]) {
    check(data);
    let section = [&0x0a0d_0d0a_u32.to_le_bytes()[..], &[28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0], &[0xff; 8]];
    let interface = [1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
    check(&[&section.concat()[..], &[28, 0, 0, 0], &interface, data].concat());
}

/// HEP: the data as one packet, and as a file of packets.
pub fn hep(data: &[u8]) {
    check(&[b"HEP3", data].concat());
    let mut dissector = Dissector::new(tight());
    let mut messages = 0;
    dissector.hep(1, Some(CaptureTime::new(1, 0)), data, &mut |message| {
        assert!(message.bytes.len() <= data.len());
        messages += 1;
    });
    assert!(messages <= 1 && dissector.counts().hep == 1);
}

/// Reassembly: the data cuts two messages into fragments and segments, and puts them out of order.
pub fn reassembly(data: &[u8]) {
    let Some(([choice, size, padding], order)) = data.split_first_chunk::<3>() else { return };
    let messages = [invite(1, usize::from(*padding) * 8), invite(2, 40)];
    let is_udp = choice & 1 == 0;
    let mut packets = if is_udp { fragments(&messages, *size) } else { segments(&messages.concat(), *size, *choice) };
    for pair in order.chunks_exact(2).take(64) {
        let (one, other) = (usize::from(pair[0]) % packets.len(), usize::from(pair[1]) % packets.len());
        packets.swap(one, other);
    }
    if !is_udp {
        packets.insert(0, ip(6, 0, 0, &tcp(9, 0x02, &[])));
    }
    let mut file = [&0xa1b2_c3d4_u32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 12], &101_u32.to_be_bytes()].concat();
    for packet in &packets {
        let length = u32::try_from(packet.len()).expect("short");
        file.extend([1, 0, length, length].into_iter().flat_map(u32::to_be_bytes));
        file.extend(packet);
    }
    let (found, counts, error) = read(&file, Limits::default());
    assert_eq!(error, None);
    assert_eq!(counts.losses(), []);
    let mut found: Vec<_> = found.iter().map(|message| message.bytes.to_vec()).collect();
    found.sort();
    assert_eq!(found, messages, "not the messages that were sent");
}

fn invite(call: usize, padding: usize) -> Vec<u8> {
    let body = "SIP/2.0 200 OK\r\n\r\n";
    format!(
        "INVITE sip:{call}@us.example SIP/2.0\r\nCall-ID: {call}\r\nX: {}\r\nl: {}\r\n\r\n{body}",
        "p".repeat(padding),
        body.len()
    )
    .into_bytes()
}

fn fragments(messages: &[Vec<u8>], size: u8) -> Vec<Vec<u8>> {
    let size = (usize::from(size) % 100 + 2) * 8;
    let mut packets = Vec::new();
    for (identification, message) in (1_u16..).zip(messages) {
        let length = u16::try_from(message.len() + 8).expect("short");
        let datagram = [&[0x13, 0xc4, 0x13, 0xc4][..], &length.to_be_bytes(), &[0, 0], message].concat();
        let last = datagram.len().div_ceil(size) - 1;
        for (index, bytes) in datagram.chunks(size).enumerate() {
            let more = if index < last { 0x2000 } else { 0 };
            let offset = u16::try_from(index * size / 8).expect("short");
            packets.push(ip(17, identification, more | offset, bytes));
        }
    }
    packets
}

/// Segments of which each reaches into the next.
fn segments(stream: &[u8], size: u8, reach: u8) -> Vec<Vec<u8>> {
    let size = usize::from(size) + 1;
    let starts = (0..stream.len()).step_by(size);
    let cut = |start: usize| {
        let end = (start + size + usize::from(reach)).min(stream.len());
        let sequence = 10 + u32::try_from(start).expect("short");
        ip(6, 0, 0, &tcp(sequence, 0x10, &stream[start..end]))
    };
    starts.map(cut).collect()
}

fn tcp(sequence: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    let head = [&[0x13, 0xc4, 0x13, 0xc4][..], &sequence.to_be_bytes(), &[0, 0, 0, 0, 0x50, flags], &[0; 6]].concat();
    [&head[..], bytes].concat()
}

fn ip(protocol: u8, identification: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(payload.len() + 20).expect("short");
    let head = [&[0x45, 0][..], &total.to_be_bytes(), &identification.to_be_bytes(), &flags.to_be_bytes()].concat();
    [&head[..], &[64, protocol, 0, 0, 198, 51, 100, 7, 203, 0, 113, 9], payload].concat()
}
