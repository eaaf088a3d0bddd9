//! A sliding window over a reader: what is needed is there as one slice, and no more is held than that.

use std::io::{self, Read};

pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// How much is asked of the reader at once.
const BUFFER: usize = 256 << 10;

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, end: 0 }
    }

    /// What is at hand.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `wanted` bytes are at hand; `false` when the reader ends before. It never waits for more than that.
    pub(super) fn ensure(&mut self, wanted: usize) -> io::Result<bool> {
        while self.end - self.start < wanted {
            self.make_room(wanted);
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(length) => self.end += length,
                Err(reason) if reason.kind() == io::ErrorKind::Interrupted => {}
                Err(reason) => return Err(reason),
            }
        }
        Ok(true)
    }

    fn make_room(&mut self, wanted: usize) {
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER, 0);
        }
        if self.start + wanted > self.buffer.len() || self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if wanted > self.buffer.len() {
            self.buffer.resize(wanted, 0);
        }
    }

    /// Passes over bytes that are at hand.
    pub(super) fn consume(&mut self, length: usize) {
        self.start = (self.start + length).min(self.end);
    }

    /// Passes over bytes whether they are at hand or not; `false` when the reader ends before.
    pub(super) fn skip(&mut self, mut length: u64) -> io::Result<bool> {
        loop {
            let step = usize::try_from(length).unwrap_or(usize::MAX).min(BUFFER);
            let whole = self.ensure(step)?;
            let step = step.min(self.end - self.start);
            self.consume(step);
            length -= u64::try_from(step).unwrap_or(length).min(length);
            if length == 0 || !whole {
                return Ok(whole);
            }
        }
    }
}
