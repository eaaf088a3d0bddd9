//! The archive: every certificate that was used, with the time, so that an old call is judged by the one of its day.

use std::fs;
use std::path::Path;

use stirtrace::fetch::history::{self, History};
use stirtrace::fetch::{Fetcher, Settings};

use crate::server::{DAY, HOUR, NOW, Server, URL, certificate, ok};

fn history(folder: &Path) -> History {
    History::parse(URL, &fs::read(folder.join(history::url_file(URL))).unwrap())
}

#[tokio::test]
async fn what_was_used_is_kept_with_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", &certificate("twill")));
    let fetcher = Fetcher::new(Settings { archive: Some(folder.path().to_owned()), ..server.settings() }).unwrap();
    let old = fetcher.certificate(URL, NOW).await.unwrap();
    fetcher.settle().await;
    assert!(!folder.path().join(history::url_file(URL)).exists(), "what is used, its user says");
    for _ in 0..10 {
        fetcher.archive(&old);
    }
    fetcher.settle().await;
    let later = fetcher.certificate(URL, NOW.plus_seconds(DAY + HOUR)).await.unwrap();
    fetcher.archive(&later);
    fetcher.settle().await;
    server.conduct(ok("", &certificate("cascade")));
    let new = fetcher.certificate(URL, NOW.plus_seconds(3 * DAY)).await.unwrap();
    fetcher.archive(&new);
    fetcher.settle().await;
    let history = history(folder.path());
    let spans: Vec<_> = history.spans.iter().map(|span| (span.sha256, span.first_seen, span.last_seen)).collect();
    assert_eq!(spans, [(old.sha256, old.fetched_at, later.confirmed_at), (new.sha256, new.fetched_at, new.fetched_at)]);
    assert_eq!(history.candidates(NOW.plus_seconds(HOUR)), [old.sha256, new.sha256]);
    for fetched in [&old, &new] {
        assert_eq!(fs::read(folder.path().join(history::body_file(&fetched.sha256))).unwrap(), *fetched.body);
    }
    // The newest lies where `wget --mirror` would put it.
    assert_eq!(fs::read(folder.path().join("certificates.example/twill.pem")).unwrap(), certificate("cascade"));
}

#[tokio::test]
async fn two_fetchers_may_share_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", &certificate("twill")));
    let mut archivists = tokio::task::JoinSet::new();
    for number in 0..8 {
        let settings = Settings { archive: Some(folder.path().to_owned()), ..server.settings() };
        archivists.spawn(async move {
            let fetcher = Fetcher::new(settings).unwrap();
            let fetched = fetcher.certificate(URL, NOW.plus_seconds(number * HOUR)).await.unwrap();
            fetcher.archive(&fetched);
            fetcher.settle().await;
            fetched.confirmed_at
        });
    }
    let seen = archivists.join_all().await;
    let history = history(folder.path());
    assert_eq!((history.spans.len(), history.damaged), (1, 0));
    assert!(seen.iter().all(|at| *at <= history.spans[0].last_seen));
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_leads_an_archive_outside() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("archive"), folder.path().join("outside"));
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir_all(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("certificates.example")).unwrap();
    let server = Server::new(ok("", &certificate("twill")));
    let fetcher = Fetcher::new(Settings { archive: Some(inside.clone()), ..server.settings() }).unwrap();
    fetcher.archive(&fetcher.certificate(URL, NOW).await.unwrap());
    fetcher.settle().await;
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(history(&inside).spans.len(), 1, "the history has it all the same");
}

#[tokio::test]
async fn what_is_no_certificate_is_not_archived() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(ok("", b"<html>"));
    let fetcher = Fetcher::new(Settings { archive: Some(folder.path().to_owned()), ..server.settings() }).unwrap();
    fetcher.archive(&fetcher.certificate(URL, NOW).await.unwrap());
    fetcher.settle().await;
    assert!(!folder.path().join(history::url_file(URL)).exists());
}
