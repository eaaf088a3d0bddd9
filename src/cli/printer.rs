//! The only writer of stdout and stderr: stdout is data, stderr is talk.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Stderr, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use crate::cli::args::{Color, Format, GlobalArgs};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::table;
use crate::cli::text::{Text, Tone};
use crate::redaction::Redactor;
use crate::redaction::characters::is_unsafe;
use crate::redaction::ordered::Ordered;

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
    /// The bars on the terminal, once there are any.
    bars: Option<MultiProgress>,
    /// How many columns stdout has, if it is a terminal.
    width: Option<usize>,
}

impl Printer {
    /// The printer that the arguments ask for.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let out = io::stdout();
        let default = if out.is_terminal() { Format::Text } else { Format::Json };
        let width = out.is_terminal().then(|| columns_of(&out));
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
            bars: None,
            width,
        }
    }

    /// The format that was named, if one was.
    pub(crate) const fn asked_format(&self) -> Option<Format> {
        self.asked_format
    }

    /// Whether it is people who read.
    pub(crate) const fn is_text(&self) -> bool {
        self.format.is_text()
    }

    /// Whether stderr is for people: a terminal, unless JSON was asked for.
    pub(crate) fn talks_text(&self) -> bool {
        self.asked_format.map_or_else(|| self.talk.is_terminal(), Format::is_text)
    }

    /// Whether nothing but errors is said.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether numbers are masked.
    pub(crate) const fn is_redacted(&self) -> bool {
        self.redact
    }

    /// A bar of so many steps, shown where stderr is a terminal. It gives way to whatever is printed meanwhile.
    pub(crate) fn progress(&mut self, steps: u64) -> ProgressBar {
        if self.quiet || !self.talk.is_terminal() {
            return ProgressBar::hidden();
        }
        self.bars.get_or_insert_with(MultiProgress::new).add(ProgressBar::new(steps))
    }

    /// Prints one object.
    pub(crate) fn show<P: Present>(&mut self, item: &P) -> Result<(), Stop> {
        let redacted = self.redact.then(|| Redacted::of(item)).transpose()?;
        let redactor = redacted.as_ref().map(|redacted| redacted.redactor.clone());
        let printed = match (self.format, &redacted) {
            (Format::Json, Some(redacted)) => json_line(&redacted.object),
            (Format::Json, None) => json_line(item),
            (Format::Csv, Some(redacted)) => self.rows(P::COLUMNS, &value_of(&redacted.object)),
            (Format::Csv, None) => self.rows(P::COLUMNS, &value_of(item)),
            (Format::Dot, _) => graph(item, Graph::Dot, redactor.as_ref())?,
            (Format::Mermaid, _) => graph(item, Graph::Mermaid, redactor.as_ref())?,
            (Format::Text, _) => {
                let mut text = Text::new(self.colour, redactor).wrapped(self.width);
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

    /// A bar of so many bytes of what is being done, with the rate and the time that is left.
    pub(crate) fn progress_of_bytes(&mut self, what: &'static str, bytes: u64) -> ProgressBar {
        let bar = self.progress(bytes);
        let template = format!("{what} {{bar:30}} {{bytes}}/{{total_bytes}}, {{bytes_per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar
    }

    /// Writes bytes of our own making to stdout as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let (out, bars) = (&mut self.out, self.bars.as_ref().filter(|_| self.width.is_some()));
        aside(bars, || out.write_all(bytes)).map_err(|reason| unwritable(&reason))
    }

    /// Brings to stdout what is still held back; call it before waiting for more input.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        let (out, bars) = (&mut self.out, self.bars.as_ref().filter(|_| self.width.is_some()));
        aside(bars, || out.flush()).map_err(|reason| unwritable(&reason))
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
        let _ = self.flush();
        let mut text = Text::new(self.talk_colour, self.redact.then(Redactor::default));
        text.put(tone, kind).plain(": ").plain(words).end();
        // Nobody is left to tell when stderr cannot be written.
        let talk = &mut self.talk;
        let _ = aside(self.bars.as_ref(), || talk.write_all(text.as_str().as_bytes()));
    }
}

/// Does something to the terminal while no bar is on it.
fn aside<T>(bars: Option<&MultiProgress>, act: impl FnOnce() -> T) -> T {
    match bars {
        Some(bars) => bars.suspend(act),
        None => act(),
    }
}

/// Says on stderr, before there is a printer, what repeats words of the command line: with its numbers masked.
pub(crate) fn say_masked(words: &str) -> io::Result<()> {
    io::stderr().write_all(Redactor::default().mask(words).as_bytes())
}

const BUFFER: usize = 64 * 1024;

/// An object with its numbers masked, and what masks them elsewhere.
struct Redacted {
    object: Ordered,
    redactor: Redactor,
}

impl Redacted {
    /// Nothing is printed of an object that cannot be masked.
    fn of(item: &impl Serialize) -> Result<Self, Stop> {
        let read = serde_json::to_string(item).and_then(|json| serde_json::from_str::<Ordered>(&json));
        let mut object = read.map_err(|reason| Complaint::new(format!("--redact cannot mask an object: {reason}")))?;
        let redactor = Redactor::of(&object);
        redactor.mask_object(&mut object);
        Ok(Self { object, redactor })
    }
}

/// A terminal that does not say is as wide as terminals were.
fn columns_of(out: &Stdout) -> usize {
    terminal_size::terminal_size_of(out).map_or(80, |(width, _)| usize::from(width.0))
}

fn value_of(item: &impl Serialize) -> Value {
    // Names are strings and floats are finite in all our objects, so there is nothing that JSON cannot hold.
    serde_json::to_value(item).unwrap_or(Value::Null)
}

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
