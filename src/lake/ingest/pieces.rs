//! The pieces of a file of a known format.

use std::io::Read;
use std::sync::Arc;

use super::{Piece, Pieces};
use crate::cdr::{Blocks, Format, OpenError, Parser, Settings};

/// Cuts a file of that format into pieces.
///
/// # Errors
/// When it does not begin as the format does.
pub fn pieces(format: &Format, source: Box<dyn Read + Send>, settings: Settings) -> Result<Box<dyn Pieces>, OpenError> {
    let (parser, blocks) = format.split(source, settings)?;
    Ok(Box::new(Cut { parser: Arc::new(parser), blocks }))
}

struct Cut {
    parser: Arc<Parser>,
    blocks: Blocks<Box<dyn Read + Send>>,
}

impl Pieces for Cut {
    fn next_piece(&mut self) -> Result<Option<Piece>, String> {
        let block = self.blocks.next_block().map_err(|reason| reason.to_string())?;
        Ok(block.map(|block| -> Piece {
            let parser = Arc::clone(&self.parser);
            Box::new(move |take| {
                parser.each(&block, take);
            })
        }))
    }

    fn records_egress(&self) -> bool {
        self.parser.records_egress()
    }
}
