//! The only writer of stdout and stderr: stdout is data, stderr is talk.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Stderr, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;

use crate::cli::args::{Color, Format, GlobalArgs};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::redact::Redactor;
use crate::cli::table;
use crate::cli::text::{Text, Tone, is_unsafe};

/// Something that a command prints: an object a line in JSON, a row in CSV, a few lines of text.
pub(crate) trait Present: Serialize {
    /// The CSV columns, as dotted names of the object's members.
    const COLUMNS: &'static [&'static str];

    /// What people read.
    fn text(&self, text: &mut Text);

    /// The object as a graph; most are none.
    fn graph(&self, _graph: Graph) -> Option<String> {
        None
    }
}

/// The languages that graphs are drawn in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Graph {
    Dot,
    Mermaid,
}

/// Prints in the format asked for; numbers are masked, and what others wrote made safe, on the way.
#[derive(Debug)]
pub(crate) struct Printer {
    out: BufWriter<Stdout>,
    talk: Stderr,
    format: Format,
    asked_format: Option<Format>,
    colour: bool,
    talk_colour: bool,
    quiet: bool,
    redact: bool,
    /// The columns of the CSV header that was printed last.
    columns: Option<&'static [&'static str]>,
}

impl Printer {
    /// The printer that the arguments ask for.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let out = io::stdout();
        let default = if out.is_terminal() { Format::Text } else { Format::Json };
        let colour = |choice| match global.color {
            Color::Always => true,
            Color::Never => false,
            // NO_COLOR, CLICOLOR and TERM are read there.
            Color::Auto => choice != ColorChoice::Never,
        };
        Self {
            colour: colour(AutoStream::choice(&out)),
            talk_colour: colour(AutoStream::choice(&io::stderr())),
            out: BufWriter::with_capacity(BUFFER, out),
            talk: io::stderr(),
            format: global.format.unwrap_or(default),
            asked_format: global.format,
            quiet: global.quiet,
            redact: global.redact,
            columns: None,
        }
    }

    /// The format that was named, if one was.
    pub(crate) const fn asked_format(&self) -> Option<Format> {
        self.asked_format
    }

    /// A bar of so many steps. It shows only when stderr is a terminal and stdout, whose lines would cross it, is none.
    pub(crate) fn progress(&self, steps: usize) -> ProgressBar {
        if self.quiet || !self.talk.is_terminal() || io::stdout().is_terminal() {
            return ProgressBar::hidden();
        }
        ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// Prints one object.
    pub(crate) fn show<P: Present>(&mut self, item: &P) -> Result<(), Stop> {
        let needs_value = self.redact || self.format == Format::Csv;
        let mut value = if needs_value { serde_json::to_value(item).unwrap_or(Value::Null) } else { Value::Null };
        let redactor = self.redact.then(|| Redactor::of(&value));
        if let Some(redactor) = &redactor {
            redactor.mask_object(&mut value);
        }
        let printed = match self.format {
            Format::Json if needs_value => json_line(&value),
            Format::Json => json_line(item),
            Format::Csv => self.rows(P::COLUMNS, &value),
            Format::Dot => graph(item, Graph::Dot, redactor.as_ref())?,
            Format::Mermaid => graph(item, Graph::Mermaid, redactor.as_ref())?,
            Format::Text => {
                let mut text = Text::new(self.colour, redactor);
                item.text(&mut text);
                text.as_str().to_owned()
            }
        };
        self.raw(printed.as_bytes())
    }

    fn rows(&mut self, columns: &'static [&'static str], value: &Value) -> String {
        let mut rows = String::new();
        if self.columns != Some(columns) {
            self.columns = Some(columns);
            rows.push_str(&table::header(columns));
        }
        rows.push_str(&table::row(columns, value));
        rows
    }

    /// Writes bytes of our own making to stdout as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.out.write_all(bytes).map_err(|reason| unwritable(&reason))
    }

    /// Brings to stdout what is still held back; call it before waiting for more input.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(|reason| unwritable(&reason))
    }

    /// Says something in passing on stderr, unless silence was asked for.
    pub(crate) fn note(&mut self, words: &str) {
        if !self.quiet {
            self.say(Tone::Faint, "note", words);
        }
    }

    /// Says on stderr that something is not as it should be, unless silence was asked for.
    pub(crate) fn warn(&mut self, words: &str) {
        if !self.quiet {
            self.say(Tone::Doubt, "warning", words);
        }
    }

    /// Complains on stderr.
    pub(crate) fn complain(&mut self, complaint: &Complaint) {
        self.say(Tone::Bad, "error", complaint.what());
        if let Some(hint) = complaint.next() {
            self.say(Tone::Name, "hint", hint);
        }
    }

    fn say(&mut self, tone: Tone, kind: &str, words: &str) {
        // Data first, so that on a terminal the two streams stand in order.
        let _ = self.out.flush();
        let mut text = Text::new(self.talk_colour, self.redact.then(Redactor::default));
        text.put(tone, kind).plain(": ").plain(words).end();
        // Nobody is left to tell when stderr cannot be written.
        let _ = self.talk.write_all(text.as_str().as_bytes());
    }
}

const BUFFER: usize = 64 * 1024;

fn graph<P: Present>(item: &P, graph: Graph, redactor: Option<&Redactor>) -> Result<String, Stop> {
    let drawn = item
        .graph(graph)
        .ok_or_else(|| Complaint::new("this command draws no graph").hint("ask it for --format text, json or csv"))?;
    Ok(redactor.map_or_else(|| drawn.clone(), |redactor| redactor.mask(&drawn).into_owned()))
}

fn json_line(item: &impl Serialize) -> String {
    // Names are strings and floats are finite in all our objects, so there is nothing that JSON cannot hold.
    let mut line = escaped(serde_json::to_string(item).unwrap_or_default());
    line.push('\n');
    line
}

/// JSON escapes C0 by itself; what else could steer a terminal or reorder what is read stands only inside strings, where
/// `\u` says the same.
fn escaped(json: String) -> String {
    if !json.contains(is_unsafe) {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

fn unwritable(reason: &io::Error) -> Stop {
    if reason.kind() == io::ErrorKind::BrokenPipe {
        return Stop::Closed;
    }
    Complaint::new(format!("stdout cannot be written: {reason}")).hint("is the disk full?").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_carries_no_character_that_steers_a_terminal() {
        let line = json_line(&"a\u{9b}31m\u{202e}\u{7f}\u{e0041}\x1b");
        assert_eq!(line, "\"a\\u009b31m\\u202e\\u007f\\udb40\\udc41\\u001b\"\n");
    }

    proptest! {
        #[test]
        fn json_says_what_it_was_given(text: String) {
            let line = json_line(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
            prop_assert!(!line.trim_end().contains(is_unsafe));
        }
    }
}
