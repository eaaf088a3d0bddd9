//! How long answers are kept, in memory and on disk, and what serves when nothing newer can be had (RFC 9111; F8, G17, G21).

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use stirtrace::fetch::freshness::Rule;
use stirtrace::fetch::{Event, Fetcher, Kind, Limits, Rules, Settings};

use crate::server::{Conduct, DAY, HOUR, NOW, Server, URL, answer, certificate, listen, ok};

#[tokio::test]
async fn an_answer_serves_for_a_day_and_is_then_confirmed() {
    // G17; RFC 9111 §4.3.
    let server =
        Server::new(ok("ETag: \"1\"\r\nLast-Modified: Mon, 04 May 2026 11:00:00 GMT\r\n", &certificate("twill")));
    let fetcher = server.fetcher();
    let first = fetcher.certificate(URL, NOW).await.unwrap();
    let later = fetcher.certificate(URL, NOW.plus_seconds(DAY - 5 * HOUR)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &later), "nothing is copied");
    assert_eq!(server.connections(), 1);
    server.conduct(answer("304 Not Modified", "", b""));
    let confirmed = fetcher.certificate(URL, NOW.plus_seconds(DAY + 10)).await.unwrap();
    let request = server.requests().pop().unwrap();
    assert!(request.contains("if-none-match: \"1\"\r\n"), "{request}");
    assert!(request.contains("if-modified-since: Mon, 04 May 2026 11:00:00 GMT\r\n"), "{request}");
    assert_eq!(confirmed.body, first.body);
    assert_eq!(confirmed.fetched_at, first.fetched_at);
    assert!(confirmed.confirmed_at.seconds_since(NOW) >= DAY + 10);
    assert!(confirmed.fresh_until.seconds_since(NOW) >= 2 * DAY);
    assert_eq!(fetcher.counts().revalidated, 1);
    fetcher.certificate(URL, NOW.plus_seconds(DAY + 11 * HOUR)).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn obeyed_to_the_letter_an_answer_ends_when_it_says() {
    let server = Server::new(ok("Cache-Control: max-age=100\r\n", &certificate("twill")));
    let rules = Rules { certificate: Rule { least: 0, ..Rule::CERTIFICATE }, ..Rules::default() };
    let fetcher = Fetcher::new(Settings { rules, ..server.settings() }).unwrap();
    for (seconds, connections) in [(0, 1), (50, 1), (103, 2), (150, 2), (300, 3)] {
        fetcher.certificate(URL, NOW.plus_seconds(seconds)).await.unwrap();
        assert_eq!(server.connections(), connections, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_stale_answer_serves_for_a_week_while_there_is_no_other() {
    // RFC 9111 §4.2.4, RFC 5861 §4.
    let server = Server::new(ok("", &certificate("twill")));
    let limits = Limits { certificate_time: Duration::from_secs(4), ..server.settings().limits };
    let fetcher = Fetcher::new(Settings { limits, ..server.settings() }).unwrap();
    fetcher.certificate(URL, NOW).await.unwrap();
    server.conduct(Conduct::Mute);
    let at = NOW.plus_seconds(DAY + 5);
    let stale = fetcher.certificate(URL, at).await.unwrap();
    assert_eq!(stale.stale.as_ref().map(|why| why.kind()), Some("Timeout"));
    assert_eq!(&*stale.body, certificate("twill"));
    // From here on nobody waits for it.
    let began = std::time::Instant::now();
    for seconds in 2..1000 {
        let stale = fetcher.certificate(URL, at.plus_seconds(seconds)).await.unwrap();
        assert!(stale.stale.is_some());
    }
    assert!(began.elapsed() < Duration::from_secs(600), "an hour, if each waited: {:?}", began.elapsed());
    wait_for(&fetcher, |counts| counts.in_flight == 0).await;
    // HTML with 200 is no answer either (G15), and takes nothing away.
    server.conduct(ok("", b"<html>We will be back soon</html>"));
    let at = NOW.plus_seconds(2 * DAY);
    fetcher.certificate(URL, at).await.unwrap();
    wait_for(&fetcher, |counts| counts.failed.contains_key("Unacceptable")).await;
    let still = fetcher.certificate(URL, at.plus_seconds(1)).await.unwrap();
    assert!(still.stale.is_some() && still.unusable.is_none());
    assert!(fetcher.counts().stale >= 1000);
    assert!(fetcher.certificate(URL, NOW.plus_seconds(8 * DAY + 10)).await.is_err(), "not for ever");
    server.conduct(ok("", &certificate("cascade")));
    let found = fetcher.certificate(URL, NOW.plus_seconds(9 * DAY)).await.unwrap();
    assert_eq!((&*found.body, found.stale.clone()), (&*certificate("cascade"), None));
}

async fn wait_for(fetcher: &Fetcher, is_so: impl Fn(&stirtrace::fetch::Counts) -> bool) {
    for _ in 0..6000 {
        if is_so(&fetcher.counts()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", fetcher.counts());
}

#[tokio::test]
async fn what_must_be_revalidated_does_not_serve_stale() {
    // RFC 9111 §5.2.2.2.
    let server = Server::new(ok("Cache-Control: must-revalidate\r\n", &certificate("twill")));
    let fetcher = server.fetcher();
    fetcher.certificate(URL, NOW).await.unwrap();
    server.conduct(answer("503 x", "", b"x"));
    assert!(fetcher.certificate(URL, NOW.plus_seconds(DAY + 5)).await.is_err());
}

#[tokio::test]
async fn a_certificate_in_use_is_fetched_before_it_ends() {
    let server = Server::new(ok("", &certificate("twill")));
    let fetcher = server.fetcher();
    fetcher.certificate(URL, NOW).await.unwrap();
    fetcher.certificate("https://certificates.example/unused.pem", NOW).await.unwrap();
    // By whoever asks near its end, without making him wait ...
    let at = NOW.plus_seconds(DAY - HOUR);
    for _ in 0..100 {
        let fetched = fetcher.certificate(URL, at).await.unwrap();
        assert_eq!(fetched.stale, None);
    }
    wait_for(&fetcher, |counts| counts.fetched == 3 && counts.in_flight == 0).await;
    assert_eq!((server.connections(), fetcher.counts().prefetched), (3, 1));
    // ... and in the background, by whoever looks after it.
    fetcher.certificate(URL, at.plus_seconds(HOUR)).await.unwrap();
    fetcher.tend(at.plus_seconds(DAY - HOUR)).await;
    let held = fetcher.held(Kind::Certificate, URL).unwrap();
    assert!(held.fetched_at >= at.plus_seconds(DAY - HOUR));
    assert_eq!(server.connections(), 4, "what nobody used is left to end");
}

#[tokio::test]
async fn prefetching_from_a_dead_host_takes_nothing_away() {
    let server = Server::new(ok("", &certificate("twill")));
    let fetcher = server.fetcher();
    fetcher.certificate(URL, NOW).await.unwrap();
    fetcher.certificate(URL, NOW.plus_seconds(1)).await.unwrap();
    server.conduct(Conduct::Reset);
    for minutes in 0..30 {
        fetcher.tend(NOW.plus_seconds(DAY - HOUR + 60 * minutes)).await;
        let fetched = fetcher.certificate(URL, NOW.plus_seconds(DAY - HOUR + 60 * minutes)).await.unwrap();
        assert_eq!(fetched.stale, None);
    }
    assert!(server.connections() < 10, "{} connections in half an hour", server.connections());
}

#[tokio::test]
async fn a_certificate_that_fails_a_signature_is_asked_for_again_once() {
    // G21.
    let server = Server::new(ok("ETag: \"1\"\r\n", &certificate("twill")));
    let fetcher = server.fetcher();
    let first = fetcher.certificate(URL, NOW).await.unwrap();
    assert_eq!(fetcher.again(&first, NOW.plus_seconds(1)).await, Ok(None), "it came just now");
    server.conduct(ok("", &certificate("cascade")));
    let at = NOW.plus_seconds(HOUR);
    let second = fetcher.again(&first, at).await.unwrap().unwrap();
    assert_eq!(&*second.body, certificate("cascade"));
    let request = server.requests().pop().unwrap();
    assert!(request.contains("cache-control: no-cache\r\n") && !request.contains("if-none-match"), "{request}");
    assert!(Arc::ptr_eq(&fetcher.certificate(URL, at).await.unwrap(), &second));
    // Whoever else held the old one is given the new one, without a fetch.
    assert!(Arc::ptr_eq(&fetcher.again(&first, at).await.unwrap().unwrap(), &second));
    // A thousand bad signatures are no thousand fetches.
    for seconds in 1..250 {
        assert_eq!(fetcher.again(&second, at.plus_seconds(seconds)).await, Ok(None));
    }
    assert_eq!(server.connections(), 2);
    assert_eq!(fetcher.again(&second, at.plus_seconds(310)).await, Ok(None), "the same still lies there");
    assert_eq!(server.connections(), 3);
    server.conduct(Conduct::Reset);
    assert!(fetcher.again(&second, at.plus_seconds(2 * HOUR)).await.is_err());
    assert_eq!(fetcher.again(&second, at.plus_seconds(2 * HOUR + 5)).await, Ok(None), "that failed a moment ago");
    assert!(
        fetcher.certificate(URL, at.plus_seconds(2 * HOUR + 5)).await.is_ok(),
        "and what is held is as good as before"
    );
}

#[tokio::test]
async fn a_clock_that_jumps_costs_a_fetch_and_nothing_else() {
    let server = Server::new(ok("ETag: \"1\"\r\n", &certificate("twill")));
    let fetcher = server.fetcher();
    fetcher.certificate(URL, NOW).await.unwrap();
    server.conduct(answer("304 Not Modified", "", b""));
    for (number, jump) in [10 * DAY, 0, -1000 * DAY, 0, 400 * DAY].into_iter().enumerate() {
        for _ in 0..20 {
            let fetched = fetcher.certificate(URL, NOW.plus_seconds(jump)).await.unwrap();
            assert_eq!(fetched.stale, None);
        }
        assert_eq!(server.connections(), number + 2, "jump to {jump}");
    }
    // The same with the host down: back, and what is held serves; forth beyond a week, and nothing does.
    server.conduct(Conduct::Reset);
    fetcher.certificate(URL, NOW.plus_seconds(401 * DAY - 10)).await.unwrap();
    let back = fetcher.certificate(URL, NOW).await.unwrap();
    assert!(back.stale.is_some());
    assert!(fetcher.certificate(URL, NOW.plus_seconds(500 * DAY)).await.is_err());
    assert!(fetcher.certificate(URL, NOW.plus_seconds(402 * DAY)).await.is_ok());
}

#[tokio::test]
async fn what_is_on_disk_outlasts_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("ETag: \"1\"\r\n", &certificate("twill")));
    let settings = Settings { cache: Some(folder.path().join("cache")), ..server.settings() };
    let first = Fetcher::new(settings.clone()).unwrap();
    let fetched = first.certificate(URL, NOW).await.unwrap();
    first.settle().await;
    let second = Fetcher::new(settings.clone()).unwrap();
    let again = second.certificate(URL, NOW.plus_seconds(HOUR)).await.unwrap();
    assert_eq!(*again, *fetched);
    assert_eq!((server.connections(), second.counts().disk_hits), (1, 1));
    // Its end is remembered, and by what it is asked for again.
    server.conduct(answer("304 Not Modified", "", b""));
    let third = Fetcher::new(settings.clone()).unwrap();
    let confirmed = third.certificate(URL, NOW.plus_seconds(DAY + 5)).await.unwrap();
    assert_eq!(confirmed.fetched_at, fetched.fetched_at);
    third.settle().await;
    // And with the host down, it serves stale after a restart as before.
    server.conduct(Conduct::Reset);
    let fourth = Fetcher::new(settings).unwrap();
    assert!(fourth.certificate(URL, NOW.plus_seconds(3 * DAY)).await.unwrap().stale.is_some());
}

#[tokio::test]
async fn what_memory_has_no_room_for_serves_from_disk_while_its_host_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", &certificate("twill")));
    // Room for nothing at all.
    let limits = Limits { memory_bytes: 1, ..server.settings().limits };
    let settings = Settings { cache: Some(folder.path().to_owned()), limits, ..server.settings() };
    let fetcher = Fetcher::new(settings).unwrap();
    fetcher.certificate(URL, NOW).await.unwrap();
    fetcher.settle().await;
    fetcher.certificate(URL, NOW.plus_seconds(HOUR)).await.unwrap();
    assert_eq!(server.connections(), 1);
    server.conduct(Conduct::Reset);
    for seconds in 5..30 {
        let stale = fetcher.certificate(URL, NOW.plus_seconds(DAY + seconds)).await.unwrap();
        assert!(stale.stale.is_some());
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn damaged_files_are_dropped_and_counted() {
    for what in ["certificate", "bodies"] {
        for damage in ["flip", "cut", "empty", "other"] {
            let folder = tempfile::tempdir().unwrap();
            let server = Server::new(ok("", &certificate("twill")));
            let mut settings = Settings { cache: Some(folder.path().to_owned()), ..server.settings() };
            let first = Fetcher::new(settings.clone()).unwrap();
            first.certificate(URL, NOW).await.unwrap();
            first.settle().await;
            let file = fs::read_dir(folder.path().join(what)).unwrap().next().unwrap().unwrap().path();
            let mut bytes = fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            match damage {
                "flip" => bytes[middle] ^= 4,
                "cut" => bytes.truncate(middle),
                "empty" => bytes.clear(),
                _ => bytes = certificate("cascade"),
            }
            fs::write(&file, bytes).unwrap();
            let events = listen(&mut settings);
            let second = Fetcher::new(settings).unwrap();
            let fetched = second.certificate(URL, NOW.plus_seconds(HOUR)).await.unwrap();
            assert_eq!(&*fetched.body, certificate("twill"), "{what} {damage}");
            assert_eq!((second.counts().damaged, server.connections()), (1, 2), "{what} {damage}");
            assert!(events.lock().unwrap().iter().any(|event| matches!(event, Event::Damaged { .. })));
            second.settle().await;
            let third = Fetcher::new(Settings { cache: Some(folder.path().to_owned()), ..server.settings() }).unwrap();
            third.certificate(URL, NOW.plus_seconds(HOUR)).await.unwrap();
            assert_eq!(server.connections(), 2, "{what} {damage}: mended");
        }
    }
}

#[tokio::test]
async fn a_disk_that_fails_is_said_once_and_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", &certificate("twill")));
    let mut settings = Settings { cache: Some(folder.path().to_owned()), ..server.settings() };
    let events = listen(&mut settings);
    let fetcher = Fetcher::new(settings).unwrap();
    // Nothing can be written below what is a file; root is no exception.
    fs::remove_dir(folder.path().join("bodies")).unwrap();
    fs::write(folder.path().join("bodies"), "").unwrap();
    for number in 0..3 {
        fetcher.certificate(&format!("https://certificates.example/{number}.pem"), NOW).await.unwrap();
        fetcher.settle().await;
    }
    assert_eq!(fetcher.counts().disk_failures, 3);
    let said = |is: fn(&Event) -> bool| events.lock().unwrap().iter().filter(|event| is(event)).count();
    assert_eq!(said(|event| matches!(event, Event::DiskFailed { .. })), 1);
    fs::remove_file(folder.path().join("bodies")).unwrap();
    fs::create_dir(folder.path().join("bodies")).unwrap();
    fetcher.certificate("https://certificates.example/4.pem", NOW).await.unwrap();
    fetcher.settle().await;
    assert_eq!(said(|event| matches!(event, Event::DiskWorks)), 1);
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0, "nothing half is left");
}

#[tokio::test]
async fn the_disk_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", b""));
    let limits = Limits { disk_bytes: 40_000, ..server.settings().limits };
    let settings = Settings { cache: Some(folder.path().to_owned()), limits, ..server.settings() };
    let fetcher = Fetcher::new(settings.clone()).unwrap();
    for number in 0..60 {
        // Each body is another, so that each takes room.
        let body = [certificate("twill"), format!("# {number}\n").into_bytes()].concat();
        server.conduct(ok("", &body));
        fetcher.certificate(&format!("https://certificates.example/{number}.pem"), NOW).await.unwrap();
        fetcher.settle().await;
        assert!(fetcher.counts().disk_bytes <= 44_000, "{}", fetcher.counts().disk_bytes);
    }
    let entries = fs::read_dir(folder.path().join("certificate")).unwrap().count();
    assert!((5..60).contains(&entries), "{entries}");
    // What is left is whole.
    let second = Fetcher::new(settings).unwrap();
    for number in 0..60 {
        second.certificate(&format!("https://certificates.example/{number}.pem"), NOW).await.unwrap();
    }
    assert!(second.counts().disk_hits >= 5 && second.counts().damaged == 0, "{:?}", second.counts());
}
