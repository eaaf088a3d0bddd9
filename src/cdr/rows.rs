//! Rows of delimited text (RFC 4180), from a byte source of any length in bounded memory.
//!
//! A row may run over several lines when a cell is quoted. A quote that is never closed must not swallow the file: the
//! line that opens it is set aside, and reading goes on with the next.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

/// Reads row after row.
#[derive(Debug)]
pub struct Rows<R> {
    source: BufReader<R>,
    delimiter: u8,
    /// Bytes that were read and given back, because the row they seemed to belong to was none.
    pending: Vec<u8>,
    pending_at: usize,
    /// The row as it stands, line ends included.
    row: Vec<u8>,
    cells: Vec<Cell>,
    /// Lines read so far.
    lines: u64,
}

/// A cell of a row: where its text stands, and whether quotes in it are doubled.
#[derive(Clone, Debug)]
struct Cell {
    text: Range<usize>,
    escaped: bool,
}

/// The longest row that is read: no call record comes near, however many tokens it carries.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;

/// The most lines that a quoted cell may run a row over. Each quote that is never closed is followed this far, so that a
/// file of nothing else costs no more than as many readings of it.
pub const MAX_ROW_LINES: u64 = 256;

/// The most cells that a row may have.
pub const MAX_CELLS: usize = 4096;

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    bytes: &'a [u8],
    cells: &'a [Cell],
    line: u64,
}

impl<R: Read> Rows<R> {
    /// Reads rows whose cells that byte separates.
    pub fn new(source: R, delimiter: u8) -> Self {
        Self {
            source: BufReader::with_capacity(BUFFER, source),
            delimiter,
            pending: Vec::new(),
            pending_at: 0,
            row: Vec::new(),
            cells: Vec::new(),
            lines: 0,
        }
    }

    /// The next row that is not empty; `None` at the end.
    ///
    /// # Errors
    /// When a row cannot be read. Reading goes on behind it, except after [`RowError::Unreadable`].
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, RowError> {
        loop {
            self.row.clear();
            let line = self.lines + 1;
            if !self.read_line(line)? {
                return Ok(None);
            }
            if self.lines == 1 && self.row.starts_with(b"\xef\xbb\xbf") {
                self.row.drain(..3);
            }
            if without_line_end(&self.row).iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.close_quotes(line)?;
            split(without_line_end(&self.row), self.delimiter, &mut self.cells, line)?;
            return Ok(Some(Row { bytes: &self.row, cells: &self.cells, line }));
        }
    }

    /// Reads on while a quote is open. What was read in vain is given back.
    fn close_quotes(&mut self, line: u64) -> Result<(), RowError> {
        let first_line = self.row.len();
        let mut scan = Scan::default();
        scan.run(&self.row, self.delimiter);
        while scan.is_open() {
            let from = self.row.len();
            let more = match self.read_line(line) {
                Ok(more) => more,
                Err(RowError::TooLong { .. }) => false,
                Err(other) => return Err(other),
            };
            if !more || self.row.len() > MAX_ROW_BYTES || self.lines - line >= MAX_ROW_LINES {
                self.give_back(first_line, line);
                return Err(RowError::QuoteNotClosed { line });
            }
            scan.run(&self.row[from..], self.delimiter);
        }
        Ok(())
    }

    fn give_back(&mut self, first_line: usize, line: u64) {
        let mut bytes = self.row.split_off(first_line);
        bytes.extend_from_slice(&self.pending[self.pending_at..]);
        self.pending = bytes;
        self.pending_at = 0;
        self.lines = line;
    }

    /// Appends a line with its end to the row; `false` at the end of the source.
    fn read_line(&mut self, line: u64) -> Result<bool, RowError> {
        let before = self.row.len();
        loop {
            let chunk = self.chunk(line)?;
            if chunk.is_empty() {
                let length = self.row.len() - before;
                self.lines += u64::from(length > 0);
                return if length > MAX_ROW_BYTES { Err(self.too_long(line)) } else { Ok(length > 0) };
            }
            let newline = chunk.iter().position(|c| *c == b'\n');
            let length = newline.map_or(chunk.len(), |at| at + 1);
            let fits = self.append(length, before);
            if newline.is_some() {
                self.lines += 1;
                return if fits { Ok(true) } else { Err(self.too_long(line)) };
            }
        }
    }

    /// The beginning of the line stays in the row, so that a line given back is too long again.
    fn too_long(&mut self, line: u64) -> RowError {
        if !self.row.ends_with(b"\n") {
            self.row.push(b'\n');
        }
        RowError::TooLong { line, limit: MAX_ROW_BYTES }
    }

    /// Moves bytes to the row as long as the line is not too long; beyond that they are dropped.
    fn append(&mut self, length: usize, before: usize) -> bool {
        let room = self.row.len() - before <= MAX_ROW_BYTES;
        if self.pending_at < self.pending.len() {
            if room {
                self.row.extend_from_slice(&self.pending[self.pending_at..self.pending_at + length]);
            }
            self.pending_at += length;
        } else {
            if room {
                self.row.extend_from_slice(&self.source.buffer()[..length]);
            }
            self.source.consume(length);
        }
        self.row.len() - before <= MAX_ROW_BYTES
    }

    fn chunk(&mut self, line: u64) -> Result<&[u8], RowError> {
        if self.pending_at < self.pending.len() {
            return Ok(&self.pending[self.pending_at..]);
        }
        loop {
            match self.source.fill_buf() {
                Ok(_) => return Ok(self.source.buffer()),
                Err(reason) if reason.kind() == io::ErrorKind::Interrupted => {}
                Err(reason) => return Err(RowError::Unreadable { line, reason: reason.to_string() }),
            }
        }
    }
}

const BUFFER: usize = 128 * 1024;

impl<'a> Row<'a> {
    /// The line that the row begins in, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// How many cells it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no cell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The text of a cell, white space around it cut, quotes taken off; `None` when the row has fewer cells.
    ///
    /// # Errors
    /// When the cell is not UTF-8.
    pub fn cell(&self, index: usize) -> Result<Option<Cow<'a, str>>, NotUtf8> {
        let Some(cell) = self.cells.get(index) else { return Ok(None) };
        let text = std::str::from_utf8(&self.bytes[cell.text.clone()]).map_err(|_| NotUtf8)?;
        let text = text.trim();
        Ok(Some(if cell.escaped { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }))
    }
}

/// Whether a quote is open at the end of what was seen.
#[derive(Default)]
struct Scan {
    state: State,
}

#[derive(Clone, Copy, Default, Eq, PartialEq)]
enum State {
    /// At the start of a cell.
    #[default]
    Start,
    /// In a cell without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// Behind a quote that ends the cell, or is the first of two.
    Closed,
}

impl Scan {
    fn run(&mut self, bytes: &[u8], delimiter: u8) {
        for c in bytes {
            self.state = self.state.next(*c, delimiter);
        }
    }

    fn is_open(&self) -> bool {
        self.state == State::Quoted
    }
}

impl State {
    fn next(self, c: u8, delimiter: u8) -> Self {
        match (self, c) {
            (Self::Quoted, b'"') => Self::Closed,
            (Self::Start | Self::Closed, b'"') | (Self::Quoted, _) => Self::Quoted,
            (_, c) if c == delimiter => Self::Start,
            (Self::Start, b' ') => Self::Start,
            // What stands behind a closing quote belongs to nothing; it is kept and shows.
            _ => Self::Bare,
        }
    }
}

fn split(bytes: &[u8], delimiter: u8, cells: &mut Vec<Cell>, line: u64) -> Result<(), RowError> {
    cells.clear();
    let mut state = State::Start;
    let mut start = 0;
    let mut quotes: Option<Range<usize>> = None;
    let mut escaped = false;
    for (at, c) in bytes.iter().chain(std::iter::once(&delimiter)).enumerate() {
        // The delimiter that is chained on ends the last cell, whatever its state.
        let ends = (*c == delimiter && state != State::Quoted) || at == bytes.len();
        if ends {
            if cells.len() == MAX_CELLS {
                return Err(RowError::TooManyCells { line, limit: MAX_CELLS });
            }
            let text = quotes.take().filter(|_| state == State::Closed).unwrap_or(start..at);
            cells.push(Cell { text, escaped });
            (state, start, escaped) = (State::Start, at + 1, false);
            continue;
        }
        let next = state.next(*c, delimiter);
        match (state, next) {
            (State::Start, State::Quoted) => quotes = Some(at + 1..at + 1),
            (State::Closed, State::Quoted) => escaped = true,
            (State::Quoted, State::Closed) => {
                if let Some(quotes) = &mut quotes {
                    quotes.end = at;
                }
            }
            _ => {}
        }
        // White space behind the closing quote changes nothing.
        state = if state == State::Closed && c.is_ascii_whitespace() { State::Closed } else { next };
    }
    Ok(())
}

fn without_line_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// A cell whose bytes are no UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not UTF-8")]
#[non_exhaustive]
pub struct NotUtf8;

/// Why a row cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A quote opens in that line and is closed nowhere near.
    #[error("a quote is opened and not closed")]
    QuoteNotClosed {
        /// The line, from 1.
        line: u64,
    },
    /// A line, or a row of several, that is too long.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The line, from 1.
        line: u64,
        /// The most there may be.
        limit: usize,
    },
    /// Too many cells.
    #[error("more than {limit} cells")]
    TooManyCells {
        /// The line, from 1.
        line: u64,
        /// The most there may be.
        limit: usize,
    },
    /// The source gives no more bytes.
    #[error("cannot be read on: {reason}")]
    Unreadable {
        /// The line, from 1.
        line: u64,
        /// What the system says.
        reason: String,
    },
}

impl RowError {
    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        match self {
            Self::QuoteNotClosed { line }
            | Self::TooLong { line, .. }
            | Self::TooManyCells { line, .. }
            | Self::Unreadable { line, .. } => *line,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<(u64, Vec<String>), RowError>> {
        let mut rows = Rows::new(bytes, b',');
        let mut all = Vec::new();
        loop {
            match rows.next_row() {
                Ok(None) => return all,
                Ok(Some(row)) => {
                    let cells =
                        (0..row.len()).map(|i| row.cell(i).map_or_else(|_| "?".into(), |c| c.unwrap().into_owned()));
                    all.push(Ok((row.line(), cells.collect())));
                }
                Err(error) => all.push(Err(error)),
            }
        }
    }

    fn row(line: u64, cells: &[&str]) -> Result<(u64, Vec<String>), RowError> {
        Ok((line, cells.iter().map(|c| (*c).to_owned()).collect()))
    }

    #[test]
    fn quotes_line_ends_and_newlines_in_cells_are_read() {
        let text = b"\xef\xbb\xbfa,b\r\n\r\n\"x, \"\"y\"\"\",\"two\nlines\" \r\n , 1 \nlast,\"\"";
        assert_eq!(
            read(text),
            [row(1, &["a", "b"]), row(3, &["x, \"y\"", "two\nlines"]), row(5, &["", "1"]), row(6, &["last", ""])]
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_one_line_only() {
        let found = read(b"a,b\nx,\"open\n1,2\n3,4\n");
        assert_eq!(
            found,
            [row(1, &["a", "b"]), Err(RowError::QuoteNotClosed { line: 2 }), row(3, &["1", "2"]), row(4, &["3", "4"])]
        );
    }

    #[test]
    fn a_line_of_ten_megabytes_costs_itself_only() {
        let mut text = b"a,b\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10 * 1024 * 1024));
        text.extend_from_slice(b"\n1,2\n");
        assert_eq!(
            read(&text),
            [row(1, &["a", "b"]), Err(RowError::TooLong { line: 2, limit: MAX_ROW_BYTES }), row(3, &["1", "2"])]
        );
    }

    #[test]
    fn a_long_line_behind_an_open_quote_keeps_its_number() {
        let mut text = b"a,\"open\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 2 * MAX_ROW_BYTES));
        text.extend_from_slice(b"\n1,2\n");
        let errors = [RowError::QuoteNotClosed { line: 1 }, RowError::TooLong { line: 2, limit: MAX_ROW_BYTES }];
        assert_eq!(read(&text), [Err(errors[0].clone()), Err(errors[1].clone()), row(3, &["1", "2"])]);
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_of_their_cell_only() {
        assert_eq!(read(b"a\0b,\xff\xfe,c\n"), [row(1, &["a\0b", "?", "c"])]);
    }

    #[test]
    fn a_quote_is_followed_over_so_many_lines_and_no_further() {
        let lines = |count: u64| format!("\"{}\",z\nb,c\n", "x\n".repeat(usize::try_from(count).unwrap()));
        let read = |text: &str| Rows::new(text.as_bytes(), b',').next_row().map(|row| row.map(|own| own.len()));
        assert_eq!(read(&lines(MAX_ROW_LINES - 2)), Ok(Some(2)));
        assert_eq!(read(&lines(MAX_ROW_LINES)), Err(RowError::QuoteNotClosed { line: 1 }));
        // Every line opens a quote anew, whether one is open or not.
        let hostile = "\"a\"b,\"\n".repeat(20_000);
        let mut rows = Rows::new(hostile.as_bytes(), b',');
        let mut seen = 0;
        while !matches!(rows.next_row(), Ok(None)) {
            seen += 1;
        }
        assert_eq!(seen, 20_000);
    }

    proptest! {
        #[test]
        fn what_a_csv_writer_writes_is_read_back(rows in prop::collection::vec(prop::collection::vec("[a-z\",\\n ]{1,6}", 2..4), 1..5)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for cells in &rows {
                writer.write_record(cells).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let found: Vec<Vec<String>> = read(&text).into_iter().map(|row| row.unwrap().1).collect();
            let trimmed: Vec<Vec<String>> =
                rows.iter().map(|cells| cells.iter().map(|cell| cell.trim().to_owned()).collect()).collect();
            prop_assert_eq!(found, trimmed);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(prop::sample::select(b"\",\n\ra\xff\0 ".to_vec()), 0..60)) {
            let lines = bytes.split(|c| *c == b'\n').count();
            prop_assert!(read(&bytes).len() <= lines);
        }
    }
}
