//! The place of a fault in a value, with a caret under the byte that is wrong.

use crate::cli::text::{Text, Tone, sanitised};

/// A value and where it is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caret<'a> {
    value: &'a str,
    offset: Option<usize>,
}

/// How many characters before and after the fault are shown.
const BEFORE: usize = 40;
const AFTER: usize = 32;

impl<'a> Caret<'a> {
    /// A value with a fault at a byte of it, or nowhere in particular.
    pub(crate) const fn new(value: &'a str, offset: Option<usize>) -> Self {
        Self { value, offset }
    }

    /// Prints the part around the fault and the caret; nothing where numbers are masked, for a token holds them.
    pub(crate) fn print(&self, text: &mut Text) {
        if text.is_redacted() {
            return;
        }
        let Some((excerpt, column)) = self.excerpt() else { return };
        text.name("").plain(&excerpt).end_unbroken();
        text.name("").plain(" ".repeat(column)).put(Tone::Bad, "^");
        text.put(Tone::Faint, format_args!(" byte {}", self.offset.unwrap_or_default())).end_unbroken();
    }

    /// The characters around the fault, long values elided, and the column of the fault among them.
    fn excerpt(&self) -> Option<(String, usize)> {
        let mut offset = self.offset?.min(self.value.len());
        while !self.value.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, after) = self.value.split_at(offset);
        let start = before.char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
        let end = after.char_indices().nth(AFTER).map_or(after.len(), |(at, _)| at);
        let mut shown = String::new();
        if start > 0 {
            shown.push('…');
        }
        shown.push_str(&sanitised(&before[start..]));
        let column = shown.chars().count();
        shown.push_str(&sanitised(&after[..end]));
        if end < after.len() {
            shown.push('…');
        }
        Some((shown, column))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_caret_stands_under_the_byte_that_is_wrong() {
        let (shown, column) = Caret::new("a.b\0.c;info=<x>", Some(3)).excerpt().unwrap();
        assert_eq!((shown.as_str(), column), ("a.b\\u{0}.c;info=<x>", 3));
        let (shown, column) = Caret::new("a\x1b.é.c", Some(4)).excerpt().unwrap();
        assert_eq!((shown.as_str(), column), ("a\\u{1b}.é.c", 8));
    }

    #[test]
    fn long_values_are_elided_on_both_sides() {
        let value = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let (shown, column) = Caret::new(&value, Some(500)).excerpt().unwrap();
        assert_eq!(shown.chars().nth(column), Some('!'));
        assert!(shown.starts_with('…') && shown.ends_with('…') && shown.chars().count() < 80, "{shown}");
    }

    proptest! {
        #[test]
        fn any_offset_of_any_text_can_be_shown(value: String, offset in 0usize..200) {
            let (shown, column) = Caret::new(&value, Some(offset)).excerpt().unwrap();
            prop_assert!(column <= shown.chars().count());
        }
    }
}
