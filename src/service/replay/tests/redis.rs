//! The shared memory against a real Redis; skipped, with a word, where redis-server is not installed.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

/// A server of our own, on a socket in a folder of its own.
struct RedisServer {
    child: Child,
    folder: tempfile::TempDir,
}

impl RedisServer {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.path().join("redis.sock"))
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: redis-server is not installed");
            return None;
        };
        let server = Self { child, folder };
        (0..500).find(|_| {
            std::thread::sleep(Duration::from_millis(10));
            std::os::unix::net::UnixStream::connect(server.folder.path().join("redis.sock")).is_ok()
        })?;
        Some(server)
    }

    fn settings(&self) -> ReplaySettings {
        let url = format!("redis+unix://{}", self.folder.path().join("redis.sock").display());
        let redis = RedisSettings { url, prefix: "t:".to_owned(), timeout: 2_000 };
        ReplaySettings { redis: Some(redis), ..ReplaySettings::default() }
    }

    fn freeze(&self, signal: &str) {
        assert!(Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn process(settings: ReplaySettings) -> Engine {
    let engine = engine(move |loaded| loaded.settings.replay = Some(settings.clone()));
    engine.replay().unwrap().connect().await.unwrap();
    engine
}

#[tokio::test]
async fn what_one_process_saw_the_other_knows() {
    let Some(server) = RedisServer::start() else { return };
    let (first, second) = (process(server.settings()).await, process(server.settings()).await);
    let identity = identity(Attestation::A, CALLED);
    assert_eq!(error(&first, &signed_call("1", &[&identity])).await, None);
    assert_eq!(error(&second, &signed_call("1", &[&identity])).await, None, "a retry that another process gets");
    assert_eq!(error(&second, &signed_call("2", &[&identity])).await, Some("ReplayedToken"));
    let third = process(server.settings()).await;
    for _ in 0..2 {
        assert_eq!(error(&third, &signed_call("2", &[&identity])).await, Some("ReplayedToken"), "also asked again");
    }
    assert_eq!(error(&third, &signed_call("1", &[&identity])).await, None);
    assert_eq!(third.replay().unwrap().counts().shared_failures, 0);
}

#[tokio::test]
async fn calls_are_judged_without_a_memory_that_does_not_answer() {
    let Some(server) = RedisServer::start() else { return };
    let mut settings = server.settings();
    settings.redis.as_mut().unwrap().timeout = 50;
    let engine = process(settings).await;
    let identity = identity(Attestation::A, CALLED);
    server.freeze("-STOP");
    assert_eq!(error(&engine, &signed_call("1", &[&identity])).await, None);
    assert_eq!(error(&engine, &signed_call("2", &[&identity])).await, Some("ReplayedToken"), "by our own memory");
    let other = crate::service::scene::identity(Attestation::B, CALLED);
    assert_eq!(error(&engine, &signed_call("3", &[&other])).await, None);
    let counts = engine.replay().unwrap().counts();
    assert_eq!((counts.shared_failures, counts.shared_skipped), (1, 1), "nobody waits twice");
    assert_eq!(counts.shared_error.as_deref(), Some("no answer within 50 ms"));
    server.freeze("-CONT");
    engine.replay().unwrap().connect().await.unwrap();
    assert_eq!(engine.replay().unwrap().counts().shared_error, None);
}
