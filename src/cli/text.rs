//! Text for people: lines of toned words, where nothing that others wrote can steer the terminal.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Style};

use crate::cli::redact::Redactor;

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
}

impl Text {
    /// An empty page, with or without colours.
    pub(crate) fn new(colour: bool, redactor: Option<Redactor>) -> Self {
        Self { buffer: String::new(), colour, redactor }
    }

    /// Whether numbers are masked, so that excerpts that would show them are left out.
    pub(crate) const fn is_redacted(&self) -> bool {
        self.redactor.is_some()
    }

    /// Puts words at the end of the line.
    pub(crate) fn put(&mut self, tone: Tone, words: impl Display) -> &mut Self {
        let words = words.to_string();
        let words = match &self.redactor {
            Some(redactor) => redactor.mask(&words),
            None => Cow::Borrowed(words.as_str()),
        };
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
        self.buffer.push('\n');
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

/// Whether a character could steer a terminal or reorder what is read.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
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
