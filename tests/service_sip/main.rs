//! The SIP front end over real sockets: sipp signs and verifies through it, Kamailio asks it, and peers that misbehave do
//! not get in the way of others. What needs other programs is skipped, with a word, where they are not installed.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files and the clock, and may panic")]

mod front_end;
mod kamailio;
mod secured;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use front_end::{CALLED, FrontEnd, SLOW, forged, identity, scenario, sipp};
use stirtrace::passport::Attestation;

fn request(method: &str, number: usize, called: &str) -> String {
    format!(
        "{method} sip:+{called}@prairie.example SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{number};rport\r\n\
         From: <sip:+12155550112@twill.example>;tag=1\r\nTo: <sip:+{called}@prairie.example>\r\nCall-ID: {number}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Reads answers until there are so many, or the stream ends.
fn answers(stream: &mut TcpStream, wanted: usize) -> Vec<String> {
    let (mut text, mut buffer) = (String::new(), [0; 65_536]);
    while text.matches("\r\n\r\n").count() < wanted {
        let length = stream.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        text += std::str::from_utf8(&buffer[..length]).unwrap();
    }
    text.split_terminator("\r\n\r\n").map(str::to_owned).collect()
}

#[test]
fn sipp_has_its_calls_signed_and_verified() {
    let front_end = FrontEnd::start(|_| {});
    let text = scenario("sip_sign_and_verify");
    for (to, transport) in [(front_end.udp, "u1"), (front_end.tcp, "t1"), (front_end.tcp, "tn")] {
        if sipp(&text, to, &["-t", transport, "-m", "200", "-r", "100", "-l", "50"]).is_none() {
            return;
        }
    }
    for (counts, calls) in front_end.counts().iter().zip([400, 800]) {
        assert_eq!(counts.messages.responses.get(&302), Some(&calls), "{counts:?}");
        assert_eq!((counts.messages.pending, counts.connections_broken), (0, 0));
    }
}

#[test]
fn sipp_gets_each_verdict_as_its_response() {
    let front_end = FrontEnd::start(|_| {});
    let good = || identity(Attestation::B, CALLED, 0);
    let forged = || forged(&good());
    let late = || identity(Attestation::A, CALLED, 90);
    // Folded fields are not among them: sipp does not send them folded.
    let cases: [(&dyn Fn() -> String, u16, &str, &str); 7] = [
        (&|| format!("Identity: {}", good()), 302, "P-Asserted-Identity", "12155550112;verstat=TN-Validation-Passed@"),
        (&|| format!("y: {}", good()), 302, "P-Attestation-Indicator", "B"),
        (&|| format!("Identity: {},{}", forged(), good()), 302, "P-Asserted-Identity", "verstat=TN-Validation-Passed@"),
        (&|| format!("Identity: {}\nIdentity: {}", forged(), good()), 302, "Reason", "STIR ;cause=438"),
        (&|| format!("Identity: {}", forged()), 438, "Reason", "STIR ;cause=438"),
        (&|| format!("Identity: {}", late()), 302, "Reason", "STIR ;cause=403"),
        (&|| "Identity: nonsense".to_owned(), 302, "P-Asserted-Identity", "verstat=No-TN-Validation@"),
    ];
    for (fields, code, field, holds) in cases {
        for (to, transport) in [(front_end.udp, "u1"), (front_end.tcp, "t1")] {
            let text = scenario("sip_verify").replace("@@FIELDS@@", &fields()).replace("@@CODE@@", &code.to_string());
            let text = text.replace("@@FIELD@@", field).replace("@@HOLDS@@", holds);
            if sipp(&text, to, &["-t", transport, "-m", "1"]).is_none() {
                return;
            }
        }
    }
}

#[test]
fn sipp_keeps_alive_and_gives_up() {
    let front_end = FrontEnd::start(|_| {});
    for (name, calls) in [("sip_options", "20"), ("sip_cancel", "5")] {
        for (to, transport) in [(front_end.udp, "u1"), (front_end.tcp, "t1")] {
            if sipp(&scenario(name), to, &["-t", transport, "-m", calls]).is_none() {
                return;
            }
        }
    }
    for counts in &front_end.counts()[..2] {
        assert_eq!(counts.messages.responses.get(&487), Some(&5), "{counts:?}");
        assert_eq!(counts.messages.responses.get(&302), None);
    }
}

#[test]
fn a_stream_is_cut_where_its_messages_end() {
    let front_end = FrontEnd::start(|_| {});
    let mut stream = front_end.connect();
    let text: String = (0..20).map(|number| request("OPTIONS", number, "12155550131")).collect();
    for piece in text.as_bytes().chunks(97) {
        stream.write_all(piece).unwrap();
    }
    let found = answers(&mut stream, 20);
    assert_eq!(found.len(), 20);
    for (number, answer) in found.iter().enumerate() {
        assert!(
            answer.starts_with("SIP/2.0 200 OK\r\n") && answer.contains(&format!("\r\nCall-ID: {number}\r\n")),
            "{answer}"
        );
    }
    // RFC 5626 §4.4.1.
    stream.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
    // RFC 3261 §18.3: nobody knows where the next message begins.
    stream.write_all(request("OPTIONS", 99, "12155550131").replace("Content-Length: 0\r\n", "").as_bytes()).unwrap();
    assert!(answers(&mut stream, 2)[0].starts_with("SIP/2.0 400 Missing Content-Length\r\n"));
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "it is closed");
}

#[test]
fn who_stalls_is_cut_off_and_keeps_nobody_waiting() {
    let front_end = FrontEnd::start(|settings| {
        settings.limits.message = Duration::from_secs(1);
        settings.limits.idle = Duration::from_secs(3);
        settings.limits.connections_per_address = 20;
    });
    // Half a message, a message drop by drop, an endless one, and nothing at all.
    let half = request("INVITE", 1, "12155550131");
    let mut stalled: Vec<TcpStream> = (0..15).map(|_| front_end.connect()).collect();
    for stream in &mut stalled[..5] {
        stream.write_all(&half.as_bytes()[..60]).unwrap();
    }
    let mut endless = front_end.connect();
    let writer = std::thread::spawn(move || {
        let mut sent = 0_usize;
        while sent < 64 << 20 && endless.write_all(&[b'x'; 65_536]).is_ok() {
            sent += 65_536;
        }
        sent
    });
    // Calls that wait long, from one connection.
    let mut greedy = front_end.connect();
    let text: String = (100..600).map(|number| request("INVITE", number, SLOW)).collect();
    greedy.write_all(text.as_bytes()).unwrap();
    let began = SystemTime::now();
    let mut other = front_end.connect();
    other.write_all(request("INVITE", 2, "12155550131").as_bytes()).unwrap();
    assert!(answers(&mut other, 1)[0].starts_with("SIP/2.0 302 "));
    assert!(began.elapsed().unwrap() < Duration::from_secs(3), "somebody else's trouble");
    assert!(writer.join().unwrap() < 16 << 20, "an endless message is cut off");
    for stream in &mut stalled[..5] {
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "half a message has its second, no more");
    }
    assert!(began.elapsed().unwrap() < Duration::from_secs(3));
    for stream in &mut stalled[5..] {
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "a silent connection has its time");
    }
    let counts = &front_end.counts()[1];
    assert_eq!(counts.connections_broken, 6, "{counts:?}");
    assert!(counts.messages.pending <= 250, "one connection has its share: {counts:?}");
}

#[test]
fn connections_have_a_limit() {
    let front_end = FrontEnd::start(|settings| settings.limits.connections_per_address = 3);
    let mut first: Vec<TcpStream> = (0..3).map(|_| front_end.connect()).collect();
    for stream in &mut first {
        stream.write_all(request("OPTIONS", 1, "12155550131").as_bytes()).unwrap();
        assert_eq!(answers(stream, 1).len(), 1);
    }
    let mut more = front_end.connect();
    assert!(matches!(more.read(&mut [0; 9]), Ok(0) | Err(_)), "one too many");
    drop(first.pop());
    std::thread::sleep(Duration::from_millis(200));
    let mut again = front_end.connect();
    again.write_all(request("OPTIONS", 2, "12155550131").as_bytes()).unwrap();
    assert_eq!(answers(&mut again, 1).len(), 1);
    assert_eq!(front_end.counts()[1].connections_refused, 1);
}

#[test]
fn a_flood_of_nonsense_is_not_answered_and_stops_nobody() {
    let front_end = FrontEnd::start(|_| {});
    let socket = front_end.socket();
    for number in 0..2_000_u32 {
        let noise: Vec<u8> =
            (0..200).map(|index| u8::try_from((number * 31 + index * index * 7) % 256).unwrap()).collect();
        let _ = socket.send(&noise);
        let _ = socket
            .send(format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h.example\r\nCall-ID: {number}\r\n\r\n").as_bytes());
    }
    let mut buffer = [0; 2_000];
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    // What the flood has crowded out is said again (RFC 3261 §17.1.2.2).
    let answered = (0..20).find_map(|_| {
        socket.send(request("OPTIONS", 1, "12155550131").as_bytes()).unwrap();
        socket.recv(&mut buffer).ok()
    });
    let length = answered.expect("an answer to the one that makes sense");
    assert!(
        buffer[..length]
            .starts_with(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1;received=127.0.0.1")
    );
    while let Ok(length) = socket.recv(&mut buffer) {
        assert!(buffer[..length].starts_with(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP"), "nonsense was answered");
    }
}

#[test]
fn what_waits_is_answered_before_the_end() {
    let mut front_end = FrontEnd::start(|_| {});
    let mut stream = front_end.connect();
    stream.write_all(request("INVITE", 1, SLOW).as_bytes()).unwrap();
    assert!(answers(&mut stream, 1)[0].starts_with("SIP/2.0 100 Trying"));
    let service = front_end.service.take().unwrap();
    let reader = std::thread::spawn(move || answers(&mut stream, 1));
    front_end.runtime.block_on(service.stop(Duration::from_secs(20)));
    assert!(reader.join().unwrap()[0].starts_with("SIP/2.0 302 "));
}
