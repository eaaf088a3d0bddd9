//! A row of delimited text as cells: where each stands, and what its quotes mean (RFC 4180 section 2).

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// The most cells that a row may have.
pub const MAX_CELLS: usize = 4096;

/// What quotes mean.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Quotes {
    /// A quote within quotes is doubled, and lines may break there (RFC 4180).
    #[default]
    Doubled,
    /// Quotes within quotes stand as they are: a quoted cell ends with the quote before a delimiter, on the same line.
    Loose,
    /// Quotes are characters as any other.
    Plain,
}

/// A cell of a row: where its text stands, and whether quotes in it are doubled.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: Range<usize>,
    pub(super) doubled: bool,
}

impl Cell {
    /// The text of the cell out of its row.
    pub(super) fn of<'a>(&self, row: &'a str) -> Option<Cow<'a, str>> {
        self.whole(row.get(self.text.clone())?)
    }

    /// What the cell says: white space around it cut, doubled quotes once.
    pub(super) fn whole<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let text = trimmed(text);
        Some(if self.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) })
    }
}

fn trimmed(text: &str) -> &str {
    let is_plain = |c: Option<&u8>| c.is_none_or(|c| *c > b' ' && c.is_ascii());
    if is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) { text } else { text.trim() }
}

/// Splits a row; `false` when it has more cells than are read.
pub(super) fn split(row: &[u8], delimiter: u8, quotes: Quotes, cells: &mut Vec<Cell>) -> bool {
    cells.clear();
    if quotes == Quotes::Plain || memchr(b'"', row).is_none() {
        let mut start = 0;
        for end in memchr_iter(delimiter, row) {
            cells.push(Cell { text: start..end, doubled: false });
            start = end + 1;
        }
        cells.push(Cell { text: start..row.len(), doubled: false });
        return cells.len() <= MAX_CELLS;
    }
    let mut at = 0;
    loop {
        let (cell, end) = cell(row, at, delimiter, quotes);
        cells.push(cell);
        if end >= row.len() || cells.len() > MAX_CELLS {
            return cells.len() <= MAX_CELLS;
        }
        at = end + 1;
    }
}

/// The cell that begins there, and where the delimiter behind it stands.
fn cell(row: &[u8], start: usize, delimiter: u8, quotes: Quotes) -> (Cell, usize) {
    let spaces = if delimiter == b' ' { 0 } else { row[start..].iter().take_while(|c| **c == b' ').count() };
    let open = start + spaces;
    if row.get(open) == Some(&b'"')
        && let Some((close, doubled)) = closing_quote(row, open + 1, delimiter, quotes)
    {
        let end = delimiter_from(row, close + 1, delimiter);
        // What stands behind a closing quote belongs to nothing; it is kept and shows.
        if row[close + 1..end].iter().all(u8::is_ascii_whitespace) {
            return (Cell { text: open + 1..close, doubled }, end);
        }
        return (Cell { text: start..end, doubled: false }, end);
    }
    let end = delimiter_from(row, start, delimiter);
    (Cell { text: start..end, doubled: false }, end)
}

fn delimiter_from(row: &[u8], at: usize, delimiter: u8) -> usize {
    memchr(delimiter, &row[at..]).map_or(row.len(), |offset| at + offset)
}

/// Where the quotes end, and whether doubled ones stand within.
fn closing_quote(row: &[u8], from: usize, delimiter: u8, quotes: Quotes) -> Option<(usize, bool)> {
    let (mut at, mut doubled) = (from, false);
    while let Some(quote) = memchr(b'"', &row[at..]).map(|offset| at + offset) {
        let behind = &row[quote + 1..];
        if quotes == Quotes::Loose {
            let first = behind.iter().find(|c| **c != b' ' || delimiter == b' ');
            if first.is_none_or(|c| *c == delimiter) {
                return Some((quote, false));
            }
            at = quote + 1;
        } else if behind.first() == Some(&b'"') {
            doubled = true;
            at = quote + 2;
        } else {
            return Some((quote, doubled));
        }
    }
    None
}
