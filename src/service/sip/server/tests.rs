use proptest::prelude::*;

use super::*;
use crate::passport::Attestation;
use crate::service::scene::{CALLED, NOW, authorisation, identity, invite, judge};
use crate::service::sip::Ignored;
use crate::service::treatment::{Peer, TreatmentSettings};

const PEER: &str = "192.0.2.1:5060";

/// A server with its time.
struct Bench {
    server: Server,
    now: Millis,
    source: Source,
}

impl Bench {
    fn new(settings: SipSettings, role: Role) -> Self {
        let server = Server::new(settings, role, NumberPlan::NORTH_AMERICAN, [7; 32]);
        Self { server, now: 0, source: Source::udp(PEER.parse().unwrap()) }
    }

    fn usual() -> Self {
        Self::new(SipSettings::default(), Role::ByIdentity)
    }

    fn over_tcp(self) -> Self {
        Self { source: Source::tcp(PEER.parse().unwrap(), 1), ..self }
    }

    fn receive(&mut self, text: &str) -> Step {
        self.server.receive(text.as_bytes(), self.source, self.now)
    }

    /// What is sent at once.
    fn answers(&mut self, text: &str) -> Vec<String> {
        match self.receive(text) {
            Step::Send(messages) => texts(&messages),
            Step::Ignored(_) => Vec::new(),
            Step::Judge(_) => panic!("it is to be judged"),
        }
    }

    fn job(&mut self, text: &str) -> Job {
        match self.receive(text) {
            Step::Judge(job) => *job,
            other => panic!("{other:?}"),
        }
    }

    fn conclude(&mut self, job: &Job, outcome: &Outcome) -> Option<String> {
        self.server.conclude(job.ticket, outcome, self.now).map(|message| String::from_utf8(message.bytes).unwrap())
    }

    /// What timers send from now until then, with the instants.
    fn until(&mut self, end: Millis) -> Vec<(Millis, String)> {
        let mut sent = Vec::new();
        while let Some(due) = self.server.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            sent.extend(texts(&self.server.tick(self.now)).into_iter().map(|text| (self.now, first_line(&text))));
        }
        self.now = end;
        sent
    }

    fn ignored(&mut self, text: &str) -> Ignored {
        match self.receive(text) {
            Step::Ignored(why) => why,
            other => panic!("{text:?} is answered: {other:?}"),
        }
    }
}

fn texts(messages: &[Outgoing]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8(message.bytes.clone()).unwrap()).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn other_method(text: &str, method: &str) -> String {
    text.replacen("INVITE", method, 1).replace("1 INVITE", &format!("1 {method}"))
}

#[test]
fn options_says_that_we_are_here() {
    let mut bench = Bench::usual();
    let options = other_method(&invite("7", ""), "OPTIONS").replace(";branch", ";rport;branch");
    let answer = bench.answers(&options);
    insta::assert_snapshot!(answer.concat());
    // RFC 3261 §8.2.7: the same request, the same answer, and nothing to remember.
    assert_eq!(bench.answers(&options), answer);
    assert_eq!(bench.server.counts().transactions, 0);
    bench.server.stop_accepting();
    assert!(bench.answers(&options)[0].starts_with("SIP/2.0 503 Service Unavailable\r\n"));
    let gone = bench.answers(&invite("8", "")).concat();
    assert!(gone.starts_with("SIP/2.0 503 ") && gone.contains("\r\nRetry-After: 5\r\n"));
}

#[test]
fn a_signed_call_is_redirected_with_its_identity() {
    // RFC 8946 §7, RFC 8224 §6.1 step 3.
    let mut bench = Bench::usual();
    let job = bench.job(&invite("7", ""));
    assert_eq!(job.task, Task::Sign);
    let outcome = Outcome::Signed { identity: "a.b.c;info=<https://c.example/1>;ppt=shaken".to_owned(), at: NOW };
    insta::assert_snapshot!(bench.conclude(&job, &outcome).unwrap());
    let job = bench.job(&invite("8", "Date: Mon, 04 May 2026 12:00:01 GMT\r\n"));
    assert!(!bench.conclude(&job, &outcome).unwrap().contains("\r\nDate:"), "the call has a Date");
    let job = bench.job(&invite("9", ""));
    let unsigned = bench.conclude(&job, &Outcome::Unsigned).unwrap();
    assert!(unsigned.starts_with("SIP/2.0 302 ") && !unsigned.contains("Identity:"));
}

#[test]
fn a_verified_call_is_redirected_with_what_was_found() {
    // F9 to F11.
    let mut bench = Bench::usual();
    let identity = identity(Attestation::B, CALLED);
    let job = bench.job(&invite("7", &format!("Identity: {identity}\r\n")));
    assert_eq!(job.task, Task::Verify);
    let treatment = TreatmentSettings::default().treat(&job.call, &judge(&job.call), Peer::Unknown);
    insta::assert_snapshot!(bench.conclude(&job, &Outcome::Verified(treatment)).unwrap());

    // E22: what is wrong goes along; E21: or it is why the call is rejected.
    let asserted = "P-Asserted-Identity: \"A, B\" <sip:+12155550112;verstat=TN-Validation-Passed@twill.example>, <tel:+12155550112>\r\n";
    let bad = identity.replace("ppt=shaken", "ppt=shaken;alg=none");
    let job = bench.job(&invite("8", &format!("{asserted}y: {bad}\r\n")));
    let verdict = judge(&job.call);
    let treatment = TreatmentSettings::default().treat(&job.call, &verdict, Peer::Unknown);
    insta::assert_snapshot!(bench.conclude(&job, &Outcome::Verified(treatment)).unwrap());

    let mut settings = TreatmentSettings::default();
    settings.general.otherwise = crate::service::treatment::Action::Reject;
    let job = bench.job(&invite("9", &format!("Identity: {bad}\r\n")));
    let treatment = settings.treat(&job.call, &verdict, Peer::Unknown);
    insta::assert_snapshot!(bench.conclude(&job, &Outcome::Verified(treatment)).unwrap());
}

#[test]
fn a_priority_is_told_beside_the_verstat() {
    // RFC 8443 §4.2 (E9): who asked takes Resource-Priority off the call where it failed.
    let identity = identity(Attestation::A, CALLED);
    for (asked, told) in [("ets.0", "RPH-Validation-Passed"), ("ets.1", "RPH-Validation-Failed")] {
        let mut bench = Bench::usual();
        let rph = authorisation("ets.0");
        let fields = format!("Resource-Priority: {asked}\r\nIdentity: {identity}\r\nIdentity: {rph}\r\n");
        let job = bench.job(&invite("7", &fields));
        let treatment = TreatmentSettings::default().treat(&job.call, &judge(&job.call), Peer::Unknown);
        assert_eq!(treatment.strip.is_empty(), asked == "ets.0");
        let text = bench.conclude(&job, &Outcome::Verified(treatment)).unwrap();
        assert!(text.lines().any(|line| line == format!("X-Priority-Verstat: {told}")), "{text}");
        assert!(text.contains(";verstat=TN-Validation-Passed@"), "{text}");
    }
}

#[test]
fn fields_are_called_as_configured() {
    let mut settings = SipSettings::default();
    settings.names.attestation = Some("Attestation-Info".to_owned());
    settings.names.origination = None;
    settings.names.verstat = Some("X-Verstat".to_owned());
    settings.names.verstat_in_contact = true;
    let mut bench = Bench::new(settings, Role::Verify);
    let identity = identity(Attestation::B, "12155550199");
    let job = bench.job(&invite("7", &format!("Identity: {identity}\r\n")));
    let mut manner = TreatmentSettings::default();
    manner.general.diverted = crate::service::treatment::Diverted::Passed;
    let treatment = manner.treat(&job.call, &judge(&job.call), Peer::Unknown);
    let text = bench.conclude(&job, &Outcome::Verified(treatment)).unwrap();
    for line in [
        "Contact: <sip:+12155550131;verstat=TN-Validation-Passed@prairie.example;user=phone>",
        "Attestation-Info: B",
        "X-Verstat: TN-Validation-Passed",
        "X-Diverted: unverified",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(!text.contains("P-Origination-ID"));
}

#[test]
fn what_is_asked_for_is_said_by_the_listener_or_the_call() {
    let identity = format!("Identity: {}\r\n", identity(Attestation::A, CALLED));
    for (role, unsigned, signed) in [
        (Role::ByIdentity, Task::Sign, Task::Verify),
        (Role::Sign, Task::Sign, Task::Sign),
        (Role::Verify, Task::Verify, Task::Verify),
    ] {
        let mut bench = Bench::new(SipSettings::default(), role);
        assert_eq!(bench.job(&invite("7", "")).task, unsigned, "{role:?}");
        assert_eq!(bench.job(&invite("8", &identity)).task, signed, "{role:?}");
    }
}

#[test]
fn a_repeated_invite_gets_the_same_answer_and_its_ack_ends_it() {
    // RFC 3261 §17.2.1.
    let mut bench = Bench::usual();
    let text = invite("7", "");
    let job = bench.job(&text);
    assert_eq!(bench.ignored(&text), Ignored::Repeated, "nothing was said yet");
    assert_eq!(bench.until(200), [(200, "SIP/2.0 100 Trying".to_owned())]);
    let trying = bench.answers(&text).concat();
    assert!(
        trying.starts_with("SIP/2.0 100 Trying\r\n")
            && !trying.contains("To: <sip:+12155550131@prairie.example;user=phone>;tag")
    );
    let answer = bench.conclude(&job, &Outcome::Unsigned).unwrap();
    assert_eq!(bench.answers(&text), std::slice::from_ref(&answer));
    assert_eq!(bench.conclude(&job, &Outcome::Unsigned), None, "once is enough");
    // Timer G: after T1, then twice as long each time, up to T2.
    let repeats: Vec<Millis> = bench.until(10_000).into_iter().map(|(at, _)| at - 200).collect();
    assert_eq!(repeats, [500, 1_500, 3_500, 7_500]);
    assert_eq!(bench.ignored(&other_method(&text, "ACK")), Ignored::Ack);
    assert_eq!(bench.ignored(&text), Ignored::Repeated, "absorbed for T4");
    assert_eq!(bench.until(60_000), []);
    assert_eq!(bench.server.counts().transactions, 0);
    assert!(matches!(bench.receive(&text), Step::Judge(_)), "a new call by then");
}

#[test]
fn an_answer_that_nobody_acknowledges_is_given_up() {
    // Timer H: 64 T1.
    let mut bench = Bench::usual();
    let job = bench.job(&invite("7", ""));
    bench.conclude(&job, &Outcome::Unsigned).unwrap();
    let repeats = bench.until(100_000);
    assert_eq!(repeats.len(), 10, "{repeats:?}");
    assert!(repeats.last().unwrap().0 < 32_000);
    assert_eq!(bench.server.counts().transactions, 0);
}

#[test]
fn a_stream_repeats_nothing() {
    let mut bench = Bench::usual().over_tcp();
    let text = invite("7", "");
    let job = bench.job(&text);
    let answer = bench.conclude(&job, &Outcome::Unsigned).unwrap();
    assert_eq!(bench.answers(&text), [answer]);
    assert_eq!(bench.until(20_000), []);
    bench.ignored(&other_method(&text, "ACK"));
    bench.until(20_001);
    assert_eq!(bench.server.counts().transactions, 0);
}

#[test]
fn a_call_may_be_given_up() {
    // RFC 3261 §9.2.
    let mut bench = Bench::usual();
    let text = invite("7", "");
    let cancel = other_method(&text, "CANCEL");
    assert_eq!(first_line(&bench.answers(&cancel).concat()), "SIP/2.0 481 Call/Transaction Does Not Exist");
    let job = bench.job(&text);
    let lines: Vec<_> = bench.answers(&cancel).iter().map(|text| first_line(text)).collect();
    assert_eq!(lines, ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(bench.conclude(&job, &Outcome::Unsigned), None);
    assert_eq!(first_line(&bench.answers(&text).concat()), "SIP/2.0 487 Request Terminated");
    let again: Vec<_> = bench.answers(&cancel).iter().map(|text| first_line(text)).collect();
    assert_eq!(again, ["SIP/2.0 200 OK"]);
    // What is answered stays answered.
    let text = invite("8", "");
    let job = bench.job(&text);
    bench.conclude(&job, &Outcome::Unsigned).unwrap();
    assert_eq!(bench.answers(&other_method(&text, "CANCEL")).len(), 1);
    // Nobody gives up another peer's call.
    let text = invite("9", "");
    bench.job(&text);
    bench.source = Source::udp("192.0.2.2:5060".parse().unwrap());
    assert_eq!(
        first_line(&bench.answers(&other_method(&text, "CANCEL")).concat()),
        "SIP/2.0 481 Call/Transaction Does Not Exist"
    );
}

#[test]
fn requests_without_a_new_branch_are_told_apart_the_old_way() {
    // RFC 3261 §17.2.3, for RFC 2543.
    let mut bench = Bench::usual();
    let old = |call_id: &str| invite(call_id, "").replace(&format!(";branch=z9hG4bK{call_id}"), "");
    let job = bench.job(&old("7"));
    bench.job(&old("8"));
    bench.conclude(&job, &Outcome::Unsigned).unwrap();
    let ack = other_method(&old("7"), "ACK").replace("user=phone>\r\nCall-ID", "user=phone>;tag=ours\r\nCall-ID");
    assert_eq!(bench.ignored(&ack), Ignored::Ack);
    assert_eq!(bench.ignored(&old("7")), Ignored::Repeated);
}

#[test]
fn what_cannot_be_served_is_refused_with_its_code() {
    let text = invite("7", "");
    let cases = [
        ("505 Version Not Supported", text.replacen("SIP/2.0", "SIP/3.0", 1)),
        ("400 Missing Header Field", text.replace("Call-ID: 7\r\n", "")),
        ("400 Missing Header Field", text.replace("From: ", "X-From: ")),
        ("400 Repeated Header Field", text.replace("CSeq:", "f: <sip:b@b.example>;tag=2\r\nCSeq:")),
        ("400 Repeated Header Field", text.replace("CSeq:", "Date: x\r\nDate: y\r\nCSeq:")),
        ("400 Invalid CSeq", text.replace("1 INVITE", "1 OPTIONS")),
        ("400 Invalid CSeq", text.replace("1 INVITE", "one INVITE")),
        ("400 Invalid CSeq", text.replace("1 INVITE", "4294967295 INVITE")),
        ("400 Invalid Request-URI", text.replacen("sip:+1215", "sip:<1215", 1)),
        ("400 Invalid Max-Forwards", text.replace("Forwards: 70", "Forwards: 700")),
        ("400 Body Shorter Than Content-Length", text.replace("Content-Length: 0", "Content-Length: 9")),
        ("483 Too Many Hops", text.replace("Forwards: 70", "Forwards: 0")),
        ("481 Call/Transaction Does Not Exist", text.replace("user=phone>\r\nCall-ID", "user=phone>;tag=2\r\nCall-ID")),
        ("405 Method Not Allowed", other_method(&text, "BYE")),
        ("501 Not Implemented", other_method(&text, "invite")),
        ("501 Not Implemented", other_method(&text, "DANCE")),
    ];
    for (line, text) in cases {
        let mut bench = Bench::usual();
        let answer = bench.answers(&text).concat();
        assert_eq!(first_line(&answer), format!("SIP/2.0 {line}"), "{text}");
        assert_eq!(
            answer.contains("\r\nAllow: INVITE, ACK, CANCEL, OPTIONS\r\n"),
            line.starts_with("405") || line.starts_with("501")
        );
        assert_eq!(bench.server.counts().transactions, 0, "a refusal needs no memory");
    }
    let hops = other_method(&text, "OPTIONS").replace("Forwards: 70", "Forwards: 0");
    assert_eq!(first_line(&Bench::usual().answers(&hops).concat()), "SIP/2.0 200 OK", "RFC 3261 §11");
}

#[test]
fn what_asks_for_no_answer_gets_none() {
    let text = invite("7", "");
    for (why, text) in [
        (Ignored::KeepAlive, "\r\n\r\n".to_owned()),
        (Ignored::KeepAlive, "\0".to_owned()),
        (Ignored::KeepAlive, String::new()),
        (Ignored::Malformed, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (Ignored::Malformed, text.replace("Content-Length: 0", "Content-Length: -1")),
        (
            Ignored::Response,
            text.replacen("INVITE sip:+12155550131@prairie.example;user=phone SIP/2.0", "SIP/2.0 200 OK", 1),
        ),
        (Ignored::Ack, other_method(&text, "ACK")),
        (Ignored::Ack, other_method(&text, "ACK").replacen("SIP/2.0", "SIP/3.0", 1)),
        (Ignored::Ack, other_method(&text, "ACK").replace("Via:", "X-Via:")),
        (Ignored::Unanswerable, text.replace("Via:", "X-Via:")),
        (Ignored::Unanswerable, text.replace("SIP/2.0/UDP", "HTTP/1.1/UDP")),
        (Ignored::Unanswerable, text.replace("Call-ID: 7", "Call-ID: 7\rX: y")),
        (Ignored::Unanswerable, text.replace("tag=1", "tag=1\0")),
        (Ignored::Unanswerable, text.replace("Via:", &"Via: SIP/2.0/UDP h.example\r\n".repeat(65))),
    ] {
        assert_eq!(Bench::usual().ignored(&text), why, "{text:?}");
    }
}

#[test]
fn nothing_that_a_peer_writes_becomes_a_line_of_ours() {
    let mut bench = Bench::usual();
    let fields = "P-Asserted-Identity: \"a\rX-Evil: 1\" <sip:+12155550112@t.example>\r\nIdentity: x\r\n";
    let job = bench.job(&invite("7", fields).replace("\"Twill\"", "\"Twill\r\n folded\""));
    let treatment = TreatmentSettings::default().treat(&job.call, &judge(&job.call), Peer::Unknown);
    let text = bench.conclude(&job, &Outcome::Verified(treatment)).unwrap();
    assert!(text.contains("From: \"Twill folded\" <sip"), "{text}");
    assert!(!text.contains("Evil"), "{text}");
    let job = bench.job(&invite("8", ""));
    let identity = "a.b.c\r\nX-Evil: 1".to_owned();
    let text = bench.conclude(&job, &Outcome::Signed { identity, at: NOW }).unwrap();
    assert!(!text.contains("Evil"), "{text}");
}

#[test]
fn an_emergency_call_is_redirected_like_any_other() {
    let mut bench = Bench::usual();
    let text = invite("7", "").replace("sip:+12155550131@prairie.example;user=phone", "urn:service:sos");
    let job = bench.job(&text);
    let answer = bench.conclude(&job, &Outcome::Unsigned).unwrap();
    assert!(
        answer.contains("Contact: <urn:service:sos>\r\n") && answer.contains("To: <urn:service:sos>;tag="),
        "{answer}"
    );
}

#[test]
fn memory_is_bounded() {
    let mut settings = SipSettings::default();
    (settings.limits.transactions, settings.limits.pending) = (10, 5);
    let mut bench = Bench::new(settings, Role::ByIdentity);
    let jobs: Vec<Job> = (0..5).map(|call| bench.job(&invite(&call.to_string(), ""))).collect();
    assert_eq!(first_line(&bench.answers(&invite("5", "")).concat()), "SIP/2.0 503 Service Unavailable");
    for job in &jobs {
        bench.conclude(job, &Outcome::Unsigned).unwrap();
    }
    for call in 100..300 {
        let job = bench.job(&invite(&call.to_string(), ""));
        bench.conclude(&job, &Outcome::Unsigned).unwrap();
    }
    let counts = bench.server.counts();
    assert_eq!((counts.transactions, counts.pending, counts.forgotten), (10, 0, 195));
    assert_eq!(counts.responses, BTreeMap::from([(302, 205), (503, 1)]));
    assert!(bench.until(200_000).len() <= 100);
    assert_eq!(bench.server.counts().transactions, 0);
}

#[test]
fn only_those_who_may_are_served_and_believed() {
    let settings = SipSettings {
        allow: vec!["192.0.2.0/24".parse().unwrap(), "198.51.100.0/24".parse().unwrap()],
        trusted: vec!["192.0.2.0/24".parse().unwrap()],
        trunk_field: Some("X-Trunk".to_owned()),
        ..SipSettings::default()
    };
    let mut bench = Bench::new(settings, Role::ByIdentity);
    assert_eq!(bench.job(&invite("7", "X-Trunk: tg-1\r\n")).trunk.as_deref(), Some("tg-1"));
    bench.source = Source::udp("198.51.100.7:5060".parse().unwrap());
    assert_eq!(bench.job(&invite("7", "X-Trunk: tg-1\r\n")).trunk, None);
    bench.source = Source::udp("203.0.113.9:5060".parse().unwrap());
    assert_eq!(bench.ignored(&invite("7", "")), Ignored::NotServed);
    assert_eq!(bench.server.counts().ignored, BTreeMap::from([(Ignored::NotServed, 1)]));
}

#[test]
fn an_address_that_sends_too_much_over_udp_is_not_read() {
    let mut settings = SipSettings::default();
    (settings.limits.rate, settings.limits.burst) = (Some(10), 3);
    let mut bench = Bench::new(settings, Role::ByIdentity);
    let options = other_method(&invite("8", ""), "OPTIONS");
    for _ in 0..3 {
        assert_eq!(bench.answers(&options).len(), 1);
    }
    assert_eq!(bench.ignored(&options), Ignored::TooFast);
    assert_eq!(bench.ignored("\r\n\r\n"), Ignored::TooFast, "whatever it is");
    assert_eq!(bench.server.counts().ignored, BTreeMap::from([(Ignored::TooFast, 2)]));
    assert_eq!(bench.server.counts().requests, BTreeMap::from([("OPTIONS", 3)]));
    let usual = bench.source;
    bench.source = Source::udp("192.0.2.2:5060".parse().unwrap());
    assert_eq!(bench.answers(&options).len(), 1, "others are others");
    bench.source = Source::tcp(PEER.parse().unwrap(), 1);
    assert_eq!(bench.answers(&options).len(), 1, "a stream waits for whoever reads it");
    (bench.source, bench.now) = (usual, 100);
    assert_eq!(bench.answers(&options).len(), 1, "a tenth of a second gives one");
    assert_eq!(bench.ignored(&options), Ignored::TooFast);
}

#[test]
fn an_answer_that_fits_no_datagram_says_so_or_nothing() {
    let mut bench = Bench::usual();
    let fields = format!("P-Asserted-Identity: \"{}\" <tel:+12155550112>\r\n", "x".repeat(7_000));
    let job = bench.job(&invite("7", &format!("{fields}Identity: x\r\n")));
    let mut treatment = TreatmentSettings::default().treat(&job.call, &judge(&job.call), Peer::Unknown);
    treatment.reasons = vec!["y".repeat(60_000)];
    let text = bench.conclude(&job, &Outcome::Verified(treatment)).unwrap();
    assert_eq!(first_line(&text), "SIP/2.0 513 Message Too Large");
    let huge =
        other_method(&invite("8", ""), "OPTIONS").replace("Call-ID: 8", &format!("Call-ID: {}", "8".repeat(66_000)));
    assert_eq!(bench.ignored(&huge), Ignored::Unanswerable);
}

/// Whatever arrives, what leaves is one response to a request that was one.
fn holds(bytes: &[u8], tcp: bool) -> Result<(), TestCaseError> {
    let mut bench = if tcp { Bench::usual().over_tcp() } else { Bench::usual() };
    let is_request = Message::parse_truncated(bytes).is_ok_and(|(message, _)| {
        matches!(message.start_line(), crate::sip::message::StartLine::Request { method, .. } if method != "ACK")
    });
    let mut sent = match bench.server.receive(bytes, bench.source, 0) {
        Step::Ignored(_) => Vec::new(),
        Step::Send(messages) => messages,
        Step::Judge(job) => bench.server.conclude(job.ticket, &Outcome::Unsigned, 0).into_iter().collect(),
    };
    sent.extend(bench.server.tick(40_000));
    prop_assert!(is_request || sent.is_empty());
    for message in sent {
        prop_assert!(message.bytes.len() <= 65_507);
        let (read, length) = Message::parse(&message.bytes).unwrap();
        prop_assert_eq!(length, message.bytes.len());
        let is_response = matches!(read.start_line(), crate::sip::message::StartLine::Response { .. });
        prop_assert!(is_response);
        prop_assert_eq!(read.faults(), &[]);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300), tcp: bool) {
        holds(&bytes, tcp)?;
    }

    #[test]
    fn any_damage_to_a_request_is_answered_or_not(at in 0usize..400, cut in 0usize..40, put in "[\\x00-\\x7f]{0,12}", tcp: bool) {
        let text = invite("7", "Identity: a.b.c;info=<https://c.example/1>\r\n");
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        holds(format!("{}{put}{}", &text[..at], &text[end..]).as_bytes(), tcp)?;
    }
}
