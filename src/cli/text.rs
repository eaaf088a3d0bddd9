//! Text for people: lines of toned words, where nothing that others wrote can steer the terminal.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Style};

use crate::redaction::Redactor;
use crate::redaction::characters::is_unsafe;

/// What a word says by its colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// As the terminal has it.
    Plain,
    /// What to look at first.
    Strong,
    /// What to look at last.
    Faint,
    /// As it should be.
    Good,
    /// To be thought about.
    Doubt,
    /// Not as it should be.
    Bad,
    /// A name to type or to follow.
    Name,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Doubt => AnsiColor::Yellow.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Name => AnsiColor::Cyan.on_default(),
        }
    }
}

/// A page of text under construction. Every word is made safe on its way in; only [`Text::end`] ends a line.
#[derive(Debug, Default)]
pub(crate) struct Text {
    buffer: String,
    colour: bool,
    redactor: Option<Redactor>,
    /// How many columns there are; lines stay as they are where nobody looks at a terminal.
    width: Option<usize>,
    /// Where the line begins that is being written.
    line: usize,
}

impl Text {
    /// An empty page, with or without colours.
    pub(crate) fn new(colour: bool, redactor: Option<Redactor>) -> Self {
        Self { colour, redactor, ..Self::default() }
    }

    /// The same with long lines broken at spaces, to go on below where their words began.
    pub(crate) fn wrapped(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Whether numbers are masked, so that excerpts that would show them are left out.
    pub(crate) const fn is_redacted(&self) -> bool {
        self.redactor.is_some()
    }

    /// Puts words at the end of the line.
    pub(crate) fn put(&mut self, tone: Tone, words: impl Display) -> &mut Self {
        let words = words.to_string();
        match &self.redactor {
            Some(redactor) => {
                let masked = redactor.mask(&words).into_owned();
                self.put_legible(tone, masked)
            }
            None => self.put_legible(tone, words),
        }
    }

    /// Puts words that hold no telephone number, though they may look like one: what registries and the configuration
    /// call a provider or a certificate by.
    pub(crate) fn put_legible(&mut self, tone: Tone, words: impl Display) -> &mut Self {
        let words = words.to_string();
        let words = sanitised(&words);
        let style = tone.style();
        // Writing to a String cannot fail.
        let _ = if self.colour && tone != Tone::Plain && !words.is_empty() {
            write!(self.buffer, "{style}{words}{style:#}")
        } else {
            self.buffer.write_str(&words)
        };
        self
    }

    /// Puts plain words at the end of the line.
    pub(crate) fn plain(&mut self, words: impl Display) -> &mut Self {
        self.put(Tone::Plain, words)
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        // Too narrow a terminal leaves no room beside the column of names.
        if let Some(width) = self.width.filter(|width| *width > 2 * INDENT) {
            let wrapped = wrap(&self.buffer[self.line..], width);
            self.buffer.truncate(self.line);
            self.buffer.push_str(&wrapped);
        }
        self.end_unbroken();
    }

    /// Ends a line that is not to be broken, because what stands in it is measured by columns.
    pub(crate) fn end_unbroken(&mut self) {
        self.buffer.push('\n');
        self.line = self.buffer.len();
    }

    /// A line of a name in a column of its own and what it stands for.
    pub(crate) fn field(&mut self, name: &str, words: impl Display) {
        self.name(name).plain(words).end();
    }

    /// The name of a line's column; the line goes on.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.put(Tone::Faint, format_args!("  {name:<NAME_WIDTH$} "))
    }

    /// What was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.buffer
    }
}

/// A count as people read it: `26,000,000`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A line broken at spaces so that it keeps to the width where its words allow; colours take no room.
fn wrap(line: &str, width: usize) -> String {
    let (mut wrapped, mut column) = (String::with_capacity(line.len() + 64), 0);
    for word in line.split_inclusive(' ') {
        let length = visible(word.trim_end_matches(' '));
        if column > INDENT && column + length > width {
            wrapped.truncate(wrapped.trim_end_matches(' ').len());
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(INDENT));
            column = INDENT;
        }
        // The space at which the line was broken is not repeated.
        if column == INDENT && word == " " && wrapped.ends_with(' ') && wrapped.contains('\n') {
            continue;
        }
        wrapped.push_str(word);
        column += visible(word);
    }
    wrapped
}

/// How many columns a text takes: all its characters but those of the sequences that colour it.
fn visible(text: &str) -> usize {
    let mut columns = 0;
    let mut in_sequence = false;
    for character in text.chars() {
        match character {
            '\u{1b}' => in_sequence = true,
            'm' if in_sequence => in_sequence = false,
            _ => columns += usize::from(!in_sequence),
        }
    }
    columns
}

/// Where words begin beside the column of names.
const INDENT: usize = NAME_WIDTH + 3;

/// How wide the column of names is: the longest is `certificate`.
pub(crate) const NAME_WIDTH: usize = 12;

/// The text with every character that could steer a terminal or reorder what is read shown as `\u{..}`.
///
/// These are the controls C0, DEL and C1 (CWE-150), the bidirectional controls (CVE-2021-42574), other invisible
/// formats, and the line and paragraph separators.
pub(crate) fn sanitised(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terminal_escapes_and_bidirectional_controls_are_shown_not_sent() {
        let shown = sanitised("a\x1b[31mb\u{9b}c\u{202e}d\r\n\te\u{7f}\u{200b}");
        assert_eq!(shown, "a\\u{1b}[31mb\\u{9b}c\\u{202e}d\\u{d}\\u{a}\\u{9}e\\u{7f}\\u{200b}");
        assert_eq!(sanitised("Zoë, 東京 \\n"), "Zoë, 東京 \\n");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (26_000_000, "26,000,000"), (123_456, "123,456")]
        {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn long_lines_go_on_below_their_words_and_short_ones_stay() {
        let mut text = Text::new(false, None).wrapped(Some(40));
        text.field("because", "one call agrees, in the tier exact, and none better");
        text.field("sha256", "0f2600ba4c2912345678901280da04d7b8cb7ca6");
        text.field("role", "intermediate");
        text.name("").plain(" ".repeat(40)).plain("^ here").end_unbroken();
        let expected = "  because      one call agrees, in the\n               tier exact, and none\n               better\n\
            \x20 sha256       0f2600ba4c2912345678901280da04d7b8cb7ca6\n\
            \x20 role         intermediate\n";
        assert!(text.as_str().starts_with(expected), "{}", text.as_str());
        assert!(text.as_str().ends_with("^ here\n"));
    }

    #[test]
    fn colours_take_no_room_on_a_line() {
        let words = |colour| {
            let mut text = Text::new(colour, None).wrapped(Some(50));
            for _ in 0..20 {
                text.put(Tone::Bad, "word").plain(" ");
            }
            text.end();
            text.as_str().replace("\x1b[1m\x1b[31m", "").replace("\x1b[0m", "")
        };
        assert_eq!(words(true), words(false));
    }

    #[test]
    fn colour_is_only_ours() {
        let mut text = Text::new(true, None);
        text.put(Tone::Bad, "x\x1b[0m").end();
        assert_eq!(text.as_str(), "\x1b[1m\x1b[31mx\\u{1b}[0m\x1b[0m\n");
        let mut text = Text::new(false, None);
        text.put(Tone::Bad, "x").end();
        assert_eq!(text.as_str(), "x\n");
    }

    proptest! {
        #[test]
        fn no_text_brings_a_control_character_to_the_terminal(words: String) {
            let mut text = Text::new(false, None);
            text.put(Tone::Good, &words);
            prop_assert!(!text.as_str().chars().any(char::is_control));
        }
    }
}
