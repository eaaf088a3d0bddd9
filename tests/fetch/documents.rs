//! CRLs and trust lists: looked after in the background, the last good one kept, its age visible (F21-F23).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stirtrace::certificate::crl::Crl;
use stirtrace::fetch::{Accept, Fetcher, Kind, NotFetched, Settings};
use stirtrace::time::UnixTime;

use crate::server::{Conduct, DAY, HOUR, NOW, Server, answer, ok};

const CRL: &str = "https://certificates.example/sti-pa.crl";
const LIST: &str = "https://certificates.example/list";

fn lab(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("certs").join(name)).unwrap()
}

fn anything() -> Accept {
    Arc::new(|_| Ok(None))
}

#[tokio::test]
async fn the_last_good_crl_stays() {
    let crl = lab("crl/indirect.der");
    let server = Server::new(ok("", &crl));
    let fetcher = server.fetcher();
    let first = fetcher.crl(CRL, NOW).await.unwrap();
    assert!(Crl::from_bytes(&first.body).is_ok());
    for conduct in [Conduct::Reset, ok("", b"<html>"), ok("", &crl[..crl.len() / 2]), answer("404 x", "", b"x")] {
        server.conduct(conduct);
        let at = NOW.plus_seconds(400 * DAY);
        let held = fetcher.crl(CRL, at).await.unwrap();
        assert_eq!((&held.body, held.fetched_at), (&first.body, first.fetched_at));
        assert!(held.stale.is_some(), "its age is visible");
    }
}

#[tokio::test]
async fn a_crl_is_looked_after_before_its_next_update() {
    let crl = lab("crl/indirect.der");
    let next_update = Crl::from_bytes(&crl).unwrap().next_update().unwrap();
    let server = Server::new(ok("Cache-Control: max-age=86400\r\n", &crl));
    let fetcher = server.fetcher();
    fetcher.watch(
        Kind::Crl,
        CRL,
        Arc::new(|body| Crl::from_bytes(body).map(|crl| crl.next_update()).map_err(|why| why.to_string())),
    );
    let at = next_update.plus_seconds(-HOUR);
    fetcher.tend(at).await;
    let held = fetcher.held(Kind::Crl, CRL).unwrap();
    assert_eq!(held.fresh_until, next_update, "an hour, whatever the header says");
    fetcher.tend(at.plus_seconds(60)).await;
    assert_eq!(server.connections(), 1, "not yet");
    fetcher.tend(at.plus_seconds(HOUR - 60)).await;
    assert_eq!(server.connections(), 2);
    fetcher.unwatch(Kind::Crl, CRL);
    fetcher.tend(at.plus_seconds(10 * DAY)).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_its_judge_refuses_never_takes_the_place_of_what_he_took() {
    // F21: as a list of a lower sequence, or one that somebody else signed.
    let server = Server::new(ok("", b"{\"good\":1}"));
    let fetcher = server.fetcher();
    let accept: Accept =
        Arc::new(|body| if body.starts_with(b"{\"good") { Ok(None) } else { Err("its sequence went back".to_owned()) });
    fetcher.watch(Kind::TrustList, LIST, accept);
    fetcher.tend(NOW).await;
    server.conduct(ok("", b"{\"bad\":1}"));
    fetcher.tend(NOW.plus_seconds(2 * HOUR)).await;
    let held = fetcher.trust_list(LIST, NOW.plus_seconds(2 * HOUR + 1)).await.unwrap();
    assert_eq!(&*held.body, b"{\"good\":1}");
    let why = held.stale.clone().unwrap();
    assert!(matches!(&why, NotFetched::NegativelyCached { why, .. } if why.kind() == "Unacceptable"), "{why}");
    assert_eq!(fetcher.counts().failed.get("Unacceptable"), Some(&1));
}

#[tokio::test]
async fn the_last_good_list_outlasts_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let list = lab("trust-list.jwt");
    let server = Server::new(ok("", &list));
    let settings = Settings { cache: Some(folder.path().to_owned()), ..server.settings() };
    let first = Fetcher::new(settings.clone()).unwrap();
    first.watch(Kind::TrustList, LIST, anything());
    first.tend(NOW).await;
    first.settle().await;
    server.conduct(Conduct::Reset);
    let second = Fetcher::new(settings).unwrap();
    let held = second.trust_list(LIST, NOW.plus_seconds(300 * DAY)).await.unwrap();
    assert_eq!(*held.body, *list);
    assert!(held.stale.is_some());
}

#[tokio::test]
async fn tending_goes_on_by_the_clock_until_it_is_dropped() {
    let server = Server::new(ok("", &lab("crl/indirect.der")));
    let fetcher = server.fetcher();
    fetcher.watch(Kind::Crl, CRL, anything());
    let tended = tokio::time::timeout(Duration::from_millis(600), fetcher.tend_forever()).await;
    assert!(tended.is_err());
    assert_eq!(server.connections(), 1);
    let held = fetcher.held(Kind::Crl, CRL).unwrap();
    assert!(held.fetched_at > UnixTime::from_seconds(1_700_000_000));
}
