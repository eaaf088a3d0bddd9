//! A process killed while it writes: the next one finds what was there, or less, and never anything else.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use stirtrace::certificate::bundle::{Bundle, Limits as FileLimits};
use stirtrace::fetch::entry::Entry;
use stirtrace::fetch::history::{self, History};
use stirtrace::fetch::{Fetcher, Limits, Settings};

use crate::server::{Conduct, NOW, Server, certificate, ok};

const CHILD: &str = "STIRTRACE_TEST_KILLED_WHILE_WRITING";

/// Not a test of its own: the process that is killed. It writes as fast as it can and says so on stdout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "to whoever kills it")]
async fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let server = Server::new(ok("", b""));
    let settings = server.settings();
    let limits = Limits { disk_bytes: 400_000, memory_bytes: 10_000, ..settings.limits };
    let folder = std::path::PathBuf::from(folder);
    let fetcher = Fetcher::new(Settings {
        cache: Some(folder.join("cache")),
        archive: Some(folder.join("archive")),
        limits,
        ..settings
    })
    .unwrap();
    println!("writing");
    for round in 0u64.. {
        for url in 0..20 {
            // A body tells its URL and round, so that whoever reads it knows whether it belongs there.
            server.conduct(ok("", &body(url, round)));
            let at = NOW.plus_seconds(i64::try_from(round).unwrap() * 30 * 86_400);
            if let Ok(fetched) = fetcher.certificate(&url_of(url), at).await {
                fetcher.archive(&fetched);
            }
        }
    }
}

fn url_of(number: u64) -> String {
    format!("https://certificates.example/{number}.pem")
}

fn body(url: u64, round: u64) -> Vec<u8> {
    [certificate("twill"), format!("# {url}\n# {round}\n").repeat(40).into_bytes()].concat()
}

fn belongs(body: &[u8], url: u64) -> bool {
    let text = String::from_utf8_lossy(body).into_owned();
    let numbers: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let round = numbers.get(1).and_then(|round| round.parse().ok());
    round.is_some_and(|round| self::body(url, round) == body) && Bundle::read(body, &FileLimits::UNTRUSTED).is_ok()
}

#[test]
fn a_kill_leaves_what_was_there_or_less_and_never_something_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut found = 0;
    for kill in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("writing")));
        std::thread::sleep(Duration::from_millis(40 + 37 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        found += check(folder.path());
    }
    assert!(found > 20, "only {found} answers outlasted twelve kills");
}

/// How many answers are whole; panics on one that is anything else.
fn check(folder: &std::path::Path) -> usize {
    let server = Server::new(Conduct::Reset);
    let settings = Settings { cache: Some(folder.join("cache")), ..server.settings() };
    let fetcher = Fetcher::new(settings).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut found = 0;
    for file in std::fs::read_dir(folder.join("cache/certificate")).unwrap() {
        let entry = Entry::parse(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        let number =
            entry.url.trim_start_matches("https://certificates.example/").trim_end_matches(".pem").parse().unwrap();
        // Nothing can be fetched, so what is served is from the disk; a body may be gone, to make room.
        let Ok(fetched) = runtime.block_on(fetcher.certificate(&entry.url, entry.validity.answered_at)) else {
            continue;
        };
        assert!(belongs(&fetched.body, number), "another's body for {}", entry.url);
        assert_eq!(fetched.sha256, entry.sha256);
        found += 1;
    }
    for url in 0..20 {
        let archive = folder.join("archive");
        let Ok(bytes) = std::fs::read(archive.join(history::url_file(&url_of(url)))) else { continue };
        let history = History::parse(&url_of(url), &bytes);
        assert_eq!(history.damaged, 0, "{url}");
        for span in &history.spans {
            let body = std::fs::read(archive.join(history::body_file(&span.sha256))).unwrap();
            assert!(belongs(&body, url), "{url}");
        }
    }
    assert_eq!(fetcher.counts().damaged, 0);
    found
}

#[tokio::test]
async fn nobody_elses_half_written_file_is_taken_for_ours() {
    // In containers that share a folder every process has the same number; and one that was killed left its files behind.
    let folder = tempfile::tempdir().unwrap();
    let half = folder.path().join("tmp");
    std::fs::create_dir_all(&half).unwrap();
    let names: Vec<_> = (0..3).map(|number| half.join(format!("{}-{number}", std::process::id()))).collect();
    names.iter().for_each(|name| std::fs::write(name, b"another's").unwrap());
    let server = Server::new(ok("", &certificate("twill")));
    let settings = || Settings { cache: Some(folder.path().to_owned()), ..server.settings() };
    let fetcher = Fetcher::new(settings()).unwrap();
    fetcher.certificate(&url_of(1), NOW).await.unwrap();
    fetcher.settle().await;
    assert_eq!(fetcher.counts().disk_failures, 0);
    assert!(names.iter().all(|name| std::fs::read(name).unwrap() == b"another's"));
    let again = Fetcher::new(settings()).unwrap();
    assert_eq!(*again.certificate(&url_of(1), NOW).await.unwrap().body, *certificate("twill"));
    assert_eq!((again.counts().disk_hits, server.connections()), (1, 1));
}
