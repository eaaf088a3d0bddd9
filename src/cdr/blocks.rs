//! Where one record ends and the next begins, found in blocks of bytes, so that many cores may read one file (RFC 4180).
//!
//! A record may run over several lines: when a cell is quoted, or a JSON object is spread out. What is never closed must
//! not swallow the file: the line that opens it is set aside, and reading goes on with the next. Blocks are cut between
//! records, so that reading them one by one, in any order, gives what reading the file from end to end gives.

use std::io::Read;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use crate::cdr::rows::RowError;

/// The longest record that is read: no call record comes near, however many tokens it carries.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;

/// The most lines that a record may run over. What opens and is never closed is followed this far, so that a file of
/// nothing else costs no more than as many readings of it.
pub const MAX_ROW_LINES: u64 = 256;

/// The same for JSON objects that are spread out, a member a line.
pub const MAX_OBJECT_LINES: u64 = 4096;

/// What can keep a record open at the end of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Nothing: a line is a record.
    Lines,
    /// A quoted cell; cells are told apart by that byte.
    Quoted(u8),
    /// A JSON object.
    Objects,
}

/// Some whole records of a source, one after the other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    bytes: Vec<u8>,
    /// Where the first record begins.
    pub(super) start: usize,
    /// The line that it begins in, from 1.
    pub(super) line: u64,
}

impl Block {
    /// The bytes, line ends included.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn walk(&self, shape: Shape) -> Walk<'_> {
        Walk { bytes: &self.bytes, at: self.start, line: self.line, shape, is_whole: true }
    }

    /// Takes the first record off: where its bytes stand, and its line.
    pub(super) fn step(&mut self, shape: Shape) -> Option<Result<(Range<usize>, u64), RowError>> {
        let mut walk = self.walk(shape);
        let found = match walk.step() {
            Step::Row { from, to, line } => Some(Ok((from..to, line))),
            Step::Bad(error) => Some(Err(error)),
            Step::End => None,
        };
        let (at, line) = (walk.at, walk.line);
        (self.start, self.line) = (at, line);
        found
    }

    pub(super) fn part(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }
}

/// Cuts a source into blocks between records, in bounded memory.
#[derive(Debug)]
pub struct Blocks<R> {
    source: R,
    shape: Shape,
    size: usize,
    /// Read, and not yet given.
    rest: Vec<u8>,
    line: u64,
    /// Set aside for [`Blocks::push_back`].
    ready: Option<Block>,
    /// The source has given its last byte; why, when it broke.
    ended: Option<Option<String>>,
}

impl<R: Read> Blocks<R> {
    /// Long enough to keep a core busy, short enough for a cache.
    pub const SIZE: usize = 1024 * 1024;

    pub(super) fn new(source: R, shape: Shape) -> Self {
        Self { source, shape, size: Self::SIZE, rest: Vec::new(), line: 1, ready: None, ended: None }
    }

    /// The same with blocks of about that many bytes.
    #[must_use]
    pub fn with_size(self, size: usize) -> Self {
        Self { size: size.max(SMALLEST), ..self }
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// [`RowError::Unreadable`], once, when the source breaks; what came before was given.
    pub fn next_block(&mut self) -> Result<Option<Block>, RowError> {
        if let Some(block) = self.ready.take() {
            return Ok(Some(block));
        }
        let mut target = self.size;
        loop {
            self.fill(target);
            let cut = self.cut();
            if cut > 0 {
                return Ok(Some(self.give(cut)));
            }
            match &mut self.ended {
                None => target = self.rest.len() + self.size,
                Some(broken) => {
                    self.rest.clear();
                    return match broken.take() {
                        Some(reason) => Err(RowError::Unreadable { line: self.line, reason }),
                        None => Ok(None),
                    };
                }
            }
        }
    }

    /// Gives a block again with the next call: the rest of one whose beginning was looked at.
    pub(super) fn push_back(&mut self, block: Block) {
        self.ready = Some(block);
    }

    fn give(&mut self, cut: usize) -> Block {
        let tail = self.rest.split_off(cut);
        let bytes = std::mem::replace(&mut self.rest, tail);
        let line = self.line;
        self.line += u64::try_from(memchr_iter(b'\n', &bytes).count()).unwrap_or_default();
        Block { bytes, start: 0, line }
    }

    /// Reads until so many bytes wait, or the source ends.
    fn fill(&mut self, target: usize) {
        while self.ended.is_none() && self.rest.len() < target {
            let before = self.rest.len();
            let wanted = u64::try_from(target - before).unwrap_or(u64::MAX);
            self.rest.reserve(target - before);
            match self.source.by_ref().take(wanted).read_to_end(&mut self.rest) {
                Ok(0) => self.ended = Some(None),
                Ok(_) => {
                    if before == 0 && self.line == 1 && self.rest.starts_with(BYTE_ORDER_MARK) {
                        self.rest.drain(..BYTE_ORDER_MARK.len());
                    }
                    self.shorten();
                }
                Err(reason) => self.ended = Some(Some(reason.to_string())),
            }
        }
    }

    /// Drops what lies beyond the limit of a line that is too long, so that memory stays bounded.
    fn shorten(&mut self) {
        let start = memrchr(b'\n', &self.rest).map_or(0, |newline| newline + 1);
        if self.rest.len() - start <= 2 * MAX_ROW_BYTES {
            return;
        }
        self.rest.truncate(start + 2 * MAX_ROW_BYTES);
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            let read = self.source.by_ref().take(u64::try_from(CHUNK).unwrap_or(u64::MAX)).read_to_end(&mut chunk);
            match (read, memchr(b'\n', &chunk)) {
                (_, Some(newline)) => {
                    self.rest.extend_from_slice(&chunk[newline..]);
                    return;
                }
                (Ok(0), None) => return,
                (Ok(_), None) => {}
                (Err(reason), None) => {
                    self.ended = Some(Some(reason.to_string()));
                    return;
                }
            }
        }
    }

    /// Where the last whole record ends that waits.
    fn cut(&self) -> usize {
        let is_whole = self.ended == Some(None);
        let simple = match self.shape {
            Shape::Lines => true,
            Shape::Quoted(_) => memchr(b'"', &self.rest).is_none(),
            Shape::Objects => false,
        };
        if simple {
            let last = memrchr(b'\n', &self.rest).map_or(0, |newline| newline + 1);
            return if is_whole { self.rest.len() } else { last };
        }
        let mut walk = Walk { bytes: &self.rest, at: 0, line: 0, shape: self.shape, is_whole };
        while let Step::Row { .. } | Step::Bad(_) = walk.step() {}
        walk.at
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A byte order mark is looked for in the first bytes.
const SMALLEST: usize = 16;

const CHUNK: usize = 64 * 1024;

/// A walk over bytes, record after record.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) line: u64,
    pub(super) shape: Shape,
    /// Whether nothing follows the bytes.
    pub(super) is_whole: bool,
}

/// What a step of a walk meets.
#[derive(Debug)]
pub(super) enum Step {
    /// A record, without its line end.
    Row { from: usize, to: usize, line: u64 },
    /// A line that is none.
    Bad(RowError),
    /// Nothing more, or nothing that is whole.
    End,
}

impl Walk<'_> {
    pub(super) fn step(&mut self) -> Step {
        loop {
            let start = self.at;
            let Some(end) = self.line_end(start) else { return Step::End };
            let (line, body) = (self.line, without_line_end(&self.bytes[start..end]));
            if body.len() > MAX_ROW_BYTES {
                self.pass(end, 1);
                return Step::Bad(RowError::TooLong { line, limit: MAX_ROW_BYTES });
            }
            if body.iter().all(u8::is_ascii_whitespace) {
                self.pass(end, 1);
                continue;
            }
            let mut open = Open::after(self.shape, body);
            if !open.is_open() {
                self.pass(end, 1);
                return Step::Row { from: start, to: start + body.len(), line };
            }
            return match self.follow(&mut open, start, end) {
                Followed::Closed { end, lines } => {
                    self.pass(end, lines);
                    Step::Row { from: start, to: start + without_line_end(&self.bytes[start..end]).len(), line }
                }
                Followed::Never => {
                    self.pass(end, 1);
                    Step::Bad(open.fault(line))
                }
                Followed::Short => Step::End,
            };
        }
    }

    fn pass(&mut self, end: usize, lines: u64) {
        self.at = end;
        self.line += lines;
    }

    /// Behind the line's end; `None` where the line may go on beyond the bytes.
    fn line_end(&self, start: usize) -> Option<usize> {
        let rest = &self.bytes[start..];
        match memchr(b'\n', rest) {
            Some(newline) => Some(start + newline + 1),
            None if rest.is_empty() => None,
            None if self.is_whole => Some(self.bytes.len()),
            None => None,
        }
    }

    /// Reads on over the lines behind `end` until what is open is closed.
    fn follow(&self, open: &mut Open, start: usize, mut end: usize) -> Followed {
        let mut lines = 1;
        while lines < open.most_lines() {
            let Some(next) = self.line_end(end) else {
                let is_undecided = !self.is_whole && self.bytes.len() - end <= MAX_ROW_BYTES;
                return if is_undecided { Followed::Short } else { Followed::Never };
            };
            let more = &self.bytes[end..next];
            if without_line_end(more).len() > MAX_ROW_BYTES || next - start > MAX_ROW_BYTES || !open.goes_on(more) {
                return Followed::Never;
            }
            (end, lines) = (next, lines + 1);
            if !open.is_open() {
                return Followed::Closed { end, lines };
            }
        }
        Followed::Never
    }
}

enum Followed {
    Closed { end: usize, lines: u64 },
    Never,
    Short,
}

/// What is open at the end of the lines seen so far.
#[derive(Debug)]
enum Open {
    Nothing,
    Quote { delimiter: u8, is_open: bool },
    Object { depth: u32, in_text: bool, escaped: bool },
}

impl Open {
    fn after(shape: Shape, line: &[u8]) -> Self {
        match shape {
            Shape::Lines => Self::Nothing,
            Shape::Quoted(delimiter) => Self::Quote { delimiter, is_open: leaves_open(line, delimiter, false) },
            Shape::Objects => {
                // Only at the very beginning of a line: no line is then followed twice, whatever stands in it.
                if !line.starts_with(b"{") || line.trim_ascii_end().ends_with(b"}") {
                    return Self::Nothing;
                }
                let mut open = Self::Object { depth: 0, in_text: false, escaped: false };
                open.goes_on(line);
                open
            }
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Quote { is_open, .. } => *is_open,
            Self::Object { depth, in_text, .. } => *depth > 0 || *in_text,
        }
    }

    fn most_lines(&self) -> u64 {
        if matches!(self, Self::Object { .. }) { MAX_OBJECT_LINES } else { MAX_ROW_LINES }
    }

    /// Takes another line; `false` where it cannot belong to what is open.
    fn goes_on(&mut self, line: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Quote { delimiter, is_open } => {
                // A line that was cut off within a cell: the next record's first quote would close it.
                if *is_open && closes_amid_text(line, *delimiter) {
                    return false;
                }
                *is_open = leaves_open(line, *delimiter, *is_open);
                true
            }
            Self::Object { depth, in_text, escaped } => {
                // An object that begins where lines begin is the next record.
                if *depth > 0 && line.starts_with(b"{") {
                    return false;
                }
                for c in line {
                    match (*in_text, c) {
                        (true, _) if *escaped => *escaped = false,
                        (true, b'\\') => *escaped = true,
                        (_, b'"') => *in_text = !*in_text,
                        (false, b'{' | b'[') => *depth += 1,
                        (false, b'}' | b']') => *depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                true
            }
        }
    }

    fn fault(&self, line: u64) -> RowError {
        match self {
            Self::Object { .. } => RowError::ObjectNotClosed { line },
            Self::Nothing | Self::Quote { .. } => RowError::QuoteNotClosed { line },
        }
    }
}

/// Whether a quote is open at the end of the text; `inside` says whether one is at its beginning.
fn leaves_open(text: &[u8], delimiter: u8, mut inside: bool) -> bool {
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &text[at..]).map(|offset| at + offset) {
        at = quote + 1;
        if !inside {
            inside = opens_cell(&text[..quote], delimiter);
        } else if text.get(at) == Some(&b'"') {
            at += 1;
        } else {
            inside = false;
        }
    }
    inside
}

/// Whether the cell that is open where the text begins is closed there, and something else follows than a delimiter.
fn closes_amid_text(text: &[u8], delimiter: u8) -> bool {
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &text[at..]).map(|offset| at + offset) {
        at = quote + 1;
        if text.get(at) == Some(&b'"') {
            at += 1;
            continue;
        }
        let is_escaped = quote > 0 && text[quote - 1] == b'\\';
        let behind = text[at..].iter().find(|c| **c == delimiter || !c.is_ascii_whitespace());
        return !is_escaped && behind.is_some_and(|c| *c != delimiter);
    }
    false
}

/// Whether a cell begins behind that text; spaces do not count.
fn opens_cell(before: &[u8], delimiter: u8) -> bool {
    let spaces = if delimiter == b' ' { 0 } else { before.iter().rev().take_while(|c| **c == b' ').count() };
    before[..before.len() - spaces].last().is_none_or(|c| *c == delimiter)
}

pub(super) fn without_line_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}
