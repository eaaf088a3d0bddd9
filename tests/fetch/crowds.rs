//! Many at once: one fetch a URL, bounded numbers, and failures that are not repeated a thousand times.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use stirtrace::fetch::{Fetcher, Limits, NotFetched, Resolver, Resolving, Settings};
use tokio::task::JoinSet;

use crate::server::{Conduct, Gathering, HOUR, NOW, Names, Server, URL, answer, certificate, gathered, ok};

/// The certificate, byte by byte: time for everybody to ask.
fn slow() -> Conduct {
    match ok("", &certificate("twill")) {
        Conduct::Answer(bytes) => Conduct::Dribble(bytes, Duration::from_micros(50)),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_askers_are_one_request() {
    let server = Server::new(slow());
    let fetcher = Fetcher::new(Settings {
        limits: Limits { certificate_time: Duration::from_secs(120), ..Limits::default() },
        ..server.settings()
    })
    .unwrap();
    let mut askers = JoinSet::new();
    for _ in 0..1000 {
        let fetcher = fetcher.clone();
        askers.spawn(async move { fetcher.certificate(URL, NOW).await });
    }
    let answers = askers.join_all().await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|fetched| *fetched.body == *certificate("twill"))));
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
    let counts = fetcher.counts();
    assert_eq!(counts.fetched, 1);
    assert_eq!(counts.joined + counts.hits, 999, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_askers_of_a_dead_host_are_one_request() {
    let server = Server::new(Conduct::Mute);
    let fetcher = Fetcher::new(server.hasty()).unwrap();
    let began = Instant::now();
    let mut askers = JoinSet::new();
    for _ in 0..1000 {
        let fetcher = fetcher.clone();
        askers.spawn(async move { fetcher.certificate(URL, NOW).await });
    }
    let answers = askers.join_all().await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(server.connections(), 1);
    assert!(began.elapsed() < Duration::from_secs(300), "nobody waits behind another: {:?}", began.elapsed());
}

#[tokio::test]
async fn an_asker_who_goes_away_stops_nobody_else() {
    let server = Server::new(slow());
    let settings = Settings {
        limits: Limits { certificate_time: Duration::from_secs(120), ..Limits::default() },
        ..server.settings()
    };
    let fetcher = Fetcher::new(settings).unwrap();
    let first = {
        let fetcher = fetcher.clone();
        tokio::spawn(async move { fetcher.certificate(URL, NOW).await })
    };
    while server.connections() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = {
        let fetcher = fetcher.clone();
        tokio::spawn(async move { fetcher.certificate(URL, NOW).await })
    };
    tokio::task::yield_now().await;
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_failure_is_remembered_and_longer_each_time() {
    let server = Server::new(answer("500 x", "", b"x"));
    let fetcher = server.fetcher();
    assert_eq!(fetcher.certificate(URL, NOW).await.unwrap_err(), NotFetched::Status { status: 500 });
    let again = fetcher.certificate(URL, NOW.plus_seconds(29)).await.unwrap_err();
    assert!(
        matches!(&again, NotFetched::NegativelyCached { why, .. } if **why == NotFetched::Status { status: 500 }),
        "{again}"
    );
    assert_eq!(server.connections(), 1);
    assert_eq!(fetcher.counts().negative_hits, 1);
    // 30 s, 60 s, 120 s, 240 s, 480 s, and 600 s from there on.
    let mut at = NOW;
    for (number, wait) in [30, 60, 120, 240, 480, 600, 600].into_iter().enumerate() {
        at = at.plus_seconds(wait - 2);
        let _ = fetcher.certificate(URL, at).await;
        assert_eq!(server.connections(), number + 1, "too early the {number}th time");
        at = at.plus_seconds(3);
        let _ = fetcher.certificate(URL, at).await;
        assert_eq!(server.connections(), number + 2, "not again the {number}th time");
    }
    server.conduct(ok("", &certificate("twill")));
    assert!(fetcher.certificate(URL, at.plus_seconds(700)).await.is_ok());
}

#[tokio::test]
async fn a_failure_of_a_time_to_come_is_none() {
    // The clock stood an hour ahead when it failed, and was put right.
    let server = Server::new(answer("500 x", "", b"x"));
    let fetcher = server.fetcher();
    fetcher.certificate(URL, NOW.plus_seconds(HOUR)).await.unwrap_err();
    server.conduct(ok("", &certificate("twill")));
    assert!(fetcher.certificate(URL, NOW).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_host_does_not_take_all_there_is() {
    // All URLs of one host, which says nothing, and one of another, which does.
    let server = Server::new(Conduct::Mute);
    let good = Server::new(ok("", &certificate("twill")));
    let names = Names::new(&[("slow.example", server.address), (crate::server::HOST, good.address)]);
    let settings = Settings {
        resolver: Some(Arc::new(names)),
        allowances: vec!["slow.example=127.0.0.1".parse().unwrap(), good.settings().allowances.remove(0)],
        limits: Limits {
            certificate_time: Duration::from_secs(8),
            connections: 12,
            of_one_host: 8,
            ..Limits::default()
        },
        ..good.settings()
    };
    let fetcher = Fetcher::new(settings).unwrap();
    let mut askers = JoinSet::new();
    for number in 0..200 {
        let fetcher = fetcher.clone();
        askers.spawn(async move { fetcher.certificate(&format!("https://slow.example/{number}.pem"), NOW).await });
    }
    while server.connections() < 8 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(fetcher.certificate(URL, NOW).await.is_ok(), "the other host waits for none of it");
    let answers = askers.join_all().await;
    let crowded =
        answers.iter().filter(|answer| matches!(answer, Err(NotFetched::TooManyAtOnce { host: Some(_), limit: 8 })));
    assert_eq!(crowded.count(), 192);
    assert_eq!(server.connections(), 8);
    assert_eq!(fetcher.counts().in_flight, 0);
    // Our own crowding is not held against the URL.
    server.conduct(ok("", &certificate("twill")));
    let failed = fetcher.certificate("https://slow.example/199.pem", NOW).await.unwrap_err();
    assert!(matches!(failed, NotFetched::Tls { .. }), "asked again at once, and no longer refused: {failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_connect_to_one_host_at_a_time_as_may_and_the_others_wait() {
    let gathering = Gathering::of(8);
    let server = Server::new(gathered(&gathering, ok("", &certificate("twill"))));
    let fetcher = server.fetcher();
    let mut askers = JoinSet::new();
    for number in 0..24 {
        let fetcher = fetcher.clone();
        let url = format!("https://certificates.example/{number}.pem");
        askers.spawn(async move { fetcher.certificate(&url, NOW).await });
    }
    assert!(askers.join_all().await.iter().all(Result::is_ok));
    assert_eq!((gathering.most(), server.connections()), (8, 24));
}

/// DNS that is silent about whatever lies below one name, and says the rest.
struct PartlySilent {
    names: Names,
    asked: Mutex<Vec<String>>,
}

impl Resolver for PartlySilent {
    fn resolve(&self, name: &str) -> Resolving {
        if name.ends_with(".silent.example") {
            self.asked.lock().unwrap().push(name.to_owned());
            return Box::pin(std::future::pending());
        }
        self.names.resolve(name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_below_one_that_dns_is_silent_about_leave_places_to_others() {
    // Each name is another host, and costs whoever holds the zone nothing. A look-up outlasts the fetch that wanted it.
    let server = Server::new(ok("", &certificate("twill")));
    let names = Names::new(&[(crate::server::HOST, server.address)]);
    let resolver = Arc::new(PartlySilent { names, asked: Mutex::default() });
    let limits = Limits { certificate_time: Duration::from_millis(400), ..Limits::default() };
    let own: Arc<dyn Resolver> = resolver.clone();
    let fetcher = Fetcher::new(Settings { limits, resolver: Some(own), ..server.settings() }).unwrap();
    // More in all than there are places for look-ups, and than there are connections.
    for round in 0..10 {
        let mut askers = JoinSet::new();
        for number in 0..40 {
            let (fetcher, url) = (fetcher.clone(), format!("https://{round}-{number}.a{number}.silent.example/c.pem"));
            askers.spawn(async move { fetcher.certificate(&url, NOW).await });
        }
        assert!(askers.join_all().await.iter().all(Result::is_err));
    }
    assert_eq!(resolver.asked.lock().unwrap().len(), 8, "{:?}", resolver.asked.lock());
    // At any moment the other host gets through; a busy machine may need more than one attempt.
    let mut got = false;
    for attempt in 0..20 {
        got = got || fetcher.certificate(URL, NOW.plus_seconds(attempt * HOUR)).await.is_ok();
    }
    assert!(got, "{:?}", fetcher.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_wait_and_no_more() {
    let server = Server::new(Conduct::Mute);
    let settings = server.hasty();
    let limits = Limits { waiting: 20, of_one_host: 1000, connections: 2, ..settings.limits };
    let fetcher = Fetcher::new(Settings { limits, ..settings }).unwrap();
    let mut askers = JoinSet::new();
    for number in 0..100 {
        let fetcher = fetcher.clone();
        askers.spawn(async move { fetcher.certificate(&format!("https://certificates.example/{number}"), NOW).await });
    }
    let answers = askers.join_all().await;
    let kinds =
        |kind: &str| answers.iter().filter(|answer| answer.as_ref().is_err_and(|why| why.kind() == kind)).count();
    assert!(kinds("TooManyAtOnce") >= 80, "{}", kinds("TooManyAtOnce"));
    assert!(kinds("Timeout") >= 2, "{}", kinds("Timeout"));
    assert_eq!(kinds("Timeout") + kinds("TooManyAtOnce"), 100);
}

#[tokio::test]
async fn memory_is_bounded_whatever_is_asked_for() {
    let server = Server::new(ok("", &certificate("twill")));
    let settings = server.settings();
    let names = Arc::new(Names::new(&[(crate::server::HOST, server.address)]));
    let limits = Limits { memory_bytes: 20_000, ..settings.limits };
    let fetcher = Fetcher::new(Settings { limits, resolver: Some(names.clone()), ..settings }).unwrap();
    for number in 0..60 {
        fetcher.certificate(&format!("https://certificates.example/{number}.pem"), NOW).await.unwrap();
    }
    let size = u64::try_from(certificate("twill").len()).unwrap();
    assert!(fetcher.counts().held * size <= 20_000, "{} held", fetcher.counts().held);
    assert_eq!(names.asked.load(Ordering::SeqCst), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_serves_whom_our_own_limits_turn_away() {
    let server = Server::new(ok("", &certificate("twill")));
    let limits = Limits { waiting: 1, of_one_host: 1, ..server.settings().limits };
    let fetcher = Fetcher::new(Settings { limits, ..server.settings() }).unwrap();
    fetcher.certificate(URL, NOW).await.unwrap();
    server.conduct(Conduct::Mute);
    let busy = fetcher.clone();
    let other = tokio::spawn(async move { busy.certificate("https://certificates.example/other.pem", NOW).await });
    while fetcher.counts().in_flight == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Its time is over, it never failed, and there is no room to ask for it.
    let served = fetcher.certificate(URL, NOW.plus_seconds(25 * HOUR)).await.unwrap();
    assert!(matches!(served.stale, Some(NotFetched::TooManyAtOnce { limit: 1, .. })), "{:?}", served.stale);
    assert_eq!(fetcher.counts().failed.get("TooManyAtOnce"), Some(&1), "counted once");
    other.abort();
}
