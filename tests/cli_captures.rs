//! `stirtrace verify` on captures, run as its users run it: files, packed files, pipes, HEP; tshark is the oracle.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read and write files, and may panic")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod command;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

use command::{Desk, Run, certs};
use serde_json::Value;

const CALLS: usize = 60;

/// A desk with a capture of calls, and the certificates that signed them.
fn desk() -> Desk {
    let desk = Desk::new();
    let run = desk.run(["lab", "calls", "lab", "--pcap", "60", "--seed", "7"]);
    assert_eq!(run.code, 0, "{}", run.err);
    fs::rename(desk.path("lab/calls.pcap"), desk.path("calls.pcap")).unwrap();
    desk
}

const TRUST: [&str; 4] = ["--trust", "lab/certs/roots.pem", "--certs", "lab/certs/archive"];

fn verify(desk: &Desk, args: &[&str], input: &[u8]) -> Run {
    let args: Vec<&str> = ["verify"].into_iter().chain(TRUST).chain(args.iter().copied()).collect();
    desk.run_with(&args, input)
}

/// Where each packet of a little-endian pcap file lies.
fn packets(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let length = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap());
        let end = at + 16 + usize::try_from(length).unwrap();
        places.push(at..end);
        at = end;
    }
    places
}

#[test]
fn every_call_of_a_capture_is_judged_as_of_its_packet() {
    let desk = desk();
    let run = verify(&desk, &["calls.pcap"], b"");
    let calls = run.objects();
    assert_eq!(calls.len(), CALLS);
    let failed: Vec<_> = calls.iter().filter(|call| call["verdict"] != "passed").collect();
    assert!(failed.iter().all(|call| call["passports"][0]["error"]["kind"] == "DestMismatch"), "{failed:?}");
    assert_eq!(run.code, i32::from(!failed.is_empty()));
    assert_eq!(calls[0]["source"], serde_json::json!({"file": "calls.pcap", "frame": 3}));
    assert_eq!(calls[0]["captured"]["source"], "198.51.100.7:5060");
    assert_eq!(calls[0]["captured"]["transport"], "udp");
    assert_eq!(calls[1]["captured"]["transport"], "tcp");
    assert_eq!(calls[0]["at"], "2026-05-04T12:00:00Z", "not now, months or years later");
    // Judged now, they are stale.
    let run = verify(&desk, &["calls.pcap", "--at", "2026-06-04T12:00:00Z"], b"");
    assert_eq!(run.objects()[0]["passports"][0]["error"]["kind"], "StaleDate");
}

#[test]
fn a_packed_capture_and_one_from_a_pipe_give_the_same_calls() {
    let desk = desk();
    let file = fs::read(desk.path("calls.pcap")).unwrap();
    let plain = verify(&desk, &["-"], &file);
    assert_eq!(plain.objects().len(), CALLS);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&file).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(&file[..], 1).unwrap()] {
        assert_eq!(verify(&desk, &["-"], &packed).out, plain.out);
    }
}

#[test]
fn a_line_a_call_and_a_summary_are_what_people_read() {
    let desk = desk();
    let text = verify(&desk, &["calls.pcap", "--format", "text"], b"");
    assert_eq!(text.out.lines().count(), CALLS);
    assert!(text.out.starts_with("PASSED      A  1215555"), "{}", text.out);
    assert!(text.err.contains("60 SIP messages"), "{}", text.err);
    let summary = verify(&desk, &["calls.pcap", "--summary", "--format", "text"], b"");
    for words in
        ["60 signed calls", "by signer", "by attestation", "by verdict", "by source address", "by SPC and origid", "█"]
    {
        assert!(summary.out.contains(words), "no {words}: {}", summary.out);
    }
    let object = verify(&desk, &["calls.pcap", "--summary"], b"").objects().remove(0);
    let sum =
        |groups: &Value| groups.as_array().unwrap().iter().map(|group| group["calls"].as_u64().unwrap()).sum::<u64>();
    for groups in ["signers", "attestations", "verdicts", "sources", "origins"] {
        assert_eq!(sum(&object[groups]), 60, "{groups}");
    }
    assert_eq!(object["sources"][0]["name"], "198.51.100.7");
    let masked = verify(&desk, &["calls.pcap", "--format", "text", "--redact"], b"");
    assert!(masked.out.contains("198.51.100.7") && !masked.out.contains("2155550"), "{}", masked.out);
}

#[test]
fn a_request_sent_again_is_counted_and_another_leg_is_named() {
    let desk = desk();
    let file = fs::read(desk.path("calls.pcap")).unwrap();
    let first: Vec<u8> = packets(&file)[1..3].iter().flat_map(|place| file[place.clone()].to_vec()).collect();
    // The same packets from another address: the last octet of the source.
    let mut leg = first.clone();
    for place in packets(&[&file[..24], &leg].concat()) {
        leg[place.start - 24 + 16 + 14 + 15] = 8;
    }
    let capture = [&file[..24], &first, &first, &leg].concat();
    let run = verify(&desk, &["-"], &capture);
    let calls = run.objects();
    assert_eq!(calls.len(), 2);
    assert_eq!((&calls[0]["captured"]["leg_of"], &calls[1]["captured"]["leg_of"]), (&Value::Null, &2.into()));
    assert_eq!(calls[1]["captured"]["source"], "198.51.100.8:5060");
    assert!(run.err.contains("1 sent again"), "{}", run.err);
    let all = verify(&desk, &["-", "--all"], &capture).objects();
    assert_eq!(all[1]["captured"]["retransmission_of"], 2);
    let summary = verify(&desk, &["-", "--summary"], &capture).objects().remove(0);
    assert_eq!((&summary["calls"], &summary["legs"]), (&1.into(), &1.into()));
}

#[test]
fn what_the_snapshot_length_cut_is_said_not_guessed() {
    let desk = desk();
    let file = fs::read(desk.path("calls.pcap")).unwrap();
    let mut cut = file[..24].to_vec();
    for place in &packets(&file)[1..3] {
        let kept = (place.len() - 16).min(400);
        let mut packet = file[place.start..place.start + 16 + kept].to_vec();
        packet[8..12].copy_from_slice(&u32::try_from(kept).unwrap().to_le_bytes());
        cut.extend(packet);
    }
    let run = verify(&desk, &["-"], &cut);
    assert_eq!(run.code, 2);
    let detail = run.objects()[0]["error"]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("snapshot length"), "{detail}");
    let run = verify(&desk, &["-"], &file[..file.len() - 30]);
    assert_eq!(run.objects().len(), CALLS + 1, "the calls before the cut, and the cut");
    assert!(run.out.contains("in the middle of frame"), "{}", run.out);
}

/// A raw IP packet of pcap, so many seconds after the calls of these tests.
fn packet(seconds: u32, source: [u8; 4], destination: [u8; 4], message: &str) -> Vec<u8> {
    let length = u16::try_from(message.len() + 8).unwrap().to_be_bytes();
    let udp = [&[0x13, 0xc4, 0x13, 0xc4][..], &length, &[0, 0], message.as_bytes()].concat();
    let total = u16::try_from(udp.len() + 20).unwrap().to_be_bytes();
    let ip = [&[0x45, 0][..], &total, &[0, 1, 0, 0, 64, 17, 0, 0], &source, &destination, &udp].concat();
    let length = u32::try_from(ip.len()).unwrap().to_le_bytes();
    [&(1_777_896_001 + seconds).to_le_bytes()[..], &[0; 4], &length, &length, &ip].concat()
}

fn raw_header() -> Vec<u8> {
    let numbers = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101];
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

const PEER: [u8; 4] = [198, 51, 100, 7];
const OURS: [u8; 4] = [203, 0, 113, 9];
const NEXT: [u8; 4] = [192, 0, 2, 33];

fn within(call_id: &str, first_line: &str, method: &str) -> String {
    format!("{first_line}\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn messages_without_identity_are_listed_only_if_asked_for() {
    let desk = desk();
    let answer = within("7f1@twill.example", "SIP/2.0 100 Trying", "INVITE");
    let capture = [raw_header(), packet(0, PEER, OURS, &command::invite(&[])), packet(0, OURS, PEER, &answer)].concat();
    let run = verify(&desk, &["-"], &capture);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("1 calls without Identity, 1 that start no call"), "{}", run.err);
    assert_eq!(verify(&desk, &["-", "--all"], &capture).objects().len(), 2);
}

#[test]
fn a_capture_alone_answers_a_traceback_request_from_files_and_from_the_lake() {
    let desk = desk();
    let invite = command::invite(&[&desk.sign("twill", &[])]);
    let (first, next) = ("7f1@twill.example", "onward@us.example");
    let capture = [
        raw_header(),
        packet(0, PEER, OURS, &invite),
        // Our switch begins the next leg, under a Call-ID of its own.
        packet(0, OURS, NEXT, &invite.replace(first, next)),
        packet(0, PEER, OURS, &invite),
        packet(4, NEXT, OURS, &within(next, "SIP/2.0 200 OK", "INVITE")),
        packet(4, OURS, PEER, &within(first, "SIP/2.0 200 OK", "INVITE")),
        packet(30, PEER, OURS, &within(first, "BYE sip:+12155550131@prairie.example SIP/2.0", "BYE")),
        packet(30, OURS, NEXT, &within(next, "BYE sip:+12155550131@prairie.example SIP/2.0", "BYE")),
        // Another call, refused.
        packet(40, NEXT, OURS, &invite.replace(first, "other@x.example").replace("5550112", "5550199")),
        packet(41, OURS, NEXT, &within("other@x.example", "SIP/2.0 603 Decline", "INVITE")),
    ]
    .concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&capture).unwrap();
    desk.write("evidence/sbc.pcap.gz", gzip.finish().unwrap()).write(
        "stirtrace.toml",
        "trust = [\"lab/certs/roots.pem\"]\nlake = \"lake\"\n[[network]]\nname = \"Cascade Transit\"\nspc = \"771C\"\n\
         [[network.source]]\nfiles = \"evidence/*\"\nformat = \"capture\"\n\
         [[network.peer]]\nname = \"Twill Communications\"\nspc = \"552D\"\naddresses = [\"198.51.100.0/24\"]\n\
         [[network.peer]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\naddresses = [\"192.0.2.0/24\"]\n",
    );
    let preview = desk.run(["ingest", "--preview"]).objects().remove(0);
    assert_eq!((&preview["records"], &preview["set_aside"]), (&2.into(), &0.into()), "{preview}");
    let trace = |more: &[&str]| {
        let asked = ["trace", "--from", "12155550112", "--to", "12155550131", "--time", command::DATE];
        let args: Vec<&str> = asked.iter().chain(more).copied().collect();
        desk.run_with(&args, b"").objects().remove(0)
    };
    let from_lake = trace(&[]);
    assert_eq!(desk.run(["ingest"]).objects()[0]["added"], 0, "trace took them in");
    fs::write(
        desk.path("stirtrace.toml"),
        fs::read_to_string(desk.path("stirtrace.toml")).unwrap().replace("lake = \"lake\"\n", ""),
    )
    .unwrap();
    for answer in [from_lake, trace(&[])] {
        assert_eq!(answer["status"], "found", "{answer}");
        assert_eq!(answer["upstream"]["name"], "Twill Communications", "{answer}");
        let shown = answer.to_string();
        for words in ["Prairie Telephone", first, next] {
            assert!(shown.contains(words), "no {words} in {shown}");
        }
        assert_eq!(answer["matches"].as_array().unwrap().len(), 1, "{answer}");
    }
}

/// A verifier that goes on until it is killed.
struct Live {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Live {
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stirtrace"))
            .arg("verify")
            .args(TRUST)
            .args(args)
            .current_dir(desk.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn calls_come_out_of_a_pipe_while_it_is_open() {
    let desk = desk();
    let file = fs::read(desk.path("calls.pcap")).unwrap();
    let places = packets(&file);
    let mut live = Live::start(&desk, &["-"]);
    let mut pipe = live.child.stdin.take().unwrap();
    pipe.write_all(&file[..24]).unwrap();
    for call in 0..3 {
        // Packet 0 is a SYN; each call has two.
        let end = places[2 + call * 2].end;
        let start = if call == 0 { 24 } else { places[call * 2].end };
        pipe.write_all(&file[start..end]).unwrap();
        pipe.flush().unwrap();
        assert_eq!(live.line()["source"]["frame"], 3 + call * 2, "nothing came while the pipe was open");
    }
}

#[test]
fn hep_over_udp_is_judged_as_it_comes() {
    let desk = desk();
    let invite = command::invite(&[&desk.sign("twill", &[])]);
    let mut live =
        Live::start(&desk, &["--hep", "127.0.0.1:0", "--trust", certs().join("roots.pem").to_str().unwrap()]);
    let mut talk = BufReader::new(live.child.stderr.take().unwrap());
    let mut note = String::new();
    while !note.contains("listening") {
        note.clear();
        talk.read_line(&mut note).unwrap();
    }
    let address = note.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).unwrap().trim_end_matches(';');
    let chunk = |kind: u16, value: &[u8]| {
        [&[0, 0][..], &kind.to_be_bytes(), &u16::try_from(value.len() + 6).unwrap().to_be_bytes(), value].concat()
    };
    let chunks = [
        chunk(2, &[17]),
        chunk(3, &[198, 51, 100, 7]),
        chunk(4, &[203, 0, 113, 9]),
        chunk(7, &[0x13, 0xc4]),
        chunk(8, &[0x13, 0xc4]),
        chunk(9, &1_777_896_001_u32.to_be_bytes()),
        chunk(15, invite.as_bytes()),
    ]
    .concat();
    let packet = [&b"HEP3"[..], &u16::try_from(chunks.len() + 6).unwrap().to_be_bytes(), &chunks].concat();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&packet, address).unwrap();
    let call = live.line();
    assert_eq!(call["captured"]["source"], "198.51.100.7:5060");
    assert_eq!(call["at"], "2026-05-04T12:00:01Z");
    assert_eq!(call["call"]["call_id"], "7f1@twill.example");
}

#[test]
fn tshark_finds_the_same_invites_and_the_same_identity_values() {
    let desk = desk();
    let tshark = Command::new("tshark")
        .args(["-r", "calls.pcap", "-Y", "sip.Method == \"INVITE\"", "-T", "fields"])
        .args(["-e", "frame.number", "-e", "sip.Call-ID", "-e", "sip.Identity"])
        .current_dir(desk.path("."))
        .output();
    let Ok(tshark) = tshark else {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: tshark is not installed").unwrap();
        return;
    };
    let theirs: Vec<String> = String::from_utf8(tshark.stdout).unwrap().lines().map(str::to_owned).collect();
    let objects = desk.run(["inspect", "calls.pcap"]).objects();
    let judged = verify(&desk, &["calls.pcap"], b"").objects();
    let ours: Vec<String> = judged
        .iter()
        .zip(&objects)
        .map(|(call, shown)| {
            let fields = shown["fields"].as_array().unwrap();
            let identity = fields.iter().find(|field| field["name"] == "Identity").unwrap();
            let value = identity["value"].as_str().unwrap();
            format!("{}\t{}\t{value}", call["source"]["frame"], call["call"]["call_id"].as_str().unwrap())
        })
        .collect();
    assert_eq!(theirs.len(), CALLS);
    assert_eq!(theirs, ours);
}
