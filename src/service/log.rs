//! The service's log: an object a line on stderr, or text for people; telephone numbers masked unless they are asked for.
//!
//! No call waits for whoever reads it: lines go into a queue, and what does not fit, or cannot be written, is counted.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::redaction::Redactor;
use crate::redaction::ordered::Ordered;
use crate::service::settings::LogLevel;

/// How the log looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// What is logged.
    pub level: LogLevel,
    /// Whether numbers stand in it in full.
    pub numbers: bool,
    /// Text for people, instead of JSON.
    pub text: bool,
}

impl Options {
    /// Options of a log.
    #[must_use]
    pub const fn new(level: LogLevel, numbers: bool, text: bool) -> Self {
        Self { level, numbers, text }
    }
}

/// Starts the process's log. A second time it changes nothing. What is in the queue when the guard is dropped is still
/// written.
pub fn start(options: Options) -> Guard {
    let guard = Guard { _private: () };
    let level = match options.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Requests => Level::DEBUG,
    };
    // What the libraries below us talk about is theirs.
    let filter = Targets::new().with_default(LevelFilter::ERROR).with_target("stirtrace", level);
    let writer = Masked { numbers: options.numbers, text: options.text };
    let layer = if options.text {
        fmt::layer().with_target(false).with_ansi(false).with_writer(writer).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_target(false).with_writer(writer).boxed()
    };
    // Another log is there already: a test's.
    let _ = registry().with(layer.with_filter(filter)).try_init();
    guard
}

/// Sees to it that the last lines of the log are written.
#[derive(Debug)]
#[must_use]
pub struct Guard {
    _private: (),
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(queue) = QUEUE.get() else { return };
        let (done, all) = sync_channel(1);
        if queue.try_send(Message::Tell(done)).is_ok() {
            // Whoever does not read the log does not keep the process from ending.
            let _ = all.recv_timeout(LAST_LINES);
        }
    }
}

/// How many lines of the log could not be written, or not fast enough.
#[must_use]
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// What goes to the thread that writes.
enum Message {
    Line(Vec<u8>),
    /// Everything before this is written.
    Tell(SyncSender<()>),
}

/// The process has one stderr, and one log.
static QUEUE: OnceLock<SyncSender<Message>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);
const QUEUED_LINES: usize = 8192;
const LAST_LINES: Duration = Duration::from_secs(2);

/// The queue; none where no thread could be started, and each line is written at once.
fn queue() -> Option<&'static SyncSender<Message>> {
    if let Some(queue) = QUEUE.get() {
        return Some(queue);
    }
    let (sender, lines) = sync_channel(QUEUED_LINES);
    let thread = std::thread::Builder::new().name("log".to_owned());
    thread.spawn(move || write_all(&lines)).ok()?;
    Some(QUEUE.get_or_init(|| sender))
}

fn write_all(messages: &Receiver<Message>) {
    for message in messages {
        match message {
            Message::Line(line) => write(&line),
            Message::Tell(done) => drop(done.try_send(())),
        }
    }
}

/// A log that nobody takes, for its disk is full or its reader gone, costs its lines and nothing else.
fn write(line: &[u8]) {
    if io::stderr().write_all(line).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes lines with their numbers masked.
#[derive(Clone, Copy, Debug)]
struct Masked {
    numbers: bool,
    text: bool,
}

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Masked {
    /// One event a call, whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let own = if self.numbers { line.to_vec() } else { masked(line, self.text).into_bytes() };
        let Some(queue) = queue() else {
            write(&own);
            return Ok(line.len());
        };
        match queue.try_send(Message::Line(own)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                LOST.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line with its numbers masked; the time that it begins with is none.
fn masked(line: &[u8], text: bool) -> String {
    let line = String::from_utf8_lossy(line);
    if !text && let Ok(mut object) = serde_json::from_str::<Ordered>(&line) {
        Redactor::of(&object).mask_object(&mut object);
        if let Ok(printed) = serde_json::to_string(&object) {
            return printed + "\n";
        }
    }
    let (time, rest) = line.split_once(' ').unwrap_or(("", &line));
    match Redactor::default().mask(rest) {
        Cow::Borrowed(_) => line.into_owned(),
        Cow::Owned(rest) => format!("{time} {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_in_both_forms_and_times_are_not() {
        let json =
            r#"{"timestamp":"2026-05-04T12:00:01.123456Z","level":"DEBUG","from":"12155550112","message":"request"}"#;
        let object = masked(json.as_bytes(), false);
        assert_eq!(object, json.replace("12155550112", "1215xxxxxxx") + "\n");
        let text = "2026-05-04T12:00:01.123456Z DEBUG request from=\"12155550112\"\n";
        assert_eq!(masked(text.as_bytes(), true), text.replace("12155550112", "1215xxxxxxx"));
    }
}
