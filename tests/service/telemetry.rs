//! Traces: what a collector gets to see of a request, and what it never does (W3C Trace Context, OTLP over HTTP).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use stirtrace::fetch::{self, Fetcher, Resolver, Resolving};
use stirtrace::service::{Settings, Telemetry};

use crate::signing::request as signing;
use crate::stand::{Request, SIGNING, Setup, Stand, VERIFICATION, good, identity, verification_of};

/// Takes spans as a collector does: bodies of requests, as they came.
struct Collector {
    address: SocketAddr,
    bodies: Receiver<(String, Vec<u8>)>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, bodies) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let told = told.clone();
                std::thread::spawn(move || {
                    while let Some(body) = take(&stream) {
                        if told.send(body).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, bodies }
    }

    /// So many spans, by what they are called, and all that came, as bytes.
    fn spans(&self, wanted: usize) -> (Vec<Span>, Vec<u8>) {
        let (mut spans, mut raw) = (Vec::new(), Vec::new());
        while spans.len() < wanted {
            let (head, body) = self.bodies.recv_timeout(Duration::from_secs(20)).unwrap();
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("content-type: application/x-protobuf"), "{head}");
            let request = ExportTraceServiceRequest::decode(&*body).unwrap();
            for resource in request.resource_spans {
                let named = &resource.resource.unwrap().attributes;
                assert_eq!(named[0].key, "service.name");
                spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
            raw.extend(body);
        }
        assert_eq!(spans.len(), wanted, "{spans:?}");
        (spans, raw)
    }
}

/// The next request of a connection, answered 200.
fn take(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        let head_end = read.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = head_end {
            let head = String::from_utf8(read[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if read.len() >= end + 4 + length.parse::<usize>().unwrap() {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()?;
                return Some((head, read[end + 4..].to_vec()));
            }
        }
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        read.extend(&buffer[..length]);
    }
}

fn telemetry(address: SocketAddr, more: &str, numbers: bool) -> Telemetry {
    let toml = format!("[service.telemetry]\notlp = \"http://{address}\"\n{more}");
    Telemetry::start(&Settings::parse(toml.as_bytes()).unwrap().telemetry.unwrap(), numbers).unwrap()
}

fn stand(address: SocketAddr, more: &str, numbers: bool) -> Stand {
    Setup::new("").with_telemetry(telemetry(address, more, numbers)).start()
}

fn text<'a>(span: &'a Span, name: &str) -> &'a str {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{name}: {other:?} in {span:?}"),
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: [u8; 8] = [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31];

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-b7ad6b7169203331-{flags}")
}

#[test]
fn a_request_is_a_span_below_its_clients_and_carries_no_number_and_no_token() {
    let collector = Collector::start();
    let stand = stand(collector.address, "", false);
    let token = good();
    let verification = verification_of(token.clone()).to_string();
    let signing = signing().to_string();
    // Numbers where a client may put them: in the path, in its name for the request.
    for (path, body) in [(VERIFICATION, &verification), (SIGNING, &signing), ("/12155550112?to=12155550131", &signing)]
    {
        let request = Request::new(path, body.as_bytes()).with("traceparent", &traceparent("01"));
        stand.ask(&request.with("X-RequestID", "12155550112").with("tracestate", "a=12155550112"));
    }
    let (spans, raw) = collector.spans(5);
    for span in &spans {
        let hexadecimal: String = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hexadecimal, TRACE);
        assert!(span.start_time_unix_nano > 1_700_000_000_000_000_000);
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
    }
    // SERVER is 2, INTERNAL 1 (OTLP's SpanKind).
    for name in ["verification", "signing", "other"] {
        let whole = named(&spans, name);
        assert_eq!((whole.parent_span_id.as_slice(), whole.kind), (&PARENT[..], 2));
    }
    for (name, route, part) in [("verification", VERIFICATION, "verify"), ("signing", SIGNING, "sign")] {
        let (whole, part) = (named(&spans, name), named(&spans, part));
        assert_eq!((text(whole, "http.route"), text(part, "stirtrace.attest")), (route, "A"));
        assert_eq!((&part.parent_span_id, part.kind), (&whole.span_id, 1));
    }
    let verify = named(&spans, "verify");
    assert_eq!((text(verify, "stirtrace.verdict"), text(verify, "stirtrace.signer.spc")), ("passed", "552D"));
    let secret = ["2155550112", "2155550131", "12155550"];
    let parts = token.split(['.', ';']).take(3);
    for part in secret.into_iter().chain(parts) {
        assert!(!holds(&raw, part), "{part}");
    }
}

#[test]
fn what_failed_says_why() {
    let collector = Collector::start();
    let stand = Setup::new("").without_signers().with_telemetry(telemetry(collector.address, "", false)).start();
    stand.post("/stir/v1/verification", &verification_of(identity(json!({"tamper": {"attest": "B"}}))));
    assert_eq!(stand.post(SIGNING, &signing()).code, 500);
    let (spans, _) = collector.spans(4);
    let verify = named(&spans, "verify");
    assert_eq!((text(verify, "stirtrace.verdict"), text(verify, "stirtrace.reason")), ("failed", "InvalidSignature"));
    // A verdict that is bad for the call is no fault of the service; ERROR is 2 (OTLP's StatusCode).
    assert!(verify.status.is_none() && named(&spans, "verification").status.is_none());
    assert_eq!(named(&spans, "signing").status.as_ref().unwrap().code, 2);
    assert_eq!(text(named(&spans, "sign"), "error.type"), "no-signer");
}

#[test]
fn numbers_stand_in_traces_only_where_the_log_has_them_too() {
    let collector = Collector::start();
    let stand = stand(collector.address, "", true);
    stand.verification(&verification_of(good()));
    let (spans, _) = collector.spans(2);
    let verify = named(&spans, "verify");
    assert_eq!(
        (text(verify, "stirtrace.call.from"), text(verify, "stirtrace.call.to")),
        ("12155550112", "12155550131")
    );
}

#[test]
fn the_client_decides_what_is_recorded_else_one_in_so_many_is() {
    let collector = Collector::start();
    let stand = stand(collector.address, "every = 3\n", false);
    let body = verification_of(good()).to_string();
    let ask = |flags: &str| {
        stand.ask(&Request::new(VERIFICATION, body.as_bytes()).with("traceparent", &traceparent(flags)));
    };
    // W3C Trace Context §3.2.2.5: not sampled.
    (0..5).for_each(|_| ask("00"));
    // Without a trace of their client's: the first and the fourth.
    (0..6).for_each(|_| drop(stand.verification(&verification_of(good()))));
    let (spans, _) = collector.spans(4);
    assert!(spans.iter().filter(|span| span.parent_span_id.is_empty()).count() == 2, "{spans:?}");
    let traces: std::collections::HashSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!(traces.len(), 2);
    ask("01");
    let (spans, _) = collector.spans(2);
    assert_eq!(named(&spans, "verification").parent_span_id, PARENT);
}

/// Answers no name, after a while.
struct Slow;

impl Resolver for Slow {
    fn resolve(&self, _: &str) -> Resolving {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(std::io::Error::other("nobody knows"))
        })
    }
}

#[test]
fn a_certificate_that_had_to_be_waited_for_is_a_span_of_its_own() {
    let collector = Collector::start();
    let telemetry = telemetry(collector.address, "", false);
    let settings = fetch::Settings { resolver: Some(Arc::new(Slow)), ..fetch::Settings::default() };
    let settings = fetch::Settings { system_roots: false, tls_roots: vec![crate::lab::file("roots.pem")], ..settings };
    let fetcher = Fetcher::new(settings).unwrap();
    let load = move |_| {
        let mut loaded = Setup::new("").loaded();
        loaded.archive = None;
        loaded.fetcher = Some(fetcher.clone());
        Ok(loaded)
    };
    let stand = Stand::start_with(load, |engine| engine.with_telemetry(telemetry));
    assert_eq!(stand.verification(&verification_of(good()))["reasonCode"], 436);
    let (spans, _) = collector.spans(3);
    let (verify, fetch) = (named(&spans, "verify"), named(&spans, "fetch certificate"));
    // CLIENT is 3.
    assert_eq!((&fetch.parent_span_id, fetch.kind), (&verify.span_id, 3));
    assert_eq!((text(fetch, "error.type"), text(verify, "stirtrace.reason")), ("Dns", "CredentialUnavailable"));
    // The failure is remembered, so nobody waits for it again.
    stand.verification(&verification_of(good()));
    assert_eq!(collector.spans(2).0.len(), 2);
}

#[test]
fn a_collector_that_is_down_or_hangs_costs_spans_and_no_call() {
    // Nobody listens there any more; there, somebody listens and says nothing.
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, outcome) in [(down, "refused"), (hanging.local_addr().unwrap(), "dropped")] {
        let stand = stand(address, "queue = 1\n", false);
        let began = Instant::now();
        let lost = || {
            let page = stand.get("/metrics").text();
            let line = format!("stirtrace_spans_total{{outcome=\"{outcome}\"}} ");
            page.lines().find_map(|own| own.strip_prefix(&line)?.parse::<u64>().ok()).unwrap()
        };
        while lost() == 0 {
            assert_eq!(stand.verification(&verification_of(good()))["verstat"], "TN-Validation-Passed");
            assert!(began.elapsed() < Duration::from_secs(20));
        }
        stand.engine.telemetry().unwrap().close();
        assert!(stand.stop());
    }
}
