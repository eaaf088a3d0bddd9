//! What a redirect server does with whatever arrives.

use stirtrace::number::NumberPlan;
use stirtrace::service::sip::{Outcome, Role, Server, SipSettings, Source, Step};
use stirtrace::sip::message::{Message, StartLine};
use stirtrace::time::UnixTime;

/// Datagrams, with the byte 255 between them, a tenth of a second apart: what leaves is whole responses, to those who
/// asked, and never more than one for each time that somebody asked or a timer fired.
pub fn sip_server(data: &[u8]) {
    for source in [Source::udp(PEER.parse().unwrap()), Source::tcp(PEER.parse().unwrap(), 1)] {
        let mut server = Server::new(SipSettings::default(), Role::ByIdentity, NumberPlan::NORTH_AMERICAN, [1; 32]);
        let mut now = 0;
        for packet in data.split(|byte| *byte == 255).take(8) {
            now += 100;
            let messages = match server.receive(packet, source, now) {
                Step::Send(messages) => messages,
                Step::Judge(job) => server.conclude(job.ticket, &outcome(packet), now).into_iter().collect(),
                _ => Vec::new(),
            };
            assert!(messages.len() <= 2, "a CANCEL has two answers, everything else one");
            assert!(messages.is_empty() || asks(packet), "an answer to what asks for none");
            messages.iter().for_each(|message| check(&message.bytes));
            server.tick(now).iter().for_each(|message| check(&message.bytes));
        }
        assert!(server.counts().transactions <= 8);
        (0..80).for_each(|step| drop(server.tick(now + step * 500)));
        assert_eq!(server.counts().transactions, 0, "something stays for ever");
    }
}

const PEER: &str = "192.0.2.1:5060";

fn outcome(packet: &[u8]) -> Outcome {
    match packet.len() % 2 {
        0 => Outcome::Unsigned,
        _ => Outcome::Signed {
            identity: "a.b.c;info=<https://c.example/1>".to_owned(),
            at: UnixTime::from_seconds(1_777_896_001),
        },
    }
}

/// Whether it is a request other than an ACK.
fn asks(packet: &[u8]) -> bool {
    let Ok((message, _)) = Message::parse_truncated(packet) else { return false };
    matches!(message.start_line(), StartLine::Request { method, .. } if method != "ACK")
}

fn check(bytes: &[u8]) {
    assert!(bytes.len() <= 65_507);
    let (message, length) = Message::parse(bytes).unwrap();
    assert_eq!(length, bytes.len(), "more than one message");
    assert!(message.faults().is_empty());
    assert!(matches!(message.start_line(), StartLine::Response { code: 100..=699, .. }));
    assert_eq!(message.fields_named("content-length").count(), 1);
}
