//! What is to be judged, read into chunks: as many items as fill a batch of signatures, or as hold so many bytes.

use indicatif::ProgressBar;

use crate::capture::Counts;
use crate::cli::captures::losses;
use crate::cli::exit::{Complaint, Stop};
use crate::cli::files::{Input, Source, Unlisted};
use crate::cli::pieces::{Piece, each_piece};
use crate::cli::pipeline::Give;
use crate::cli::printer::Remark;
use crate::lake::Found;

/// One thing to judge, or to say.
pub(super) enum Item {
    /// A piece of an input.
    Piece(Source, Piece),
    /// A call record of the lake.
    Record(Box<Found>),
    /// Something to say in passing.
    Remark(Remark),
    /// A folder that cannot be listed.
    Unlisted(Unlisted),
    /// What cannot be read.
    Unread(Source, Complaint),
}

/// Items that are worked on together.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) items: Vec<Item>,
    bytes: usize,
    /// Whether the next item may have to be waited for, so that what came of these should be brought out.
    pub(super) pause: bool,
}

/// Several batches of signatures.
const MAX_ITEMS: usize = 128;
/// What long items are held to: some chunks for each core are on their way at a time.
const MAX_BYTES: usize = 512 * 1024;

/// Fills chunks and hands them over.
pub(super) struct Chunks<'a, 'b> {
    chunk: Chunk,
    give: &'a mut Give<'b, Chunk>,
}

impl<'a, 'b> Chunks<'a, 'b> {
    pub(super) fn new(give: &'a mut Give<'b, Chunk>) -> Self {
        Self { chunk: Chunk::default(), give }
    }

    /// Adds an item of about so many bytes.
    pub(super) fn add(&mut self, item: Item, bytes: usize) -> Result<(), Stop> {
        self.chunk.items.push(item);
        self.chunk.bytes += bytes;
        if self.chunk.items.len() >= MAX_ITEMS || self.chunk.bytes >= MAX_BYTES {
            return self.hand_over();
        }
        Ok(())
    }

    /// What was added so far is not to wait for more.
    pub(super) fn pause(&mut self) -> Result<(), Stop> {
        self.chunk.pause = true;
        self.hand_over()
    }

    /// Hands over what was added.
    pub(super) fn hand_over(&mut self) -> Result<(), Stop> {
        (self.give)(std::mem::take(&mut self.chunk))
    }

    /// Reads an input into chunks.
    pub(super) fn read(&mut self, input: &Result<Input, Unlisted>, bar: &ProgressBar) -> Result<(), Stop> {
        let input = match input {
            Ok(input) => input,
            Err(unlisted) => return self.add(Item::Unlisted(unlisted.clone()), 0),
        };
        let is_live = input.length().is_none();
        each_piece(input, bar, &mut |source, found| match found {
            // A folder may hold the roots beside the calls.
            Ok(Piece::Certificates(_)) if matches!(input, Input::Found(_)) => {
                let words = format!("{source} holds certificates, no calls; passed over");
                self.add(Item::Remark(Remark::Note(words)), 0)
            }
            // A file does not make anybody wait.
            Ok(Piece::Pause) => {
                if is_live {
                    self.pause()
                } else {
                    Ok(())
                }
            }
            Ok(Piece::CaptureEnd(counts)) => self.say_losses(&source, &counts),
            Ok(piece) => {
                let weight = piece.weight();
                self.add(Item::Piece(source, piece), weight)
            }
            Err(complaint) => self.add(Item::Unread(source, complaint), 0),
        })
    }

    fn say_losses(&mut self, source: &Source, counts: &Counts) -> Result<(), Stop> {
        losses(source, counts).into_iter().try_for_each(|remark| self.add(Item::Remark(remark), 0))
    }
}
