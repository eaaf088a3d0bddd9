//! The command in a process of its own, and a host whose certificates it fetches.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use stirtrace::time::UnixTime;

use crate::desk::{Desk, certs};
use crate::load::Load;
use crate::page::Page;
use crate::server::{Conduct, Server, Shown, listener_on_8443};
use crate::stand::{Connection, Request, VERIFICATION};
use crate::token::Token;

/// A folder with a configuration, and the host.
pub(crate) struct Place {
    pub(crate) desk: Desk,
    pub(crate) server: Server,
    pub(crate) host: String,
}

impl Place {
    /// `more` stands below `[service]`.
    pub(crate) fn new(conduct: Conduct, more: &str) -> Self {
        let listener = listener_on_8443();
        let host = listener.local_addr().unwrap().ip().to_string();
        let server = Server::on(listener, &host, Shown::Good, conduct);
        let desk = Desk::new();
        desk.write("tls.pem", &server.root);
        let roots = certs().join("roots.pem");
        let toml = format!(
            "trust = [\"{}\"]\n[[network]]\nname = \"Prairie Telephone\"\nspc = \"904P\"\ntime_zone = \"UTC\"\n\
             [[network.source]]\nname = \"live\"\nfiles = \"evidence/*.jsonl\"\nformat = \"jsonl\"\n\
             time_zone = \"UTC\"\n\
             [service]\nlisten = \"127.0.0.1:0\"\nfetch_cache = \"cache\"\nfetch_archive = \"archive\"\n\
             [service.verification]\nmax_age = 86400\n[service.evidence]\nfolder = \"evidence\"\n{more}",
            roots.display()
        );
        desk.write("stirtrace.toml", toml);
        Self { desk, server, host }
    }

    pub(crate) fn start(&self, log: Log) -> Served {
        self.start_with("", log)
    }

    /// The same after what a shell does first.
    pub(crate) fn start_with(&self, first: &str, log: Log) -> Served {
        let allowed = format!("{0}={0}", self.host);
        // What is beyond a limit of size is to be an error, as a full disk is, and no signal.
        let mut child = Command::new("sh")
            .args(["-c", &format!("trap '' XFSZ; {first}exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_stirtrace")])
            .args(["serve", "--config", "stirtrace.toml", "--format", "json", "--fetch", "--fetch-root", "tls.pem"])
            .args(["--fetch-allow", &allowed, "--fetch-timeout", "3"])
            .current_dir(self.desk.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it does not start");
            let object: Value = serde_json::from_str(&line).unwrap_or_default();
            if object["message"] == "listening" {
                break object["url"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
            }
        };
        Served { child, address, log: log.of(stderr) }
    }

    /// A call of now, whose certificate lies at this host under this name, signed by this key.
    pub(crate) fn call(&self, name: &str, key: &str) -> Value {
        let now = now();
        let x5u = format!("https://{}:8443/{name}.pem", self.host);
        let token = Token { key: Some(key.to_owned()), x5u: Some(x5u), ..Token::default() };
        json!({"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]},
            "time": now.seconds(), "identity": token.value(now)}, "callId": format!("{name}@twill.example")})
    }

    /// The names in a folder of the desk.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.desk.path(folder)).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// All lines of evidence, as they stand.
    pub(crate) fn evidence(&self) -> Vec<String> {
        let texts = self.names("evidence").into_iter().map(|name| {
            let bytes = std::fs::read(self.desk.path("evidence").join(name)).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

pub(crate) fn now() -> UnixTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    UnixTime::from_seconds(i64::try_from(now).unwrap())
}

/// What becomes of the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Log {
    /// Its lines are kept.
    Kept,
    /// Its reader goes away.
    Gone,
    /// Its reader reads no further.
    Stuck,
}

/// The log's other end.
pub(crate) enum End {
    Lines(Arc<Mutex<Vec<String>>>),
    Nobody,
    Unread { _stderr: BufReader<ChildStderr> },
}

impl Log {
    fn of(self, stderr: BufReader<ChildStderr>) -> End {
        match self {
            Self::Gone => End::Nobody,
            Self::Stuck => End::Unread { _stderr: stderr },
            Self::Kept => {
                let lines: Arc<Mutex<Vec<String>>> = Arc::default();
                let own = Arc::clone(&lines);
                thread::spawn(move || {
                    stderr.lines().map_while(Result::ok).for_each(|line| own.lock().unwrap().push(line));
                });
                End::Lines(lines)
            }
        }
    }
}

/// The process.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: End,
}

impl Served {
    pub(crate) fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(self.address).unwrap())
    }

    /// What stands in `verificationResponse`.
    pub(crate) fn verification(&self, call: &Value) -> Value {
        let mut connection = self.connect();
        connection.send(&Request::new(VERIFICATION, call.to_string().as_bytes()).bytes());
        let answer = connection.answer();
        assert_eq!(answer.code, 200, "{}", answer.text());
        answer.json()["verificationResponse"].clone()
    }

    pub(crate) fn passes(&self, call: &Value) {
        let result = self.verification(call);
        assert_eq!(result["verstat"], "TN-Validation-Passed", "{result}");
    }

    pub(crate) fn page(&self) -> Page {
        let mut connection = self.connect();
        connection.send(&Request { method: "GET", ..Request::new("/metrics", b"") }.bytes());
        Page::read(&connection.answer().text())
    }

    pub(crate) fn load(&self, call: &Value, is_right: fn(&crate::stand::Answer) -> bool) -> Load {
        Load::start(self.address, &Request::new(VERIFICATION, call.to_string().as_bytes()).bytes(), is_right)
    }

    /// How many lines of the log say so.
    pub(crate) fn said(&self, message: &str) -> usize {
        let End::Lines(lines) = &self.log else { return 0 };
        lines.lock().unwrap().iter().filter(|line| line.contains(message)).count()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop; its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not stop");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
