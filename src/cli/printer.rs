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
    renderer: Renderer,
    asked_format: Option<Format>,
    talk_colour: bool,
    quiet: bool,
    /// The columns of the CSV header that was printed last.
    columns: Option<&'static [&'static str]>,
    /// The bars on the terminal, once there are any.
    bars: Option<MultiProgress>,
}

/// What another thread has to say on stderr.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Remark {
    /// For [`Printer::note`].
    Note(String),
    /// For [`Printer::warn`].
    Warning(String),
}

/// Turns objects into what is printed. Threads may do so side by side; what they made goes to [`Printer::put`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renderer {
    format: Format,
    colour: bool,
    redact: bool,
    /// How many columns stdout has, if it is a terminal.
    width: Option<usize>,
}

impl Renderer {
    /// Adds an object to `rendered`, without the header that CSV begins with.
    pub(crate) fn render<P: Present>(&self, item: &P, rendered: &mut String) -> Result<(), Complaint> {
        let redacted = self.redact.then(|| Redacted::of(item)).transpose()?;
        let redactor = redacted.as_ref().map(|redacted| redacted.redactor.clone());
        match (self.format, &redacted) {
            (Format::Json, Some(redacted)) => json_line(&redacted.object, rendered),
            (Format::Json, None) => json_line(item, rendered),
            (Format::Csv, Some(redacted)) => rendered.push_str(&table::row(P::COLUMNS, &value_of(&redacted.object))),
            (Format::Csv, None) => rendered.push_str(&table::row(P::COLUMNS, &value_of(item))),
            (Format::Dot, _) => rendered.push_str(&graph(item, Graph::Dot, redactor.as_ref())?),
            (Format::Mermaid, _) => rendered.push_str(&graph(item, Graph::Mermaid, redactor.as_ref())?),
            (Format::Text, _) => {
                let mut text = Text::new(self.colour, redactor).wrapped(self.width);
                item.text(&mut text);
                rendered.push_str(text.as_str());
            }
        }
        Ok(())
    }
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
            renderer: Renderer {
                format: global.format.unwrap_or(default),
                colour: colour(AutoStream::choice(&out)),
                redact: global.redact,
                width,
            },
            talk_colour: colour(AutoStream::choice(&io::stderr())),
            out: BufWriter::with_capacity(BUFFER, out),
            talk: io::stderr(),
            asked_format: global.format,
            quiet: global.quiet,
            columns: None,
            bars: None,
        }
    }

    /// The format that was named, if one was.
    pub(crate) const fn asked_format(&self) -> Option<Format> {
        self.asked_format
    }

    /// Whether it is people who read.
    pub(crate) const fn is_text(&self) -> bool {
        self.renderer.format.is_text()
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
        self.renderer.redact
    }

    /// What makes objects into what this prints.
    pub(crate) const fn renderer(&self) -> Renderer {
        self.renderer
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
        let mut rendered = String::new();
        self.renderer.render(item, &mut rendered)?;
        self.put::<P>(&rendered)
    }

    /// Prints objects that were rendered.
    pub(crate) fn put<P: Present>(&mut self, rendered: &str) -> Result<(), Stop> {
        if self.renderer.format == Format::Csv && !rendered.is_empty() && self.columns != Some(P::COLUMNS) {
            self.columns = Some(P::COLUMNS);
            self.raw(table::header(P::COLUMNS).as_bytes())?;
        }
        self.raw(rendered.as_bytes())
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
        let (out, bars) = (&mut self.out, self.bars.as_ref().filter(|_| self.renderer.width.is_some()));
        aside(bars, || out.write_all(bytes)).map_err(|reason| unwritable(&reason))
    }

    /// Brings to stdout what is still held back; call it before waiting for more input.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        let (out, bars) = (&mut self.out, self.bars.as_ref().filter(|_| self.renderer.width.is_some()));
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

    /// The one or the other.
    pub(crate) fn remark(&mut self, remark: &Remark) {
        match remark {
            Remark::Note(words) => self.note(words),
            Remark::Warning(words) => self.warn(words),
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
        let mut text = Text::new(self.talk_colour, self.renderer.redact.then(Redactor::default));
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
    fn of(item: &impl Serialize) -> Result<Self, Complaint> {
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

fn graph<P: Present>(item: &P, graph: Graph, redactor: Option<&Redactor>) -> Result<String, Complaint> {
    let drawn = item
        .graph(graph)
        .ok_or_else(|| Complaint::new("this command draws no graph").hint("ask it for --format text, json or csv"))?;
    Ok(redactor.map_or_else(|| drawn.clone(), |redactor| redactor.mask(&drawn).into_owned()))
}

fn json_line(item: &impl Serialize, rendered: &mut String) {
    // Names are strings and floats are finite in all our objects, so there is nothing that JSON cannot hold.
    let line = serde_json::to_string(item).unwrap_or_default();
    push_escaped(&line, rendered);
    rendered.push('\n');
}

/// JSON escapes C0 by itself; what else could steer a terminal or reorder what is read stands only inside strings, where
/// `\u` says the same.
fn push_escaped(json: &str, rendered: &mut String) {
    // All of it but DEL is beyond ASCII.
    if json.bytes().all(|byte| byte < 0x7f) || !json.contains(is_unsafe) {
        return rendered.push_str(json);
    }
    for character in json.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(rendered, "\\u{unit:04x}");
            }
        } else {
            rendered.push(character);
        }
    }
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

    fn line_of(item: &impl Serialize) -> String {
        let mut line = String::new();
        json_line(item, &mut line);
        line
    }

    #[test]
    fn json_carries_no_character_that_steers_a_terminal() {
        let line = line_of(&"a\u{9b}31m\u{202e}\u{7f}\u{e0041}\x1b");
        assert_eq!(line, "\"a\\u009b31m\\u202e\\u007f\\udb40\\udc41\\u001b\"\n");
    }

    proptest! {
        #[test]
        fn json_says_what_it_was_given(text: String) {
            let line = line_of(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
            prop_assert!(!line.trim_end().contains(is_unsafe));
        }
    }
}
