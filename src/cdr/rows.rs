//! Rows of delimited text (RFC 4180), from a byte source of any length in bounded memory.

use std::borrow::Cow;
use std::io::Read;

use crate::cdr::blocks::{Block, Blocks, Shape};
use crate::cdr::cells::{Cell, MAX_CELLS, Quotes, split};

/// Reads row after row.
#[derive(Debug)]
pub struct Rows<R> {
    blocks: Blocks<R>,
    block: Option<Block>,
    delimiter: u8,
    cells: Vec<Cell>,
}

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
        let blocks = Blocks::new(source, Shape::Quoted(delimiter)).with_size(BLOCK);
        Self { blocks, block: None, delimiter, cells: Vec::new() }
    }

    /// The next row that is not empty; `None` at the end.
    ///
    /// # Errors
    /// When a row cannot be read. Reading goes on behind it, except after [`RowError::Unreadable`].
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, RowError> {
        let shape = Shape::Quoted(self.delimiter);
        let (range, line) = loop {
            let Some(block) = &mut self.block else {
                self.block = self.blocks.next_block()?;
                if self.block.is_none() {
                    return Ok(None);
                }
                continue;
            };
            match block.step(shape) {
                Some(Ok(found)) => break found,
                Some(Err(error)) => return Err(error),
                None => self.block = None,
            }
        };
        let bytes = self.block.as_ref().map_or(&[][..], |block| block.part(range));
        if !split(bytes, self.delimiter, Quotes::Doubled, &mut self.cells) {
            return Err(RowError::TooManyCells { line, limit: MAX_CELLS });
        }
        Ok(Some(Row { bytes, cells: &self.cells, line }))
    }
}

const BLOCK: usize = 128 * 1024;

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
        Ok(cell.whole(text))
    }
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
    /// A JSON object begins in that line and is closed nowhere near.
    #[error("an object is opened and not closed")]
    ObjectNotClosed {
        /// The line, from 1.
        line: u64,
    },
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
    #[error("{reason}")]
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
            Self::ObjectNotClosed { line }
            | Self::QuoteNotClosed { line }
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
    use crate::cdr::blocks::{MAX_ROW_BYTES, MAX_ROW_LINES};

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
    fn a_line_that_is_cut_off_within_a_cell_does_not_take_the_next_one_with_it() {
        let found = read(b"\"INVITE\",\"a\"\n\"INVI\n\"INVITE\",\"b\"\n\"x \\\"\ny\\\" z\",\"c\"\n");
        let cut = Err(RowError::QuoteNotClosed { line: 2 });
        assert_eq!(found[..3], [row(1, &["INVITE", "a"]), cut, row(3, &["INVITE", "b"])]);
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
