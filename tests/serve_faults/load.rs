//! Warm calls that go on in the background: connections that stay open, one request after another.

use std::mem::take;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::stand::{Answer, Connection};

/// How long the slowest warm call may take: far below what a fetch may, far above what a busy machine needs.
pub(crate) const SLOWEST: Duration = Duration::from_millis(1500);

const CONNECTIONS: usize = 3;
const PAUSE: Duration = Duration::from_millis(4);

/// Calls under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    callers: Vec<JoinHandle<()>>,
}

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) slowest: Duration,
    /// Answers that were not right, and connections that ended.
    pub(crate) wrong: Vec<String>,
}

impl Load {
    /// Sends one request again and again; `is_right` judges each answer.
    pub(crate) fn start(address: SocketAddr, request: &[u8], is_right: fn(&Answer) -> bool) -> Self {
        let (stop, tally): (Arc<AtomicBool>, Arc<Mutex<Tally>>) = Default::default();
        let caller = || {
            let (stop, tally, request) = (Arc::clone(&stop), Arc::clone(&tally), request.to_vec());
            thread::spawn(move || {
                let mut connection = Connection::new(TcpStream::connect(address).unwrap());
                while !stop.load(Ordering::SeqCst) {
                    let began = Instant::now();
                    connection.send(&request);
                    let answer = connection.try_answer();
                    if !tally.lock().unwrap().take_in(began.elapsed(), answer.as_ref(), is_right) {
                        return;
                    }
                    thread::sleep(PAUSE);
                }
            })
        };
        let callers = (0..CONNECTIONS).map(|_| caller()).collect();
        Self { stop, tally, callers }
    }

    /// What came of the calls since this was asked last; all of them have to be right, and there have to be some.
    pub(crate) fn check(&self, what: &str) -> Tally {
        let tally = take(&mut *self.tally.lock().unwrap());
        assert!(tally.wrong.is_empty(), "{what}: {:#?}", &tally.wrong[..tally.wrong.len().min(3)]);
        assert!(tally.slowest < SLOWEST, "{what}: a warm call took {:?}", tally.slowest);
        tally
    }

    /// Goes on for a while, and checks that calls were answered in it.
    pub(crate) fn goes_on(&self, what: &str) -> u64 {
        let mut sent = 0;
        let began = Instant::now();
        while sent < 30 {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}: warm calls are not answered");
            thread::sleep(Duration::from_millis(20));
            sent += self.check(what).sent;
        }
        sent
    }

    /// Ends it, every request answered.
    pub(crate) fn stop(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        self.callers.into_iter().for_each(|caller| caller.join().unwrap());
        take(&mut *self.tally.lock().unwrap())
    }
}

impl Tally {
    /// Whether the connection goes on.
    fn take_in(&mut self, took: Duration, answer: Option<&Answer>, is_right: fn(&Answer) -> bool) -> bool {
        self.slowest = self.slowest.max(took);
        let Some(answer) = answer else {
            self.wrong.push("the connection ended".to_owned());
            return false;
        };
        self.sent += 1;
        if !is_right(answer) {
            self.wrong.push(format!("{} {}", answer.code, answer.text()));
        }
        true
    }
}

/// ATIS-1000082: the call passed (H1).
pub(crate) fn is_passed(answer: &Answer) -> bool {
    answer.code == 200 && answer.json()["verificationResponse"]["verstat"] == "TN-Validation-Passed"
}
