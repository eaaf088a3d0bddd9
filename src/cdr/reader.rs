//! Records one after the other, from a source of any length.

use std::io::Read;

use crate::cdr::BadLine;
use crate::cdr::blocks::{Block, Blocks};
use crate::cdr::parser::Parser;
use crate::cdr::raw::Scratch;
use crate::cdr::record::Record;
use crate::cdr::rows::RowError;

/// Reads records one after the other.
#[derive(Debug)]
pub struct Reader<R> {
    parser: Parser,
    blocks: Blocks<R>,
    block: Option<Block>,
    scratch: Scratch,
    no_calls: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(parser: Parser, blocks: Blocks<R>) -> Self {
        let scratch = Scratch::new(&parser);
        Self { parser, blocks, block: None, scratch, no_calls: 0, ended: false }
    }

    /// The columns of the header that mean nothing here; they are left out.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        self.parser.unknown_columns()
    }

    /// Whether records of this source can carry Identity headers: without the column, their absence says nothing.
    #[must_use]
    pub fn records_identities(&self) -> bool {
        self.parser.records_identities()
    }

    /// Whether all records of this source can say where calls went: without the columns, that they do not is no end.
    #[must_use]
    pub fn records_egress(&self) -> bool {
        self.parser.records_egress()
    }

    /// How many rows were no calls so far.
    #[must_use]
    pub const fn no_calls(&self) -> u64 {
        self.no_calls
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let shape = Parser::shape(self.parser.layout());
        while !self.ended {
            let Some(block) = &mut self.block else {
                match self.blocks.next_block() {
                    Ok(Some(block)) => self.block = Some(block),
                    Ok(None) => self.ended = true,
                    Err(error) => {
                        self.ended = matches!(error, RowError::Unreadable { .. });
                        return Some(Err(self.parser.bad(error)));
                    }
                }
                continue;
            };
            let item = match block.step(shape) {
                None => {
                    self.block = None;
                    continue;
                }
                Some(Err(error)) => Some(Err(self.parser.bad(error))),
                Some(Ok((row, line))) => self.parser.record(block.part(row), line, &mut self.scratch),
            };
            match item {
                Some(item) => return Some(item),
                None => self.no_calls += 1,
            }
        }
        None
    }
}
