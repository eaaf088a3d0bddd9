//! Hostile requests: each costs its own answer, never the service, and not much of that.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::stand::{Request, SIGNING, Setup, Stand, VERIFICATION, good, verification_of};

const ROUTES: [&str; 3] = [VERIFICATION, SIGNING, "/v1/verify"];

#[test]
fn bodies_that_are_no_request_are_refused_and_the_service_goes_on() {
    let stand = Stand::plain();
    let deep = format!("{{\"verificationRequest\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_objects = "{\"a\":".repeat(10_000);
    let many = format!("{{{}}}", (0..3_000).map(|n| format!("\"a{n}\":0")).collect::<Vec<_>>().join(","));
    let text = format!("{{\"verificationRequest\":\"{}\"}}", "x".repeat(60_000));
    let bodies: [&[u8]; 11] = [
        deep.as_bytes(),
        deep_objects.as_bytes(),
        many.as_bytes(),
        text.as_bytes(),
        b"\xff\xfe\x00",
        b"{\"verificationRequest\":{\"from\":{\"tn\":\"\xc3\x28\"}}}",
        b"null",
        b"\"verificationRequest\"",
        b"{\"verificationRequest\":{}} trailing",
        b"{\"verificationRequest\":{\"time\":1e400}}",
        b"\xef\xbb\xbf{}",
    ];
    let mut connection = stand.connect();
    for route in ROUTES {
        for body in bodies {
            connection.send(&Request::new(route, body).bytes());
            let answer = connection.answer();
            // /v1/verify reads objects of any members, as `stirtrace verify` does.
            let read = route == "/v1/verify" && answer.code == 200;
            assert!(
                read || (400..500).contains(&answer.code),
                "{route} {:?}: {answer:?}",
                String::from_utf8_lossy(&body[..body.len().min(40)])
            );
            assert!(answer.body.len() < 2_000, "an answer is no echo: {}", answer.body.len());
        }
    }
    connection.send(&Request::new(VERIFICATION, verification_of(good()).to_string().as_bytes()).bytes());
    assert_eq!(connection.answer().code, 200);
}

#[test]
fn a_body_that_is_too_long_is_not_read() {
    let stand = Stand::plain();
    let mut connection = stand.connect();
    // Only what it says is judged: the body never comes.
    connection.send(b"POST /stir/v1/verification HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n");
    let answer = connection.answer();
    assert_eq!((answer.code, answer.exception().0.as_str()), (413, "SVC4006"));
    let body = vec![b' '; 70_000];
    assert_eq!(stand.ask(&Request::new(VERIFICATION, &body)).code, 413);
    let chunked = [b"11170\r\n".as_slice(), &body, b"\r\n0\r\n\r\n"].concat();
    let request = Request::new("/v1/verify", &chunked).with("Transfer-Encoding", "chunked").without("Content-Length");
    assert_eq!(stand.ask(&request).code, 413);
}

#[test]
fn whoever_sends_slowly_is_cut_off() {
    let stand = Setup::new("[service.limits]\nheader_seconds = 1\nrequest_seconds = 1").start();
    let began = Instant::now();
    // A header that never ends.
    let mut slow_header = stand.connect();
    slow_header.send(b"POST /stir/v1/verification HTTP/1.1\r\nHost: a\r\n");
    // A body that never comes.
    let mut slow_body = stand.connect();
    slow_body.send(b"POST /stir/v1/verification HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
    // Nothing at all.
    let mut silent = stand.connect();
    assert!(slow_header.try_answer().is_none_or(|answer| answer.code == 408));
    let answer = slow_body.answer();
    assert_eq!((answer.code, answer.exception().0.as_str()), (408, "POL0001"));
    assert!(slow_body.try_answer().is_none(), "the rest of the body is not waited for");
    assert!(silent.try_answer().is_none());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn headers_are_bounded_in_number_and_length() {
    let stand = Stand::plain();
    let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(200_000));
    for headers in [many, long] {
        let mut connection = stand.connect();
        connection.send(format!("GET /health HTTP/1.1\r\nHost: a\r\n{headers}\r\n").as_bytes());
        assert!(connection.try_answer().is_none_or(|answer| answer.code == 431 || answer.code == 400));
    }
    assert_eq!(stand.get("/health").code, 200);
}

#[test]
fn what_is_no_http_ends_its_connection_and_nothing_else() {
    let stand = Stand::plain();
    let cases: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"INVITE sip:a@b.example SIP/2.0\r\nVia: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ];
    for bytes in cases {
        let mut connection = stand.connect();
        connection.send(bytes);
        assert!(connection.try_answer().is_none_or(|answer| answer.code >= 400));
    }
    assert_eq!(stand.get("/health").code, 200);
}

#[test]
fn a_thousand_identities_are_answered_and_quickly() {
    let stand = Stand::plain();
    let value = good();
    let joined = vec![value.as_str(); 60].join(",");
    let began = Instant::now();
    for _ in 0..20 {
        let answer = stand.post(VERIFICATION, &verification_of(joined.clone()));
        assert_eq!(answer.exception().2[1], "more than 16 of them");
    }
    let answer = stand.post(VERIFICATION, &verification_of(json!(vec!["a"; 20_000])));
    assert_eq!(answer.code, 413);
    let answer = stand.post(VERIFICATION, &verification_of(json!(vec!["a"; 1_000])));
    assert_eq!(answer.exception().2[1], "more than 100 of them");
    assert!(began.elapsed() < Duration::from_secs(10));
}
