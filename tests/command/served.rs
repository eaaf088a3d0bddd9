//! `stirtrace serve` in a process of its own: its log, its answers, signals.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// A service that runs in a folder, by the `stirtrace.toml` there.
pub(crate) struct Served {
    child: Child,
    /// Clients share what runs; only one reads.
    log: Mutex<Receiver<String>>,
    /// Everything that it logged so far.
    pub(crate) logged: String,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        Self::start_with(folder, more, &[])
    }

    /// The same, with variables of the environment.
    pub(crate) fn start_with(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_stirtrace")), folder, more, variables)
    }

    /// The same after what a shell does first.
    pub(crate) fn start_after(first: &str, folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{first}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_stirtrace")]);
        Self::spawn(shell, folder, &[], &[])
    }

    fn spawn(mut command: Command, folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command
            .args(["serve", "--format", "json", "--config", "stirtrace.toml"])
            .args(more)
            .envs(variables.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Read at once, whoever waits for what: a full pipe would stop the service.
        let (lines, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut served = Self { child, log: Mutex::new(log), logged: String::new(), address: String::new() };
        let listening = served.says("listening");
        served.address = listening["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
        served
    }

    /// What the system allows it to have open.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_files(&self) -> usize {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// The next line of the log that says so.
    pub(crate) fn says(&mut self, message: &str) -> Value {
        loop {
            let line = self.log.get_mut().unwrap().recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("the log does not say {message:?}: {}", self.logged));
            self.logged.push_str(&line);
            self.logged.push('\n');
            if let Ok(object) = serde_json::from_str::<Value>(&line)
                && object["message"].as_str().is_some_and(|own| own.contains(message))
            {
                return object;
            }
        }
    }

    /// The answer to a request with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (_, answer) = self.ask("POST", path, &body.to_string());
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Waits for its end: the exit code, and the rest of the log.
    pub(crate) fn wait(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        let rest: String = self.log.get_mut().unwrap().iter().map(|line| line + "\n").collect();
        (code, std::mem::take(&mut self.logged) + &rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
